//! The smaller virtual devices: lights, panel, buttons, sensors, watchdog. They do and write down what they are told.

use super::record::Note;
use super::scene::FaultWhat;
use super::world::World;
use crate::base::time::Moment;
use crate::hal::light::LightLevels;
use crate::hal::storage::Disk;
use crate::hal::{
    Button, ButtonEvent, Buttons, DeviceFault, DeviceKind, FaultKind, Lights, Panel, PanelImage,
    PanelKind, SensorReadings, Sensors, Storage, StorageReadings, Watchdog,
};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The light ring.
#[derive(Debug)]
pub(super) struct VirtLights(pub(super) Arc<World>);

impl Lights for VirtLights {
    fn apply(&mut self, levels: LightLevels) -> Result<(), DeviceFault> {
        if self.0.broken(FaultWhat::LightAbsent) {
            return Err(World::absent(DeviceKind::Lights));
        }
        self.0.light(levels.clamped());
        Ok(())
    }
}

/// The panel.
#[derive(Debug)]
pub(super) struct VirtPanel {
    pub(super) world: Arc<World>,
    pub(super) kind: PanelKind,
}

impl Panel for VirtPanel {
    fn kind(&self) -> PanelKind {
        self.kind
    }

    fn show(&mut self, image: &PanelImage) -> Result<(), DeviceFault> {
        if self.world.broken(FaultWhat::PanelAbsent) {
            return Err(World::absent(DeviceKind::Panel));
        }
        let (w, h) = self.kind.size();
        if image.kind != self.kind || image.pixels.len() != w as usize * h as usize {
            return Err(DeviceFault {
                device: DeviceKind::Panel,
                kind: FaultKind::WrongDevice,
                place: "virtual".to_owned(),
                detail: format!(
                    "{:?} has {w} x {h} pixels, the picture was drawn for {:?} and has {} pixels",
                    self.kind,
                    image.kind,
                    image.pixels.len()
                ),
                mend: "name the fitted panel in the board file".to_owned(),
            });
        }
        self.world.note(Note::Panel {
            at: self.world.clock.now(),
            image: image.clone(),
        });
        self.world.show(image.screen);
        Ok(())
    }
}

/// The buttons, pressed by the person of the scene.
#[derive(Debug)]
pub(super) struct VirtButtons(pub(super) Arc<World>);

impl Buttons for VirtButtons {
    fn next(&mut self, timeout: Duration) -> Result<Option<ButtonEvent>, DeviceFault> {
        if self.0.broken(FaultWhat::ButtonsAbsent) {
            return Err(World::absent(DeviceKind::Buttons));
        }
        Ok(self.0.next_button(timeout))
    }

    fn down(&mut self) -> Result<Vec<Button>, DeviceFault> {
        if self.0.broken(FaultWhat::ButtonsAbsent) {
            return Err(World::absent(DeviceKind::Buttons));
        }
        // A person presses for a moment only: what stays down is broken.
        let stuck = self.0.broken(FaultWhat::ButtonStuck);
        Ok(stuck.then_some(Button::Confirm).into_iter().collect())
    }
}

/// The board's own sensors: the processor's temperature follows the ring's power with a time constant of two minutes.
#[derive(Debug)]
pub(super) struct VirtSensors {
    world: Arc<World>,
    read_at: Moment,
    heat: f32,
}

/// How much hotter the case gets with the ring at full power, in kelvin.
const RING_HEAT_K: f32 = 14.0;
const HEAT_TIME_S: f32 = 120.0;

impl VirtSensors {
    pub(super) fn new(world: Arc<World>) -> Self {
        Self {
            read_at: world.clock.now(),
            world,
            heat: 0.0,
        }
    }
}

impl Sensors for VirtSensors {
    fn read(&mut self) -> Result<SensorReadings, DeviceFault> {
        let now = self.world.clock.now();
        let passed = now.since(self.read_at).as_secs_f32();
        self.read_at = now;
        let target = RING_HEAT_K * self.world.ring_power();
        self.heat += (target - self.heat) * (1.0 - (-passed / HEAT_TIME_S).exp());
        let (set, _) = self.world.on_stage();
        let board = &set.scene.board;
        Ok(SensorReadings {
            soc_celsius: Some(board.soc_celsius + self.heat),
            undervoltage: Some(board.undervoltage),
            throttled: Some(board.soc_celsius + self.heat > 80.0),
            tamper_open: Some(board.tamper_open),
        })
    }
}

/// The machine's own disk, with what the scene has broken of it.
#[derive(Debug)]
pub(super) struct VirtStorage(pub(super) Arc<World>);

impl Storage for VirtStorage {
    fn read(&mut self, folder: &Path) -> Result<StorageReadings, DeviceFault> {
        let mut readings = Disk.read(folder)?;
        if self.0.broken(FaultWhat::DiskFull) {
            readings.free_bytes = 0;
        }
        readings.read_only |= self.0.broken(FaultWhat::DiskReadOnly);
        Ok(readings)
    }
}

/// The watchdog: writes down when it was fed, and resets nothing.
#[derive(Debug)]
pub(super) struct VirtWatchdog(pub(super) Arc<World>);

impl Watchdog for VirtWatchdog {
    fn feed(&mut self) -> Result<(), DeviceFault> {
        self.0.note(Note::Watchdog {
            at: self.0.clock.now(),
        });
        Ok(())
    }
}
