//! The memory of device faults: what was wrong, since when, how often, what was tried, whether it still is. Small, bounded, and kept
//! over restarts, so that a technician sees what the night was like and the machine is not started again and again.

use crate::base::files::text_file;
use crate::base::time::WallTime;
use crate::hal::{DeviceFault, DeviceKind, Rung};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Different faults that are remembered; the one that was seen longest ago goes first.
const MOST_FAULTS: usize = 32;
/// Rungs that are remembered of a fault, the newest.
const MOST_RUNGS: usize = 16;
/// One restart of the machine for devices within a day.
const REBOOT_WITHIN_MS: i64 = 24 * 3600 * 1000;

/// A rung that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RungTaken {
    /// Which.
    pub rung: Rung,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// What is remembered of one fault. Nothing in it is about a person: see [`DeviceFault`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRecord {
    /// Its reason code.
    pub code: String,
    /// The device.
    pub device: String,
    /// Node, card or bus address.
    pub place: String,
    /// What was seen the last time.
    pub detail: String,
    /// What mends it.
    pub mend: String,
    /// Whether it still is.
    pub active: bool,
    /// How often it was raised.
    pub count: u32,
    /// When it was raised first, in milliseconds since 1970.
    pub first_ms: i64,
    /// When it was raised or seen to be over the last time.
    pub last_ms: i64,
    /// What the booth tried, the oldest first.
    pub rungs: VecDeque<RungTaken>,
}

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Memory {
    faults: Vec<FaultRecord>,
}

/// The memory of faults, shared by the threads that have devices. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Faults(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    memory: Memory,
    path: Option<PathBuf>,
    /// There was a memory, and it cannot be read: nobody knows when the machine was started again.
    lost: bool,
}

impl Faults {
    /// The memory in `path`, which is made when there is something to remember. A file that cannot be read is put aside as
    /// `.damaged`, said in the log, and a new one begun: a booth must not stay closed for its memory.
    pub fn open(path: &Path) -> Self {
        let read = match text_file(path) {
            Ok(text) => serde_json::from_str(&text).map_err(std::io::Error::from),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Memory::default()),
            Err(error) => Err(error),
        };
        let lost = read.is_err();
        let memory = read.unwrap_or_else(|error| {
            let kept = std::fs::rename(path, path.with_extension("damaged")).is_ok();
            tracing::warn!(%error, file = %path.display(), kept, "the memory of faults cannot be read; a new one is begun");
            Memory::default()
        });
        let path = Some(path.to_owned());
        let faults = Self(Arc::new(Mutex::new(Inner { memory, path, lost })));
        // What was wrong in another life has to show itself again.
        faults.change(|memory| memory.faults.iter_mut().for_each(|f| f.active = false));
        faults
    }

    /// A memory without a file.
    pub fn in_memory() -> Self {
        Self(Arc::default())
    }

    /// A fault began.
    pub fn raise(&self, fault: &DeviceFault, at: WallTime) {
        self.change(|memory| {
            let code = fault.code();
            let known = memory.faults.iter().position(|f| f.code == code);
            let i = known.unwrap_or_else(|| {
                if memory.faults.len() == MOST_FAULTS {
                    let oldest = (0..MOST_FAULTS).min_by_key(|i| memory.faults[*i].last_ms);
                    memory.faults.remove(oldest.unwrap_or(0));
                }
                memory.faults.push(FaultRecord {
                    code: code.to_owned(),
                    device: fault.device.to_string(),
                    place: String::new(),
                    detail: String::new(),
                    mend: String::new(),
                    active: false,
                    count: 0,
                    first_ms: at.0,
                    last_ms: at.0,
                    rungs: VecDeque::new(),
                });
                memory.faults.len() - 1
            });
            // A device has one fault at a time.
            let device = fault.device.to_string();
            for other in memory.faults.iter_mut().filter(|f| f.device == device) {
                other.active = false;
            }
            let record = &mut memory.faults[i];
            record.place.clone_from(&fault.place);
            record.detail.clone_from(&fault.detail);
            record.mend.clone_from(&fault.mend);
            record.active = true;
            record.count = record.count.saturating_add(1);
            record.last_ms = at.0;
        });
    }

    /// A rung is taken against the fault with this code. Gives whether that will be known after a restart.
    pub fn tried(&self, code: &str, rung: Rung, at: WallTime) -> bool {
        self.change(|memory| {
            if let Some(record) = memory.faults.iter_mut().find(|f| f.code == code) {
                if record.rungs.len() == MOST_RUNGS {
                    // A restart of the machine is never forgotten before its day is over: others make room.
                    let others = record.rungs.iter().position(|r| r.rung != Rung::Reboot);
                    record.rungs.remove(others.unwrap_or(0));
                }
                record.rungs.push_back(RungTaken { rung, at_ms: at.0 });
            }
        })
    }

    /// All faults of a device are over.
    pub fn clear(&self, device: DeviceKind, at: WallTime) {
        let device = device.to_string();
        self.change(|memory| {
            for record in memory.faults.iter_mut().filter(|f| f.device == device) {
                if record.active {
                    record.active = false;
                    record.last_ms = at.0;
                }
            }
        });
    }

    /// Whether the machine may be started again for a device: it was not within a day. A clock that was set back counts as now.
    pub fn may_reboot(&self, now: WallTime) -> bool {
        let recent = |r: &RungTaken| r.rung == Rung::Reboot && now.0 - r.at_ms < REBOOT_WITHIN_MS;
        let inner = self.lock();
        let mut rungs = inner.memory.faults.iter().flat_map(|f| &f.rungs);
        !inner.lost && !rungs.any(recent)
    }

    /// What is remembered.
    pub fn all(&self) -> Vec<FaultRecord> {
        self.lock().memory.faults.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the memory and writes it; gives whether it is on the disk.
    fn change(&self, change: impl FnOnce(&mut Memory)) -> bool {
        let mut inner = self.lock();
        change(&mut inner.memory);
        let Some(path) = &inner.path else {
            return true;
        };
        match write(&inner.memory, path) {
            Ok(()) => true,
            Err(error) => {
                // A full disk is a fault of its own; this one is in the log, too.
                tracing::warn!(%error, file = %path.display(), "the memory of faults is not written");
                false
            }
        }
    }
}

/// Whole or not at all.
fn write(memory: &Memory, path: &Path) -> std::io::Result<()> {
    let half = path.with_extension("half");
    let mut file = std::fs::File::create(&half)?;
    serde_json::to_writer_pretty(&mut file, memory)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(&half, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(errno: i32) -> DeviceFault {
        let error = std::io::Error::from_raw_os_error(errno);
        DeviceFault::from_errno(DeviceKind::Camera, "/dev/video0", "read", &error)
    }

    #[test]
    fn what_happened_is_known_after_a_restart() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let path = dir.path().join("faults.json");
        let faults = Faults::open(&path);
        assert!(faults.all().is_empty() && !path.with_extension("half").exists());
        faults.raise(&fault(19), WallTime(1000));
        faults.tried("hw.camera.absent", Rung::Reopen, WallTime(1200));
        faults.clear(DeviceKind::Camera, WallTime(3000));
        faults.raise(&fault(19), WallTime(9000));
        faults.tried("hw.camera.nobody_knows", Rung::Reopen, WallTime(9100));

        let [record] = &Faults::open(&path).all()[..] else {
            panic!("one fault was raised")
        };
        assert_eq!(
            (record.code.as_str(), record.count, record.active),
            ("hw.camera.absent", 2, false)
        );
        assert_eq!((record.first_ms, record.last_ms), (1000, 9000));
        assert_eq!(record.rungs.len(), 1);
    }

    #[test]
    fn a_damaged_file_is_put_aside() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let path = dir.path().join("faults.json");
        for text in ["", "{", "{\"faults\": 3}", "{\"faults\": [], \"more\": 1}"] {
            std::fs::write(&path, text).expect("there is room");
            let faults = Faults::open(&path);
            assert!(faults.all().is_empty(), "{text}");
            assert!(!faults.may_reboot(WallTime(0)), "nobody knows when it was");
            let aside = std::fs::read_to_string(path.with_extension("damaged"));
            assert_eq!(aside.expect("it is kept"), text);
        }
    }

    #[test]
    fn the_machine_is_started_again_once_a_day_whatever_else_was_tried() {
        let faults = Faults::in_memory();
        let day = REBOOT_WITHIN_MS;
        assert!(faults.may_reboot(WallTime(0)));
        faults.raise(&fault(5), WallTime(0));
        faults.tried("hw.camera.no_frames", Rung::Reboot, WallTime(0));
        for i in 0..100 {
            faults.tried("hw.camera.no_frames", Rung::Reset, WallTime(i));
        }
        for (at, expected) in [(0, false), (day - 1, false), (day, true), (-day, false)] {
            assert_eq!(faults.may_reboot(WallTime(at)), expected, "{at}");
        }
    }

    #[test]
    fn it_stays_small() {
        let faults = Faults::in_memory();
        for errno in [13, 16, 19, 5] {
            for at in 0..100 {
                faults.raise(&fault(errno), WallTime(at));
                for _ in 0..3 {
                    faults.tried(fault(errno).code(), Rung::Reopen, WallTime(at));
                }
            }
        }
        let all = faults.all();
        assert_eq!(all.len(), 4);
        assert!(
            all.iter()
                .all(|f| f.rungs.len() == MOST_RUNGS && f.count == 100)
        );
    }
}
