//! The virtual booth: a physical model behind the booth's own ports.
//!
//! A scene ([`scene`]) names a room, a person, a document, the ambient light, a voice and faults. A frame is rendered from
//! them, from the light that the service has set and the exposure that it has asked for, so that every loop can be seen
//! closing. The person follows the panel as people do. [`replay`] feeds a recorded session through the same ports.
//!
//! | file | what |
//! |---|---|
//! | `scene`, `set`, `pictures`, `phone` | what a scene says, and the files that it names |
//! | `actor`, `pose` | the person: screen in, hands and buttons out; pure |
//! | `light`, `layer`, `flat`, `sensor`, `render` | light, surfaces, sensor: a frame |
//! | `world`, `camera`, `sound`, `devices`, `clock` | the devices and what they share |
//! | `stage`, `record` | the director's socket, and what is written down |
//! | `still` | single frames of a scene without a booth |
//! | `bench` | one scene on a clock that somebody else moves |
//!
//! Not built: gaze and mouth of the person (a layer is one photograph; a turned head is that photograph on a cylinder, closed eyes are
//! drawn lids), the hand that holds a document, motion blur of the person, shadows of one thing on another.

mod actor;
mod bench;
mod camera;
mod chance;
mod clock;
mod devices;
mod flat;
mod layer;
mod light;
mod phone;
mod pictures;
mod pose;
mod record;
mod render;
pub mod replay;
pub mod scene;
mod sensor;
mod set;
mod sound;
mod stage;
mod still;
mod world;

#[cfg(test)]
mod tests;

pub use bench::{Bench, BenchDevices, bench};
pub use clock::VirtClock;
pub use sound::{WavError, write_wav};
pub use stage::Stage;
pub use still::{StillShot, StillStep, picture, sound, stills};
pub use world::Finished;

use crate::base::time::SharedClock;
use crate::hal::{DeviceFault, DeviceKind, Devices, PanelKind, Reopenable};
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;

/// `[virt]` of the board file. Paths are taken as they are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VirtConfig {
    /// Width of the camera's picture, even, 160..=4096.
    pub width: u32,
    /// Height, 120..=4096.
    pub height: u32,
    /// Frames per second, 1..=120.
    pub frames_per_s: f32,
    /// Which panel is fitted.
    pub panel: PanelKind,
    /// A scene that is played at the start.
    pub scene: Option<PathBuf>,
    /// Plays `scene` again and again.
    pub repeat: bool,
    /// The booth between scenes: a scene without a person. Absent: the room of the last scene.
    pub empty_scene: Option<PathBuf>,
    /// Socket of the stage.
    pub stage_socket: Option<PathBuf>,
    /// Where the devices write down what they were told and saw.
    pub record_dir: Option<PathBuf>,
    /// Every so many frames one is written down, 1..=10000.
    pub record_every_n_frames: u64,
    /// A recorded session instead of the rendered camera and microphone; nothing of its pictures is written down.
    pub replay: Option<PathBuf>,
}

impl Default for VirtConfig {
    fn default() -> Self {
        Self {
            width: 1280,
            height: 720,
            frames_per_s: 30.0,
            panel: PanelKind::St7789,
            scene: None,
            repeat: false,
            empty_scene: None,
            stage_socket: None,
            record_dir: None,
            record_every_n_frames: 10,
            replay: None,
        }
    }
}

/// Why the virtual booth cannot be opened or a scene not be played.
#[derive(Debug, thiserror::Error)]
pub enum VirtError {
    /// A value of the board file.
    #[error("[virt] {key} is {found}; allowed: {allowed}; mend: correct it in the board file")]
    Config {
        /// The key.
        key: &'static str,
        /// Its value.
        found: String,
        /// What would do.
        allowed: &'static str,
    },
    /// The scene.
    #[error(transparent)]
    Scene(Box<scene::SceneError>),
    /// The recording.
    #[error(transparent)]
    Replay(#[from] replay::ReplayError),
    /// The stage's socket.
    #[error("[virt] stage_socket {}: {source}; mend: name a path in a folder that this user may write, not used by another booth", .path.display())]
    Socket {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The recorder's folder.
    #[error("[virt] record_dir {}: {source}; mend: name a folder that this user may write", .path.display())]
    Record {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another scene is on the stage.
    #[error(
        "stage: scene {playing} is still being played, {wanted} cannot begin; mend: wait for its `done`"
    )]
    Playing {
        /// The scene that was to begin.
        wanted: String,
        /// The one on the stage.
        playing: String,
    },
    /// No thread could be started.
    #[error(
        "virtual booth: cannot start a thread: {0}; mend: raise the limit of tasks of the service"
    )]
    Thread(std::io::Error),
}

impl From<scene::SceneError> for VirtError {
    fn from(error: scene::SceneError) -> Self {
        Self::Scene(Box::new(error))
    }
}

fn check(config: &VirtConfig) -> Result<(), VirtError> {
    let refuse = |key, found: String, allowed| {
        Err(VirtError::Config {
            key,
            found,
            allowed,
        })
    };
    if !(160..=4096).contains(&config.width) || config.width % 2 == 1 {
        return refuse("width", config.width.to_string(), "even, 160 to 4096");
    }
    if !(120..=4096).contains(&config.height) {
        return refuse("height", config.height.to_string(), "120 to 4096");
    }
    if !(1.0..=120.0).contains(&config.frames_per_s) {
        return refuse("frames_per_s", config.frames_per_s.to_string(), "1 to 120");
    }
    if !(1..=10_000).contains(&config.record_every_n_frames) {
        return refuse(
            "record_every_n_frames",
            config.record_every_n_frames.to_string(),
            "1 to 10000",
        );
    }
    if config.scene.is_some() && config.replay.is_some() {
        return refuse(
            "replay",
            "given beside `scene`".to_owned(),
            "only one of the two",
        );
    }
    Ok(())
}

/// Opens the virtual booth: its devices, and the stage that lets people in. The booth is empty until a scene is played. `wall` is the
/// service's clock if a scene shall be able to set it wrong.
///
/// # Errors
/// [`VirtError`]: which key, file or device, what was found, what would do.
pub fn open(
    config: &VirtConfig,
    clock: SharedClock,
    wall: Option<Arc<VirtClock>>,
) -> Result<(Devices, Stage), VirtError> {
    check(config)?;
    let size = (config.width, config.height);
    let load = |path: &PathBuf| -> Result<set::Set, VirtError> {
        Ok(set::Set::load(path, None, size.0, size.1)?)
    };
    if let Some(scene) = &config.scene {
        // Said now rather than by the stage's thread.
        load(scene)?;
    }
    // Between the scenes the booth is empty, and the pictures of the scene before are let go.
    let empty = match &config.empty_scene {
        Some(path) => load(path)?,
        None => set::Set::empty(size.0, size.1)?,
    };
    let recorder = match &config.record_dir {
        Some(dir) => {
            let start = record::Recorder::start(dir, config.record_every_n_frames);
            Some(start.map_err(|source| VirtError::Record {
                path: dir.clone(),
                source,
            })?)
        }
        None => None,
    };
    let replay = match &config.replay {
        Some(folder) => Some(replay::open(folder, config.frames_per_s, &clock)?),
        None => None,
    };
    let world = Arc::new(world::World::new(clock, empty, None, recorder, wall));
    let stage = Stage::start(
        Arc::clone(&world),
        size,
        config.stage_socket.as_deref(),
        config.scene.clone(),
        config.repeat,
    )?;
    // Opening again is all that can be done for a virtual device: it hangs on no bus.
    fn fitted<D: ?Sized>(
        world: &Arc<world::World>,
        kind: DeviceKind,
        open: impl Fn(Arc<world::World>) -> Box<D> + Send + 'static,
    ) -> Option<Reopenable<D>> {
        let world = Arc::clone(world);
        let open = move || Ok(open(Arc::clone(&world)));
        Some(Reopenable::new(kind, open, None))
    }
    let (camera, microphone): (Box<dyn crate::hal::Camera>, _) = match replay {
        Some((camera, microphone)) => {
            let microphone = microphone.map(|recording| {
                let open = move || -> Result<Box<dyn crate::hal::Microphone>, DeviceFault> {
                    Ok(Box::new(recording.clone()))
                };
                Reopenable::new(DeviceKind::Microphone, open, None)
            });
            (Box::new(camera), microphone)
        }
        None => {
            let camera =
                camera::VirtCamera::new(Arc::clone(&world), size.0, size.1, config.frames_per_s);
            let microphone = fitted(&world, DeviceKind::Microphone, |w| {
                Box::new(sound::VirtMicrophone::new(w)) as Box<dyn crate::hal::Microphone>
            });
            (Box::new(camera), microphone)
        }
    };
    let kind = config.panel;
    let devices = Devices {
        camera,
        microphone,
        speaker: fitted(&world, DeviceKind::Speaker, |w| {
            Box::new(sound::VirtSpeaker(w)) as _
        }),
        lights: fitted(&world, DeviceKind::Lights, |w| {
            Box::new(devices::VirtLights(w)) as _
        }),
        panel: fitted(&world, DeviceKind::Panel, move |world| {
            Box::new(devices::VirtPanel { world, kind }) as _
        }),
        buttons: fitted(&world, DeviceKind::Buttons, |w| {
            Box::new(devices::VirtButtons(w)) as _
        }),
        storage: Box::new(devices::VirtStorage(Arc::clone(&world))),
        sensors: Some(Box::new(devices::VirtSensors::new(Arc::clone(&world)))),
        watchdog: Some(Box::new(devices::VirtWatchdog(world))),
    };
    Ok((devices, stage))
}
