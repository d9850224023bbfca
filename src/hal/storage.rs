//! The disk that a folder lies on: free bytes, whether it takes writes, and what an eMMC says of its wear.

use super::{DeviceFault, DeviceKind, Storage, StorageReadings};
use rustix::fs::{StatVfsMountFlags, major, minor, stat, statvfs};
use std::path::{Path, PathBuf};

/// The machine's own disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Storage for Disk {
    fn read(&mut self, folder: &Path) -> Result<StorageReadings, DeviceFault> {
        let fault = |action: &str, errno: rustix::io::Errno| {
            let place = folder.display().to_string();
            DeviceFault::from_errno(DeviceKind::Storage, &place, action, &errno.into())
        };
        let space = statvfs(folder).map_err(|e| fault("statvfs", e))?;
        let device = stat(folder).map_err(|e| fault("stat", e))?.st_dev;
        let block = PathBuf::from(format!(
            "/sys/dev/block/{}:{}",
            major(device),
            minor(device)
        ));
        Ok(StorageReadings {
            // What root may still write is of no use to the service.
            free_bytes: space.f_bavail.saturating_mul(space.f_frsize),
            total_bytes: space.f_blocks.saturating_mul(space.f_frsize),
            read_only: space.f_flag.contains(StatVfsMountFlags::RDONLY),
            life_used_percent: life_used(&block),
        })
    }
}

/// What an eMMC says of its life: `life_time` has two values (of its two kinds of cells), each the share used in steps of ten percent:
/// 0x01 is up to 10 %, 0x0b is over. A partition's file belongs to the device above it.
fn life_used(block: &Path) -> Option<u8> {
    let read = |below: &str| std::fs::read_to_string(block.join(below)).ok();
    let text = read("device/life_time").or_else(|| read("../device/life_time"))?;
    let steps = text
        .split_whitespace()
        .filter_map(|v| u8::from_str_radix(v.trim_start_matches("0x"), 16).ok());
    steps.max().map(|n| n.min(11) * 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::FaultKind;

    #[test]
    fn a_folder_that_is_there_has_figures_and_one_that_is_not_is_absent() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let readings = Disk.read(dir.path()).expect("it is there");
        assert!(readings.total_bytes > 0 && readings.free_bytes <= readings.total_bytes);
        let fault = Disk
            .read(&dir.path().join("none"))
            .expect_err("it is not there");
        assert_eq!(fault.kind, FaultKind::Absent);
    }

    #[test]
    fn wear_is_read_as_an_emmc_tells_it() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let device = dir.path().join("device");
        std::fs::create_dir(&device).expect("a folder");
        for (text, expected) in [
            ("0x01 0x01\n", Some(10)),
            ("0x02 0x09\n", Some(90)),
            ("0x0b 0x01\n", Some(110)),
            ("unknown\n", None),
            ("", None),
        ] {
            std::fs::write(device.join("life_time"), text).expect("written");
            assert_eq!(life_used(dir.path()), expected, "{text}");
            let partition = dir.path().join("p1");
            std::fs::create_dir_all(&partition).expect("a folder");
            assert_eq!(life_used(&partition), expected, "{text} of a partition");
        }
        assert_eq!(life_used(Path::new("/nowhere")), None);
    }
}
