//! What a session needs beside devices and trust: the signed policy, the models, the thresholds that both together give.

use crate::config::board::Board;
use crate::config::policy::load_policy;
use crate::config::service::ServiceConfig;
use crate::guidance::texts::CONSENT_VERSION;
use crate::hal::CameraInfo;
use crate::models::{Catalogue, ModelError, ModelTask};
use crate::perception::document::limits::DocumentLimits;
use crate::perception::face::calibration::Calibration;
use crate::perception::pad::calibration::{PadCalibration, PadThreshold};
use crate::perception::vision::Vision;
use crate::session::visit::House;
use crate::trust::keys::TrustedKeys;
use crate::verdict::decision::ComparisonThreshold;
use crate::verdict::outcome::ModelStamp;
use crate::verdict::policy::Policy;
use std::path::Path;

/// Looks at frames, and decides by rules: neither knows which devices the booth has.
#[derive(Debug)]
pub struct Fittings {
    /// Perception, with its models loaded.
    pub vision: Vision,
    /// What all sessions have in common.
    pub house: House,
}

impl Fittings {
    /// Reads the policy, compares every model with its hash and loads it, and works out the thresholds.
    ///
    /// # Errors
    /// The file that cannot be used, and why.
    pub fn read(config: &ServiceConfig, board: &Board) -> anyhow::Result<Self> {
        // Trust first: without keys and policy nothing else matters.
        let policy_keys = TrustedKeys::read(&config.trust.policy_keys)?;
        let (policy, policy_stamp) = load_policy(&config.trust.policy, &policy_keys)?;
        // Then the models: a booth with a changed model must not start.
        let catalogue = Catalogue::open(
            &config.models.dir,
            &config.models.runtime,
            board.models.threads.into(),
        )?;
        let (threshold, pad) = thresholds(
            &catalogue,
            &policy,
            &config.models.face_calibration,
            &config.models.pad_calibration,
        )?;
        let vision = Vision::load(&catalogue, DocumentLimits::default())?;
        let models = ModelTask::ALL
            .into_iter()
            .map(|task| {
                let info = &catalogue.verify(task)?.info;
                Ok(ModelStamp {
                    task: task.name(),
                    version: info.version.clone(),
                    sha256: info.sha256.clone(),
                })
            })
            .collect::<Result<Vec<_>, ModelError>>()?;
        let house = House {
            document_limits: DocumentLimits::default(),
            frame_size: (0, 0),
            threshold,
            pad,
            policy,
            policy_stamp,
            models,
            language: config.language,
            consent_text_version: CONSENT_VERSION,
            software: env!("CARGO_PKG_VERSION"),
            board: board.name.clone(),
        };
        Ok(Self { vision, house })
    }

    /// The same for the pictures of a camera.
    #[must_use]
    pub fn with_camera(mut self, camera: &CameraInfo) -> Self {
        self.house.frame_size = (camera.width, camera.height);
        self
    }
}

/// The thresholds of comparison and attack detection that a policy and the calibration of the models give.
///
/// # Errors
/// The file that cannot be used, and why.
pub fn thresholds(
    catalogue: &Catalogue,
    policy: &Policy,
    face: &Path,
    pad: &Path,
) -> anyhow::Result<(ComparisonThreshold, PadThreshold)> {
    let hash = |task| Ok::<_, ModelError>(catalogue.verify(task)?.info.sha256.clone());
    let calibration = Calibration::read(face, &hash(ModelTask::FaceEmbedding)?)?;
    let threshold = calibration.threshold_for(policy.face.false_match_rate)?;
    let pad = PadCalibration::read(pad, &hash(ModelTask::FacePad)?)?
        .threshold_for(policy.pad.apcer, policy.pad.bpcer)?;
    let threshold = ComparisonThreshold {
        score: threshold.score,
        false_match_rate: threshold.false_match_rate,
        false_match_rate_lower95: threshold.false_match_rate_lower95,
        false_match_rate_upper95: threshold.false_match_rate_upper95,
        calibration: threshold.source,
    };
    Ok((threshold, pad))
}
