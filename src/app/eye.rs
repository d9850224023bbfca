//! The camera's thread: frames into the one-place slot, buffers used again, faults and recovery.

use super::climb::{Care, Climb};
use super::senses::Senses;
use crate::base::frame::{Frame, PixelFormat};
use crate::base::latest::Latest;
use crate::base::time::{Moment, SharedClock};
use crate::hal::watch::{FrameFigures, FrameWatch};
use crate::hal::{Camera, CameraControls, CameraInfo, DeviceFault, DeviceKind, FaultKind, Rung};
use crate::runtime::crew::Stop;
use crate::runtime::heartbeat::Pulse;
use crate::session::event::Event;
use crate::technician::selftest::parts::CameraFigures;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Between camera and vision.
#[derive(Clone, Debug)]
pub struct Eye {
    /// The newest frame. Capacity 1; older ones are overwritten and counted.
    pub frames: Latest<Frame>,
    /// Controls that the camera shall be set to. Capacity 1; the newest wins.
    pub controls: Latest<CameraControls>,
    spare: (Sender<Frame>, Receiver<Frame>),
    last_frame: Arc<AtomicU64>,
    /// A fault of the camera was told.
    faulty: Arc<AtomicBool>,
    /// What the last frames were like.
    tally: Arc<Mutex<Tally>>,
    /// Somebody wants the next rungs of the ladder to be taken, whether there is a fault or not.
    reset: Arc<AtomicBool>,
}

/// The last frames, for a self-test.
#[derive(Debug, Default)]
struct Tally {
    frames: VecDeque<(Moment, u64)>,
    figures: Option<FrameFigures>,
    fault: Option<&'static str>,
}

/// Frames that are remembered: two seconds of the quickest camera.
const TALLIED: usize = 128;
/// The self-test looks at this stretch.
const TALLY_OVER: Duration = Duration::from_secs(2);

impl Default for Eye {
    fn default() -> Self {
        Self {
            frames: Latest::new(),
            controls: Latest::new(),
            spare: bounded(4),
            last_frame: Arc::default(),
            faulty: Arc::default(),
            tally: Arc::default(),
            reset: Arc::default(),
        }
    }
}

/// A frame that takes longer than this is none: the same in a session as before it.
pub(super) const FRAME_TIMEOUT: Duration = Duration::from_secs(1);
/// So long frames have to come before a fault is over, and before the ladder begins at its foot again: a camera that gives one frame
/// each time it is opened is not well.
const WELL_FOR: Duration = Duration::from_millis(400);
const STEADY_FOR: Duration = Duration::from_secs(60);
/// The ring has to be on for so long before darkness is the camera's.
pub(super) const LIT_FOR: Duration = Duration::from_millis(300);

impl Eye {
    /// Gives a buffer back; a fifth one is dropped (and wiped).
    pub fn recycle(&self, mut frame: Frame) {
        frame.wipe();
        let _ = self.spare.0.try_send(frame);
    }

    fn buffer(&self) -> Frame {
        self.spare
            .1
            .try_recv()
            .unwrap_or_else(|_| Frame::new(2, 2, PixelFormat::Yuyv))
    }

    /// Whether it is known how the camera is: there has been a frame, or a fault. A booth without a camera is ready, too: to say so.
    pub fn has_spoken(&self) -> bool {
        self.last_frame.load(Ordering::Relaxed) > 0 || self.faulty.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the frames of the last two seconds were like.
    pub fn figures(&self, info: &CameraInfo, now: Moment) -> CameraFigures {
        let tally = self.lock();
        let recent: Vec<(Moment, u64)> = tally
            .frames
            .iter()
            .copied()
            .filter(|(at, _)| now.since(*at) <= TALLY_OVER)
            .collect();
        let gaps = recent.windows(2).map(|w| w[1].0.since(w[0].0));
        let missed = recent
            .windows(2)
            .map(|w| w[1].1.saturating_sub(w[0].1).saturating_sub(1));
        let span = match (recent.first(), recent.last()) {
            (Some(first), Some(last)) => last.0.since(first.0).as_secs_f32(),
            _ => 0.0,
        };
        let since_last = recent
            .last()
            .map_or(Duration::ZERO, |(at, _)| now.since(*at));
        CameraFigures {
            name: info.name.clone(),
            size: (info.width, info.height),
            agreed_fps: info.frames_per_s,
            n: recent.len(),
            fps: if span > 0.0 {
                (recent.len() - 1) as f32 / span
            } else {
                0.0
            },
            longest_gap: gaps.max().unwrap_or_default().max(since_last),
            n_missed: missed.sum(),
            luminance: tally.figures.map_or(0.0, |f| f.luminance),
            sharpness: tally.figures.and_then(|f| f.sharpness),
            fault: tally.fault.map(str::to_owned),
        }
    }

    /// What the newest frame is like, while no fault of the camera stands.
    pub fn newest(&self) -> Option<FrameFigures> {
        let tally = self.lock();
        tally.figures.filter(|_| tally.fault.is_none())
    }

    /// Has the next rungs of the recovery ladder taken, but for the restart of the machine.
    pub fn ask_for_reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
    }

    /// When the last frame was captured.
    pub fn last_frame(&self) -> Moment {
        Moment::from_nanos(self.last_frame.load(Ordering::Relaxed))
    }
}

/// What the camera's thread tells of its faults, and asks before it takes a costly rung.
#[derive(Clone, Debug)]
pub struct Keeper {
    /// Where the session takes them.
    pub events: Sender<Event>,
    /// The memory of faults, and who starts the machine again.
    pub care: Care,
    /// What the light was set to: darkness is the camera's fault only while the ring is on.
    pub senses: Senses,
}

/// The state of one camera's recovery.
struct Recovery<'a> {
    keeper: &'a Keeper,
    climb: Climb,
    watch: FrameWatch,
    /// The fault that was told, and when it began.
    told: Option<(DeviceFault, Moment)>,
    /// Since when frames have come without a fault.
    good_since: Option<Moment>,
    /// What the camera was at the start: exposure and sizes of the rest of the service go by it.
    at_start: CameraInfo,
}

/// Captures until the end, watches the frames, and climbs the recovery ladder. A fault is told when it begins and when it is over.
///
/// # Errors
/// If the camera that was opened again is another one than at the start: the service starts again with its controls. Not without a camera:
/// a booth stays up and says so.
pub fn camera_thread(
    mut camera: Box<dyn Camera>,
    eye: &Eye,
    keeper: &Keeper,
    clock: &SharedClock,
    pulse: &Pulse,
    stop: &Stop,
) -> anyhow::Result<()> {
    let mut recovery = Recovery {
        keeper,
        climb: Climb::new(DeviceKind::Camera, &keeper.care),
        watch: FrameWatch::default(),
        told: None,
        good_since: None,
        at_start: camera.info().clone(),
    };
    while !stop.is_set() {
        pulse.beat();
        if let Some(controls) = eye.controls.try_take()
            && let Err(fault) = camera.set_controls(controls)
        {
            tracing::warn!(code = fault.code(), %fault, "camera controls");
        }
        if eye.reset.swap(false, Ordering::Relaxed) {
            recovery.reset(&mut *camera, pulse, stop)?;
        }
        let mut frame = eye.buffer();
        match camera.capture(&mut frame, FRAME_TIMEOUT) {
            Ok(()) => match recovery.judge(camera.info(), &frame, eye) {
                None if recovery.watch.is_stale() => eye.recycle(frame),
                None => {
                    recovery.well(frame.meta.captured, eye, clock);
                    hand_on(eye, frame);
                }
                Some(fault) if fault.kind == FaultKind::Frozen => {
                    eye.recycle(frame);
                    recovery.tell(&fault, eye, clock);
                    if recovery.watch.is_frozen_now() {
                        recovery.climb(&mut *camera, &fault, eye, clock, pulse, stop)?;
                    }
                }
                // What lies on the lens is no reason to lose the picture: the exposure may have to follow it, and opening the
                // camera again does not help.
                Some(fault) => {
                    recovery.tell(&fault, eye, clock);
                    hand_on(eye, frame);
                }
            },
            Err(fault) => {
                eye.recycle(frame);
                recovery.tell(&fault, eye, clock);
                recovery.climb(&mut *camera, &fault, eye, clock, pulse, stop)?;
            }
        }
    }
    eye.frames.close();
    Ok(())
}

fn hand_on(eye: &Eye, frame: Frame) {
    eye.last_frame
        .store(frame.meta.captured.as_nanos().max(1), Ordering::Relaxed);
    if let Some(old) = eye.frames.put(frame) {
        eye.recycle(old);
    }
}

impl Recovery<'_> {
    /// Whether the frame is worth looking at.
    fn judge(&mut self, info: &CameraInfo, frame: &Frame, eye: &Eye) -> Option<DeviceFault> {
        let at = frame.meta.captured;
        {
            let mut tally = eye.lock();
            if tally.frames.len() == TALLIED {
                tally.frames.pop_front();
            }
            tally.frames.push_back((at, frame.meta.sequence));
        }
        if !info.is_live {
            return None;
        }
        let lit = self.keeper.senses.lit_since(at, LIT_FOR);
        self.watch.note_serving(self.keeper.senses.is_serving());
        let kind = self.watch.judge(&frame.view(), lit);
        eye.lock().figures = self.watch.figures();
        let kind = kind?;
        Some(fault_of(kind, &info.name))
    }

    fn tell(&mut self, fault: &DeviceFault, eye: &Eye, clock: &SharedClock) {
        self.good_since = None;
        eye.faulty.store(true, Ordering::Relaxed);
        eye.lock().fault = Some(fault.code());
        let known = matches!(&self.told, Some((told, _)) if told.code() == fault.code());
        if known {
            return;
        }
        let since = self.told.take().map_or(clock.now(), |(_, since)| since);
        tracing::error!(code = fault.code(), %fault, "camera");
        self.keeper.care.faults.raise(fault, clock.wall());
        send(&self.keeper.events, Event::Fault(fault.clone()));
        self.told = Some((fault.clone(), since));
    }

    fn well(&mut self, captured: Moment, eye: &Eye, clock: &SharedClock) {
        let good_for = captured.since(*self.good_since.get_or_insert(captured));
        if good_for >= STEADY_FOR {
            self.climb.well();
        }
        let Some((fault, since)) = self.told.take_if(|_| good_for >= WELL_FOR) else {
            return;
        };
        eye.lock().fault = None;
        let ms = u64::try_from(clock.now().since(since).as_millis()).unwrap_or(u64::MAX);
        tracing::info!(code = fault.code(), ms, "camera is back");
        self.keeper
            .care
            .faults
            .clear(DeviceKind::Camera, clock.wall());
        send(&self.keeper.events, Event::FaultCleared(DeviceKind::Camera));
    }

    /// Takes the rungs that the camera has, because somebody has asked for it: reset on the bus, then power of its port.
    fn reset(&mut self, camera: &mut dyn Camera, pulse: &Pulse, stop: &Stop) -> anyhow::Result<()> {
        tracing::warn!("the camera is reset, as asked");
        let means = camera.info().means;
        for (rung, has) in [(Rung::Reset, means.reset), (Rung::PowerCycle, means.power)] {
            if has && !stop.is_set() {
                pulse.beat();
                if let Err(fault) = camera.recover(rung) {
                    tracing::warn!(code = fault.code(), %fault, %rung, "camera: rung failed");
                }
            }
        }
        self.watch.reopened();
        // What it says now is told by the next frame.
        if let Err(fault) = camera.reopen() {
            tracing::warn!(code = fault.code(), %fault, "camera: not opened");
            return Ok(());
        }
        self.same_camera(camera)
    }

    fn same_camera(&mut self, camera: &dyn Camera) -> anyhow::Result<()> {
        let now = camera.info();
        let of = |i: &CameraInfo| (i.width, i.height, i.exposure_us, i.gain);
        anyhow::ensure!(
            of(now) == of(&self.at_start),
            "the camera has other controls than at the start; the service starts again with them"
        );
        Ok(())
    }

    /// Takes the next rung, and opens the camera again.
    fn climb(
        &mut self,
        camera: &mut dyn Camera,
        fault: &DeviceFault,
        eye: &Eye,
        clock: &SharedClock,
        pulse: &Pulse,
        stop: &Stop,
    ) -> anyhow::Result<()> {
        let attempt = self.climb.next(fault, camera.info().means);
        wait(clock, attempt.pause, pulse, stop);
        let code = fault.code();
        self.climb.take(attempt, fault, |rung| camera.recover(rung));
        self.watch.reopened();
        match camera.reopen() {
            Ok(()) => {
                tracing::info!(code, "camera opened again");
                self.same_camera(camera)?;
            }
            Err(fault) => {
                tracing::debug!(code = fault.code(), "camera still lost");
                // The first answer after an unplug may be another than that of the next opening, which says it better.
                self.tell(&fault, eye, clock);
            }
        }
        Ok(())
    }
}

/// What is told of a camera whose frames show that something is wrong.
pub(super) fn fault_of(kind: FaultKind, place: &str) -> DeviceFault {
    let (detail, mend) = match kind {
        FaultKind::Frozen => (
            "the same picture again and again",
            "`dmesg | grep -i uvc`; plug the camera into a socket of its own (not a hub)",
        ),
        FaultKind::Dark => (
            "no light reaches the sensor, with the ring on",
            "take the cap off, look for the camera behind its window, look whether the ring shines",
        ),
        FaultKind::Covered => (
            "something lies on the lens or before it",
            "take it away, clean the window",
        ),
        FaultKind::Overexposed => (
            "nothing but white",
            "keep sun and lamps out of the camera; `v4l2-ctl -l` shows whether the exposure can be set",
        ),
        _ => (
            "no edge in the picture is sharp",
            "clean lens and window, set the focus",
        ),
    };
    DeviceFault {
        device: DeviceKind::Camera,
        kind,
        place: place.to_owned(),
        detail: detail.to_owned(),
        mend: mend.to_owned(),
    }
}

/// Faults are never dropped: the session takes them within a turn.
fn send(events: &Sender<Event>, event: Event) {
    if events.send_timeout(event, Duration::from_secs(5)).is_err() {
        tracing::error!("the session takes no events");
    }
}

/// Waits in small pieces, so that the end is seen and the heart beats.
fn wait(clock: &SharedClock, span: Duration, pulse: &Pulse, stop: &Stop) {
    let start = clock.now();
    while clock.now().since(start) < span && !stop.is_set() {
        pulse.beat();
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests;
