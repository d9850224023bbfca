//! Compact JWS (RFC 7515) with Ed25519 (RFC 8037): `header.payload.signature`, each base64url.
//!
//! Strict where it protects (algorithm, type, `crit`, base64url, doubled members, size), tolerant where it lets
//! either side move first (unknown header members are returned, not refused).

use super::keys::{KeyError, PublicKey, Signer, TrustedKeys};
use super::{base64url, unbase64url};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// The header is at most so many bytes of JSON.
const MAX_HEADER: usize = 1024;
/// The only algorithm that is spoken.
const ALG: &str = "EdDSA";

/// A JWS that is not believed. Says what was found where it is not personal and not long.
#[derive(Debug, thiserror::Error)]
pub enum JwsError {
    /// Longer than the caller allows.
    #[error("JWS: {found} bytes, at most {allowed} are allowed")]
    TooLarge {
        /// Its length.
        found: usize,
        /// The limit.
        allowed: usize,
    },
    /// Not three parts of base64url with a JSON object as header.
    #[error("JWS: malformed ({part})")]
    Malformed {
        /// Which part, and what about it.
        part: &'static str,
    },
    /// Another algorithm.
    #[error("JWS: header `alg` must be `EdDSA`")]
    WrongAlgorithm,
    /// Another kind of object.
    #[error("JWS: header `typ` must be `{expected}`")]
    WrongType {
        /// What it must be.
        expected: String,
    },
    /// The header names extensions that must be understood.
    #[error("JWS: header has `crit`; no critical extension is known here")]
    UnknownCritical,
    /// Signed by a key that is not trusted here.
    #[error(
        "JWS: signed by a key that is not trusted here; enrol its public key or use the right one"
    )]
    UnknownKey,
    /// The signature does not fit.
    #[error("JWS: the signature does not fit the text")]
    BadSignature,
    /// The signing key failed.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A JWS whose signature was checked.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The name of the key that signed.
    pub kid: String,
    /// The header members other than `alg`, `kid` and `typ`.
    pub extra: Map<String, Value>,
    /// The payload.
    pub payload: Vec<u8>,
}

/// Signs a payload. `extra` members go into the protected header beside `alg`, `kid` and `typ`.
///
/// # Errors
/// [`JwsError::Key`] if the key does not sign; [`JwsError::TooLarge`] if the header is longer than 1024 bytes.
pub fn sign(
    payload: &[u8],
    typ: &str,
    extra: Map<String, Value>,
    signer: &dyn Signer,
) -> Result<String, JwsError> {
    let mut header = extra;
    header.insert("alg".to_owned(), ALG.into());
    header.insert("kid".to_owned(), signer.kid().as_str().into());
    header.insert("typ".to_owned(), typ.into());
    let header = Value::Object(header).to_string();
    if header.len() > MAX_HEADER {
        return Err(JwsError::TooLarge {
            found: header.len(),
            allowed: MAX_HEADER,
        });
    }
    let mut text = base64url(header.as_bytes());
    text.push('.');
    text.push_str(&base64url(payload));
    let signature = signer.sign(text.as_bytes())?;
    text.push('.');
    text.push_str(&base64url(&signature));
    Ok(text)
}

/// Checks a JWS of type `typ` and at most `max_len` bytes against the trusted keys.
///
/// # Errors
/// Every variant of [`JwsError`] except `Key`.
pub fn verify(
    text: &str,
    typ: &str,
    keys: &TrustedKeys,
    max_len: usize,
) -> Result<Verified, JwsError> {
    let parts = Parts::split(text, max_len)?;
    let mut header = parts.header()?;
    if take_text(&mut header, "typ").as_deref() != Some(typ) {
        return Err(JwsError::WrongType {
            expected: typ.to_owned(),
        });
    }
    let kid = take_text(&mut header, "kid").ok_or(JwsError::UnknownKey)?;
    let key = keys.get(&kid).ok_or(JwsError::UnknownKey)?;
    let payload = parts.payload(key)?;
    Ok(Verified {
        kid,
        extra: header,
        payload,
    })
}

/// The three parts of a JWS, not yet believed.
struct Parts<'a> {
    signed: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn split(text: &'a str, max_len: usize) -> Result<Self, JwsError> {
        if text.len() > max_len {
            return Err(JwsError::TooLarge {
                found: text.len(),
                allowed: max_len,
            });
        }
        let malformed = |part| JwsError::Malformed { part };
        let (signed, signature) = text.rsplit_once('.').ok_or_else(|| malformed("no dots"))?;
        let (header, payload) = signed
            .split_once('.')
            .ok_or_else(|| malformed("one dot, not two"))?;
        if payload.contains('.') {
            return Err(malformed("more than two dots"));
        }
        if header.len() > MAX_HEADER * 4 / 3 + 4 {
            return Err(JwsError::TooLarge {
                found: header.len(),
                allowed: MAX_HEADER * 4 / 3 + 4,
            });
        }
        Ok(Self {
            signed,
            header,
            payload,
            signature,
        })
    }

    /// The header without `alg`, which is checked.
    fn header(&self) -> Result<Map<String, Value>, JwsError> {
        let bytes = unbase64url(self.header).ok_or(JwsError::Malformed {
            part: "header is not base64url",
        })?;
        let Unique(mut header) =
            serde_json::from_slice(&bytes).map_err(|_| JwsError::Malformed {
                part: "header is not a JSON object, or names a member twice",
            })?;
        if take_text(&mut header, "alg").as_deref() != Some(ALG) {
            return Err(JwsError::WrongAlgorithm);
        }
        if header.contains_key("crit") {
            return Err(JwsError::UnknownCritical);
        }
        Ok(header)
    }

    /// The payload, if the key signed it.
    fn payload(&self, key: &PublicKey) -> Result<Vec<u8>, JwsError> {
        let signature: [u8; 64] = unbase64url(self.signature)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(JwsError::Malformed {
                part: "signature is not 64 bytes of base64url",
            })?;
        if !key.verifies(self.signed.as_bytes(), &signature) {
            return Err(JwsError::BadSignature);
        }
        unbase64url(self.payload).ok_or(JwsError::Malformed {
            part: "payload is not base64url",
        })
    }
}

fn take_text(header: &mut Map<String, Value>, name: &str) -> Option<String> {
    match header.remove(name)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// A JSON object that names no member twice: two readers must not see two different headers.
struct Unique(Map<String, Value>);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Unique;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(serde::de::Error::custom("member named twice"));
                    }
                }
                Ok(Unique(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::SoftwareKey;
    use super::*;

    /// RFC 8037, appendix A.1, A.2 and A.4.
    const RFC_SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    const RFC_PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const RFC_JWS: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
        hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

    fn bytes32(text: &str) -> [u8; 32] {
        unbase64url(text).unwrap().try_into().unwrap()
    }

    #[test]
    fn the_vector_of_rfc_8037_verifies_and_is_made() {
        let key = PublicKey::from_bytes(&bytes32(RFC_PUBLIC)).unwrap();
        let parts = Parts::split(RFC_JWS, 1000).unwrap();
        assert!(parts.header().unwrap().is_empty());
        assert_eq!(parts.payload(&key).unwrap(), b"Example of Ed25519 signing");
        let signer = SoftwareKey::from_seed(&bytes32(RFC_SEED));
        assert_eq!(signer.public(), key);
        let made = signer.sign(parts.signed.as_bytes()).unwrap();
        assert_eq!(base64url(&made), parts.signature);
    }

    fn keys() -> (SoftwareKey, TrustedKeys) {
        let key = SoftwareKey::from_seed(&[1; 32]);
        let trusted = TrustedKeys::from_iter([key.public()]);
        (key, trusted)
    }

    #[test]
    fn what_is_signed_comes_back() {
        let (key, trusted) = keys();
        let extra = Map::from_iter([("seq".to_owned(), Value::from(7))]);
        let text = sign(b"payload", "t", extra.clone(), &key).unwrap();
        let found = verify(&text, "t", &trusted, 1000).unwrap();
        assert_eq!((found.extra, found.payload), (extra, b"payload".to_vec()));
        assert_eq!(found.kid, key.kid().as_str());
    }

    /// A JWS with any header, signed by `key`.
    fn with_header(header: &str, key: &SoftwareKey) -> String {
        let signed = format!("{}.{}", base64url(header.as_bytes()), base64url(b"{}"));
        let signature = key.sign(signed.as_bytes()).unwrap();
        format!("{signed}.{}", base64url(&signature))
    }

    #[test]
    fn what_is_wrong_is_refused() {
        let (key, trusted) = keys();
        let stranger = SoftwareKey::from_seed(&[2; 32]);
        let good = sign(b"{}", "t", Map::new(), &key).unwrap();
        let kid = key.kid().as_str();
        let header = |alg: &str, more: &str| {
            with_header(
                &format!(r#"{{"alg":"{alg}","kid":"{kid}","typ":"t"{more}}}"#),
                &key,
            )
        };
        let (signed, signature) = good.rsplit_once('.').unwrap();
        // The last of 86 characters carries four bits; the two below them must be zero.
        let mut stray = good.clone();
        let last = stray.pop().unwrap();
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let at = alphabet.find(last).unwrap();
        stray.push_str(&alphabet[at + 1..at + 2]);
        let cases = [
            (good.clone(), "ok"),
            (header("EdDSA", r#","new":1"#), "ok"),
            (String::new(), "Malformed"),
            ("a.b".to_owned(), "Malformed"),
            (format!("{good}.x"), "Malformed"),
            (format!("{good}="), "Malformed"),
            (stray, "Malformed"),
            (format!("{signed}."), "Malformed"),
            (format!("x{good}"), "Malformed"),
            (header("none", ""), "WrongAlgorithm"),
            (header("HS256", ""), "WrongAlgorithm"),
            (header("EdDSA", r#","alg":"EdDSA""#), "Malformed"),
            (
                header("EdDSA", r#","crit":["b64"],"b64":false"#),
                "UnknownCritical",
            ),
            (with_header(r#"["alg"]"#, &key), "Malformed"),
            (
                with_header(r#"{"alg":"EdDSA","typ":"t"}"#, &key),
                "UnknownKey",
            ),
            (
                with_header(
                    &format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"u"}}"#),
                    &key,
                ),
                "WrongType",
            ),
            (
                with_header(&format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#), &key),
                "WrongType",
            ),
            (
                header("EdDSA", &format!(r#","x":"{}""#, "y".repeat(2000))),
                "TooLarge",
            ),
            (
                sign(b"{}", "t", Map::new(), &stranger).unwrap(),
                "UnknownKey",
            ),
            (
                format!(
                    "{}.{}.{signature}",
                    signed.split('.').next().unwrap(),
                    base64url(b"[]")
                ),
                "BadSignature",
            ),
            ("a".repeat(5000), "TooLarge"),
        ];
        for (text, expected) in cases {
            let found = match verify(&text, "t", &trusted, 4000) {
                Ok(_) => "ok".to_owned(),
                Err(e) => format!("{e:?}"),
            };
            assert!(found.starts_with(expected), "{text}: {found}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_answered(text in ".{0,300}") {
            let (_, trusted) = keys();
            proptest::prop_assert!(verify(&text, "t", &trusted, 4000).is_err());
        }

        #[test]
        fn no_altered_character_goes_unseen(at in 0usize..1000, with in "[A-Za-z0-9_.-]") {
            let (key, trusted) = keys();
            let good = sign(b"a payload of some length", "t", Map::new(), &key).unwrap();
            let at = at % good.len();
            let mut bad = good.clone();
            bad.replace_range(at..at + 1, &with);
            proptest::prop_assert_eq!(verify(&bad, "t", &trusted, 4000).is_ok(), bad == good);
        }
    }
}
