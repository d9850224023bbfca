//! What all virtual devices share: the scene being played, the ring's light over time, the panel, the buttons.

use super::actor::{Actor, Ending, Happening, names};
use super::clock::VirtClock;
use super::pose::Pose;
use super::record::{Note, Recorder};
use super::scene::{Fault, FaultWhat};
use super::set::Set;
use crate::base::time::{Clock, Moment, SharedClock};
use crate::hal::light::LightLevels;
use crate::hal::{ButtonEvent, DeviceFault, DeviceKind, FaultKind, SAMPLE_RATE_HZ};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Changes of the ring's light that are kept: more than can happen in the longest exposure.
const RING_KEPT: usize = 64;
/// Button events that wait; a person cannot press more before they are read. When full, the oldest goes.
const BUTTONS_KEPT: usize = 32;

/// Pieces of sound that the speaker still has to play; when full, the oldest goes.
const SOUNDS_KEPT: usize = 8;
/// From the writing of a sample to its sound, as sound cards take.
const SPEAKER_DELAY: Duration = Duration::from_millis(40);
/// The way from the speaker to the microphone: 0.4 m, and what is left of the sound (-20 dB).
const SOUND_WAY: Duration = Duration::from_micros(1_170);
const SOUND_GAIN: f32 = 0.1;

/// When a piece of sound is over.
fn ends(from: Moment, samples: &[i16]) -> Moment {
    let ns = samples.len() as u64 * 1_000_000_000 / u64::from(SAMPLE_RATE_HZ);
    from.plus(Duration::from_nanos(ns))
}

/// A scene that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The scene's name.
    pub name: String,
    /// The screens that the panel showed, each change once.
    pub shown: Vec<String>,
    /// Why it is over: `result`, `no_result`, `ticket_refused`, `out_of_service` or `time`.
    pub why: &'static str,
}

#[derive(Debug)]
struct State {
    set: Arc<Set>,
    empty: Option<Arc<Set>>,
    actor: Option<Actor>,
    started: Moment,
    ring: VecDeque<(Moment, LightLevels)>,
    buttons: VecDeque<ButtonEvent>,
    screen: &'static str,
    shown: Vec<(&'static str, Moment)>,
    mended: bool,
    finished: Option<Finished>,
    /// What somebody has broken by hand; it stays so until it is mended, whatever is played.
    by_hand: BTreeSet<FaultWhat>,
    /// What the speaker plays: from when on, and the samples.
    played: VecDeque<(Moment, Vec<i16>)>,
}

/// The virtual booth behind its devices.
#[derive(Debug)]
pub(super) struct World {
    pub(super) clock: SharedClock,
    state: Mutex<State>,
    pressed: Condvar,
    recorder: Option<Recorder>,
    wall: Option<Arc<VirtClock>>,
}

/// What the camera sees.
#[derive(Debug)]
pub(super) struct View {
    pub(super) set: Arc<Set>,
    pub(super) pose: Pose,
    /// Mean over the exposure.
    pub(super) ring: LightLevels,
}

impl World {
    pub(super) fn new(
        clock: SharedClock,
        at_first: Set,
        empty: Option<Set>,
        recorder: Option<Recorder>,
        wall: Option<Arc<VirtClock>>,
    ) -> Self {
        let at_first = Arc::new(at_first);
        let empty = empty.map_or_else(|| Arc::clone(&at_first), Arc::new);
        let state = State {
            set: at_first,
            empty: Some(empty),
            actor: None,
            started: clock.now(),
            ring: VecDeque::new(),
            buttons: VecDeque::new(),
            screen: "",
            shown: Vec::new(),
            mended: false,
            finished: None,
            by_hand: BTreeSet::new(),
            played: VecDeque::new(),
        };
        Self {
            clock,
            state: Mutex::new(state),
            pressed: Condvar::new(),
            recorder,
            wall,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change under this lock is whole before the next can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes something down, if anybody wants it.
    pub(super) fn note(&self, note: Note) {
        if let Some(recorder) = &self.recorder {
            recorder.note(note);
        }
    }

    /// The recorder, if there is one.
    pub(super) const fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }

    /// Lets a person in. `Err` names the scene that is still being played.
    pub(super) fn play(&self, set: Set) -> Result<(), String> {
        let now = self.clock.now();
        let mut state = self.lock();
        if state.actor.is_some() {
            return Err(state.set.scene.name.clone());
        }
        let name = set.scene.name.clone();
        let mut actor = Actor::new(Arc::clone(&set.scene), now);
        state.set = Arc::new(set);
        state.started = now;
        state.mended = false;
        state.finished = None;
        state.shown.clear();
        if !state.screen.is_empty() {
            let screen = state.screen;
            state.shown.push((screen, now));
            actor.see(now, screen);
        }
        state.actor = Some(actor);
        drop(state);
        self.note(Note::Stage {
            at: now,
            text: format!("scene {name} begins"),
        });
        Ok(())
    }

    /// Does what is due; gives a scene that ended, once.
    pub(super) fn tick(&self) -> Option<Finished> {
        self.set_wall();
        let now = self.clock.now();
        let mut state = self.lock();
        let happened = Self::advance(&mut state, now);
        let finished = state.finished.take();
        drop(state);
        self.tell(happened);
        if let Some(f) = &finished {
            self.note(Note::Stage {
                at: now,
                text: format!("scene {} is over: {}", f.name, f.why),
            });
        }
        finished
    }

    fn advance(state: &mut State, now: Moment) -> Vec<Happening> {
        let Some(actor) = &mut state.actor else {
            return Vec::new();
        };
        let happened = actor.advance(now);
        for event in &happened {
            if let Happening::Button(event) = event {
                if state.buttons.len() == BUTTONS_KEPT {
                    state.buttons.pop_front();
                }
                state.buttons.push_back(*event);
            }
        }
        if let Some(ending) = actor.ending() {
            Self::finish(state, ending);
        }
        happened
    }

    fn finish(state: &mut State, ending: Ending) {
        state.finished = Some(Finished {
            name: state.set.scene.name.clone(),
            shown: state.shown.iter().map(|(s, _)| (*s).to_owned()).collect(),
            why: ending.name(),
        });
        state.actor = None;
        if let Some(empty) = &state.empty {
            state.set = Arc::clone(empty);
        }
    }

    fn tell(&self, happened: Vec<Happening>) {
        for event in happened {
            match event {
                Happening::Button(_) => self.pressed.notify_all(),
                Happening::Event(at, text) => self.note(Note::Stage {
                    at,
                    text: text.to_owned(),
                }),
            }
        }
    }

    /// The panel shows `screen`.
    pub(super) fn show(&self, screen: &'static str) {
        let now = self.clock.now();
        let mut state = self.lock();
        if state.screen == screen {
            return;
        }
        state.screen = screen;
        let mut happened = Vec::new();
        if state.actor.is_some() {
            state.shown.push((screen, now));
            happened = Self::advance(&mut state, now);
            if let Some(actor) = &mut state.actor {
                actor.see(now, screen);
            }
        }
        drop(state);
        self.tell(happened);
    }

    /// The screen that the panel shows; empty before the first.
    pub(super) fn screen(&self) -> &'static str {
        self.lock().screen
    }

    /// The ring is set to `levels`.
    pub(super) fn light(&self, levels: LightLevels) {
        let at = self.clock.now();
        let mut state = self.lock();
        if state.ring.len() == RING_KEPT {
            state.ring.pop_front();
        }
        state.ring.push_back((at, levels));
        drop(state);
        self.note(Note::Light { at, levels });
    }

    /// What a camera sees whose exposure of `exposure` ended at `at`.
    pub(super) fn view(&self, at: Moment, exposure: Duration) -> View {
        let mut state = self.lock();
        let happened = Self::advance(&mut state, at);
        let end = at.as_nanos();
        let start = end.saturating_sub(u64::try_from(exposure.as_nanos()).unwrap_or(0));
        let mut ring = mean_levels(&state.ring, start, end);
        if Self::is_broken(&state, FaultWhat::LightLeftDead, at) {
            ring.left = LightLevels::OFF.left;
        }
        if Self::is_broken(&state, FaultWhat::LightRightDead, at) {
            ring.right = LightLevels::OFF.right;
        }
        let pose = state.actor.as_ref();
        let pose = pose.map(|a| a.exposed(at, exposure)).unwrap_or_default();
        let view = View {
            set: Arc::clone(&state.set),
            pose,
            ring,
        };
        drop(state);
        self.tell(happened);
        view
    }

    /// Mean power of the ring now, 0..=1.
    pub(super) fn ring_power(&self) -> f32 {
        let state = self.lock();
        state
            .ring
            .back()
            .map_or(0.0, |(_, l)| (l.left.power() + l.right.power()) / 2.0)
    }

    /// The scene being played, and since when.
    pub(super) fn on_stage(&self) -> (Arc<Set>, Moment) {
        let state = self.lock();
        (Arc::clone(&state.set), state.started)
    }

    fn is_on(state: &State, fault: &Fault, now: Moment) -> bool {
        if fault.mended_by_reopen && state.mended {
            return false;
        }
        let base = match &fault.after_screen {
            None => Some(state.started),
            Some(pattern) => state
                .shown
                .iter()
                .find(|(s, _)| names(pattern, s))
                .map(|(_, at)| *at),
        };
        base.is_some_and(|base| {
            let from = base.plus(Duration::from_millis(fault.from_ms));
            let ended = fault
                .for_ms
                .is_some_and(|ms| now >= from.plus(Duration::from_millis(ms)));
            now >= from && !ended
        })
    }

    /// Whether `what` is broken by now, by the scene (that of the empty booth counts, too) or by hand.
    pub(super) fn broken(&self, what: FaultWhat) -> bool {
        let now = self.clock.now();
        Self::is_broken(&self.lock(), what, now)
    }

    fn is_broken(state: &State, what: FaultWhat, now: Moment) -> bool {
        let by_scene = |f: &Fault| f.what == what && Self::is_on(state, f, now);
        state.by_hand.contains(&what) || state.set.scene.faults.iter().any(by_scene)
    }

    fn set_wall(&self) {
        if let Some(wall) = &self.wall {
            wall.set_behind(self.broken(FaultWhat::ClockBehind));
        }
    }

    /// Breaks something until it is mended, whatever is played.
    pub(super) fn break_by_hand(&self, what: FaultWhat) {
        self.lock().by_hand.insert(what);
        self.set_wall();
        self.note(Note::Stage {
            at: self.clock.now(),
            text: format!("{what:?} begins, by hand"),
        });
    }

    /// Mends what was broken by hand.
    pub(super) fn mend_by_hand(&self, what: FaultWhat) {
        self.lock().by_hand.remove(&what);
        self.set_wall();
        self.note(Note::Stage {
            at: self.clock.now(),
            text: format!("{what:?} is over, by hand"),
        });
    }

    /// The speaker plays samples, after those that it still has.
    pub(super) fn play_sound(&self, samples: &[i16]) {
        if samples.is_empty() {
            return;
        }
        let now = self.clock.now();
        let mut state = self.lock();
        state.played.retain(|(from, s)| ends(*from, s) > now);
        if state.played.len() == SOUNDS_KEPT {
            state.played.pop_front();
        }
        let queued = state.played.back().map(|(from, s)| ends(*from, s));
        let from = queued.unwrap_or(now).max(now.plus(SPEAKER_DELAY));
        state.played.push_back((from, samples.to_vec()));
    }

    /// What of the speaker's sound reaches the microphone from `from` on, added to `into` (16-bit scale).
    pub(super) fn hear_speaker(&self, from: Moment, into: &mut [f32]) {
        let state = self.lock();
        for (began, samples) in &state.played {
            let heard = began.plus(SOUND_WAY);
            let ns = i128::from(from.as_nanos()) - i128::from(heard.as_nanos());
            let offset = ns * i128::from(SAMPLE_RATE_HZ) / 1_000_000_000;
            for (i, sample) in into.iter_mut().enumerate() {
                let place = usize::try_from(offset + i as i128).ok();
                if let Some(played) = place.and_then(|p| samples.get(p)) {
                    *sample += f32::from(*played) * SOUND_GAIN;
                }
            }
        }
    }

    /// Somebody opened the camera again.
    pub(super) fn reopened(&self) {
        self.lock().mended = true;
    }

    /// Waits for the next button event.
    pub(super) fn next_button(&self, timeout: Duration) -> Option<ButtonEvent> {
        let deadline = Instant::now() + timeout;
        loop {
            let now = self.clock.now();
            let mut state = self.lock();
            let happened = Self::advance(&mut state, now);
            let event = state.buttons.pop_front();
            let left = deadline.saturating_duration_since(Instant::now());
            if event.is_some() || left.is_zero() {
                drop(state);
                self.tell(happened);
                return event;
            }
            if happened.is_empty() {
                // The person acts by the clock, not by waking us: look again soon.
                let nap = left.min(Duration::from_millis(20));
                drop(self.pressed.wait_timeout(state, nap));
            } else {
                drop(state);
                self.tell(happened);
            }
        }
    }

    /// ENODEV of a virtual device.
    pub(super) fn absent(device: DeviceKind) -> DeviceFault {
        Self::fault(device, FaultKind::Absent, "no such device")
    }

    /// A fault that the scene asked for.
    pub(super) fn fault(device: DeviceKind, kind: FaultKind, detail: &str) -> DeviceFault {
        DeviceFault {
            device,
            kind,
            place: "virtual".to_owned(),
            detail: detail.to_owned(),
            mend: "take the fault out of the scene's [[faults]]".to_owned(),
        }
    }
}

/// Mean of the levels between two moments in nanoseconds.
fn mean_levels(ring: &VecDeque<(Moment, LightLevels)>, start: u64, end: u64) -> LightLevels {
    let span = end.saturating_sub(start).max(1);
    let mut sum = [0.0_f64; 8];
    let mut add = |levels: &LightLevels, share: f64| {
        let (l, r) = (levels.left, levels.right);
        let all = [
            l.white, l.red, l.green, l.blue, r.white, r.red, r.green, r.blue,
        ];
        for (s, v) in sum.iter_mut().zip(all) {
            *s += f64::from(v) * share;
        }
    };
    for (i, (at, levels)) in ring.iter().enumerate() {
        let until = ring
            .get(i + 1)
            .map_or(u64::MAX, |(next, _)| next.as_nanos());
        let (from, to) = (at.as_nanos().max(start), until.min(start + span));
        if to > from {
            add(levels, (to - from) as f64 / span as f64);
        }
    }
    let side = |i: usize| crate::hal::light::SideLevel {
        white: sum[i] as f32,
        red: sum[i + 1] as f32,
        green: sum[i + 2] as f32,
        blue: sum[i + 3] as f32,
    };
    LightLevels {
        left: side(0),
        right: side(4),
    }
}

/// Blocks until `due` on the booth's clock, at most `timeout`; whether it came.
pub(super) fn wait_until(clock: &dyn Clock, due: Moment, timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    loop {
        let now = clock.now();
        if now >= due {
            return true;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        // In short naps: the clock of a test moves when it is told to.
        std::thread::sleep(due.since(now).min(left).min(Duration::from_millis(20)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_counts_for_the_part_of_the_exposure_in_which_it_was_on() {
        let mut ring = VecDeque::new();
        ring.push_back((Moment::from_millis(100), LightLevels::white(1.0)));
        ring.push_back((Moment::from_millis(110), LightLevels::white(0.5)));
        let check = |start_ms: u64, end_ms: u64, level: f32| {
            let mean = mean_levels(&ring, start_ms * 1_000_000, end_ms * 1_000_000)
                .left
                .white;
            assert!(
                (mean - level).abs() < 1e-5,
                "{start_ms}..{end_ms} ms: {mean}"
            );
        };
        check(80, 100, 0.0);
        check(90, 110, 0.5);
        check(100, 110, 1.0);
        check(100, 120, 0.75);
        check(200, 210, 0.5);
    }
}
