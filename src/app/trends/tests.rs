//! What reaches the trends, and when.

use super::*;
use crate::base::ids::Language;
use crate::base::time::{Clock as _, ManualClock, WallTime};
use crate::guidance::model::UiModel;
use crate::perception::observation::{
    DocumentObservation, FaceLight, FaceObservation, LightState, PrimaryFace, SceneLight,
};
use std::sync::Arc;

struct Bench {
    keeper: TrendKeeper,
    samples: Samples,
    asked: Receiver<Ask>,
    clock: Arc<ManualClock>,
    looking: Looking,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let clock = Arc::new(ManualClock::new(
            Moment::from_millis(1000),
            WallTime(1_800_000_000_000),
        ));
        let (samples, receiver) = Samples::channel();
        let (asks, asked) = bounded(1);
        let (events, _) = bounded(1);
        let keeper = TrendKeeper {
            trends: Trends::open(&dir.path().join("trends.db")),
            samples: receiver,
            asks,
            eye: Eye::default(),
            senses: Senses::default(),
            desk: Desk::new(events, clock.clone()),
            faults: Faults::in_memory(),
            clock: clock.clone(),
        };
        keeper.senses.lock().microphone_dbfs = Some(-60.0);
        Self {
            keeper,
            samples,
            asked,
            clock,
            looking: Looking::default(),
            _dir: dir,
        }
    }

    fn seconds(&mut self, n: u64) {
        for _ in 0..n {
            self.clock.advance(Duration::from_secs(1));
            self.keeper.turn(&mut self.looking);
        }
    }

    fn show(&self, screen: Screen) {
        self.keeper
            .desk
            .note_ui(&UiModel::bare(screen, Language::En));
    }

    /// Samples of a measure so far.
    fn n(&self, measure: Measure) -> u32 {
        self.keeper.trends.judged(self.clock.wall());
        let csv = self.keeper.trends.days_as_csv();
        let name = measure.spec().name;
        let row = csv.lines().find(|l| l.starts_with(name));
        row.and_then(|l| l.split(',').nth(2)?.parse().ok())
            .unwrap_or(0)
    }
}

#[test]
fn only_the_empty_booth_is_looked_at() {
    let mut bench = Bench::new();
    bench.seconds(60);
    assert_eq!(bench.n(Measure::NoiseFloor), 0, "it starts");
    bench.show(Screen::Idle);
    bench.seconds(9);
    assert_eq!(
        bench.n(Measure::NoiseFloor),
        0,
        "somebody may still be there"
    );
    bench.seconds(62);
    assert_eq!(bench.n(Measure::NoiseFloor), 3);
    bench.keeper.desk.note_serving(true);
    bench.seconds(60);
    bench.keeper.desk.note_serving(false);
    bench.show(Screen::Maintenance);
    bench.seconds(60);
    assert_eq!(bench.n(Measure::NoiseFloor), 3, "served, or in maintenance");
    bench.show(Screen::Idle);
    bench.seconds(11);
    assert_eq!(bench.n(Measure::NoiseFloor), 4);
    bench.keeper.senses.lock().microphone_fault = Some("hw.mic.absent");
    bench.seconds(60);
    assert_eq!(bench.n(Measure::NoiseFloor), 4, "a microphone that is away");
    // Without a picture nothing is asked.
    assert!(bench.asked.is_empty());
}

#[test]
fn samples_of_a_full_queue_are_dropped_and_nobody_waits() {
    let mut bench = Bench::new();
    for i in 0..200u8 {
        bench.samples.put(Measure::Processor, f32::from(i));
    }
    bench.seconds(1);
    assert_eq!(bench.n(Measure::Processor), WAITING as u32);
    bench.samples.put(Measure::Processor, f32::NAN);
    bench.seconds(1);
    assert_eq!(bench.n(Measure::Processor), WAITING as u32);
}

fn observation(seen: Seen, settled: bool) -> Observation {
    Observation {
        at: Moment::ZERO,
        sequence: 0,
        scene: SceneLight::default(),
        light: LightState {
            settled,
            ..LightState::default()
        },
        seen,
        took_us: 0,
    }
}

#[test]
fn a_session_gives_one_figure_of_each() {
    let face = |mean: f32, detection_score: f32| {
        let primary = PrimaryFace {
            bounds: Default::default(),
            detection_score,
            five_points: Default::default(),
            inter_eye_px: 100.0,
            presence: 1.0,
            pose: Default::default(),
            quality: Default::default(),
            light: FaceLight {
                mean,
                ..FaceLight::default()
            },
            pad_score: None,
            comparison_score: None,
        };
        Seen::Face(Box::new(FaceObservation {
            n_faces: 1,
            primary: Some(primary),
            document_in_hand: false,
        }))
    };
    let unread = Seen::Document(Box::new(DocumentObservation {
        sharpness: 900.0,
        ..DocumentObservation::default()
    }));
    let (samples, receiver) = Samples::channel();
    let mut session = OfSession::default();
    session.end(&samples);
    assert!(receiver.is_empty(), "nobody was there");
    for (seen, settled) in [
        (face(0.2, 0.9), false),
        (face(0.4, 0.9), true),
        (face(0.45, 0.9), true),
        (face(0.9, 0.3), true),
        (unread, true),
    ] {
        session.see(&observation(seen, settled));
    }
    session.end(&samples);
    session.end(&samples);
    let given: Vec<_> = receiver.try_iter().collect();
    assert_eq!(given, [(Measure::FaceLuminance, 45.0)]);
}
