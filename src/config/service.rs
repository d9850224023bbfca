//! `boothd.toml`: what `boothd run` needs to know. Relative paths count from the file's own folder.

use super::{ConfigError, invalid, load};
use crate::base::ids::{BoothId, Language};
use crate::delivery::outbox::OutboxConfig;
use crate::delivery::wire::WireConfig;
use crate::technician::control::ControlConfig;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// The booth's name towards the wallet.
    pub booth_id: BoothId,
    /// Language of the idle screen.
    #[serde(default)]
    pub language: Language,
    /// The board file.
    pub board: PathBuf,
    /// Keys and policy.
    pub trust: TrustConfig,
    /// Models.
    pub models: ModelPaths,
    /// The outbox.
    pub outbox: OutboxConfig,
    /// The socket to the uplink.
    pub uplink: WireConfig,
    /// A file that asks systemd to start the machine again (`boothd-reboot.path` waits for it): the last rung of the recovery ladder,
    /// at most once a day. Absent: the machine is never started again for a device.
    #[serde(default)]
    pub reboot_request: Option<PathBuf>,
    /// The technician's console; absent: there is no socket for it.
    #[serde(default)]
    pub control: Option<ControlConfig>,
    /// When the daily self-test may run.
    #[serde(default)]
    pub selftest: SelfTestConfig,
    /// A file for measurements of every frame, for the demonstration's report. Refused on a board with real devices.
    #[serde(default)]
    pub trace: Option<PathBuf>,
}

/// When the daily self-test may run. It takes light and sound for half a minute, and says so on the panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SelfTestConfig {
    /// Nobody has to have been there for so many seconds. Default 1800.
    pub after_idle_s: u32,
    /// Hours between two of them, 1..=168. Default 20, so that it finds a quiet hour of each day.
    pub every_h: u32,
}

impl Default for SelfTestConfig {
    fn default() -> Self {
        Self {
            after_idle_s: 1800,
            every_h: 20,
        }
    }
}

/// Keys and policy.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustConfig {
    /// Private key that signs outcomes.
    pub signing_key: PathBuf,
    /// Public keys of the wallet: tickets and acknowledgements.
    pub wallet_keys: Vec<PathBuf>,
    /// Public keys of those who sign policies.
    pub policy_keys: Vec<PathBuf>,
    /// The signed policy.
    pub policy: PathBuf,
}

/// Where models, runtime and calibration are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelPaths {
    /// Folder of `manifest.toml` and the models.
    pub dir: PathBuf,
    /// `libLiteRt.so`.
    pub runtime: PathBuf,
    /// Calibration of the face comparison.
    pub face_calibration: PathBuf,
    /// Calibration of the attack detection.
    pub pad_calibration: PathBuf,
}

impl ServiceConfig {
    /// Reads the file.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = load(path)?;
        let base = path.parent().unwrap_or(Path::new(""));
        if config.trust.wallet_keys.is_empty() || config.trust.policy_keys.is_empty() {
            return Err(invalid(
                path,
                "`trust.wallet_keys`, `trust.policy_keys`: found an empty list, allowed: at least one file each",
            ));
        }
        if !(1..=168).contains(&config.selftest.every_h) {
            let found = config.selftest.every_h;
            return Err(invalid(
                path,
                format!("`selftest.every_h`: found {found}, allowed: 1 to 168"),
            ));
        }
        let trust = &mut config.trust;
        let single = [
            &mut config.board,
            &mut trust.signing_key,
            &mut trust.policy,
            &mut config.models.dir,
            &mut config.models.runtime,
            &mut config.models.face_calibration,
            &mut config.models.pad_calibration,
            &mut config.outbox.state_dir,
            &mut config.uplink.socket,
        ];
        let lists = trust.wallet_keys.iter_mut().chain(&mut trust.policy_keys);
        let optional = config
            .trace
            .as_mut()
            .into_iter()
            .chain(config.reboot_request.as_mut())
            .chain(config.control.as_mut().map(|c| &mut c.socket));
        for file in single.into_iter().chain(lists).chain(optional) {
            *file = base.join(&*file);
        }
        Ok(config)
    }
}
