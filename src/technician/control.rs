//! Between `run`, which has the booth, and `console`, which has the technician's line: the control socket.
//!
//! A unix socket (mode 0660; the peer's user is asked of the kernel), one JSON object a line, at most 64 KiB a line. The client says
//! hello with a version first. One command runs at a time on a connection; its answers carry its number, and the last is its report.
//!
//! ```text
//! > {"hello":{"protocol":"boothd-control","version":1}}   < {"hello":{"version":1,"booth":"BOOTH-0001","software":"0.1.0"}}
//! > {"run":{"id":7,"command":{"test":"lights"},"operator":{"role":"service","work_order":"WO-1"}}}
//!                                                         < {"progress":{"id":7,"text":"left side on","done":1,"of":4}}
//!                                                         < {"row":{"id":7,"row":{"item":"left","value":141.2,...}}}
//!                                                         < {"live":{"id":7,"sections":[..]}}        once a second
//!                                                         < {"ask":{"id":7,"question":"..","choices":["yes","no"]}}
//! > {"choose":{"id":7,"choice":0}}
//! > {"stop":{"id":7}}                                     < {"block":{"id":7,"sha256":"..","first":0,"of":90,"base64":".."}}
//!                                                         < {"report":{"id":7,"report":{..}}}        always, once, last
//! > {"note":{..}}        what the console tells of itself; no answer
//! ```
//! Whoever does not keep to it gets `{"error":{"text":".."}}` and the connection ends.

mod client;
mod server;
#[cfg(test)]
mod tests;

pub use client::{ControlClient, ControlError, Heard};
pub use server::ControlServer;

use super::command::{Command, Operator, Role, WorkOrder};
use super::report::{Report, Row, Section};
use crate::base::ids::BoothId;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The protocol's name in the hello.
pub const PROTOCOL: &str = "boothd-control";
/// The protocol's version.
pub const VERSION: u32 = 1;
/// Longest line either way, in bytes.
pub const MAX_LINE: usize = 64 * 1024;
/// Bytes of a bundle in one block, which is one line on the technician's terminal.
pub const BLOCK: usize = 45;

/// Where the socket is and who may use it (`[control]` of `boothd.toml`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlConfig {
    /// The socket; its folder must exist.
    pub socket: PathBuf,
    /// The users (by number) that may connect beside the service's own. Default none.
    #[serde(default)]
    pub allowed_uids: Vec<u32>,
    /// The users (by name) that may connect, as `boothd-console`. A name that the machine does not know is nobody. Default none.
    #[serde(default)]
    pub allowed_users: Vec<String>,
}

/// From the console.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// The first line.
    Hello {
        /// [`PROTOCOL`].
        protocol: String,
        /// [`VERSION`].
        version: u32,
    },
    /// Run a command.
    Run(Request),
    /// The choice of the question that was asked last, counted from 0.
    Choose {
        /// The command's number.
        id: u64,
        /// Which.
        choice: usize,
    },
    /// Stop the command.
    Stop {
        /// Its number.
        id: u64,
    },
    /// What the console tells of itself.
    Note(ConsoleNote),
}

/// A command, who asks, and the number that its answers will carry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The number.
    pub id: u64,
    /// What.
    pub command: Command,
    /// Who.
    pub operator: Operator,
}

/// What the console tells of itself, at every change: for the heartbeat, and for a fault while it is locked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsoleNote {
    /// Lines in the audit log since the booth was made.
    pub audit_lines: u64,
    /// Hash of its newest line, 64 hexadecimal digits: whoever cuts its tail off is found by it.
    pub audit_head: String,
    /// Wrong codes since the last good one.
    pub wrong_codes: u32,
    /// For so long no code is taken, in seconds; 0: not locked.
    pub locked_s: u64,
    /// Who is logged in.
    pub login: Option<(Role, WorkOrder)>,
}

/// From the booth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Tell {
    /// Answer to the hello.
    Hello {
        /// [`VERSION`].
        version: u32,
        /// Which booth.
        booth: BoothId,
        /// The version of the service.
        software: String,
    },
    /// How far a command is.
    Progress {
        /// The command's number.
        id: u64,
        /// What it does now.
        text: String,
        /// Steps that are done.
        done: u32,
        /// Steps in all; 0: nobody knows.
        of: u32,
    },
    /// A row of the report, told as soon as it is known. It stands in the report again.
    Row {
        /// The command's number.
        id: u64,
        /// The row.
        row: Row,
    },
    /// What is seen now; takes the place of the one before.
    Live {
        /// The command's number.
        id: u64,
        /// What is seen.
        sections: Vec<Section>,
    },
    /// A question.
    Question {
        /// The command's number.
        id: u64,
        /// The question.
        question: String,
        /// What may be answered, at most nine words.
        choices: Vec<String>,
    },
    /// Blocks of a bundle, each [`BLOCK`] bytes but for the bundle's last.
    Blocks {
        /// The command's number.
        id: u64,
        /// Hash of the whole bundle, 64 hexadecimal digits.
        sha256: String,
        /// Number of the first of them.
        first: u32,
        /// Blocks of the whole bundle.
        of: u32,
        /// Their bytes.
        base64: String,
    },
    /// The answer; the command has ended.
    Report {
        /// The command's number.
        id: u64,
        /// The report.
        report: Report,
    },
    /// The connection ends.
    Error {
        /// Why.
        text: String,
    },
}

/// Whether a command is to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Go {
    /// It is.
    On,
    /// The operator stopped it, or is gone: it cleans up and reports [`super::report::Code::Stopped`].
    Stop,
}

/// Where a command's answers go while it runs. None of the methods waits for the technician's line, but [`Answers::choose`].
pub trait Answers {
    /// How far it is: `done` of `of` steps; `of` 0: nobody knows.
    fn progress(&mut self, text: &str, done: u32, of: u32) -> Go;
    /// A row as soon as it is known; it stands in the report again.
    fn row(&mut self, row: &Row) -> Go;
    /// What is seen now; called about once a second.
    fn live(&mut self, sections: &[Section]) -> Go;
    /// Asks, and waits for the choice (counted from 0) for at most five minutes. None: stopped, gone, or no answer.
    fn choose(&mut self, question: &str, choices: &[&str]) -> Option<usize>;
    /// A bundle from this block on ([`BLOCK`] bytes each).
    fn bundle(&mut self, bytes: &[u8], from_block: u32) -> Go;
    /// Whether it is to go on; for loops that tell nothing.
    fn go(&mut self) -> Go;
}

/// What the booth is doing, as far as commands are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occupation {
    /// Nobody is there.
    Idle,
    /// A customer's session runs.
    Session,
}

/// The booth behind the socket. Called from a thread of each connection, so several at a time.
pub trait Booth: Send + Sync {
    /// Its name.
    fn id(&self) -> &BoothId;
    /// Whether a customer's session runs now.
    fn occupation(&self) -> Occupation;
    /// Runs a command. Role, maintenance and occupation were looked at by the server, except for `maintenance enter`, which waits or
    /// refuses by itself ([`super::report::Code::Session`]) and is refused as `Busy` when another connection has it.
    fn run(&self, request: &Request, answers: &mut dyn Answers) -> Report;
    /// The connection that has entered maintenance is gone: customers may come.
    fn leave_maintenance(&self);
    /// What the console tells of itself.
    fn note(&self, note: &ConsoleNote);
}
