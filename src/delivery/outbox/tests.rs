//! The outbox against a plain model, a killed process, a full disk, a damaged file and a second process.

use super::*;
use crate::base::time::{ManualClock, Moment, WallTime};
use crate::trust::ack::{self, AckClaims, AckItem, AckStatus};
use crate::trust::keys::{Signer, SoftwareKey};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

const NOW: WallTime = WallTime(1_795_468_444_000);

/// A folder in memory where there is one: no test here looks at what a power cut leaves, and fsync takes its time.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

/// How often a test of chance is repeated: a few times as a rule, as often as the environment says in a long run.
fn often<N: std::str::FromStr>(variable: &str, few: N) -> N {
    std::env::var(variable)
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(few)
}

fn booth() -> BoothId {
    BoothId::try_from("BOOTH-0001".to_owned()).unwrap()
}

fn wallet_key() -> SoftwareKey {
    SoftwareKey::from_seed(&[2; 32])
}

fn open_with(dir: &Path, max_rows: u32, max_mib: u32) -> Result<(Outbox, Recovery), OutboxError> {
    let config = OutboxConfig {
        state_dir: dir.to_owned(),
        max_rows,
        max_mib,
    };
    let signer = Arc::new(SoftwareKey::from_seed(&[1; 32]));
    let keys = TrustedKeys::from_iter([wallet_key().public()]);
    let clock = Arc::new(ManualClock::new(Moment::ZERO, NOW));
    Outbox::open(&config, booth(), signer, keys, clock)
}

fn open(dir: &Path) -> (Outbox, Recovery) {
    open_with(dir, 10_000, 64).unwrap()
}

fn session() -> SessionId {
    SessionId::from_parts(NOW.0, [1; 10])
}

fn ticket(n: u64) -> [u8; 32] {
    crate::trust::sha256(&n.to_be_bytes())
}

fn reserve(outbox: &mut Outbox, n: u64) -> Reservation {
    outbox
        .reserve(
            &session(),
            ticket(n),
            format!("fallback {n}").as_bytes(),
            4096,
        )
        .unwrap()
}

fn store(outbox: &mut Outbox, n: u64) -> (Reservation, Digest) {
    let reservation = reserve(outbox, n);
    let stored = outbox
        .commit(&reservation, format!("outcome {n}").as_bytes(), None)
        .unwrap();
    (reservation, stored.sha256)
}

fn item(reservation: Reservation, sha256: Digest, status: AckStatus) -> AckItem {
    AckItem {
        epoch: reservation.epoch,
        seq: reservation.seq,
        sha256,
        status,
        code: None,
    }
}

fn claims(items: Vec<AckItem>) -> AckClaims {
    AckClaims {
        v: 1,
        dev: booth(),
        epoch: 0,
        through: 0,
        items,
        server_time: NOW.unix_s(),
    }
}

fn signed(claims: &AckClaims) -> String {
    ack::issue(claims, &wallet_key()).unwrap()
}

fn all(outbox: &mut Outbox) -> Vec<Pending> {
    outbox.pending(usize::MAX, usize::MAX).unwrap()
}

fn header(jws: &str) -> OutcomeHeader {
    store::own_header(jws, &SoftwareKey::from_seed(&[1; 32]), &booth()).unwrap()
}

fn payload(jws: &str) -> String {
    let part = jws.split('.').nth(1).unwrap();
    String::from_utf8(crate::trust::unbase64url(part).unwrap()).unwrap()
}

#[test]
fn an_outcome_stays_until_the_wallet_has_signed_for_it() {
    let dir = folder();
    let (mut outbox, recovery) = open(dir.path());
    assert_eq!(recovery, Recovery::default());
    let (reservation, sha256) = store(&mut outbox, 1);
    let pending = all(&mut outbox);
    assert_eq!(payload(&pending[0].jws), "outcome 1");
    assert_eq!(pending[0].sha256, sha256);

    drop(outbox);
    let (mut outbox, _) = open(dir.path());
    assert_eq!(all(&mut outbox), pending);
    let ack = signed(&claims(vec![item(
        reservation,
        sha256,
        AckStatus::Accepted,
    )]));
    let report = outbox.acknowledge(&ack).unwrap();
    assert_eq!((report.accepted, report.settled()), (1, 1));
    assert!(all(&mut outbox).is_empty());
    let stats = outbox.stats().unwrap();
    assert_eq!((stats.last_seq, stats.acknowledged_seq), (1, 1));
    // The same word again changes nothing.
    assert_eq!(outbox.acknowledge(&ack).unwrap().unknown, 1);
}

#[test]
fn only_the_wallets_word_on_these_bytes_settles_an_outcome() {
    let dir = folder();
    let (mut outbox, _) = open(dir.path());
    let (reservation, sha256) = store(&mut outbox, 1);
    let good = claims(vec![item(reservation, sha256, AckStatus::Accepted)]);
    let stranger = ack::issue(&good, &SoftwareKey::from_seed(&[3; 32])).unwrap();
    let own = ack::issue(&good, &SoftwareKey::from_seed(&[1; 32])).unwrap();
    let other_booth = signed(&AckClaims {
        dev: BoothId::try_from("BOOTH-0002".to_owned()).unwrap(),
        ..good.clone()
    });
    let other_version = signed(&AckClaims {
        v: 2,
        ..good.clone()
    });
    for (text, expected) in [
        (stranger, "Ack(Jws(UnknownKey"),
        (own, "Ack(Jws(UnknownKey"),
        (other_booth, "Ack(ForAnotherBooth"),
        (other_version, "Ack(Malformed"),
        ("200 OK".to_owned(), "Ack(Jws(Malformed"),
        (String::new(), "Ack(Jws(Malformed"),
    ] {
        let found = format!("{:?}", outbox.acknowledge(&text).unwrap_err());
        assert!(found.starts_with(expected), "{found}");
    }
    let other_hash = claims(vec![item(
        reservation,
        Digest([7; 32]),
        AckStatus::Accepted,
    )]);
    assert_eq!(
        outbox.acknowledge(&signed(&other_hash)).unwrap().mismatched,
        1
    );
    let other_hash = claims(vec![item(
        reservation,
        Digest([7; 32]),
        AckStatus::Rejected,
    )]);
    assert_eq!(
        outbox.acknowledge(&signed(&other_hash)).unwrap().mismatched,
        1
    );
    assert_eq!(all(&mut outbox).len(), 1);
}

#[test]
fn a_rejected_outcome_is_kept_and_blocks_nothing() {
    let dir = folder();
    let (mut outbox, _) = open(dir.path());
    let (first, sha256) = store(&mut outbox, 1);
    let (second, _) = store(&mut outbox, 2);
    let ack = signed(&claims(vec![item(first, sha256, AckStatus::Rejected)]));
    assert_eq!(outbox.acknowledge(&ack).unwrap().rejected, 1);
    assert_eq!(header(&all(&mut outbox)[0].jws).seq, second.seq);
    let kept: (String, String) = outbox
        .db
        .query_row("SELECT jws, ack FROM outcome WHERE state = 2", [], |r| {
            Ok((r.get(0)?, r.get(1)?))
        })
        .unwrap();
    assert_eq!((payload(&kept.0), kept.1), ("outcome 1".to_owned(), ack));
    assert_eq!(outbox.stats().unwrap().rejected, 1);
}

#[test]
fn a_poisoned_outcome_waits_behind_the_others() {
    let dir = folder();
    let (mut outbox, _) = open(dir.path());
    let (_, poison) = store(&mut outbox, 1);
    let (second, sha256) = store(&mut outbox, 2);
    for _ in 0..MAX_STRIKES {
        assert_eq!(all(&mut outbox).len(), 2);
        outbox.strike(&poison).unwrap();
    }
    assert_eq!(all(&mut outbox)[0].sha256, sha256);
    let ack = signed(&claims(vec![item(second, sha256, AckStatus::Accepted)]));
    outbox.acknowledge(&ack).unwrap();
    assert_eq!(all(&mut outbox)[0].sha256, poison);
}

#[test]
fn a_batch_keeps_to_its_limits() {
    let dir = folder();
    let (mut outbox, _) = open(dir.path());
    for n in 0..5 {
        store(&mut outbox, n);
    }
    let one = all(&mut outbox)[0].jws.len() + 3;
    for (limit, bytes, expected) in [
        (5, usize::MAX, 5),
        (3, usize::MAX, 3),
        (5, one * 2, 2),
        (5, 1, 1),
    ] {
        assert_eq!(outbox.pending(limit, bytes).unwrap().len(), expected);
    }
}

#[test]
fn what_cannot_be_reserved_changes_nothing() {
    let dir = folder();
    let (mut outbox, _) = open_with(dir.path(), 10, 64).unwrap();
    let (done, _) = store(&mut outbox, 0);
    let again = outbox.reserve(&session(), ticket(0), b"f", 0);
    assert!(matches!(again, Err(OutboxError::TicketUsed)));
    let large = outbox.reserve(&session(), ticket(1), b"f", MAX_PAYLOAD + 1);
    assert!(matches!(large, Err(OutboxError::TooLarge { .. })));
    assert!(matches!(
        outbox.commit(&done, b"x", None),
        Err(OutboxError::NotReserved { seq: 1, .. })
    ));
    assert!(matches!(
        outbox.update_fallback(&done, b"x"),
        Err(OutboxError::NotReserved { .. })
    ));
    assert_eq!(outbox.stats().unwrap().last_seq, 1);
    for n in 1..9 {
        store(&mut outbox, n);
    }
    let full = outbox.reserve(&session(), ticket(9), b"f", 0);
    assert!(matches!(
        full,
        Err(OutboxError::Full {
            found: 9,
            allowed: 9
        })
    ));
    // A ticket that opened no session is not used up.
    let first = all(&mut outbox).remove(0);
    let ack = claims(vec![item(done, first.sha256, AckStatus::Accepted)]);
    outbox.acknowledge(&signed(&ack)).unwrap();
    reserve(&mut outbox, 9);
}

#[test]
fn a_session_left_open_leaves_its_fallback() {
    let dir = folder();
    let (mut outbox, _) = open(dir.path());
    let first = reserve(&mut outbox, 1);
    assert!(
        all(&mut outbox).is_empty(),
        "a fallback must not be sent while the session runs"
    );
    // The next session closes it.
    let second = reserve(&mut outbox, 2);
    assert!(matches!(
        outbox.commit(&first, b"late", None),
        Err(OutboxError::NotReserved { .. })
    ));
    outbox.update_fallback(&second, b"changed").unwrap();
    drop(outbox);
    // The next start closes it.
    let (mut outbox, recovery) = open(dir.path());
    assert_eq!(recovery.fallbacks, 1);
    let found: Vec<_> = all(&mut outbox).iter().map(|p| payload(&p.jws)).collect();
    assert_eq!(found, ["fallback 1", "changed"]);
    assert!(matches!(
        outbox.commit(&second, b"late", None),
        Err(OutboxError::NotReserved { .. })
    ));
}

#[test]
fn outcomes_are_chained() {
    let dir = folder();
    let (mut outbox, _) = open(dir.path());
    for n in 0..4 {
        if n == 2 {
            reserve(&mut outbox, n);
        } else {
            store(&mut outbox, n);
        }
    }
    let mut prev = Digest([0; 32]);
    for (n, pending) in (1..).zip(all(&mut outbox)) {
        let header = header(&pending.jws);
        assert_eq!((header.seq, header.prev), (n, prev));
        prev = pending.sha256;
    }
}

#[test]
fn an_outbox_that_has_forgotten_begins_a_new_epoch() {
    for (through, code, expected) in [
        (1, None, false),
        (2, None, true),
        (0, Some("conflict"), true),
    ] {
        let dir = folder();
        let (mut outbox, _) = open(dir.path());
        let (reservation, sha256) = store(&mut outbox, 1);
        let mut claims = claims(vec![AckItem {
            code: code.map(str::to_owned),
            ..item(reservation, sha256, AckStatus::Rejected)
        }]);
        claims.epoch = reservation.epoch;
        claims.through = through;
        let report = outbox.acknowledge(&signed(&claims)).unwrap();
        assert_eq!(report.storage_ahead, expected, "{through} {code:?}");
        let (next, _) = store(&mut outbox, 2);
        assert_eq!(next.epoch > reservation.epoch, expected);
        assert_eq!(next.seq, if expected { 1 } else { 2 });
    }
}

#[test]
fn a_second_process_is_refused() {
    let dir = folder();
    let (mut outbox, _) = open(dir.path());
    assert!(matches!(
        open_with(dir.path(), 10, 64),
        Err(OutboxError::Locked { .. })
    ));
    store(&mut outbox, 1);
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let dir = folder();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = open_with(&file, 10, 64).unwrap_err();
    assert!(error.to_string().contains("file"), "{error}");
}

#[test]
fn newer_software_is_recognised_and_a_foreign_file_is_kept() {
    let dir = folder();
    let (mut outbox, _) = open(dir.path());
    store(&mut outbox, 1);
    outbox
        .db
        .execute_batch("PRAGMA user_version = 2; UPDATE form SET version = 2;")
        .unwrap();
    drop(outbox);
    assert!(matches!(
        open_with(dir.path(), 10, 64),
        Err(OutboxError::Newer {
            found: 2,
            allowed: 1
        })
    ));

    let dir = folder();
    std::fs::write(
        dir.path().join("outbox.db"),
        "a text that is no database at all, far from it",
    )
    .unwrap();
    let (_, recovery) = open(dir.path());
    let kept = std::fs::read_to_string(recovery.quarantined.unwrap()).unwrap();
    assert!(kept.starts_with("a text"));
}

/// Acknowledgements go on, and what was reserved is committed, when the database may not grow any more.
#[test]
fn at_the_largest_size_acknowledgements_still_drain() {
    let dir = folder();
    let (mut outbox, _) = open_with(dir.path(), 10_000, 2).unwrap();
    let big = vec![b'x'; 20_000];
    let mut stored = Vec::new();
    let refused = loop {
        let n = stored.len() as u64;
        match outbox.reserve(&session(), ticket(n), b"f", big.len()) {
            Ok(reservation) => {
                let sha256 = outbox.commit(&reservation, &big, None).unwrap().sha256;
                stored.push((reservation, sha256));
            }
            Err(e) => break e,
        }
    };
    assert!(matches!(refused, OutboxError::DiskFull), "{refused}");
    assert!(stored.len() > 20, "{}", stored.len());
    for (reservation, sha256) in &stored {
        let ack = claims(vec![item(*reservation, *sha256, AckStatus::Accepted)]);
        assert_eq!(outbox.acknowledge(&signed(&ack)).unwrap().accepted, 1);
    }
    // The refused ticket was not used up, and there is room again.
    outbox
        .reserve(&session(), ticket(stored.len() as u64), b"f", big.len())
        .unwrap();
}

/// The same with files that cannot grow, as on a full disk: in a process of its own, because the limit is a process's.
#[test]
fn on_a_full_disk_what_is_reserved_is_committed_and_acknowledged() {
    const CHILD: &str = "BOOTHD_TEST_FULL_DISK";
    let Some(dir) = std::env::var_os(CHILD) else {
        let dir = folder();
        let test = "on_a_full_disk_what_is_reserved_is_committed_and_acknowledged";
        let output = child(test, CHILD, dir.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            said.contains("as promised"),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let (mut outbox, recovery) = open(dir.path());
        assert_eq!(recovery, Recovery::default());
        assert_eq!(all(&mut outbox).len(), 1);
        return;
    };
    let dir = Path::new(&dir);
    let (mut outbox, _) = open(dir);
    let (first, sha256) = store(&mut outbox, 1);
    let big = vec![b'x'; 100_000];
    let second = outbox
        .reserve(&session(), ticket(2), b"f", big.len())
        .unwrap();
    // No file may grow: what the kernel says then is EFBIG, and the signal that comes with it is caught.
    let seen = Arc::new(std::sync::atomic::AtomicBool::new(false));
    signal_hook::flag::register(rustix::process::Signal::XFSZ.as_raw(), seen).unwrap();
    let sizes =
        ["outbox.db", "outbox.db-wal"].map(|f| std::fs::metadata(dir.join(f)).unwrap().len());
    let largest = sizes.into_iter().max();
    let limit = rustix::process::Rlimit {
        current: largest,
        maximum: largest,
    };
    rustix::process::setrlimit(rustix::process::Resource::Fsize, limit).unwrap();
    outbox.commit(&second, &big, None).unwrap();
    let ack = claims(vec![item(first, sha256, AckStatus::Accepted)]);
    assert_eq!(outbox.acknowledge(&signed(&ack)).unwrap().accepted, 1);
    let mut n = 3;
    let refused = loop {
        match outbox.reserve(&session(), ticket(n), b"f", big.len()) {
            Ok(_) => n += 1,
            Err(e) => break e,
        }
    };
    assert!(
        matches!(refused, OutboxError::DiskFull | OutboxError::Io { .. }),
        "{refused}"
    );
    println!("as promised");
}

fn child(test: &str, variable: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .arg(format!("delivery::outbox::tests::{test}"))
        .env(variable, dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A process that reserves, commits and acknowledges is killed again and again at whatever it is doing.
#[test]
fn a_killed_process_loses_and_doubles_nothing() {
    const CHILD: &str = "BOOTHD_TEST_KILL";
    if let Some(dir) = std::env::var_os(CHILD) {
        busy(Path::new(&dir));
        return;
    }
    let kills: u64 = often("BOOTHD_TEST_KILLS", 24);
    let dir = folder();
    let mut committed: BTreeMap<u64, String> = BTreeMap::new();
    let mut sent = BTreeSet::new();
    let mut settled = BTreeSet::new();
    for round in 0..kills {
        let mut child = child(
            "a_killed_process_loses_and_doubles_nothing",
            CHILD,
            dir.path(),
        )
        .spawn()
        .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // After so many steps, and then wherever the process has got to meanwhile.
        for _ in 0..(round * 7 % 23) + 2 {
            note(
                &lines.next().unwrap().unwrap(),
                &mut committed,
                &mut sent,
                &mut settled,
            );
        }
        child.kill().unwrap();
        for line in lines.map_while(Result::ok) {
            note(&line, &mut committed, &mut sent, &mut settled);
        }
        child.wait().unwrap();

        let (mut outbox, recovery) = open(dir.path());
        assert_eq!((recovery.damaged, &recovery.quarantined), (0, &None));
        let pending: BTreeMap<u64, String> = all(&mut outbox)
            .into_iter()
            .map(|p| (header(&p.jws).seq, p.sha256.to_string()))
            .collect();
        let last = outbox.stats().unwrap().last_seq;
        for seq in 1..=last {
            match pending.get(&seq) {
                Some(sha256) => {
                    assert!(!settled.contains(&seq), "{seq} came back");
                    assert!(
                        committed.get(&seq).is_none_or(|c| c == sha256),
                        "{seq} changed"
                    );
                }
                None => assert!(sent.contains(&seq), "{seq} is lost"),
            }
        }
        assert!(
            committed.keys().next_back() <= Some(&last),
            "a number was given out and forgotten"
        );
        assert!(pending.keys().next_back() <= Some(&last));
    }
    assert!(committed.len() as u64 > kills);
}

fn note(
    line: &str,
    committed: &mut BTreeMap<u64, String>,
    sent: &mut BTreeSet<u64>,
    settled: &mut BTreeSet<u64>,
) {
    let words: Vec<_> = line.split(' ').collect();
    match words[..] {
        ["committed", seq, sha256] => {
            committed.insert(seq.parse().unwrap(), sha256.to_owned());
        }
        ["sent", seq] => {
            sent.insert(seq.parse().unwrap());
        }
        ["settled", seq] => {
            settled.insert(seq.parse().unwrap());
        }
        _ => {}
    }
}

fn busy(dir: &Path) {
    let (mut outbox, _) = open(dir);
    let say = |text: String| {
        let mut out = std::io::stdout().lock();
        // In one write, so that a kill cannot cut a line in two; a parent that is gone is no concern of this one.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    };
    let first = outbox.stats().unwrap().last_seq;
    for n in first..first + 1000 {
        let reservation = reserve(&mut outbox, n);
        outbox
            .update_fallback(&reservation, b"later fallback")
            .unwrap();
        let sha256 = outbox
            .commit(&reservation, b"outcome", None)
            .unwrap()
            .sha256;
        say(format!("committed {} {sha256}\n", reservation.seq));
        if n % 2 == 0 {
            for pending in outbox.pending(50, usize::MAX).unwrap() {
                let header = header(&pending.jws);
                let place = Reservation {
                    epoch: header.epoch,
                    seq: header.seq,
                };
                say(format!("sent {}\n", header.seq));
                let ack = claims(vec![item(place, pending.sha256, AckStatus::Accepted)]);
                outbox.acknowledge(&signed(&ack)).unwrap();
                say(format!("settled {}\n", header.seq));
            }
        }
    }
}

/// A closed outbox with `count` outcomes, and their texts by number.
fn closed(dir: &Path, count: u64) -> BTreeMap<u64, String> {
    let (mut outbox, _) = open(dir);
    for n in 0..count {
        let reservation = reserve(&mut outbox, n);
        let text = format!("outcome {n} {}", "x".repeat(900));
        outbox.commit(&reservation, text.as_bytes(), None).unwrap();
    }
    all(&mut outbox)
        .into_iter()
        .map(|p| (header(&p.jws).seq, p.jws))
        .collect()
}

#[derive(Clone, Debug)]
enum Damage {
    Flip(usize, u8),
    Zero(usize),
    Cut(usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<usize>(), 0u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        any::<usize>().prop_map(Damage::Zero),
        any::<usize>().prop_map(Damage::Cut),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(often("BOOTHD_TEST_DAMAGES", 48)))]

    #[test]
    fn a_damaged_database_loses_nothing_silently(damage in damage()) {
        let dir = folder();
        let before = closed(dir.path(), 12);
        let path = dir.path().join("outbox.db");
        let mut bytes = std::fs::read(&path).unwrap();
        let len = bytes.len();
        match damage {
            Damage::Flip(at, bit) => bytes[at % len] ^= 1 << bit,
            Damage::Zero(at) => {
                let at = at % len / 512 * 512;
                let end = (at + 512).min(len);
                bytes[at..end].fill(0);
            }
            Damage::Cut(at) => bytes.truncate(at % len),
        }
        std::fs::write(&path, bytes).unwrap();

        let (mut outbox, recovery) = open(dir.path());
        let after: BTreeMap<u64, String> = all(&mut outbox)
            .into_iter()
            .map(|p| (header(&p.jws).seq, p.jws))
            .collect();
        for (seq, jws) in &after {
            prop_assert_eq!(before.get(seq), Some(jws), "another outcome came out");
        }
        let stats = outbox.stats().unwrap();
        let lost = before.len() - after.len();
        let reported = recovery.quarantined.is_some() || stats.damaged + stats.rejected >= lost as u64;
        prop_assert!(lost == 0 || reported, "{} lost and not reported: {:?} {:?}", lost, recovery, stats);
        // It goes on, with a number that was never given out.
        let (next, _) = store(&mut outbox, 1000);
        prop_assert!(recovery.quarantined.is_none() == (next.seq == 13), "{:?}", next);
    }
}

#[test]
fn a_damaged_database_is_read_out() {
    let dir = folder();
    let before = closed(dir.path(), 12);
    let path = dir.path().join("outbox.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[68] ^= 1; // The application id.
    std::fs::write(&path, bytes).unwrap();
    let (mut outbox, recovery) = open(dir.path());
    assert_eq!(recovery.salvaged, 12);
    assert_eq!(recovery.last_known.map(|(_, seq)| seq), Some(12));
    let (epoch, last_seq, _) = head(&outbox.db).unwrap();
    assert!(epoch > recovery.last_known.unwrap().0 && last_seq == 0);
    assert_eq!(all(&mut outbox).len(), before.len());
    // A ticket that was used stays used.
    assert!(matches!(
        outbox.reserve(&session(), ticket(3), b"f", 0),
        Err(OutboxError::TicketUsed)
    ));
}

#[derive(Clone, Debug)]
enum Step {
    Reserve(u64),
    Fallback(u16),
    Commit(u16),
    Ack(usize, AckStatus),
    WrongAck(usize),
    Reopen,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u64..12).prop_map(Step::Reserve),
        1 => any::<u16>().prop_map(Step::Fallback),
        4 => any::<u16>().prop_map(Step::Commit),
        2 => (any::<usize>(), prop_oneof![
            Just(AckStatus::Accepted), Just(AckStatus::Duplicate), Just(AckStatus::Rejected)
        ]).prop_map(|(n, status)| Step::Ack(n, status)),
        1 => any::<usize>().prop_map(Step::WrongAck),
        1 => Just(Step::Reopen),
        1 => Just(Step::Crash),
    ]
}

/// The outbox as it should be, in memory.
#[derive(Default)]
struct Model {
    last_seq: u64,
    open: Option<(Reservation, String)>,
    pending: BTreeMap<u64, String>,
    rejected: u64,
    used: BTreeSet<u64>,
}

impl Model {
    fn close(&mut self) -> u32 {
        let Some((reservation, fallback)) = self.open.take() else {
            return 0;
        };
        self.pending.insert(reservation.seq, fallback);
        1
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(often("BOOTHD_TEST_MODELS", 40)))]

    #[test]
    fn the_outbox_does_what_its_model_does(steps in proptest::collection::vec(step(), 1..30)) {
        let mut dir = folder();
        let (mut outbox, _) = open(dir.path());
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Reserve(n) => {
                    let fallback = format!("fallback {n}");
                    let found = outbox.reserve(&session(), ticket(n), fallback.as_bytes(), 100);
                    model.close();
                    if model.used.insert(n) {
                        model.last_seq += 1;
                        let reservation = found.unwrap();
                        prop_assert_eq!(reservation.seq, model.last_seq);
                        model.open = Some((reservation, fallback));
                    } else {
                        prop_assert!(matches!(found, Err(OutboxError::TicketUsed)));
                    }
                }
                Step::Fallback(n) => {
                    if let Some((reservation, fallback)) = &mut model.open {
                        *fallback = format!("changed {n}");
                        outbox.update_fallback(reservation, fallback.as_bytes()).unwrap();
                    }
                }
                Step::Commit(n) => {
                    if let Some((reservation, _)) = model.open.take() {
                        let text = format!("outcome {n}");
                        outbox.commit(&reservation, text.as_bytes(), None).unwrap();
                        model.pending.insert(reservation.seq, text);
                    }
                }
                Step::Ack(n, status) => {
                    let pending = all(&mut outbox);
                    if let Some(chosen) = pending.get(n % pending.len().max(1)) {
                        let header = header(&chosen.jws);
                        let place = Reservation { epoch: header.epoch, seq: header.seq };
                        let ack = claims(vec![item(place, chosen.sha256, status)]);
                        outbox.acknowledge(&signed(&ack)).unwrap();
                        model.pending.remove(&header.seq);
                        model.rejected += u64::from(status == AckStatus::Rejected);
                    }
                }
                Step::WrongAck(n) => {
                    let (epoch, ..) = head(&outbox.db).unwrap();
                    let place = Reservation { epoch, seq: n as u64 % model.last_seq.max(1) + 1 };
                    let ack = claims(vec![item(place, Digest([9; 32]), AckStatus::Rejected)]);
                    let report = outbox.acknowledge(&signed(&ack)).unwrap();
                    prop_assert_eq!(report.mismatched + report.unknown, 1);
                }
                Step::Crash => {
                    // What a process that dies leaves: the files as they are, nothing closed.
                    let left = folder();
                    for file in ["outbox.db", "outbox.db-wal"] {
                        std::fs::copy(dir.path().join(file), left.path().join(file)).unwrap();
                    }
                    let (reopened, recovery) = open(left.path());
                    (outbox, dir) = (reopened, left);
                    prop_assert_eq!(recovery.fallbacks, model.close());
                }
                Step::Reopen => {
                    drop(outbox);
                    let (reopened, recovery) = open(dir.path());
                    outbox = reopened;
                    prop_assert_eq!(recovery.fallbacks, model.close());
                }
            }
            let found: BTreeMap<u64, String> = all(&mut outbox)
                .iter()
                .map(|p| (header(&p.jws).seq, payload(&p.jws)))
                .collect();
            prop_assert_eq!(&found, &model.pending);
            let stats = outbox.stats().unwrap();
            prop_assert_eq!((stats.last_seq, stats.rejected), (model.last_seq, model.rejected));
            prop_assert_eq!(stats.reserved, u64::from(model.open.is_some()));
        }
    }
}
