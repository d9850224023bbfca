//! Makes keys and certificates for a demonstration or a test bench into a folder: one authority, certificates for
//! wallet, uplink and operator, and the three keys that sign. A bank brings its own.
//!
//! What is there stays; what is missing is made. The certificates hold for ten years.

use super::keys::{KeyError, PublicKey, Signer as _, SoftwareKey, read_private, write_new};
use super::tls::TlsFiles;
use crate::base::time::WallTime;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// The folder and the names in it.
#[derive(Clone, Debug)]
pub struct KeyFolder {
    dir: PathBuf,
}

impl KeyFolder {
    /// The files of a folder, whether there or not.
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    fn file(&self, name: &str, ending: &str) -> PathBuf {
        self.dir.join(format!("{name}.{ending}"))
    }

    /// The TLS files of `wallet`, `uplink` or `operator`.
    pub fn tls(&self, name: &str) -> TlsFiles {
        TlsFiles {
            ca: self.file("ca", "pem"),
            certificate: self.file(name, "pem"),
            key: self.file(name, "key"),
        }
    }

    /// The private key file of `booth-sign`, `wallet-sign` or `policy-sign`.
    pub fn private(&self, name: &str) -> PathBuf {
        self.file(name, "key")
    }

    /// The public key file of `booth-sign`, `wallet-sign` or `policy-sign`.
    pub fn public(&self, name: &str) -> PathBuf {
        self.file(name, "pub.pem")
    }
}

/// What [`make_keys`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// The files that were made.
    pub made: Vec<PathBuf>,
    /// The files that were there.
    pub kept: Vec<PathBuf>,
}

/// The certificates: name, alternative names, whether it is a server's.
const CERTIFICATES: [(&str, &[&str], bool); 3] = [
    ("wallet", &["localhost", "127.0.0.1"], true),
    ("uplink", &["uplink"], false),
    ("operator", &["operator"], false),
];

/// The keys that sign.
const SIGNING: [&str; 3] = ["booth-sign", "wallet-sign", "policy-sign"];

/// Makes what is missing in the folder `dir` (mode 0700; private keys mode 0600).
///
/// # Errors
/// [`KeyError`] when a file is there but unusable, or cannot be written.
pub fn make_keys(dir: &Path, now: WallTime) -> Result<Made, KeyError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|reason| KeyError::Unwritable {
            path: dir.to_owned(),
            reason,
        })?;
    let folder = KeyFolder::new(dir);
    let mut made = Made::default();

    let ca_key = tls_key(&folder.file("ca", "key"), "ca", &mut made)?;
    let params = ca_params(now);
    let ca = folder.file("ca", "pem");
    ensure(&ca, 0o644, &mut made, || {
        let certificate = params.self_signed(&ca_key).map_err(cannot("ca"))?;
        Ok(certificate.pem())
    })?;
    let issuer = Issuer::from_params(&params, &ca_key);
    for (name, alternative, is_server) in CERTIFICATES {
        let key = tls_key(&folder.file(name, "key"), name, &mut made)?;
        ensure(&folder.file(name, "pem"), 0o644, &mut made, || {
            let certificate = leaf_params(name, alternative, is_server, now)
                .and_then(|params| params.signed_by(&key, &issuer));
            Ok(certificate.map_err(cannot(name))?.pem())
        })?;
    }
    for name in SIGNING {
        let private = folder.private(name);
        ensure_secret(
            &private,
            &mut made,
            || Ok(SoftwareKey::generate()?.to_pem()),
        )?;
        let public = SoftwareKey::read(&private)?.public();
        let path = folder.public(name);
        ensure(&path, 0o644, &mut made, || Ok(public.to_pem()))?;
        if PublicKey::read(&path)? != public {
            return Err(KeyError::NotAKey {
                path,
                expected: "the public half of the private key beside it; remove it to have it made again",
            });
        }
    }
    Ok(made)
}

fn cannot(name: &'static str) -> impl Fn(rcgen::Error) -> KeyError {
    move |e| KeyError::Certificate {
        name,
        reason: e.to_string(),
    }
}

fn ensure(
    path: &Path,
    mode: u32,
    made: &mut Made,
    make: impl FnOnce() -> Result<String, KeyError>,
) -> Result<(), KeyError> {
    if path.exists() {
        made.kept.push(path.to_owned());
    } else {
        write_new(path, make()?.as_bytes(), mode)?;
        made.made.push(path.to_owned());
    }
    Ok(())
}

fn ensure_secret(
    path: &Path,
    made: &mut Made,
    make: impl FnOnce() -> Result<zeroize::Zeroizing<String>, KeyError>,
) -> Result<(), KeyError> {
    if path.exists() {
        made.kept.push(path.to_owned());
    } else {
        write_new(path, make()?.as_bytes(), 0o600)?;
        made.made.push(path.to_owned());
    }
    Ok(())
}

/// Reads or makes an ECDSA P-256 key for TLS.
fn tls_key(path: &Path, name: &'static str, made: &mut Made) -> Result<KeyPair, KeyError> {
    ensure_secret(path, made, || {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(cannot(name))?;
        Ok(zeroize::Zeroizing::new(key.serialize_pem()))
    })?;
    KeyPair::from_pem(&read_private(path)?).map_err(|_| KeyError::NotAKey {
        path: path.to_owned(),
        expected: "an ECDSA private key in PKCS#8 PEM form",
    })
}

/// Valid for ten years from the first of this month: a clock that is a little behind still finds it valid.
fn set_validity(params: &mut CertificateParams, now: WallTime) {
    let (year, month, _) = now.civil_date();
    let year = year.clamp(1970, 9000);
    params.not_before = rcgen::date_time_ymd(year, month, 1);
    params.not_after = rcgen::date_time_ymd(year + 10, month, 1);
}

fn ca_params(now: WallTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "boothd demonstration authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, now);
    params
}

fn leaf_params(
    name: &str,
    alternative: &[&str],
    is_server: bool,
    now: WallTime,
) -> Result<CertificateParams, rcgen::Error> {
    let names: Vec<String> = alternative.iter().map(|&n| n.to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![if is_server {
        ExtendedKeyUsagePurpose::ServerAuth
    } else {
        ExtendedKeyUsagePurpose::ClientAuth
    }];
    params.use_authority_key_identifier_extension = true;
    set_validity(&mut params, now);
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::super::tls::{FlooredClock, Role, client_config, server_config};
    use super::*;
    use crate::base::time::SystemClock;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    use std::os::unix::fs::MetadataExt as _;
    use std::sync::Arc;

    const NOW: WallTime = WallTime(1_795_468_444_000);

    #[test]
    fn keys_are_made_once_and_fit_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("keys");
        let first = make_keys(&keys, NOW).unwrap();
        assert_eq!((first.made.len(), first.kept.len()), (14, 0));
        let again = make_keys(&keys, NOW).unwrap();
        assert_eq!(again.kept, first.made);
        for path in &first.made {
            let mode = std::fs::metadata(path).unwrap().mode() & 0o777;
            let private = path.extension().is_some_and(|e| e == "key");
            assert_eq!(mode, if private { 0o600 } else { 0o644 }, "{path:?}");
        }
        // A certificate that is made later is by the same authority.
        let folder = KeyFolder::new(&keys);
        std::fs::remove_file(&folder.tls("uplink").certificate).unwrap();
        assert_eq!(make_keys(&keys, NOW).unwrap().made.len(), 1);

        let time = Arc::new(FlooredClock::new(Arc::new(SystemClock), 0));
        server_config(&folder.tls("wallet"), time.clone()).unwrap();
        for (name, role) in [
            ("uplink", Some(Role::Uplink)),
            ("operator", Some(Role::Operator)),
            ("wallet", None),
        ] {
            let files = folder.tls(name);
            client_config(&files, time.clone()).unwrap();
            let certificate = CertificateDer::from_pem_file(&files.certificate).unwrap();
            assert_eq!(Role::of(&certificate), role);
        }
    }

    #[test]
    fn halves_that_do_not_fit_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        make_keys(dir.path(), NOW).unwrap();
        let folder = KeyFolder::new(dir.path());
        std::fs::copy(folder.public("wallet-sign"), folder.public("booth-sign")).unwrap();
        assert!(matches!(
            make_keys(dir.path(), NOW),
            Err(KeyError::NotAKey { .. })
        ));
        let mut files = folder.tls("uplink");
        files.key = folder.tls("operator").key;
        let time = Arc::new(FlooredClock::new(Arc::new(SystemClock), 0));
        assert!(client_config(&files, time).is_err());
    }
}
