//! The smaller virtual devices: lights, panel, buttons, serial line, sensors, watchdog. They do and write down what they are told.

use super::record::Note;
use super::scene::FaultWhat;
use super::world::{World, wait_until};
use crate::base::time::Moment;
use crate::hal::light::LightLevels;
use crate::hal::storage::Disk;
use crate::hal::{
    Button, ButtonEvent, Buttons, DeviceFault, DeviceKind, FaultKind, Lights, Panel, PanelImage,
    PanelKind, SensorReadings, Sensors, SerialLine, Storage, StorageReadings, Watchdog,
};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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

/// Bytes that each end of the serial line keeps; when full, the oldest go, as on a line that nobody reads.
const SERIAL_KEPT: usize = 64 * 1024;

/// Both directions of the serial line.
#[derive(Debug, Default)]
pub(super) struct Wire {
    typed: Mutex<VecDeque<u8>>,
    written: Mutex<VecDeque<u8>>,
}

impl Wire {
    fn push(to: &Mutex<VecDeque<u8>>, bytes: &[u8]) {
        let mut queue = Self::lock(to);
        queue.extend(bytes);
        let over = queue.len().saturating_sub(SERIAL_KEPT);
        queue.drain(..over);
    }

    fn lock(queue: &Mutex<VecDeque<u8>>) -> MutexGuard<'_, VecDeque<u8>> {
        queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The technician types.
    pub(super) fn type_in(&self, bytes: &[u8]) {
        Self::push(&self.typed, bytes);
    }

    /// What the booth wrote since the last call.
    pub(super) fn take_written(&self) -> Vec<u8> {
        Self::lock(&self.written).drain(..).collect()
    }
}

/// The technician's line.
#[derive(Debug)]
pub(super) struct VirtSerial {
    pub(super) world: Arc<World>,
    pub(super) wire: Arc<Wire>,
}

impl SerialLine for VirtSerial {
    fn read(&mut self, into: &mut [u8], timeout: Duration) -> Result<usize, DeviceFault> {
        let deadline = Instant::now() + timeout;
        loop {
            let mut typed = Wire::lock(&self.wire.typed);
            let n = typed.len().min(into.len());
            for (to, byte) in into.iter_mut().zip(typed.drain(..n)) {
                *to = byte;
            }
            drop(typed);
            let left = deadline.saturating_duration_since(Instant::now());
            if n > 0 || left.is_zero() {
                return Ok(n);
            }
            wait_until(
                &*self.world.clock,
                Moment::from_nanos(u64::MAX),
                left.min(Duration::from_millis(20)),
            );
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DeviceFault> {
        Wire::push(&self.wire.written, bytes);
        self.world.note(Note::Serial {
            at: self.world.clock.now(),
            bytes: bytes.to_vec(),
        });
        Ok(())
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
