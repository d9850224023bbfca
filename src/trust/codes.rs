//! The technician's codes: challenge and response by voice, without network.
//!
//! ```text
//! desk's master key --HMAC("vb-device-1", booth)--> the booth's key (one file there)
//! booth: challenge   desk: code = HMAC(key, "vb-tech-1", booth, challenge, role, work order, minutes)   booth: compares
//! booth at logout: closing code = HMAC(key, "vb-close-1", booth, challenge, work order, audit lines, audit head)   desk: compares
//! ```
//! A code is the first 50 bits of the HMAC-SHA256 as ten characters of Crockford's base 32. Whoever has one booth's key can open that
//! booth; nothing on it makes codes for another.

use super::{hex, random_bytes, unhex32};
use crate::base::ids::{BoothId, CROCKFORD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

/// Characters of a code.
const CODE: usize = 10;
/// Characters of a challenge: 40 bits.
const CHALLENGE: usize = 8;

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CodeKeyError {
    /// It is not there, or cannot be read or written.
    #[error("code key {path}: {reason}; mend: `boothd dispatch` makes it, see docs/console.md")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// Others may read it.
    #[error(
        "code key {path}: mode {mode:04o} lets others read it, allowed is 0600 or 0400; mend: `chmod 600 {path}`, and a new key"
    )]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It holds something else.
    #[error(
        "code key {path}: holds no key, allowed are 64 lower-case hexadecimal digits in one line"
    )]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
}

/// A key that makes codes: the desk's master key or the key of a booth. Wiped when dropped, never printed.
#[derive(Clone)]
pub struct CodeKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for CodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeKey")
    }
}

impl CodeKey {
    /// A key of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new key.
    ///
    /// # Errors
    /// When the kernel gives no random bytes.
    pub fn random() -> std::io::Result<Self> {
        Ok(Self::from_bytes(random_bytes()?))
    }

    /// Reads a key file: one line of 64 hexadecimal digits that nobody else may read.
    ///
    /// # Errors
    /// [`CodeKeyError`].
    pub fn read(path: &Path) -> Result<Self, CodeKeyError> {
        let failed = |reason| CodeKeyError::File {
            path: path.to_owned(),
            reason,
        };
        let mode = std::fs::metadata(path).map_err(failed)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(CodeKeyError::TooOpen {
                path: path.to_owned(),
                mode,
            });
        }
        let text = Zeroizing::new(crate::base::files::text_file(path).map_err(failed)?);
        let bytes = unhex32(text.trim_end()).ok_or_else(|| CodeKeyError::NotAKey {
            path: path.to_owned(),
        })?;
        Ok(Self::from_bytes(bytes))
    }

    /// Writes the key into a new file that nobody else may read.
    ///
    /// # Errors
    /// [`CodeKeyError::File`]; an existing file is never replaced.
    pub fn write(&self, path: &Path) -> Result<(), CodeKeyError> {
        let failed = |reason| CodeKeyError::File {
            path: path.to_owned(),
            reason,
        };
        let mut options = std::fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        let text = Zeroizing::new(hex(&*self.0) + "\n");
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(failed)
    }

    /// The key of a booth, from the desk's master key.
    #[must_use]
    pub fn of_booth(&self, booth: &BoothId) -> Self {
        Self(Zeroizing::new(self.mac(&["vb-device-1", booth.as_str()])))
    }

    /// The code that lets in whoever was given this challenge.
    pub fn login_code(&self, asked: &LoginClaims<'_>) -> Code {
        let minutes = asked.minutes.to_string();
        let mac = self.mac(&[
            "vb-tech-1",
            asked.booth.as_str(),
            asked.challenge.as_str(),
            asked.role,
            asked.work_order,
            &minutes,
        ]);
        Code::from_mac(mac)
    }

    /// The code that closes a login.
    pub fn closing_code(&self, closed: &ClosingClaims<'_>) -> Code {
        let lines = closed.audit_lines.to_string();
        let mac = self.mac(&[
            "vb-close-1",
            closed.booth.as_str(),
            closed.challenge.as_str(),
            closed.work_order,
            &lines,
            closed.audit_head,
        ]);
        Code::from_mac(mac)
    }

    /// HMAC-SHA256 of texts without NUL, which stands between them.
    fn mac(&self, parts: &[&str]) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&*self.0).expect("HMAC takes keys of any length");
        for part in parts {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        mac.finalize().into_bytes().into()
    }
}

/// What a login code is made for.
#[derive(Clone, Copy, Debug)]
pub struct LoginClaims<'a> {
    /// Which booth.
    pub booth: &'a BoothId,
    /// The challenge that it shows.
    pub challenge: &'a Challenge,
    /// `view`, `service` or `reset`.
    pub role: &'a str,
    /// The work order.
    pub work_order: &'a str,
    /// For how long the login is good, minutes.
    pub minutes: u32,
}

/// What a closing code says.
#[derive(Clone, Copy, Debug)]
pub struct ClosingClaims<'a> {
    /// Which booth.
    pub booth: &'a BoothId,
    /// The challenge of the login that is closed.
    pub challenge: &'a Challenge,
    /// Its work order.
    pub work_order: &'a str,
    /// Lines of the audit log.
    pub audit_lines: u64,
    /// The first eight digits of its head.
    pub audit_head: &'a str,
}

/// The first characters of a number, five bits each, the highest first.
fn crockford(bytes: &[u8], characters: usize) -> String {
    (0..characters)
        .map(|i| {
            let value = (0..5).fold(0u8, |value, bit| {
                let at = i * 5 + bit;
                let byte = bytes.get(at / 8).copied().unwrap_or(0);
                value << 1 | (byte >> (7 - at % 8) & 1)
            });
            char::from(CROCKFORD[usize::from(value)])
        })
        .collect()
}

/// What was typed or read out: upper case, without hyphens and blanks, and what looks alike made one.
fn spoken(text: &str, characters: usize) -> Option<String> {
    let mut plain = String::with_capacity(characters);
    for c in text.chars().filter(|c| !matches!(c, ' ' | '-')) {
        let c = match c.to_ascii_uppercase() {
            'I' | 'L' => '1',
            'O' => '0',
            c => c,
        };
        if plain.len() == characters || !c.is_ascii() || !CROCKFORD.contains(&(c as u8)) {
            return None;
        }
        plain.push(c);
    }
    (plain.len() == characters).then_some(plain)
}

/// Five characters, a hyphen, the rest; or four and four.
fn grouped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let (a, b) = text.split_at(text.len() / 2);
    write!(f, "{a}-{b}")
}

/// A challenge: 40 random bits. Shown as `XXXX-XXXX`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Challenge(String);

impl Challenge {
    /// A challenge of these bits.
    pub fn from_bits(bits: [u8; 5]) -> Self {
        Self(crockford(&bits, CHALLENGE))
    }

    /// What was typed.
    pub fn typed(text: &str) -> Option<Self> {
        spoken(text, CHALLENGE).map(Self)
    }

    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        grouped(f, &self.0)
    }
}

/// A code: 50 bits. Shown as `XXXXX-XXXXX` where it is to be read out; compared in constant time; wiped when dropped.
pub struct Code(String);

impl Drop for Code {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Code {
    fn from_mac(mac: [u8; 32]) -> Self {
        Self(crockford(&mac, CODE))
    }

    /// What was typed; none if it cannot be a code.
    pub fn typed(text: &str) -> Option<Self> {
        spoken(text, CODE).map(Self)
    }

    /// Whether both are the same, in a time that does not say where they differ.
    pub fn is(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        grouped(f, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn booth(name: &str) -> BoothId {
        BoothId::try_from(name.to_owned()).expect("a good name")
    }

    #[test]
    fn the_mac_is_hmac_sha256() {
        // RFC 4231, test case 2, with the key padded by zeros as HMAC does itself.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length");
        mac.update(b"what do ya want for nothing?");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex(&mac.finalize().into_bytes()), expected);
    }

    #[test]
    fn each_claim_makes_another_code() {
        let master = CodeKey::from_bytes([7; 32]);
        let (a, b) = (booth("BOOTH-0001"), booth("BOOTH-0002"));
        let (one, two) = (Challenge::from_bits([1; 5]), Challenge::from_bits([2; 5]));
        let claims = LoginClaims {
            booth: &a,
            challenge: &one,
            role: "view",
            work_order: "WO-1",
            minutes: 60,
        };
        let key = master.of_booth(&a);
        let codes = [
            key.login_code(&claims),
            master.of_booth(&b).login_code(&claims),
            key.login_code(&LoginClaims {
                booth: &b,
                ..claims
            }),
            key.login_code(&LoginClaims {
                challenge: &two,
                ..claims
            }),
            key.login_code(&LoginClaims {
                role: "service",
                ..claims
            }),
            key.login_code(&LoginClaims {
                work_order: "WO-2",
                ..claims
            }),
            key.login_code(&LoginClaims {
                minutes: 61,
                ..claims
            }),
        ];
        for (i, x) in codes.iter().enumerate() {
            for (j, y) in codes.iter().enumerate() {
                assert_eq!(x.is(y), i == j, "{i} {j}");
            }
        }
        let said = codes[0].to_string();
        assert_eq!(said.len(), 11);
        for typed in [said.clone(), said.to_lowercase(), said.replace('-', " ")] {
            assert!(
                Code::typed(&typed).is_some_and(|c| c.is(&codes[0])),
                "{typed}"
            );
        }
    }

    #[test]
    fn what_can_be_typed() {
        for (typed, good) in [
            ("01234-56789", true),
            ("O1L34-5678I", true),
            ("0123456789", true),
            ("012345678", false),
            ("01234567890", false),
            ("0123U-56789", false),
            ("", false),
            ("\u{4e2d}123456789", false),
        ] {
            assert_eq!(Code::typed(typed).is_some(), good, "{typed:?}");
        }
    }

    #[test]
    fn key_files_are_closed_to_others_and_never_replaced() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("a folder for the test");
        let path = dir.path().join("key");
        let key = CodeKey::from_bytes([3; 32]);
        key.write(&path).expect("a new file");
        assert_eq!(*CodeKey::read(&path).expect("ours").0, [3; 32]);
        assert!(matches!(key.write(&path), Err(CodeKeyError::File { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("ours");
        assert!(matches!(
            CodeKey::read(&path),
            Err(CodeKeyError::TooOpen { mode: 0o640, .. })
        ));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("ours");
        std::fs::write(&path, "zz").expect("ours");
        assert!(matches!(
            CodeKey::read(&path),
            Err(CodeKeyError::NotAKey { .. })
        ));
    }
}
