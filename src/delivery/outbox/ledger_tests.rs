//! Standings over restarts: written with the outcome or not at all, salted, few.

use super::*;
use crate::base::ids::{BoothId, SessionId};
use crate::base::time::{ManualClock, Moment, WallTime};
use crate::delivery::outbox::{Outbox, OutboxConfig, Reservation};
use crate::trust::keys::{SoftwareKey, TrustedKeys};
use std::path::Path;
use std::sync::Arc;

const NOW_S: i64 = 1_795_468_444;
const ANNA: [u8; 32] = [0xa5; 32];

fn open(dir: &Path) -> Outbox {
    let config = OutboxConfig {
        state_dir: dir.to_owned(),
        max_rows: 1000,
        max_mib: 16,
    };
    let clock = Arc::new(ManualClock::new(Moment::ZERO, WallTime(NOW_S * 1000)));
    let booth = BoothId::try_from("BOOTH-0001".to_owned()).unwrap();
    let signer = Arc::new(SoftwareKey::from_seed(&[1; 32]));
    Outbox::open(&config, booth, signer, TrustedKeys::default(), clock)
        .unwrap()
        .0
}

fn reserve(outbox: &mut Outbox, n: u64) -> Reservation {
    let session = SessionId::from_parts(0, [1; 10]);
    let ticket = sha256(&n.to_be_bytes());
    outbox.reserve(&session, ticket, b"fallback", 64).unwrap()
}

fn entry(subject: [u8; 32], failures: u32, last_failed_s: i64) -> Entry {
    Entry {
        subject,
        standing: Standing {
            failures,
            last_failed_s,
        },
    }
}

fn n_rows(outbox: &Outbox) -> i64 {
    outbox
        .db
        .query_row("SELECT count(*) FROM standing", [], |r| r.get(0))
        .unwrap()
}

#[test]
fn a_standing_is_stored_with_the_outcome_and_known_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut outbox = open(dir.path());
    assert_eq!(outbox.standing(&ANNA).unwrap(), Standing::default());
    let failed = entry(ANNA, 3, NOW_S);
    let reservation = reserve(&mut outbox, 1);
    outbox
        .commit(&reservation, b"outcome", Some(&failed))
        .unwrap();
    // A second commit is refused as a whole.
    outbox
        .commit(&reservation, b"late", Some(&entry(ANNA, 9, NOW_S)))
        .unwrap_err();
    drop(outbox);
    let mut outbox = open(dir.path());
    assert_eq!(outbox.standing(&ANNA).unwrap(), failed.standing);
    assert_eq!(outbox.standing(&[0; 32]).unwrap(), Standing::default());
    // A session that the power ended changes nothing.
    reserve(&mut outbox, 2);
    drop(outbox);
    let mut outbox = open(dir.path());
    assert_eq!(outbox.standing(&ANNA).unwrap(), failed.standing);
    // Who passes is forgotten.
    let reservation = reserve(&mut outbox, 3);
    outbox
        .commit(&reservation, b"outcome", Some(&entry(ANNA, 0, 0)))
        .unwrap();
    assert_eq!(
        (outbox.standing(&ANNA).unwrap(), n_rows(&outbox)),
        Default::default()
    );
}

#[test]
fn what_is_on_the_disk_says_nothing_to_who_knows_a_ticket() {
    let hash_of = |dir: &Path| {
        let mut outbox = open(dir);
        let reservation = reserve(&mut outbox, 1);
        let failed = entry(ANNA, 1, NOW_S);
        outbox
            .commit(&reservation, b"outcome", Some(&failed))
            .unwrap();
        let hash: Vec<u8> = outbox
            .db
            .query_row("SELECT subject FROM standing", [], |r| r.get(0))
            .unwrap();
        hash
    };
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (a, b) = (hash_of(one.path()), hash_of(other.path()));
    assert_ne!(a, b, "each outbox has a salt of its own");
    assert_ne!(a, ANNA);
    assert_ne!(a, sha256(&ANNA));
}

#[test]
fn the_table_stays_small_and_forgets_what_is_old() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path());
    let tx = outbox.db.unchecked_transaction().unwrap();
    let many = MOST_ROWS + 20;
    for n in 0..many {
        tx.execute(
            "INSERT INTO standing VALUES (?1, 1, ?2)",
            params![&sha256(&n.to_be_bytes())[..], NOW_S - many + n],
        )
        .unwrap();
    }
    write(&tx, &entry(ANNA, 2, NOW_S), NOW_S).unwrap();
    tx.commit().unwrap();
    assert_eq!(n_rows(&outbox), MOST_ROWS);
    assert_eq!(read(&outbox.db, &ANNA).unwrap().failures, 2);
    // A month later all of them are old.
    write(
        &outbox.db,
        &entry([7; 32], 1, NOW_S + FORGET_S + 1),
        NOW_S + FORGET_S + 1,
    )
    .unwrap();
    assert_eq!(n_rows(&outbox), 1);
}

#[test]
fn standings_are_read_out_of_a_damaged_outbox() {
    let dir = tempfile::tempdir().unwrap();
    let mut outbox = open(dir.path());
    let reservation = reserve(&mut outbox, 1);
    let failed = entry(ANNA, 4, NOW_S);
    outbox
        .commit(&reservation, b"outcome", Some(&failed))
        .unwrap();
    let found = read_out(&outbox.db);
    drop(outbox);
    let other = tempfile::tempdir().unwrap();
    let outbox = open(other.path());
    take_in(&outbox.db, &found).unwrap();
    assert_eq!(outbox.standing(&ANNA).unwrap(), failed.standing);
    // From a database without the tables: nothing, and no error.
    let empty = rusqlite::Connection::open_in_memory().unwrap();
    take_in(&outbox.db, &read_out(&empty)).unwrap();
    assert_eq!(outbox.standing(&ANNA).unwrap(), failed.standing);
}
