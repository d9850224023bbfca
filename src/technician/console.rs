//! The technician's console without its line: bytes of a terminal in, bytes for it out, commands to the booth and its answers. It waits
//! for nothing; `app/console.rs` moves the bytes and the time.
//!
//! ```text
//!            login ROLE ORDER        code good                 line                report
//! logged out ----------------> code ----------> logged in ---------------> running --------.
//!     ^                          | wrong, late      ^   |                    |  ^            |
//!     '--------------------------'                  |   '--- logout, idle,   |  '- question  |
//!     '---------------------------------------------|----    BREAK, hang-up  |               |
//!                                                   '------------------------+---------------'
//! ```

mod answers;
mod help;
mod keeper;
mod login;
mod screen;
#[cfg(test)]
mod tests;

pub use answers::{block_line, read_block_line};
pub use keeper::Keeper;
pub use login::LOGIN_MINUTES;
pub use screen::{QUEUE, Screen};

use super::audit::Kind;
use super::command::{Command, Operator, Role};
use super::control::{ConsoleNote, Request};
use super::editor::{Edit, Editor};
use super::grammar::{self, Local, Terminal, Typed};
use super::page::{Style, report_json, report_lines};
use super::plain::Charset;
use super::report::{Code, Report, Row};
use super::store::Store;
use crate::base::time::{Moment, SharedClock};
use login::{Asked, Login};
use std::collections::VecDeque;
use std::time::Duration;

/// Bytes that may be typed ahead while a command runs.
const AHEAD: usize = 1024;
/// A command that was stopped reports within this time, or the connection is given up.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// Lines of the terminal.
const PAGE: u16 = 24;

/// What the console wants of the booth.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Run this; [`Console::told`] or [`Console::booth_lost`] follow.
    Run(Request),
    /// Stop the command.
    Stop(u64),
    /// The choice of its question.
    Choose(u64, usize),
    /// For the heartbeat.
    Note(ConsoleNote),
    /// Close the connection: maintenance ends with it.
    HangUp,
}

/// A command that runs.
#[derive(Debug)]
struct Run {
    id: u64,
    json: bool,
    /// `q` stops it.
    live: bool,
    command: Command,
    told: Vec<Row>,
    stopped: Option<Moment>,
}

#[derive(Debug)]
enum Mode {
    Prompt,
    Code(Asked),
    Running(Run),
    Question(Run, Vec<String>),
}

/// The console.
#[derive(Debug)]
pub struct Console<S> {
    keeper: Keeper<S>,
    clock: SharedClock,
    screen: Screen,
    editor: Editor,
    style: Style,
    length: u16,
    login: Option<Login>,
    mode: Mode,
    maintenance: bool,
    wishes: VecDeque<Wish>,
    ahead: VecDeque<u8>,
    prompt_due: bool,
    next_id: u64,
    typed_at: Moment,
    last: Code,
    left: bool,
}

impl<S: Store> Console<S> {
    /// A console that greets.
    pub fn new(keeper: Keeper<S>, clock: SharedClock) -> Self {
        let mut console = Self {
            typed_at: clock.now(),
            keeper,
            clock,
            screen: Screen::default(),
            editor: Editor::default(),
            style: Style::default(),
            length: PAGE,
            login: None,
            mode: Mode::Prompt,
            maintenance: false,
            wishes: VecDeque::new(),
            ahead: VecDeque::new(),
            prompt_due: false,
            next_id: 0,
            last: Code::Ok,
            left: false,
        };
        console.keeper.started();
        console.greet();
        console
    }

    /// A batch of a script has no pages and greets nobody.
    pub fn batch(&mut self) {
        self.screen.clear();
        self.length = 0;
        self.prompt();
    }

    /// Bytes came from the terminal.
    pub fn received(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.typed_at = self.clock.now();
            if self.screen.is_more() {
                self.screen.more_key(*byte);
            } else if let Mode::Running(run) = &self.mode {
                if *byte == 3 || run.live && matches!(byte, b'q' | b'Q') {
                    self.stop();
                } else if self.ahead.len() < AHEAD {
                    self.ahead.push_back(*byte);
                } else {
                    self.screen.write(&[7]);
                }
            } else if self.prompt_due || !self.ahead.is_empty() {
                if self.ahead.len() < AHEAD {
                    self.ahead.push_back(*byte);
                }
            } else {
                self.edit(*byte);
            }
        }
        self.settle();
    }

    /// Time has passed.
    pub fn tick(&mut self) {
        let now = self.clock.now();
        if let Mode::Running(run) | Mode::Question(run, _) = &self.mode
            && run.stopped.is_some_and(|at| now.since(at) > STOP_WITHIN)
        {
            self.wishes.push_back(Wish::HangUp);
            self.booth_lost("it did not stop within ten seconds", Code::TimedOut);
        }
        self.tick_login(now);
        self.settle();
    }

    /// Moves on what can move: lines to the queue, the prompt behind them, what was typed ahead to the editor.
    fn settle(&mut self) {
        self.screen.pump();
        while self.prompt_due && self.screen.is_told() {
            self.prompt_due = false;
            let mut out = Vec::new();
            let (prompt, command) = self.prompt_text();
            self.editor.begin(&prompt, command, &mut out);
            self.screen.write(&out);
            while !self.prompt_due && !matches!(self.mode, Mode::Running(_)) {
                let Some(byte) = self.ahead.pop_front() else {
                    break;
                };
                self.edit(byte);
            }
        }
    }

    /// What is ready for the terminal.
    pub fn output(&mut self) -> &[u8] {
        self.screen.ready()
    }

    /// The terminal took so many bytes.
    pub fn taken(&mut self, bytes: usize) {
        self.screen.taken(bytes);
        self.settle();
    }

    /// Nobody has read for long: what waits is thrown away. Gives how many bytes.
    pub fn unread(&mut self) -> usize {
        let bytes = self.screen.clear();
        self.settle();
        bytes
    }

    /// Whether answers of the booth are to wait until the terminal has read. Those of a live command do not: what finds no room is
    /// skipped.
    pub fn is_behind(&self) -> bool {
        let live = matches!(&self.mode, Mode::Running(run) if run.live);
        !live && self.screen.is_behind()
    }

    /// Whether nothing runs and all is told: a script's end may be taken for the end.
    pub fn is_idle(&self) -> bool {
        let runs = matches!(self.mode, Mode::Running(_));
        !runs && !self.prompt_due && self.ahead.is_empty() && self.screen.is_told()
    }

    /// Ctrl-D was typed by somebody who is not logged in: on standard input it is the end.
    pub fn is_left(&self) -> bool {
        self.left
    }

    /// How the newest command ended.
    pub fn last(&self) -> Code {
        self.last
    }

    /// What is wanted of the booth, one after the other.
    pub fn wish(&mut self) -> Option<Wish> {
        self.wishes.pop_front()
    }

    fn edit(&mut self, byte: u8) {
        let mut out = Vec::new();
        let edit = self.editor.byte(byte, &mut out);
        self.screen.write(&out);
        match edit {
            None => {}
            Some(Edit::Line(line)) => self.line(&line),
            Some(Edit::TooLong) => {
                let report = Report::refusal(Code::TooLong, "a line has at most 256 bytes", "");
                self.ended(&report, false, &[]);
            }
            Some(Edit::Interrupt) => self.interrupted(),
            Some(Edit::End) if self.login.is_some() && matches!(self.mode, Mode::Prompt) => {
                self.line("logout");
            }
            Some(Edit::End) => self.left = self.login.is_none(),
            Some(Edit::Help(before)) => self.help_at(&before),
            Some(Edit::Complete(before)) => self.complete_at(&before),
        }
    }

    fn interrupted(&mut self) {
        match std::mem::replace(&mut self.mode, Mode::Prompt) {
            Mode::Question(run, _) => {
                self.mode = Mode::Running(run);
                return self.stop();
            }
            Mode::Code(_) => {
                self.keep(Kind::Result, "no code");
            }
            Mode::Prompt | Mode::Running(_) => {}
        }
        self.prompt();
    }

    fn line(&mut self, line: &str) {
        match std::mem::replace(&mut self.mode, Mode::Prompt) {
            Mode::Code(asked) => self.code_typed(asked, line),
            Mode::Question(run, choices) => self.chosen(run, choices, line),
            Mode::Prompt | Mode::Running(_) => self.command_typed(line),
        }
    }

    fn command_typed(&mut self, line: &str) {
        let parsed = grammar::parse(line);
        if parsed == Ok(None) {
            return self.prompt();
        }
        self.editor.remember(line.trim());
        let kept = self.keep(Kind::Typed, line.trim());
        match parsed {
            Ok(None) => {}
            Err(mistake) => {
                let report = help::mistake_report(&mistake);
                self.ended(&report, line.contains("--json"), &[]);
            }
            Ok(Some(found)) => {
                if let Some(refusal) = self.refusal(&found.typed, kept) {
                    return self.ended(&refusal, found.json, &[]);
                }
                match found.typed {
                    Typed::Booth(command) => self.run(command, found.json),
                    Typed::Local(local) => self.local(local, found.json),
                }
            }
        }
    }

    /// Why a command is not run here, if so.
    fn refusal(&self, typed: &Typed, kept: bool) -> Option<Report> {
        let needed = typed.role()?;
        let Some(login) = &self.login else {
            return Some(Report::refusal(
                Code::Login,
                "nobody is logged in",
                "`login ROLE WORK-ORDER`, with a code from the desk",
            ));
        };
        if login.role < needed {
            return Some(Report::refusal(
                Code::Role,
                format!(
                    "role `{}` does not allow this, `{}` does",
                    login.role.word(),
                    needed.word()
                ),
                format!("`logout`, then `login {} WORK-ORDER`", needed.word()),
            ));
        }
        (!kept && needed > Role::View).then(|| {
            Report::refusal(
                Code::Failed,
                "the audit log cannot be written: only view commands are run",
                "the memory card may be broken: `show health`",
            )
        })
    }

    fn run(&mut self, command: Command, json: bool) {
        let Some(login) = &self.login else {
            return self.prompt();
        };
        self.next_id += 1;
        let request = Request {
            id: self.next_id,
            command: command.clone(),
            operator: Operator {
                role: login.role,
                work_order: login.work_order.clone(),
            },
        };
        let live = matches!(command, Command::CameraLive | Command::MicrophoneVu);
        self.mode = Mode::Running(Run {
            id: self.next_id,
            json,
            live,
            command,
            told: Vec::new(),
            stopped: None,
        });
        self.screen.new_page(0);
        self.wishes.push_back(Wish::Run(request));
    }

    fn local(&mut self, local: Local, json: bool) {
        match local {
            Local::Help => {
                let report = help::report(self.login.as_ref().map(|l| l.role));
                self.ended(&report, json, &[]);
            }
            Local::Login { role, work_order } => self.login_asked(role, work_order, json),
            Local::Logout => self.logout("logout"),
            Local::Audit => {
                let report = self.keeper.audit_report();
                self.ended(&report, json, &[]);
            }
            Local::Terminal(terminal) => {
                let report = self.terminal(terminal);
                self.ended(&report, json, &[]);
            }
        }
    }

    fn terminal(&mut self, terminal: Terminal) -> Report {
        match terminal {
            Terminal::Utf8(utf8) => {
                self.style.charset = if utf8 { Charset::Utf8 } else { Charset::Ascii };
                self.style.chinese &= utf8;
            }
            Terminal::Chinese(true) if self.style.charset == Charset::Ascii => {
                return Report::refusal(
                    Code::Argument,
                    "Chinese cannot be shown in ASCII",
                    "`terminal charset utf-8` first",
                );
            }
            Terminal::Chinese(chinese) => self.style.chinese = chinese,
            Terminal::Color(color) => self.style.color = color,
            Terminal::Length(lines) => self.length = lines,
        }
        self.screen.ask_for_more(self.style.say(screen::MORE));
        Report::new("terminal set", Code::Ok)
    }

    /// Lines of the console's own, in its language.
    fn say<'a>(&mut self, lines: impl IntoIterator<Item = &'a str>) {
        let style = self.style;
        self.screen
            .lines(lines.into_iter().map(|line| style.say(line)));
    }

    /// A command has ended: its report, and the prompt.
    fn ended(&mut self, report: &Report, json: bool, told: &[Row]) {
        self.mode = Mode::Prompt;
        let code = report.code;
        self.last = code;
        self.keep(Kind::Result, &format!("{} {}", code.number(), code.word()));
        self.screen.new_page(usize::from(self.length));
        if json {
            self.screen.lines([report_json(report, self.style.charset)]);
        } else {
            self.screen.lines(report_lines(report, told, self.style));
        }
        self.prompt();
    }

    fn prompt(&mut self) {
        self.prompt_due = true;
    }

    fn prompt_text(&self) -> (String, bool) {
        match &self.mode {
            Mode::Code(_) => ("code: ".to_owned(), false),
            Mode::Question(_, choices) => (format!("1-{}> ", choices.len().max(1)), false),
            Mode::Prompt | Mode::Running(_) => {
                let booth: String = self.keeper.booth().as_str().chars().take(12).collect();
                let role = self.login.as_ref().map_or("", |l| l.role.word());
                let prompt = match (role, self.maintenance) {
                    ("", _) => format!("{booth}> "),
                    (role, false) => format!("{booth} {role}> "),
                    (role, true) => format!("{booth} {role} maint> "),
                };
                (prompt, true)
            }
        }
    }
}
