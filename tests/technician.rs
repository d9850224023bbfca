//! A technician at a booth that runs: wallet, uplink and booth as processes, things broken on the virtual stage, and what the control
//! socket says of them before and after they are mended.

use crate::furnished::{Furnished, Running};
use boothd::base::ids::Language;
use boothd::technician::command::{Command, Operator, Role, TestWhat, Topic, WorkOrder};
use boothd::technician::control::{ControlClient, Heard, Request, Tell};
use boothd::technician::report::{Body, Code, Report, Row, Verdict};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// A booth in a debug build on a busy machine takes its time.
const LIMIT: Duration = Duration::from_secs(240);

/// The stage of a virtual booth: breaks and mends.
struct Stage(BufReader<UnixStream>);

impl Stage {
    fn ask(&mut self, line: &str) {
        let stream = self.0.get_mut();
        stream
            .write_all(format!("{line}\n").as_bytes())
            .expect("the stage listens");
        let mut answer = String::new();
        self.0.read_line(&mut answer).expect("the stage answers");
        assert!(answer.contains("\"ok\":true"), "{line}: {answer}");
    }
}

/// A console, without the console's process.
struct Console {
    client: ControlClient,
    id: u64,
}

impl Console {
    fn run(&mut self, command: Command) -> Report {
        self.id += 1;
        let operator = Operator {
            role: Role::Service,
            work_order: WorkOrder::try_from("WO-1".to_owned()).expect("a number"),
            language: Language::En,
        };
        let request = Request {
            id: self.id,
            command,
            operator,
        };
        self.client.run(request).expect("the booth listens");
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < LIMIT, "no report came");
            match self
                .client
                .hear(Duration::from_secs(1))
                .expect("the booth answers")
            {
                Heard::Tell(tell) => match *tell {
                    Tell::Report { id, report } if id == self.id => return report,
                    _ => {}
                },
                Heard::Nothing => {}
            }
        }
    }

    fn test(&mut self, what: TestWhat) -> Report {
        self.run(Command::Test(what))
    }

    /// Codes that `show faults` tells as being now.
    fn faults(&mut self) -> Vec<String> {
        let report = self.run(Command::Show(Topic::Faults));
        let now = report.sections.iter().filter(|s| s.title != "over");
        now.filter_map(|s| Some(s.title.split_once(' ')?.1.to_owned()))
            .filter(|code| code != "hw.camera.slow")
            .collect()
    }

    /// Waits until a fault is there, or is not: the booth looks once a second at what it watches.
    fn wait_for_fault(&mut self, code: &str, there: bool) {
        let began = Instant::now();
        loop {
            let faults = self.faults();
            if faults.iter().any(|f| f == code) == there {
                return;
            }
            assert!(
                began.elapsed() < LIMIT,
                "{code} expected: {there}, found: {faults:?}"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// Rows that fail. How many frames a second a virtual camera gives on a machine that does other things, too, is no matter of this test.
fn failing(report: &Report) -> Vec<&Row> {
    rows(report)
        .filter(|r| r.verdict == Some(Verdict::Fail) && r.item != "frame rate")
        .collect()
}

fn rows(report: &Report) -> impl Iterator<Item = &Row> {
    report.sections.iter().flat_map(|s| match &s.body {
        Body::Rows(rows) => rows.as_slice(),
        _ => &[],
    })
}

/// A furnished booth with a control socket and a stage that can be asked, its uplink and its wallet.
struct Site {
    wallet: Option<Running>,
    _uplink: Running,
    booth: Running,
    stage: Stage,
    console: Console,
    furnished: Furnished,
}

impl Site {
    fn open() -> Self {
        let furnished = Furnished::new();
        let control = format!(
            "[control]\nsocket = {:?}\n\n[outbox]",
            furnished.path("control.sock")
        );
        furnished.change("boothd.toml", "[outbox]", &control);
        let board = std::fs::read_to_string(furnished.path("board.toml")).expect("a board");
        // Nobody comes: the booth is empty, and its wall is not one grey.
        let board: String = board
            .lines()
            .filter(|l| !l.starts_with("scene ="))
            .map(|l| format!("{l}\n"))
            .collect();
        let room = crate::furnished::root().join("board/scenes/assets/room-plain.jpg");
        let empty = format!("name = \"empty\"\n[room]\npicture = {room:?}\n");
        std::fs::write(furnished.path("empty.toml"), empty).expect("written");
        let board = board.replace(
            "[virt]\n",
            &format!(
                "[virt]\nempty_scene = {:?}\nstage_socket = {:?}\n",
                furnished.path("empty.toml"),
                furnished.path("stage.sock")
            ),
        );
        let board = board
            .replace("width = 1280", "width = 640")
            .replace("height = 720", "height = 360");
        std::fs::write(furnished.path("board.toml"), board).expect("written");
        furnished.change("uplink.toml", "url =", "probe_every_s = 1\nurl =");

        let wallet = Running::start(&["wallet", "--config", &furnished.config("wallet")]);
        let mut booth = Running::start(&["run", "--config", &furnished.config("run")]);
        let uplink = Running::start(&["uplink", "--config", &furnished.config("uplink")]);
        booth.wait_for("self-test");
        let stage = UnixStream::connect(furnished.path("stage.sock")).expect("a stage");
        let client = ControlClient::connect(&furnished.path("control.sock")).expect("a socket");
        let mut site = Self {
            wallet: Some(wallet),
            _uplink: uplink,
            booth,
            stage: Stage(BufReader::new(stage)),
            console: Console { client, id: 0 },
            furnished,
        };
        let refused = site.console.test(TestWhat::Quick);
        assert_eq!(refused.code, Code::Maintenance, "{refused:?}");
        let entered = site.console.run(Command::MaintenanceEnter { wait_s: 30 });
        assert_eq!(entered.code, Code::Ok, "{entered:?}");
        site
    }
}

/// What is broken, how, which test finds it, and as what.
#[derive(Clone, Copy, Debug)]
enum Break {
    Stage(&'static str),
    Wallet,
}

#[test]
fn what_is_broken_is_found_by_the_test_and_gone_when_it_is_mended() {
    let mut site = Site::open();
    let said = |site: &Site| site.booth.said();
    let all = site.console.test(TestWhat::All);
    assert_eq!(
        failing(&all),
        [&Row::told("", "", ""); 0],
        "{}",
        said(&site)
    );
    assert_eq!(site.console.faults(), [""; 0], "{}", said(&site));

    for (what, test, code) in [
        (
            Break::Stage("light_left_dead"),
            TestWhat::Lights,
            "hw.light.left_dead",
        ),
        (
            Break::Stage("light_right_dead"),
            TestWhat::Lights,
            "hw.light.right_dead",
        ),
        (
            Break::Stage("microphone_silent"),
            TestWhat::Microphone,
            "hw.mic.silent",
        ),
        (
            Break::Stage("speaker_silent"),
            TestWhat::Speaker,
            "hw.speaker.silent",
        ),
        (
            Break::Stage("clock_behind"),
            TestWhat::Clock,
            "hw.clock.wrong",
        ),
        (
            Break::Stage("disk_full"),
            TestWhat::Storage,
            "hw.storage.full",
        ),
        (
            Break::Stage("camera_covered"),
            TestWhat::Camera,
            "hw.camera.covered",
        ),
        (Break::Wallet, TestWhat::Network, "net.backend_unreachable"),
    ] {
        match what {
            Break::Stage(name) => site.stage.ask(&format!("{{\"break\":\"{name}\"}}")),
            Break::Wallet => {
                site.wallet = None;
                // The uplink tells it when it has missed it twice.
                site.console.wait_for_fault(code, true);
            }
        }
        let report = site.console.test(test);
        assert_eq!(
            report.code,
            Code::Fail,
            "{what:?}: {report:#?}\n{}",
            said(&site)
        );
        let failed = failing(&report);
        assert!(
            failed.first().is_some_and(|r| !r.mend.is_empty()),
            "{what:?}: {report:#?}\n{}",
            said(&site)
        );
        site.console.wait_for_fault(code, true);
        let status = site.console.run(Command::Show(Topic::Status));
        assert_ne!(status.code, Code::Ok, "{status:?}");

        match what {
            Break::Stage(name) => site.stage.ask(&format!("{{\"mend\":\"{name}\"}}")),
            Break::Wallet => {
                let config = site.furnished.config("wallet");
                site.wallet = Some(Running::start(&["wallet", "--config", &config]));
                site.console.wait_for_fault(code, false);
            }
        }
        let mut report = site.console.test(test);
        if !failing(&report).is_empty() {
            // A camera is well when frames have been good for a while.
            report = site.console.test(test);
        }
        assert!(
            failing(&report).is_empty(),
            "{what:?} mended: {report:#?}\n{}",
            said(&site)
        );
        site.console.wait_for_fault(code, false);
    }
    assert_eq!(site.console.faults(), [""; 0], "{}", said(&site));
    let health = site.console.run(Command::Show(Topic::Health));
    assert!(rows(&health).count() >= 12, "{health:#?}");
    let left = site.console.run(Command::MaintenanceLeave);
    assert_eq!(left.code, Code::Ok, "{left:?}");
}
