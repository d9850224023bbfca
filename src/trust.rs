//! Who signed what, and whether the booth believes it: keys, signatures, tickets, acknowledgements, TLS.
//!
//! ```text
//! wallet signing key  -> ticket (what is to be checked, for whom, until when)   -> checked by the booth
//! booth signing key   -> outcome (what was found)                               -> checked by the wallet
//! wallet signing key  -> acknowledgement (which bytes are stored)               -> checked by the booth
//! policy signing key  -> policy (how strict)                                    -> checked by the booth
//! ```
//! Everything signed is a compact JWS ([RFC 7515](https://www.rfc-editor.org/rfc/rfc7515)) with Ed25519
//! ([RFC 8037](https://www.rfc-editor.org/rfc/rfc8037)), because an outcome must stay verifiable where it is stored,
//! not only on the way there.

pub mod ack;
pub mod codes;
pub mod floor;
pub mod jws;
pub mod keys;
pub mod pki;
pub mod ticket;
pub mod tls;

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Lower-case hexadecimal, two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Reads 64 lower-case hexadecimal digits; anything else is `None`.
pub fn unhex32(text: &str) -> Option<[u8; 32]> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let bytes = text.as_bytes();
    if bytes.len() != 64 {
        return None;
    }
    let mut out = [0; 32];
    for (to, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
        *to = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(out)
}

/// base64url without padding (RFC 7515, section 2).
pub fn base64url(bytes: &[u8]) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64url without padding; padding, foreign characters and stray bits at the end are `None`.
pub fn unbase64url(text: &str) -> Option<Vec<u8>> {
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(text)
        .ok()
}

/// `N` bytes from the operating system's random source.
///
/// # Errors
/// When the kernel gives none, which on Linux means that it is very old or that the call is filtered.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], std::io::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|e| std::io::Error::other(format!("random source of the kernel: {e}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_strictly() {
        let digest = sha256(b"abc");
        // FIPS 180-4 example.
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&digest), text);
        for (found, good) in [
            (text.to_owned(), true),
            (text.to_uppercase(), false),
            (text[1..].to_owned(), false),
            (text.replace('b', "g"), false),
        ] {
            assert_eq!(unhex32(&found) == Some(digest), good, "{found}");
        }
    }
}
