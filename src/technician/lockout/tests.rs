//! However often the power is cut, nobody gets more tries than the rule.

use super::*;
use std::cell::RefCell;
use std::rc::Rc;

/// Chance that can be repeated (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// A disk: what is synced stays, what is not is lost, kept or torn when the power is cut.
#[derive(Debug)]
struct Disk {
    synced: Vec<u8>,
    written: Vec<u8>,
    /// Steps (writes, syncs) until the power is cut.
    steps: Option<u64>,
    cut: bool,
}

#[derive(Clone, Debug)]
struct DiskStore(Rc<RefCell<Disk>>);

impl DiskStore {
    fn new() -> Self {
        Self(Rc::new(RefCell::new(Disk {
            synced: vec![0; SIZE],
            written: vec![0; SIZE],
            steps: None,
            cut: false,
        })))
    }

    /// The power is cut now: of each run of bytes that was not synced some stay.
    fn power_cut(&self, chance: &mut Chance) {
        let mut disk = self.0.borrow_mut();
        let keep = chance.below(3);
        let torn = usize::try_from(chance.below(SIZE as u64)).expect("small");
        for i in 0..SIZE {
            let stays = match keep {
                0 => false,
                1 => true,
                _ => i < torn,
            };
            if stays {
                disk.synced[i] = disk.written[i];
            }
        }
        disk.written = disk.synced.clone();
        (disk.steps, disk.cut) = (None, false);
    }
}

impl Disk {
    fn step(&mut self) -> io::Result<()> {
        if self.cut || self.steps == Some(0) {
            self.cut = true;
            return Err(io::Error::other("the power is off"));
        }
        self.steps = self.steps.map(|n| n - 1);
        Ok(())
    }
}

impl Store for DiskStore {
    fn read(&self) -> io::Result<Vec<u8>> {
        Ok(self.0.borrow().written.clone())
    }

    fn write(&mut self, at: usize, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.0.borrow_mut();
        // The write that the power cut hits may have reached the cache.
        disk.written[at..at + bytes.len()].copy_from_slice(bytes);
        disk.step()
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.0.borrow_mut();
        disk.step()?;
        disk.synced = disk.written.clone();
        Ok(())
    }
}

/// A lock that stores after comparing, as it must not be: the test has to see it.
fn careless(store: &DiskStore, boot: &str, now: Moment, compare: impl FnOnce() -> bool) {
    if let Ok(mut lock) = Lockout::open(store.clone(), boot, now)
        && lock.left(now).is_zero()
    {
        compare();
        let _ = lock.attempt(now, || false);
    }
}

/// Ten thousand wrong codes with the power cut at random: the time of every comparison, in true milliseconds.
fn attack(
    seed: u64,
    mut try_code: impl FnMut(&DiskStore, &str, Moment, &mut dyn FnMut() -> bool),
) -> Vec<u64> {
    let mut chance = Chance(seed);
    let store = DiskStore::new();
    let (mut true_ms, mut started_ms, mut boots) = (0u64, 0u64, 0u32);
    let mut compared = Vec::new();
    for _ in 0..10_000 {
        // The attacker knows the rule: tries at once, or after a wait that is just long enough, or nearly.
        true_ms += match chance.below(4) {
            0 | 1 => chance.below(2_000),
            2 => chance.below(60_000),
            _ => chance.below(40 * 60_000),
        };
        store.0.borrow_mut().steps = (chance.below(2) == 0).then(|| chance.below(7));
        let now = Moment::from_millis(true_ms - started_ms);
        try_code(&store, &format!("boot-{boots}"), now, &mut || {
            compared.push(true_ms);
            false
        });
        let cut = store.0.borrow().cut || chance.below(3) == 0;
        if cut {
            store.power_cut(&mut chance);
            true_ms += chance.below(20_000);
            (started_ms, boots) = (true_ms, boots + 1);
        }
        store.0.borrow_mut().steps = None;
    }
    compared
}

/// The first comparison that came before the rule allowed it.
fn too_early(compared: &[u64]) -> Option<usize> {
    (1..compared.len()).find(|n| {
        let wait = wait_after(u32::try_from(*n).expect("few")).as_millis();
        u128::from(compared[*n] - compared[n - 1]) < wait
    })
}

#[test]
fn ten_thousand_wrong_codes_and_random_power_cuts_never_give_a_try_more() {
    for seed in 0..8 {
        let compared = attack(seed, |store, boot, now, compare| {
            if let Ok(mut lock) = Lockout::open(store.clone(), boot, now) {
                let _ = lock.attempt(now, compare);
            }
        });
        assert!(
            compared.len() > 5,
            "seed {seed}: the attacker did get tries"
        );
        assert_eq!(too_early(&compared), None, "seed {seed}: {compared:?}");
        println!("seed {seed}: {} comparisons of 10000 tries", compared.len());
    }
}

#[test]
fn the_same_attack_finds_a_lock_that_compares_first() {
    let found = (0..8).any(|seed| {
        let compared = attack(seed, |store, boot, now, compare| {
            careless(store, boot, now, compare)
        });
        too_early(&compared).is_some()
    });
    assert!(found);
}

#[test]
fn waits_double_up_to_a_day() {
    let waits: Vec<u64> = (0..6).map(|n| wait_after(n).as_secs()).collect();
    assert_eq!(waits, [0, 0, 0, 30, 60, 120]);
    assert_eq!(wait_after(14), Duration::from_secs(61_440));
    for n in [15, 16, 34, 35, 1000, u32::MAX] {
        assert_eq!(wait_after(n), LONGEST, "{n}");
    }
}

#[test]
fn a_good_code_ends_it_and_a_restart_does_not() {
    let store = DiskStore::new();
    let at = Moment::from_millis;
    let mut lock = Lockout::open(store.clone(), "a", at(0)).expect("a new one");
    for _ in 0..3 {
        assert_eq!(lock.attempt(at(0), || false).expect("stored"), Some(false));
    }
    assert_eq!(lock.attempt(at(29_999), || true).expect("stored"), None);
    // The process is started again: the wait goes on. The machine is started again: it begins anew.
    let same = Lockout::open(store.clone(), "a", at(20_000)).expect("readable");
    assert_eq!(same.left(at(20_000)), Duration::from_secs(10));
    let mut other = Lockout::open(store.clone(), "b", at(1_000)).expect("readable");
    assert_eq!(other.left(at(1_000)), Duration::from_secs(30));
    assert_eq!(
        other.attempt(at(31_000), || true).expect("stored"),
        Some(true)
    );
    assert_eq!((other.tries(), other.left(at(31_000))), (0, Duration::ZERO));
}

#[test]
fn a_damaged_lock_is_locked() {
    let store = DiskStore::new();
    store.0.borrow_mut().written[7] = 1;
    let lock = Lockout::open(store, "a", Moment::ZERO).expect("readable");
    assert!(lock.was_damaged());
    assert_eq!(lock.left(Moment::ZERO), Duration::from_secs(64 * 60));
}
