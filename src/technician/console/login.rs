//! Login, its end, and the lock.

use super::{Console, Mode, Wish};
use crate::base::time::Moment;
use crate::technician::audit::Kind;
use crate::technician::command::{Command, Role, Topic, WorkOrder};
use crate::technician::report::{Body, Code, Report};
use crate::technician::store::Store;
use crate::trust::codes::{Challenge, Code as TypedCode, LoginClaims};
use crate::trust::random_bytes;
use std::time::Duration;

/// A challenge is good for so long.
const CODE_WITHIN: Duration = Duration::from_secs(30 * 60);
/// A login ends when nothing was typed for so long,
const IDLE: Duration = Duration::from_secs(10 * 60);
/// and after so long whatever is typed.
pub const LOGIN_MINUTES: u32 = 60;

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

impl<S: Store> Console<S> {
    pub(super) fn greet(&mut self) {
        let booth = self.keeper.booth.clone();
        let mut lines = vec![
            String::new(),
            format!(
                "boothd {}  booth {}  technician's console",
                env!("CARGO_PKG_VERSION"),
                booth.as_str(),
            ),
            "Every line typed here is recorded. `login ROLE WORK-ORDER`, or `help`.".to_owned(),
        ];
        if let Some(closing) = &self.keeper.closing {
            lines.push(format!(
                "last login {} ended: {}",
                closing.work_order, closing.how
            ));
            lines.push(closing.line());
        }
        let left = self.keeper.lock.left(self.clock.now());
        if !left.is_zero() {
            lines.push(format!(
                "locked after {} wrong codes for {} s more",
                self.keeper.lock.tries(),
                left.as_secs() + 1
            ));
        }
        self.say(lines.iter().map(String::as_str));
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
        let asked = format!(
            "booth {booth}  role {}  work order {}",
            role.word(),
            work_order.as_str()
        );
        self.say([
            asked.as_str(),
            format!("challenge {challenge}  good for 30 minutes and one try").as_str(),
            "Give these four to the desk; type the code it answers (Ctrl-C: none).",
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
            self.say(["a code has ten digits and letters (without I, L, O, U): XXXXX-XXXXX"]);
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
        self.screen.new_page(0);
        self.say(["logged in for 60 minutes, 10 without typing; faults now:"]);
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
            let line = self.style.say(&closing.line());
            report = report.with("", Body::Lines(vec![line]));
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
