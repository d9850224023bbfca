//! The devices behind their ports, and the recorder.

use super::super::camera::VirtCamera;
use super::super::devices::{VirtButtons, VirtStorage};
use super::super::scene::FaultWhat;
use super::super::sound::{VirtMicrophone, VirtSpeaker};
use super::super::{VirtClock, VirtConfig, VirtError, open};
use super::*;
use crate::base::frame::{Frame, PixelFormat};
use crate::base::time::{Clock as _, SystemClock};
use crate::hal::light::LightLevels;
use crate::hal::{
    Buttons as _, Camera, CameraControls, DeviceFault, FaultKind, Microphone, PanelImage,
    PanelKind, Speaker as _, Storage as _,
};
use std::time::Duration;

const SIZE: (u32, u32) = (320, 180);
const NOW: Duration = Duration::ZERO;

struct Booth {
    clock: Arc<ManualClock>,
    world: Arc<World>,
    camera: VirtCamera,
    frame: Frame,
}

impl Booth {
    fn new(drawn: &Drawn, tables: &str) -> Self {
        let clock = clock();
        let world = world(&clock, SIZE);
        let set = Set::load(&drawn.scene("", tables), Some(TICKET), SIZE.0, SIZE.1)
            .unwrap_or_else(|e| panic!("{e}"));
        world.play(set).expect("nobody is on the stage");
        let camera = VirtCamera::new(world.clone(), SIZE.0, SIZE.1, 25.0);
        Self {
            clock,
            world,
            camera,
            frame: Frame::new(SIZE.0, SIZE.1, PixelFormat::Yuyv),
        }
    }

    fn next(&mut self) -> Result<(), DeviceFault> {
        self.clock.advance(Duration::from_millis(40));
        self.camera.capture(&mut self.frame, NOW)
    }
}

#[test]
fn settings_take_effect_two_frames_later_and_stay_in_the_limits() {
    let drawn = Drawn::new();
    let mut booth = Booth::new(&drawn, "");
    let mut exposures = Vec::new();
    for i in 0..8 {
        let ask = match i {
            1 => Some(CameraControls {
                exposure_us: 5000,
                gain: 2.0,
            }),
            4 => Some(CameraControls {
                exposure_us: 90_000,
                gain: f32::NAN,
            }),
            _ => None,
        };
        if let Some(controls) = ask {
            booth
                .camera
                .set_controls(controls)
                .expect("nothing is broken");
        }
        booth.next().expect("a frame is due");
        exposures.push((
            booth.frame.meta.exposure_us.unwrap_or(0),
            booth.frame.meta.gain.unwrap_or(0.0),
        ));
    }
    let (old, mid, new) = ((10_000, 1.0), (5000, 2.0), (33_000, 1.0));
    assert_eq!(exposures, [old, old, old, mid, mid, mid, new, new]);
}

#[test]
fn frames_come_when_they_are_due_and_a_gap_shows_what_was_missed() {
    let drawn = Drawn::new();
    let mut booth = Booth::new(&drawn, "");
    let early = booth
        .camera
        .capture(&mut booth.frame, NOW)
        .expect_err("none is due yet");
    assert_eq!(early.kind, FaultKind::NoFrames);
    booth.next().expect("a frame is due");
    let first = booth.frame.meta;
    assert_eq!(
        (first.sequence, first.captured),
        (1, Moment::from_millis(1040))
    );
    booth.clock.advance(Duration::from_millis(110));
    booth.next().expect("a frame is due");
    assert_eq!(
        (booth.frame.meta.sequence, booth.frame.meta.captured),
        (4, Moment::from_millis(1160))
    );
}

#[test]
fn faults_come_when_the_scene_says() {
    let drawn = Drawn::new();
    let check = |what: &str, kind: FaultKind| {
        let mut booth = Booth::new(
            &drawn,
            &format!("[[faults]]\nwhat = \"{what}\"\nfrom_ms = 100\nfor_ms = 200"),
        );
        let outcomes: Vec<_> = (0..10)
            .map(|_| booth.next().err().map(|f| f.kind))
            .collect();
        assert_eq!(outcomes[..2], [None, None], "{what}");
        assert_eq!(outcomes[3], Some(kind), "{what}");
        assert_eq!(outcomes[8..], [None, None], "{what}");
    };
    check("camera_absent", FaultKind::Absent);
    check("camera_busy", FaultKind::Busy);
    check("camera_permission", FaultKind::Permission);
    check("camera_no_frames", FaultKind::NoFrames);
}

#[test]
fn a_frozen_and_a_dark_camera_go_on_giving_frames() {
    let drawn = Drawn::new();
    let mut booth = Booth::new(
        &drawn,
        "[[faults]]\nwhat = \"camera_frozen\"\nafter_screen = \"face.*\"\nmended_by_reopen = true",
    );
    booth.next().expect("a frame is due");
    booth.world.show("face.look");
    let before = booth.frame.data().to_vec();
    booth.next().expect("a frame is due");
    assert!(
        booth.frame.data() == before && booth.frame.meta.sequence == 2,
        "frozen"
    );
    booth.camera.reopen().expect("it is there");
    booth.next().expect("a frame is due");
    assert!(booth.frame.data() != before, "mended");
    let mut booth = Booth::new(&drawn, "[[faults]]\nwhat = \"camera_dark\"");
    booth.next().expect("a frame is due");
    let brightest = booth.frame.data().chunks_exact(2).map(|p| p[0]).max();
    assert!(brightest < Some(40), "{brightest:?}");
}

#[test]
fn the_microphone_gives_its_noise_floor_in_time() {
    let drawn = Drawn::new();
    let clock = clock();
    let world = world(&clock, SIZE);
    let set = Set::load(
        &drawn.scene("", "[audio]\nnoise_floor_dbfs = -40.0"),
        Some(TICKET),
        SIZE.0,
        SIZE.1,
    )
    .expect("a good scene");
    world.play(set).expect("nobody is on the stage");
    let mut microphone = VirtMicrophone::new(world);
    let mut samples = vec![0; 8000];
    clock.advance(Duration::from_millis(250));
    let (n, at) = microphone
        .read(&mut samples, NOW)
        .expect("nothing is broken");
    assert_eq!((n, at), (4000, Moment::from_millis(1000)));
    let power = samples[..n]
        .iter()
        .map(|s| (f64::from(*s) / 32768.0).powi(2))
        .sum::<f64>()
        / n as f64;
    let dbfs = 10.0 * power.log10();
    assert!((dbfs + 40.0).abs() < 0.5, "{dbfs}");
    clock.advance(Duration::from_secs(5));
    let lost = microphone
        .read(&mut samples, NOW)
        .expect_err("five seconds are more than it keeps");
    assert_eq!(lost.kind, FaultKind::Overrun);
    assert!(
        microphone
            .read(&mut samples, NOW)
            .is_ok_and(|(n, _)| n == 8000)
    );
}

#[test]
fn the_microphone_hears_the_speaker_unless_one_of_them_is_broken() {
    // A quarter of full scale at 1 kHz.
    let sine = |i: u16| (8192.0 * (std::f32::consts::TAU * f32::from(i) / 16.0).sin()) as i16;
    let played: Vec<i16> = (0..6400).map(sine).collect();
    let dbfs = |broken: &[FaultWhat]| {
        let clock = clock();
        let world = world(&clock, SIZE);
        broken.iter().for_each(|what| world.break_by_hand(*what));
        let mut microphone = VirtMicrophone::new(world.clone());
        let mut speaker = VirtSpeaker(world.clone());
        let mut samples = vec![0; 8000];
        speaker.play(&played).expect("it is there");
        clock.advance(Duration::from_millis(300));
        let (n, _) = microphone.read(&mut samples, NOW).expect("it is there");
        let last = &samples[n - 3200..n];
        let sum: f64 = last
            .iter()
            .map(|s| (f64::from(*s) / 32_768.0).powi(2))
            .sum();
        10.0 * (sum / 3200.0).max(1e-12).log10()
    };
    let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1.0, "{found}");
    near(dbfs(&[]), -35.0);
    near(dbfs(&[FaultWhat::SpeakerSilent]), -62.0);
    near(dbfs(&[FaultWhat::MicrophoneSilent]), -120.0);
}

#[test]
fn what_is_broken_by_hand_stays_so_in_the_empty_booth_until_it_is_mended() {
    let clock = clock();
    let wall = Arc::new(VirtClock::default());
    let empty = Set::empty(SIZE.0, SIZE.1).expect("the empty booth needs no file");
    let world = Arc::new(World::new(
        clock,
        empty,
        None,
        None,
        Some(Arc::clone(&wall)),
    ));
    let mut storage = VirtStorage(world.clone());
    let folder = tempfile::tempdir().expect("a folder for the test");
    let mut buttons = VirtButtons(world.clone());
    let days = || (SystemClock.wall().0 - wall.wall().0 + 3_600_000) / 86_400_000;
    let mut look = || {
        let disk = storage.read(folder.path()).expect("it is there");
        let down = buttons.down().expect("they are there");
        (disk.free_bytes == 0, disk.read_only, down.len(), days())
    };
    let well = look();
    assert_eq!((well.0, well.2, well.3), (false, 0, 0));
    let all = [
        FaultWhat::DiskFull,
        FaultWhat::DiskReadOnly,
        FaultWhat::ButtonStuck,
        FaultWhat::ClockBehind,
    ];
    all.iter().for_each(|what| world.break_by_hand(*what));
    assert_eq!(look(), (true, true, 1, 2));
    all.iter().for_each(|what| world.mend_by_hand(*what));
    assert_eq!(look(), well);
}

fn image(screen: &'static str, colour: u16) -> PanelImage {
    PanelImage {
        kind: PanelKind::St7789,
        screen,
        pixels: vec![colour; 320 * 240],
    }
}

#[test]
fn what_the_devices_were_told_is_written_down() {
    let drawn = Drawn::new();
    let record_dir = drawn.path("record");
    let config = VirtConfig {
        width: SIZE.0,
        height: SIZE.1,
        record_dir: Some(record_dir.clone()),
        record_every_n_frames: 2,
        ..VirtConfig::default()
    };
    let clock = clock();
    let (mut devices, stage) = open(&config, clock.clone(), None).unwrap_or_else(|e| panic!("{e}"));
    stage
        .play(&drawn.scene("", ""), Some(TICKET))
        .unwrap_or_else(|e| panic!("{e}"));
    let again = stage
        .play(&drawn.scene("", ""), Some(TICKET))
        .expect_err("one at a time")
        .to_string();
    assert!(
        again.contains("scene drawn is still being played"),
        "{again}"
    );
    let panel = devices.panel.as_mut().expect("it has one");
    let panel = panel.device().expect("it is open");
    panel
        .show(&image("idle", 0xf800))
        .expect("nothing is broken");
    panel
        .show(&image("idle", 0xf800))
        .expect("nothing is broken");
    panel
        .show(&image("consent", 0x07e0))
        .expect("nothing is broken");
    let wrong = PanelImage {
        pixels: vec![0; 5],
        ..image("idle", 0)
    };
    assert_eq!(
        panel.show(&wrong).expect_err("too few pixels").kind,
        FaultKind::WrongDevice
    );
    devices
        .lights
        .as_mut()
        .expect("it has some")
        .device()
        .expect("they are on")
        .apply(LightLevels::white(7.0))
        .expect("nothing is broken");
    let mut frame = Frame::new(SIZE.0, SIZE.1, PixelFormat::Yuyv);
    for _ in 0..4 {
        clock.advance(Duration::from_millis(34));
        devices
            .camera
            .capture(&mut frame, NOW)
            .expect("a frame is due");
    }
    assert_eq!(stage.screen(), "consent");
    drop((devices, stage));
    let read = |name: &str| {
        std::fs::read_to_string(record_dir.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    };
    assert_eq!(read("panel.jsonl").lines().count(), 2);
    assert!(read("panel.jsonl").contains("panel/0002-consent.png"));
    assert!(read("lights.jsonl").contains("\"white\":1.0"));
    assert_eq!(read("camera.jsonl").lines().count(), 4);
    assert_eq!(read("frames.jsonl").lines().count(), 2);
    assert!(read("stage.jsonl").contains("scene drawn begins"));
    let panel = image::open(record_dir.join("panel/0001-idle.png"))
        .expect("a picture")
        .into_rgb8();
    assert_eq!(
        (panel.dimensions(), panel.get_pixel(0, 0).0),
        ((320, 240), [255, 0, 0])
    );
    assert!(image::open(record_dir.join("frames/00000002.jpg")).is_ok());
    assert!(read("recorder.json").contains("\"dropped\":0"));
}

#[test]
fn a_bad_board_file_is_refused() {
    let check = |config: VirtConfig, complaint: &str| {
        let error = open(&config, clock(), None)
            .expect_err(complaint)
            .to_string();
        assert!(
            error.contains(complaint) && error.contains("mend:"),
            "{error}"
        );
    };
    let good = VirtConfig::default;
    check(
        VirtConfig {
            width: 321,
            ..good()
        },
        "width is 321; allowed: even",
    );
    check(
        VirtConfig {
            frames_per_s: f32::NAN,
            ..good()
        },
        "frames_per_s is NaN",
    );
    check(
        VirtConfig {
            record_every_n_frames: 0,
            ..good()
        },
        "record_every_n_frames is 0",
    );
    check(
        VirtConfig {
            scene: Some("no.toml".into()),
            ..good()
        },
        "cannot read no.toml",
    );
    check(
        VirtConfig {
            record_dir: Some("/dev/null/x".into()),
            ..good()
        },
        "record_dir /dev/null/x",
    );
    check(
        VirtConfig {
            replay: Some("no-folder".into()),
            ..good()
        },
        "cannot read no-folder",
    );
    assert!(
        matches!(toml::from_str::<VirtConfig>("widht = 3"), Err(e) if e.to_string().contains("unknown field `widht`"))
    );
    let error: VirtError = open(
        &VirtConfig {
            stage_socket: Some("/no/folder/x.sock".into()),
            ..good()
        },
        clock(),
        None,
    )
    .expect_err("no such folder");
    assert!(error.to_string().contains("/no/folder/x.sock"), "{error}");
}
