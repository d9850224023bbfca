//! The ticket: what the wallet wants checked, for which session, until when. A compact JWS of type `boothd-ticket`
//! that fits a QR code.
//!
//! A ticket carries no plain personal data. What the document must say is carried as salted SHA-256, cut to 16 bytes.
//! That keeps a name out of the code's text; it does not keep it from somebody who holds the code and tries all
//! birth dates, so a ticket is to be treated as personal all the same.
//!
//! Single use is the outbox's business: see [`Ticket::digest`].

mod error;
mod field;
#[cfg(test)]
mod tests;

pub use crate::base::terms::{DocumentKind, Field, Purpose};
pub use error::TicketError;

use super::jws;
use super::keys::{Signer, TrustedKeys};
use super::{base64url, sha256, unbase64url};
use crate::base::ids::{BoothId, Language, SessionId};
use crate::base::time::WallTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use subtle::ConstantTimeEq as _;

/// The `typ` of a ticket.
pub const TYP: &str = "boothd-ticket";
/// A ticket is at most so many characters; a QR code of version 40 holds 2953 bytes.
pub const MAX_CHARACTERS: usize = 2400;
/// The reference template is at most so many bytes.
pub const MAX_REFERENCE: usize = 700;
/// A clock may be wrong by so many seconds before a ticket is called not yet valid.
const SKEW_S: i64 = 300;
/// A ticket is valid for at most so many seconds (31 days); the outbox remembers used tickets for longer.
pub const MAX_VALIDITY_S: i64 = 31 * 86_400;

/// `N` bytes as base64url in JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bytes<const N: usize>(pub [u8; N]);

impl<const N: usize> fmt::Debug for Bytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{N} bytes]")
    }
}

impl<const N: usize> Serialize for Bytes<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64url(&self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Bytes<N> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        unbase64url(&text)
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("wrong number of bytes of base64url"))
    }
}

/// Bytes that the ticket carries and does not look into; wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub struct Reference(Vec<u8>);

impl Reference {
    /// Wraps a template of 1 to [`MAX_REFERENCE`] bytes; `None` for any other length.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (1..=MAX_REFERENCE)
            .contains(&bytes.len())
            .then_some(Self(bytes))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

impl Serialize for Reference {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64url(&self.0))
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        unbase64url(&String::deserialize(deserializer)?)
            .and_then(Self::new)
            .ok_or_else(|| serde::de::Error::custom("not 1 to 700 bytes of base64url"))
    }
}

/// What a ticket says. The JSON names are short because they are read from a QR code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketClaims {
    /// The version of these claims: 1.
    #[serde(rename = "v")]
    pub version: u32,
    /// The ticket's own id: 1 to 64 letters, digits, `-`, `_`.
    #[serde(rename = "jti")]
    pub ticket_id: String,
    /// The session that it opens.
    #[serde(rename = "sid")]
    pub session: SessionId,
    /// Whose wallet: 1 to 64 letters, digits, `-`, `_`, `.`.
    #[serde(rename = "ten")]
    pub tenant: String,
    /// Which policy holds: 1 to 64 letters, digits, `-`, `_`, `.`.
    #[serde(rename = "pol")]
    pub policy: String,
    /// What for.
    #[serde(rename = "pur")]
    pub purpose: Purpose,
    /// The language to begin in.
    #[serde(rename = "lang")]
    pub language: Language,
    /// The accepted kinds of document, at least one.
    #[serde(rename = "docs")]
    pub documents: Vec<DocumentKind>,
    /// The salt of the field hashes.
    pub salt: Bytes<16>,
    /// What the document must say, hashed.
    #[serde(rename = "f", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Field, Bytes<16>>,
    /// When it was issued, Unix seconds.
    #[serde(rename = "iat")]
    pub issued_s: i64,
    /// From when it is no longer valid, Unix seconds.
    #[serde(rename = "exp")]
    pub expires_s: i64,
    /// Goes into the outcome, so that the wallet sees which ticket it answers.
    pub nonce: Bytes<16>,
    /// The only booth that may use it; any if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booth: Option<BoothId>,
    /// The person needs more time: every step has twice as long.
    #[serde(rename = "ext", default, skip_serializing_if = "std::ops::Not::not")]
    pub extended_time: bool,
    /// A reference template to compare the face with, if any.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
}

impl TicketClaims {
    /// Claims that a field has a value.
    pub fn claim(&mut self, field: Field, value: &str) {
        self.fields
            .insert(field, Bytes(field.digest(&self.salt.0, value)));
    }
}

/// A ticket whose signature, time and booth were checked.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// What it says.
    pub claims: TicketClaims,
}

/// What a document field is against the ticket's claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldMatch {
    /// The same after normalisation.
    Match,
    /// Another value.
    Mismatch,
    /// The ticket says nothing about the field.
    NotClaimed,
}

impl Ticket {
    /// The ticket's own id.
    pub fn id(&self) -> &str {
        &self.claims.ticket_id
    }

    /// The session it is for.
    pub fn session(&self) -> &SessionId {
        &self.claims.session
    }

    /// The wallet it comes from.
    pub fn tenant(&self) -> &str {
        &self.claims.tenant
    }

    /// The policy that the wallet wants it decided by.
    pub fn policy(&self) -> &str {
        &self.claims.policy
    }

    /// What the session is for.
    pub fn purpose(&self) -> Purpose {
        self.claims.purpose
    }

    /// Language of the texts.
    pub fn language(&self) -> Language {
        self.claims.language
    }

    /// Whether it takes this kind of document.
    pub fn accepts(&self, kind: DocumentKind) -> bool {
        self.claims.documents.contains(&kind)
    }

    /// The nonce, as it stands in the ticket.
    pub fn nonce(&self) -> String {
        super::base64url(&self.claims.nonce.0)
    }

    /// The reference template of a reverification.
    pub fn reference(&self) -> Option<&[u8]> {
        self.claims.reference.as_ref().map(Reference::bytes)
    }

    /// What the outbox remembers so that the ticket works once: SHA-256 over tenant and ticket id. Not over the text,
    /// because the same ticket signed twice is still the same ticket.
    pub fn digest(&self) -> [u8; 32] {
        let claims = &self.claims;
        sha256(format!("boothd-ticket\0{}\0{}", claims.tenant, claims.ticket_id).as_bytes())
    }

    /// Whose failed attempts are counted together: those who are compared with the same reference, or else the tickets of one session.
    /// SHA-256; the outbox keeps it salted.
    pub fn subject(&self) -> [u8; 32] {
        let tenant = self.tenant();
        match self.reference() {
            Some(reference) => sha256(
                &[
                    format!("boothd-reference\0{tenant}\0").as_bytes(),
                    reference,
                ]
                .concat(),
            ),
            None => {
                let session = self.session().as_str();
                sha256(format!("boothd-session\0{tenant}\0{session}").as_bytes())
            }
        }
    }

    /// Compares a field of the document with the claim, in constant time.
    pub fn field_matches(&self, field: Field, value: &str) -> FieldMatch {
        let Some(claimed) = self.claims.fields.get(&field) else {
            return FieldMatch::NotClaimed;
        };
        let found = field.digest(&self.claims.salt.0, value);
        if bool::from(found.ct_eq(&claimed.0)) {
            FieldMatch::Match
        } else {
            FieldMatch::Mismatch
        }
    }
}

/// Signs a ticket.
///
/// # Errors
/// [`TicketError::Malformed`] or [`TicketError::TooLarge`] if no booth would accept it; [`TicketError::Key`].
pub fn issue(claims: &TicketClaims, signer: &dyn Signer) -> Result<String, TicketError> {
    check_form(claims)?;
    let payload = serde_json::to_vec(claims).map_err(|_| TicketError::Malformed {
        place: "claims",
        allowed: "what JSON can carry",
    })?;
    let text = jws::sign(&payload, TYP, serde_json::Map::new(), signer)?;
    if text.len() > MAX_CHARACTERS {
        return Err(TicketError::TooLarge { found: text.len() });
    }
    Ok(text)
}

/// Checks a ticket: form, signature, version, purpose, time, booth.
///
/// # Errors
/// Every variant of [`TicketError`] except `Key`.
pub fn check(
    text: &str,
    keys: &TrustedKeys,
    now: WallTime,
    booth: &BoothId,
) -> Result<Ticket, TicketError> {
    let payload = jws::verify(text.trim(), TYP, keys, MAX_CHARACTERS)?.payload;
    check_payload(&payload, now, booth)
}

/// Checks what a ticket says: form, version, purpose, time, booth. That somebody trusted signed these bytes is for the caller to
/// have checked; the booth calls [`check`].
///
/// # Errors
/// Every variant of [`TicketError`] except `Key` and those of the signature.
pub fn check_payload(
    payload: &[u8],
    now: WallTime,
    booth: &BoothId,
) -> Result<Ticket, TicketError> {
    let claims = read_claims(payload)?;
    check_form(&claims)?;
    let now_s = now.unix_s();
    if claims.issued_s > now_s.saturating_add(SKEW_S) {
        return Err(TicketError::NotYetValid {
            early_s: claims.issued_s.saturating_sub(now_s),
        });
    }
    if now_s >= claims.expires_s {
        return Err(TicketError::Expired {
            late_s: now_s.saturating_sub(claims.expires_s),
        });
    }
    if claims.booth.as_ref().is_some_and(|b| b != booth) {
        return Err(TicketError::ForAnotherBooth);
    }
    Ok(Ticket { claims })
}

fn read_claims(payload: &[u8]) -> Result<TicketClaims, TicketError> {
    /// What must be understood before the rest can be: another version may have other members.
    #[derive(Deserialize)]
    struct Head {
        v: u64,
        #[serde(default)]
        pur: serde_json::Value,
    }
    let malformed = |allowed| TicketError::Malformed {
        place: "payload",
        allowed,
    };
    let head: Head = serde_json::from_slice(payload)
        .map_err(|_| malformed("a JSON object with a version `v`"))?;
    if head.v != 1 {
        return Err(TicketError::UnknownVersion { found: head.v });
    }
    if head.pur.is_string() && serde_json::from_value::<Purpose>(head.pur).is_err() {
        return Err(TicketError::UnknownPurpose);
    }
    // serde_json's own message is not passed on: it can quote values.
    serde_json::from_slice(payload).map_err(|_| {
        malformed(
            "v, jti, sid, ten, pol, pur, lang, docs, salt, f, iat, exp, nonce, booth, ext, ref",
        )
    })
}

/// Whether a ticket can carry this as its id, tenant or policy: 1 to 64 letters, digits, `-`, `_`, `.`.
pub fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

fn check_form(claims: &TicketClaims) -> Result<(), TicketError> {
    let name = is_name;
    let session = claims.session.as_str();
    let checks = [
        (claims.version == 1, "v", "1"),
        (
            name(&claims.ticket_id),
            "jti",
            "1 to 64 of A-Z a-z 0-9 - _ .",
        ),
        (
            session.len() == 26
                && session.bytes().all(|b| {
                    b.is_ascii_digit() || (b.is_ascii_uppercase() && !b"ILOU".contains(&b))
                }),
            "sid",
            "26 characters of Crockford's base 32",
        ),
        (name(&claims.tenant), "ten", "1 to 64 of A-Z a-z 0-9 - _ ."),
        (name(&claims.policy), "pol", "1 to 64 of A-Z a-z 0-9 - _ ."),
        (
            (1..=4).contains(&claims.documents.len())
                && !claims.documents.contains(&DocumentKind::Visa),
            "docs",
            "one to four of td1, td2, td3, prc_id",
        ),
        (
            claims.issued_s >= 0
                && claims.expires_s > claims.issued_s
                && claims.expires_s - claims.issued_s <= MAX_VALIDITY_S,
            "exp",
            "after `iat` by at most 31 days",
        ),
    ];
    match checks.into_iter().find(|(good, ..)| !good) {
        Some((_, place, allowed)) => Err(TicketError::Malformed { place, allowed }),
        None => Ok(()),
    }
}
