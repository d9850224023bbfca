//! The ticket: what the wallet wants checked, for which session, until when. A compact JWS of type `boothd-ticket`
//! that fits a QR code.
//!
//! A ticket carries no plain personal data. What the document must say is carried as salted SHA-256, cut to 16 bytes.
//! That keeps a name out of the code's text; it does not keep it from somebody who holds the code and tries all
//! birth dates, so a ticket is to be treated as personal all the same.
//!
//! Single use is the outbox's business: see [`Ticket::digest`].

use super::jws::{self, JwsError};
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

/// Why the person is in the booth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Opening a wallet.
    Onboarding,
    /// Proving again who they are.
    Reverification,
    /// A single transaction that needs more.
    StepUp,
    /// A check that is due.
    PeriodicReview,
    /// Getting a wallet back.
    Recovery,
}

/// A kind of document that a ticket accepts (ICAO 9303, part 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DocumentSize {
    /// A card.
    Td1,
    /// The larger card.
    Td2,
    /// A passport.
    Td3,
}

/// A field of the document that a ticket can claim something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Field {
    /// The document's number.
    #[serde(rename = "dn", alias = "document_number")]
    DocumentNumber,
    /// Date of birth.
    #[serde(rename = "bd", alias = "birth_date")]
    BirthDate,
    /// Date of expiry.
    #[serde(rename = "ed", alias = "expiry_date")]
    ExpiryDate,
    /// Primary identifier, as a rule the surname.
    #[serde(rename = "pi", alias = "primary_identifier")]
    PrimaryIdentifier,
    /// Secondary identifier, as a rule the given names.
    #[serde(rename = "si", alias = "secondary_identifier")]
    SecondaryIdentifier,
    /// Nationality.
    #[serde(rename = "na", alias = "nationality")]
    Nationality,
    /// Sex.
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

    /// The name that goes into the hash and into messages.
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

    /// The form that is hashed, the same for what the wallet knows and for what the MRZ says:
    ///
    /// * everything in capital letters;
    /// * names: apostrophes left out; `<`, `-`, `,` and any white space become one space; none at the ends
    ///   (ICAO 9303 part 3, 4.6). Letters outside A-Z stay, so the wallet must give the name as the MRZ has it, and a
    ///   name that the MRZ cuts short must be given cut short;
    /// * dates: digits only, and of eight digits the last six, because the MRZ has no century;
    /// * document number and nationality: letters and digits only;
    /// * sex: `M`, `F`, or `X` for anything else (the MRZ has `<` where the page has `X`).
    pub fn normalise(self, value: &str) -> String {
        let upper = value.to_uppercase();
        match self {
            Self::PrimaryIdentifier | Self::SecondaryIdentifier => upper
                .replace(['\'', '\u{2019}'], "")
                .split(|c: char| c.is_whitespace() || matches!(c, '<' | '-' | ','))
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" "),
            Self::BirthDate | Self::ExpiryDate => {
                let digits: String = upper.chars().filter(char::is_ascii_digit).collect();
                match digits.len() {
                    8 => digits[2..].to_owned(),
                    _ => digits,
                }
            }
            Self::DocumentNumber | Self::Nationality => {
                upper.chars().filter(|c| c.is_alphanumeric()).collect()
            }
            Self::Sex => match upper.trim() {
                "M" => "M",
                "F" => "F",
                _ => "X",
            }
            .to_owned(),
        }
    }

    /// SHA-256(salt, 0, name, 0, normalised value), the first 16 bytes.
    fn digest(self, salt: &[u8; 16], value: &str) -> [u8; 16] {
        let normalised = zeroize::Zeroizing::new(self.normalise(value));
        let mut text = zeroize::Zeroizing::new(Vec::with_capacity(64 + normalised.len()));
        text.extend_from_slice(salt);
        text.push(0);
        text.extend_from_slice(self.name().as_bytes());
        text.push(0);
        text.extend_from_slice(normalised.as_bytes());
        let mut out = [0; 16];
        out.copy_from_slice(&sha256(&text)[..16]);
        out
    }
}

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
    pub documents: Vec<DocumentSize>,
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
    Key(super::keys::KeyError),
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
    /// What the outbox remembers so that the ticket works once: SHA-256 over tenant and ticket id. Not over the text,
    /// because the same ticket signed twice is still the same ticket.
    pub fn digest(&self) -> [u8; 32] {
        let claims = &self.claims;
        sha256(format!("boothd-ticket\0{}\0{}", claims.tenant, claims.ticket_id).as_bytes())
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
    let claims = read_claims(&payload)?;
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
        malformed("v, jti, sid, ten, pol, pur, lang, docs, salt, f, iat, exp, nonce, booth, ref")
    })
}

fn check_form(claims: &TicketClaims) -> Result<(), TicketError> {
    let name = |text: &str| {
        (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
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
            (1..=3).contains(&claims.documents.len()),
            "docs",
            "one to three of td1, td2, td3",
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

#[cfg(test)]
mod tests {
    use super::super::keys::SoftwareKey;
    use super::*;

    const NOW: WallTime = WallTime(1_795_468_444_000);

    fn booth() -> BoothId {
        BoothId::try_from("BOOTH-0001".to_owned()).unwrap()
    }

    /// The specimen of ICAO 9303 part 4, appendix B.
    fn claims() -> TicketClaims {
        let mut claims = TicketClaims {
            version: 1,
            ticket_id: "T-01JDCW9M4N".to_owned(),
            session: SessionId::from_parts(NOW.0, [3; 10]),
            tenant: "bank".to_owned(),
            policy: "standard-1".to_owned(),
            purpose: Purpose::Onboarding,
            language: Language::En,
            documents: vec![DocumentSize::Td1, DocumentSize::Td3],
            salt: Bytes([5; 16]),
            fields: BTreeMap::new(),
            issued_s: NOW.unix_s(),
            expires_s: NOW.unix_s() + 120,
            nonce: Bytes([6; 16]),
            booth: Some(booth()),
            reference: None,
        };
        for (field, value) in [
            (Field::DocumentNumber, "L898902C3"),
            (Field::BirthDate, "1974-08-12"),
            (Field::ExpiryDate, "2012-04-15"),
            (Field::PrimaryIdentifier, "Eriksson"),
            (Field::SecondaryIdentifier, "Anna Maria"),
        ] {
            claims.claim(field, value);
        }
        claims
    }

    fn keys() -> (SoftwareKey, TrustedKeys) {
        let key = SoftwareKey::from_seed(&[1; 32]);
        let trusted = TrustedKeys::from_iter([key.public()]);
        (key, trusted)
    }

    #[test]
    fn a_ticket_is_small_and_says_nothing_plain() {
        let (key, trusted) = keys();
        let text = issue(&claims(), &key).unwrap();
        assert!(text.len() <= 900, "{} characters", text.len());
        let payload = unbase64url(text.split('.').nth(1).unwrap()).unwrap();
        let payload = String::from_utf8(payload).unwrap();
        for plain in ["L898902", "Eriksson", "ERIKSSON", "Anna", "740812", "1974"] {
            assert!(!payload.contains(plain), "{plain} in {payload}");
        }
        let ticket = check(&text, &trusted, NOW, &booth()).unwrap();
        assert_eq!(ticket.claims, claims());
    }

    #[test]
    fn a_ticket_is_refused_for_a_reason() {
        let (key, trusted) = keys();
        let with = |change: fn(&mut serde_json::Value)| {
            let mut value = serde_json::to_value(claims()).unwrap();
            change(&mut value);
            jws::sign(
                value.to_string().as_bytes(),
                TYP,
                serde_json::Map::new(),
                &key,
            )
            .unwrap()
        };
        let good = issue(&claims(), &key).unwrap();
        let other_type = jws::sign(b"{}", "boothd-ack", serde_json::Map::new(), &key).unwrap();
        let stranger = issue(&claims(), &SoftwareKey::from_seed(&[2; 32])).unwrap();
        let mut altered = good.clone();
        let at = good.find('.').unwrap() + 20;
        altered.replace_range(at..at + 1, if &good[at..at + 1] == "A" { "B" } else { "A" });
        let cases: &[(&str, &str, i64)] = &[
            (&good, "ok", 0),
            (&format!("  {good}\n"), "ok", 0),
            (&good, "ok", 119_999),
            (&good, "Expired", 120_000),
            (&good, "ok", -300_000),
            (&good, "NotYetValid", -301_000),
            ("", "Malformed", 0),
            ("https://example.com/?t=1", "Malformed", 0),
            (&"x".repeat(3000), "TooLarge", 0),
            (&other_type, "WrongType", 0),
            (&stranger, "UnknownKey", 0),
            (&altered, "BadSignature", 0),
            (&with(|v| v["v"] = 2.into()), "UnknownVersion", 0),
            (&with(|v| v["v"] = "1".into()), "Malformed", 0),
            (&with(|v| v["pur"] = "joke".into()), "UnknownPurpose", 0),
            (&with(|v| v["pur"] = 5.into()), "Malformed", 0),
            (
                &with(|v| v["booth"] = "BOOTH-0002".into()),
                "ForAnotherBooth",
                0,
            ),
            (&with(|v| v["booth"] = "a b".into()), "Malformed", 0),
            (&with(|v| v["unknown"] = 1.into()), "Malformed", 0),
            (&with(|v| v["sid"] = "short".into()), "Malformed", 0),
            (&with(|v| v["jti"] = "a\nb".into()), "Malformed", 0),
            (&with(|v| v["docs"] = serde_json::json!([])), "Malformed", 0),
            (&with(|v| v["salt"] = "AAAA".into()), "Malformed", 0),
            (&with(|v| v["ref"] = "".into()), "Malformed", 0),
            (&with(|v| v["exp"] = i64::MAX.into()), "Malformed", 0),
            (&with(|v| v["iat"] = i64::MIN.into()), "Malformed", 0),
        ];
        for (text, expected, later_ms) in cases {
            let found = match check(text, &trusted, WallTime(NOW.0 + later_ms), &booth()) {
                Ok(_) => "ok".to_owned(),
                Err(e) => {
                    let shown = e.to_string();
                    assert!(shown.starts_with("ticket: "), "{shown}");
                    format!("{e:?}")
                }
            };
            assert!(
                found.starts_with(expected),
                "{expected} at {later_ms}: {found}"
            );
        }
    }

    #[test]
    fn fields_match_after_normalisation() {
        let mut claims = claims();
        claims.claim(Field::Sex, "<");
        claims.claim(Field::Nationality, "D<<");
        let ticket = Ticket { claims };
        for (field, value, expected) in [
            (Field::DocumentNumber, "L898902C3", FieldMatch::Match),
            (Field::DocumentNumber, "l 898902c3<", FieldMatch::Match),
            (Field::DocumentNumber, "L898902C4", FieldMatch::Mismatch),
            (Field::BirthDate, "740812", FieldMatch::Match),
            (Field::BirthDate, "19740812", FieldMatch::Match),
            (Field::BirthDate, "740813", FieldMatch::Mismatch),
            (Field::BirthDate, "", FieldMatch::Mismatch),
            (Field::PrimaryIdentifier, "ERIKSSON", FieldMatch::Match),
            (Field::PrimaryIdentifier, "ERIKSON", FieldMatch::Mismatch),
            (
                Field::SecondaryIdentifier,
                "ANNA<MARIA<<<<",
                FieldMatch::Match,
            ),
            (
                Field::SecondaryIdentifier,
                " anna-maria ",
                FieldMatch::Match,
            ),
            (Field::Nationality, "d", FieldMatch::Match),
            (Field::Sex, "X", FieldMatch::Match),
            (Field::Sex, "F", FieldMatch::Mismatch),
        ] {
            assert_eq!(
                ticket.field_matches(field, value),
                expected,
                "{field:?} {value}"
            );
        }
        let empty = Ticket {
            claims: TicketClaims {
                fields: BTreeMap::new(),
                ..self::claims()
            },
        };
        for field in Field::ALL {
            assert_eq!(empty.field_matches(field, "x"), FieldMatch::NotClaimed);
        }
    }

    #[test]
    fn a_field_hash_does_not_fit_another_field() {
        let salt = [9; 16];
        let digests: std::collections::BTreeSet<_> =
            Field::ALL.iter().map(|f| f.digest(&salt, "1")).collect();
        assert_eq!(digests.len(), Field::ALL.len());
    }

    #[test]
    fn single_use_depends_on_the_ticket_not_on_its_text() {
        let ticket = |change: fn(&mut TicketClaims)| {
            let mut claims = claims();
            change(&mut claims);
            Ticket { claims }.digest()
        };
        let first = ticket(|_| {});
        assert_eq!(first, ticket(|c| c.expires_s += 1));
        assert_ne!(first, ticket(|c| c.ticket_id.push('x')));
        assert_ne!(first, ticket(|c| c.tenant.push('x')));
    }
}
