//! What outlives the console's process: the key of the codes, the lock, the audit log, and how the last login ended.

use super::login::Login;
use crate::base::ids::BoothId;
use crate::base::time::{Moment, SharedClock};
use crate::technician::audit::{Audit, Kind};
use crate::technician::control::ConsoleNote;
use crate::technician::lockout::Lockout;
use crate::technician::report::{Body, Code, Report, Row, Verdict};
use crate::technician::store::Store;
use crate::trust::codes::{Challenge, ClosingClaims, CodeKey};

/// Lines of somebody who is not logged in that are kept at once; one more each minute. A flood must not push out what was kept.
const STRANGER_LINES: u32 = 30;
/// Lines that `show audit` shows.
const AUDIT_SHOWN: usize = 40;

/// What the desk is told when a login has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Closing {
    pub(super) work_order: String,
    pub(super) how: String,
    lines: u64,
    head: String,
    code: String,
}

impl Closing {
    /// The line that the technician reads to the desk.
    pub(super) fn line(&self) -> String {
        format!(
            "work order {}  audit {} {}  closing code {}",
            self.work_order, self.lines, self.head, self.code
        )
    }
}

/// What outlives the process: key, lock, audit log.
#[derive(Debug)]
pub struct Keeper<S> {
    pub(super) booth: BoothId,
    pub(super) key: CodeKey,
    pub(super) lock: Lockout<S>,
    audit: Audit<S>,
    clock: SharedClock,
    pub(super) closing: Option<Closing>,
    stranger_lines: u32,
    stranger_since: Moment,
    not_kept: u64,
}

impl<S: Store> Keeper<S> {
    /// Puts them together.
    pub fn new(
        booth: BoothId,
        key: CodeKey,
        lock: Lockout<S>,
        audit: Audit<S>,
        clock: SharedClock,
    ) -> Self {
        Self {
            booth,
            key,
            lock,
            audit,
            stranger_since: clock.now(),
            clock,
            closing: None,
            stranger_lines: STRANGER_LINES,
            not_kept: 0,
        }
    }

    /// Which booth.
    pub fn booth(&self) -> &BoothId {
        &self.booth
    }

    /// The console starts. How the last login ended is known again, with its closing code; one that a power cut ended is closed now.
    pub(super) fn started(&mut self) {
        self.note_audit(Kind::Start, "", env!("CARGO_PKG_VERSION"));
        let Ok(checked) = self.audit.check() else {
            return;
        };
        let Some(at) = checked.entries.iter().rposition(|e| e.kind == Kind::Login) else {
            return;
        };
        let words: Vec<&str> = checked.entries[at].text.split(' ').collect();
        let [_role, work_order, challenge] = words[..] else {
            return;
        };
        let Some(challenge) = Challenge::typed(challenge) else {
            return;
        };
        let logout = (at..checked.entries.len()).find(|i| checked.entries[*i].kind == Kind::Logout);
        match logout.and_then(|i| Some((&checked.entries[i], checked.heads.get(i)?))) {
            Some((entry, head)) => {
                let closing = self.closing_of(&challenge, work_order, &entry.text, entry.seq, head);
                self.closing = Some(closing);
            }
            None => self.close(&challenge, work_order, "the console was started again"),
        }
    }

    /// What the audit log holds.
    #[cfg(test)]
    pub(super) fn audit_entries(&self) -> Vec<crate::technician::audit::Entry> {
        self.audit
            .check()
            .expect("a store that can be read")
            .entries
    }

    /// Adds a line to the audit log; whether it is kept.
    pub(super) fn note_audit(&mut self, kind: Kind, who: &str, text: &str) -> bool {
        let (wall, now) = (self.clock.wall(), self.clock.now());
        match self.audit.add(kind, who, text, wall, now) {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "the audit log cannot be written");
                false
            }
        }
    }

    /// A line of somebody who is not logged in: at most so many are kept.
    pub(super) fn note_stranger(&mut self, kind: Kind, text: &str) {
        let now = self.clock.now();
        let minutes =
            u32::try_from(now.since(self.stranger_since).as_secs() / 60).unwrap_or(u32::MAX);
        if minutes > 0 {
            self.stranger_since = now;
            self.stranger_lines = self
                .stranger_lines
                .saturating_add(minutes)
                .min(STRANGER_LINES);
        }
        if self.stranger_lines == 0 {
            self.not_kept += 1;
            return;
        }
        self.stranger_lines -= 1;
        let more = std::mem::take(&mut self.not_kept);
        let text = if more > 0 {
            format!("{text} (before it {more} lines not kept)")
        } else {
            text.to_owned()
        };
        self.note_audit(kind, "", &text);
    }

    pub(super) fn close(&mut self, challenge: &Challenge, work_order: &str, how: &str) {
        self.note_audit(Kind::Logout, work_order, how);
        let closing = self.closing_of(
            challenge,
            work_order,
            how,
            self.audit.lines(),
            &self.audit.head(),
        );
        self.closing = Some(closing);
    }

    /// What the desk is told of a logout that stands in this line of the audit log.
    fn closing_of(
        &self,
        challenge: &Challenge,
        work_order: &str,
        how: &str,
        lines: u64,
        head: &str,
    ) -> Closing {
        let head = head.get(..8).unwrap_or_default().to_owned();
        let claims = ClosingClaims {
            booth: &self.booth,
            challenge,
            work_order,
            audit_lines: lines,
            audit_head: &head,
        };
        let code = self.key.closing_code(&claims).to_string();
        Closing {
            work_order: work_order.to_owned(),
            how: how.to_owned(),
            lines,
            head,
            code,
        }
    }

    pub(super) fn note(&self, login: Option<&Login>) -> ConsoleNote {
        ConsoleNote {
            audit_lines: self.audit.lines(),
            audit_head: self.audit.head(),
            wrong_codes: self.lock.tries(),
            locked_s: self.lock.left(self.clock.now()).as_secs(),
            login: login.map(|l| (l.role, l.work_order.clone())),
        }
    }

    /// `show audit`: the newest lines, and whether the chain holds.
    pub(super) fn audit_report(&self) -> Report {
        let checked = match self.audit.check() {
            Ok(checked) => checked,
            Err(error) => {
                return Report::refusal(
                    Code::Failed,
                    format!("the audit log cannot be read: {error}"),
                    "the memory card may be broken",
                );
            }
        };
        let verdict = if checked.wrong.is_empty() {
            Verdict::Ok
        } else {
            Verdict::Fail
        };
        let first = checked.entries.first().map_or(0, |e| e.seq);
        let rows = vec![
            Row::told(
                "lines ever",
                i64::try_from(self.audit.lines()).unwrap_or(i64::MAX),
                "",
            ),
            Row::told(
                "oldest line kept",
                i64::try_from(first).unwrap_or(i64::MAX),
                "",
            ),
            Row::measured(
                "chain",
                if checked.wrong.is_empty() {
                    "holds".to_owned()
                } else {
                    checked.wrong.join("; ")
                },
                "",
                "",
                verdict,
                "tell the desk: somebody or something has changed the log",
            ),
        ];
        let from = checked.entries.len().saturating_sub(AUDIT_SHOWN);
        let cells = checked.entries[from..]
            .iter()
            .map(|e| {
                let kind = serde_json::to_value(e.kind).ok();
                let kind = kind
                    .as_ref()
                    .and_then(|k| k.as_str())
                    .unwrap_or_default()
                    .to_owned();
                let at = e.at.get(..19).unwrap_or(&e.at).to_owned();
                let who = if e.who.is_empty() { "-" } else { &e.who };
                vec![
                    e.seq.to_string(),
                    at,
                    kind,
                    // Never a text of the console's own: it is shown as it was typed.
                    format!("{who} {}", e.text).trim().to_owned(),
                ]
            })
            .collect();
        let columns = ["line", "time (UTC)", "kind", "who, text"]
            .map(str::to_owned)
            .to_vec();
        let head = format!("head {}", self.audit.head());
        Report::of_rows("audit log of this console", rows)
            .with("", Body::Lines(vec![head]))
            .with(
                "newest lines",
                Body::Table {
                    columns,
                    rows: cells,
                },
            )
    }
}
