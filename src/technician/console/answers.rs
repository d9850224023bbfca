//! Answers of the booth while a command runs.

use super::{Console, Mode, Run, Wish};
use crate::technician::command::Command;
use crate::technician::control::{BLOCK, Tell};
use crate::technician::page::{WIDTH, report_lines, row_lines, section_lines};
use crate::technician::plain::{plain, plain_json, wrap};
use crate::technician::report::{Code, Report};
use crate::technician::store::Store;
use base64::Engine as _;

impl<S: Store> Console<S> {
    /// The booth answers.
    pub fn told(&mut self, tell: Tell) {
        self.take(tell);
        self.settle();
    }

    /// The connection to the booth is gone, or none can be made.
    pub fn booth_lost(&mut self, why: &str, code: Code) {
        self.maintenance = false;
        if let Mode::Running(run) | Mode::Question(run, _) =
            std::mem::replace(&mut self.mode, Mode::Prompt)
        {
            let restart = matches!(
                run.command,
                Command::ServiceRestart | Command::Reboot { .. }
            );
            let report = if restart && code == Code::BoothDown {
                // What was asked for: it cannot report its own end.
                Report::refusal(
                    Code::Ok,
                    "the service has ended",
                    "it is back within a minute: `show status`",
                )
            } else {
                Report::refusal(
                    code,
                    format!("the booth's service does not answer: {why}"),
                    "wait a minute: systemd starts it again; then `show status`",
                )
            };
            self.ended(&report, run.json, &run.told);
        }
        self.settle();
    }

    fn take(&mut self, tell: Tell) {
        let Mode::Running(run) = &mut self.mode else {
            return;
        };
        let style = self.style;
        match tell {
            Tell::Progress { id, text, done, of } if id == run.id && !run.json => {
                let text = style.say(&text);
                let line = if of > 0 {
                    format!("[{done}/{of}] {text}")
                } else {
                    format!("... {text}")
                };
                self.screen.lines([line]);
            }
            Tell::Row { id, row } if id == run.id && !run.json && run.told.len() < 500 => {
                self.screen.lines(row_lines(&row, style));
                run.told.push(row);
            }
            Tell::Live { id, sections } if id == run.id => {
                // A terminal that is behind is not given the past.
                if self.screen.is_behind() {
                    return;
                }
                if run.json {
                    let json = serde_json::to_string(&sections).unwrap_or_default();
                    self.screen.lines([plain_json(&json, style.charset)]);
                } else {
                    self.screen
                        .lines(sections.iter().flat_map(|s| section_lines(s, style)));
                }
            }
            Tell::Question {
                id,
                question,
                choices,
            } if id == run.id => {
                let choices: Vec<String> = choices
                    .iter()
                    .take(9)
                    .map(|c| plain(c, style.charset))
                    .collect();
                let mut lines = wrap(&style.say(&question), WIDTH);
                for (n, choice) in (1..).zip(&choices) {
                    // The word that may be typed, and behind it what it means.
                    let said = Some(style.say(choice)).filter(|said| said != choice);
                    let line = format!("  {n} {choice} {}", said.unwrap_or_default());
                    lines.push(line.trim_end().to_owned());
                }
                self.screen.lines(lines);
                if let Mode::Running(run) = std::mem::replace(&mut self.mode, Mode::Prompt) {
                    self.mode = Mode::Question(run, choices);
                }
                // What was typed ahead was not meant as its answer.
                self.ahead.clear();
                self.prompt();
            }
            Tell::Blocks {
                id,
                sha256,
                first,
                of,
                base64,
            } if id == run.id => {
                let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(&base64) else {
                    return;
                };
                let mut lines = Vec::new();
                if run.told.is_empty() {
                    lines.push(format!(
                        "bundle {} blocks {of} from {first}",
                        plain(&sha256, style.charset)
                    ));
                    run.told
                        .push(crate::technician::report::Row::told("bundle", sha256, ""));
                }
                lines.extend(
                    (first..)
                        .zip(bytes.chunks(BLOCK))
                        .map(|(n, block)| block_line(n, block)),
                );
                self.screen.lines(lines);
            }
            Tell::Report { id, report } if id == run.id => {
                match (&run.command, report.code) {
                    (Command::MaintenanceEnter { .. }, Code::Ok) => self.maintenance = true,
                    (Command::MaintenanceLeave, _) => self.maintenance = false,
                    _ => {}
                }
                if let Mode::Running(run) = std::mem::replace(&mut self.mode, Mode::Prompt) {
                    self.ended(&report, run.json, &run.told);
                }
            }
            // Of a command that has ended meanwhile.
            _ => {}
        }
    }

    /// Ctrl-C or `q`.
    pub(super) fn stop(&mut self) {
        let now = self.clock.now();
        if let Mode::Running(run) = &mut self.mode
            && run.stopped.is_none()
        {
            run.stopped = Some(now);
            let id = run.id;
            self.wishes.push_back(Wish::Stop(id));
            self.say(["^C stopping"]);
        }
    }

    /// A line that answers a question: its number, or the beginning of just one choice.
    pub(super) fn chosen(&mut self, run: Run, choices: Vec<String>, line: &str) {
        let typed = line.trim().to_ascii_lowercase();
        let by_number = typed
            .parse::<usize>()
            .ok()
            .filter(|n| (1..=choices.len()).contains(n))
            .map(|n| n - 1);
        let begins = |c: &&String| !typed.is_empty() && c.to_ascii_lowercase().starts_with(&typed);
        let by_word = match choices.iter().filter(begins).count() {
            1 => choices.iter().position(|c| begins(&c)),
            _ => None,
        };
        let Some(choice) = by_number.or(by_word) else {
            let n = choices.len();
            self.say([format!("allowed: 1 to {n}, or one of the words; Ctrl-C ends").as_str()]);
            self.mode = Mode::Question(run, choices);
            return self.prompt();
        };
        self.keep(
            crate::technician::audit::Kind::Typed,
            &format!("answer: {}", choices[choice]),
        );
        self.wishes.push_back(Wish::Choose(run.id, choice));
        self.mode = Mode::Running(run);
    }

    /// A report without a command: what the console itself has to say.
    pub(super) fn announce(&mut self, report: &Report) {
        self.screen.lines(report_lines(report, &[], self.style));
    }
}

/// A block as a line of 79 characters: `:NUMBER BASE64 CRC`, the CRC-32 over the number (four bytes, the highest first) and the bytes.
pub fn block_line(number: u32, block: &[u8]) -> String {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&number.to_be_bytes());
    crc.update(block);
    let base64 = base64::engine::general_purpose::STANDARD.encode(block);
    format!(":{number:08} {base64} {:08x}", crc.finalize())
}

/// What [`block_line`] wrote; none if anything in it was changed on the way.
pub fn read_block_line(line: &str) -> Option<(u32, Vec<u8>)> {
    let mut words = line.strip_prefix(':')?.split(' ');
    let (number, base64, _crc) = (words.next()?.parse().ok()?, words.next()?, words.next()?);
    let block = base64::engine::general_purpose::STANDARD
        .decode(base64)
        .ok()?;
    (block.len() <= BLOCK && block_line(number, &block) == line).then_some((number, block))
}
