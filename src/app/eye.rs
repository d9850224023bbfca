//! The camera's thread: frames into the one-place slot, buffers used again, faults and recovery.

use crate::base::frame::{Frame, PixelFormat};
use crate::base::latest::Latest;
use crate::base::time::{Moment, SharedClock};
use crate::hal::{Camera, CameraControls, DeviceKind};
use crate::runtime::crew::Stop;
use crate::runtime::heartbeat::Pulse;
use crate::session::event::Event;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
}

impl Default for Eye {
    fn default() -> Self {
        Self {
            frames: Latest::new(),
            controls: Latest::new(),
            spare: bounded(4),
            last_frame: Arc::default(),
        }
    }
}

/// A frame that takes longer than this is none.
const FRAME_TIMEOUT: Duration = Duration::from_secs(1);
/// Pauses between attempts to open a lost camera.
const REOPEN_PAUSES_MS: [u64; 4] = [200, 500, 1000, 2000];

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

    /// Whether there has been a frame since the start.
    pub fn has_frames(&self) -> bool {
        self.last_frame.load(Ordering::Relaxed) > 0
    }

    /// When the last frame was captured.
    pub fn last_frame(&self) -> Moment {
        Moment::from_nanos(self.last_frame.load(Ordering::Relaxed))
    }
}

/// Captures until the end. A fault is reported once, the camera is opened again with growing pauses, and its return is reported.
///
/// # Errors
/// Never by itself: a booth without a camera stays up and says so.
pub fn camera_thread(
    mut camera: Box<dyn Camera>,
    eye: &Eye,
    events: &Sender<Event>,
    clock: &SharedClock,
    pulse: &Pulse,
    stop: &Stop,
) -> anyhow::Result<()> {
    let mut n_failures = 0usize;
    while !stop.is_set() {
        pulse.beat();
        if let Some(controls) = eye.controls.try_take()
            && let Err(fault) = camera.set_controls(controls)
        {
            tracing::warn!(code = fault.code(), %fault, "camera controls");
        }
        let mut frame = eye.buffer();
        match camera.capture(&mut frame, FRAME_TIMEOUT) {
            Ok(()) => {
                if n_failures > 0 {
                    tracing::info!(n_failures, "camera is back");
                    n_failures = 0;
                    send(events, Event::FaultCleared(DeviceKind::Camera));
                }
                eye.last_frame
                    .store(frame.meta.captured.as_nanos().max(1), Ordering::Relaxed);
                if let Some(old) = eye.frames.put(frame) {
                    eye.recycle(old);
                }
            }
            Err(fault) => {
                eye.recycle(frame);
                if n_failures == 0 {
                    tracing::error!(code = fault.code(), %fault, "camera lost");
                    send(events, Event::Fault(fault));
                }
                let pause = REOPEN_PAUSES_MS[n_failures.min(REOPEN_PAUSES_MS.len() - 1)];
                n_failures += 1;
                wait(clock, Duration::from_millis(pause), pulse, stop);
                if let Err(fault) = camera.reopen() {
                    tracing::debug!(code = fault.code(), "camera still lost");
                }
            }
        }
    }
    eye.frames.close();
    Ok(())
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
