//! The reference wallet: the other end of the delivery protocol, real enough to test against and to show.
//!
//! HTTPS/1.1 with certificates on both sides; the client's role is the name in its certificate.
//!
//! | call | role | answer |
//! |---|---|---|
//! | `POST /v1/tickets` | operator | a signed ticket |
//! | `POST /v1/outcomes` | uplink | a signed acknowledgement: 200; 409 or 422 if every item was rejected; 403 if the booth is not enrolled |
//! | `GET /v1/outcomes?after=N` | operator | what is stored, a page at a time, and the alarms |
//! | `GET /v1/health` | both | `{"status":"ok"}` |
//!
//! What is acknowledged is in its database first (WAL, `synchronous=FULL`). A wallet in earnest has tenants, key
//! custody and scale that this one has not.

pub mod client;
mod server;
mod store;

pub use server::{Wallet, serve};

use crate::base::ids::{BoothId, Language, SessionId};
use crate::trust::ack::Digest;
use crate::trust::keys::KeyError;
use crate::trust::ticket::{DocumentKind, Field, Purpose};
use crate::trust::tls::{TlsError, TlsFiles};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The wallet's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletConfig {
    /// Where it listens. Default `127.0.0.1:8443`.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Whether `listen` may be another address than loopback. Default no.
    #[serde(default)]
    pub listen_any: bool,
    /// The folder of its database; made if it is not there.
    pub state_dir: PathBuf,
    /// The certificates.
    pub tls: TlsFiles,
    /// The private key that signs tickets and acknowledgements.
    pub signing_key: PathBuf,
    /// Whose wallet, as it stands in tickets.
    pub tenant: String,
    /// The policy that tickets name.
    pub policy: String,
    /// The enrolled booths.
    pub booths: Vec<EnrolledBooth>,
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8443))
}

/// A booth and the key whose outcomes are taken.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolledBooth {
    /// The booth.
    pub id: BoothId,
    /// Its public key file.
    pub key: PathBuf,
}

/// A wallet that cannot work.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// The address is not loopback.
    #[error(
        "wallet `listen` is {found}: only loopback is allowed unless `listen_any` is given; this wallet is a reference, not for open networks"
    )]
    NotLoopback {
        /// The address.
        found: SocketAddr,
    },
    /// A value of the configuration.
    #[error("wallet `{key}`: found {found}, allowed: {allowed}; mend: correct it in wallet.toml")]
    Setting {
        /// The key.
        key: &'static str,
        /// What it is.
        found: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// The address cannot be listened on.
    #[error("wallet `listen` {address}: {reason}; is another wallet running?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The server cannot run.
    #[error("wallet: {0}")]
    Server(std::io::Error),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The database does not work.
    #[error(
        "wallet database in {path}: {reason}; mend: give a folder that the wallet may write as `state_dir`, or take the damaged \
         wallet.db out of it"
    )]
    Database {
        /// The folder.
        path: PathBuf,
        /// What it said.
        reason: String,
    },
}

/// What an operator asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketRequest {
    /// What for.
    pub purpose: Purpose,
    /// The language to begin in.
    #[serde(default)]
    pub language: Language,
    /// The accepted documents.
    pub documents: Vec<DocumentKind>,
    /// What the document must say, plain; only hashes go into the ticket, and nothing of it is stored.
    #[serde(default)]
    pub fields: BTreeMap<Field, String>,
    /// How long the ticket is valid, in seconds, 1 to 2678400.
    pub ttl_s: u32,
    /// The only booth that may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booth: Option<BoothId>,
    /// The session that goes on, if an earlier ticket of it did not end it; absent: a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// The person needs more time for every step.
    #[serde(default)]
    pub extended_time: bool,
    /// A reference template, base64url, at most 700 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<crate::trust::ticket::Reference>,
}

/// What the operator gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketAnswer {
    /// The signed ticket, as it goes into the QR code.
    pub ticket: String,
    /// The ticket's id.
    pub ticket_id: String,
    /// The session's id.
    pub session_id: SessionId,
}

/// An outcome as the wallet has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredOutcome {
    /// The wallet's own number, for `after`.
    pub id: i64,
    /// From which booth.
    pub booth: BoothId,
    /// The booth's epoch.
    pub epoch: u64,
    /// The booth's number in it.
    pub seq: u64,
    /// SHA-256 of the JWS.
    pub sha256: Digest,
    /// The ticket that it answers.
    pub ticket: String,
    /// The session.
    pub session: String,
    /// The result, as it stands in the payload.
    pub result: String,
    /// When it came, Unix seconds.
    pub received_s: i64,
    /// The payload, if it is JSON of at most 16 KiB.
    #[serde(default)]
    pub payload: Option<serde_json::Value>,
}

/// Something that somebody should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// From which booth.
    pub booth: BoothId,
    /// The booth's epoch.
    pub epoch: u64,
    /// The booth's number in it.
    pub seq: u64,
    /// `conflict` (two outcomes under one number: a copy of the booth?) or `ticket_used` (two final outcomes for one
    /// ticket).
    pub kind: String,
    /// When, Unix seconds.
    pub at_s: i64,
}

/// A page of outcomes, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutcomePage {
    /// The outcomes.
    pub outcomes: Vec<StoredOutcome>,
    /// The newest alarms, at most 20.
    pub alarms: Vec<Alarm>,
    /// Whether there are more after the last one here.
    pub more: bool,
}

#[cfg(test)]
mod tests;
