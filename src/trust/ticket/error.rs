//! Why a ticket is not accepted.

use crate::trust::jws::JwsError;
use crate::trust::keys::KeyError;

/// A ticket that is not accepted. No variant carries anything from inside the ticket except version, limits and times.
#[derive(Debug, thiserror::Error)]
pub enum TicketError {
    /// Not a ticket.
    #[error(
        "ticket: malformed at `{place}`; allowed is {allowed}; show the code again or have a new ticket issued"
    )]
    Malformed {
        /// Which part.
        place: &'static str,
        /// What it may be.
        allowed: &'static str,
    },
    /// Too long.
    #[error(
        "ticket: {found} characters, at most 2400 are allowed; have a new ticket issued with less in it"
    )]
    TooLarge {
        /// Its length.
        found: usize,
    },
    /// Another signed object.
    #[error(
        "ticket: header `typ` or `alg` is of another kind of object; allowed is `boothd-ticket` with `EdDSA`"
    )]
    WrongType,
    /// Signed by somebody else.
    #[error(
        "ticket: signed by a key that this booth does not know; allowed are the keys enrolled as the wallet's"
    )]
    UnknownKey,
    /// Altered.
    #[error("ticket: the signature does not fit; have a new ticket issued")]
    BadSignature,
    /// Too late.
    #[error(
        "ticket: `exp` was {late_s} s ago; have a new ticket issued, and check the booth's clock"
    )]
    Expired {
        /// Seconds since its end.
        late_s: i64,
    },
    /// Too early.
    #[error(
        "ticket: `iat` lies {early_s} s ahead, at most 300 are allowed; check the booth's clock"
    )]
    NotYetValid {
        /// Seconds until its start.
        early_s: i64,
    },
    /// Made out to another booth.
    #[error(
        "ticket: `booth` names another booth; use that one or have a ticket issued for this one"
    )]
    ForAnotherBooth,
    /// From a later release.
    #[error(
        "ticket: `v` is {found}, allowed is 1; the booth's software is older than the wallet's"
    )]
    UnknownVersion {
        /// The version found.
        found: u64,
    },
    /// A purpose that is not known.
    #[error(
        "ticket: `pur` is unknown; allowed are onboarding, reverification, step_up, periodic_review, recovery"
    )]
    UnknownPurpose,
    /// The signing key failed while a ticket was issued.
    #[error(transparent)]
    Key(KeyError),
}

impl TicketError {
    /// The reason code for the session.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Expired { .. } => "session.ticket_expired",
            _ => "session.ticket_invalid",
        }
    }
}

impl From<JwsError> for TicketError {
    fn from(error: JwsError) -> Self {
        match error {
            JwsError::TooLarge { found, .. } => Self::TooLarge { found },
            JwsError::Malformed { part } => Self::Malformed {
                place: part,
                allowed: "a compact JWS",
            },
            JwsError::UnknownCritical => Self::Malformed {
                place: "crit",
                allowed: "no critical extension",
            },
            JwsError::WrongAlgorithm | JwsError::WrongType { .. } => Self::WrongType,
            JwsError::UnknownKey => Self::UnknownKey,
            JwsError::BadSignature => Self::BadSignature,
            JwsError::Key(e) => Self::Key(e),
        }
    }
}
