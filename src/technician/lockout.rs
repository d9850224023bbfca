//! The lock after wrong codes. It doubles, and outlives power cuts: a try is counted and synced *before* its code is compared, and a
//! machine that was started again waits its full time anew, because nobody knows how long it was off.
//!
//! Two slots of 256 bytes, written in turns; a torn slot is no slot, and the other still counts. Each slot:
//! `boothd-lock 1 SEQ TRIES SINCE_NS BOOT_ID SHA256\n`, filled up with blanks; the hash is over what stands before it.

use super::store::Store;
use crate::base::time::Moment;
use crate::trust::{hex, sha256};
use std::io;
use std::time::Duration;

/// Bytes of a slot.
const SLOT: usize = 256;
/// Bytes of the store.
pub const SIZE: usize = 2 * SLOT;
/// Wrong codes that cost nothing but a new challenge.
const FREE: u32 = 3;
/// The wait after the third wrong code.
const FIRST: Duration = Duration::from_secs(30);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// A lock that cannot be read counts as so many tries: about an hour's wait.
const DAMAGED: u32 = 10;

/// The wait after so many wrong codes: none for the first two, 30 s after the third, then doubling up to a day.
pub fn wait_after(tries: u32) -> Duration {
    match tries.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(n) => FIRST
            .saturating_mul(1u32.checked_shl(n).unwrap_or(u32::MAX))
            .min(LONGEST),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Slot {
    seq: u64,
    tries: u32,
    since: Moment,
    boot: String,
}

impl Slot {
    fn bytes(&self) -> [u8; SLOT] {
        let mut text = format!(
            "boothd-lock 1 {} {} {} {} ",
            self.seq,
            self.tries,
            self.since.as_nanos(),
            self.boot
        );
        text.push_str(&hex(&sha256(text.as_bytes())));
        let mut bytes = [b' '; SLOT];
        // Numbers of at most 20 digits, a boot id of at most 40 characters and the hash: at most 180 bytes.
        for (to, from) in bytes.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        bytes[SLOT - 1] = b'\n';
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let ["boothd-lock", "1", seq, tries, since, boot, _hash] = words[..] else {
            return None;
        };
        let slot = Self {
            seq: seq.parse().ok()?,
            tries: tries.parse().ok()?,
            since: Moment::from_nanos(since.parse().ok()?),
            boot: boot.to_owned(),
        };
        // Written again it must be the same to the last byte.
        (slot.bytes() == bytes).then_some(slot)
    }
}

/// The lock.
#[derive(Debug)]
pub struct Lockout<S> {
    store: S,
    slot: Slot,
    damaged: bool,
}

impl<S: Store> Lockout<S> {
    /// Reads the lock. `boot` tells one start of the machine from another.
    ///
    /// # Errors
    /// If the store can be read or written not at all: then no code is to be taken.
    pub fn open(store: S, boot: &str, now: Moment) -> io::Result<Self> {
        let boot: String = boot
            .chars()
            .filter(char::is_ascii_graphic)
            .take(40)
            .collect();
        let boot = if boot.is_empty() {
            "none".to_owned()
        } else {
            boot
        };
        let bytes = store.read()?;
        let newest = bytes
            .chunks(SLOT)
            .filter_map(Slot::read)
            .max_by_key(|s| s.seq);
        let fresh = bytes.iter().all(|b| *b == 0);
        let damaged = newest.is_none() && !fresh;
        let slot = newest.unwrap_or(Slot {
            seq: 0,
            tries: if fresh { 0 } else { DAMAGED },
            since: now,
            boot: boot.clone(),
        });
        let mut lock = Self {
            store,
            slot,
            damaged,
        };
        if lock.slot.boot != boot || damaged || fresh || lock.slot.since > now {
            // Started again: the whole wait, anew.
            let tries = lock.slot.tries;
            lock.put(tries, &boot, now)?;
        }
        Ok(lock)
    }

    fn put(&mut self, tries: u32, boot: &str, now: Moment) -> io::Result<()> {
        let next = Slot {
            seq: self.slot.seq.saturating_add(1),
            tries,
            since: now,
            boot: boot.to_owned(),
        };
        let at = if next.seq.is_multiple_of(2) { 0 } else { SLOT };
        self.store.write(at, &next.bytes())?;
        self.store.sync()?;
        self.slot = next;
        Ok(())
    }

    /// How long no code is taken.
    pub fn left(&self, now: Moment) -> Duration {
        wait_after(self.slot.tries).saturating_sub(now.since(self.slot.since))
    }

    /// Wrong codes since the last good one.
    pub fn tries(&self) -> u32 {
        self.slot.tries
    }

    /// The lock could not be read when it was opened.
    pub fn was_damaged(&self) -> bool {
        self.damaged
    }

    /// A try: counted and synced, and only then compared. None: locked, nothing was compared.
    ///
    /// # Errors
    /// If the count cannot be stored; nothing was compared.
    pub fn attempt(
        &mut self,
        now: Moment,
        compare: impl FnOnce() -> bool,
    ) -> io::Result<Option<bool>> {
        if !self.left(now).is_zero() {
            return Ok(None);
        }
        let boot = self.slot.boot.clone();
        self.put(self.slot.tries.saturating_add(1), &boot, now)?;
        if !compare() {
            return Ok(Some(false));
        }
        // If this is lost the next technician waits without need; nobody gets a try more.
        self.put(0, &boot, now)?;
        Ok(Some(true))
    }
}

#[cfg(test)]
mod tests;
