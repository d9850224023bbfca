//! The console over its two ends, with a clock that stands.

use super::*;
use crate::base::ids::BoothId;
use crate::base::time::{Clock as _, ManualClock, WallTime};
use crate::technician::audit::Audit;
use crate::technician::control::Tell;
use crate::technician::lockout::{self, Lockout};
use crate::technician::report::{Body, Section, Verdict};
use crate::trust::codes::{Challenge, ClosingClaims, CodeKey, LoginClaims};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

#[derive(Clone, Debug)]
struct Memory(Rc<RefCell<(Vec<u8>, bool)>>);

impl Memory {
    fn new(size: usize) -> Self {
        Self(Rc::new(RefCell::new((vec![0; size], false))))
    }

    fn is_broken(&self, broken: bool) {
        self.0.borrow_mut().1 = broken;
    }
}

impl Store for Memory {
    fn read(&self) -> io::Result<Vec<u8>> {
        Ok(self.0.borrow().0.clone())
    }
    fn write(&mut self, at: usize, bytes: &[u8]) -> io::Result<()> {
        if self.0.borrow().1 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.borrow_mut().0[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const AUDIT: usize = 64 * 1024;

struct Bench {
    console: Console<Memory>,
    clock: Arc<ManualClock>,
    lock: Memory,
    audit: [Memory; 2],
    key: CodeKey,
    booth: BoothId,
}

fn console(
    lock: &Memory,
    audit: &[Memory; 2],
    clock: &Arc<ManualClock>,
    key: &CodeKey,
    booth: &BoothId,
) -> Console<Memory> {
    let lockout = Lockout::open(lock.clone(), "boot", clock.now()).expect("memory");
    let audit = Audit::open(audit.clone(), AUDIT, clock.wall(), clock.now()).expect("memory");
    let keeper = Keeper::new(booth.clone(), key.clone(), lockout, audit, clock.clone());
    Console::new(keeper, clock.clone())
}

impl Bench {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(
            Moment::from_millis(60_000),
            WallTime(1_795_468_444_000),
        ));
        let (lock, audit) = (
            Memory::new(lockout::SIZE),
            [Memory::new(AUDIT), Memory::new(AUDIT)],
        );
        let key = CodeKey::from_bytes([9; 32]);
        let booth = BoothId::try_from("BOOTH-0001".to_owned()).expect("a good name");
        let mut bench = Self {
            console: console(&lock, &audit, &clock, &key, &booth),
            clock,
            lock,
            audit,
            key,
            booth,
        };
        bench.read();
        bench
    }

    /// The process is started again.
    fn again(&mut self) -> String {
        self.console = console(&self.lock, &self.audit, &self.clock, &self.key, &self.booth);
        self.read()
    }

    fn read(&mut self) -> String {
        self.console.settle();
        let mut text = Vec::new();
        while !self.console.output().is_empty() {
            text.extend_from_slice(self.console.output());
            let n = self.console.output().len();
            self.console.taken(n);
        }
        String::from_utf8(text).expect("plain text")
    }

    /// What the terminal shows of a line typed.
    fn types(&mut self, line: &str) -> String {
        self.console.received(line.as_bytes());
        self.console.received(b"\r");
        self.read()
    }

    fn code_for(&self, shown: &str, role: &str, order: &str) -> String {
        let at = shown.find("challenge ").expect("a challenge") + 10;
        let challenge = Challenge::typed(&shown[at..at + 9]).expect("a challenge");
        let claims = LoginClaims {
            booth: &self.booth,
            challenge: &challenge,
            role,
            work_order: order,
            minutes: LOGIN_MINUTES,
        };
        self.key.login_code(&claims).to_string()
    }

    fn wishes(&mut self) -> Vec<Wish> {
        std::iter::from_fn(|| self.console.wish()).collect()
    }

    fn report(&mut self, report: Report) -> String {
        let id = self.wishes().into_iter().rev().find_map(|w| match w {
            Wish::Run(request) => Some(request.id),
            _ => None,
        });
        self.console.told(Tell::Report {
            id: id.expect("a command was asked for"),
            report,
        });
        self.read()
    }

    fn login(&mut self, role: &str) -> String {
        let shown = self.types(&format!("login {role} WO-1"));
        let code = self.code_for(&shown, role, "WO-1");
        self.types(&code) + &self.report(Report::new("no faults", Code::Ok))
    }

    fn kinds(&self) -> Vec<Kind> {
        self.console
            .keeper
            .audit_entries()
            .into_iter()
            .map(|e| e.kind)
            .collect()
    }
}

#[test]
fn login_and_logout_with_a_closing_code() {
    let mut bench = Bench::new();
    assert!(bench.types("show status").contains("result 20 login"));
    let shown = bench.login("service");
    assert!(
        shown.contains("no faults") && shown.ends_with("BOOTH-0001 service> "),
        "{shown}"
    );
    let shown = bench.types("logout");
    let line = shown
        .lines()
        .find(|l| l.contains("closing code"))
        .expect("a closing code")
        .to_owned();
    let words: Vec<&str> = line.split_whitespace().collect();
    let [
        "work",
        "order",
        "WO-1",
        "audit",
        lines,
        head,
        "closing",
        "code",
        code,
    ] = words[..]
    else {
        panic!("{line}")
    };
    let login = bench
        .console
        .keeper
        .audit_entries()
        .into_iter()
        .find(|e| e.kind == Kind::Login)
        .expect("kept");
    let challenge =
        Challenge::typed(login.text.split(' ').nth(2).expect("three words")).expect("a challenge");
    let claims = ClosingClaims {
        booth: &bench.booth,
        challenge: &challenge,
        work_order: "WO-1",
        audit_lines: lines.parse().expect("a number"),
        audit_head: head,
    };
    assert_eq!(bench.key.closing_code(&claims).to_string(), code);
    assert!(bench.types("show status").contains("result 20 login"));
    // Whoever comes next sees it again: it may not have been written down.
    bench.console.line_found();
    assert!(bench.read().contains(code));
}

#[test]
fn no_code_is_ever_in_the_audit_log_or_twice_good() {
    let mut bench = Bench::new();
    let shown = bench.types("login view WO-1");
    let code = bench.code_for(&shown, "view", "WO-1");
    bench.types(&code);
    bench.report(Report::new("no faults", Code::Ok));
    bench.types("logout");
    bench.types("login view WO-1");
    assert!(
        bench.types(&code).contains("result 22 refused"),
        "a code is good once"
    );
    for entry in bench.console.keeper.audit_entries() {
        let plain = code.replace('-', "");
        assert!(!entry.text.replace('-', "").contains(&plain), "{entry:?}");
    }
    let kinds = bench.kinds();
    for kind in [
        Kind::Start,
        Kind::Challenge,
        Kind::Login,
        Kind::Logout,
        Kind::WrongCode,
        Kind::Typed,
        Kind::Result,
    ] {
        assert!(kinds.contains(&kind), "{kind:?} of {kinds:?}");
    }
}

#[test]
fn codes_that_do_not_let_in() {
    let check = |role: &str, order: &str, late_s: u64, expected: &str| {
        let mut bench = Bench::new();
        let shown = bench.types("login service WO-1");
        let code = bench.code_for(&shown, role, order);
        bench.clock.advance(Duration::from_secs(late_s));
        let shown = bench.types(&code);
        assert!(shown.contains(expected), "{role} {order} {late_s}: {shown}");
        assert_eq!(bench.console.login.is_some(), expected == "faults now");
    };
    check("service", "WO-1", 0, "faults now");
    check("service", "WO-1", 30 * 60, "faults now");
    check("service", "WO-1", 30 * 60 + 1, "result 22 refused");
    check("reset", "WO-1", 0, "result 22 refused");
    check("view", "WO-1", 0, "result 22 refused");
    check("service", "WO-2", 0, "result 22 refused");
}

#[test]
fn what_cannot_be_a_code_is_no_try_and_a_full_disk_takes_none() {
    let mut bench = Bench::new();
    let shown = bench.types("login view WO-1");
    for noise in ["abc", "\u{1b}[A\u{ff}x", "0123456789012"] {
        assert!(bench.types(noise).contains("ten digits"), "{noise}");
    }
    let code = bench.code_for(&shown, "view", "WO-1");
    bench.lock.is_broken(true);
    assert!(bench.types(&code).contains("result 52 failed"));
    assert!(bench.console.login.is_none());
}

#[test]
fn three_wrong_codes_lock_and_a_restart_does_not_unlock() {
    let mut bench = Bench::new();
    let mut noted = 0;
    for n in 1..=3 {
        bench.types("login view WO-1");
        let shown = bench.types("00000-00000");
        assert!(shown.contains("result 22 refused"), "{shown}");
        assert_eq!(shown.contains("locked for 30 s"), n == 3, "{shown}");
        noted += bench
            .wishes()
            .iter()
            .filter(|w| matches!(w, Wish::Note(note) if note.wrong_codes == n))
            .count();
    }
    assert_eq!(noted, 3, "the booth is told of each");
    assert!(bench.types("login view WO-1").contains("result 23 locked"));
    bench.clock.advance(Duration::from_secs(29));
    assert!(bench.again().contains("locked after 3 wrong codes"));
    bench.clock.advance(Duration::from_secs(1));
    assert!(bench.types("login view WO-1").contains("challenge"));
}

#[test]
fn a_login_ends_by_time_by_break_and_by_a_power_cut() {
    let mut bench = Bench::new();
    bench.login("view");
    bench.clock.advance(Duration::from_secs(9 * 60));
    bench.console.received(b" ");
    bench.clock.advance(Duration::from_secs(9 * 60));
    bench.console.tick();
    assert!(bench.console.login.is_some());
    bench.clock.advance(Duration::from_secs(60));
    bench.console.tick();
    let shown = bench.read();
    assert!(
        shown.contains("nothing typed for 10 minutes") && shown.contains("closing code"),
        "{shown}"
    );

    bench.console.received(&[3]);
    bench.login("view");
    for _ in 0..7 {
        bench.console.received(b" ");
        bench.clock.advance(Duration::from_secs(9 * 60));
        bench.console.tick();
    }
    assert!(bench.read().contains("60 minutes are over"));

    bench.console.received(&[3]);
    bench.login("service");
    assert!(bench.console.line_lost("BREAK"));
    assert!(!bench.console.line_lost("BREAK"), "a storm is one BREAK");
    bench.console.line_found();
    assert!(bench.read().contains("WO-1 ended: BREAK"));

    bench.login("service");
    let shown = bench.again();
    assert!(
        shown.contains("ended: the console was started again") && shown.contains("closing code"),
        "{shown}"
    );
}

#[test]
fn answers_of_the_booth() {
    let mut bench = Bench::new();
    bench.login("service");
    bench.types("test quick");
    let id = bench.console.next_id;
    bench.console.told(Tell::Progress {
        id,
        text: "camera\u{1b}[2J".to_owned(),
        done: 1,
        of: 2,
    });
    let row = Row::measured("camera.fps", 30.0, "1/s", ">= 24", Verdict::Ok, "");
    bench.console.told(Tell::Row {
        id,
        row: row.clone(),
    });
    bench.console.told(Tell::Row {
        id: id + 1,
        row: Row::told("of another", "x", ""),
    });
    let shown = bench.read();
    assert!(
        shown.contains("[1/2] camera<1b>[2J")
            && shown.contains("camera.fps")
            && !shown.contains("another"),
        "{shown}"
    );
    let shown = bench.report(Report::of_rows("self-test", vec![row]));
    assert!(!shown.contains("camera.fps"), "told already: {shown}");
    assert!(shown.contains("result 0 ok"));

    bench.types("site accept");
    let id = bench.console.next_id;
    bench.console.told(Tell::Question {
        id,
        question: "is the ring lit?".to_owned(),
        choices: vec!["yes".to_owned(), "no".to_owned()],
    });
    assert!(bench.read().ends_with("1-2> "));
    assert!(bench.types("maybe").contains("allowed: 1 to 2"));
    bench.wishes();
    bench.types("n");
    assert_eq!(bench.wishes(), [Wish::Choose(id, 1)]);
    bench.console.received(&[3]);
    assert_eq!(bench.wishes(), [Wish::Stop(id)]);
    bench.clock.advance(Duration::from_secs(11));
    bench.console.tick();
    assert!(bench.read().contains("result 51 timed_out"));
    assert!(bench.wishes().contains(&Wish::HangUp));
}

#[test]
fn live_answers_are_skipped_while_the_terminal_is_behind_and_q_ends_them() {
    let mut bench = Bench::new();
    bench.login("service");
    bench.types("test camera --live");
    let id = bench.console.next_id;
    let live = |n: usize| Tell::Live {
        id,
        sections: vec![Section {
            title: String::new(),
            body: Body::Lines(vec![format!("frame {n}: {}", "x".repeat(900))]),
        }],
    };
    for n in 0..1000 {
        bench.console.told(live(n));
    }
    let shown = bench.read();
    assert!(shown.contains("frame 0") && !shown.contains("frame 999") && !shown.contains("lost"));
    bench.console.told(live(1000));
    assert!(
        bench.read().contains("frame 1000"),
        "the newest when there is room again"
    );
    bench.console.received(b"xyz");
    assert_eq!(
        bench
            .wishes()
            .iter()
            .filter(|w| matches!(w, Wish::Stop(_)))
            .count(),
        0
    );
    bench.console.received(b"q");
    assert!(bench.wishes().contains(&Wish::Stop(id)));
}

#[test]
fn roles_and_json_and_help() {
    let mut bench = Bench::new();
    bench.login("view");
    assert!(bench.types("test lights").contains("result 21 role"));
    assert!(
        bench
            .types("config set volume 5")
            .contains("result 21 role")
    );
    let shown = bench.types("show nothing --json");
    let json = shown.lines().find(|l| l.starts_with('{')).expect("JSON");
    let value: serde_json::Value = serde_json::from_str(json).expect("JSON");
    assert_eq!(value["result"], 10);
    bench.console.received(b"show v?");
    let shown = bench.read();
    assert!(
        shown.contains("version") && shown.ends_with("view> show v"),
        "{shown}"
    );
    bench.console.received(b"\t");
    assert!(bench.read().ends_with("ersion "));
    bench.console.received(&[3]);
    bench.types("terminal length 0");
    let shown = bench.types("help");
    assert!(
        shown.contains("show faults") && !shown.contains("calibrate"),
        "{shown}"
    );
    assert!(
        bench
            .types("terminal language zh")
            .contains("result 12 argument")
    );
    bench.types("terminal charset utf-8");
    assert!(bench.types("terminal language zh").contains("终端已设置"));
}

#[test]
fn a_broken_audit_log_leaves_only_looking() {
    let mut bench = Bench::new();
    bench.login("service");
    bench.audit.iter().for_each(|file| file.is_broken(true));
    assert!(
        bench
            .types("test lights")
            .contains("audit log cannot be written")
    );
    bench.types("show health");
    assert!(
        bench
            .report(Report::new("healthy", Code::Ok))
            .contains("healthy")
    );
}

#[test]
fn a_flood_of_strangers_lines_does_not_push_out_the_audit_log() {
    let mut bench = Bench::new();
    bench.login("view");
    bench.types("logout");
    let before = bench.console.keeper.audit_entries().len();
    for i in 0..5000 {
        bench.types(&format!("garbage {i}"));
    }
    let entries = bench.console.keeper.audit_entries();
    assert!(entries.len() - before <= 60, "{}", entries.len() - before);
    assert!(entries.iter().any(|e| e.kind == Kind::Login));
}

#[test]
fn commands_run_only_for_those_who_are_logged_in_whatever_is_typed() {
    let mut chance = 1u64;
    let mut bench = Bench::new();
    for _ in 0..20_000 {
        chance = chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let bytes = chance.to_be_bytes();
        match bytes[0] % 8 {
            0 => bench.console.received(b"test lights\r"),
            1 => bench.console.received(b"login reset WO-1\r"),
            2 => bench.console.received(b"0000000000\r"),
            3 => bench
                .clock
                .advance(Duration::from_secs(u64::from(bytes[1]))),
            4 => bench.console.tick(),
            _ => bench.console.received(&bytes[1..]),
        }
        for wish in bench.wishes() {
            assert!(matches!(wish, Wish::Note(_)), "{wish:?}");
        }
        bench.read();
    }
}
