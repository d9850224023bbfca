//! Login, its end, the lock, and the audit log.

use super::{Console, Mode, Wish};
use crate::base::ids::BoothId;
use crate::base::time::{Moment, SharedClock};
use crate::technician::audit::{Audit, Kind};
use crate::technician::command::{Command, Role, Topic, WorkOrder};
use crate::technician::control::ConsoleNote;
use crate::technician::lockout::Lockout;
use crate::technician::report::{Body, Code, Report, Row, Verdict};
use crate::technician::store::Store;
use crate::trust::codes::{Challenge, ClosingClaims, Code as TypedCode, CodeKey, LoginClaims};
use crate::trust::random_bytes;
use std::time::Duration;

/// A challenge is good for so long.
const CODE_WITHIN: Duration = Duration::from_secs(30 * 60);
/// A login ends when nothing was typed for so long,
const IDLE: Duration = Duration::from_secs(10 * 60);
/// and after so long whatever is typed.
pub const LOGIN_MINUTES: u32 = 60;
/// Lines of somebody who is not logged in that are kept at once; one more each minute. A flood must not push out what was kept.
const STRANGER_LINES: u32 = 30;
/// Lines that `show audit` shows.
const AUDIT_SHOWN: usize = 40;

/// A challenge that waits for its code.
#[derive(Debug)]
pub(super) struct Asked {
    role: Role,
    work_order: WorkOrder,
    challenge: Challenge,
    since: Moment,
}

/// Who is logged in.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) role: Role,
    pub(super) work_order: WorkOrder,
    challenge: Challenge,
    since: Moment,
}

/// What the desk is told when a login has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Closing {
    work_order: String,
    how: String,
    lines: u64,
    head: String,
    code: String,
}

/// What outlives the process: key, lock, audit log.
#[derive(Debug)]
pub struct Keeper<S> {
    booth: BoothId,
    key: CodeKey,
    lock: Lockout<S>,
    audit: Audit<S>,
    clock: SharedClock,
    closing: Option<Closing>,
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
    fn note_stranger(&mut self, kind: Kind, text: &str) {
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

    fn close(&mut self, challenge: &Challenge, work_order: &str, how: &str) {
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

    fn note(&self, login: Option<&Login>) -> ConsoleNote {
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
                vec![
                    e.seq.to_string(),
                    at,
                    kind,
                    format!("{} {}", e.who, e.text).trim().to_owned(),
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

impl<S: Store> Console<S> {
    pub(super) fn greet(&mut self) {
        let booth = self.keeper.booth.clone();
        let mut lines = vec![
            String::new(),
            format!(
                "boothd {}  booth {}  {}",
                env!("CARGO_PKG_VERSION"),
                booth.as_str(),
                self.say("technician's console", "技术员控制台")
            ),
            self.say(
                "Every line typed here is recorded. `login ROLE WORK-ORDER`, or `help`.",
                "此处输入的每一行都会被记录。`login ROLE WORK-ORDER` 或 `help`。",
            )
            .to_owned(),
        ];
        if let Some(closing) = &self.keeper.closing {
            lines.push(format!(
                "last login {} ended: {}",
                closing.work_order, closing.how
            ));
            lines.push(closing_line(closing));
        }
        let left = self.keeper.lock.left(self.clock.now());
        if !left.is_zero() {
            lines.push(format!(
                "locked after {} wrong codes for {} s more",
                self.keeper.lock.tries(),
                left.as_secs() + 1
            ));
        }
        let shown = lines
            .iter()
            .map(|l| crate::technician::plain::plain(l, self.style.charset))
            .collect::<Vec<_>>();
        self.screen.lines(shown);
        self.prompt();
    }

    pub(super) fn keep(&mut self, kind: Kind, text: &str) -> bool {
        match &self.login {
            Some(login) => {
                let who = format!("{} {}", login.role.word(), login.work_order.as_str());
                self.keeper.note_audit(kind, &who, text)
            }
            None => {
                self.keeper.note_stranger(kind, text);
                true
            }
        }
    }

    pub(super) fn login_asked(&mut self, role: Role, work_order: WorkOrder, json: bool) {
        if self.login.is_some() {
            let report = Report::refusal(Code::Busy, "somebody is logged in", "`logout` first");
            return self.ended(&report, json, &[]);
        }
        if let Some(report) = self.locked() {
            return self.ended(&report, json, &[]);
        }
        let challenge = match random_bytes() {
            Ok(bits) => Challenge::from_bits(bits),
            Err(error) => {
                let report = Report::refusal(Code::Failed, error.to_string(), "");
                return self.ended(&report, json, &[]);
            }
        };
        let booth = self.keeper.booth.as_str().to_owned();
        self.keeper.note_stranger(
            Kind::Challenge,
            &format!("{} {} {challenge}", role.word(), work_order.as_str()),
        );
        self.screen.new_page(0);
        self.screen.lines([
            format!(
                "booth {booth}  role {}  work order {}",
                role.word(),
                work_order.as_str()
            ),
            format!("challenge {challenge}  good for 30 minutes and one try"),
            self.say(
                "Give these four to the desk; type the code it answers (Ctrl-C: none).",
                "请把以上四项告诉调度台，然后输入其回复的代码（Ctrl-C：没有）。",
            )
            .to_owned(),
        ]);
        self.mode = Mode::Code(Asked {
            role,
            work_order,
            challenge,
            since: self.clock.now(),
        });
        self.prompt();
    }

    fn locked(&self) -> Option<Report> {
        let left = self.keeper.lock.left(self.clock.now());
        (!left.is_zero()).then(|| {
            Report::refusal(
                Code::Locked,
                format!("locked after {} wrong codes", self.keeper.lock.tries()),
                format!(
                    "wait {} s; a restart of the machine begins the wait anew",
                    left.as_secs() + 1
                ),
            )
        })
    }

    pub(super) fn code_typed(&mut self, asked: Asked, line: &str) {
        if line.trim().is_empty() {
            let report = Report::refusal(
                Code::Stopped,
                "no code",
                "`login` again when the desk has one",
            );
            return self.ended(&report, false, &[]);
        }
        let now = self.clock.now();
        if now.since(asked.since) > CODE_WITHIN {
            let report = Report::refusal(
                Code::Refused,
                "the challenge is older than 30 minutes",
                "`login` again",
            );
            return self.ended(&report, false, &[]);
        }
        let Some(typed) = TypedCode::typed(line) else {
            // Cannot be a code, so nothing can be guessed by it: the challenge stays.
            self.screen.lines([
                "a code has ten digits and letters (without I, L, O, U): XXXXX-XXXXX".to_owned(),
            ]);
            self.mode = Mode::Code(asked);
            return self.prompt();
        };
        let expected = self.keeper.key.login_code(&LoginClaims {
            booth: &self.keeper.booth,
            challenge: &asked.challenge,
            role: asked.role.word(),
            work_order: asked.work_order.as_str(),
            minutes: LOGIN_MINUTES,
        });
        // Whatever comes of it, the challenge is used up.
        match self.keeper.lock.attempt(now, || expected.is(&typed)) {
            Ok(Some(true)) => self.logged_in(asked, now),
            Ok(Some(false)) => {
                self.keeper.note_audit(
                    Kind::WrongCode,
                    "",
                    &format!("{} wrong in a row", self.keeper.lock.tries()),
                );
                self.notify();
                let left = self.keeper.lock.left(now);
                let next = if left.is_zero() {
                    "`login` again, with a new challenge".to_owned()
                } else {
                    format!("locked for {} s", left.as_secs())
                };
                let report = Report::refusal(Code::Refused, "wrong code", next);
                self.ended(&report, false, &[]);
            }
            Ok(None) => {
                if let Some(report) = self.locked() {
                    self.ended(&report, false, &[]);
                }
            }
            Err(error) => {
                tracing::error!(%error, "the lock cannot be stored: no code is taken");
                let report = Report::refusal(
                    Code::Failed,
                    "the lock cannot be stored, so no code is taken",
                    "the memory card may be broken: it is to be replaced",
                );
                self.ended(&report, false, &[]);
            }
        }
    }

    fn logged_in(&mut self, asked: Asked, now: Moment) {
        let text = format!(
            "{} {} {}",
            asked.role.word(),
            asked.work_order.as_str(),
            asked.challenge
        );
        self.keeper
            .note_audit(Kind::Login, asked.work_order.as_str(), &text);
        self.keeper.closing = None;
        self.login = Some(Login {
            role: asked.role,
            work_order: asked.work_order,
            challenge: asked.challenge,
            since: now,
        });
        self.notify();
        let said = self.say(
            "logged in for 60 minutes, 10 without typing; faults now:",
            "已登录 60 分钟，10 分钟无输入则退出；当前故障：",
        );
        let said = crate::technician::plain::plain(said, self.style.charset);
        self.screen.new_page(0);
        self.screen.lines([said]);
        self.run(Command::Show(Topic::Faults), false);
    }

    pub(super) fn notify(&mut self) {
        let note = self.keeper.note(self.login.as_ref());
        self.wishes.push_back(Wish::Note(note));
    }

    /// The login ends: the closing code is shown, and again to whoever comes next.
    pub(super) fn logout(&mut self, how: &str) {
        let Some(login) = self.login.take() else {
            return self.prompt();
        };
        if let Mode::Running(run) | Mode::Question(run, _) = &self.mode {
            let id = run.id;
            self.wishes.push_back(Wish::Stop(id));
        }
        self.mode = Mode::Prompt;
        self.maintenance = false;
        self.keeper
            .close(&login.challenge, login.work_order.as_str(), how);
        self.editor.forget();
        self.ahead.clear();
        self.notify();
        self.wishes.push_back(Wish::HangUp);
        if let Some(closing) = self.keeper.closing.clone() {
            let mut report = Report::new(
                format!("login {} ended: {how}", closing.work_order),
                Code::Ok,
            );
            report = report.with("", Body::Lines(vec![closing_line(&closing)]));
            report.next =
                "give this line to the desk: without it the next work order is refused".to_owned();
            self.screen.new_page(0);
            self.announce(&report);
        }
        self.prompt();
    }

    pub(super) fn tick_login(&mut self, now: Moment) {
        if let Mode::Code(asked) = &self.mode
            && now.since(asked.since) > CODE_WITHIN
        {
            self.screen.lines([String::new()]);
            let report = Report::refusal(
                Code::Refused,
                "the challenge is older than 30 minutes",
                "`login` again",
            );
            self.ended(&report, false, &[]);
        }
        let Some(login) = &self.login else {
            return;
        };
        let how = if now.since(self.typed_at) >= IDLE {
            "nothing typed for 10 minutes"
        } else if now.since(login.since) >= Duration::from_secs(60 * u64::from(LOGIN_MINUTES)) {
            "60 minutes are over"
        } else {
            return;
        };
        self.screen.lines([String::new()]);
        self.logout(how);
    }

    /// A BREAK, or the line was hung up: the login or the challenge ends, and what waits for the terminal is thrown away. Gives whether
    /// there was one: a storm of BREAKs is answered once.
    pub fn line_lost(&mut self, how: &str) -> bool {
        let was = self.login.is_some() || matches!(self.mode, Mode::Code(_));
        if was {
            self.logout(how);
            self.mode = Mode::Prompt;
            self.screen.clear();
            self.ahead.clear();
            self.settle();
        }
        was
    }

    /// Somebody is at the line again.
    pub fn line_found(&mut self) {
        self.screen.clear();
        self.greet();
        self.settle();
    }

    /// The connection to the booth was made: it is told what there is to tell.
    pub fn booth_found(&mut self) {
        self.notify();
    }
}

fn closing_line(closing: &Closing) -> String {
    format!(
        "work order {}  audit {} {}  closing code {}",
        closing.work_order, closing.lines, closing.head, closing.code
    )
}
