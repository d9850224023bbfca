//! What travels with an outcome, and the wallet's signed acknowledgement of it.
//!
//! An outcome is a JWS of type [`OUTCOME_TYP`] whose payload is opaque here and whose protected header carries
//! [`OutcomeHeader`]. An acknowledgement is a JWS of type [`ACK_TYP`] that names the very bytes it is about.

use super::jws::{self, JwsError};
use super::keys::TrustedKeys;
use super::{hex, unhex32};
use crate::base::ids::BoothId;
use serde::{Deserialize, Serialize};

/// The `typ` of an outcome.
pub const OUTCOME_TYP: &str = "boothd-outcome";
/// The `typ` of an acknowledgement.
pub const ACK_TYP: &str = "boothd-ack";
/// An outcome's payload is at most so many bytes.
pub const MAX_PAYLOAD: usize = 128 * 1024;
/// An outcome is at most so many characters: the payload in base64, the header and the signature.
pub const MAX_OUTCOME: usize = MAX_PAYLOAD / 3 * 4 + 2048;
/// An acknowledgement is at most so many characters.
pub const MAX_ACK: usize = 64 * 1024;
/// At most so many outcomes travel together.
pub const MAX_BATCH: usize = 50;
/// A request with outcomes is at most so many bytes.
pub const MAX_REQUEST: usize = 256 * 1024;

/// SHA-256 as 64 lower-case hexadecimal digits in JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(super::sha256(bytes))
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}..", hex(&self.0[..4]))
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        unhex32(&String::deserialize(deserializer)?)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("not 64 lower-case hexadecimal digits"))
    }
}

/// The members of an outcome's protected header beside `alg`, `kid` and `typ`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeHeader {
    /// Which booth.
    pub dev: BoothId,
    /// Which life of the booth's outbox; a later one has a greater number.
    pub epoch: u64,
    /// Which outcome of that life, from 1, without gaps.
    pub seq: u64,
    /// SHA-256 of the outcome before it (`seq` - 1) in the same epoch; zeros for the first.
    pub prev: Digest,
    /// When it was signed, Unix seconds on the booth's clock.
    pub iat: i64,
}

/// What the wallet did with an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AckStatus {
    /// Stored now.
    Accepted,
    /// Was stored before, the same bytes.
    Duplicate,
    /// Will not be stored, whoever sends it again.
    Rejected,
}

/// The wallet's word on one outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AckItem {
    /// The outcome's epoch.
    pub epoch: u64,
    /// The outcome's number.
    pub seq: u64,
    /// SHA-256 of the JWS as it was received.
    pub sha256: Digest,
    /// What was done.
    pub status: AckStatus,
    /// Why it was rejected: `conflict`, `signature`, `ticket_unknown`, `ticket_used`, `practice`, `malformed`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// The payload of an acknowledgement. Members that are not known are ignored, so that the wallet can move first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AckClaims {
    /// The version: 1.
    pub v: u32,
    /// For which booth.
    pub dev: BoothId,
    /// The epoch that `through` speaks of.
    pub epoch: u64,
    /// The wallet has every outcome of that epoch up to this number; 0 for none.
    pub through: u64,
    /// One for each outcome that the wallet has decided on.
    pub items: Vec<AckItem>,
    /// The wallet's clock, Unix seconds.
    pub server_time: i64,
}

/// An acknowledgement that is not believed.
#[derive(Debug, thiserror::Error)]
pub enum AckError {
    /// Not signed by the wallet, or altered, or too long.
    #[error("acknowledgement: {0}")]
    Jws(#[from] JwsError),
    /// Signed, but not of the form agreed upon.
    #[error(
        "acknowledgement: payload is not of the form `{allowed}`; wallet and booth differ in version"
    )]
    Malformed {
        /// The form.
        allowed: &'static str,
    },
    /// Made out to another booth.
    #[error("acknowledgement: `dev` names another booth")]
    ForAnotherBooth,
}

/// Checks an acknowledgement.
///
/// # Errors
/// Every variant of [`AckError`].
pub fn check(text: &str, keys: &TrustedKeys, booth: &BoothId) -> Result<AckClaims, AckError> {
    let payload = jws::verify(text.trim(), ACK_TYP, keys, MAX_ACK)?.payload;
    let malformed = AckError::Malformed {
        allowed: "v = 1, dev, epoch, through, items, server_time",
    };
    let Ok(claims) = serde_json::from_slice::<AckClaims>(&payload) else {
        return Err(malformed);
    };
    if claims.v != 1 || claims.items.len() > MAX_BATCH {
        return Err(malformed);
    }
    if claims.dev != *booth {
        return Err(AckError::ForAnotherBooth);
    }
    Ok(claims)
}

/// Signs an acknowledgement.
///
/// # Errors
/// [`JwsError::Key`] if the key does not sign.
pub fn issue(claims: &AckClaims, signer: &dyn super::keys::Signer) -> Result<String, JwsError> {
    let payload = serde_json::to_vec(claims).map_err(|_| JwsError::Malformed {
        part: "claims do not fit JSON",
    })?;
    jws::sign(&payload, ACK_TYP, serde_json::Map::new(), signer)
}
