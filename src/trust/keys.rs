//! Ed25519 keys in PKCS#8 PEM files, who may read them, and the names they go by.
//!
//! A key's name (`kid`) is computed from the public key, so that nobody has to keep a list of names: the first 16
//! characters of base64url(SHA-256(the 32 bytes of the public key)).

use super::{base64url, sha256};
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _,
};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// No key or certificate file of ours is larger.
const MAX_FILE: u64 = 64 * 1024;

/// A key file that cannot be used. Says what to do about it; never shows any of the key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is not there or cannot be read.
    #[error("key file {path}: cannot be read ({reason}); make the keys or correct the path")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// Others than the owner may read a private key.
    #[error(
        "key file {path}: mode {mode:04o} lets others read it, allowed is 0600 or 0400; run `chmod 600 {path}` \
         and replace the key if others have had access"
    )]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds something else.
    #[error("key file {path}: is not {expected}")]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// What it must hold.
        expected: &'static str,
    },
    /// A file cannot be written.
    #[error(
        "key file {path}: cannot be written ({reason}); see to the folder's owner and free space"
    )]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// A key device did not sign.
    #[error("signing key {kid}: did not sign ({reason})")]
    NoSignature {
        /// The key's name.
        kid: KeyId,
        /// What the device said.
        reason: String,
    },
    /// The kernel gives no random bytes.
    #[error("no random bytes: {0}")]
    NoRandom(std::io::Error),
    /// Certificates cannot be made.
    #[error("certificate `{name}`: cannot be made ({reason})")]
    Certificate {
        /// Which.
        name: &'static str,
        /// Why.
        reason: String,
    },
}

/// The name of a key: 16 characters of base64url.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// The name of a public key.
    pub fn of(public: &[u8; 32]) -> Self {
        let mut text = base64url(&sha256(public));
        text.truncate(16);
        Self(text)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Something that signs with Ed25519: a key file now, a secure element later.
pub trait Signer: Send + Sync + fmt::Debug {
    /// The key's name.
    fn kid(&self) -> &KeyId;
    /// The public half.
    fn public(&self) -> PublicKey;
    /// Signs a message.
    ///
    /// # Errors
    /// [`KeyError::NoSignature`] when a device behind it fails; a key in memory never does.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyError>;
}

/// A signer that is shared between threads.
pub type SharedSigner = Arc<dyn Signer>;

/// A private key in memory; wiped when dropped, never printed.
pub struct SoftwareKey {
    key: SigningKey,
    kid: KeyId,
}

impl SoftwareKey {
    /// Makes a new key from the kernel's random source.
    ///
    /// # Errors
    /// [`KeyError::NoRandom`].
    pub fn generate() -> Result<Self, KeyError> {
        let seed = Zeroizing::new(super::random_bytes::<32>().map_err(KeyError::NoRandom)?);
        Ok(Self::from_seed(&seed))
    }

    /// The key that a 32-byte seed stands for (RFC 8032, section 5.1.5).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let kid = KeyId::of(key.verifying_key().as_bytes());
        Self { key, kid }
    }

    /// Reads a PKCS#8 PEM file that only its owner may read.
    ///
    /// # Errors
    /// [`KeyError::Unreadable`], [`KeyError::TooOpen`], [`KeyError::NotAKey`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let pem = read_private(path)?;
        let key = SigningKey::from_pkcs8_pem(&pem).map_err(|_| KeyError::NotAKey {
            path: path.to_owned(),
            expected: "an Ed25519 private key in PKCS#8 PEM form",
        })?;
        let kid = KeyId::of(key.verifying_key().as_bytes());
        Ok(Self { key, kid })
    }

    /// The PKCS#8 PEM text.
    pub(super) fn to_pem(&self) -> Zeroizing<String> {
        self.key
            .to_pkcs8_pem(LineEnding::LF)
            .expect("an Ed25519 key has a fixed-size encoding that cannot fail")
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoftwareKey({})", self.kid)
    }
}

impl Signer for SoftwareKey {
    fn kid(&self) -> &KeyId {
        &self.kid
    }

    fn public(&self) -> PublicKey {
        PublicKey {
            key: self.key.verifying_key(),
            kid: self.kid.clone(),
        }
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyError> {
        Ok(self.key.sign(message).to_bytes())
    }
}

/// A public Ed25519 key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    kid: KeyId,
}

impl PublicKey {
    /// Reads a public key PEM file (`BEGIN PUBLIC KEY`). Keys of low order, which verify anything, are refused.
    ///
    /// # Errors
    /// [`KeyError::Unreadable`], [`KeyError::NotAKey`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let pem = read_file(path)?;
        let not = || KeyError::NotAKey {
            path: path.to_owned(),
            expected: "an Ed25519 public key in PEM form (BEGIN PUBLIC KEY)",
        };
        let text = std::str::from_utf8(&pem).map_err(|_| not())?;
        let key = VerifyingKey::from_public_key_pem(text).map_err(|_| not())?;
        Self::accept(key).ok_or_else(not)
    }

    /// The key that 32 bytes stand for; `None` if they are no point of the curve or one of low order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        Self::accept(VerifyingKey::from_bytes(bytes).ok()?)
    }

    fn accept(key: VerifyingKey) -> Option<Self> {
        (!key.is_weak()).then(|| Self {
            kid: KeyId::of(key.as_bytes()),
            key,
        })
    }

    /// The key's name.
    pub fn kid(&self) -> &KeyId {
        &self.kid
    }

    /// Whether the key signed the message; strict, so that nobody can alter a signature into another good one.
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.key.verify_strict(message, &signature).is_ok()
    }

    pub(super) fn to_pem(&self) -> String {
        self.key
            .to_public_key_pem(LineEnding::LF)
            .expect("an Ed25519 key has a fixed-size encoding that cannot fail")
    }
}

/// The public keys whose signatures are believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedKeys(BTreeMap<KeyId, PublicKey>);

impl TrustedKeys {
    /// Reads public key files.
    ///
    /// # Errors
    /// As [`PublicKey::read`], for the first file that fails.
    pub fn read(paths: &[PathBuf]) -> Result<Self, KeyError> {
        paths.iter().map(|path| PublicKey::read(path)).collect()
    }

    /// The key of that name.
    pub fn get(&self, kid: &str) -> Option<&PublicKey> {
        // A name longer than any of ours is not looked up, so that nobody makes us copy it.
        (kid.len() == 16).then(|| self.0.get(&KeyId(kid.to_owned())))?
    }

    /// The names of the keys.
    pub fn names(&self) -> impl Iterator<Item = &KeyId> {
        self.0.keys()
    }
}

impl FromIterator<PublicKey> for TrustedKeys {
    fn from_iter<I: IntoIterator<Item = PublicKey>>(keys: I) -> Self {
        Self(keys.into_iter().map(|k| (k.kid.clone(), k)).collect())
    }
}

/// Reads a file of at most 64 KiB.
///
/// # Errors
/// [`KeyError::Unreadable`].
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, KeyError> {
    let open = File::open(path).and_then(read_limited);
    open.map_err(|reason| KeyError::Unreadable {
        path: path.to_owned(),
        reason,
    })
}

/// Reads a PEM file that nobody but its owner may read; the text is wiped when dropped.
///
/// # Errors
/// [`KeyError::Unreadable`], [`KeyError::TooOpen`], [`KeyError::NotAKey`] if it is not text.
pub(super) fn read_private(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let unreadable = |reason| KeyError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    let file = File::open(path).map_err(unreadable)?;
    // Asked of the open file, not of the path, so that it cannot be exchanged in between.
    let mode = file.metadata().map_err(unreadable)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyError::TooOpen {
            path: path.to_owned(),
            mode,
        });
    }
    let bytes = read_limited(file).map_err(unreadable)?;
    String::from_utf8(bytes)
        .map(Zeroizing::new)
        .map_err(|_| KeyError::NotAKey {
            path: path.to_owned(),
            expected: "a private key in PEM form",
        })
}

fn read_limited(file: File) -> std::io::Result<Vec<u8>> {
    // All the room at once: a vector that grows leaves copies of a key behind.
    let mut bytes = Vec::with_capacity(MAX_FILE as usize + 1);
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(std::io::Error::other("larger than 64 KiB"));
    }
    Ok(bytes)
}

/// Writes a new file with the given mode, whole or not at all, and durable when it returns.
///
/// # Errors
/// [`KeyError::Unwritable`].
pub(super) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyError> {
    let write = || -> std::io::Result<()> {
        let mut half = path.as_os_str().to_owned();
        half.push(".new");
        // What an interrupted attempt left is worth nothing.
        match std::fs::remove_file(&half) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&half)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&half, path)?;
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
    };
    write().map_err(|reason| KeyError::Unwritable {
        path: path.to_owned(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_file_must_be_private_and_a_key() {
        let dir = tempfile::tempdir().unwrap();
        let key = SoftwareKey::generate().unwrap();
        let good = key.to_pem();
        for (name, text, mode, expected) in [
            ("good", good.as_str(), 0o600, "ok"),
            ("readonly", good.as_str(), 0o400, "ok"),
            ("group", good.as_str(), 0o640, "TooOpen"),
            ("world", good.as_str(), 0o604, "TooOpen"),
            ("text", "not a key", 0o600, "NotAKey"),
            ("public", &key.public().to_pem(), 0o600, "NotAKey"),
        ] {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let found = match SoftwareKey::read(&path) {
                Ok(read) => {
                    assert_eq!(read.kid(), key.kid());
                    "ok".to_owned()
                }
                Err(e) => {
                    assert!(e.to_string().contains(name), "{e}");
                    format!("{e:?}")
                }
            };
            assert!(found.starts_with(expected), "{name}: {found}");
        }
        let missing = SoftwareKey::read(&dir.path().join("missing"));
        assert!(matches!(missing, Err(KeyError::Unreadable { .. })));
    }

    #[test]
    fn a_public_key_of_low_order_is_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert!(PublicKey::from_bytes(&identity).is_none());
    }

    #[test]
    fn a_key_does_not_print() {
        let seed = [7; 32];
        let shown = format!("{:?}", SoftwareKey::from_seed(&seed));
        assert_eq!(shown.len(), "SoftwareKey()".len() + 16, "{shown}");
    }
}
