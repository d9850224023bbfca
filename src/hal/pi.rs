//! The board: the only place that names v4l, alsa, rppal, gpiocdev and linux-embedded-hal.
//!
//! A board file (`board/*.toml`) names the devices of one booth revision; [`PiConfig::parse`] reads and checks it, each module
//! below opens one device from its table. Every failure to open says which device, which node, what the kernel answered and
//! which command mends it. There is no `unsafe` here: where the kernel wants an ioctl that no crate wraps safely, the
//! matching file under `/sys` is read instead, and the module says so.

pub mod buttons;
pub mod camera;
pub mod check;
pub(crate) mod convert;
pub mod gpio;
pub mod lights;
pub mod microphone;
pub mod node;
pub mod panel;
pub mod pcm;
pub mod pixels;
pub mod sensors;
pub mod serial;
pub mod speaker;
pub mod usb;
pub mod watchdog;

use crate::base::time::SharedClock;
use crate::hal::storage::Disk;
use crate::hal::{Bus, DeviceFault, DeviceKind, Devices, Reopenable};
use check::{ConfigError, PinUse, check_range, pins_are_used_once};
use serde::Deserialize;
use usb::{Node, OffNote, UsbPlace};

/// Which kind of board the file describes. A file for the virtual booth is another type, so there is one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BoardKind {
    /// A Raspberry-Pi-class board with real devices.
    Pi,
}

/// `[models]`: what of the processor the models may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelsConfig {
    /// Threads of the interpreter, 1..=4.
    pub threads: u8,
    /// A look at one frame that takes longer than so many seconds hangs, and the service starts again: 1..=120, 10 if it is not there.
    #[serde(default = "longest_look")]
    pub longest_look_s: u16,
}

fn longest_look() -> u16 {
    10
}

impl ModelsConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`ConfigError`] of the first value that is out of its range.
    pub fn validate(self) -> Result<(), ConfigError> {
        check_range("models.threads", u32::from(self.threads), 1..=4)?;
        check_range(
            "models.longest_look_s",
            u32::from(self.longest_look_s),
            1..=120,
        )
    }
}

/// A board file. Only the camera is required; a table that is not there means that the booth has no such device.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PiConfig {
    /// Name of the booth revision, as in the file's name.
    pub board: String,
    /// Always `pi`.
    pub kind: BoardKind,
    /// Device-tree `compatible` strings of the boards this file is for; one of them has to match (see [`PiConfig::check_board`]).
    pub compatible: Vec<String>,
    /// The camera.
    pub camera: camera::CameraConfig,
    /// The microphone.
    pub microphone: Option<microphone::MicrophoneConfig>,
    /// The speaker.
    pub speaker: Option<speaker::SpeakerConfig>,
    /// The light ring.
    pub lights: Option<lights::LightsConfig>,
    /// The panel.
    pub panel: Option<panel::PanelConfig>,
    /// The buttons.
    pub buttons: Option<buttons::ButtonsConfig>,
    /// The technician's line.
    pub serial: Option<serial::SerialConfig>,
    /// Temperature, supply, tamper switch.
    pub sensors: Option<sensors::SensorsConfig>,
    /// The hardware watchdog.
    pub watchdog: Option<watchdog::WatchdogConfig>,
    /// Share of the processor for the models.
    pub models: ModelsConfig,
}

/// Why a board file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PiConfigError {
    /// Not TOML, an unknown key, a missing key, or a value of the wrong type; the text names line, key and what is allowed.
    #[error("board file: {0}")]
    Shape(#[from] toml::de::Error),
    /// A value that no board can have.
    #[error("board file: {0}")]
    Value(#[from] ConfigError),
}

impl PiConfig {
    /// Reads and checks a board file.
    ///
    /// # Errors
    /// [`PiConfigError`] naming the key, what was found, what is allowed and what mends it.
    pub fn parse(text: &str) -> Result<Self, PiConfigError> {
        let config: Self = toml::from_str(text)?;
        config.validate()?;
        Ok(config)
    }

    /// Checks all values, and that no pin of the header has two uses.
    ///
    /// # Errors
    /// The first [`ConfigError`] found.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.board.is_empty() || self.compatible.is_empty() {
            return Err(ConfigError {
                key: "board, compatible".to_owned(),
                found: format!("{:?}, {:?}", self.board, self.compatible),
                allowed: "a name, and at least one device-tree string".to_owned(),
                mend: "copy the string from `tr '\\0' '\\n' < /proc/device-tree/compatible`"
                    .to_owned(),
            });
        }
        self.models.validate()?;
        self.camera.validate()?;
        self.microphone.as_ref().map_or(Ok(()), |c| c.validate())?;
        self.speaker.as_ref().map_or(Ok(()), |c| c.validate())?;
        self.lights.as_ref().map_or(Ok(()), |c| c.validate())?;
        self.panel.as_ref().map_or(Ok(()), |c| c.validate())?;
        self.buttons.as_ref().map_or(Ok(()), |c| c.validate())?;
        self.serial.as_ref().map_or(Ok(()), |c| c.validate())?;
        self.sensors.as_ref().map_or(Ok(()), |c| c.validate())?;
        self.watchdog.as_ref().map_or(Ok(()), |c| c.validate())?;
        pins_are_used_once(&self.pins())
    }

    /// Every pin of the 40-pin header that this board file uses, BCM numbers.
    pub fn pins(&self) -> Vec<PinUse> {
        let mut pins = Vec::new();
        if let Some(c) = &self.lights {
            pins.extend(c.pins());
        }
        if let Some(c) = &self.panel {
            pins.extend(c.pins());
        }
        if let Some(c) = &self.buttons {
            pins.extend(c.pins());
        }
        if let Some(c) = &self.serial {
            pins.extend(c.pins());
        }
        if let Some(c) = &self.sensors {
            pins.extend(c.pins());
        }
        pins
    }

    /// Checks that the machine is one that this file is for. `device_tree` is the content of
    /// `/sys/firmware/devicetree/base/compatible`: strings, each ended by a zero byte.
    ///
    /// # Errors
    /// [`ConfigError`] with the strings of both sides.
    pub fn check_board(&self, device_tree: &[u8]) -> Result<(), ConfigError> {
        let text = String::from_utf8_lossy(device_tree);
        let found: Vec<&str> = text.split('\0').filter(|s| !s.is_empty()).collect();
        let fits = |c: &String| match c.as_str() {
            // A machine without a device tree, as the virtual one of the tests.
            "none" => found.is_empty(),
            name => found.contains(&name),
        };
        if self.compatible.iter().any(fits) {
            return Ok(());
        }
        Err(ConfigError {
            key: "compatible".to_owned(),
            found: format!("this machine is {found:?}"),
            allowed: format!("{:?} (board `{}`)", self.compatible, self.board),
            mend: "name the board file of this machine in booth.toml".to_owned(),
        })
    }
}

/// What this machine is: the strings of its device tree for [`PiConfig::check_board`]; empty if it has none.
pub fn device_tree() -> Vec<u8> {
    std::fs::read("/sys/firmware/devicetree/base/compatible").unwrap_or_default()
}

/// Opens every device that the file names but the watchdog, which has to be open again soon after a service that hung was ended: it is
/// opened first, by itself ([`watchdog::open`]), before what takes long. A device that cannot be opened stays closed until the recovery ladder
/// opens it, and its fault is handed back beside the others, so that one run shows all that is wrong. `off`: what is off on the USB bus
/// while the ladder is at work there.
pub fn open(config: &PiConfig, off: &OffNote, clock: &SharedClock) -> (Devices, Vec<DeviceFault>) {
    use DeviceKind as K;
    let c = config;
    let camera_node = Node::Path(c.camera.path.clone());
    let place = UsbPlace::new(K::Camera, camera_node.clone(), None, off);
    let (camera, fault) = camera::open(&c.camera, place, clock.clone());
    let mut faults: Vec<DeviceFault> = fault.into_iter().collect();
    // What is turned off for another device must not take the camera away from a session.
    let usb = |device, node| -> Option<Box<dyn Bus>> {
        let spared = Some(camera_node.clone());
        Some(Box::new(UsbPlace::new(device, node, spared, off)))
    };
    let card = |card: &str| Node::Card(card.to_owned());
    let microphone = c.microphone.clone().map(|c| {
        let bus = usb(K::Microphone, card(&c.card));
        let clock = clock.clone();
        let open = move || microphone::open(&c, clock.clone());
        Reopenable::new(K::Microphone, open, bus)
    });
    let speaker = c.speaker.clone().map(|c| {
        let bus = usb(K::Speaker, card(&c.card));
        let clock = clock.clone();
        let open = move || speaker::open(&c, clock.clone());
        Reopenable::new(K::Speaker, open, bus)
    });
    // The others hang on lines and buses of the board itself, which nobody can reset or switch off.
    let lights = c.lights.clone().map(|c| {
        let clock = clock.clone();
        let open = move || lights::open(&c, clock.clone());
        Reopenable::new(K::Lights, open, None)
    });
    let panel = c.panel.clone().map(|c| open_panel(c, clock));
    let buttons = c.buttons.clone().map(|c| {
        let clock = clock.clone();
        let open = move || buttons::open(&c, clock.clone());
        Reopenable::new(K::Buttons, open, None)
    });
    let closed = [
        microphone.as_ref().and_then(Reopenable::fault),
        speaker.as_ref().and_then(Reopenable::fault),
        lights.as_ref().and_then(Reopenable::fault),
        panel.as_ref().and_then(Reopenable::fault),
        buttons.as_ref().and_then(Reopenable::fault),
    ];
    faults.extend(closed.into_iter().flatten().cloned());
    let sensors = keep(
        c.sensors.as_ref().map(|c| sensors::open(c, clock.clone())),
        &mut faults,
    );
    let devices = Devices {
        camera,
        microphone,
        speaker,
        lights,
        panel,
        buttons,
        sensors,
        storage: Box::new(Disk),
        watchdog: None,
    };
    (devices, faults)
}

/// The panel by itself, as safe mode has it.
pub fn open_panel(
    config: panel::PanelConfig,
    clock: &SharedClock,
) -> Reopenable<dyn crate::hal::Panel> {
    let clock = clock.clone();
    let open = move || panel::open(&config, clock.clone());
    Reopenable::new(DeviceKind::Panel, open, None)
}

/// Takes the device, or notes its fault.
fn keep<T>(opened: Option<Result<T, DeviceFault>>, faults: &mut Vec<DeviceFault>) -> Option<T> {
    opened?.map_err(|fault| faults.push(fault)).ok()
}

#[cfg(test)]
mod tests;
