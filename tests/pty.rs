//! What the technician's tests share: a pseudo-terminal with `boothd console` on it, somebody who types and reads there, a desk that
//! answers, and transcripts that are compared with files.

use crate::furnished::{boothd, root};
use boothd::technician::plain::{Charset, columns, is_shown};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Nothing that is waited for takes longer.
const LIMIT: Duration = Duration::from_secs(60);
/// What is asked again and again until it is so: a booth in a debug build on a busy machine takes its time.
const LONGEST: Duration = Duration::from_secs(240);

/// The console's process; killed when dropped.
pub(crate) struct Console(Child);

impl Drop for Console {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A technician at a terminal.
pub(crate) struct Technician {
    /// Before the line: dropped first, it is killed before it can see that the line was hung up.
    console: Console,
    far: OwnedFd,
    folder: PathBuf,
    booth: String,
    /// All that was shown, and how much of it was waited for already.
    shown: Vec<u8>,
    seen: usize,
    words: Words,
}

/// What the console calls what the desk has to know.
struct Words {
    charset: Charset,
    challenge: &'static str,
    order: &'static str,
    audit: &'static str,
    closing: &'static str,
}

impl Words {
    const EN: Self = Self {
        charset: Charset::Ascii,
        challenge: "challenge ",
        order: "work order ",
        audit: "audit ",
        closing: "closing code ",
    };
    const ZH: Self = Self {
        charset: Charset::Utf8,
        challenge: "质询码 ",
        order: "工单 ",
        audit: "审计 ",
        closing: "结单码 ",
    };
}

/// A folder with a desk, the code key of BOOTH-0001 and `console.toml`, whose control socket is `control.sock` in it.
pub(crate) fn furnish(folder: &Path) {
    furnish_for(folder, "BOOTH-0001");
}

/// As [`furnish`], for a booth of another name.
pub(crate) fn furnish_for(folder: &Path, booth: &str) {
    let text = |name: &str| folder.join(name).display().to_string();
    let made = boothd(&["dispatch", "init", "--desk", &text("desk")]);
    assert_eq!(made.code, Some(0), "{}", made.said);
    let key = text("code.key");
    let made = boothd(&[
        "dispatch",
        "device-key",
        "--desk",
        &text("desk"),
        "--booth",
        booth,
        "--out",
        &key,
    ]);
    assert_eq!(made.code, Some(0), "{}", made.said);
    let config = format!(
        "booth_id = {booth:?}\ntty = \"-\"\ncontrol = \"control.sock\"\nstate_dir = \"console\"\ncode_key = \"code.key\"\n"
    );
    std::fs::write(folder.join("console.toml"), config).expect("a file");
}

impl Technician {
    /// Starts the console of a furnished folder on a new pseudo-terminal.
    pub(crate) fn sit_down(folder: &Path) -> Self {
        Self::sit_down_at(folder, "BOOTH-0001")
    }

    /// As [`Self::sit_down`], at a booth of another name.
    pub(crate) fn sit_down_at(folder: &Path, booth: &str) -> Self {
        let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .expect("a pseudo-terminal");
        grantpt(&far).expect("ours");
        unlockpt(&far).expect("ours");
        let near = ptsname(&far, Vec::new())
            .expect("it has a name")
            .into_string()
            .expect("ASCII");
        let mut technician = Self {
            console: Console(start(folder, &near)),
            far,
            folder: folder.to_owned(),
            booth: booth.to_owned(),
            shown: Vec::new(),
            seen: 0,
            words: Words::EN,
        };
        technician.expect(&format!("{booth}> "));
        technician
    }

    /// Everything that was shown, as it came.
    pub(crate) fn raw(&self) -> String {
        String::from_utf8_lossy(&self.shown).into_owned()
    }

    /// The far end of the line is gone; the console's process goes on.
    pub(crate) fn pulls_the_cable(self) -> Console {
        self.console
    }

    /// Sends bytes, whatever they are, and does not wait for what comes.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let mut left = bytes;
        while !left.is_empty() {
            let n = rustix::io::write(&self.far, left).expect("the line is there");
            left = &left[n..];
        }
    }

    /// Types a line and reads until this is shown.
    pub(crate) fn types(&mut self, line: &str, until: &str) -> String {
        self.send(line.as_bytes());
        self.send(b"\r");
        self.expect(until)
    }

    /// Types a line again and again until its answer has these words: the booth looks once a second at what it watches, and on a machine
    /// that is busy a camera gives too few pictures for a test. Only the last answer is kept.
    pub(crate) fn types_until(&mut self, line: &str, prompt: &str, words: &str) -> String {
        let began = Instant::now();
        loop {
            let before = self.seen;
            let shown = self.types(line, prompt);
            if shown.contains(words) {
                return shown;
            }
            assert!(began.elapsed() < LONGEST, "`{words}` is not in: {shown}");
            // The terminal waits a tenth of a second each time that nothing comes.
            (0..5).for_each(|_| self.read());
            self.shown.truncate(before);
            self.seen = before;
        }
    }

    /// Reads until this is shown behind what was waited for before; gives what was shown up to its end.
    pub(crate) fn expect(&mut self, text: &str) -> String {
        let began = Instant::now();
        loop {
            let rest = &self.shown[self.seen..];
            if let Some(at) = find(rest, text.as_bytes()) {
                let until = self.seen + at + text.len();
                let shown = String::from_utf8_lossy(&self.shown[self.seen..until]).into_owned();
                self.seen = until;
                return shown;
            }
            assert!(
                began.elapsed() < LIMIT,
                "`{text}` is not shown, but: {}",
                String::from_utf8_lossy(rest)
            );
            self.read();
        }
    }

    /// Reads until nothing more comes, and counts it as seen.
    pub(crate) fn reads_up(&mut self) {
        let mut before = usize::MAX;
        while before != self.shown.len() {
            before = self.shown.len();
            (0..5).for_each(|_| self.read());
        }
        self.seen = before;
    }

    /// Reads what is there, waiting a little if nothing is.
    pub(crate) fn read(&mut self) {
        let mut fds = [PollFd::new(&self.far, PollFlags::IN)];
        let wait = Timespec {
            tv_sec: 0,
            tv_nsec: 100_000_000,
        };
        if matches!(poll(&mut fds, Some(&wait)), Ok(1)) {
            let mut buffer = [0; 4096];
            let n = rustix::io::read(&self.far, &mut buffer).expect("the console is there");
            self.shown.extend_from_slice(&buffer[..n]);
        }
    }

    /// From now on the console speaks Chinese.
    pub(crate) fn asks_for_chinese(&mut self) {
        let prompt = format!("{}> ", self.booth);
        self.types("terminal charset utf-8", &prompt);
        self.types("terminal language zh", &prompt);
        self.words = Words::ZH;
    }

    /// Logs in with a code from the desk; reads up to the prompt.
    pub(crate) fn logs_in(&mut self, role: &str, order: &str) {
        let shown = self.types(&format!("login {role} {order}"), "code: ");
        let challenge = word_behind(&shown, self.words.challenge);
        let code = self.desk_answers(role, order, &challenge);
        self.types(&code, &format!("{} {role}> ", self.booth));
    }

    /// What the desk answers to a challenge.
    pub(crate) fn desk_answers(&self, role: &str, order: &str, challenge: &str) -> String {
        let desk = self.folder.join("desk").display().to_string();
        let args = [
            "dispatch",
            "answer",
            "--desk",
            &desk,
            "--booth",
            &self.booth,
            "--role",
            role,
            "--work-order",
            order,
        ];
        let ended = boothd(&[&args[..], &["--challenge", challenge]].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        word_behind(&ended.said, "code ")
    }

    /// Whether the desk takes the line with the closing code.
    pub(crate) fn desk_closes(&self, shown: &str) -> Result<(), String> {
        let desk = self.folder.join("desk").display().to_string();
        let order = word_behind(shown, self.words.order);
        let (_, behind) = shown
            .split_once(self.words.audit)
            .expect("the audit log's place");
        let mut words = behind.split_whitespace();
        let (lines, head) = (words.next().expect("lines"), words.next().expect("a head"));
        let code = word_behind(shown, self.words.closing);
        let args = [
            "dispatch",
            "close",
            "--desk",
            &desk,
            "--booth",
            &self.booth,
            "--work-order",
            &order,
        ];
        let ended = boothd(&[&args[..], &["--audit", lines, head, "--code", &code]].concat());
        if ended.code == Some(0) {
            Ok(())
        } else {
            Err(ended.said)
        }
    }

    /// Everything that was shown, as lines: no character that a dumb terminal does not understand (or one that speaks
    /// Chinese), and what differs from run to run by name.
    pub(crate) fn transcript(&self) -> String {
        let mut text = String::new();
        for c in std::str::from_utf8(&self.shown[..self.seen])
            .expect("UTF-8")
            .chars()
        {
            match c {
                '\n' => text.push('\n'),
                '\r' => {}
                '\u{8}' => text.push_str("<BS>"),
                '\u{7}' => text.push_str("<BEL>"),
                c if is_shown(c, self.words.charset) => text.push(c),
                other => panic!("{other:?} was sent to the terminal"),
            }
        }
        let lines: Vec<String> = text.lines().map(masked).collect();
        lines.join("\n") + "\n"
    }
}

fn start(folder: &Path, tty: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_boothd"))
        .args([
            "console",
            "--config",
            &folder.join("console.toml").display().to_string(),
            "--tty",
            tty,
        ])
        .current_dir(root())
        .env_remove("BOOTHD_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("boothd can be started")
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|w| w == what)
}

/// The word that stands behind these.
pub(crate) fn word_behind(text: &str, before: &str) -> String {
    let at = text
        .find(before)
        .unwrap_or_else(|| panic!("`{before}` is not in: {text}"))
        + before.len();
    text[at..]
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// A line with what differs from run to run put by name: codes, hashes, times.
fn masked(line: &str) -> String {
    let words: Vec<String> = line
        .split(' ')
        .map(|word| {
            let crockford = |part: &str| {
                part.bytes()
                    .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
            };
            let is_hex = word
                .bytes()
                .all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase());
            match word.split_once('-') {
                Some((a, b)) if a.len() == 4 && b.len() == 4 && crockford(a) && crockford(b) => {
                    "CHAL-LENG".to_owned()
                }
                Some((a, b)) if a.len() == 5 && b.len() == 5 && crockford(a) && crockford(b) => {
                    "CODEX-CODEX".to_owned()
                }
                _ if word.len() == 8 && is_hex => "head8888".to_owned(),
                _ if word.len() == 64 && is_hex => "head64".to_owned(),
                _ if word.len() == 19 && word.as_bytes()[10] == b'T' => {
                    "2026-01-01T00:00:00".to_owned()
                }
                _ => word.to_owned(),
            }
        })
        .collect();
    words.join(" ")
}

/// A transcript with `#` for every number that is measured, and columns with two blanks between them. What a slow machine adds is left out:
/// a camera that gives few pictures, and faults of its first seconds (those that are over and not `told`). So is what a login tells of faults:
/// the booth may not have found them yet; `show faults` tells them below.
pub(crate) fn measured(transcript: &str, told: &[&str]) -> String {
    let mut kept = Vec::new();
    let (mut at_login, mut slow) = (false, false);
    for line in transcript.lines() {
        let first = line.split_whitespace().next().unwrap_or_default();
        let code = line.split_whitespace().nth(1).unwrap_or_default();
        // The block of a fault ends with a blank line, a mend's lines begin with blanks.
        slow = match slow {
            true => !line.is_empty() && !line.starts_with("BOOTH"),
            false => code == "hw.camera.slow",
        };
        let of_speed = ["frame rate", "longest gap", "missed frames"];
        if at_login {
            at_login = !line.starts_with("result ");
            continue;
        }
        // Whether a rung of the ladder was taken before it was mended.
        let tried = matches!(first, "tried" | "已尝试");
        if slow || tried || of_speed.iter().any(|item| line.starts_with(item)) {
            continue;
        }
        at_login = line.starts_with("logged in for ") || line.starts_with("已登录");
        let is_over = first.contains('.') && line.ends_with('Z');
        if is_over && !told.contains(&first) {
            continue;
        }
        let line = in_columns(line);
        let text = |part: &str| position(&line, &in_columns(part));
        let audit = text("  audit ").or_else(|| text("  审计 "));
        let number = [" faults", " 个故障"]
            .iter()
            .any(|end| line.ends_with(&in_columns(end)));
        let whole = number || matches!(first, "seen" | "times," | "现象" | "次数、首次、末次");
        let from = match audit {
            Some(at) => at,
            None if is_over => first.len(),
            None if number => 0,
            None if whole || line.get(26..28) == Some(&[' '; 2]) => 28,
            None => line.len(),
        };
        let until = match audit {
            Some(_) => text("head").unwrap_or(line.len()),
            None if is_over || whole => line.len(),
            None => 48.min(line.len()),
        };
        kept.push(without_times(&with_marks(&line, from, until)));
    }
    kept.join("\n") + "\n"
}

/// A line by the columns of the terminal: what takes two has [`SECOND`] behind it.
fn in_columns(line: &str) -> Vec<char> {
    let wide = |c: char| columns(c.encode_utf8(&mut [0; 4])) == 2;
    line.chars()
        .flat_map(|c| std::iter::once(c).chain(wide(c).then_some(SECOND)))
        .collect()
}

const SECOND: char = '\0';

fn position(line: &[char], part: &[char]) -> Option<usize> {
    line.windows(part.len()).position(|w| w == part)
}

/// The line with one mark for each moment, as `###Z` from [`with_marks`] have it.
fn without_times(line: &str) -> String {
    line.replace("### #:#:#Z", "MOMENT")
}

/// The line with `#` for each number that begins within these columns, and at most two blanks together.
fn with_marks(line: &[char], from: usize, until: usize) -> String {
    let mut text = String::new();
    let mut before = ' ';
    for (at, c) in line.iter().copied().enumerate() {
        let in_number = |c: char| c.is_ascii_digit() || c == '.';
        let marked = (from..until).contains(&at) && c.is_ascii_digit();
        if marked && !text.ends_with('#') && !before.is_alphabetic() {
            if text.ends_with('-') {
                text.pop();
            }
            text.push('#');
        } else if !(marked
            || (text.ends_with('#') && in_number(c))
            || text.ends_with("  ") && c == ' '
            || c == SECOND)
        {
            text.push(c);
        }
        before = c;
    }
    text
}

/// Compares a transcript with its file; what was found is written beside it if they differ.
pub(crate) fn compare(name: &str, found: &str) {
    let golden = root()
        .join("tests/golden/console")
        .join(format!("{name}.txt"));
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    if found != expected {
        let beside = golden.with_extension("txt.unmatched");
        std::fs::write(&beside, found).expect("writable");
        panic!(
            "not as in {}; found: {}\n{found}",
            golden.display(),
            beside.display()
        );
    }
}
