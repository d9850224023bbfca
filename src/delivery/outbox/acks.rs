//! What the wallet's signed word does to the outbox.

use super::store::Int;
use super::{Outbox, OutboxError, State, head, store};
use crate::base::time::WallTime;
use crate::trust::ack::{self, AckItem, AckStatus, Digest};
use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};
use serde::{Deserialize, Serialize};

/// What an acknowledgement did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AckReport {
    /// Deleted because the wallet has them now.
    pub accepted: u32,
    /// Deleted because the wallet had them before.
    pub duplicate: u32,
    /// Kept aside because the wallet will not have them.
    pub rejected: u32,
    /// Named, but not here (any more).
    pub unknown: u32,
    /// Named with another hash, and left alone.
    pub mismatched: u32,
    /// The wallet's clock, Unix seconds, signed.
    pub server_time: i64,
    /// The wallet knows outcomes of this booth that the booth does not, or others under the same number: the storage
    /// has forgotten something, or there are two booths with one key. A new epoch was begun.
    pub storage_ahead: bool,
}

impl AckReport {
    /// How many outcomes were waiting before and are not any more.
    pub const fn settled(&self) -> u32 {
        self.accepted + self.duplicate + self.rejected
    }
}

impl Outbox {
    /// Applies an acknowledgement: deletes what the wallet has, sets aside what it rejects. Anything else stays.
    ///
    /// # Errors
    /// [`OutboxError::Ack`] if it is not by the wallet, for this booth and of the right form: then nothing was done.
    /// Those of the disk.
    pub fn acknowledge(&mut self, ack_jws: &str) -> Result<AckReport, OutboxError> {
        let claims = ack::check(ack_jws, &self.wallet_keys, &self.booth)?;
        self.clock
            .proven(WallTime(claims.server_time.saturating_mul(1000)));
        let now = self.clock.wall().unix_s();
        let mut report = AckReport {
            server_time: claims.server_time,
            ..AckReport::default()
        };
        let tx = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (epoch, last_seq, _) = head(&tx)?;
        let beyond = |e: u64, s: u64| e > epoch || (e == epoch && s > last_seq);
        let mut ahead = beyond(claims.epoch, claims.through);
        for item in &claims.items {
            ahead |= item.status != AckStatus::Rejected && beyond(item.epoch, item.seq);
            let rejected_before = report.rejected;
            apply(&tx, item, ack_jws, &mut report)?;
            ahead |= report.rejected > rejected_before && item.code.as_deref() == Some("conflict");
        }
        if ahead {
            store::begin_epoch(&tx, claims.epoch.max(epoch), now)?;
            report.storage_ahead = true;
        }
        tx.commit()?;
        if ahead {
            tracing::error!(
                code = "hw.storage.worn",
                "the wallet knows outcomes of this booth that the booth does not; a new epoch is begun"
            );
        }
        Ok(report)
    }
}

fn apply(
    tx: &Transaction<'_>,
    item: &AckItem,
    ack_jws: &str,
    report: &mut AckReport,
) -> Result<(), OutboxError> {
    let found: Option<(i64, i64, [u8; 32])> = tx
        .query_row(
            "SELECT rowid, state, sha256 FROM outcome WHERE epoch = ?1 AND seq = ?2",
            params![Int(item.epoch), Int(item.seq)],
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
        )
        .optional()?;
    let Some((rowid, state, sha256)) = found else {
        report.unknown += 1;
        return Ok(());
    };
    // A reserved row has never been sent, so no word can be about it.
    if Digest(sha256) != item.sha256 || state == State::Reserved as i64 {
        report.mismatched += 1;
        return Ok(());
    }
    match item.status {
        AckStatus::Accepted | AckStatus::Duplicate => {
            tx.execute("DELETE FROM outcome WHERE rowid = ?1", [rowid])?;
            tx.execute(
                "UPDATE head SET acked_seq = ?2, acked_sha256 = ?3 WHERE epoch = ?1 AND acked_seq < ?2",
                params![Int(item.epoch), Int(item.seq), &sha256[..]],
            )?;
            if item.status == AckStatus::Accepted {
                report.accepted += 1;
            } else {
                report.duplicate += 1;
            }
        }
        AckStatus::Rejected => {
            tx.execute(
                "UPDATE outcome SET state = ?2, ack = ?3 WHERE rowid = ?1",
                params![rowid, State::Rejected as i64, ack_jws],
            )?;
            tracing::error!(
                code = "backend.rejected",
                epoch = item.epoch,
                seq = item.seq,
                "the wallet rejected an outcome; it is kept with the signed rejection"
            );
            report.rejected += 1;
        }
    }
    Ok(())
}
