//! What stands in the way of comparing the face of a frame: the prompt, the reason code, the measure.

use crate::guidance::model::FacePrompt;
use crate::perception::observation::{FaceObservation, LightState, PrimaryFace, SceneLight};
use crate::perception::quality::QualityComponent as Q;
use crate::verdict::evidence::Measure;
use crate::verdict::policy::FaceRules;
use crate::verdict::reasons::Reason;

/// What stands in the way of comparing a face.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceProblem {
    /// What the person is told.
    pub prompt: FacePrompt,
    /// What the outcome says, should the time run out.
    pub reason: Reason,
    /// Value and limit.
    pub measure: Option<Measure>,
}

/// The light in which a frame was taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameLight {
    /// Of the whole frame.
    pub scene: SceneLight,
    /// Ring and exposure, and how their loop stands: only when it can do no more is the light around to blame.
    pub state: LightState,
}

/// What stands in the way of comparing the face of this frame, the first thing first; `None` if nothing does.
pub fn face_problem(
    seen: &FaceObservation,
    FrameLight { scene, state }: FrameLight,
    frame_size: (u32, u32),
    rules: &FaceRules,
) -> Option<FaceProblem> {
    let found = |prompt, reason, name, value: f64, limit: f64, unit| {
        Some(FaceProblem {
            prompt,
            reason,
            measure: Some(Measure {
                name,
                value,
                limit,
                unit,
            }),
        })
    };
    let Some(face) = seen.primary.as_ref().filter(|f| f.is_certain()) else {
        // In the dark nobody can be found: the booth makes light before it asks anything of the person.
        return if scene.mean < DARK_SCENE {
            found(
                FacePrompt::Light,
                Reason::EnvTooDark,
                "scene_luminance",
                scene.mean.into(),
                DARK_SCENE.into(),
                "share",
            )
        } else {
            Some(FaceProblem {
                prompt: FacePrompt::Look,
                reason: Reason::FaceNotFound,
                measure: None,
            })
        };
    };
    let low = |component| low(face, component, rules);
    let said = |prompt, reason, measure| {
        Some(FaceProblem {
            prompt,
            reason,
            measure: Some(measure),
        })
    };
    if seen.n_faces > 1
        && let Some(measure) = low(Q::SingleFacePresent)
    {
        return said(FacePrompt::Alone, Reason::FaceMultiple, measure);
    }
    let (width, height) = (frame_size.0 as f32, frame_size.1 as f32);
    let ied = face.inter_eye_px;
    if ied < rules.inter_eye_px {
        return found(
            FacePrompt::Closer,
            Reason::FaceTooFar,
            "InterEyeDistance",
            ied.into(),
            rules.inter_eye_px.into(),
            "px",
        );
    }
    let largest = height * LARGEST_INTER_EYE_SHARE;
    if ied > largest {
        return found(
            FacePrompt::Back,
            Reason::FaceTooClose,
            "InterEyeDistance",
            ied.into(),
            largest.into(),
            "px",
        );
    }
    if let Some(problem) = off_centre(face, width, height) {
        return Some(problem);
    }
    if let Some(measure) = low(Q::LuminanceMean) {
        let reason = match (face.light.mean < 0.5, state.at_limit) {
            (true, true) if face.light.background > BRIGHT_BACKGROUND => Reason::EnvBacklit,
            (true, _) => Reason::EnvTooDark,
            (false, true) => Reason::EnvAmbientBeatsLight,
            (false, false) => Reason::EnvTooBright,
        };
        return said(FacePrompt::Light, reason, measure);
    }
    if let Some(measure) = low(Q::IlluminationUniformity) {
        let reason = if state.at_limit {
            Reason::EnvAmbientBeatsLight
        } else {
            Reason::EnvSideLit
        };
        return said(FacePrompt::Light, reason, measure);
    }
    for angle in [face.pose.yaw, face.pose.pitch, face.pose.roll] {
        if angle.abs() > rules.pose_degrees {
            let (value, limit) = (angle.abs().into(), rules.pose_degrees.into());
            return found(
                FacePrompt::Straight,
                Reason::FacePose,
                "HeadPose",
                value,
                limit,
                "deg",
            );
        }
    }
    if let Some(measure) = low(Q::EyesOpen) {
        return said(FacePrompt::OpenEyes, Reason::FaceEyesClosed, measure);
    }
    low(Q::Sharpness).and_then(|measure| said(FacePrompt::Still, Reason::FaceBlurred, measure))
}

/// What a face is held against that depends on nothing but the face, each value with its limit.
pub fn measures(face: &PrimaryFace, rules: &FaceRules) -> Vec<Measure> {
    let pose = face.pose;
    let turned = [pose.yaw, pose.pitch, pose.roll]
        .map(f32::abs)
        .into_iter()
        .fold(0.0, f32::max);
    let geometry = [
        (
            "InterEyeDistance",
            face.inter_eye_px,
            rules.inter_eye_px,
            "px",
        ),
        ("HeadPose", turned, rules.pose_degrees, "deg"),
    ]
    .map(|(name, value, limit, unit)| Measure {
        name,
        value: value.into(),
        limit: limit.into(),
        unit,
    });
    let components = components(rules).into_iter();
    let components = components.filter_map(|(component, ..)| measure(face, component, rules));
    geometry.into_iter().chain(components).collect()
}

/// Components that have a limit: the name and the least value.
fn components(rules: &FaceRules) -> [(Q, &'static str, u8); 5] {
    [
        (Q::SingleFacePresent, "SingleFacePresent", LEAST_SINGLE_FACE),
        (Q::LuminanceMean, "LuminanceMean", rules.luminance),
        (
            Q::IlluminationUniformity,
            "IlluminationUniformity",
            rules.uniformity,
        ),
        (Q::EyesOpen, "EyesOpen", rules.eyes_open),
        (Q::Sharpness, "Sharpness", rules.sharpness),
    ]
}

/// A component with its limit; `None` if it has none, or could not be assessed.
fn measure(face: &PrimaryFace, component: Q, rules: &FaceRules) -> Option<Measure> {
    let (_, name, least) = components(rules)
        .into_iter()
        .find(|(c, ..)| *c == component)?;
    let value = face.quality.get(component).scalar()?;
    Some(Measure {
        name,
        value: value.into(),
        limit: least.into(),
        unit: "0..100",
    })
}

/// The same where it is below its limit.
fn low(face: &PrimaryFace, component: Q, rules: &FaceRules) -> Option<Measure> {
    measure(face, component, rules).filter(|m| m.value < m.limit)
}

/// A background with this mean is mostly cut off at full scale.
const BRIGHT_BACKGROUND: f32 = 0.8;
/// Below this mean luminance of the frame, darkness is the likelier reason for a missing face than an empty seat.
const DARK_SCENE: f32 = 0.08;
/// Below this value of SingleFacePresent another face is large enough to be meant.
const LEAST_SINGLE_FACE: u8 = 60;
/// Above this share of the frame's height between the eyes, the face does not fit.
const LARGEST_INTER_EYE_SHARE: f32 = 0.32;
/// The face's centre may be this far from the frame's, as a share of the width and height.
const LARGEST_OFFSET: (f32, f32) = (0.25, 0.28);

fn off_centre(face: &PrimaryFace, width: f32, height: f32) -> Option<FaceProblem> {
    let centre = face.bounds.centre();
    let offsets = [
        (
            (centre.x / width - 0.5).abs(),
            LARGEST_OFFSET.0,
            "face_offset_x",
        ),
        (
            (centre.y / height - 0.5).abs(),
            LARGEST_OFFSET.1,
            "face_offset_y",
        ),
    ];
    offsets
        .into_iter()
        .find(|(offset, limit, _)| offset > limit)
        .map(|(offset, limit, name)| FaceProblem {
            prompt: FacePrompt::Centre,
            reason: Reason::FaceOffCentre,
            measure: Some(Measure {
                name,
                value: offset.into(),
                limit: limit.into(),
                unit: "share",
            }),
        })
}
