//! The outbox's files: locked, opened, checked; set aside and read out when damaged.

use super::{Digest, Outbox, OutboxConfig, OutboxError, State, ledger};
use crate::base::ids::BoothId;
use crate::base::time::SharedClock;
use crate::trust::ack::{MAX_OUTCOME, OUTCOME_TYP, OutcomeHeader};
use crate::trust::jws;
use crate::trust::keys::{SharedSigner, Signer, TrustedKeys};
use crate::trust::tls::SOFTWARE_S;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Row, params};
use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// `BTHO`, so that the file is known for what it is.
const APPLICATION_ID: i64 = 0x4254_484f;
/// The form of the tables.
const SCHEMA_VERSION: i64 = 1;
const PAGE_SIZE: u64 = 4096;
const FILE: &str = "outbox.db";

/// Long columns stand last, so that the short ones are on the row's first page.
const SCHEMA: &str = "
CREATE TABLE form(version INTEGER NOT NULL);
CREATE TABLE head(
  epoch INTEGER PRIMARY KEY,
  last_seq INTEGER NOT NULL, last_sha256 BLOB NOT NULL,
  acked_seq INTEGER NOT NULL, acked_sha256 BLOB NOT NULL);
CREATE TABLE outcome(
  epoch INTEGER NOT NULL, seq INTEGER NOT NULL, state INTEGER NOT NULL,
  strikes INTEGER NOT NULL DEFAULT 0, iat INTEGER NOT NULL,
  session TEXT NOT NULL, sha256 BLOB NOT NULL, jws TEXT NOT NULL, ack TEXT,
  PRIMARY KEY(epoch, seq));
CREATE INDEX outcome_state ON outcome(state, iat);
CREATE INDEX outcome_sha256 ON outcome(sha256);
CREATE TABLE used_ticket(id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE);
CREATE TABLE room(filler BLOB);
";

/// An unsigned number in a column, where SQLite has signed ones: beyond `i64` it cannot be stored, below zero it is
/// the mark of a damaged database.
#[derive(Clone, Copy, Debug)]
pub(super) struct Int(pub(super) u64);

impl ToSql for Int {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>, rusqlite::Error> {
        i64::try_from(self.0)
            .map(ToSqlOutput::from)
            .map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
    }
}

impl FromSql for Int {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let found = value.as_i64()?;
        u64::try_from(found)
            .map(Self)
            .map_err(|_| FromSqlError::OutOfRange(found))
    }
}

/// What opening the outbox had to set right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// So many sessions had no outcome; their fallbacks are pending now.
    pub fallbacks: u32,
    /// So many outcomes were found altered on the disk; they are kept, not sent.
    pub damaged: u32,
    /// The database was damaged and is kept under this name.
    pub quarantined: Option<PathBuf>,
    /// So many outcomes were read out of the damaged database; their signatures are good.
    pub salvaged: u32,
    /// The epoch that was begun because of that, and the last number known of the epoch before, if any could be read:
    /// the wallet sees what is missing.
    pub new_epoch: Option<u64>,
    /// The last epoch and number of the damaged database, as far as it could be read.
    pub last_known: Option<(u64, u64)>,
}

pub(super) fn open(
    config: &OutboxConfig,
    booth: BoothId,
    signer: SharedSigner,
    wallet_keys: TrustedKeys,
    clock: SharedClock,
) -> Result<(Outbox, Recovery), OutboxError> {
    let lock = lock(&config.state_dir)?;
    let path = config.state_dir.join(FILE);
    let now = clock.wall().unix_s();
    let mut recovery = Recovery::default();
    let db = match open_checked(&path, config, now) {
        Err(OutboxError::Corrupt) => {
            let aside = set_aside(&config.state_dir, &path)?;
            let db = open_checked(&path, config, now)?;
            salvage(&db, &aside, signer.as_ref(), &booth, now, &mut recovery)?;
            recovery.quarantined = Some(aside);
            db
        }
        other => other?,
    };
    let mut outbox = Outbox {
        db,
        path,
        booth,
        signer,
        wallet_keys,
        clock,
        max_rows: u64::from(config.max_rows),
        _lock: lock,
    };
    recovery.damaged = mark_damaged(&outbox.db)?;
    recovery.fallbacks = outbox.close_reserved()?;
    Ok((outbox, recovery))
}

/// The lock on the folder, given back when dropped. Given back by name and not by closing alone: a child process that
/// has just been forked has the same open file until it runs its own program.
#[derive(Debug)]
pub(super) struct FolderLock(OwnedFd);

impl Drop for FolderLock {
    fn drop(&mut self) {
        // If this fails, closing the file does the same.
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

fn lock(dir: &Path) -> Result<FolderLock, OutboxError> {
    let folder = |reason: std::io::Error| OutboxError::Folder {
        path: dir.to_owned(),
        reason,
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(folder)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = rustix::fs::open(dir, flags, Mode::empty()).map_err(|e| folder(e.into()))?;
    match flock(&fd, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(FolderLock(fd)),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(OutboxError::Locked {
            path: dir.to_owned(),
        }),
        Err(e) => Err(folder(e.into())),
    }
}

/// Opens the database, makes the tables if it is new, and checks it if it is not.
fn open_checked(path: &Path, config: &OutboxConfig, now: i64) -> Result<Connection, OutboxError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)?;
    let pages = u64::from(config.max_mib) * 1024 * 1024 / PAGE_SIZE;
    db.execute_batch(&format!(
        "PRAGMA page_size = {PAGE_SIZE};
         PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 64;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA max_page_count = {pages};"
    ))?;
    let pragma = |name: &str| db.query_row(&format!("PRAGMA {name}"), [], |r| r.get::<_, i64>(0));
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
    if tables == 0 {
        if pragma("application_id")? != 0 || pragma("user_version")? != 0 {
            return Err(OutboxError::Corrupt);
        }
        let tx = db.transaction()?;
        tx.execute_batch(SCHEMA)?;
        ledger::prepare(&tx)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        tx.execute("INSERT INTO form(version) VALUES (?1)", [SCHEMA_VERSION])?;
        begin_epoch(&tx, 0, now)?;
        tx.commit()?;
        // The file's name must be on the disk as well as its content.
        std::fs::File::open(&config.state_dir)
            .and_then(|dir| dir.sync_all())
            .map_err(|reason| OutboxError::Folder {
                path: config.state_dir.clone(),
                reason,
            })?;
        return Ok(db);
    }
    check(&db, pragma("application_id")?, pragma("user_version")?)?;
    ledger::prepare(&db)?;
    Ok(db)
}

fn check(db: &Connection, application: i64, version: i64) -> Result<(), OutboxError> {
    let sound: String = db.query_row("PRAGMA integrity_check(1)", [], |r| r.get(0))?;
    if sound != "ok" || application != APPLICATION_ID {
        return Err(OutboxError::Corrupt);
    }
    // The version stands in two places, so that a flipped bit does not look like newer software.
    let form: i64 = db
        .query_row("SELECT max(version) FROM form", [], |r| r.get(0))
        .map_err(|_| OutboxError::Corrupt)?;
    match version {
        SCHEMA_VERSION if form == version => {}
        found if found > SCHEMA_VERSION && form == found => {
            return Err(OutboxError::Newer {
                found,
                allowed: SCHEMA_VERSION,
            });
        }
        _ => return Err(OutboxError::Corrupt),
    }
    // Numbers only grow within an epoch; a head behind its rows is a damaged head.
    let behind: i64 = db
        .query_row(
            "SELECT count(*) FROM outcome o LEFT JOIN head h USING(epoch) \
             WHERE (h.last_seq IS NULL OR o.seq > h.last_seq) AND o.epoch = (SELECT max(epoch) FROM head)",
            [],
            |r| r.get(0),
        )
        .map_err(|_| OutboxError::Corrupt)?;
    super::head(db)?;
    if behind > 0 {
        return Err(OutboxError::Corrupt);
    }
    Ok(())
}

/// Begins an epoch later than `last`. Epochs are Unix seconds where the clock allows it, so that a booth whose storage
/// was replaced does not give out numbers that it has given out before.
pub(super) fn begin_epoch(db: &Connection, last: u64, now: i64) -> Result<u64, OutboxError> {
    let epoch = u64::try_from(now.max(SOFTWARE_S))
        .unwrap_or(0)
        .max(last.saturating_add(1))
        // What SQLite can hold; a signed number beyond it does not come from a wallet of ours.
        .min(i64::MAX as u64);
    db.execute(
        "INSERT OR IGNORE INTO head(epoch, last_seq, last_sha256, acked_seq, acked_sha256) \
         VALUES (?1, 0, zeroblob(32), 0, zeroblob(32))",
        [Int(epoch)],
    )?;
    Ok(epoch)
}

/// The hash and the text of a row, if they fit each other.
pub(super) fn intact(row: &Row<'_>, sha256: usize, jws: usize) -> Option<(Digest, String)> {
    let sha256 = Digest(row.get(sha256).ok()?);
    let jws: String = row.get(jws).ok()?;
    (Digest::of(jws.as_bytes()) == sha256).then_some((sha256, jws))
}

/// The header of an outcome that the booth has signed; `None` if it has not.
pub(super) fn own_header(
    text: &str,
    signer: &dyn Signer,
    booth: &BoothId,
) -> Option<OutcomeHeader> {
    let keys = TrustedKeys::from_iter([signer.public()]);
    let verified = jws::verify(text, OUTCOME_TYP, &keys, MAX_OUTCOME).ok()?;
    let header: OutcomeHeader =
        serde_json::from_value(serde_json::Value::Object(verified.extra)).ok()?;
    (header.dev == *booth).then_some(header)
}

/// Marks the rows whose text does not fit its hash. SQLite does not see bits that flip inside a value.
fn mark_damaged(db: &Connection) -> Result<u32, OutboxError> {
    let mut damaged = Vec::new();
    {
        let mut statement =
            db.prepare("SELECT rowid, sha256, jws FROM outcome WHERE state IN (0, 1)")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if intact(row, 1, 2).is_none() {
                damaged.push(row.get::<_, i64>(0)?);
            }
        }
    }
    for rowid in &damaged {
        db.execute(
            "UPDATE outcome SET state = ?2 WHERE rowid = ?1",
            params![rowid, State::Damaged as i64],
        )?;
    }
    Ok(u32::try_from(damaged.len()).unwrap_or(u32::MAX))
}

pub(super) fn wal_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// Moves what is in the WAL into the database file.
pub(super) fn checkpoint(db: &Connection) -> Result<(), OutboxError> {
    db.query_row("PRAGMA wal_checkpoint(RESTART)", [], |r| r.get::<_, i64>(0))?;
    Ok(())
}

/// Renames the damaged database, with its WAL, to the first free `outbox.damaged-N.db`.
fn set_aside(dir: &Path, path: &Path) -> Result<PathBuf, OutboxError> {
    let folder = |reason| OutboxError::Folder {
        path: dir.to_owned(),
        reason,
    };
    let aside = (1..10_000)
        .map(|n| dir.join(format!("outbox.damaged-{n}.db")))
        .find(|name| !name.exists())
        .ok_or_else(|| folder(std::io::Error::other("10000 damaged databases are kept")))?;
    std::fs::rename(path, &aside).map_err(folder)?;
    match std::fs::rename(wal_path(path), wal_path(&aside)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(folder(e)),
        _ => {}
    }
    std::fs::File::open(dir)
        .and_then(|d| d.sync_all())
        .map_err(folder)?;
    tracing::error!(code = "hw.storage.worn", kept = %aside.display(), "the outbox is damaged; it is kept and a new one is begun");
    Ok(aside)
}

/// Reads what can be read out of a damaged database into the new one: used tickets, and outcomes whose signature is good.
fn salvage(
    db: &Connection,
    aside: &Path,
    signer: &dyn Signer,
    booth: &BoothId,
    now: i64,
    recovery: &mut Recovery,
) -> Result<(), OutboxError> {
    // From a copy: opening a database replays its WAL, and what is kept is kept as it was found.
    let copy = aside.with_extension("copy");
    let found = copy_database(aside, &copy)
        .map_err(|e| e.to_string())
        .and_then(|()| read_out(&copy, signer, booth).map_err(|e| e.to_string()));
    for name in [copy.clone(), wal_path(&copy)] {
        // Nothing depends on the copy's absence.
        let _ = std::fs::remove_file(name);
    }
    let found = found.unwrap_or_else(|reason| {
        tracing::error!(reason, "nothing can be read out of the damaged outbox");
        Salvaged::default()
    });
    let tx = db.unchecked_transaction()?;
    for digest in &found.tickets {
        tx.execute(
            "INSERT OR IGNORE INTO used_ticket(digest) VALUES (?1)",
            [&digest[..]],
        )?;
    }
    for row in &found.outcomes {
        recovery.salvaged += u32::try_from(tx.execute(
            "INSERT OR IGNORE INTO outcome(epoch, seq, state, session, sha256, iat, jws, ack) \
             VALUES (?1, ?2, ?3, '', ?4, ?5, ?6, ?7)",
            params![
                Int(row.header.epoch),
                Int(row.header.seq),
                row.state as i64,
                &Digest::of(row.jws.as_bytes()).0[..],
                row.header.iat,
                row.jws,
                row.ack
            ],
        )?)
        .unwrap_or(0);
    }
    ledger::take_in(&tx, &found.standings)?;
    let last = found
        .outcomes
        .iter()
        .map(|o| (o.header.epoch, o.header.seq));
    recovery.last_known = last.chain(found.head).max();
    let before = recovery.last_known.map_or(0, |(epoch, _)| epoch);
    // The new database began an epoch from the clock; a clock that went back must not bring an old one again.
    recovery.new_epoch = Some(begin_epoch(&tx, before, now)?);
    tx.commit()?;
    Ok(())
}

#[derive(Default)]
struct Salvaged {
    tickets: Vec<[u8; 32]>,
    outcomes: Vec<SalvagedOutcome>,
    head: Option<(u64, u64)>,
    standings: ledger::Salvaged,
}

struct SalvagedOutcome {
    header: OutcomeHeader,
    state: State,
    jws: String,
    ack: Option<String>,
}

fn copy_database(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::copy(from, to)?;
    match std::fs::copy(wal_path(from), wal_path(to)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

fn read_out(
    copy: &Path,
    signer: &dyn Signer,
    booth: &BoothId,
) -> Result<Salvaged, rusqlite::Error> {
    let db = Connection::open(copy)?;
    db.execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF;")?;
    let mut found = Salvaged::default();
    // From both ends, past a damaged page in the middle; each scan ends where it cannot go on.
    for order in ["ASC", "DESC"] {
        let _ = each(
            &db,
            &format!("SELECT digest FROM used_ticket ORDER BY rowid {order}"),
            |row| {
                found.tickets.extend(row.get::<_, [u8; 32]>(0).ok());
            },
        );
        let _ = each(
            &db,
            &format!("SELECT state, jws, ack FROM outcome ORDER BY rowid {order}"),
            |row| {
                let Ok(jws) = row.get::<_, String>(1) else {
                    return;
                };
                let Some(header) = own_header(&jws, signer, booth) else {
                    return;
                };
                let ack = row.get::<_, Option<String>>(2).unwrap_or(None);
                let state = match (row.get::<_, i64>(0), &ack) {
                    (Ok(2), Some(_)) => State::Rejected,
                    _ => State::Pending,
                };
                found.outcomes.push(SalvagedOutcome {
                    header,
                    state,
                    jws,
                    ack,
                });
            },
        );
    }
    found.standings = ledger::read_out(&db);
    let _ = each(
        &db,
        "SELECT epoch, last_seq FROM head ORDER BY epoch DESC LIMIT 1",
        |row| {
            let number = |column| row.get::<_, Int>(column).map(|n| n.0).ok();
            found.head = number(0).zip(number(1));
        },
    );
    Ok(found)
}

fn each(
    db: &Connection,
    query: &str,
    mut take: impl FnMut(&Row<'_>),
) -> Result<(), rusqlite::Error> {
    let mut statement = db.prepare(query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        take(row);
    }
    Ok(())
}
