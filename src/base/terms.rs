//! Words that the ticket, the policy, the evidence and the outcome share.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// First proof of who the person is: document, data, face against the document's portrait.
    Onboarding,
    /// The person is known: face against the reference in the ticket.
    Reverification,
    /// A stronger proof for one action. Not built.
    StepUp,
    /// The same again after some time. Not built.
    PeriodicReview,
    /// Access was lost. Not built.
    Recovery,
}

impl Purpose {
    /// Whether this version of the booth can run a session for it.
    pub const fn is_built(self) -> bool {
        matches!(self, Self::Onboarding | Self::Reverification)
    }
}

/// A kind of document: by the layout of its machine readable zone, or the resident identity card, which has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// Card, three lines of 30.
    Td1,
    /// Larger card, two lines of 36.
    Td2,
    /// Passport, two lines of 44.
    Td3,
    /// Resident identity card of the People's Republic of China: two sides, no machine readable zone.
    PrcId,
    /// Visa: no policy can accept it, since it identifies nobody without the passport that it belongs to.
    Visa,
}

/// A field that the wallet claims to know and the document must confirm. In tickets its name is short, so that their QR code stays
/// small; both names are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Field {
    /// Number of the document.
    #[serde(rename = "dn", alias = "document_number")]
    DocumentNumber,
    /// Date of birth.
    #[serde(rename = "bd", alias = "birth_date")]
    BirthDate,
    /// Date of expiry; of a resident identity card also `长期` (none).
    #[serde(rename = "ed", alias = "expiry_date")]
    ExpiryDate,
    /// Family name; of a document that does not divide names (resident identity card) the whole name.
    #[serde(rename = "pi", alias = "primary_identifier")]
    PrimaryIdentifier,
    /// Given names.
    #[serde(rename = "si", alias = "secondary_identifier")]
    SecondaryIdentifier,
    /// Three letters.
    #[serde(rename = "na", alias = "nationality")]
    Nationality,
    /// M (男), F (女) or X.
    #[serde(rename = "sx", alias = "sex")]
    Sex,
}

impl Field {
    /// All fields.
    pub const ALL: [Self; 7] = [
        Self::DocumentNumber,
        Self::BirthDate,
        Self::ExpiryDate,
        Self::PrimaryIdentifier,
        Self::SecondaryIdentifier,
        Self::Nationality,
        Self::Sex,
    ];

    /// The name in tickets, policies and outcomes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DocumentNumber => "document_number",
            Self::BirthDate => "birth_date",
            Self::ExpiryDate => "expiry_date",
            Self::PrimaryIdentifier => "primary_identifier",
            Self::SecondaryIdentifier => "secondary_identifier",
            Self::Nationality => "nationality",
            Self::Sex => "sex",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a claimed field compares with the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldMatch {
    /// Equal.
    Match,
    /// Different.
    Mismatch,
    /// The document's field could not be read.
    NotRead,
}
