//! The signed policy: a compact JWS whose payload is the TOML text. What is not signed by a policy key is not read.

use super::{ConfigError, invalid, read};
use crate::trust::jws;
use crate::trust::keys::{Signer, TrustedKeys};
use crate::trust::{hex, sha256};
use crate::verdict::outcome::PolicyStamp;
use crate::verdict::policy::Policy;
use std::path::Path;

/// The type in the signature's header.
const TYP: &str = "boothd-policy";
/// Longest bundle.
const LARGEST: usize = 64 * 1024;

/// Reads a bundle: signature first, then the text, then the floors.
///
/// # Errors
/// [`ConfigError`] with the file and what is wrong with signature, key or value.
pub fn load_policy(path: &Path, keys: &TrustedKeys) -> Result<(Policy, PolicyStamp), ConfigError> {
    let bundle = read(path)?;
    let bundle = bundle.trim();
    let verified = jws::verify(bundle, TYP, keys, LARGEST).map_err(|e| {
        invalid(
            path,
            format!(
                "policy bundle: {e}; mend: `boothd policy sign` with a key that the booth trusts"
            ),
        )
    })?;
    let text = String::from_utf8(verified.payload)
        .map_err(|_| invalid(path, "policy bundle: the text is not UTF-8"))?;
    let policy = Policy::parse(&text).map_err(|e| invalid(path, e))?;
    let stamp = PolicyStamp {
        id: policy.id.clone(),
        version: policy.version,
        sha256: hex(&sha256(bundle.as_bytes())),
    };
    Ok((policy, stamp))
}

/// Signs a policy text after checking it as the booth will.
///
/// # Errors
/// [`ConfigError`] if the text is no policy; nothing is signed then.
pub fn sign_policy(path: &Path, signer: &dyn Signer) -> Result<String, ConfigError> {
    let text = read(path)?;
    Policy::parse(&text).map_err(|e| invalid(path, e))?;
    jws::sign(text.as_bytes(), TYP, serde_json::Map::new(), signer).map_err(|e| invalid(path, e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::keys::SoftwareKey;

    #[test]
    fn only_a_signed_policy_is_read() {
        let dir = tempfile::tempdir().expect("a folder");
        let text = dir.path().join("policy.toml");
        std::fs::write(
            &text,
            include_str!("../../board/policies/utopia-standard.toml"),
        )
        .expect("written");
        let key = SoftwareKey::from_seed(&[7; 32]);
        let trusted: TrustedKeys = [key.public()].into_iter().collect();
        let bundle = sign_policy(&text, &key).expect("the example is a policy");
        let signed = dir.path().join("policy.jws");

        std::fs::write(&signed, &bundle).expect("written");
        let (policy, stamp) = load_policy(&signed, &trusted).expect("signed by a trusted key");
        assert_eq!(
            (policy.id.as_str(), stamp.version, stamp.sha256.len()),
            ("utopia-standard", policy.version, 64)
        );

        let stranger: TrustedKeys = [SoftwareKey::from_seed(&[8; 32]).public()]
            .into_iter()
            .collect();
        assert!(load_policy(&signed, &stranger).is_err());
        let changed = bundle.replacen('.', ".A", 1);
        std::fs::write(&signed, changed).expect("written");
        assert!(load_policy(&signed, &trusted).is_err());
        std::fs::write(&signed, std::fs::read(&text).expect("text")).expect("written");
        assert!(
            load_policy(&signed, &trusted).is_err(),
            "an unsigned policy was taken"
        );
    }

    #[test]
    fn a_policy_below_a_floor_is_neither_signed_nor_read() {
        let dir = tempfile::tempdir().expect("a folder");
        let text = dir.path().join("policy.toml");
        let low = include_str!("../../board/policies/utopia-standard.toml")
            .replace("false_match_rate = 1e-4", "false_match_rate = 0.1");
        std::fs::write(&text, &low).expect("written");
        let key = SoftwareKey::from_seed(&[7; 32]);
        let error = sign_policy(&text, &key)
            .expect_err("below the floor")
            .to_string();
        assert!(
            error.contains("face.false_match_rate") && error.contains("0.1"),
            "{error}"
        );
        // Signed by somebody who went round the tool: refused by the booth all the same.
        let bundle = jws::sign(low.as_bytes(), TYP, serde_json::Map::new(), &key).expect("signed");
        let signed = dir.path().join("policy.jws");
        std::fs::write(&signed, bundle).expect("written");
        let trusted: TrustedKeys = [key.public()].into_iter().collect();
        assert!(load_policy(&signed, &trusted).is_err());
    }
}
