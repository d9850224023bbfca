//! TLS: one authority that is pinned, certificates on both sides, roles by name, and a clock that cannot fall behind.
//!
//! The role of a client (`uplink`, `operator`) is its certificate's common name, which is checked where TLS checks
//! names: the certificate carries the same name as its DNS alternative name.

use super::keys::{KeyError, read_file, read_private};
use crate::base::time::SharedClock;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// No booth is older than its software: 2026-11-01T00:00:00Z, in Unix seconds.
pub const SOFTWARE_S: i64 = 1_793_491_200;

/// Where the certificates of one side are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificate of the only authority that is believed (PEM).
    pub ca: PathBuf,
    /// The own certificate, with intermediates if any (PEM).
    pub certificate: PathBuf,
    /// The own private key (PEM, mode 0600).
    pub key: PathBuf,
}

/// TLS that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] KeyError),
    /// The files do not fit each other or are not what TLS can use.
    #[error(
        "TLS with certificate {certificate}: {reason}; the certificate, its key and the authority must belong together"
    )]
    Setup {
        /// The own certificate.
        certificate: PathBuf,
        /// What rustls said.
        reason: String,
    },
}

/// The time that certificates are checked against: the system's, but never before a floor.
///
/// The floor is the greatest of the software's date and the signed times that the wallet has given; it only rises, so
/// that a booth that starts in 1970 can still reach its wallet, and an old certificate does not come back to life.
#[derive(Debug)]
pub struct FlooredClock {
    clock: SharedClock,
    floor_s: AtomicI64,
}

impl FlooredClock {
    /// A clock that never says less than `floor_s` (Unix seconds) or the software's date.
    pub fn new(clock: SharedClock, floor_s: i64) -> Self {
        Self {
            clock,
            floor_s: AtomicI64::new(floor_s.max(SOFTWARE_S)),
        }
    }

    /// Raises the floor to a time that the wallet has signed; a lower one changes nothing. Gives whether it rose.
    pub fn raise(&self, signed_s: i64) -> bool {
        self.floor_s.fetch_max(signed_s, Ordering::SeqCst) < signed_s
    }

    /// The floor, Unix seconds.
    pub fn floor_s(&self) -> i64 {
        self.floor_s.load(Ordering::SeqCst)
    }

    /// Now, Unix seconds, not before the floor.
    pub fn now_s(&self) -> i64 {
        self.clock.wall().unix_s().max(self.floor_s())
    }

    /// Whether the system's clock is behind the floor.
    pub fn is_behind(&self) -> bool {
        self.clock.wall().unix_s() < self.floor_s()
    }
}

impl rustls::time_provider::TimeProvider for FlooredClock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.now_s()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

struct Loaded {
    roots: Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

fn load(files: &TlsFiles) -> Result<Loaded, TlsError> {
    let not = |path: &Path, expected| KeyError::NotAKey {
        path: path.to_owned(),
        expected,
    };
    let certificates = |path: &Path| -> Result<Vec<CertificateDer<'static>>, KeyError> {
        let found: Vec<_> = CertificateDer::pem_slice_iter(&read_file(path)?)
            .collect::<Result<_, _>>()
            .map_err(|_| not(path, "certificates in PEM form"))?;
        if found.is_empty() {
            return Err(not(path, "certificates in PEM form"));
        }
        Ok(found)
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&files.ca)? {
        roots
            .add(certificate)
            .map_err(|_| not(&files.ca, "the certificate of an authority"))?;
    }
    let pem = read_private(&files.key)?;
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| not(&files.key, "a private key in PEM form"))?;
    Ok(Loaded {
        roots: Arc::new(roots),
        chain: certificates(&files.certificate)?,
        key,
    })
}

/// The client's side of mutual TLS, believing only the authority in `files`.
///
/// # Errors
/// [`TlsError`] when a file is missing, too open, or does not fit the others.
pub fn client_config(
    files: &TlsFiles,
    time: Arc<FlooredClock>,
) -> Result<Arc<ClientConfig>, TlsError> {
    let loaded = load(files)?;
    ClientConfig::builder_with_details(provider(), time)
        .with_safe_default_protocol_versions()
        .and_then(|b| {
            b.with_root_certificates(loaded.roots)
                .with_client_auth_cert(loaded.chain, loaded.key)
        })
        .map(Arc::new)
        .map_err(|e| setup(files, &e))
}

/// The server's side of mutual TLS: a client without a certificate of the authority in `files` is refused.
///
/// # Errors
/// [`TlsError`] when a file is missing, too open, or does not fit the others.
pub fn server_config(
    files: &TlsFiles,
    time: Arc<FlooredClock>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let loaded = load(files)?;
    let verifier = WebPkiClientVerifier::builder_with_provider(loaded.roots, provider())
        .build()
        .map_err(|e| setup(files, &e))?;
    ServerConfig::builder_with_details(provider(), time)
        .with_safe_default_protocol_versions()
        .and_then(|b| {
            b.with_client_cert_verifier(verifier)
                .with_single_cert(loaded.chain, loaded.key)
        })
        .map(Arc::new)
        .map_err(|e| setup(files, &e))
}

fn setup(files: &TlsFiles, reason: &dyn std::fmt::Display) -> TlsError {
    TlsError::Setup {
        certificate: files.certificate.clone(),
        reason: reason.to_string(),
    }
}

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A booth's uplink: brings outcomes.
    Uplink,
    /// The wallet's staff: issues tickets, reads outcomes.
    Operator,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 2] = [Self::Uplink, Self::Operator];

    /// The name in the certificate.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uplink => "uplink",
            Self::Operator => "operator",
        }
    }

    /// The role that a certificate gives, which TLS has already checked against the authority.
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let parsed = ParsedCertificate::try_from(certificate).ok()?;
        Self::ALL.into_iter().find(|role| {
            ServerName::try_from(role.name())
                .is_ok_and(|name| rustls::client::verify_server_name(&parsed, &name).is_ok())
        })
    }
}
