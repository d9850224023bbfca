//! What can go wrong with the outbox, and what to do about it.

use crate::trust::ack::AckError;
use crate::trust::jws::JwsError;
use std::path::PathBuf;

/// An outbox that does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The folder cannot be used.
    #[error("outbox folder {path}: {reason}; it must be a folder that the service may write")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// Another process has the outbox.
    #[error(
        "outbox folder {path}: in use by another process; only one `boothd run` may have it, stop the other one"
    )]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// Written by later software.
    #[error(
        "outbox: form {found}, this software knows up to {allowed}; install the newer software again"
    )]
    Newer {
        /// The version in the database.
        found: i64,
        /// The version of this software.
        allowed: i64,
    },
    /// No room on the disk, or the database has reached `max_mib`.
    #[error(
        "outbox: no room on the disk or above `max_mib`; free space, or see why the wallet takes nothing"
    )]
    DiskFull,
    /// The file system is read-only.
    #[error("outbox: storage is read-only; the card may be worn out, see the kernel's log")]
    ReadOnly,
    /// Reading or writing failed.
    #[error(
        "outbox: storage does not read or write ({reason}); the card may be worn out, see the kernel's log"
    )]
    Io {
        /// What the database said.
        reason: String,
    },
    /// The database is damaged.
    #[error(
        "outbox: database is damaged; start the service again, it sets the file aside and begins a new one"
    )]
    Corrupt,
    /// The ticket has opened a session before.
    #[error("outbox: the ticket has been used before; have a new one issued")]
    TicketUsed,
    /// Too many outcomes wait.
    #[error(
        "outbox: {found} outcomes are kept, {allowed} are allowed before no session is begun; see why the wallet takes nothing"
    )]
    Full {
        /// How many there are.
        found: u64,
        /// How many there may be.
        allowed: u64,
    },
    /// The reservation was closed before.
    #[error(
        "outbox: nothing is reserved as epoch {epoch} seq {seq}; it was committed, or closed with its fallback"
    )]
    NotReserved {
        /// The epoch asked for.
        epoch: u64,
        /// The number asked for.
        seq: u64,
    },
    /// The payload is too long.
    #[error("outbox: outcome of {found} bytes, at most {allowed} are allowed")]
    TooLarge {
        /// Its length.
        found: usize,
        /// The limit.
        allowed: usize,
    },
    /// The outcome cannot be signed.
    #[error("outbox: {0}")]
    Sign(#[from] JwsError),
    /// The acknowledgement is not believed.
    #[error("outbox: {0}")]
    Ack(#[from] AckError),
    /// Anything else that the database says: a fault in this software.
    #[error("outbox: database says `{reason}`; this is a fault of the software, please report it")]
    Database {
        /// What it said.
        reason: String,
    },
    /// The outbox's thread did not answer in time; whether it did what it was asked is not known.
    #[error(
        "outbox: no answer within {limit_ms} ms; the storage is slow or stuck, see the kernel's log"
    )]
    TimedOut {
        /// How long was waited.
        limit_ms: u64,
    },
    /// The outbox's thread has ended.
    #[error("outbox: its thread has ended; start the service again")]
    Stopped,
}

impl OutboxError {
    /// The reason code for the session and the technician.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TicketUsed => "session.ticket_used",
            Self::DiskFull | Self::Full { .. } => "hw.storage.full",
            _ => "hw.storage.worn",
        }
    }

    /// Whether the same call may work later without anybody doing anything.
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::DiskFull | Self::Full { .. } | Self::TimedOut { .. }
        )
    }
}

impl From<rusqlite::Error> for OutboxError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        // The database's texts name tables and columns, never values: every value goes in as a parameter.
        let reason = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt,
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => Self::Io { reason },
            _ if is_foreign_value(&error) => Self::Corrupt,
            _ => Self::Database { reason },
        }
    }
}

/// Whether a column holds what only a damaged database can hold.
fn is_foreign_value(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..)
    )
}
