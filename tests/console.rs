//! `boothd console` on a pseudo-terminal, with `boothd dispatch` as the desk, and a booth that knows its version and its faults.

use crate::pty::{Technician, compare, furnish, word_behind};
use boothd::base::ids::BoothId;
use boothd::base::time::WallTime;
use boothd::hal::{DeviceFault, DeviceKind};
use boothd::technician::command::{Command, Topic};
use boothd::technician::control::{
    Answers, Booth, ConsoleNote, ControlConfig, ControlServer, Go, Occupation, Request,
};
use boothd::technician::faults::Faults;
use boothd::technician::report::{Body, Code, Report, Row, Section};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A booth without devices: what it tells is true of it.
#[derive(Debug)]
struct BareBooth {
    id: BoothId,
    faults: Faults,
    notes: Mutex<Vec<ConsoleNote>>,
    lives: AtomicU64,
}

impl Booth for BareBooth {
    fn id(&self) -> &BoothId {
        &self.id
    }

    fn occupation(&self) -> Occupation {
        Occupation::Idle
    }

    fn run(&self, request: &Request, answers: &mut dyn Answers) -> Report {
        match &request.command {
            Command::Show(Topic::Version) => {
                let rows = vec![
                    Row::told("software", env!("CARGO_PKG_VERSION"), ""),
                    Row::told("booth", self.id.as_str(), ""),
                ];
                Report::of_rows("version", rows)
            }
            Command::Show(Topic::Faults) => {
                let columns = ["code", "count", "what, mend"].map(str::to_owned).to_vec();
                let row = |f: boothd::technician::faults::FaultRecord| {
                    vec![
                        f.code,
                        f.count.to_string(),
                        format!("{}; mend: {}", f.detail, f.mend),
                    ]
                };
                let rows: Vec<_> = self
                    .faults
                    .all()
                    .into_iter()
                    .filter(|f| f.active)
                    .map(row)
                    .collect();
                let code = if rows.is_empty() {
                    Code::Ok
                } else {
                    Code::Fail
                };
                Report::new(format!("faults: {}", rows.len()), code)
                    .with("", Body::Table { columns, rows })
            }
            Command::MaintenanceEnter { .. } => Report::new("customers are kept out", Code::Ok),
            Command::MaintenanceLeave => Report::new("customers may come", Code::Ok),
            Command::BundleSend { from_block } => {
                let bytes: Vec<u8> = (0..60_000u32).map(|i| (i * 7 % 251) as u8).collect();
                let _ = answers.bundle(&bytes, *from_block);
                Report::new("sent", Code::Ok)
            }
            Command::CameraLive => {
                let line = vec!["#".repeat(78); 16];
                let section = Section {
                    title: String::new(),
                    body: Body::Lines(line),
                };
                while answers.live(std::slice::from_ref(&section)) == Go::On {
                    self.lives.fetch_add(1, Ordering::SeqCst);
                }
                Report::new("live", Code::Stopped)
            }
            _ => Report::refusal(Code::NotBuilt, "a bare booth has it not", ""),
        }
    }

    fn leave_maintenance(&self) {}

    fn note(&self, note: &ConsoleNote) {
        self.notes.lock().expect("nobody panics").push(note.clone());
    }
}

struct Bench {
    booth: Arc<BareBooth>,
    _server: ControlServer,
    dir: tempfile::TempDir,
}

fn bench() -> Bench {
    let dir = tempfile::tempdir().expect("a folder for the test");
    furnish(dir.path());
    let faults = Faults::in_memory();
    let error = std::io::Error::from_raw_os_error(19);
    faults.raise(
        &DeviceFault::from_errno(DeviceKind::Camera, "/dev/video0", "open", &error),
        WallTime(1_795_468_444_000),
    );
    let booth = Arc::new(BareBooth {
        id: BoothId::try_from("BOOTH-0001".to_owned()).expect("a good name"),
        faults,
        notes: Mutex::default(),
        lives: AtomicU64::new(0),
    });
    let config = ControlConfig {
        socket: dir.path().join("control.sock"),
        allowed_uids: Vec::new(),
        allowed_users: Vec::new(),
    };
    let server = ControlServer::start(&config, booth.clone()).expect("a socket in a new folder");
    Bench {
        booth,
        _server: server,
        dir,
    }
}

#[test]
fn a_technician_logs_in_looks_and_logs_out() {
    let bench = bench();
    let mut technician = Technician::sit_down(bench.dir.path());
    technician.types("show status", "BOOTH-0001> ");
    technician.types("help", "BOOTH-0001> ");
    technician.logs_in("view", "WO-1234");
    technician.types("sh ver", "view> ");
    technician.send(b"show se?");
    technician.expect("view> show se");
    technician.send(b"ns\t");
    technician.expect("nsors ");
    technician.types("", "view> ");
    technician.types("show version --json", "view> ");
    technician.types("rm -rf /", "view> ");
    technician.types("show log 900", "view> ");
    technician.types("test lights", "view> ");
    technician.types("terminal length 0", "view> ");
    technician.types("show audit", "view> ");
    let shown = technician.types("logout", "BOOTH-0001> ");
    compare("login", &technician.transcript());

    // The next work order waits for the closing code.
    let asked = technician.types("login service WO-1235", "code: ");
    let challenge = word_behind(&asked, "challenge ");
    let desk = bench.dir.path().join("desk").display().to_string();
    let answer = [
        "dispatch",
        "answer",
        "--desk",
        &desk,
        "--booth",
        "BOOTH-0001",
        "--role",
        "service",
        "--work-order",
        "WO-1235",
        "--challenge",
        &challenge,
    ];
    let refused = crate::furnished::boothd(&answer);
    assert!(
        refused.code == Some(1) && refused.said.contains("WO-1234 of BOOTH-0001 is not closed"),
        "{}",
        refused.said
    );
    let wrong = shown.replacen("audit ", "audit 1", 1);
    assert!(
        technician
            .desk_closes(&wrong)
            .expect_err("another number")
            .contains("does not fit")
    );
    assert_eq!(technician.desk_closes(&shown), Ok(()));
    let code = technician.desk_answers("service", "WO-1235", &challenge);
    technician.types(&code, "BOOTH-0001 service> ");
    let noted = bench.booth.notes.lock().expect("nobody panics").clone();
    assert!(
        noted.iter().any(|n| n.login.is_some()) && noted.iter().any(|n| n.login.is_none()),
        "{noted:?}"
    );
}

/// The console's own texts in Chinese; what is typed, codes and JSON are as ever.
#[test]
fn a_technician_looks_in_chinese() {
    let bench = bench();
    let mut technician = Technician::sit_down(bench.dir.path());
    let prompt = "BOOTH-0001> ";
    technician.types("terminal language zh", prompt);
    technician.asks_for_chinese();
    technician.types("help", prompt);
    technician.types("show faults", prompt);
    technician.types("login view WO-1", "code: ");
    technician.types("1234", "code: ");
    technician.types("", prompt);
    technician.logs_in("view", "WO-1234");
    technician.send(b"show s?");
    technician.expect("view> show s");
    technician.types("ess", "view> ");
    technician.types("show version --json", "view> ");
    technician.types("show version", "view> ");
    technician.types("rm -rf /", "view> ");
    technician.types("show log 900", "view> ");
    technician.types("test lights", "view> ");
    technician.send(b"help\r");
    technician.expect("--更多--（空格、回车、q）");
    technician.send(b"q");
    technician.expect("view> ");
    technician.types("terminal length 0", "view> ");
    technician.types("help", "view> ");
    technician.types("show audit", "view> ");
    technician.types("logout", prompt);
    compare("look-zh", &technician.transcript());
}

#[test]
fn wrong_codes_lock_also_when_the_console_is_killed() {
    let bench = bench();
    {
        let mut technician = Technician::sit_down(bench.dir.path());
        for _ in 0..3 {
            technician.types("login view WO-1", "code: ");
            technician.types("00000-00000", "BOOTH-0001> ");
        }
        technician.types("login view WO-1", "result 23 locked");
        let text = technician.transcript();
        // How long it is still locked differs by how fast the test is.
        let text: Vec<&str> = text
            .lines()
            .filter(|l| !l.starts_with("next: wait "))
            .collect();
        compare("lockout", &(text.join("\n") + "\n"));
    }
    let mut technician = Technician::sit_down(bench.dir.path());
    technician.types("login view WO-1", "result 23 locked");
}

#[test]
fn a_bundle_comes_whole_over_the_line() {
    let bench = bench();
    let mut technician = Technician::sit_down(bench.dir.path());
    technician.logs_in("service", "WO-7");
    technician.types("maintenance enter", "service maint> ");
    let shown = technician.types("bundle send", "service maint> ");
    let file = |name: &str| bench.dir.path().join(name).display().to_string();
    // The first recording breaks off.
    std::fs::write(file("one"), &shown[..shown.len() / 2]).expect("writable");
    let args = [
        "dispatch",
        "bundle",
        "--out",
        &file("bundle"),
        "--from",
        &file("one"),
    ];
    let half = crate::furnished::boothd(&args);
    assert!(
        half.code == Some(1) && half.said.contains("bundle send from"),
        "{}",
        half.said
    );
    let from = half
        .said
        .split("bundle send from ")
        .nth(1)
        .expect("a number")
        .split('`')
        .next()
        .expect("a number")
        .to_owned();
    let rest = technician.types(&format!("bundle send from {from}"), "service maint> ");
    std::fs::write(file("two"), rest).expect("writable");
    let whole = crate::furnished::boothd(&[&args[..], &[&file("two")]].concat());
    assert_eq!(whole.code, Some(0), "{}", whole.said);
    assert_eq!(
        std::fs::read(file("bundle")).expect("it is there").len(),
        60_000
    );
}

#[test]
fn noise_floods_and_a_terminal_that_does_not_read_hold_up_nobody() {
    let bench = bench();
    let mut technician = Technician::sit_down(bench.dir.path());
    technician.logs_in("service", "WO-9");
    technician.types("maintenance enter", "service maint> ");
    // The picture goes on in the booth while nobody reads it here: it never waits for the line.
    technician.send(b"test camera --live\r");
    let mut slowest = Duration::ZERO;
    let mut asked = 0;
    let config = bench.dir.path().join("control.sock");
    let mut other =
        boothd::technician::control::ControlClient::connect(&config).expect("the server listens");
    while bench.booth.lives.load(Ordering::SeqCst) < 3_000 {
        asked += 1;
        let began = Instant::now();
        let request = view(asked);
        other.run(request).expect("the connection holds");
        let heard = other
            .hear(Duration::from_secs(60))
            .expect("the connection holds");
        assert!(matches!(heard, boothd::technician::control::Heard::Tell(_)));
        slowest = slowest.max(began.elapsed());
    }
    println!(
        "a terminal that does not read: {asked} view commands meanwhile, the slowest {slowest:?}"
    );
    technician.send(b"q");
    technician.expect("result 4 stopped");
    technician.expect("service maint> ");
    technician.types("logout", "BOOTH-0001> ");

    // A flood of noise, with flow-control characters among it; the terminal does not read until it is over.
    let mut chance = 7u64;
    let noise: Vec<u8> = (0..200_000)
        .map(|_| {
            chance = chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (chance >> 56) as u8
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for part in noise.chunks(1024) {
        technician.send(part);
        technician.read();
        asked += 1;
        let began = Instant::now();
        other.run(view(asked)).expect("the connection holds");
        other
            .hear(Duration::from_secs(60))
            .expect("the connection holds");
        slowest = slowest.max(began.elapsed());
    }
    println!("200 kB of noise: the slowest of 196 view commands {slowest:?}");
    // What was not read yet is read; the line is empty then, whatever the noise has left on it.
    technician.reads_up();
    technician.send(b"\x13\x03");
    technician.reads_up();
    technician.types("terminal color off", "terminal set");
}

fn view(id: u64) -> Request {
    use boothd::technician::command::{Operator, Role, WorkOrder};
    Request {
        id,
        command: Command::Show(Topic::Version),
        operator: Operator {
            role: Role::View,
            work_order: WorkOrder::try_from("WO-8".to_owned()).expect("good"),
        },
    }
}

#[test]
fn a_killed_console_and_a_pulled_cable_end_the_login_and_both_can_be_closed() {
    let bench = bench();
    let mut technician = Technician::sit_down(bench.dir.path());
    technician.logs_in("view", "WO-3");
    drop(technician);
    let mut technician = Technician::sit_down(bench.dir.path());
    let greeting = technician.raw();
    assert!(
        greeting.contains("last login WO-3 ended: the console was started again"),
        "{greeting}"
    );
    assert_eq!(technician.desk_closes(&greeting), Ok(()));
    technician.types("show version", "result 20 login");

    technician.logs_in("view", "WO-4");
    let console = technician.pulls_the_cable();
    wait_for(
        &bench.dir.path().join("console/audit-a"),
        "the line was hung up",
    );
    drop(console);
    // Also a restart later it is known how it ended.
    let technician = Technician::sit_down(bench.dir.path());
    let greeting = technician.raw();
    assert!(
        greeting.contains("last login WO-4 ended: the line was hung up"),
        "{greeting}"
    );
    assert_eq!(technician.desk_closes(&greeting), Ok(()));
}

/// Waits until a file holds this.
fn wait_for(path: &std::path::Path, words: &str) {
    let began = Instant::now();
    loop {
        let bytes = std::fs::read(path).unwrap_or_default();
        if String::from_utf8_lossy(&bytes).contains(words) {
            return;
        }
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "`{words}` is not in {}",
            path.display()
        );
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn a_script_gets_numbers() {
    let bench = bench();
    let run = |lines: &str| {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_boothd"))
            .args([
                "console",
                "--config",
                &bench.dir.path().join("console.toml").display().to_string(),
                "--tty",
                "-",
            ])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("boothd can be started");
        let mut input = child.stdin.take().expect("a pipe");
        std::io::Write::write_all(&mut input, lines.as_bytes()).expect("it reads");
        drop(input);
        let ended = child.wait_with_output().expect("it ends");
        (
            ended.status.code(),
            String::from_utf8_lossy(&ended.stdout).into_owned(),
        )
    };
    let (code, said) = run("terminal length 0\nshow version --json\n");
    assert_eq!(code, Some(20), "{said}");
    assert!(said.contains("\"result\":20"), "{said}");
    let (code, said) = run("help\nterminal color off\n");
    assert_eq!(code, Some(0), "{said}");
}
