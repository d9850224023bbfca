//! A technician at a booth that runs: wallet, uplink and booth as processes, things broken on the virtual stage, and what the control
//! socket says of them before and after they are mended.

use crate::furnished::{Furnished, Running, turn};
use crate::pty::{Technician, compare, furnish_for, measured};
use base64::Engine as _;
use boothd::technician::command::{
    CalibrateWhat, Command, ConfigCommand, IdleLanguage, InspectItem, InspectResult, LogLevel,
    LogModule, Operator, RebootReason, Role, SessionQuery, Setting, TestWhat, Topic, WorkOrder,
};
use boothd::technician::control::{BLOCK, ControlClient, Heard, Request, Tell};
use boothd::technician::report::{Body, Code, Report, Row, Section, Value, Verdict};
use boothd::trust::keys::PublicKey;
use boothd::trust::{hex, unbase64url};
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
    role: Role,
    /// What every question is answered by.
    choice: Option<usize>,
    /// Blocks of a bundle, put together.
    blocks: Vec<u8>,
    /// The newest live picture, and whether one is enough.
    live: Vec<Section>,
    stop_after_live: bool,
}

impl Console {
    fn run(&mut self, command: Command) -> Report {
        self.id += 1;
        let operator = Operator {
            role: self.role,
            work_order: WorkOrder::try_from("WO-1".to_owned()).expect("a number"),
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
                    Tell::Question { id, .. } => {
                        let choice = self.choice.expect("no question is expected");
                        self.client.choose(id, choice).expect("the booth listens");
                    }
                    Tell::Blocks { base64, .. } => {
                        let engine = base64::engine::general_purpose::STANDARD;
                        self.blocks.extend(engine.decode(base64).expect("base64"));
                    }
                    Tell::Live { id, sections } => {
                        self.live = sections;
                        if self.stop_after_live {
                            self.client.stop(id).expect("the booth listens");
                        }
                    }
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
}

/// The items that fail. How many frames a second a virtual camera gives on a machine that does other things, too, is no matter of this test.
fn failing(report: &Report) -> Vec<&str> {
    rows(report)
        .filter(|r| r.verdict == Some(Verdict::Fail) && r.item != "frame rate")
        .map(|r| r.item.as_str())
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
        // A bright branch: through a cover comes some light, else the lens would be told to be dark.
        let light = "[ambient]\nleft_lux = 900.0\nright_lux = 900.0\n";
        let empty = format!("name = \"empty\"\n[room]\npicture = {room:?}\n{light}");
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
            .replace("width = 1280", "width = 320")
            .replace("height = 720", "height = 180");
        std::fs::write(furnished.path("board.toml"), board).expect("written");
        furnished.change("uplink.toml", "url =", "probe_every_s = 1\nurl =");

        let wallet = Running::start(&["wallet", "--config", &furnished.config("wallet")]);
        let mut booth = Running::start(&["run", "--config", &furnished.config("run")]);
        let uplink = Running::start(&["uplink", "--config", &furnished.config("uplink")]);
        booth.wait_for("self-test");
        let stage = UnixStream::connect(furnished.path("stage.sock")).expect("a stage");
        Self {
            wallet: Some(wallet),
            _uplink: uplink,
            booth,
            stage: Stage(BufReader::new(stage)),
            furnished,
        }
    }

    /// A console that leaves the booth as it is.
    fn look_only(&self) -> Console {
        let client =
            ControlClient::connect(&self.furnished.path("control.sock")).expect("a socket");
        Console {
            client,
            id: 0,
            role: Role::Service,
            choice: None,
            blocks: Vec::new(),
            live: Vec::new(),
            stop_after_live: false,
        }
    }

    /// A console that keeps customers out.
    fn console(&self) -> Console {
        let mut console = self.look_only();
        let refused = console.test(TestWhat::Quick);
        assert_eq!(refused.code, Code::Maintenance, "{refused:?}");
        let entered = console.run(Command::MaintenanceEnter { wait_s: 30 });
        assert_eq!(entered.code, Code::Ok, "{entered:?}");
        console
    }

    fn breaks(&mut self, what: Break) {
        match what {
            Break::Stage(name) => self.stage.ask(&format!("{{\"break\":\"{name}\"}}")),
            Break::Wallet => self.wallet = None,
        }
    }

    fn mends(&mut self, what: Break) {
        match what {
            Break::Stage(name) => self.stage.ask(&format!("{{\"mend\":\"{name}\"}}")),
            Break::Wallet => {
                let config = self.furnished.config("wallet");
                self.wallet = Some(Running::start(&["wallet", "--config", &config]));
            }
        }
    }
}

impl Site {
    /// Tests until the test says that the fault is there, or not. On a machine that is busy a camera may give too few pictures for a test, and
    /// it needs a moment to be well again.
    fn until(&self, console: &mut Console, test: TestWhat, code: &str, there: bool) -> Report {
        let began = Instant::now();
        loop {
            let report = console.test(test);
            let is_there = console.faults().iter().any(|f| f == code);
            if is_there == there && failing(&report).is_empty() != there {
                return report;
            }
            assert!(
                began.elapsed() < LIMIT,
                "{code} expected: {there}, found: {report:#?}\n{}",
                self.booth.said()
            );
        }
    }
}

/// What is broken, how, which test finds it, and as what.
#[derive(Clone, Copy, Debug)]
enum Break {
    Stage(&'static str),
    Wallet,
}

/// What is broken and mended over the line: name of the transcript, what is tested, the fault's code.
const MENDED: [(Break, &str, &str, &str); 6] = [
    (
        Break::Stage("camera_covered"),
        "covered-camera",
        "camera",
        "hw.camera.covered",
    ),
    (
        Break::Stage("microphone_silent"),
        "muted-microphone",
        "microphone",
        "hw.mic.silent",
    ),
    (
        Break::Stage("light_left_dead"),
        "dead-led-side",
        "lights",
        "hw.light.left_dead",
    ),
    (
        Break::Stage("clock_behind"),
        "wrong-clock",
        "clock",
        "hw.clock.wrong",
    ),
    (
        Break::Wallet,
        "wallet-unreachable",
        "network",
        "net.backend_unreachable",
    ),
    (
        Break::Stage("disk_full"),
        "full-disk",
        "storage",
        "hw.storage.full",
    ),
];

/// Which of them is mended in Chinese, too.
const IN_CHINESE: &str = "muted-microphone";

#[test]
fn a_technician_finds_what_is_broken_and_can_ask_everything() {
    let _turn = turn();
    let mut site = Site::open();
    the_first_rows_of_trends_appear(&mut site);
    what_is_broken_is_mended_over_the_line(&mut site);
    let mut console = site.console();
    what_is_broken_is_found_by_the_test_and_gone_when_it_is_mended(&mut site, &mut console);
    every_command_is_answered(&mut site, &mut console);
}

/// The empty booth is measured by itself, and `show trends` has the figures of its first minute: what the camera, the microphone and the board
/// say. Nothing is judged of one day.
fn the_first_rows_of_trends_appear(site: &mut Site) {
    let mut console = site.look_only();
    let began = Instant::now();
    loop {
        let report = console.run(Command::Show(Topic::Trends));
        assert_eq!(report.code, Code::Ok, "{report:#?}");
        let Some(Body::Table { rows, .. }) = report.sections.first().map(|s| &s.body) else {
            panic!("{report:#?}");
        };
        let now = |name: &str| {
            let row = rows.iter().find(|row| row[0] == name);
            // In how many days it is judged.
            row.map(|row| (row[1] != "-", row[5].starts_with("in ")))
        };
        let there = Some((true, true));
        let first = ["noise floor", "processor", "low supply", "room light"];
        if first.iter().all(|name| now(name) == there) {
            // Nobody has tested the lights yet.
            assert_eq!(now("left side of ring"), Some((false, true)));
            return;
        }
        assert!(
            began.elapsed() < LIMIT,
            "{report:#?}\n{}",
            site.booth.said()
        );
        // The booth is looked at every half minute.
        let _ = console.client.hear(Duration::from_millis(500));
    }
}

/// At the booth's serial line: each fault is found, mended, and seen to be gone, and the desk closes the work order. The transcripts are
/// `tests/golden/console/mend-*.txt`, with `#` for what is measured. One technician speaks Chinese.
fn what_is_broken_is_mended_over_the_line(site: &mut Site) {
    let folder = site.furnished.path("");
    furnish_for(&folder, "BOOTH-TEST");
    let in_english = MENDED.map(|mended| (mended, ""));
    let in_chinese = MENDED.iter().filter(|m| m.1 == IN_CHINESE);
    let all = in_english
        .into_iter()
        .chain(in_chinese.map(|m| (*m, "-zh")));
    for (n, ((what, name, test, code), language)) in all.enumerate() {
        site.breaks(what);
        let mut technician = Technician::sit_down_at(&folder, "BOOTH-TEST");
        if !language.is_empty() {
            technician.asks_for_chinese();
        }
        technician.logs_in("service", &format!("WO-{}", n + 1));
        let prompt = "BOOTH-TEST service> ";
        let inside = "BOOTH-TEST service maint> ";
        technician.types("maintenance enter", inside);
        // The room before this camera has no edge that its sharpness could be measured on.
        let well = if test == "camera" {
            "result 3 not_tested"
        } else {
            "result 0 ok"
        };
        let test = format!("test {test}");
        technician.types_until(&test, inside, "result 2 fail");
        technician.types_until("show faults", inside, code);
        site.mends(what);
        technician.types_until(&test, inside, well);
        technician.types("maintenance leave", prompt);
        technician.types_until("show faults", prompt, "result 0 ok");
        let closing = technician.types("logout", "BOOTH-TEST> ");
        assert_eq!(technician.desk_closes(&closing), Ok(()), "{closing}");
        compare(
            &format!("mend-{name}{language}"),
            &measured(&technician.transcript(), &MENDED.map(|m| m.3)),
        );
    }
}

fn what_is_broken_is_found_by_the_test_and_gone_when_it_is_mended(
    site: &mut Site,
    console: &mut Console,
) {
    let all = console.test(TestWhat::All);
    assert_eq!(failing(&all), [""; 0], "{}", site.booth.said());
    assert_eq!(console.faults(), [""; 0], "{}", site.booth.said());
    // The others: over the line, above.
    for (what, test, code) in [
        (
            Break::Stage("light_right_dead"),
            TestWhat::Lights,
            "hw.light.right_dead",
        ),
        (
            Break::Stage("speaker_silent"),
            TestWhat::Speaker,
            "hw.speaker.silent",
        ),
    ] {
        site.breaks(what);
        let report = site.until(console, test, code, true);
        assert_eq!(report.code, Code::Fail, "{what:?}: {report:#?}");
        let bad = |r: &&Row| r.verdict == Some(Verdict::Fail);
        assert!(
            rows(&report).filter(bad).all(|r| !r.mend.is_empty()),
            "{what:?}: {report:#?}"
        );
        let status = console.run(Command::Show(Topic::Status));
        assert_ne!(status.code, Code::Ok, "{status:?}");
        site.mends(what);
        site.until(console, test, code, false);
    }
    assert_eq!(console.faults(), [""; 0], "{}", site.booth.said());
    let health = console.run(Command::Show(Topic::Health));
    assert!(rows(&health).count() >= 12, "{health:#?}");
}

/// The value of a row as text.
fn value(report: &Report, item: &str) -> String {
    let row = rows(report).find(|r| r.item == item);
    let row = row.unwrap_or_else(|| panic!("no `{item}` in {report:#?}"));
    match &row.value {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Whole(n)) => n.to_string(),
        other => format!("{other:?}"),
    }
}

fn every_command_is_answered(site: &mut Site, console: &mut Console) {
    let state = site.furnished.path("state");
    for topic in Topic::ALL {
        let report = console.run(Command::Show(*topic));
        let bad = [Code::Failed, Code::NotBuilt, Code::TimedOut];
        assert!(!bad.contains(&report.code), "{topic:?}: {report:#?}");
    }
    let ok = |report: Report| assert_eq!(report.code, Code::Ok, "{report:#?}");

    let log = console.run(Command::Log { lines: 200 });
    let Some(Body::Lines(lines)) = log.sections.first().map(|s| &s.body) else {
        panic!("{log:#?}");
    };
    assert!(lines.iter().any(|l| l.contains("self-test")), "{lines:#?}");
    let query = SessionQuery::try_from("ABCD-EF01".to_owned()).expect("a reference");
    assert_eq!(console.run(Command::Session(query)).code, Code::NotFound);

    // Nothing is kept of a dry run.
    for dry_run in [true, false] {
        for what in CalibrateWhat::ALL {
            let report = console.run(Command::Calibrate {
                what: *what,
                dry_run,
            });
            assert_eq!(failing(&report), [""; 0], "{report:#?}");
        }
        assert_eq!(state.join("devices.json").exists(), !dry_run);
    }
    let lights = console.test(TestWhat::Lights);
    let trends = console.run(Command::Show(Topic::Trends));
    let Some(Body::Table { rows: lines, .. }) = trends.sections.first().map(|s| &s.body) else {
        panic!("{trends:#?}");
    };
    let side = |name: &str| {
        lines
            .iter()
            .find(|row| row[0] == name)
            .map(|row| row[1].ends_with("%/ms"))
    };
    for name in ["left side of ring", "right side of ring"] {
        assert_eq!(side(name), Some(true), "{trends:#?}");
    }
    let calibrated = rows(&lights).find(|r| r.item == "of calibrated");
    assert_eq!(
        calibrated.and_then(|r| r.verdict),
        Some(Verdict::Ok),
        "{lights:#?}"
    );

    ok(console.run(Command::LogLevel {
        module: LogModule::Hal,
        level: LogLevel::Debug,
        minutes: 1,
    }));
    ok(console.run(Command::Inspection {
        item: InspectItem::Lens,
        result: InspectResult::Cleaned,
    }));
    assert!(state.join("inspections.json").exists());
    ok(console.run(Command::OutboxRetry));
    ok(console.run(Command::CameraReset));
    ok(console.run(Command::Locate { seconds: 5 }));
    let reboot = console.run(Command::Reboot {
        reason: RebootReason::Test,
    });
    assert_eq!(reboot.code, Code::NotTested, "no unit waits for it here");

    // A setting comes into force, and nothing is on the disk before it is confirmed.
    let set = Setting::Language(IdleLanguage::En);
    let committed = ConfigCommand::CommitConfirmed { minutes: 5 };
    for (command, expected) in [
        (ConfigCommand::Set(set), Code::Role),
        (ConfigCommand::Show, Code::Ok),
        (ConfigCommand::Diff, Code::Ok),
    ] {
        assert_eq!(console.run(Command::Config(command)).code, expected);
    }
    console.role = Role::Reset;
    for command in [
        ConfigCommand::Set(set),
        committed,
        ConfigCommand::Show,
        ConfigCommand::Confirm,
    ] {
        let confirmed = state.join("settings.json").exists();
        assert!(!confirmed, "before {command:?}");
        ok(console.run(Command::Config(command)));
    }
    assert!(state.join("settings.json").exists());
    console.role = Role::Service;

    // The bundle arrives whole, from any block on.
    let bundle = console.run(Command::BundleCreate);
    let sha256 = value(&bundle, "sha256");
    let n_blocks: usize = value(&bundle, "blocks").parse().expect("a number");
    ok(console.run(Command::BundleSend { from_block: 0 }));
    let whole = std::mem::take(&mut console.blocks);
    assert_eq!(whole.len().div_ceil(BLOCK), n_blocks);
    assert_eq!(hex(&boothd::trust::sha256(&whole)), sha256);
    ok(console.run(Command::BundleSend { from_block: 3 }));
    assert_eq!(console.blocks, whole[3 * BLOCK..]);
    let beyond = u32::try_from(n_blocks).expect("few");
    let report = console.run(Command::BundleSend { from_block: beyond });
    assert_eq!(report.code, Code::Argument, "{report:?}");

    // Live pictures go on until they are stopped.
    console.stop_after_live = true;
    ok(console.run(Command::CameraLive));
    let picture = std::mem::take(&mut console.live);
    let lines = picture.iter().find_map(|s| match &s.body {
        Body::Lines(lines) => Some(lines),
        _ => None,
    });
    let lines = lines.expect("a picture in characters");
    assert!(
        lines.len() == 16 && lines.iter().all(|l| l.len() == 72 && l.is_ascii()),
        "{lines:#?}"
    );
    ok(console.run(Command::MicrophoneVu));
    console.stop_after_live = false;

    // The installation is accepted, and the booth has signed it.
    console.choice = Some(0);
    let site_report = console.run(Command::SiteAccept);
    let key = PublicKey::read(&site.furnished.path("keys/booth-sign.pub.pem")).expect("a key");
    let record = std::fs::read_to_string(state.join("site.jws")).expect("a record");
    let payload = record.split('.').nth(1).expect("a payload");
    let record_said: serde_json::Value =
        serde_json::from_slice(&unbase64url(payload).expect("base64url")).expect("JSON");
    assert_eq!(record_said["accepted"], site_report.code == Code::Ok);
    assert_eq!(record_said["answers"]["tone"], "yes");
    let (signed, signature) = record.rsplit_once('.').expect("a JWS");
    let signature = unbase64url(signature).expect("base64url");
    let signature: [u8; 64] = signature.try_into().expect("64 bytes");
    assert!(key.verifies(signed.as_bytes(), &signature));

    // A session that runs is not disturbed, and practice is one.
    ok(console.run(Command::Practice));
    for (command, expected) in [
        (Command::Test(TestWhat::Quick), Code::Session),
        (Command::Practice, Code::Session),
        (Command::Show(Topic::Policy), Code::Ok),
    ] {
        assert_eq!(console.run(command).code, expected);
    }
    ok(console.run(Command::MaintenanceLeave));

    // The wallet has been told how the booth is.
    let told = site.wallet.as_ref().map(Running::said);
    assert!(
        told.as_ref()
            .is_some_and(|t| t.contains("BOOTH-TEST faults=")),
        "{told:?}"
    );
    ok(console.run(Command::Show(Topic::Version)));
}
