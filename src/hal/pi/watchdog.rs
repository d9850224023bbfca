//! The hardware watchdog: any byte written postpones the reset, `V` before closing disarms it ("magic close").
//!
//! Setting the time-out needs an ioctl that no crate wraps safely, so it is not set but checked: the driver's value is read
//! from `/sys/class/watchdog`, and one that is shorter than the service can keep up with is refused.

use super::check::{ConfigError, check_path, check_range};
use super::node::{fault, fault_of};
use crate::base::time::SharedClock;
use crate::hal::{DeviceFault, DeviceKind, FaultKind, Watchdog};
use serde::Deserialize;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

/// `[watchdog]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchdogConfig {
    /// The node, as `/dev/watchdog0`.
    pub path: String,
    /// Shortest time-out of the driver that is accepted, 2..=60 s.
    pub min_timeout_s: u32,
}

impl WatchdogConfig {
    /// Checks all values.
    ///
    /// # Errors
    /// The first [`ConfigError`] found.
    pub fn validate(&self) -> Result<(), ConfigError> {
        check_path("watchdog.path", &self.path, &["/dev/watchdog"])?;
        check_range("watchdog.min_timeout_s", self.min_timeout_s, 2..=60)
    }
}

const MENDS: [(FaultKind, &str); 3] = [
    (
        FaultKind::Absent,
        "add `dtparam=watchdog=on` (board/boot/config.txt) and reboot; `ls -l /dev/watchdog*` shows the nodes",
    ),
    (
        FaultKind::Permission,
        "install board/udev/99-boothd.rules and `udevadm trigger`; check DeviceAllow=/dev/watchdog0 in boothd.service",
    ),
    (
        FaultKind::Busy,
        "systemd has it: set RuntimeWatchdogSec=0 in /etc/systemd/system.conf.d, or take [watchdog] out of the board file",
    ),
];

#[derive(Debug)]
struct FileWatchdog {
    place: String,
    file: File,
}

/// Opens the watchdog, which arms it: from here on it has to be fed.
///
/// # Errors
/// `Absent`, `Busy`, `Permission`, `Io`; `WrongDevice` if its time-out is too short.
pub fn open(
    config: &WatchdogConfig,
    _clock: SharedClock,
) -> Result<Box<dyn Watchdog>, DeviceFault> {
    open_with(config, Path::new("/sys/class/watchdog"))
}

fn open_with(config: &WatchdogConfig, sys: &Path) -> Result<Box<dyn Watchdog>, DeviceFault> {
    // Checked before the opening: a watchdog that is open and not fed resets the machine.
    if let Some(found) = driver_timeout_s(&config.path, sys)
        && found < config.min_timeout_s
    {
        return Err(fault_of(
            DeviceKind::Watchdog,
            FaultKind::WrongDevice,
            &config.path,
            format!(
                "its time-out is {found} s, watchdog.min_timeout_s is {}",
                config.min_timeout_s
            ),
            "set the driver's time-out, as `options bcm2835_wdt heartbeat=15` in /etc/modprobe.d, or lower the key",
        ));
    }
    let file = OpenOptions::new()
        .write(true)
        .open(&config.path)
        .map_err(|e| fault(DeviceKind::Watchdog, &config.path, "open", &e, &MENDS))?;
    Ok(Box::new(FileWatchdog {
        place: config.path.clone(),
        file,
    }))
}

/// The driver's time-out in seconds, if the kernel tells it.
fn driver_timeout_s(path: &str, sys: &Path) -> Option<u32> {
    let name = Path::new(path).file_name()?;
    let text = std::fs::read_to_string(sys.join(name).join("timeout")).ok()?;
    text.trim().parse().ok()
}

impl Watchdog for FileWatchdog {
    fn feed(&mut self) -> Result<(), DeviceFault> {
        // Not `V`, which would disarm it at the next close.
        self.file
            .write_all(b"\0")
            .map_err(|e| fault(DeviceKind::Watchdog, &self.place, "feed", &e, &MENDS))
    }
}

impl Drop for FileWatchdog {
    fn drop(&mut self) {
        // An orderly end is no hang. A driver built with NOWAYOUT ignores this and resets, which is what it was built for.
        let _ = self.file.write_all(b"V");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::SystemClock;
    use std::sync::Arc;

    /// A file in the place of the node, and a folder in the place of `/sys/class/watchdog`.
    fn bench(timeout: &str) -> (tempfile::TempDir, WatchdogConfig) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let node = dir.path().join("watchdog0");
        std::fs::write(&node, "").expect("file");
        std::fs::create_dir_all(dir.path().join("sys/watchdog0")).expect("folder");
        std::fs::write(dir.path().join("sys/watchdog0/timeout"), timeout).expect("file");
        let config = WatchdogConfig {
            path: node.display().to_string(),
            min_timeout_s: 10,
        };
        (dir, config)
    }

    #[test]
    fn it_is_fed_and_disarmed_at_the_end() {
        let (dir, config) = bench("15\n");
        let mut watchdog = open_with(&config, &dir.path().join("sys")).expect("it opens");
        watchdog.feed().expect("it takes a byte");
        watchdog.feed().expect("it takes a byte");
        drop(watchdog);
        assert_eq!(std::fs::read(&config.path).expect("file"), b"\0\0V");
    }

    #[test]
    fn one_that_bites_too_soon_is_refused_unopened() {
        let (dir, config) = bench("5\n");
        let fault = open_with(&config, &dir.path().join("sys")).expect_err("5 s are too short");
        assert_eq!(fault.kind, FaultKind::WrongDevice, "{fault}");
        assert_eq!(std::fs::read(&config.path).expect("file"), b"");
    }

    #[test]
    fn an_absent_one_is_absent() {
        let config = WatchdogConfig {
            path: "/dev/watchdog-none".to_owned(),
            min_timeout_s: 10,
        };
        let fault = open(&config, Arc::new(SystemClock)).expect_err("no such node");
        assert_eq!(
            (fault.kind, fault.code()),
            (FaultKind::Absent, "hw.watchdog.fault")
        );
        assert!(fault.mend.contains("dtparam=watchdog=on"), "{fault}");
    }
}
