//! The virtual booth on a clock that somebody else moves: one scene, no thread, no recorder. What a session in it comes to does not
//! depend on how busy the machine is.

use super::camera::VirtCamera;
use super::devices::{VirtButtons, VirtLights, VirtPanel};
use super::scene::Scene;
use super::set::Set;
use super::world::{Finished, World};
use super::{VirtConfig, VirtError, check};
use crate::base::time::SharedClock;
use crate::hal::{Buttons, Camera, Lights, Panel};
use std::sync::Arc;

/// A scene that is being played.
#[derive(Debug)]
pub struct Bench(Arc<World>);

impl Bench {
    /// Lets the person do what is due; gives the scene's end, once.
    pub fn tick(&self) -> Option<Finished> {
        self.0.tick()
    }
}

/// Those devices of a virtual booth that a session needs; none of them is ever waited for.
#[derive(Debug)]
pub struct BenchDevices {
    /// The camera.
    pub camera: Box<dyn Camera>,
    /// The light ring.
    pub lights: Box<dyn Lights>,
    /// The panel.
    pub panel: Box<dyn Panel>,
    /// The buttons.
    pub buttons: Box<dyn Buttons>,
}

/// Opens the devices of a virtual booth in which `scene` begins now; `ticket` is what the phone shows. No device may be waited for
/// beyond the present time of `clock`: nobody else moves it.
///
/// # Errors
/// A value of the board file, or a file that the scene names.
pub fn bench(
    config: &VirtConfig,
    scene: Scene,
    ticket: Option<&str>,
    clock: SharedClock,
) -> Result<(BenchDevices, Bench), VirtError> {
    check(config)?;
    let (width, height) = (config.width, config.height);
    let set = Set::of(scene, ticket, width, height)?;
    let world = Arc::new(World::new(
        clock,
        Set::empty(width, height)?,
        None,
        None,
        None,
    ));
    let devices = BenchDevices {
        camera: Box::new(VirtCamera::new(
            Arc::clone(&world),
            width,
            height,
            config.frames_per_s,
        )),
        lights: Box::new(VirtLights(Arc::clone(&world))),
        panel: Box::new(VirtPanel {
            world: Arc::clone(&world),
            kind: config.panel,
        }),
        buttons: Box::new(VirtButtons(Arc::clone(&world))),
    };
    let wanted = set.scene.name.clone();
    world
        .play(set)
        .map_err(|playing| VirtError::Playing { wanted, playing })?;
    Ok((devices, Bench(world)))
}
