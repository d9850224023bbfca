//! The outbox: outcomes on their way, in SQLite, by one process only.
//!
//! ```text
//!            reserve                 commit                  acknowledge: accepted, duplicate
//! (nothing) ---------> reserved(0) ----------> pending(1) ---------------------------------> deleted
//!                          |  next reserve,        |  acknowledge: rejected
//!                          |  next start           +------------------> rejected(2), kept with the signed rejection
//!                          +--- the fallback ----> |  found altered on the disk
//!                                                  +------------------> damaged(3), kept
//! ```
//! `reserve` writes a complete signed outcome, the fallback; `commit` replaces it. So a process that dies at any moment
//! leaves either nothing or an outcome that can be sent as it is.
//!
//! One reservation is open at a time, because the chain (`prev`) needs the final bytes of the outcome before. A
//! reservation that was left open is closed with its fallback by the next `reserve`.
//!
//! Durability: WAL with `synchronous=FULL`: what returned `Ok` survives a power cut on storage that honours fsync.
//! A full disk: `reserve` first makes sure that database and WAL have the room that `commit` will need, and a small WAL
//! (64 pages between checkpoints) lets acknowledgements delete while the disk is full.

mod acks;
mod error;
mod ledger;
mod room;
mod store;
#[cfg(test)]
mod tests;

pub use acks::AckReport;
pub use error::OutboxError;
pub use ledger::Entry;
pub use room::OutboxStats;
pub use store::Recovery;

use crate::base::ids::{BoothId, SessionId};
use crate::base::standing::Standing;
use crate::base::time::SharedClock;
use crate::trust::ack::{Digest, MAX_OUTCOME, MAX_PAYLOAD, OUTCOME_TYP, OutcomeHeader};
use crate::trust::jws;
use crate::trust::keys::{SharedSigner, TrustedKeys};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use store::Int;

/// Above so many hundredths of `max_rows` no session is begun.
const FULL_PERCENT: u64 = 90;
/// An outcome that was refused so often without a signed word waits until nothing else is pending.
pub const MAX_STRIKES: u32 = 3;
/// So many used tickets are remembered, the newest; at 50 sessions a day more than five years, and no ticket is valid
/// for longer than 31 days.
const MAX_USED_TICKETS: i64 = 100_000;

/// Where the outbox is and how large it may get.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboxConfig {
    /// The folder; made with mode 0700 if it is not there.
    pub state_dir: PathBuf,
    /// At most so many outcomes; at 90 % no session is begun. Default 10000.
    #[serde(default = "default_max_rows")]
    pub max_rows: u32,
    /// The database is at most so large, in MiB. Default 64.
    #[serde(default = "default_max_mib")]
    pub max_mib: u32,
}

const fn default_max_rows() -> u32 {
    10_000
}

const fn default_max_mib() -> u32 {
    64
}

/// The outbox. Not shared between threads: see [`super::service`].
#[derive(Debug)]
pub struct Outbox {
    db: Connection,
    path: PathBuf,
    booth: BoothId,
    signer: SharedSigner,
    wallet_keys: TrustedKeys,
    clock: SharedClock,
    max_rows: u64,
    /// Dropped last, after the database is closed.
    _lock: store::FolderLock,
}

/// A session's place in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The outbox's life.
    pub epoch: u64,
    /// The number in it.
    pub seq: u64,
}

/// An outcome that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// SHA-256 of the signed outcome.
    pub sha256: Digest,
}

/// An outcome that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// SHA-256 of `jws`.
    pub sha256: Digest,
    /// The signed outcome.
    pub jws: String,
    /// How often it was refused without a signed word.
    pub strikes: u32,
}

/// The states of a row; the numbers are on disk and do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Reserved = 0,
    Pending = 1,
    Rejected = 2,
    Damaged = 3,
}

impl Outbox {
    /// Opens or makes the outbox of a booth, and sets right what an interruption left.
    ///
    /// # Errors
    /// [`OutboxError::Locked`] if another process has it; [`OutboxError::Folder`], [`OutboxError::ReadOnly`],
    /// [`OutboxError::DiskFull`], [`OutboxError::Io`]; [`OutboxError::Newer`] after going back to older software. A
    /// corrupt database is no error: it is set aside and [`Recovery`] says so.
    pub fn open(
        config: &OutboxConfig,
        booth: BoothId,
        signer: SharedSigner,
        wallet_keys: TrustedKeys,
        clock: SharedClock,
    ) -> Result<(Self, Recovery), OutboxError> {
        store::open(config, booth, signer, wallet_keys, clock)
    }

    /// Begins a session: marks the ticket as used, gives the session its number, makes room for an outcome of
    /// `space_bytes`, and stores the outcome that is sent if the session never gets to [`Outbox::commit`]. All or nothing.
    ///
    /// # Errors
    /// [`OutboxError::TicketUsed`], [`OutboxError::Full`], [`OutboxError::TooLarge`], and those of the disk.
    pub fn reserve(
        &mut self,
        session: &SessionId,
        ticket_digest: [u8; 32],
        fallback_payload: &[u8],
        space_bytes: usize,
    ) -> Result<Reservation, OutboxError> {
        let space = space_bytes.max(fallback_payload.len());
        check_size(space)?;
        self.close_reserved()?;
        let rows = number(&self.db, "SELECT count(*) FROM outcome")?;
        let allowed = self.max_rows * FULL_PERCENT / 100;
        if rows >= allowed {
            return Err(OutboxError::Full {
                found: rows,
                allowed,
            });
        }
        self.make_room(space)?;

        let (epoch, last_seq, prev) = head(&self.db)?;
        let reservation = Reservation {
            epoch,
            seq: last_seq + 1,
        };
        let (text, sha256, iat) = self.sign(reservation, prev, fallback_payload)?;
        let tx = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let fresh = tx.execute(
            "INSERT OR IGNORE INTO used_ticket(digest) VALUES (?1)",
            [&ticket_digest[..]],
        )?;
        if fresh == 0 {
            return Err(OutboxError::TicketUsed);
        }
        tx.execute(
            "DELETE FROM used_ticket WHERE id <= (SELECT max(id) FROM used_ticket) - ?1",
            [MAX_USED_TICKETS],
        )?;
        tx.execute(
            "INSERT INTO outcome(epoch, seq, state, session, sha256, iat, jws) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                Int(epoch),
                Int(reservation.seq),
                State::Reserved as i64,
                session.as_str(),
                &sha256.0[..],
                iat,
                text
            ],
        )?;
        tx.execute(
            "UPDATE head SET last_seq = ?2, last_sha256 = ?3 WHERE epoch = ?1",
            params![Int(epoch), Int(reservation.seq), &sha256.0[..]],
        )?;
        tx.commit()?;
        Ok(reservation)
    }

    /// Replaces the outcome that is sent if the session never gets to [`Outbox::commit`].
    ///
    /// # Errors
    /// [`OutboxError::NotReserved`], [`OutboxError::TooLarge`], and those of the disk.
    pub fn update_fallback(
        &mut self,
        reservation: &Reservation,
        payload: &[u8],
    ) -> Result<(), OutboxError> {
        self.replace(reservation, payload, State::Reserved, None)
            .map(drop)
    }

    /// Signs and stores the outcome of a session, and in the same transaction how the person stands after it. Durable when it
    /// returns; may be tried again after an error of the disk.
    ///
    /// # Errors
    /// [`OutboxError::NotReserved`] if the reservation was closed before; [`OutboxError::TooLarge`], and those of the
    /// disk: then the fallback stands.
    pub fn commit(
        &mut self,
        reservation: &Reservation,
        payload: &[u8],
        entry: Option<&Entry>,
    ) -> Result<Stored, OutboxError> {
        let sha256 = self.replace(reservation, payload, State::Pending, entry)?;
        Ok(Stored { sha256 })
    }

    /// How somebody stands after earlier sessions; by default for whom nothing is known.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn standing(&self, subject: &[u8; 32]) -> Result<Standing, OutboxError> {
        ledger::read(&self.db, subject)
    }

    /// The oldest outcomes that are to be sent, at most `limit` of them and at most `max_bytes` together (at least one).
    /// Those with [`MAX_STRIKES`] come only, one at a time, when there are no others.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn pending(&mut self, limit: usize, max_bytes: usize) -> Result<Vec<Pending>, OutboxError> {
        let good = self.pending_where("strikes < ?1 ORDER BY epoch, seq", limit, max_bytes)?;
        if !good.is_empty() {
            return Ok(good);
        }
        self.pending_where("strikes >= ?1 ORDER BY strikes, epoch, seq", 1, max_bytes)
    }

    fn pending_where(
        &mut self,
        condition: &'static str,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<Pending>, OutboxError> {
        let mut found = Vec::new();
        let mut damaged = Vec::new();
        {
            // The plus keeps SQLite from taking the index of states and then sorting whole outcomes: in the order of the
            // primary key the first ones are found at once.
            let mut statement = self.db.prepare_cached(&format!(
                "SELECT rowid, sha256, strikes, jws FROM outcome WHERE +state = 1 AND {condition}"
            ))?;
            let mut rows = statement.query([MAX_STRIKES])?;
            let mut bytes = 0;
            while let Some(row) = rows.next()? {
                let Some((sha256, jws)) = store::intact(row, 1, 3) else {
                    damaged.push(row.get::<_, i64>(0)?);
                    continue;
                };
                bytes += jws.len() + 3;
                if !found.is_empty() && (found.len() >= limit || bytes > max_bytes) {
                    break;
                }
                found.push(Pending {
                    sha256,
                    jws,
                    strikes: row.get(2)?,
                });
            }
        }
        for rowid in damaged {
            self.db.execute(
                "UPDATE outcome SET state = ?2 WHERE rowid = ?1",
                params![rowid, State::Damaged as i64],
            )?;
            tracing::error!(
                code = "hw.storage.worn",
                "an outcome in the outbox is damaged; it is kept and reported"
            );
        }
        Ok(found)
    }

    /// Notes that the wallet refused an outcome without a signed word about it.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn strike(&mut self, sha256: &Digest) -> Result<(), OutboxError> {
        self.db.execute(
            "UPDATE outcome SET strikes = min(strikes + 1, 1000000) WHERE sha256 = ?1 AND state = 1",
            [&sha256.0[..]],
        )?;
        Ok(())
    }

    /// Makes what is reserved pending, with its fallback. Gives how many there were.
    fn close_reserved(&mut self) -> Result<u32, OutboxError> {
        let closed = self
            .db
            .execute("UPDATE outcome SET state = 1 WHERE state = 0", [])?;
        if closed > 0 {
            tracing::warn!(closed, "a session left no outcome; its fallback is sent");
        }
        Ok(u32::try_from(closed).unwrap_or(u32::MAX))
    }

    fn replace(
        &mut self,
        reservation: &Reservation,
        payload: &[u8],
        state: State,
        entry: Option<&Entry>,
    ) -> Result<Digest, OutboxError> {
        check_size(payload.len())?;
        let not_reserved = || OutboxError::NotReserved {
            epoch: reservation.epoch,
            seq: reservation.seq,
        };
        // The signed fallback carries the link to the outcome before it.
        let prev = self
            .db
            .query_row(
                "SELECT jws FROM outcome WHERE epoch = ?1 AND seq = ?2 AND state = 0",
                params![Int(reservation.epoch), Int(reservation.seq)],
                |r| r.get::<_, String>(0),
            )
            .optional()?
            .ok_or_else(not_reserved)
            .and_then(|text| self.own_header(&text).ok_or(OutboxError::Corrupt))?
            .prev;
        let (text, sha256, iat) = self.sign(*reservation, prev, payload)?;
        let tx = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let changed = tx.execute(
            "UPDATE outcome SET state = ?3, sha256 = ?4, iat = ?5, jws = ?6 WHERE epoch = ?1 AND seq = ?2 AND state = 0",
            params![
                Int(reservation.epoch),
                Int(reservation.seq),
                state as i64,
                &sha256.0[..],
                iat,
                text
            ],
        )?;
        if changed != 1 {
            return Err(not_reserved());
        }
        tx.execute(
            "UPDATE head SET last_sha256 = ?3 WHERE epoch = ?1 AND last_seq = ?2",
            params![Int(reservation.epoch), Int(reservation.seq), &sha256.0[..]],
        )?;
        if let Some(entry) = entry {
            ledger::write(&tx, entry, iat)?;
        }
        tx.commit()?;
        Ok(sha256)
    }

    fn sign(
        &self,
        reservation: Reservation,
        prev: Digest,
        payload: &[u8],
    ) -> Result<(String, Digest, i64), OutboxError> {
        let header = OutcomeHeader {
            dev: self.booth.clone(),
            epoch: reservation.epoch,
            seq: reservation.seq,
            prev,
            iat: self.clock.wall().unix_s(),
        };
        let extra = match serde_json::to_value(&header) {
            Ok(serde_json::Value::Object(extra)) => extra,
            _ => serde_json::Map::new(),
        };
        let text = jws::sign(payload, OUTCOME_TYP, extra, self.signer.as_ref())?;
        let sha256 = Digest::of(text.as_bytes());
        Ok((text, sha256, header.iat))
    }

    /// The header of an outcome that this booth has signed; `None` if it has not.
    fn own_header(&self, text: &str) -> Option<OutcomeHeader> {
        store::own_header(text, self.signer.as_ref(), &self.booth)
    }
}

fn check_size(payload: usize) -> Result<(), OutboxError> {
    const _: () = assert!(MAX_OUTCOME > MAX_PAYLOAD);
    if payload > MAX_PAYLOAD {
        return Err(OutboxError::TooLarge {
            found: payload,
            allowed: MAX_PAYLOAD,
        });
    }
    Ok(())
}

/// The newest epoch, its last number and the hash of the outcome of that number.
fn head(db: &Connection) -> Result<(u64, u64, Digest), OutboxError> {
    let found = db
        .query_row(
            "SELECT epoch, last_seq, last_sha256 FROM head ORDER BY epoch DESC LIMIT 1",
            [],
            |r| Ok((r.get(0)?, r.get(1)?, r.get::<_, [u8; 32]>(2)?)),
        )
        .optional()?;
    let (Int(epoch), Int(last_seq), sha256) = found.ok_or(OutboxError::Corrupt)?;
    Ok((epoch, last_seq, Digest(sha256)))
}

fn number(db: &Connection, query: &str) -> Result<u64, OutboxError> {
    Ok(db.query_row(query, [], |r| r.get::<_, Int>(0))?.0)
}
