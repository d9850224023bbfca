//! Reason codes: one table. Each code has its attribution, default disposition, whether it uses up an attempt, who may see
//! it, the remedy the booth tries first by itself, and the id of its texts.
//!
//! A code is dotted; who does not know a code uses its prefix. `data.mismatch` and `data.not_read` are reported with the
//! field's name behind a further dot, to the backend only.

use serde::{Serialize, Serializer};
use std::fmt;

/// Whose matter it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribution {
    /// The person in the booth.
    Subject,
    /// Light, sound, other people.
    Environment,
    /// The booth's devices.
    Equipment,
    /// The network or the backend.
    Network,
    /// The document.
    Document,
    /// The data that the wallet holds.
    Data,
    /// A security check.
    Security,
    /// The wallet's rules.
    Policy,
    /// The staff.
    Staff,
    /// Nobody can say.
    Unknown,
}

impl Attribution {
    /// Network, equipment and environment never use up an attempt.
    pub const fn may_use_attempt(self) -> bool {
        !matches!(self, Self::Network | Self::Equipment | Self::Environment)
    }
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// Nothing.
    None,
    /// Again, at once.
    RetryNow,
    /// Again, after the booth or the person has changed something.
    RetryWithRemedy,
    /// Again, with another document.
    RetryOtherDocument,
    /// Again, later.
    RetryLater,
    /// Again, with staff.
    RetryAttended,
    /// Ask the wallet's support.
    ContactSupport,
    /// No more.
    Final,
}

/// Whether a reason uses up an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttemptUse {
    /// Never.
    No,
    /// Always.
    Yes,
    /// Only when the step's time ran out on it.
    AfterTimeout,
    /// There is no attempt in play.
    NotApplicable,
}

/// Who may see a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Person, teller and backend.
    STB,
    /// Teller and backend.
    TB,
    /// Backend only.
    B,
    /// Person only.
    S,
}

impl Audience {
    /// Whether the person in the booth may see it.
    pub const fn includes_subject(self) -> bool {
        matches!(self, Self::STB | Self::S)
    }
}

/// What is tried against a reason: in the table what comes first, in the outcome also what came after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// Nothing that the booth could do.
    None,
    /// Sets light and exposure anew.
    AdjustLight,
    /// Lights a document from the left and from the right in turn, and makes one picture of two.
    CombineSides,
    /// Asks for another light recipe: the same failure came twice.
    OtherLight,
    /// Says one thing to the person.
    PromptSubject,
    /// Asks the person for another document: the same failure came twice.
    OtherDocument,
    /// Asks the person to have staff help: the same failure came twice.
    AskStaff,
    /// Closes and opens the device.
    ReopenDevice,
    /// Asks for another challenge.
    OtherChallenge,
    /// Goes on sending in the background.
    RetryInBackground,
}

macro_rules! reasons {
    ($($variant:ident = $code:literal: $attribution:ident, $disposition:ident, $attempt:ident, $audience:ident, $remedy:ident, $message:literal;)+) => {
        /// A reason code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $(#[doc = concat!("`", $code, "`")] $variant,)+
        }

        /// All reasons, in the order of the table.
        pub const ALL: &[Reason] = &[$(Reason::$variant,)+];

        impl Reason {
            /// The row of the table.
            pub const fn row(self) -> Row {
                match self {
                    $(Self::$variant => Row {
                        code: $code,
                        attribution: Attribution::$attribution,
                        disposition: Disposition::$disposition,
                        attempt: AttemptUse::$attempt,
                        audience: Audience::$audience,
                        remedy: Remedy::$remedy,
                        message: $message,
                    },)+
                }
            }

            /// The reason with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

/// What the table says of one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The dotted code.
    pub code: &'static str,
    /// Whose matter it is.
    pub attribution: Attribution,
    /// What is to be done next, unless policy says otherwise.
    pub disposition: Disposition,
    /// Whether it uses up an attempt.
    pub attempt: AttemptUse,
    /// Who may see it.
    pub audience: Audience,
    /// What the booth tries first.
    pub remedy: Remedy,
    /// The id of its texts for the person; neutral for reasons of security and of data.
    pub message: &'static str,
}

reasons! {
    ConsentDeclined = "consent.declined": Subject, ContactSupport, No, STB, None, "consent.declined";
    ConsentWithdrawn = "consent.withdrawn": Subject, ContactSupport, No, STB, None, "consent.withdrawn";
    ConsentGuardianRequired = "consent.guardian_required": Subject, ContactSupport, No, STB, None, "consent.guardian_required";
    SessionAbandoned = "session.abandoned": Subject, RetryNow, No, STB, None, "session.abandoned";
    SessionTimeout = "session.timeout": Subject, RetryNow, No, STB, None, "session.timeout";
    SessionCancelled = "session.cancelled": Subject, RetryNow, No, STB, None, "session.cancelled";
    SessionLeftView = "session.left_view": Subject, RetryNow, No, STB, None, "session.left_view";
    SessionInterruptedPower = "session.interrupted_power": Equipment, RetryNow, No, STB, None, "session.interrupted_power";
    SessionAttemptsExhausted = "session.attempts_exhausted": Policy, RetryLater, NotApplicable, STB, None, "session.attempts_exhausted";
    SessionCooldown = "session.cooldown": Policy, RetryLater, NotApplicable, STB, None, "session.cooldown";
    SessionTicketExpired = "session.ticket_expired": Security, ContactSupport, No, B, None, "neutral.security";
    SessionTicketInvalid = "session.ticket_invalid": Security, ContactSupport, No, B, None, "neutral.security";
    SessionTicketUsed = "session.ticket_used": Security, ContactSupport, No, B, None, "neutral.security";
    PolicyDocumentTypeUnsupported = "policy.document_type_unsupported": Policy, RetryOtherDocument, No, STB, None, "policy.document_type_unsupported";
    PolicyAgeBelowMinimum = "policy.age_below_minimum": Policy, Final, No, STB, None, "policy.age_below_minimum";
    PolicyLanguageUnsupported = "policy.language_unsupported": Policy, Final, No, STB, None, "policy.language_unsupported";
    PolicyPurposeUnsupported = "policy.purpose_unsupported": Policy, Final, No, STB, None, "policy.purpose_unsupported";
    NetPreflightFailed = "net.preflight_failed": Network, RetryLater, No, STB, RetryInBackground, "net.preflight_failed";
    NetDegraded = "net.degraded": Network, RetryLater, No, STB, RetryInBackground, "net.degraded";
    NetBackendUnreachable = "net.backend_unreachable": Network, RetryLater, No, STB, RetryInBackground, "net.backend_unreachable";
    NetTls = "net.tls": Network, RetryLater, No, STB, RetryInBackground, "net.tls";
    NetDns = "net.dns": Network, RetryLater, No, STB, RetryInBackground, "net.dns";
    NetClockSkew = "net.clock_skew": Network, RetryLater, No, STB, RetryInBackground, "net.clock_skew";
    NetCaptivePortal = "net.captive_portal": Network, RetryLater, No, STB, RetryInBackground, "net.captive_portal";
    BackendRejected = "backend.rejected": Network, RetryLater, No, TB, RetryInBackground, "backend.rejected";
    BackendRateLimited = "backend.rate_limited": Network, RetryLater, No, TB, RetryInBackground, "backend.rate_limited";
    BackendCheckUnavailable = "backend.check_unavailable": Network, RetryLater, No, TB, RetryInBackground, "backend.check_unavailable";
    BackendTimeout = "backend.timeout": Network, RetryLater, No, TB, RetryInBackground, "backend.timeout";
    HwCameraAbsent = "hw.camera.absent": Equipment, RetryLater, No, STB, ReopenDevice, "hw.camera.absent";
    HwCameraBusy = "hw.camera.busy": Equipment, RetryLater, No, STB, ReopenDevice, "hw.camera.busy";
    HwCameraPermission = "hw.camera.permission": Equipment, RetryLater, No, STB, ReopenDevice, "hw.camera.permission";
    HwCameraNoFrames = "hw.camera.no_frames": Equipment, RetryLater, No, STB, ReopenDevice, "hw.camera.no_frames";
    HwCameraFrozen = "hw.camera.frozen": Equipment, RetryLater, No, STB, ReopenDevice, "hw.camera.frozen";
    HwCameraDark = "hw.camera.dark": Equipment, RetryLater, No, STB, ReopenDevice, "hw.camera.dark";
    HwCameraCovered = "hw.camera.covered": Equipment, RetryLater, No, STB, ReopenDevice, "hw.camera.covered";
    HwCameraBlurred = "hw.camera.blurred": Equipment, RetryLater, No, STB, ReopenDevice, "hw.camera.blurred";
    HwCameraOverexposed = "hw.camera.overexposed": Equipment, RetryLater, No, STB, ReopenDevice, "hw.camera.overexposed";
    HwCameraWrongDevice = "hw.camera.wrong_device": Equipment, RetryLater, No, STB, ReopenDevice, "hw.camera.wrong_device";
    HwCameraDroppedFrames = "hw.camera.dropped_frames": Equipment, RetryLater, No, STB, ReopenDevice, "hw.camera.dropped_frames";
    HwMicAbsent = "hw.mic.absent": Equipment, RetryLater, No, STB, ReopenDevice, "hw.mic.absent";
    HwMicBusy = "hw.mic.busy": Equipment, RetryLater, No, STB, ReopenDevice, "hw.mic.busy";
    HwMicPermission = "hw.mic.permission": Equipment, RetryLater, No, STB, ReopenDevice, "hw.mic.permission";
    HwMicSilent = "hw.mic.silent": Equipment, RetryLater, No, STB, ReopenDevice, "hw.mic.silent";
    HwMicClipping = "hw.mic.clipping": Equipment, RetryLater, No, STB, ReopenDevice, "hw.mic.clipping";
    HwMicOverrun = "hw.mic.overrun": Equipment, RetryLater, No, STB, ReopenDevice, "hw.mic.overrun";
    HwMicNoisy = "hw.mic.noisy": Equipment, RetryLater, No, STB, ReopenDevice, "hw.mic.noisy";
    HwLightAbsent = "hw.light.absent": Equipment, RetryLater, No, TB, None, "hw.light.absent";
    HwLightStuck = "hw.light.stuck": Equipment, RetryLater, No, TB, None, "hw.light.stuck";
    HwLightUneven = "hw.light.uneven": Equipment, RetryLater, No, TB, None, "hw.light.uneven";
    HwLightAged = "hw.light.aged": Equipment, RetryLater, No, TB, None, "hw.light.aged";
    HwLightOverheat = "hw.light.overheat": Equipment, RetryLater, No, TB, None, "hw.light.overheat";
    HwPanelFault = "hw.panel.fault": Equipment, RetryLater, No, TB, None, "hw.panel.fault";
    HwSpeakerFault = "hw.speaker.fault": Equipment, RetryLater, No, TB, None, "hw.speaker.fault";
    HwButtonsFault = "hw.buttons.fault": Equipment, RetryLater, No, TB, None, "hw.buttons.fault";
    HwSerialFault = "hw.serial.fault": Equipment, RetryLater, No, TB, None, "hw.serial.fault";
    HwSensorsFault = "hw.sensors.fault": Equipment, RetryLater, No, TB, None, "hw.sensors.fault";
    HwWatchdogFault = "hw.watchdog.fault": Equipment, RetryLater, No, TB, None, "hw.watchdog.fault";
    HwTamperOpen = "hw.tamper.open": Equipment, RetryLater, No, TB, None, "hw.tamper.open";
    HwPowerUndervoltage = "hw.power.undervoltage": Equipment, RetryLater, No, TB, None, "hw.power.undervoltage";
    HwThermalThrottled = "hw.thermal.throttled": Equipment, RetryLater, No, TB, None, "hw.thermal.throttled";
    HwStorageFull = "hw.storage.full": Equipment, RetryLater, No, TB, None, "hw.storage.full";
    HwStorageWorn = "hw.storage.worn": Equipment, RetryLater, No, TB, None, "hw.storage.worn";
    HwModelMissing = "hw.model.missing": Equipment, RetryLater, No, TB, None, "hw.model.missing";
    HwModelCorrupt = "hw.model.corrupt": Equipment, RetryLater, No, TB, None, "hw.model.corrupt";
    HwServiceFault = "hw.service.fault": Equipment, RetryLater, No, TB, None, "hw.service.fault";
    EnvBacklit = "env.backlit": Environment, RetryWithRemedy, No, STB, AdjustLight, "env.backlit";
    EnvTooDark = "env.too_dark": Environment, RetryWithRemedy, No, STB, AdjustLight, "env.too_dark";
    EnvTooBright = "env.too_bright": Environment, RetryWithRemedy, No, STB, AdjustLight, "env.too_bright";
    EnvSideLit = "env.side_lit": Environment, RetryWithRemedy, No, STB, AdjustLight, "env.side_lit";
    EnvAmbientBeatsLight = "env.ambient_beats_light": Environment, RetryWithRemedy, No, STB, AdjustLight, "env.ambient_beats_light";
    EnvFlicker = "env.flicker": Environment, RetryWithRemedy, No, STB, AdjustLight, "env.flicker";
    EnvBackgroundBusy = "env.background_busy": Environment, RetryWithRemedy, No, STB, AdjustLight, "env.background_busy";
    EnvOtherFaces = "env.other_faces": Environment, RetryWithRemedy, No, STB, AdjustLight, "env.other_faces";
    EnvTooNoisy = "env.too_noisy": Environment, RetryWithRemedy, No, STB, AdjustLight, "env.too_noisy";
    FaceNotFound = "face.not_found": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "face.not_found";
    FaceMultiple = "face.multiple": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "face.multiple";
    FaceTooFar = "face.too_far": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "face.too_far";
    FaceTooClose = "face.too_close": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "face.too_close";
    FaceOffCentre = "face.off_centre": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "face.off_centre";
    FacePose = "face.pose": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "face.pose";
    FaceEyesClosed = "face.eyes_closed": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "face.eyes_closed";
    FaceEyesHidden = "face.eyes_hidden": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "face.eyes_hidden";
    FaceMouthOpen = "face.mouth_open": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "face.mouth_open";
    FaceMask = "face.mask": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "face.mask";
    FaceHeadwear = "face.headwear": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "face.headwear";
    FaceOccluded = "face.occluded": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "face.occluded";
    FaceMoving = "face.moving": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "face.moving";
    FaceBlurred = "face.blurred": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "face.blurred";
    FaceLowResolution = "face.low_resolution": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "face.low_resolution";
    FaceMismatch = "face.mismatch": Security, RetryAttended, Yes, B, None, "neutral.security";
    FaceMismatchReference = "face.mismatch_reference": Security, RetryAttended, Yes, B, None, "neutral.security";
    FaceChangedMidway = "face.changed_midway": Security, RetryAttended, Yes, B, None, "neutral.security";
    FaceMatchNotPossible = "face.match_not_possible": Document, RetryAttended, Yes, B, None, "neutral.security";
    LiveChallengeNotFollowed = "live.challenge_not_followed": Subject, RetryWithRemedy, Yes, STB, OtherChallenge, "live.challenge_not_followed";
    LiveTimeout = "live.timeout": Subject, RetryWithRemedy, Yes, STB, OtherChallenge, "live.timeout";
    LiveNoVoice = "live.no_voice": Subject, RetryWithRemedy, Yes, STB, OtherChallenge, "live.no_voice";
    LiveWrongWords = "live.wrong_words": Subject, RetryWithRemedy, Yes, STB, OtherChallenge, "live.wrong_words";
    LiveLightNoResponse = "live.light_no_response": Environment, RetryWithRemedy, No, STB, OtherChallenge, "live.light_no_response";
    LiveInconclusive = "live.inconclusive": Environment, RetryWithRemedy, No, STB, OtherChallenge, "live.inconclusive";
    LiveSuspectPrint = "live.suspect.print": Security, RetryAttended, Yes, B, None, "neutral.security";
    LiveSuspectScreen = "live.suspect.screen": Security, RetryAttended, Yes, B, None, "neutral.security";
    LiveSuspectReplay = "live.suspect.replay": Security, RetryAttended, Yes, B, None, "neutral.security";
    LiveSuspectMask = "live.suspect.mask": Security, RetryAttended, Yes, B, None, "neutral.security";
    LiveSuspectCutout = "live.suspect.cutout": Security, RetryAttended, Yes, B, None, "neutral.security";
    LiveSuspectInjection = "live.suspect.injection": Security, RetryAttended, Yes, B, None, "neutral.security";
    LiveSuspectUnknownSpecies = "live.suspect.unknown_species": Security, RetryAttended, Yes, B, None, "neutral.security";
    LiveSuspectTwoPersons = "live.suspect.two_persons": Security, RetryAttended, Yes, B, None, "neutral.security";
    DocNotFound = "doc.not_found": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "doc.not_found";
    DocCutOff = "doc.cut_off": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "doc.cut_off";
    DocTooSmall = "doc.too_small": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "doc.too_small";
    DocTilted = "doc.tilted": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "doc.tilted";
    DocMoving = "doc.moving": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "doc.moving";
    DocCovered = "doc.covered": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "doc.covered";
    DocWrongSide = "doc.wrong_side": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "doc.wrong_side";
    DocMissingBack = "doc.missing_back": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "doc.missing_back";
    DocTwoDocuments = "doc.two_documents": Subject, RetryWithRemedy, AfterTimeout, STB, PromptSubject, "doc.two_documents";
    DocBlurred = "doc.blurred": Environment, RetryWithRemedy, No, STB, AdjustLight, "doc.blurred";
    DocGlare = "doc.glare": Environment, RetryWithRemedy, No, STB, AdjustLight, "doc.glare";
    DocTooDark = "doc.too_dark": Environment, RetryWithRemedy, No, STB, AdjustLight, "doc.too_dark";
    DocDamaged = "doc.damaged": Document, RetryOtherDocument, Yes, STB, None, "doc.damaged";
    DocExpired = "doc.expired": Document, RetryOtherDocument, Yes, STB, None, "doc.expired";
    DocExpiresSoon = "doc.expires_soon": Document, RetryOtherDocument, Yes, STB, None, "doc.expires_soon";
    DocNotYetValid = "doc.not_yet_valid": Document, RetryOtherDocument, Yes, STB, None, "doc.not_yet_valid";
    DocPortraitUnusable = "doc.portrait_unusable": Document, RetryOtherDocument, Yes, STB, None, "doc.portrait_unusable";
    DocTypeUnrecognised = "doc.type_unrecognised": Document, RetryOtherDocument, Yes, STB, None, "doc.type_unrecognised";
    DocCopyPaper = "doc.copy.paper": Document, RetryOtherDocument, Yes, STB, None, "doc.copy.paper";
    DocCopyScreen = "doc.copy.screen": Document, RetryOtherDocument, Yes, STB, None, "doc.copy.screen";
    DocCopyBlackWhite = "doc.copy.black_white": Document, RetryOtherDocument, Yes, STB, None, "doc.copy.black_white";
    DocSuspectMrzCheckDigit = "doc.suspect.mrz_check_digit": Security, RetryAttended, Yes, B, None, "neutral.security";
    DocSuspectIdCheckDigit = "doc.suspect.id_check_digit": Security, RetryAttended, Yes, B, None, "neutral.security";
    DocSuspectDateLogic = "doc.suspect.date_logic": Security, RetryAttended, Yes, B, None, "neutral.security";
    DocSuspectRegionCode = "doc.suspect.region_code": Security, RetryAttended, Yes, B, None, "neutral.security";
    DocSuspectMrzVsPrinted = "doc.suspect.mrz_vs_printed": Security, RetryAttended, Yes, B, None, "neutral.security";
    DocSuspectPortraitTampered = "doc.suspect.portrait_tampered": Security, RetryAttended, Yes, B, None, "neutral.security";
    DocSuspectSpecimen = "doc.suspect.specimen": Security, RetryAttended, Yes, B, None, "neutral.security";
    DataMismatch = "data.mismatch": Data, RetryAttended, Yes, B, None, "neutral.data";
    DataNotRead = "data.not_read": Data, RetryAttended, Yes, B, None, "neutral.data";
    RiskSuspiciousBehaviour = "risk.suspicious_behaviour": Security, RetryAttended, NotApplicable, B, None, "neutral.security";
    RiskCoercionSuspected = "risk.coercion_suspected": Security, RetryAttended, NotApplicable, B, None, "neutral.security";
    RiskVelocityDocument = "risk.velocity_document": Security, RetryAttended, NotApplicable, B, None, "neutral.security";
    StaffOverrideVerified = "staff.override_verified": Staff, None, NotApplicable, TB, None, "staff.override_verified";
    StaffOverrideRefused = "staff.override_refused": Staff, None, NotApplicable, TB, None, "staff.override_refused";
    StaffAssisted = "staff.assisted": Staff, None, NotApplicable, TB, None, "staff.assisted";
    StaffMaintenance = "staff.maintenance": Staff, None, NotApplicable, TB, None, "staff.maintenance";
    PracticeCompleted = "practice.completed": Unknown, None, No, S, None, "practice.completed";
}

impl Reason {
    /// The dotted code.
    pub const fn code(self) -> &'static str {
        self.row().code
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_dotted_and_stand_once() {
        let mut seen = HashSet::new();
        for reason in ALL {
            let code = reason.code();
            assert!(seen.insert(code), "{code} stands twice");
            assert!(
                code.contains('.')
                    && code
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'_'),
                "{code}"
            );
            assert_eq!(Reason::from_code(code), Some(*reason));
        }
        assert_eq!(Reason::from_code("doc.no_such_code"), None);
    }

    #[test]
    fn network_equipment_and_environment_never_use_up_an_attempt() {
        for reason in ALL {
            let row = reason.row();
            if !row.attribution.may_use_attempt() {
                assert_eq!(row.attempt, AttemptUse::No, "{reason}");
            }
        }
    }

    #[test]
    fn security_and_data_reasons_have_neutral_texts_only() {
        for reason in ALL {
            let row = reason.row();
            if matches!(row.attribution, Attribution::Security | Attribution::Data) {
                assert!(
                    row.message.starts_with("neutral."),
                    "{reason} would tell the person {}",
                    row.message
                );
                assert!(!row.audience.includes_subject(), "{reason}");
            }
        }
    }
}
