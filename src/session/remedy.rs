//! Remedies: what is done against a failure, and the record of it.
//!
//! ```text
//!   during a step     the booth by itself: the loop of light and exposure (the table's `adjust_light`),
//!                                          left and right in turn against glare, two pictures made into one
//!                     the person: one instruction at a time              (the table's `prompt_subject`)
//!   first failure     the step once more
//!   second equal one  something else ([`answer`]): another light recipe, another document, staff
//! ```
//!
//! Each remedy stands in the outcome with what it was to change, before and after. The loop itself runs in the vision thread; what
//! it did is seen here by the light and the measures of the frames.

use super::view::LightScene;
use crate::perception::observation::{LightState, Observation, Seen};
use crate::perception::quality::QualityComponent;
use crate::verdict::evidence::{Effect, LightAfter, Measure, RemedyTried, Step};
use crate::verdict::reasons::{Disposition, Reason, Remedy};

/// What is done after a step has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The same again.
    Again,
    /// Again under another light.
    OtherLight(LightScene),
    /// Again; the person is asked for another document.
    OtherDocument,
    /// Again; the person is told that staff can help.
    Staff,
}

impl Answer {
    /// What comes next if there is no further try. `None`: what the reason's row says.
    pub const fn next(self) -> Option<Disposition> {
        match self {
            Self::Again => None,
            Self::OtherDocument => Some(Disposition::RetryOtherDocument),
            // The booth has done what it can.
            Self::OtherLight(_) | Self::Staff => Some(Disposition::RetryAttended),
        }
    }
}

/// What is done after the `n_equal`-th failure of a step for the same reason.
pub fn answer(step: Step, reason: Reason, n_equal: u8) -> Answer {
    use {LightScene as L, Reason as R};
    let (second, later) = match reason {
        R::DocGlare => (
            Answer::OtherLight(L::DocumentLeft),
            Answer::OtherLight(L::DocumentRight),
        ),
        R::DocTooDark => (Answer::OtherLight(L::DocumentStrong), Answer::Staff),
        R::DocBlurred => (Answer::OtherLight(L::DocumentStrong), Answer::OtherDocument),
        R::EnvTooDark
        | R::EnvBacklit
        | R::EnvSideLit
        | R::EnvAmbientBeatsLight
        | R::EnvFlicker
        | R::FaceBlurred => (Answer::OtherLight(L::FaceStrong), Answer::Staff),
        R::EnvTooBright | R::FaceEyesHidden => (Answer::OtherLight(L::FaceSoft), Answer::Staff),
        R::DocDamaged
        | R::DocPortraitUnusable
        | R::DocTypeUnrecognised
        | R::DocCopyPaper
        | R::DocCopyScreen
        | R::DocCopyBlackWhite => (Answer::OtherDocument, Answer::OtherDocument),
        _ => (Answer::Staff, Answer::Staff),
    };
    let answer = match n_equal {
        0 | 1 => Answer::Again,
        2 => second,
        _ => later,
    };
    match answer {
        // A reason of light can come in both steps.
        Answer::OtherLight(scene) if step == Step::Document && scene.is_for_face() => {
            Answer::OtherLight(L::DocumentStrong)
        }
        Answer::OtherLight(scene) if step == Step::Face && scene.is_for_document() => {
            Answer::OtherLight(L::FaceStrong)
        }
        other => other,
    }
}

/// What one frame of a step says of a failure.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The step.
    pub step: Step,
    /// Milliseconds since the session began.
    pub at_ms: u64,
    /// What stands in the way, if anything does.
    pub problem: Option<Reason>,
    /// Its measure.
    pub measure: Option<&'a Measure>,
    /// Whether the person is told what to do about it.
    pub told: bool,
    /// Width and height of the frame in pixels.
    pub frame_size: (u32, u32),
}

/// Names of the measures of glare: of the whole document, and of the part in which there may be text that has to be read.
const GLARE: &str = "document_glare";
const ZONE_GLARE: &str = "document_zone_glare";

/// At most so many remedies are recorded of a session, the first ones: each takes about 250 bytes of the outcome's reserved place.
pub const MOST_REMEDIES: usize = 16;

/// The remedies of a session.
#[derive(Clone, Debug, Default)]
pub struct RemedyLog {
    entries: Vec<Entry>,
    /// Tries of steps so far; a remedy belongs to one of them.
    n_tries: u32,
}

#[derive(Clone, Debug)]
struct Entry {
    tried: RemedyTried,
    n_try: u32,
    /// Whether frames still say what has come of it.
    open: bool,
    /// The light when it began.
    light: LightState,
    /// Light or exposure have changed since.
    light_changed: bool,
}

impl RemedyLog {
    /// A try of a step begins.
    pub fn begin_try(&mut self) {
        self.n_tries += 1;
    }

    /// A try of a step has ended: what was tried in it, or for it, has had its chance.
    pub fn end_try(&mut self) {
        self.entries.iter_mut().for_each(|e| e.open = false);
    }

    /// Takes in a frame.
    pub fn frame(&mut self, frame: Frame<'_>, seen: &Observation) {
        for entry in self.entries.iter_mut().filter(|e| e.open) {
            entry.look(frame, seen);
        }
        self.sides(frame, seen);
        let Some(reason) = frame.problem else {
            return;
        };
        let remedy = reason.row().remedy;
        let tried = match remedy {
            Remedy::AdjustLight => true,
            Remedy::PromptSubject => frame.told,
            _ => false,
        };
        if !tried {
            return;
        }
        let same = |e: &&mut Entry| {
            e.n_try == self.n_tries && e.tried.reason == reason && e.tried.remedy == remedy
        };
        match self.entries.iter_mut().find(same) {
            // The same trouble again: the same remedy goes on.
            Some(entry) => entry.open = true,
            None => {
                let effect = effect_of(reason, frame, seen);
                self.push(frame.step, reason, remedy, frame.at_ms, effect, seen.light);
            }
        }
    }

    /// Left and right light the document in turn: once in each try.
    fn sides(&mut self, frame: Frame<'_>, seen: &Observation) {
        let Seen::Document(document) = &seen.seen else {
            return;
        };
        let is_there =
            |e: &Entry| e.n_try == self.n_tries && e.tried.remedy == Remedy::CombineSides;
        if !seen.light.sides_in_turn || self.entries.iter().any(is_there) {
            return;
        }
        let (zone, all) = (document.zone_glare_share, document.glare_share);
        let (name, before) = if zone > all {
            (ZONE_GLARE, zone)
        } else {
            (GLARE, all)
        };
        let effect = Effect {
            name,
            before: rounded(before.into()),
            after: None,
            unit: "share",
        };
        let (step, at_ms) = (frame.step, frame.at_ms);
        self.push(
            step,
            Reason::DocGlare,
            Remedy::CombineSides,
            at_ms,
            Some(effect),
            seen.light,
        );
    }

    /// The next try is made under another light.
    pub fn other_light(
        &mut self,
        step: Step,
        reason: Reason,
        at_ms: u64,
        measure: Option<&Measure>,
        scene: LightScene,
    ) {
        let effect = measure.map(|m| Effect {
            name: m.name,
            before: rounded(m.value),
            after: None,
            unit: m.unit,
        });
        let light = LightState::default();
        self.push(step, reason, Remedy::OtherLight, at_ms, effect, light);
        if let Some(entry) = self.last_of(Remedy::OtherLight) {
            entry.tried.recipe = Some(scene.recipe());
        }
    }

    /// The person was asked for another document, or told that staff can help.
    pub fn asked(&mut self, step: Step, reason: Reason, at_ms: u64, remedy: Remedy) {
        self.push(step, reason, remedy, at_ms, None, LightState::default());
        if let Some(entry) = self.last_of(remedy) {
            entry.open = false;
        }
    }

    fn last_of(&mut self, remedy: Remedy) -> Option<&mut Entry> {
        self.entries.last_mut().filter(|e| e.tried.remedy == remedy)
    }

    fn push(
        &mut self,
        step: Step,
        reason: Reason,
        remedy: Remedy,
        at_ms: u64,
        effect: Option<Effect>,
        light: LightState,
    ) {
        if self.entries.len() >= MOST_REMEDIES {
            return;
        }
        self.entries.push(Entry {
            tried: RemedyTried {
                step,
                reason,
                remedy,
                at_ms,
                effect,
                recipe: None,
                light: None,
            },
            n_try: self.n_tries,
            open: true,
            light,
            light_changed: false,
        });
    }

    /// What was tried, in the order of its beginning. Light that was called for and did not change is no remedy.
    pub fn tried(&self) -> Vec<RemedyTried> {
        let done = |e: &&Entry| e.tried.remedy != Remedy::AdjustLight || e.light_changed;
        self.entries
            .iter()
            .filter(done)
            .map(|e| e.tried.clone())
            .collect()
    }
}

impl Entry {
    fn look(&mut self, frame: Frame<'_>, seen: &Observation) {
        if self.tried.remedy == Remedy::CombineSides {
            // What it is worth is seen on the picture that was made of two, not on either of them.
            if let Some(effect) = &mut self.tried.effect
                && let Some(left) = combined(effect.name, seen)
            {
                effect.after = Some(rounded(left));
            }
            return;
        }
        if let Some(effect) = &mut self.tried.effect {
            let told = frame.measure.filter(|m| m.name == effect.name);
            let value = reading(effect.name, seen, frame.frame_size).or(told.map(|m| m.value));
            effect.after = value.map(rounded).or(effect.after);
        }
        if matches!(self.tried.remedy, Remedy::AdjustLight | Remedy::OtherLight) {
            self.light_changed |= differs(&self.light, &seen.light);
            if self.light_changed {
                self.tried.recipe = Some(seen.light.recipe);
                self.tried.light = Some(light_after(&seen.light));
            }
        }
        let over = frame.problem != Some(self.tried.reason);
        self.open = match self.tried.remedy {
            // The light is followed until it has settled without the trouble.
            Remedy::AdjustLight => !(over && (seen.light.settled || seen.light.at_limit)),
            // Another light shows what it is worth by the end of the try.
            Remedy::OtherLight | Remedy::CombineSides => true,
            _ => !over,
        };
    }
}

/// Glare that is left, by its name in the outcome, where this frame and one before were made into one picture.
fn combined(name: &str, seen: &Observation) -> Option<f64> {
    let Seen::Document(document) = &seen.seen else {
        return None;
    };
    let left = document.combined?;
    Some(
        if name == ZONE_GLARE {
            left.zone_share
        } else {
            left.share
        }
        .into(),
    )
}

/// What a remedy against this reason is to change.
fn effect_of(reason: Reason, frame: Frame<'_>, seen: &Observation) -> Option<Effect> {
    let has_face = matches!(&seen.seen, Seen::Face(f) if f.primary.is_some());
    let (name, unit) = match reason {
        Reason::EnvTooDark | Reason::EnvTooBright if has_face => ("face_luminance", "share"),
        Reason::EnvTooDark | Reason::EnvTooBright => ("scene_luminance", "share"),
        Reason::EnvSideLit => ("face_side_ratio", "share"),
        Reason::EnvBacklit => ("face_to_background", "share"),
        _ => (frame.measure?.name, frame.measure?.unit),
    };
    let before = reading(name, seen, frame.frame_size).or(frame.measure.map(|m| m.value))?;
    Some(Effect {
        name,
        before: rounded(before),
        after: None,
        unit,
    })
}

/// The present value of a measure, by its name in the outcome.
fn reading(name: &str, seen: &Observation, frame_size: (u32, u32)) -> Option<f64> {
    if name == "scene_luminance" {
        return Some(seen.scene.mean.into());
    }
    let value: f32 = match &seen.seen {
        Seen::Face(face) => {
            let face = face.primary.as_ref()?;
            let (light, centre) = (face.light, face.bounds.centre());
            match name {
                "face_luminance" => light.mean,
                "face_side_ratio" => light.left.min(light.right) / light.left.max(light.right),
                "face_to_background" => light.mean / light.background,
                "InterEyeDistance" => face.inter_eye_px,
                "HeadPose" => [face.pose.yaw, face.pose.pitch, face.pose.roll]
                    .map(f32::abs)
                    .into_iter()
                    .fold(0.0, f32::max),
                "face_offset_x" => (centre.x / frame_size.0 as f32 - 0.5).abs(),
                "face_offset_y" => (centre.y / frame_size.1 as f32 - 0.5).abs(),
                _ => {
                    let mut all = QualityComponent::ALL.into_iter();
                    let component = all.find(|c| format!("{c:?}") == name)?;
                    face.quality.get(component).scalar()?.into()
                }
            }
        }
        Seen::Document(document) => {
            document.corners.as_ref()?;
            match name {
                "document_area" => document.area_share,
                "document_tilt" => document.tilt_degrees,
                "document_motion" => document.motion?,
                "document_sharpness" => document.sharpness,
                GLARE => document.glare_share,
                ZONE_GLARE => document.zone_glare_share,
                "document_luminance" => document.luminance,
                "document_cover" => document.covered_share?,
                _ => return None,
            }
        }
        Seen::Nothing | Seen::Code(_) => return None,
    };
    value.is_finite().then_some(value.into())
}

/// Whether light or exposure are others, by more than rounding.
fn differs(a: &LightState, b: &LightState) -> bool {
    let far = |a: f32, b: f32| (a - b).abs() > 0.02;
    let other = |a: f32, b: f32| (a - b).abs() > 0.05 * a.max(b);
    a.recipe != b.recipe
        || far(a.left, b.left)
        || far(a.right, b.right)
        || other(a.exposure_us as f32, b.exposure_us as f32)
        || other(a.gain, b.gain)
}

fn light_after(light: &LightState) -> LightAfter {
    LightAfter {
        left: rounded(light.left.into()),
        right: rounded(light.right.into()),
        exposure_us: light.exposure_us,
        gain: rounded(light.gain.into()),
    }
}

/// Three decimals: more is not known, and a record has to stay small.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
