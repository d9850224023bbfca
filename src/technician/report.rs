//! What comes back from a command: numbers with units, limits, verdicts and mends; tables; plain lines; and one result code for scripts.
//! Rendered for a terminal by [`super::page`], or given as JSON.

use serde::{Deserialize, Serialize};

/// What is said of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Within its limit.
    Ok,
    /// It could not be measured; never counted as good.
    NotTested,
    /// Within its limit, not for long.
    Warn,
    /// Beyond its limit.
    Fail,
}

impl Verdict {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotTested => "not tested",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

/// A measured value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A count.
    Whole(i64),
    /// A measured number; shown with at most four significant digits.
    Real(f64),
    /// A word or text.
    Text(String),
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Whole(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

/// One item: what, how much, of what unit, against which limit, with which verdict, and what mends it. Empty texts are not shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The item, as `camera.fps` or `room on disk`.
    pub item: String,
    /// What was measured; absent if nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Its unit, as `ms`, `lx`, `%`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// The limit in words, as `>= 24`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub limit: String,
    /// The verdict; absent for what is only told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What the technician does about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mend: String,
}

impl Row {
    /// Something that is only told.
    pub fn told(item: impl Into<String>, value: impl Into<Value>, unit: &str) -> Self {
        Self {
            item: item.into(),
            value: Some(value.into()),
            unit: unit.to_owned(),
            limit: String::new(),
            verdict: None,
            mend: String::new(),
        }
    }

    /// Something that was measured against a limit.
    pub fn measured(
        item: impl Into<String>,
        value: impl Into<Value>,
        unit: &str,
        limit: impl Into<String>,
        verdict: Verdict,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            limit: limit.into(),
            verdict: Some(verdict),
            mend: mend.into(),
            ..Self::told(item, value, unit)
        }
    }

    /// Something that could not be tested, and why not.
    pub fn not_tested(item: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            verdict: Some(Verdict::NotTested),
            ..Self::told(item, why.into(), "")
        }
    }
}

/// What a section holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Items under each other.
    Rows(Vec<Row>),
    /// Cells in columns; each row has as many cells as there are columns.
    Table {
        /// Heads.
        columns: Vec<String>,
        /// Cells.
        rows: Vec<Vec<String>>,
    },
    /// Lines as they are.
    Lines(Vec<String>),
}

/// A part of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Its head; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What it holds.
    pub body: Body,
}

super::command::words! {
    /// How a command ended. The numbers are for scripts and never change; the words are for people.
    Code {
        Ok = "ok", "done, and all is well";
        Warn = "warn", "done; something needs attention soon";
        Fail = "fail", "a test failed, or something is wrong now";
        NotTested = "not_tested", "something could not be tested, and nothing failed";
        Stopped = "stopped", "stopped by the operator";
        Syntax = "syntax", "not a command";
        Ambiguous = "ambiguous", "an abbreviation of several words";
        Argument = "argument", "a word, number or id that is not allowed there";
        TooLong = "too_long", "a line of more than 256 bytes";
        Login = "login", "login first";
        Role = "role", "the login's role does not allow it";
        Refused = "refused", "wrong code";
        Locked = "locked", "locked after wrong codes";
        Session = "session", "a customer's session runs; only view commands are allowed";
        Maintenance = "maintenance", "`maintenance enter` first";
        NotFound = "not_found", "no such thing is known";
        NotBuilt = "not_built", "not built in this version";
        Busy = "busy", "another command runs";
        BoothDown = "booth_down", "the booth's service does not answer";
        TimedOut = "timed_out", "did not end in time";
        Failed = "failed", "the command itself failed, not what it tests";
    }
}

impl Code {
    /// The number for scripts.
    pub const fn number(self) -> u16 {
        match self {
            Self::Ok => 0,
            Self::Warn => 1,
            Self::Fail => 2,
            Self::NotTested => 3,
            Self::Stopped => 4,
            Self::Syntax => 10,
            Self::Ambiguous => 11,
            Self::Argument => 12,
            Self::TooLong => 13,
            Self::Login => 20,
            Self::Role => 21,
            Self::Refused => 22,
            Self::Locked => 23,
            Self::Session => 30,
            Self::Maintenance => 31,
            Self::NotFound => 40,
            Self::NotBuilt => 41,
            Self::Busy => 42,
            Self::BoothDown => 50,
            Self::TimedOut => 51,
            Self::Failed => 52,
        }
    }

    /// The code of what came out of tests: the worst of them. Without any: `Ok`.
    pub fn of(verdicts: impl IntoIterator<Item = Verdict>) -> Self {
        match verdicts.into_iter().max() {
            None | Some(Verdict::Ok) => Self::Ok,
            Some(Verdict::NotTested) => Self::NotTested,
            Some(Verdict::Warn) => Self::Warn,
            Some(Verdict::Fail) => Self::Fail,
        }
    }
}

/// The whole answer of a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// One line.
    pub title: String,
    /// Its parts in order.
    #[serde(default)]
    pub sections: Vec<Section>,
    /// What to do next, if anything.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub next: String,
    /// How it ended.
    pub code: Code,
}

impl Report {
    /// A report without sections.
    pub fn new(title: impl Into<String>, code: Code) -> Self {
        Self {
            title: title.into(),
            sections: Vec::new(),
            next: String::new(),
            code,
        }
    }

    /// A report of rows; its code is the worst verdict.
    pub fn of_rows(title: impl Into<String>, rows: Vec<Row>) -> Self {
        let code = Code::of(rows.iter().filter_map(|r| r.verdict));
        Self::new(title, code).with("", Body::Rows(rows))
    }

    /// A refusal: what is wrong, and the mend.
    pub fn refusal(code: Code, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            next: mend.into(),
            ..Self::new(what, code)
        }
    }

    /// With one more section.
    #[must_use]
    pub fn with(mut self, title: impl Into<String>, body: Body) -> Self {
        self.sections.push(Section {
            title: title.into(),
            body,
        });
        self
    }
}
