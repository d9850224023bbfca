//! The camera over V4L2: USB cameras (UVC) that give YUYV or motion JPEG.
//!
//! Devices, formats and controls go through crate `v4l`. Its stream has three traps, and this is how they are kept shut:
//! - after a time-out inside `next()` the next call queues a buffer that the kernel still owns (EINVAL): all buffers are queued
//!   by hand, the first one is dequeued by hand, and `next()` is only called when `poll` said that a frame is there;
//! - dropping a stream panics if STREAMOFF fails with anything but ENODEV: it is stopped first, and a stream that cannot be
//!   stopped is leaked instead of dropped (once for each such fault; the recovery ladder ends in a restart);
//! - names that are not UTF-8 and control types that it does not know make it panic: every call is guarded, a panic becomes a fault.
//!
//! CSI cameras give raw sensor data on V4L2, which is refused here; board/README.md says what to do instead.

mod config;
mod stream;

use super::node::{fault, fault_of, moment_of_stamp};
use super::pixels::{self, PixelError};
use super::usb::UsbPlace;
use crate::base::frame::{Frame, FrameMeta};
use crate::base::time::{Moment, SharedClock};
use crate::hal::recovery::Means;
use crate::hal::{
    Bus as _, Camera, CameraControls, CameraInfo, DeviceFault, DeviceKind, FaultKind, Rung,
};
use config::refuse;
pub use config::{CameraConfig, CameraFormat};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};
use stream::{Running, guarded, is_errno};
use v4l::buffer::Flags as BufferFlags;
use v4l::capability::Flags as CapabilityFlags;
use v4l::control::{Control, Value};
use v4l::video::Capture as _;
use v4l::video::capture::Parameters;
use v4l::{Device, Format};

// Control numbers of linux/v4l2-controls.h.
const CID_GAIN: u32 = 0x0098_0913;
const CID_AUTO_GAIN: u32 = 0x0098_0912;
const CID_EXPOSURE_AUTO: u32 = 0x009a_0901;
const CID_EXPOSURE_ABSOLUTE: u32 = 0x009a_0902;
const CID_EXPOSURE_AUTO_PRIORITY: u32 = 0x009a_0903;
/// `V4L2_EXPOSURE_MANUAL`.
const EXPOSURE_MANUAL: i64 = 1;
/// Unit of `V4L2_CID_EXPOSURE_ABSOLUTE` in microseconds.
const EXPOSURE_UNIT_US: i64 = 100;
const MENDS: [(FaultKind, &str); 3] = [
    (
        FaultKind::Absent,
        "check the plug; `ls -l /dev/v4l/by-id /dev/v4l/by-path` shows the cameras; put the link's name in camera.path",
    ),
    (
        FaultKind::Permission,
        "`usermod -aG video boothd`, check DeviceAllow=char-video4linux in boothd.service, then `systemctl restart boothd`",
    ),
    (
        FaultKind::Busy,
        "`fuser -v /dev/video*` shows who has it; stop that program",
    ),
];

/// What can be set, found once at the opening.
#[derive(Clone, Copy, Debug, Default)]
struct Limits {
    /// Smallest and largest exposure in units of 100 microseconds.
    exposure: Option<(i64, i64)>,
    /// Smallest and largest value of the gain control.
    gain: Option<(i64, i64)>,
    auto_gain: bool,
    auto_priority: bool,
}

/// The camera.
struct V4lCamera {
    config: CameraConfig,
    clock: SharedClock,
    info: CameraInfo,
    /// Declared before the device: the stream has to go first.
    running: Option<Running>,
    device: Option<Device>,
    usb: UsbPlace,
    /// Why it could not be opened the last time, while it is closed.
    closed: Option<DeviceFault>,
    stride: usize,
    limits: Limits,
    manual: bool,
    applied: Option<CameraControls>,
    last_sequence: Option<u32>,
    sequence: u64,
    dropped: u64,
    damaged: u64,
}

impl std::fmt::Debug for V4lCamera {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("V4lCamera")
            .field("info", &self.info)
            .field("running", &self.running.is_some())
            .field("dropped", &self.dropped)
            .field("damaged", &self.damaged)
            .finish_non_exhaustive()
    }
}

/// Opens the camera and agrees on the format; streaming starts with the first [`Camera::capture`]. One that cannot be opened stays closed, for
/// the recovery ladder to open, and every frame is its fault until then: `Absent`, `Busy`, `Permission`; `WrongDevice` if it is no camera, a
/// CSI receiver, a virtual driver, or has not the format.
pub fn open(
    config: &CameraConfig,
    usb: UsbPlace,
    clock: SharedClock,
) -> (Box<dyn Camera>, Option<DeviceFault>) {
    let mut camera = V4lCamera::shut(config.clone(), usb, clock);
    let fault = camera.reopen().err();
    (Box::new(camera), fault)
}

impl V4lCamera {
    /// A camera as the board file says it is, not opened.
    fn shut(config: CameraConfig, usb: UsbPlace, clock: SharedClock) -> Self {
        Self {
            info: CameraInfo {
                name: config.path.clone(),
                width: config.width,
                height: config.height,
                frames_per_s: config.frames_per_s as f32,
                exposure_us: None,
                gain: None,
                is_live: true,
                means: Means::default(),
            },
            config,
            clock,
            running: None,
            device: None,
            usb,
            closed: None,
            stride: 0,
            limits: Limits::default(),
            manual: false,
            applied: None,
            last_sequence: None,
            sequence: 0,
            dropped: 0,
            damaged: 0,
        }
    }

    fn open_device(
        config: &CameraConfig,
    ) -> Result<(Device, CameraInfo, Limits, usize), DeviceFault> {
        let place = config.path.as_str();
        let err = |action: &str, e: &io::Error| fault(DeviceKind::Camera, place, action, e, &MENDS);
        let wrong = |detail: String, mend: String| {
            fault_of(
                DeviceKind::Camera,
                FaultKind::WrongDevice,
                place,
                detail,
                mend,
            )
        };

        let device = guarded(|| Device::with_path(place)).map_err(|e| err("open", &e))?;
        let caps = guarded(|| device.query_caps()).map_err(|e| {
            if is_errno(&e, rustix::io::Errno::NOTTY) || is_errno(&e, rustix::io::Errno::INVAL) {
                wrong(format!("not a V4L2 device: {e}"), MENDS[0].1.to_owned())
            } else {
                err("VIDIOC_QUERYCAP", &e)
            }
        })?;
        let capture = caps
            .capabilities
            .contains(CapabilityFlags::VIDEO_CAPTURE | CapabilityFlags::STREAMING);
        if let Some((detail, mend)) = refuse(config, &caps.driver, &caps.bus, capture) {
            return Err(wrong(detail, mend));
        }

        let fourcc = config.pixel_format.fourcc();
        let asked = Format::new(config.width, config.height, fourcc);
        let agreed = guarded(|| device.set_format(&asked)).map_err(|e| err("VIDIOC_S_FMT", &e))?;
        if (agreed.width, agreed.height, agreed.fourcc.repr)
            != (config.width, config.height, fourcc.repr)
        {
            return Err(wrong(
                format!(
                    "asked for {}x{} {fourcc}, the camera gives {}x{} {}",
                    config.width, config.height, agreed.width, agreed.height, agreed.fourcc
                ),
                format!(
                    "`v4l2-ctl -d {place} --list-formats-ext` lists what it has; set camera.width, height, pixel_format"
                ),
            ));
        }
        // A camera without a settable frame rate says ENOTTY: it runs at its own.
        let rate = guarded(|| device.set_params(&Parameters::with_fps(config.frames_per_s))).ok();
        let frames_per_s = rate
            .filter(|p| p.interval.numerator > 0)
            .map_or(config.frames_per_s as f32, |p| {
                p.interval.denominator as f32 / p.interval.numerator as f32
            });
        let limits = Self::limits(&device);
        let info = CameraInfo {
            name: format!("{} at {place}", caps.card),
            width: agreed.width,
            height: agreed.height,
            frames_per_s,
            exposure_us: limits
                .exposure
                .map(|(low, high)| (exposure_us(low), exposure_us(high))),
            gain: match (limits.gain, config.gain_unity) {
                (Some((low, high)), Some(unity)) => {
                    Some((low as f32 / unity as f32, high as f32 / unity as f32))
                }
                _ => None,
            },
            is_live: true,
            means: Means::default(),
        };
        Ok((device, info, limits, agreed.stride as usize))
    }

    /// What can be set. A camera whose controls cannot be listed is used as it is.
    fn limits(device: &Device) -> Limits {
        let controls = guarded(|| device.query_controls()).unwrap_or_default();
        let range = |id| {
            controls
                .iter()
                .find(|c| c.id == id && c.minimum < c.maximum)
                .map(|c| (c.minimum, c.maximum))
        };
        Limits {
            // Both are needed: without the switch to manual the value has no effect.
            exposure: range(CID_EXPOSURE_AUTO).and_then(|_| range(CID_EXPOSURE_ABSOLUTE)),
            gain: range(CID_GAIN),
            auto_gain: range(CID_AUTO_GAIN).is_some(),
            auto_priority: range(CID_EXPOSURE_AUTO_PRIORITY).is_some(),
        }
    }

    fn fault(&self, action: &str, error: &io::Error) -> DeviceFault {
        // After an unplug some drivers answer EINVAL or EIO; the missing node tells what it was.
        let gone = error.raw_os_error().is_some() && !Path::new(&self.config.path).exists();
        let absent = io::Error::from_raw_os_error(rustix::io::Errno::NODEV.raw_os_error());
        let shown = if gone { &absent } else { error };
        let mut fault = fault(DeviceKind::Camera, &self.config.path, action, shown, &MENDS);
        if is_errno(shown, rustix::io::Errno::NOSPC) {
            fault.mend = "the USB bus has no bandwidth left: plug the camera into a socket of another controller, \
                          lower camera.frames_per_s, or take pixel_format = \"mjpeg\""
                .to_owned();
        }
        fault
    }

    /// Starts streaming; the first frame has to come before `deadline`.
    fn start(&mut self, deadline: Instant) -> Result<(), DeviceFault> {
        let Some(device) = self.device.as_ref() else {
            let gone = io::Error::from_raw_os_error(rustix::io::Errno::NODEV.raw_os_error());
            let fault = self.closed.clone();
            return Err(fault.unwrap_or_else(|| self.fault("start", &gone)));
        };
        match Running::start(device, deadline) {
            Ok(Some(running)) => {
                self.running = Some(running);
                self.last_sequence = None;
                Ok(())
            }
            Ok(None) => Err(self.no_frames(0, None)),
            Err(e) => Err(self.fault("start streaming", &e)),
        }
    }

    fn no_frames(&self, damaged: u64, last: Option<PixelError>) -> DeviceFault {
        let detail = last.map_or_else(
            || "no frame within the time-out".to_owned(),
            |e| {
                format!(
                    "{damaged} damaged frames and no good one within the time-out; the last: {e}"
                )
            },
        );
        fault_of(
            DeviceKind::Camera,
            FaultKind::NoFrames,
            &self.config.path,
            detail,
            "unplug the camera and plug it into a socket of its own (not a hub); `dmesg | grep -i uvc`",
        )
    }

    /// Frame numbers without wrap; counts the frames that are missing between the last one and this one.
    fn count(&mut self, sequence: u32) {
        let step = self
            .last_sequence
            .map_or(1, |last| sequence.wrapping_sub(last));
        self.last_sequence = Some(sequence);
        self.sequence = self.sequence.wrapping_add(u64::from(step));
        if step > 1 && step < 1 << 31 {
            self.dropped += u64::from(step - 1);
            tracing::debug!(
                lost = step - 1,
                total = self.dropped,
                "camera frames dropped"
            );
        }
    }
}

fn exposure_us(units: i64) -> u32 {
    u32::try_from(units.saturating_mul(EXPOSURE_UNIT_US)).unwrap_or(if units < 0 {
        0
    } else {
        u32::MAX
    })
}

impl Camera for V4lCamera {
    fn info(&self) -> &CameraInfo {
        &self.info
    }

    fn capture(&mut self, into: &mut Frame, timeout: Duration) -> Result<(), DeviceFault> {
        let deadline = Instant::now() + timeout.min(Duration::from_secs(3600));
        if self.running.is_none() {
            self.start(deadline)?;
        }
        let (mut damaged, mut last) = (0, None);
        loop {
            // Taken out and put back only while all is well: any error rebuilds the stream at the next call.
            let Some(mut running) = self.running.take() else {
                return Err(self.no_frames(damaged, last));
            };
            match running.wait(deadline) {
                Ok(true) => {}
                Ok(false) => {
                    self.running = Some(running);
                    return Err(self.no_frames(damaged, last));
                }
                Err(e) => {
                    running.stop();
                    return Err(self.fault("poll", &e));
                }
            }
            let (width, height, stride) = (self.info.width, self.info.height, self.stride);
            let taken = running.with_next(|bytes, meta| {
                let whole = !meta.flags.contains(BufferFlags::ERROR);
                let converted = match self.config.pixel_format {
                    CameraFormat::Yuyv => pixels::yuyv(bytes, width, height, stride, into),
                    CameraFormat::Mjpeg => pixels::mjpeg(bytes, width, height, into),
                };
                (*meta, whole, converted)
            });
            let (meta, whole, converted) = match taken {
                Ok(taken) => taken,
                Err(e) => {
                    running.stop();
                    return Err(self.fault("VIDIOC_DQBUF", &e));
                }
            };
            self.running = Some(running);
            self.count(meta.sequence);
            match converted {
                Ok(()) if whole => {
                    into.meta = FrameMeta {
                        captured: captured(&self.clock, &meta),
                        sequence: self.sequence,
                        exposure_us: self
                            .applied
                            .and_then(|a| self.limits.exposure.map(|_| a.exposure_us)),
                        gain: self.applied.and_then(|a| self.info.gain.map(|_| a.gain)),
                    };
                    return Ok(());
                }
                other => {
                    damaged += 1;
                    self.damaged += 1;
                    last = other.err().or(last);
                }
            }
        }
    }

    fn set_controls(&mut self, controls: CameraControls) -> Result<(), DeviceFault> {
        let Some(device) = self.device.as_ref() else {
            let gone = io::Error::from_raw_os_error(rustix::io::Errno::NODEV.raw_os_error());
            return Err(self.fault("set controls", &gone));
        };
        let set = |id, value| guarded(|| device.set_control(Control { id, value }));
        let mut applied = controls;
        let mut all = Ok(());
        if let Some((low, high)) = self.limits.exposure {
            if !self.manual {
                all = all.and_then(|()| set(CID_EXPOSURE_AUTO, Value::Integer(EXPOSURE_MANUAL)));
                if self.limits.auto_priority {
                    // Else the camera lowers its frame rate in the dark.
                    all = all.and_then(|()| set(CID_EXPOSURE_AUTO_PRIORITY, Value::Integer(0)));
                }
                if self.limits.auto_gain {
                    all = all.and_then(|()| set(CID_AUTO_GAIN, Value::Boolean(false)));
                }
                self.manual = all.is_ok();
            }
            // To the nearest: a floor would be a quarter of a stop off at short exposures.
            let units = (i64::from(controls.exposure_us) + EXPOSURE_UNIT_US / 2) / EXPOSURE_UNIT_US;
            let units = units.clamp(low, high);
            all = all.and_then(|()| set(CID_EXPOSURE_ABSOLUTE, Value::Integer(units)));
            applied.exposure_us = exposure_us(units);
        }
        if let (Some((low, high)), Some(unity)) = (self.limits.gain, self.config.gain_unity) {
            // `as` saturates, and NaN becomes 0; the clamp keeps the rest.
            let value = ((controls.gain * unity as f32).round() as i64).clamp(low, high);
            all = all.and_then(|()| set(CID_GAIN, Value::Integer(value)));
            applied.gain = value as f32 / unity as f32;
        }
        all.map_err(|e| self.fault("VIDIOC_S_EXT_CTRLS", &e))?;
        self.applied = Some(applied);
        Ok(())
    }

    fn reopen(&mut self) -> Result<(), DeviceFault> {
        if let Some(running) = self.running.take() {
            running.stop();
        }
        // Closed before it is opened again: a driver may allow one opener only.
        drop(self.device.take());
        (self.manual, self.applied) = (false, None);
        let opened = Self::open_device(&self.config);
        self.closed = opened.as_ref().err().cloned();
        self.info.means = self.usb.means();
        let (device, info, limits, stride) = opened?;
        let means = self.info.means;
        (self.info, self.limits, self.stride) = (CameraInfo { means, ..info }, limits, stride);
        self.device = Some(device);
        Ok(())
    }

    fn recover(&mut self, rung: Rung) -> Result<(), DeviceFault> {
        // Closed first: a stream that runs would hold the device.
        if let Some(running) = self.running.take() {
            running.stop();
        }
        drop(self.device.take());
        self.usb.recover(rung)
    }
}

impl Drop for V4lCamera {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
        }
    }
}

/// When the frame was captured: the driver's stamp if it is on the monotonic clock, now if not.
fn captured(clock: &SharedClock, meta: &v4l::buffer::Metadata) -> Moment {
    let (Ok(sec), Ok(usec)) = (
        u64::try_from(meta.timestamp.sec),
        u64::try_from(meta.timestamp.usec),
    ) else {
        return clock.now();
    };
    if meta.flags & BufferFlags::TIMESTAMP_MASK == BufferFlags::TIMESTAMP_MONOTONIC {
        moment_of_stamp(
            &**clock,
            sec.saturating_mul(1_000_000_000)
                .saturating_add(usec * 1_000),
        )
    } else {
        clock.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::SystemClock;
    use crate::hal::pi::usb::{Node, OffNote};
    use std::sync::Arc;

    fn config(path: &str) -> CameraConfig {
        CameraConfig {
            path: path.to_owned(),
            width: 1280,
            height: 720,
            frames_per_s: 30,
            pixel_format: CameraFormat::Yuyv,
            gain_unity: None,
            allow_virtual_driver: false,
        }
    }

    #[test]
    fn a_node_that_is_not_there_and_one_that_is_no_camera() {
        let check = |path: &str, kind, code| {
            let node = Node::Path(path.to_owned());
            let usb = UsbPlace::new(DeviceKind::Camera, node, None, &OffNote::default());
            let (_, fault) = open(&config(path), usb, Arc::new(SystemClock));
            let fault = fault.expect("there is no camera");
            assert_eq!((fault.kind, fault.code()), (kind, code), "{fault}");
            assert!(fault.to_string().contains(path), "{fault}");
        };
        check(
            "/dev/v4l/by-id/usb-none-video-index0",
            FaultKind::Absent,
            "hw.camera.absent",
        );
        check(
            "/dev/null",
            FaultKind::WrongDevice,
            "hw.camera.wrong_device",
        );
    }

    #[test]
    fn exposure_is_counted_in_units_of_100_us() {
        for (units, us) in [(1, 100), (0, 0), (-5, 0), (i64::MAX, u32::MAX)] {
            assert_eq!(exposure_us(units), us);
        }
    }
}
