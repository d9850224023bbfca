//! Reset of a USB device and power of its port, through files under `/sys` (no ioctl, so no `unsafe`).
//!
//! The device of a node is found by walking up from `/sys/dev/char/MAJOR:MINOR` to the first folder that has `authorized` and
//! `idVendor`: that is the USB device, its parent is the hub. Reset: `authorized` 0, then 1, which configures the device anew and binds
//! its drivers again. Power: `disable` 1, then 0 of the port's folder (Linux 6.0 and later; hubs that cannot switch power cut the
//! data lines only). Both files are made writable for the service by `board/udev/99-boothd.rules`.

use crate::hal::recovery::Means;
use crate::hal::{DeviceFault, DeviceKind, Rung};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a port stays without power, so that the capacitors of a camera are empty.
const OFF: Duration = Duration::from_millis(1500);
/// How long a device stays without its configuration.
const SETTLE: Duration = Duration::from_millis(500);

/// A device on the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsbDevice {
    authorized: PathBuf,
    disable: Option<PathBuf>,
}

impl UsbDevice {
    /// The USB device of a node such as `/dev/video0`; `None` if it is on another bus.
    pub fn of_node(node: &str) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let device = std::fs::metadata(node).ok()?.rdev();
        let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
        Self::of_sysfs(&std::fs::canonicalize(format!("/sys/dev/char/{major}:{minor}")).ok()?)
    }

    /// The USB device that a folder of `/sys/devices` belongs to.
    fn of_sysfs(folder: &Path) -> Option<Self> {
        let device = folder
            .ancestors()
            .find(|f| f.join("authorized").is_file() && f.join("idVendor").is_file())?;
        // `1-1.2` hangs on port 2 of hub `1-1`, `1-1` on port 1 of the root hub `usb1`.
        let name = device.file_name()?.to_str()?;
        let hub = device.parent()?;
        let port = |hub_name: &str, number: &str| {
            let interface = match hub_name.strip_prefix("usb") {
                Some(bus) => format!("{bus}-0:1.0"),
                None => format!("{hub_name}:1.0"),
            };
            hub.join(interface).join(format!("{hub_name}-port{number}"))
        };
        let number = name.rsplit(['.', '-']).next()?;
        let disable = port(hub.file_name()?.to_str()?, number).join("disable");
        Some(Self {
            authorized: device.join("authorized"),
            disable: disable.is_file().then_some(disable),
        })
    }

    /// Which rungs the service may take: those whose file it can write.
    pub fn means(&self) -> Means {
        let writable = |path: &Path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
        Means {
            reset: writable(&self.authorized),
            power: self.disable.as_deref().is_some_and(writable),
            reboot: true,
        }
    }

    /// Takes a rung.
    ///
    /// # Errors
    /// What the kernel says; `Io` for a rung that it has not.
    pub fn recover(&self, device: DeviceKind, rung: Rung) -> Result<(), DeviceFault> {
        let (path, values, pause) = match (rung, &self.disable) {
            (Rung::Reset, _) => (&self.authorized, ["0", "1"], SETTLE),
            (Rung::PowerCycle, Some(disable)) => (disable, ["1", "0"], OFF),
            _ => {
                let place = self.authorized.display().to_string();
                return Err(DeviceFault::without_rung(device, &place, rung));
            }
        };
        off_and_on(path, values, pause)
            .map_err(|e| DeviceFault::from_errno(device, &path.display().to_string(), "write", &e))
    }
}

/// Writes one value, waits, writes the other.
fn off_and_on(path: &Path, [off, on]: [&str; 2], pause: Duration) -> io::Result<()> {
    std::fs::write(path, off)?;
    std::thread::park_timeout(pause);
    // A device that stays off is worse than one that was never reset.
    std::fs::write(path, on).or_else(|_| std::fs::write(path, on))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bus in a folder: the device at `path`, what lies `below` it, and the folder of its port.
    fn check(path: &str, below: &str, port: Option<&str>) {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let device = dir.path().join(path);
        std::fs::create_dir_all(device.join(below)).expect("there is room");
        for file in ["authorized", "idVendor"] {
            std::fs::write(device.join(file), "1").expect("there is room");
        }
        let disable = port.map(|p| dir.path().join(p).join("disable"));
        if let Some(disable) = &disable {
            std::fs::create_dir_all(disable.parent().expect("it has one")).expect("there is room");
            std::fs::write(disable, "0").expect("there is room");
        }
        let found = UsbDevice::of_sysfs(&device.join(below)).expect("a USB device");
        assert_eq!(found.authorized, device.join("authorized"));
        assert_eq!(found.disable, disable);
        let means = found.means();
        assert_eq!((means.reset, means.power), (true, port.is_some()));
    }

    #[test]
    fn the_device_and_its_port_are_found_from_what_lies_below() {
        check(
            "usb1/1-1",
            "1-1:1.0/video4linux/video0",
            Some("usb1/1-0:1.0/usb1-port1"),
        );
        check(
            "usb1/1-1/1-1.2",
            "1-1.2:1.0/sound/card1/pcmC1D0c",
            Some("usb1/1-1/1-1:1.0/1-1-port2"),
        );
        check("usb1/1-1/1-1.4", "1-1.4:1.0", None);
    }

    #[test]
    fn what_is_on_no_usb_bus_has_no_such_rung() {
        assert_eq!(UsbDevice::of_node("/dev/null"), None);
        assert_eq!(UsbDevice::of_node("/dev/not-there"), None);
    }

    #[test]
    fn what_goes_off_comes_on_again() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let path = dir.path().join("authorized");
        std::fs::write(&path, "1").expect("there is room");
        off_and_on(&path, ["0", "1"], Duration::ZERO).expect("it is writable");
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "1");
        assert!(off_and_on(dir.path(), ["0", "1"], Duration::ZERO).is_err());
    }

    #[test]
    fn a_rung_that_a_device_has_not_is_refused() {
        let usb = UsbDevice {
            authorized: PathBuf::from("/sys/none/authorized"),
            disable: None,
        };
        for rung in [Rung::PowerCycle, Rung::Reboot, Rung::Reopen] {
            assert!(usb.recover(DeviceKind::Camera, rung).is_err(), "{rung}");
        }
    }
}
