//! A one-place slot between two threads: the newest value wins, the overwritten are counted and handed back for reuse.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Debug)]
struct Place<T> {
    value: Option<T>,
    overwritten: u64,
    closed: bool,
}

/// A one-place slot. Capacity 1; when full, the newest value replaces the waiting one.
#[derive(Debug)]
pub struct Latest<T> {
    shared: Arc<(Mutex<Place<T>>, Condvar)>,
}

impl<T> Clone for Latest<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Latest<T> {
    /// An empty slot.
    pub fn new() -> Self {
        let place = Place {
            value: None,
            overwritten: 0,
            closed: false,
        };
        Self {
            shared: Arc::new((Mutex::new(place), Condvar::new())),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Place<T>> {
        // A panic of the other side leaves a whole value: no step under this lock can be seen half done.
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts `value` in the slot and gives back the value that nobody took, so that its buffer can be used again.
    pub fn put(&self, value: T) -> Option<T> {
        let old = {
            let mut place = self.lock();
            let old = place.value.replace(value);
            place.overwritten += u64::from(old.is_some());
            old
        };
        self.shared.1.notify_one();
        old
    }

    /// Takes the value if there is one.
    pub fn try_take(&self) -> Option<T> {
        self.lock().value.take()
    }

    /// Waits up to `timeout` for a value. `None` on time-out or when the slot was closed.
    pub fn take(&self, timeout: Duration) -> Option<T> {
        let place = self.lock();
        let waited = self
            .shared
            .1
            .wait_timeout_while(place, timeout, |p| p.value.is_none() && !p.closed);
        let (mut place, _) = waited.unwrap_or_else(PoisonError::into_inner);
        place.value.take()
    }

    /// Wakes the reader for good: nothing more will come.
    pub fn close(&self) {
        self.lock().closed = true;
        self.shared.1.notify_all();
    }

    /// Whether [`Latest::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// How many values were replaced before anybody took them.
    pub fn overwritten(&self) -> u64 {
        self.lock().overwritten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_wins_and_the_overwritten_is_counted_and_returned() {
        let slot = Latest::new();
        assert_eq!(slot.put(1), None);
        assert_eq!(slot.put(2), Some(1));
        assert_eq!(
            (slot.try_take(), slot.try_take(), slot.overwritten()),
            (Some(2), None, 1)
        );
    }

    #[test]
    fn a_closed_slot_wakes_its_reader() {
        let slot: Latest<u8> = Latest::new();
        let other = slot.clone();
        let reader = std::thread::spawn(move || other.take(Duration::from_secs(60)));
        slot.close();
        assert_eq!(reader.join().expect("the reader ends"), None);
    }
}
