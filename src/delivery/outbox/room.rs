//! How much there is in the outbox, and how much room there is left.

use super::store::Int;
use super::{Outbox, OutboxError, head, number, store};
use serde::{Deserialize, Serialize};

/// Figures for the technician and the heartbeat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxStats {
    /// The outbox's life.
    pub epoch: u64,
    /// The last number given out in it.
    pub last_seq: u64,
    /// Numbers up to this one are acknowledged.
    pub acknowledged_seq: u64,
    /// Reserved, not yet committed: 0 or 1.
    pub reserved: u64,
    /// To be sent.
    pub pending: u64,
    /// Rejected by the wallet, kept.
    pub rejected: u64,
    /// Found altered on the disk, kept.
    pub damaged: u64,
    /// The age of the oldest pending outcome in seconds, 0 if none.
    pub oldest_s: u64,
    /// The size of the database in bytes.
    pub bytes: u64,
    /// The most outcomes that are allowed.
    pub max_rows: u64,
}

impl Outbox {
    /// The figures.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn stats(&self) -> Result<OutboxStats, OutboxError> {
        let (epoch, last_seq, _) = head(&self.db)?;
        let mut stats = OutboxStats {
            epoch,
            last_seq,
            max_rows: self.max_rows,
            ..OutboxStats::default()
        };
        let mut oldest: Option<i64> = None;
        let mut statement = self
            .db
            .prepare_cached("SELECT state, count(*), min(iat) FROM outcome GROUP BY state")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let Int(count) = row.get(1)?;
            match row.get::<_, i64>(0)? {
                0 => stats.reserved = count,
                1 => {
                    stats.pending = count;
                    oldest = row.get(2)?;
                }
                2 => stats.rejected = count,
                _ => stats.damaged = count,
            }
        }
        stats.acknowledged_seq = self.db.query_row(
            "SELECT min(h.last_seq, coalesce((SELECT min(seq) - 1 FROM outcome o WHERE o.epoch = h.epoch), h.last_seq)) \
             FROM head h WHERE h.epoch = ?1",
            [Int(epoch)],
            |r| r.get::<_, Int>(0).map(|n| n.0),
        )?;
        let now = self.clock.wall().unix_s();
        stats.oldest_s = oldest.map_or(0, |iat| u64::try_from(now - iat).unwrap_or(0));
        stats.bytes = std::fs::metadata(&self.path).map_or(0, |m| m.len());
        Ok(stats)
    }

    /// Sees to it that `space` payload bytes can be reserved and committed without the files growing.
    pub(super) fn make_room(&mut self, space: usize) -> Result<(), OutboxError> {
        // The fallback, the outcome that replaces it, and the pages around them, all in the WAL before a checkpoint.
        let wanted = 2 * (space / 3 * 4 + 2048) + 64 * 4096;
        let free = number(&self.db, "PRAGMA freelist_count")?;
        let page = number(&self.db, "PRAGMA page_size")?;
        let wal = std::fs::metadata(store::wal_path(&self.path)).map_or(0, |m| m.len());
        let wanted_u64 = wanted as u64;
        if free * page >= wanted_u64 && wal >= wanted_u64 {
            return Ok(());
        }
        // Twice as much where there is room for it, so that this is not done for every session.
        match self.grow(2 * wanted_u64) {
            Err(OutboxError::DiskFull | OutboxError::Io { .. }) => self.grow(wanted_u64),
            other => other,
        }
    }

    /// Writes so many bytes, moves them into the database, and frees them again: the pages stay with the files.
    fn grow(&mut self, bytes: u64) -> Result<(), OutboxError> {
        self.db.execute(
            "INSERT INTO room(filler) VALUES (zeroblob(?1))",
            [Int(bytes)],
        )?;
        let moved = store::checkpoint(&self.db);
        self.db.execute("DELETE FROM room", [])?;
        moved
    }
}
