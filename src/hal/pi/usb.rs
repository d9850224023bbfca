//! Reset of a USB device and power of its port, through files under `/sys` (no ioctl, so no `unsafe`).
//!
//! The device of a node is found by walking up from `/sys/dev/char/MAJOR:MINOR` to the first folder that has `authorized` and
//! `idVendor`: that is the USB device, its parent is the hub. Reset: `authorized` 0, then 1, which configures the device anew and binds
//! its drivers again. Power: `disable` 1, then 0 of the port's folder (Linux 6.0 and later; hubs that cannot switch power cut the
//! data lines only). Both files are made writable for the service by `board/udev/99-boothd.rules`.
//!
//! A service that ends between off and on would leave the device without power, and with it the node by which its port is found. So what is
//! off stands in a file ([`OffNote`]) until it is on again, and the next start gives it back.

use crate::hal::recovery::Means;
use crate::hal::{Bus, DeviceFault, DeviceKind, Rung};
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
    fn means(&self) -> Means {
        let writable = |path: &Path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
        Means {
            reset: writable(&self.authorized),
            power: self.disable.as_deref().is_some_and(writable),
        }
    }

    /// Takes a rung.
    fn recover(&self, device: DeviceKind, rung: Rung, note: &OffNote) -> Result<(), DeviceFault> {
        let (path, pause) = match (rung, &self.disable) {
            (Rung::Reset, _) => (&self.authorized, SETTLE),
            (Rung::PowerCycle, Some(disable)) => (disable, OFF),
            _ => {
                let place = self.authorized.display().to_string();
                return Err(DeviceFault::without_rung(device, &place, rung));
            }
        };
        off_and_on(path, pause, device, note)
            .map_err(|e| DeviceFault::from_errno(device, &path.display().to_string(), "write", &e))
    }
}

/// What `file` is written with to turn the device or the port off and on.
fn off_on(file: &Path) -> [&'static str; 2] {
    if file.ends_with("disable") {
        ["1", "0"]
    } else {
        ["0", "1"]
    }
}

/// Turns off, waits, turns on.
fn off_and_on(path: &Path, pause: Duration, device: DeviceKind, note: &OffNote) -> io::Result<()> {
    let [off, on] = off_on(path);
    note.write(device, path)?;
    let turned_off = std::fs::write(path, off);
    if turned_off.is_ok() {
        std::thread::park_timeout(pause);
    }
    // A device that stays off is worse than one that was never reset.
    let turned_on = std::fs::write(path, on).or_else(|_| std::fs::write(path, on));
    if turned_on.is_ok() {
        note.forget(device);
    }
    turned_off.and(turned_on)
}

/// A file for each device that is off at this moment, with the path that turned it off. They need not outlive the machine, whose start
/// turns everything on.
#[derive(Clone, Debug, Default)]
pub struct OffNote(Option<PathBuf>);

/// How the files' names begin; the device follows.
const OFF_FILE: &str = "usb-off-";

impl OffNote {
    /// The notes in a folder that outlives the service.
    pub fn in_folder(folder: &Path) -> Self {
        Self(Some(folder.to_owned()))
    }

    /// Turns on what an earlier life of the service has left off. Gives what it was.
    ///
    /// # Errors
    /// What the kernel says; the note is kept for the next start then.
    pub fn give_back(&self) -> io::Result<Vec<PathBuf>> {
        let mut given = Vec::new();
        let Some(folder) = &self.0 else {
            return Ok(given);
        };
        for entry in std::fs::read_dir(folder)? {
            let note = entry?;
            if !note.file_name().to_string_lossy().starts_with(OFF_FILE) {
                continue;
            }
            let path = PathBuf::from(std::fs::read_to_string(note.path())?.trim_end());
            let known = path.ends_with("disable") || path.ends_with("authorized");
            if known && path.is_file() {
                std::fs::write(&path, off_on(&path)[1])?;
            }
            std::fs::remove_file(note.path())?;
            given.extend(known.then_some(path));
        }
        Ok(given)
    }

    fn of(&self, device: DeviceKind) -> Option<PathBuf> {
        let folder = self.0.as_ref()?;
        Some(folder.join(format!("{OFF_FILE}{device}")))
    }

    fn write(&self, device: DeviceKind, path: &Path) -> io::Result<()> {
        match self.of(device) {
            Some(note) => std::fs::write(note, format!("{}\n", path.display())),
            None => Ok(()),
        }
    }

    fn forget(&self, device: DeviceKind) {
        if let Some(note) = self.of(device) {
            // One that stays is harmless: what is on is turned on again.
            let _ = std::fs::remove_file(note);
        }
    }
}

/// How a driver names its device.
#[derive(Clone, Debug)]
pub enum Node {
    /// By a node, as `/dev/video0`.
    Path(String),
    /// By the id of its sound card.
    Card(String),
}

impl Node {
    fn usb(&self) -> Option<UsbDevice> {
        match self {
            Self::Path(node) => UsbDevice::of_node(node),
            Self::Card(id) => {
                // `/proc/asound/ID` is a link to `cardN`.
                let card = std::fs::read_link(Path::new("/proc/asound").join(id)).ok()?;
                let folder = Path::new("/sys/class/sound").join(card);
                UsbDevice::of_sysfs(&std::fs::canonicalize(folder).ok()?)
            }
        }
    }
}

/// The place of a device on the bus, and what can be done there.
#[derive(Clone, Debug)]
pub struct UsbPlace {
    device: DeviceKind,
    node: Node,
    /// A device that is not turned off with this one: a microphone in the camera's case has no port of its own.
    spared: Option<Node>,
    note: OffNote,
    /// Where it was when it was last there: the node vanishes with it.
    last: Option<UsbDevice>,
}

impl UsbPlace {
    /// The place of a device.
    pub fn new(device: DeviceKind, node: Node, spared: Option<Node>, note: &OffNote) -> Self {
        Self {
            device,
            node,
            spared,
            note: note.clone(),
            last: None,
        }
    }
}

impl Bus for UsbPlace {
    fn means(&mut self) -> Means {
        if let Some(usb) = self.node.usb() {
            self.last = Some(usb);
        }
        let Some(usb) = &self.last else {
            return Means::default();
        };
        let shared = self.spared.as_ref().and_then(Node::usb);
        if shared.as_ref() == Some(usb) {
            return Means::default();
        }
        usb.means()
    }

    fn recover(&mut self, rung: Rung) -> Result<(), DeviceFault> {
        match &self.last {
            Some(usb) => usb.recover(self.device, rung, &self.note),
            None => {
                let place = match &self.node {
                    Node::Path(node) | Node::Card(node) => node,
                };
                Err(DeviceFault::without_rung(self.device, place, rung))
            }
        }
    }
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

    const CAMERA: DeviceKind = DeviceKind::Camera;

    /// A file of a folder like `/sys`, and the note.
    fn port(dir: &Path, name: &str, value: &str) -> (PathBuf, OffNote) {
        let path = dir.join(name);
        std::fs::write(&path, value).expect("there is room");
        (path, OffNote::in_folder(dir))
    }

    fn text(path: &Path) -> String {
        std::fs::read_to_string(path).expect("it is there")
    }

    #[test]
    fn what_goes_off_comes_on_again() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        for (name, on) in [("authorized", "1"), ("disable", "0")] {
            let (path, note) = port(dir.path(), name, on);
            off_and_on(&path, Duration::ZERO, CAMERA, &note).expect("it is writable");
            assert_eq!(text(&path), on);
            assert!(note.give_back().expect("nothing to do").is_empty());
        }
        let (_, note) = port(dir.path(), "authorized", "1");
        assert!(off_and_on(dir.path(), Duration::ZERO, CAMERA, &note).is_err());
    }

    #[test]
    fn a_port_that_lost_its_power_as_the_service_died_gets_it_back_at_the_next_start() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        for (name, [off, on]) in [("disable", ["1", "0"]), ("authorized", ["0", "1"])] {
            // The service has written the note, turned off, and died.
            let (path, note) = port(dir.path(), name, on);
            note.write(CAMERA, &path).expect("there is room");
            std::fs::write(&path, off).expect("there is room");

            let next_life = OffNote::in_folder(dir.path());
            assert_eq!(
                next_life.give_back().expect("it is writable"),
                std::slice::from_ref(&path)
            );
            assert_eq!(text(&path), on);
            let again = next_life.give_back().expect("nothing to do");
            assert!(again.is_empty(), "once");
        }
        // A hub that is not there any more, and a note that is none.
        let (path, note) = port(dir.path(), "disable", "1");
        note.write(CAMERA, &path).expect("there is room");
        std::fs::remove_file(&path).expect("it was there");
        assert_eq!(note.give_back().expect("nothing to do"), [path]);
        let (other, note) = port(dir.path(), "other", "as it was");
        note.write(CAMERA, &other).expect("there is room");
        assert!(note.give_back().expect("nothing to do").is_empty());
        assert_eq!(text(&other), "as it was");
    }

    #[test]
    fn two_devices_that_are_off_at_once_have_a_note_each() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let (path, note) = port(dir.path(), "disable", "1");
        for device in [CAMERA, DeviceKind::Microphone] {
            note.write(device, &path).expect("there is room");
        }
        note.forget(CAMERA);
        assert_eq!(
            note.give_back().expect("it is writable"),
            std::slice::from_ref(&path)
        );
        assert_eq!(text(&path), "0");
    }

    #[test]
    fn a_port_that_cannot_be_turned_on_is_tried_again_at_the_next_start() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let (path, note) = port(dir.path(), "disable", "1");
        let usb = UsbDevice {
            authorized: dir.path().join("none/authorized"),
            disable: Some(dir.path().join("none/disable")),
        };
        assert!(
            usb.recover(DeviceKind::Camera, Rung::PowerCycle, &note)
                .is_err()
        );
        std::fs::create_dir(dir.path().join("none")).expect("there is room");
        std::fs::rename(&path, dir.path().join("none/disable")).expect("there is room");
        assert_eq!(note.give_back().expect("it is writable").len(), 1);
        assert_eq!(text(&dir.path().join("none/disable")), "0");
    }

    #[test]
    fn a_rung_that_a_device_has_not_is_refused() {
        let usb = UsbDevice {
            authorized: PathBuf::from("/sys/none/authorized"),
            disable: None,
        };
        let note = OffNote::default();
        for rung in [Rung::PowerCycle, Rung::Reboot, Rung::Reopen] {
            let refused = usb.recover(DeviceKind::Camera, rung, &note);
            assert!(refused.is_err(), "{rung}");
        }
        let node = Node::Path("/dev/null".to_owned());
        let mut nowhere = UsbPlace::new(DeviceKind::Panel, node, None, &note);
        assert_eq!(nowhere.means(), Means::default());
        assert!(nowhere.recover(Rung::Reset).is_err());
    }
}
