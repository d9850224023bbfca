//! The memory of faults: what was wrong, since when, how often, what was tried, whether it still is. Small, bounded, and kept
//! over restarts, so that a technician sees what the night was like and the machine is not started again and again. What can be wrong
//! stands in [`super::fault_table`].
//!
//! Two ways lead in. A device's driver tells [`DeviceFault`]s: a device has one of them at a time ([`Faults::raise`], [`Faults::clear`]).
//! Everything that is measured (self-tests, disk, clock, network) is told by its code alone ([`Faults::note`]).

use super::fault_table::FaultRow;
use crate::base::files::text_file;
use crate::base::time::WallTime;
use crate::hal::{DeviceFault, DeviceKind, Rung};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Different faults that are remembered; the one that was seen longest ago goes first.
const MOST_FAULTS: usize = 64;
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
    /// The device, or another part of the booth: the module of the table.
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

impl Memory {
    /// Where the record of a code is; a new one if there was none. What is over makes room first.
    fn place_of(&mut self, code: &str, module: &str, at: WallTime) -> usize {
        if let Some(known) = self.faults.iter().position(|f| f.code == code) {
            return known;
        }
        if self.faults.len() == MOST_FAULTS {
            let oldest = (0..MOST_FAULTS).min_by_key(|i| {
                let f = &self.faults[*i];
                (f.active, f.last_ms)
            });
            self.faults.remove(oldest.unwrap_or(0));
        }
        self.faults.push(FaultRecord {
            code: code.to_owned(),
            device: module.to_owned(),
            place: String::new(),
            detail: String::new(),
            mend: String::new(),
            active: false,
            count: 0,
            first_ms: at.0,
            last_ms: at.0,
            rungs: VecDeque::new(),
        });
        self.faults.len() - 1
    }
}

impl FaultRecord {
    fn begin(&mut self, detail: &str, at: WallTime) {
        detail.clone_into(&mut self.detail);
        self.active = true;
        self.count = self.count.saturating_add(1);
        self.last_ms = at.0;
    }

    fn end(&mut self, at: WallTime) {
        self.active = false;
        self.last_ms = at.0;
    }
}

/// Whether drivers tell this fault as a [`DeviceFault`]; the others are measured, and are over when a measurement says so.
fn told_by_driver(code: &str) -> bool {
    DeviceFault::CODES.contains(&code)
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

    /// A device's fault began.
    pub fn raise(&self, fault: &DeviceFault, at: WallTime) {
        self.change(|memory| {
            let device = fault.device.to_string();
            let i = memory.place_of(fault.code(), &device, at);
            // A device has one fault at a time.
            let others = memory.faults.iter_mut().filter(|f| f.device == device);
            for other in others.filter(|f| told_by_driver(&f.code)) {
                other.active = false;
            }
            let record = &mut memory.faults[i];
            record.place.clone_from(&fault.place);
            record.mend.clone_from(&fault.mend);
            record.begin(&fault.detail, at);
        });
    }

    /// What was measured says whether this fault is: `seen` tells what was found, `None` that it is not there. Gives whether that
    /// is news.
    pub fn note(&self, row: &'static FaultRow, seen: Option<&str>, at: WallTime) -> bool {
        let mut inner = self.lock();
        let known = inner.memory.faults.iter_mut().find(|f| f.code == row.code);
        match (known, seen) {
            (None, None) => return false,
            (Some(record), None) if !record.active => return false,
            (Some(record), Some(detail)) if record.active => {
                // Not written for every second that it lasts: a card does not live for ever.
                record.last_ms = at.0;
                detail.clone_into(&mut record.detail);
                return false;
            }
            _ => {}
        }
        drop(inner);
        self.change(|memory| {
            let i = memory.place_of(row.code, row.module, at);
            let record = &mut memory.faults[i];
            row.mend.clone_into(&mut record.mend);
            match seen {
                Some(detail) => record.begin(detail, at),
                None => record.end(at),
            }
        });
        true
    }

    /// Raises and ends the faults that were looked for, each with what was found of it. Those that a device's thread tells are its own.
    pub fn note_all(&self, looked_for: &[(&'static FaultRow, Option<String>)], at: WallTime) {
        let measured = looked_for
            .iter()
            .filter(|(row, _)| !told_by_driver(row.code));
        for (row, found) in measured {
            if self.note(row, found.as_deref(), at) {
                match found {
                    Some(found) => tracing::warn!(code = row.code, found, "{}", row.description),
                    None => tracing::info!(code = row.code, "over"),
                }
            }
        }
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

    /// What a device's driver has told is over.
    pub fn clear(&self, device: DeviceKind, at: WallTime) {
        let device = device.to_string();
        self.change(|memory| {
            let of_device = memory.faults.iter_mut().filter(|f| f.device == device);
            for record in of_device.filter(|f| f.active && told_by_driver(&f.code)) {
                record.end(at);
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

    /// What is wrong now, in the order of the table.
    pub fn active(&self) -> Vec<FaultRecord> {
        let mut active = self.all();
        active.retain(|f| f.active);
        active.sort_by_key(|f| FaultRow::of(&f.code).map_or(u16::MAX, |row| row.id));
        active
    }

    /// How many faults there are now.
    pub fn n_active(&self) -> usize {
        self.lock()
            .memory
            .faults
            .iter()
            .filter(|f| f.active)
            .count()
    }

    /// Whether this fault is now.
    pub fn is_active(&self, code: &str) -> bool {
        let inner = self.lock();
        inner
            .memory
            .faults
            .iter()
            .any(|f| f.active && f.code == code)
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
    fn what_is_measured_and_what_a_driver_tells_do_not_end_each_other() {
        let faults = Faults::in_memory();
        let row = |code| FaultRow::of(code).expect("in the table");
        let lights = DeviceFault {
            device: DeviceKind::Lights,
            kind: crate::hal::FaultKind::Absent,
            ..fault(19)
        };
        let active = || {
            let codes = faults.active().into_iter().map(|f| f.code);
            codes.collect::<Vec<_>>().join(" ")
        };
        assert!(faults.note(row("hw.light.left_dead"), Some("0.0 %"), WallTime(1)));
        assert!(!faults.note(row("hw.light.left_dead"), Some("0.1 %"), WallTime(2)));
        assert!(!faults.note(row("hw.light.uneven"), None, WallTime(2)));
        faults.raise(&lights, WallTime(3));
        assert_eq!(active(), "hw.light.absent hw.light.left_dead");
        faults.clear(DeviceKind::Lights, WallTime(4));
        assert_eq!(active(), "hw.light.left_dead");
        faults.raise(&lights, WallTime(5));
        assert!(faults.note(row("hw.light.left_dead"), None, WallTime(6)));
        assert_eq!(active(), "hw.light.absent");
        assert!(faults.is_active("hw.light.absent") && faults.n_active() == 1);
        let all = faults.all();
        let record = &all[0];
        assert_eq!((record.count, record.detail.as_str()), (1, "0.1 %"));
        assert_eq!((record.first_ms, record.last_ms), (1, 6));
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
