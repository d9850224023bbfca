//! What stands in the way of comparing a face, and whose matter it is.

use super::face_problems::{FrameLight, face_problem};
use super::tests::{face, house};
use crate::perception::observation::{FaceLight, LightState, PrimaryFace, Seen};
use crate::perception::quality::{Assessment, QualityComponent};
use crate::verdict::reasons::Reason as R;

/// The reason for which a good face is not compared after `change`, with the loop of light at its limit or not.
fn check(change: impl Fn(&mut PrimaryFace), at_limit: bool, expected: Option<R>) {
    let Seen::Face(mut seen) = face(Some(0.8)) else {
        unreachable!("face() makes a face");
    };
    change(seen.primary.as_mut().expect("face() makes one"));
    let light = FrameLight {
        state: LightState {
            at_limit,
            ..LightState::default()
        },
        scene: crate::perception::observation::SceneLight {
            mean: 0.4,
            ..Default::default()
        },
    };
    let house = house();
    let problem = face_problem(&seen, light, house.frame_size, &house.policy.face);
    assert_eq!(problem.map(|p| p.reason), expected, "at limit: {at_limit}");
}

/// Sets a component and the photometry that goes with it.
fn lit(component: QualityComponent, mean: f32, background: f32) -> impl Fn(&mut PrimaryFace) {
    move |face| {
        let poor = Assessment::Value {
            raw: 0.1,
            scalar: 5,
        };
        face.quality.set(component, poor);
        face.light = FaceLight {
            mean,
            left: mean,
            right: mean,
            background,
        };
    }
}

/// A document that is still held up before the face makes hair and print look like a face to one of the two nets.
#[test]
fn what_only_one_net_takes_for_a_face_is_none() {
    let scores = |detection_score, presence| {
        move |face: &mut PrimaryFace| {
            (face.detection_score, face.presence) = (detection_score, presence);
        }
    };
    check(|_| {}, false, None);
    check(scores(0.8, 0.9), false, None);
    check(scores(0.55, 0.8), false, Some(R::FaceNotFound));
    check(scores(0.5, 1.0), false, Some(R::FaceNotFound));
    check(scores(0.92, 0.2), false, Some(R::FaceNotFound));
}

#[test]
fn the_light_around_is_to_blame_only_when_the_loop_can_do_no_more() {
    use QualityComponent::{IlluminationUniformity, LuminanceMean};
    let dark = || lit(LuminanceMean, 0.2, 0.3);
    check(dark(), false, Some(R::EnvTooDark));
    check(dark(), true, Some(R::EnvTooDark));
    let before_a_window = || lit(LuminanceMean, 0.2, 0.95);
    check(before_a_window(), false, Some(R::EnvTooDark));
    check(before_a_window(), true, Some(R::EnvBacklit));
    let bright = || lit(LuminanceMean, 0.9, 0.5);
    check(bright(), false, Some(R::EnvTooBright));
    check(bright(), true, Some(R::EnvAmbientBeatsLight));
    let side = || lit(IlluminationUniformity, 0.5, 0.5);
    check(side(), false, Some(R::EnvSideLit));
    check(side(), true, Some(R::EnvAmbientBeatsLight));
}
