//! Single frames of a scene at a step of a session, without a booth that plays it: to look at a scene while it is made, and to feed a
//! driver that shows them as a camera of its own.

use super::VirtError;
use super::actor::Actor;
use super::pose::Glide;
use super::record::rgb;
use super::render::{Lit, Optics, Renderer, Shot};
use super::scene::SceneError;
use super::set::Set;
use super::sound::hear;
use crate::base::frame::{Frame, PixelFormat};
use crate::base::time::Moment;
use crate::hal::light::LightLevels;
use crate::hal::{CameraControls, SAMPLE_RATE_HZ};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What the person does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum StillStep {
    /// Nobody is there.
    Empty,
    /// Looks at the booth.
    Face,
    /// Holds the telephone with the ticket up.
    Ticket,
    /// Holds the document up.
    Document,
    /// Holds the document's back up.
    Back,
}

/// How the frames are taken.
#[derive(Clone, Copy, Debug)]
pub struct StillShot {
    /// What the person does.
    pub step: StillStep,
    /// Width, even, and height.
    pub size: (u32, u32),
    /// The ring.
    pub levels: LightLevels,
    /// Exposure and gain.
    pub controls: CameraControls,
}

/// Between two frames, as a camera of 30 a second has them: hands tremble a little.
const APART: Duration = Duration::from_micros(33_333);

/// What the microphone of the scene in `file` hears in its first `seconds`: 16 kHz, mono. Faults of the microphone begin later.
///
/// # Errors
/// The scene or a file that it names cannot be used.
pub fn sound(file: &Path, seconds: u32) -> Result<Vec<i16>, VirtError> {
    let set = Set::load(file, Some("not shown"), 320, 240)?;
    let mut samples = vec![0; seconds as usize * SAMPLE_RATE_HZ as usize];
    hear(&set, 0, 0, &[], &mut samples);
    Ok(samples)
}

/// `n` frames of the scene in `file`, YUYV; `ticket` is what the phone shows.
///
/// # Errors
/// The scene or a file that it names cannot be used, or the scene has not what the step shows.
pub fn stills(
    file: &Path,
    ticket: Option<&str>,
    shot: &StillShot,
    n: u32,
) -> Result<Vec<Frame>, VirtError> {
    let (width, height) = shot.size;
    // Only a phone that is shown needs a ticket.
    let unseen = (shot.step != StillStep::Ticket).then_some("not shown");
    let set = Arc::new(Set::load(file, ticket.or(unseen), width, height)?);
    let (there, key) = match shot.step {
        StillStep::Empty => (true, ""),
        StillStep::Face => (set.person.is_some(), "person"),
        StillStep::Ticket => (set.phone.is_some(), "ticket"),
        StillStep::Document => (set.document.is_some(), "document"),
        StillStep::Back => (set.back.is_some(), "document.back"),
    };
    if !there {
        return Err(VirtError::from(SceneError::Value {
            file: file.to_owned(),
            key: key.to_owned(),
            found: "not there".to_owned(),
            allowed: "what the step shows".to_owned(),
            mend: "name a scene that has it, or another step".to_owned(),
        }));
    }
    let mut actor = Actor::new(Arc::clone(&set.scene), Moment::ZERO);
    let up = |is: bool| Glide::at(if is { 1.0 } else { 0.0 });
    actor.present = up(shot.step != StillStep::Empty);
    actor.phone = up(shot.step == StillStep::Ticket);
    actor.document = up(matches!(shot.step, StillStep::Document | StillStep::Back));
    actor.back = shot.step == StillStep::Back;
    let mut renderer = Renderer::new(width as usize, height as usize);
    let mut at = Moment::ZERO.plus(Duration::from_secs(2));
    let mut frames = Vec::new();
    for i in 0..n {
        let exposure = Duration::from_micros(u64::from(shot.controls.exposure_us));
        let light = Lit::new(
            &set.scene,
            shot.levels,
            shot.controls,
            at.as_nanos() as f64 / 1e9 - exposure.as_secs_f64(),
            height as usize,
        );
        let mut frame = Frame::new(width, height, PixelFormat::Yuyv);
        let shot = Shot {
            light: &light,
            gain: shot.controls.gain,
            optics: Optics::Good,
            seed: u64::from(i),
        };
        renderer.render(&set, &actor.pose(at), shot, frame.data_mut());
        frames.push(frame);
        at = at.plus(APART);
    }
    Ok(frames)
}

/// A YUYV frame as a picture.
pub fn picture(frame: &Frame) -> image::RgbImage {
    let view = frame.view();
    image::RgbImage::from_fn(frame.width(), frame.height(), |x, y| {
        let row = view.row(y);
        let (at, pair) = (x as usize * 2, x as usize / 2 * 4);
        image::Rgb(rgb(row[at], row[pair + 1], row[pair + 3]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::SideLevel;

    /// Frames of one step differ a little, those of different steps much.
    #[test]
    fn each_step_shows_something_else() {
        let scene = Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/board/scenes/passport.toml"
        ));
        let take = |step, n| {
            let side = SideLevel {
                white: 0.1,
                ..SideLevel::default()
            };
            let shot = StillShot {
                step,
                size: (320, 180),
                levels: LightLevels {
                    left: side,
                    right: side,
                },
                controls: CameraControls {
                    exposure_us: 8000,
                    gain: 1.0,
                },
            };
            stills(scene, Some("a.ticket.here"), &shot, n).expect("frames")
        };
        let difference = |a: &Frame, b: &Frame| {
            let pairs = a.data().iter().zip(b.data());
            let sum: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            sum as f32 / a.data().len() as f32
        };
        let steps = [
            StillStep::Empty,
            StillStep::Face,
            StillStep::Ticket,
            StillStep::Document,
        ];
        let frames: Vec<Vec<Frame>> = steps.iter().map(|s| take(*s, 2)).collect();
        for (i, one) in frames.iter().enumerate() {
            let noise = difference(&one[0], &one[1]);
            assert!(noise > 0.1, "{i}: no sensor noise");
            for other in &frames[i + 1..] {
                let far = difference(&one[0], &other[0]);
                assert!(far > 3.0 * noise, "{i}: {far} against {noise}");
            }
        }
    }
}
