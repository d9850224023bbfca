//! The virtual camera: blocks until a frame is due, renders it into the caller's buffer.

use super::record::Note;
use super::render::{Lit, Optics, Renderer, Shot};
use super::scene::FaultWhat;
use super::world::{World, wait_until};
use crate::base::frame::{Frame, FrameMeta, PixelFormat};
use crate::base::time::Moment;
use crate::hal::recovery::Means;
use crate::hal::{Camera, CameraControls, CameraInfo, DeviceFault, DeviceKind, FaultKind, Rung};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Limits of the exposure in microseconds: the longest is a frame of 30 a second.
pub(super) const EXPOSURE_US: (u32, u32) = (100, 33_000);
/// Limits of the gain.
pub(super) const GAIN: (f32, f32) = (1.0, 8.0);
/// Frames that still come with the old setting, as real sensors do.
const CONTROL_DELAY: u64 = 2;

/// The virtual camera.
#[derive(Debug)]
pub(super) struct VirtCamera {
    info: CameraInfo,
    world: Arc<World>,
    renderer: Renderer,
    started: Moment,
    period_ns: u64,
    /// Number of the next frame; 0 is the opening.
    next: u64,
    controls: CameraControls,
    pending: VecDeque<(u64, CameraControls)>,
    /// The last frame, if the scene is going to freeze it.
    frozen: Vec<u8>,
}

impl VirtCamera {
    pub(super) fn new(world: Arc<World>, width: u32, height: u32, frames_per_s: f32) -> Self {
        Self {
            info: CameraInfo {
                name: "virtual camera".to_owned(),
                width,
                height,
                frames_per_s,
                exposure_us: Some(EXPOSURE_US),
                gain: Some(GAIN),
                is_live: true,
                means: Means::default(),
            },
            renderer: Renderer::new(width as usize, height as usize),
            started: world.clock.now(),
            period_ns: (1e9 / f64::from(frames_per_s)) as u64,
            next: 1,
            controls: CameraControls {
                exposure_us: 10_000,
                gain: 1.0,
            },
            pending: VecDeque::new(),
            frozen: Vec::new(),
            world,
        }
    }

    fn no_frames(&self, timeout: Duration) -> DeviceFault {
        let detail = format!("no frame within {} ms", timeout.as_millis());
        World::fault(DeviceKind::Camera, FaultKind::NoFrames, &detail)
    }

    fn check(&self) -> Result<(), DeviceFault> {
        for (what, kind, detail) in [
            (FaultWhat::CameraAbsent, FaultKind::Absent, "no such device"),
            (
                FaultWhat::CameraBusy,
                FaultKind::Busy,
                "device or resource busy",
            ),
            (
                FaultWhat::CameraPermission,
                FaultKind::Permission,
                "permission denied",
            ),
        ] {
            if self.world.broken(what) {
                return Err(World::fault(DeviceKind::Camera, kind, detail));
            }
        }
        Ok(())
    }

    fn optics(&self) -> Optics {
        [
            (FaultWhat::CameraDark, Optics::Dark),
            (FaultWhat::CameraCovered, Optics::Covered),
            (FaultWhat::CameraBlurred, Optics::Blurred),
        ]
        .into_iter()
        .find(|(what, _)| self.world.broken(*what))
        .map_or(Optics::Good, |(_, optics)| optics)
    }
}

impl Camera for VirtCamera {
    fn info(&self) -> &CameraInfo {
        &self.info
    }

    fn capture(&mut self, into: &mut Frame, timeout: Duration) -> Result<(), DeviceFault> {
        self.check()?;
        if self.world.broken(FaultWhat::CameraNoFrames) {
            wait_until(&*self.world.clock, Moment::from_nanos(u64::MAX), timeout);
            return Err(self.no_frames(timeout));
        }
        let due = |n: u64| {
            self.started
                .plus(Duration::from_nanos(n.saturating_mul(self.period_ns)))
        };
        if !wait_until(&*self.world.clock, due(self.next), timeout) {
            return Err(self.no_frames(timeout));
        }
        // A slow reader gets the newest frame; the gap in the sequence shows what it missed.
        let newest =
            self.world.clock.now().since(self.started).as_nanos() / u128::from(self.period_ns);
        let sequence = u64::try_from(newest).unwrap_or(u64::MAX).max(self.next);
        let captured = due(sequence);
        self.next = sequence + 1;
        while self
            .pending
            .front()
            .is_some_and(|(from, _)| *from <= sequence)
        {
            if let Some((_, controls)) = self.pending.pop_front() {
                self.controls = controls;
            }
        }
        let controls = self.controls;
        let exposure = Duration::from_micros(u64::from(controls.exposure_us));
        into.reshape(self.info.width, self.info.height, PixelFormat::Yuyv);
        into.meta = FrameMeta {
            captured,
            sequence,
            exposure_us: Some(controls.exposure_us),
            gain: Some(controls.gain),
        };
        let view = self.world.view(captured, exposure);
        if self.world.broken(FaultWhat::CameraFrozen) && self.frozen.len() == into.data().len() {
            into.data_mut().copy_from_slice(&self.frozen);
        } else {
            let scene = &view.set.scene;
            let start_s = captured.as_nanos() as f64 / 1e9 - exposure.as_secs_f64();
            let light = Lit::new(
                scene,
                view.ring,
                controls,
                start_s,
                self.info.height as usize,
            );
            let optics = self.optics();
            self.renderer.render(
                &view.set,
                &view.pose,
                Shot {
                    light: &light,
                    gain: controls.gain,
                    optics,
                    seed: sequence,
                },
                into.data_mut(),
            );
            let may_freeze = scene
                .faults
                .iter()
                .any(|f| f.what == FaultWhat::CameraFrozen);
            if may_freeze || self.world.broken(FaultWhat::CameraFrozen) {
                self.frozen.clear();
                self.frozen.extend_from_slice(into.data());
            }
        }
        self.world.note(Note::Camera {
            at: captured,
            sequence,
            exposure_us: controls.exposure_us,
            gain: controls.gain,
        });
        if self
            .world
            .recorder()
            .is_some_and(|r| sequence.is_multiple_of(r.every))
        {
            let yuyv = into.data().to_vec();
            self.world.note(Note::Frame {
                at: captured,
                sequence,
                width: self.info.width as usize,
                yuyv,
            });
        }
        Ok(())
    }

    fn set_controls(&mut self, controls: CameraControls) -> Result<(), DeviceFault> {
        self.check()?;
        let gain = if controls.gain.is_nan() {
            GAIN.0
        } else {
            controls.gain.clamp(GAIN.0, GAIN.1)
        };
        let controls = CameraControls {
            exposure_us: controls.exposure_us.clamp(EXPOSURE_US.0, EXPOSURE_US.1),
            gain,
        };
        let from = self.next + CONTROL_DELAY;
        self.pending.retain(|(at, _)| *at != from);
        self.pending.push_back((from, controls));
        Ok(())
    }

    fn reopen(&mut self) -> Result<(), DeviceFault> {
        self.world.reopened();
        self.check()?;
        self.pending.clear();
        Ok(())
    }

    fn recover(&mut self, rung: Rung) -> Result<(), DeviceFault> {
        Err(DeviceFault::without_rung(
            DeviceKind::Camera,
            &self.info.name,
            rung,
        ))
    }
}
