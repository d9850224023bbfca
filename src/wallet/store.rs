//! What the wallet keeps: tickets it has issued, outcomes it has acknowledged, refusals, alarms.
//!
//! An outcome is taken once: unique by (booth, epoch, number) and by its bytes, and one final outcome a ticket, decided
//! and stored in one transaction. The record of what was taken never expires, because a booth may be offline for weeks.

use super::{Alarm, OutcomePage, StoredOutcome, WalletError};
use crate::base::ids::BoothId;
use crate::trust::ack::{
    AckClaims, AckItem, AckStatus, Digest, MAX_OUTCOME, OUTCOME_TYP, OutcomeHeader,
};
use crate::trust::jws::{self, JwsError};
use crate::trust::keys::{KeyId, PublicKey, TrustedKeys};
use crate::trust::ticket::TicketClaims;
use crate::trust::unbase64url;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS ticket(
  id TEXT PRIMARY KEY, session TEXT NOT NULL, booth TEXT, nonce BLOB NOT NULL, iat INTEGER NOT NULL, exp INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS outcome(
  id INTEGER PRIMARY KEY AUTOINCREMENT, booth TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  sha256 BLOB NOT NULL, ticket TEXT NOT NULL, session TEXT NOT NULL, result TEXT NOT NULL, final INTEGER NOT NULL,
  received INTEGER NOT NULL, jws TEXT NOT NULL,
  UNIQUE(booth, epoch, seq));
CREATE UNIQUE INDEX IF NOT EXISTS outcome_final ON outcome(ticket) WHERE final = 1;
CREATE TABLE IF NOT EXISTS refusal(
  booth TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, sha256 BLOB NOT NULL, code TEXT NOT NULL,
  at INTEGER NOT NULL, UNIQUE(booth, epoch, seq));
CREATE TABLE IF NOT EXISTS alarm(
  id INTEGER PRIMARY KEY, booth TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, sha256 BLOB NOT NULL,
  kind TEXT NOT NULL, at INTEGER NOT NULL, UNIQUE(sha256, kind));
";

/// A page is at most so many bytes, so that it fits the client's limit.
const MAX_PAGE: usize = 40 * 1024;
/// A payload above this is not listed.
const MAX_LISTED_PAYLOAD: usize = 16 * 1024;

/// Requests that are not taken as a whole.
#[derive(Debug)]
pub(super) enum Refused {
    /// A key that is not enrolled, or of another booth than the outcome names.
    Booth,
    /// Items of several booths, or none.
    Form(&'static str),
    /// The database does not work; nothing was stored.
    Database(String),
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.to_string())
    }
}

/// The enrolled booths by the names of their keys.
#[derive(Debug)]
pub(super) struct Enrolled {
    keys: TrustedKeys,
    booths: BTreeMap<KeyId, BoothId>,
}

impl Enrolled {
    pub(super) fn new(booths: impl IntoIterator<Item = (BoothId, PublicKey)>) -> Self {
        let booths: Vec<_> = booths.into_iter().collect();
        Self {
            keys: booths.iter().map(|(_, key)| key.clone()).collect(),
            booths: booths
                .into_iter()
                .map(|(id, key)| (key.kid().clone(), id))
                .collect(),
        }
    }

    fn booth_of(&self, kid: &str) -> Option<&BoothId> {
        self.booths
            .iter()
            .find(|(key, _)| key.as_str() == kid)
            .map(|(_, booth)| booth)
    }
}

/// The members of the payload that are looked into; any others are let through.
#[derive(Deserialize)]
struct Index {
    ticket: String,
    #[serde(default)]
    session: String,
    result: String,
}

/// Results that end a ticket: a second one is refused.
fn is_final(result: &str) -> bool {
    matches!(result, "verified" | "not_verified" | "review")
}

#[derive(Debug)]
pub(super) struct Store {
    db: Connection,
}

impl Store {
    pub(super) fn open(dir: &Path) -> Result<Self, WalletError> {
        let failed = |reason: String| WalletError::Database {
            path: dir.to_owned(),
            reason,
        };
        std::fs::create_dir_all(dir).map_err(|e| failed(e.to_string()))?;
        let open = || -> Result<Connection, rusqlite::Error> {
            let db = Connection::open(dir.join("wallet.db"))?;
            db.busy_timeout(std::time::Duration::from_secs(1))?;
            db.execute_batch(
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                 PRAGMA trusted_schema = OFF;",
            )?;
            db.execute_batch(SCHEMA)?;
            Ok(db)
        };
        let db = open().map_err(|e| failed(e.to_string()))?;
        Ok(Self { db })
    }

    /// Remembers a ticket. Of the person it keeps nothing.
    pub(super) fn add_ticket(&mut self, claims: &TicketClaims) -> Result<(), Refused> {
        self.db.execute(
            "INSERT INTO ticket(id, session, booth, nonce, iat, exp) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                claims.ticket_id,
                claims.session.as_str(),
                claims.booth.as_ref().map(BoothId::as_str),
                &claims.nonce.0[..],
                claims.issued_s,
                claims.expires_s
            ],
        )?;
        Ok(())
    }

    /// Takes a batch: what it answers is stored when it returns.
    pub(super) fn take(
        &mut self,
        items: &[String],
        enrolled: &Enrolled,
        now_s: i64,
    ) -> Result<AckClaims, Refused> {
        let tx = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut booth: Option<BoothId> = None;
        let mut answered = Vec::with_capacity(items.len());
        for text in items {
            let (from, item) = take_one(&tx, text, enrolled, now_s)?;
            if *booth.get_or_insert_with(|| from.clone()) != from {
                return Err(Refused::Form("items of one booth"));
            }
            answered.push(item);
        }
        let dev = booth.ok_or(Refused::Form("1 to 50 items"))?;
        let epoch = answered.iter().map(|i| i.epoch).max().unwrap_or(0);
        let through = through(&tx, &dev, epoch)?;
        tx.commit()?;
        Ok(AckClaims {
            v: 1,
            dev,
            epoch,
            through,
            items: answered,
            server_time: now_s,
        })
    }

    /// What is stored after `after`, a page of it.
    pub(super) fn page(&self, after: i64) -> Result<OutcomePage, Refused> {
        let mut page = OutcomePage::default();
        let mut bytes = 0;
        let mut statement = self.db.prepare_cached(
            "SELECT id, booth, epoch, seq, sha256, ticket, session, result, received, jws FROM outcome \
             WHERE id > ?1 ORDER BY id LIMIT 101",
        )?;
        let mut rows = statement.query([after])?;
        while let Some(row) = rows.next()? {
            let jws: String = row.get(9)?;
            let payload = jws
                .split('.')
                .nth(1)
                .and_then(unbase64url)
                .filter(|p| p.len() <= MAX_LISTED_PAYLOAD)
                .and_then(|p| serde_json::from_slice(&p).ok());
            bytes += 512 + jws.len().min(MAX_LISTED_PAYLOAD);
            if page.outcomes.len() == 100 || (bytes > MAX_PAGE && !page.outcomes.is_empty()) {
                page.more = true;
                break;
            }
            page.outcomes.push(StoredOutcome {
                id: row.get(0)?,
                booth: booth_column(row.get(1)?)?,
                epoch: unsigned(row.get(2)?),
                seq: unsigned(row.get(3)?),
                sha256: Digest(row.get(4)?),
                ticket: row.get(5)?,
                session: row.get(6)?,
                result: row.get(7)?,
                received_s: row.get(8)?,
                payload,
            });
        }
        let mut statement = self.db.prepare_cached(
            "SELECT booth, epoch, seq, kind, at FROM alarm ORDER BY id DESC LIMIT 20",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            page.alarms.push(Alarm {
                booth: booth_column(row.get(0)?)?,
                epoch: unsigned(row.get(1)?),
                seq: unsigned(row.get(2)?),
                kind: row.get(3)?,
                at_s: row.get(4)?,
            });
        }
        Ok(page)
    }
}

fn booth_column(text: String) -> Result<BoothId, Refused> {
    BoothId::try_from(text).map_err(|e| Refused::Database(e.to_string()))
}

fn unsigned(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

/// Decides on one outcome, and stores it if it is to be stored.
fn take_one(
    tx: &Transaction<'_>,
    text: &str,
    enrolled: &Enrolled,
    now_s: i64,
) -> Result<(BoothId, AckItem), Refused> {
    let sha256 = Digest::of(text.as_bytes());
    let item = |epoch, seq, status, code: Option<&str>| AckItem {
        epoch,
        seq,
        sha256,
        status,
        code: code.map(str::to_owned),
    };
    let verified = match jws::verify(text, OUTCOME_TYP, &enrolled.keys, MAX_OUTCOME) {
        Ok(verified) => verified,
        Err(JwsError::UnknownKey) => return Err(Refused::Booth),
        Err(_) => {
            // Not believed, but answered under the name it gives itself, so that an enrolled booth can set it aside.
            let header = unverified_header(text).ok_or(Refused::Form("outcomes as compact JWS"))?;
            if !enrolled.booths.values().any(|b| *b == header.dev) {
                return Err(Refused::Booth);
            }
            let rejected = item(
                header.epoch,
                header.seq,
                AckStatus::Rejected,
                Some("signature"),
            );
            return Ok((header.dev, rejected));
        }
    };
    let signer = enrolled.booth_of(&verified.kid).ok_or(Refused::Booth)?;
    let header: OutcomeHeader = serde_json::from_value(verified.extra.into())
        .map_err(|_| Refused::Form("outcomes with dev, epoch, seq, prev, iat in the header"))?;
    if header.dev != *signer {
        return Err(Refused::Booth);
    }
    let place = || -> Option<(i64, i64)> {
        Some((
            i64::try_from(header.epoch).ok()?,
            i64::try_from(header.seq).ok()?,
        ))
    };
    let (epoch, seq) = place().ok_or(Refused::Form("epoch and seq below 2^63"))?;
    let dev = header.dev.as_str();
    let answer = |status, code| {
        Ok((
            header.dev.clone(),
            item(header.epoch, header.seq, status, code),
        ))
    };

    let before: Option<([u8; 32], Option<String>)> = tx
        .query_row(
            "SELECT sha256, NULL FROM outcome WHERE booth = ?1 AND epoch = ?2 AND seq = ?3 \
             UNION ALL SELECT sha256, code FROM refusal WHERE booth = ?1 AND epoch = ?2 AND seq = ?3",
            params![dev, epoch, seq],
            |r| Ok((r.get(0)?, r.get(1)?)),
        )
        .optional()?;
    match before {
        Some((same, None)) if same == sha256.0 => return answer(AckStatus::Duplicate, None),
        Some((same, Some(code))) if same == sha256.0 => {
            return answer(AckStatus::Rejected, Some(&code));
        }
        Some(_) => {
            alarm(tx, &header, &sha256, "conflict", now_s)?;
            return answer(AckStatus::Rejected, Some("conflict"));
        }
        None => {}
    }
    match look_into(tx, &verified.payload, &header)? {
        Ok(index) => {
            tx.execute(
                "INSERT INTO outcome(booth, epoch, seq, sha256, ticket, session, result, final, received, jws) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    dev,
                    epoch,
                    seq,
                    &sha256.0[..],
                    index.ticket,
                    index.session,
                    index.result,
                    is_final(&index.result),
                    now_s,
                    text
                ],
            )?;
            answer(AckStatus::Accepted, None)
        }
        Err(code) => {
            if code == "ticket_used" {
                alarm(tx, &header, &sha256, code, now_s)?;
            }
            tx.execute(
                "INSERT INTO refusal(booth, epoch, seq, sha256, code, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![dev, epoch, seq, &sha256.0[..], code, now_s],
            )?;
            answer(AckStatus::Rejected, Some(code))
        }
    }
}

/// What the payload is about, or the code of its rejection.
fn look_into(
    tx: &Transaction<'_>,
    payload: &[u8],
    header: &OutcomeHeader,
) -> Result<Result<Index, &'static str>, Refused> {
    let Ok(index) = serde_json::from_slice::<Index>(payload) else {
        return Ok(Err("malformed"));
    };
    if [&index.ticket, &index.session, &index.result]
        .iter()
        .any(|text| text.len() > 64)
    {
        return Ok(Err("malformed"));
    }
    // A booth keeps what is practised to itself.
    if index.result == "practice" {
        return Ok(Err("practice"));
    }
    let booth: Option<Option<String>> = tx
        .query_row(
            "SELECT booth FROM ticket WHERE id = ?1",
            [&index.ticket],
            |r| r.get(0),
        )
        .optional()?;
    match booth {
        None => return Ok(Err("ticket_unknown")),
        Some(Some(booth)) if booth != header.dev.as_str() => return Ok(Err("ticket_unknown")),
        Some(_) => {}
    }
    if is_final(&index.result) {
        let used: bool = tx.query_row(
            "SELECT EXISTS(SELECT 1 FROM outcome WHERE ticket = ?1 AND final = 1)",
            [&index.ticket],
            |r| r.get(0),
        )?;
        if used {
            return Ok(Err("ticket_used"));
        }
    }
    Ok(Ok(index))
}

fn alarm(
    tx: &Transaction<'_>,
    header: &OutcomeHeader,
    sha256: &Digest,
    kind: &str,
    now_s: i64,
) -> Result<(), Refused> {
    let place = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let booth = header.dev.as_str();
    tracing::error!(booth, epoch = header.epoch, seq = header.seq, kind, "alarm");
    tx.execute(
        "INSERT OR IGNORE INTO alarm(booth, epoch, seq, sha256, kind, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![booth, place(header.epoch), place(header.seq), &sha256.0[..], kind, now_s],
    )?;
    Ok(())
}

/// Every number of the epoch up to this one has been decided on; 0 for none.
fn through(tx: &Transaction<'_>, booth: &BoothId, epoch: u64) -> Result<u64, Refused> {
    let epoch = i64::try_from(epoch).unwrap_or(i64::MAX);
    // The first number without a successor, if 1 is there: gaps are rare, so this ends at the newest as a rule.
    let found: Option<i64> = tx.query_row(
        "WITH seen(seq) AS ( \
           SELECT seq FROM outcome WHERE booth = ?1 AND epoch = ?2 \
           UNION SELECT seq FROM refusal WHERE booth = ?1 AND epoch = ?2) \
         SELECT CASE WHEN EXISTS(SELECT 1 FROM seen WHERE seq = 1) \
           THEN (SELECT min(seq) FROM seen a WHERE NOT EXISTS(SELECT 1 FROM seen b WHERE b.seq = a.seq + 1)) END",
        params![booth.as_str(), epoch],
        |r| r.get(0),
    )?;
    Ok(found.map_or(0, unsigned))
}

fn unverified_header(text: &str) -> Option<OutcomeHeader> {
    let header = unbase64url(text.split('.').next()?)?;
    serde_json::from_slice(&header).ok()
}
