//! How people stand after failed sessions, so that limits on attempts survive a restart. Small: at most [`MOST_ROWS`] rows of a
//! salted hash and two numbers; a row goes when somebody passes, or when it is older than any ticket can be.
//!
//! The salt is the outbox's own and never leaves it: the hash says nothing to whoever knows a ticket or a reference, without this file.

use super::OutboxError;
use crate::base::standing::Standing;
use crate::trust::{random_bytes, sha256};
use rusqlite::{Connection, OptionalExtension as _, params};

/// Made beside the other tables, also in an outbox that is older than they are.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS standing_salt(salt BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS standing(subject BLOB PRIMARY KEY, failures INTEGER NOT NULL, last_failed_s INTEGER NOT NULL) WITHOUT ROWID;
";

/// So many people are remembered, those who failed last.
const MOST_ROWS: i64 = 10_000;
/// After so many seconds (31 days) no ticket of then is valid any more.
const FORGET_S: i64 = 31 * 86_400;

/// How somebody stands after a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who: SHA-256 of what the ticket says of them.
    pub subject: [u8; 32],
    /// How they stand.
    pub standing: Standing,
}

/// Makes what is missing.
pub(super) fn prepare(db: &Connection) -> Result<(), OutboxError> {
    db.execute_batch(SCHEMA)?;
    let n: i64 = db.query_row("SELECT count(*) FROM standing_salt", [], |r| r.get(0))?;
    if n == 0 {
        let fresh = random_bytes::<32>().map_err(|e| OutboxError::Io {
            reason: e.to_string(),
        })?;
        db.execute("INSERT INTO standing_salt(salt) VALUES (?1)", [&fresh[..]])?;
    }
    Ok(())
}

fn salt(db: &Connection) -> Result<Vec<u8>, rusqlite::Error> {
    db.query_row("SELECT salt FROM standing_salt", [], |r| r.get(0))
}

fn salted(db: &Connection, subject: &[u8; 32]) -> Result<[u8; 32], OutboxError> {
    Ok(sha256(&[&salt(db)?[..], subject].concat()))
}

pub(super) fn read(db: &Connection, subject: &[u8; 32]) -> Result<Standing, OutboxError> {
    let found = db
        .query_row(
            "SELECT failures, last_failed_s FROM standing WHERE subject = ?1",
            [&salted(db, subject)?[..]],
            |r| {
                Ok(Standing {
                    failures: r.get(0)?,
                    last_failed_s: r.get(1)?,
                })
            },
        )
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// Writes one entry and lets go of what is old, within the caller's transaction.
pub(super) fn write(db: &Connection, entry: &Entry, now_s: i64) -> Result<(), OutboxError> {
    let subject = salted(db, &entry.subject)?;
    let Standing {
        failures,
        last_failed_s,
    } = entry.standing;
    if failures == 0 {
        db.execute("DELETE FROM standing WHERE subject = ?1", [&subject[..]])?;
    } else {
        db.execute(
            "INSERT INTO standing(subject, failures, last_failed_s) VALUES (?1, ?2, ?3) \
             ON CONFLICT(subject) DO UPDATE SET failures = ?2, last_failed_s = ?3",
            params![&subject[..], failures, last_failed_s],
        )?;
    }
    db.execute(
        "DELETE FROM standing WHERE last_failed_s < ?1",
        [now_s.saturating_sub(FORGET_S)],
    )?;
    db.execute(
        "DELETE FROM standing WHERE subject IN \
         (SELECT subject FROM standing ORDER BY last_failed_s DESC LIMIT -1 OFFSET ?1)",
        [MOST_ROWS],
    )?;
    Ok(())
}

/// What could be read out of a damaged outbox.
#[derive(Debug, Default)]
pub(super) struct Salvaged {
    salt: Vec<u8>,
    rows: Vec<([u8; 32], Standing)>,
}

/// Reads salt and rows, as far as they can be read.
pub(super) fn read_out(db: &Connection) -> Salvaged {
    let mut found = Salvaged {
        salt: salt(db).unwrap_or_default(),
        rows: Vec::new(),
    };
    let mut each = || -> Result<(), rusqlite::Error> {
        let mut statement = db.prepare("SELECT subject, failures, last_failed_s FROM standing")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let standing = Standing {
                failures: row.get(1)?,
                last_failed_s: row.get(2)?,
            };
            found.rows.push((row.get(0)?, standing));
        }
        Ok(())
    };
    // Where it cannot go on, what was read before counts.
    let _ = each();
    found
}

/// Takes them into a new outbox. Without the salt the rows are nobody's.
pub(super) fn take_in(db: &Connection, found: &Salvaged) -> Result<(), OutboxError> {
    if found.salt.len() != 32 {
        return Ok(());
    }
    db.execute("UPDATE standing_salt SET salt = ?1", [&found.salt])?;
    for (subject, standing) in &found.rows {
        db.execute(
            "INSERT OR IGNORE INTO standing(subject, failures, last_failed_s) VALUES (?1, ?2, ?3)",
            params![&subject[..], standing.failures, standing.last_failed_s],
        )?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
