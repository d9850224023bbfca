//! The control socket with a booth that is none, with a client that keeps to the protocol and others that do not.

use super::*;
use crate::technician::command::{ConfigCommand, TestWhat, Topic};
use crate::technician::report::{Body, Code, Verdict};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(20);

#[derive(Debug)]
struct TestBooth {
    id: BoothId,
    session: AtomicBool,
    left: AtomicU32,
    notes: Mutex<Vec<ConsoleNote>>,
}

impl Booth for TestBooth {
    fn id(&self) -> &BoothId {
        &self.id
    }

    fn occupation(&self) -> Occupation {
        if self.session.load(Ordering::SeqCst) {
            Occupation::Session
        } else {
            Occupation::Idle
        }
    }

    fn run(&self, request: &Request, answers: &mut dyn Answers) -> Report {
        match &request.command {
            Command::CameraLive => {
                while answers.live(&[]) == Go::On {}
                Report::new("live", Code::Stopped)
            }
            Command::SiteAccept => match answers.choose("lit?", &["yes", "no"]) {
                Some(choice) => Report::new(format!("choice {choice}"), Code::Ok),
                None => Report::new("none", Code::Stopped),
            },
            Command::BundleSend { from_block } => {
                let _ = answers.bundle(&vec![7; 10_000], *from_block);
                Report::new("sent", Code::Ok)
            }
            Command::Log { .. } => {
                let lines = vec!["x".repeat(100); 5000];
                Report::new("log", Code::Ok).with("", Body::Lines(lines))
            }
            Command::Test(_) => {
                let row = Row::measured("a", 1, "s", "< 2", Verdict::Ok, "");
                let _ = answers.progress("begin", 0, 1);
                let _ = answers.row(&row);
                Report::of_rows("test", vec![row])
            }
            _ => Report::new("done", Code::Ok),
        }
    }

    fn leave_maintenance(&self) {
        self.left.fetch_add(1, Ordering::SeqCst);
    }

    fn note(&self, note: &ConsoleNote) {
        self.notes.lock().expect("nobody panics").push(note.clone());
    }
}

struct Bench {
    booth: Arc<TestBooth>,
    _server: ControlServer,
    dir: tempfile::TempDir,
}

fn bench() -> Bench {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let booth = Arc::new(TestBooth {
        id: BoothId::try_from("BOOTH-0001".to_owned()).expect("a good name"),
        session: AtomicBool::new(false),
        left: AtomicU32::new(0),
        notes: Mutex::default(),
    });
    let config = ControlConfig {
        socket: dir.path().join("control.sock"),
        allowed_uids: Vec::new(),
        allowed_users: vec!["nobody-has-this-name".to_owned()],
    };
    let server = ControlServer::start(&config, booth.clone()).expect("a socket in a new folder");
    Bench {
        booth,
        _server: server,
        dir,
    }
}

impl Bench {
    fn client(&self) -> ControlClient {
        ControlClient::connect(&self.dir.path().join("control.sock")).expect("the server listens")
    }

    fn raw(&self) -> UnixStream {
        UnixStream::connect(self.dir.path().join("control.sock")).expect("the server listens")
    }
}

fn request(id: u64, command: Command, role: Role) -> Request {
    Request {
        id,
        command,
        operator: Operator {
            role,
            work_order: WorkOrder::try_from("WO-1".to_owned()).expect("good"),
        },
    }
}

fn next(client: &mut ControlClient) -> Tell {
    match client.hear(LONG).expect("the connection holds") {
        Heard::Tell(tell) => *tell,
        Heard::Nothing => panic!("no answer"),
    }
}

/// Runs a command to its report.
fn run(client: &mut ControlClient, id: u64, command: Command, role: Role) -> Report {
    client
        .run(request(id, command, role))
        .expect("the connection holds");
    loop {
        if let Tell::Report { id: of, report } = next(client) {
            assert_eq!(of, id);
            return report;
        }
    }
}

#[test]
fn answers_come_in_order_and_the_report_last() {
    let bench = bench();
    let mut client = bench.client();
    assert_eq!(client.booth().as_str(), "BOOTH-0001");
    assert_eq!(
        run(
            &mut client,
            1,
            Command::MaintenanceEnter { wait_s: 0 },
            Role::Service
        )
        .code,
        Code::Ok
    );
    client
        .run(request(2, Command::Test(TestWhat::Quick), Role::Service))
        .expect("the connection holds");
    assert!(matches!(next(&mut client), Tell::Progress { id: 2, .. }));
    assert!(matches!(next(&mut client), Tell::Row { id: 2, .. }));
    assert!(matches!(next(&mut client), Tell::Report { id: 2, .. }));
}

#[test]
fn roles_sessions_and_maintenance_are_looked_at_by_the_server() {
    let bench = bench();
    let mut client = bench.client();
    let commit = Command::Config(ConfigCommand::CommitConfirmed { minutes: 5 });
    let test = Command::Test(TestWhat::Quick);
    let view = Command::Show(Topic::Status);
    let enter = Command::MaintenanceEnter { wait_s: 0 };
    let mut check = |session, command: &Command, role, expected| {
        bench.booth.session.store(session, Ordering::SeqCst);
        assert_eq!(
            run(&mut client, 1, command.clone(), role).code,
            expected,
            "{command:?} {role:?} {session}"
        );
    };
    check(false, &view, Role::View, Code::Ok);
    check(true, &view, Role::View, Code::Ok);
    check(false, &test, Role::View, Code::Role);
    check(false, &commit, Role::Service, Code::Role);
    check(false, &test, Role::Service, Code::Maintenance);
    check(true, &test, Role::Service, Code::Session);
    check(
        false,
        &Command::MaintenanceLeave,
        Role::Service,
        Code::Maintenance,
    );
    check(false, &enter, Role::View, Code::Role);
    check(false, &enter, Role::Service, Code::Ok);
    check(false, &test, Role::Service, Code::Ok);
    check(true, &test, Role::Service, Code::Session);
    check(false, &commit, Role::Reset, Code::Ok);
    // Maintenance is one connection's.
    let other = run(&mut bench.client(), 1, test, Role::Service);
    assert_eq!(other.code, Code::Maintenance);
    assert_eq!(bench.booth.left.load(Ordering::SeqCst), 0);
    drop(client);
    let mut again = bench.client();
    // The server leaves by itself; it is asked until it has.
    for id in 0.. {
        run(&mut again, id, view.clone(), Role::View);
        if bench.booth.left.load(Ordering::SeqCst) == 1 {
            break;
        }
    }
}

#[test]
fn a_command_is_stopped_asks_and_sends() {
    let bench = bench();
    let mut client = bench.client();
    run(
        &mut client,
        1,
        Command::MaintenanceEnter { wait_s: 0 },
        Role::Service,
    );
    client
        .run(request(2, Command::CameraLive, Role::Service))
        .expect("the connection holds");
    assert!(matches!(next(&mut client), Tell::Live { id: 2, .. }));
    client.stop(2).expect("the connection holds");
    while !matches!(next(&mut client), Tell::Report { id: 2, .. }) {}

    client
        .run(request(3, Command::SiteAccept, Role::Service))
        .expect("the connection holds");
    assert!(matches!(next(&mut client), Tell::Question { id: 3, .. }));
    client.choose(3, 7).expect("a choice that there is not");
    client.choose(3, 1).expect("the connection holds");
    assert!(matches!(next(&mut client), Tell::Report { report, .. } if report.title == "choice 1"));

    client
        .run(request(
            4,
            Command::BundleSend { from_block: 200 },
            Role::Service,
        ))
        .expect("the connection holds");
    assert!(matches!(
        next(&mut client),
        Tell::Blocks {
            id: 4,
            first: 200,
            of: 223,
            ..
        }
    ));
    assert!(matches!(next(&mut client), Tell::Report { id: 4, .. }));

    // Too long for a line: cut, and said.
    let report = run(&mut client, 5, Command::Log { lines: 500 }, Role::View);
    assert!(
        matches!(&report.sections.last().expect("one").body, Body::Lines(l) if l[0].starts_with("(cut"))
    );
}

#[test]
fn notes_reach_the_booth() {
    let bench = bench();
    let mut client = bench.client();
    let note = ConsoleNote {
        audit_lines: 7,
        wrong_codes: 2,
        ..ConsoleNote::default()
    };
    client.note(note.clone()).expect("the connection holds");
    run(&mut client, 1, Command::Show(Topic::Status), Role::View);
    assert_eq!(*bench.booth.notes.lock().expect("nobody panics"), [note]);
}

#[test]
fn who_does_not_keep_to_the_protocol_is_told_so_and_dropped() {
    let bench = bench();
    let good = b"{\"hello\":{\"protocol\":\"boothd-control\",\"version\":1}}\n";
    for lines in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"{\"hello\":{\"protocol\":\"boothd-control\",\"version\":2}}\n",
        b"{\"stop\":{\"id\":1}}\n",
        &[&good[..], b"{\"run\":{\"id\":1}}\n"].concat(),
        &[&good[..], b"{\"run\":{\"id\":1,\"command\":{\"shell\":\"id\"},\"operator\":{\"role\":\"reset\",\"work_order\":\"W\"}}}\n"].concat(),
        &[&good[..], &[b'x'; 70_000]].concat(),
    ] {
        let mut stream = bench.raw();
        stream.set_read_timeout(Some(LONG)).expect("a time-out");
        stream.write_all(lines).expect("it is taken");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("text, then the end");
        assert!(text.trim_end().lines().last().expect("a word").contains("boothd-control of version 1"), "{text}");
    }
    // Others are served meanwhile and afterwards.
    assert_eq!(
        run(
            &mut bench.client(),
            1,
            Command::Show(Topic::Status),
            Role::View
        )
        .code,
        Code::Ok
    );
}
