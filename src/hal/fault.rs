//! Faults of devices: closed kinds, each with one reason code.

use std::fmt;

/// Which device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// The camera.
    Camera,
    /// The microphone.
    Microphone,
    /// The speaker.
    Speaker,
    /// The light ring.
    Lights,
    /// The panel.
    Panel,
    /// The buttons.
    Buttons,
    /// The technician's serial line.
    Serial,
    /// Temperature, supply, tamper switch.
    Sensors,
    /// The hardware watchdog.
    Watchdog,
    /// The disk.
    Storage,
    /// Not a device: the service itself.
    Service,
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Camera => "camera",
            Self::Microphone => "microphone",
            Self::Speaker => "speaker",
            Self::Lights => "lights",
            Self::Panel => "panel",
            Self::Buttons => "buttons",
            Self::Serial => "serial line",
            Self::Sensors => "sensors",
            Self::Watchdog => "watchdog",
            Self::Storage => "storage",
            Self::Service => "service",
        })
    }
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// It is not there (ENODEV, ENOENT, ENXIO).
    Absent,
    /// Somebody else has it open (EBUSY).
    Busy,
    /// We may not open it (EACCES, EPERM).
    Permission,
    /// It is open and gives nothing.
    NoFrames,
    /// It gives the same frame again and again.
    Frozen,
    /// It gives black.
    Dark,
    /// Something lies over it.
    Covered,
    /// It gives white.
    Overexposed,
    /// It gives no sharp picture.
    Blurred,
    /// Samples were lost.
    Overrun,
    /// It is not the device that the board file names, or cannot do what it must.
    WrongDevice,
    /// Any other error of the kernel or the bus.
    Io,
}

/// A rung of the recovery ladder ([`super::recovery`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// Closed and opened again.
    Reopen,
    /// Reset on its bus.
    Reset,
    /// Power of its port off and on.
    PowerCycle,
    /// The machine is started again.
    Reboot,
    /// Nothing more is tried but to open it.
    OutOfService,
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reopen => "reopen",
            Self::Reset => "reset on the bus",
            Self::PowerCycle => "power of the port off and on",
            Self::Reboot => "restart of the machine",
            Self::OutOfService => "out of service",
        })
    }
}

/// A fault of a device: which, what, where, and what mends it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{device} {place}: {detail}; mend: {mend}")]
pub struct DeviceFault {
    /// Which device.
    pub device: DeviceKind,
    /// What is wrong.
    pub kind: FaultKind,
    /// The node, bus address or card (never anything about a person).
    pub place: String,
    /// What was seen.
    pub detail: String,
    /// What a technician does about it, with the command.
    pub mend: String,
}

impl DeviceFault {
    /// All codes that [`DeviceFault::code`] gives.
    pub const CODES: [&'static str; 26] = [
        "hw.camera.absent",
        "hw.camera.busy",
        "hw.camera.permission",
        "hw.camera.frozen",
        "hw.camera.dark",
        "hw.camera.covered",
        "hw.camera.overexposed",
        "hw.camera.blurred",
        "hw.camera.wrong_device",
        "hw.camera.dropped_frames",
        "hw.camera.no_frames",
        "hw.mic.absent",
        "hw.mic.busy",
        "hw.mic.permission",
        "hw.mic.overrun",
        "hw.mic.silent",
        "hw.light.absent",
        "hw.light.stuck",
        "hw.speaker.fault",
        "hw.panel.fault",
        "hw.buttons.fault",
        "hw.serial.fault",
        "hw.sensors.fault",
        "hw.watchdog.fault",
        "hw.storage.fault",
        "hw.service.fault",
    ];

    /// Classifies an error number of the kernel: EACCES, EBUSY and ENODEV are told apart, each with the command that mends it.
    pub fn from_errno(
        device: DeviceKind,
        place: &str,
        action: &str,
        error: &std::io::Error,
    ) -> Self {
        use rustix::io::Errno;
        let errno = error.raw_os_error().map(Errno::from_raw_os_error);
        let (kind, mend) = match errno {
            Some(Errno::ACCESS | Errno::PERM) => (
                FaultKind::Permission,
                format!(
                    "add the service's user to the group that owns it (`ls -l {place}`), then restart"
                ),
            ),
            Some(Errno::BUSY) => (
                FaultKind::Busy,
                format!("`fuser -v {place}` shows who has it; stop that program"),
            ),
            Some(Errno::NODEV | Errno::NOENT | Errno::NXIO) => (
                FaultKind::Absent,
                "check plug and cable, then the node's name in the board file".to_owned(),
            ),
            _ => (
                FaultKind::Io,
                "look at `dmesg` for the device; unplug and replug it".to_owned(),
            ),
        };
        Self {
            device,
            kind,
            place: place.to_owned(),
            detail: format!("{action}: {error}"),
            mend,
        }
    }

    /// The device has not this rung of the recovery ladder.
    pub fn without_rung(device: DeviceKind, place: &str, rung: Rung) -> Self {
        Self {
            device,
            kind: FaultKind::Io,
            place: place.to_owned(),
            detail: format!("{rung}: the device cannot do it"),
            mend: "unplug and replug it".to_owned(),
        }
    }

    /// The reason code of this fault.
    pub fn code(&self) -> &'static str {
        use FaultKind as F;
        match (self.device, self.kind) {
            (DeviceKind::Camera, F::Absent) => "hw.camera.absent",
            (DeviceKind::Camera, F::Busy) => "hw.camera.busy",
            (DeviceKind::Camera, F::Permission) => "hw.camera.permission",
            (DeviceKind::Camera, F::Frozen) => "hw.camera.frozen",
            (DeviceKind::Camera, F::Dark) => "hw.camera.dark",
            (DeviceKind::Camera, F::Covered) => "hw.camera.covered",
            (DeviceKind::Camera, F::Overexposed) => "hw.camera.overexposed",
            (DeviceKind::Camera, F::Blurred) => "hw.camera.blurred",
            (DeviceKind::Camera, F::WrongDevice) => "hw.camera.wrong_device",
            (DeviceKind::Camera, F::Overrun) => "hw.camera.dropped_frames",
            (DeviceKind::Camera, F::NoFrames | F::Io) => "hw.camera.no_frames",
            (DeviceKind::Microphone, F::Absent | F::WrongDevice) => "hw.mic.absent",
            (DeviceKind::Microphone, F::Busy) => "hw.mic.busy",
            (DeviceKind::Microphone, F::Permission) => "hw.mic.permission",
            (DeviceKind::Microphone, F::Overrun) => "hw.mic.overrun",
            (DeviceKind::Microphone, _) => "hw.mic.silent",
            (DeviceKind::Lights, F::Absent) => "hw.light.absent",
            (DeviceKind::Lights, _) => "hw.light.stuck",
            (DeviceKind::Speaker, _) => "hw.speaker.fault",
            (DeviceKind::Panel, _) => "hw.panel.fault",
            (DeviceKind::Buttons, _) => "hw.buttons.fault",
            (DeviceKind::Serial, _) => "hw.serial.fault",
            (DeviceKind::Sensors, _) => "hw.sensors.fault",
            (DeviceKind::Watchdog, _) => "hw.watchdog.fault",
            (DeviceKind::Storage, _) => "hw.storage.fault",
            (DeviceKind::Service, _) => "hw.service.fault",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_numbers_are_told_apart() {
        let check = |errno: i32, kind, code| {
            let error = std::io::Error::from_raw_os_error(errno);
            let fault = DeviceFault::from_errno(DeviceKind::Camera, "/dev/video0", "open", &error);
            assert_eq!((fault.kind, fault.code()), (kind, code), "{fault}");
        };
        check(13, FaultKind::Permission, "hw.camera.permission");
        check(16, FaultKind::Busy, "hw.camera.busy");
        check(19, FaultKind::Absent, "hw.camera.absent");
        check(2, FaultKind::Absent, "hw.camera.absent");
        check(5, FaultKind::Io, "hw.camera.no_frames");
    }
}
