//! Ports: what the booth needs of its devices, as small traits. `pi` is the board, `virt` the virtual booth; the board file
//! chooses at run time, and nothing above this module can tell which it talks to.
//!
//! Every method that may block takes a time-out or states its longest time. Errors are [`DeviceFault`]s: a closed kind that
//! maps to one `hw.*` reason code, the device's name, and what mends it.

mod decoding;
pub mod fault;
pub mod light;
pub mod pi;
pub mod recovery;
pub mod reopen;
pub mod storage;
pub mod virt;
pub mod watch;

use crate::base::frame::Frame;
use crate::base::time::Moment;
pub use fault::{DeviceFault, DeviceKind, FaultKind, Rung};
pub use light::{LightLevels, SideLevel};
pub use reopen::{Bus, Reopenable};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;

/// What a camera can be asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CameraControls {
    /// Exposure time in microseconds.
    pub exposure_us: u32,
    /// Gain as a factor, 1.0 = none.
    pub gain: f32,
}

/// Limits of the controls and the format that was agreed on.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraInfo {
    /// Stable name of the device, for faults and records.
    pub name: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Frames per second.
    pub frames_per_s: f32,
    /// Shortest and longest exposure in microseconds; `None` if the exposure cannot be set.
    pub exposure_us: Option<(u32, u32)>,
    /// Smallest and largest gain as a factor; `None` if the gain cannot be set.
    pub gain: Option<(f32, f32)>,
    /// A sensor gives the frames; `false` for a recording, whose pictures may stand still.
    pub is_live: bool,
    /// What can be done for it beside opening it again.
    pub means: recovery::Means,
}

/// The camera.
pub trait Camera: Send + std::fmt::Debug {
    /// What was opened.
    fn info(&self) -> &CameraInfo;

    /// Waits for the next frame and puts it in `into` (reshaped as needed), with the time it was captured.
    ///
    /// # Errors
    /// `NoFrames` after `timeout`; `Absent`, `Busy`, `Permission` or `Io` as the device says. The camera can be asked again.
    fn capture(&mut self, into: &mut Frame, timeout: Duration) -> Result<(), DeviceFault>;

    /// Asks for exposure and gain, clamped to the limits; takes effect within a few frames.
    ///
    /// # Errors
    /// As [`Camera::capture`].
    fn set_controls(&mut self, controls: CameraControls) -> Result<(), DeviceFault>;

    /// Closes and opens the device again: the first rung of the recovery ladder.
    ///
    /// # Errors
    /// As at the first opening.
    fn reopen(&mut self) -> Result<(), DeviceFault>;

    /// Takes another rung of the recovery ladder, one of those that [`CameraInfo::means`] names; the device has to be opened again
    /// after it.
    ///
    /// # Errors
    /// `Io` or `Permission` if it could not be done, and always for a device without that rung.
    fn recover(&mut self, rung: Rung) -> Result<(), DeviceFault>;
}

/// The microphone: 16 kHz, mono, signed 16 bit.
pub trait Microphone: Send + std::fmt::Debug {
    /// Fills `into` from the start and returns how many samples were written and when the first was recorded; blocks at most `timeout`.
    ///
    /// # Errors
    /// `Absent`, `Busy`, `Permission`, `Overrun` (samples were lost; the next call goes on) or `Io`.
    fn read(&mut self, into: &mut [i16], timeout: Duration)
    -> Result<(usize, Moment), DeviceFault>;
}

/// Samples a second of the microphone and the speaker.
pub const SAMPLE_RATE_HZ: u32 = 16_000;

/// The speaker: 16 kHz, mono, signed 16 bit.
pub trait Speaker: Send + std::fmt::Debug {
    /// Plays the samples; returns when the last is queued. None at all asks whether the speaker is there.
    ///
    /// # Errors
    /// `Absent`, `Busy`, `Permission` or `Io`.
    fn play(&mut self, samples: &[i16]) -> Result<(), DeviceFault>;
}

/// The light ring of two sides. Only the light driver (`guidance::light`) calls this: it alone keeps the flash and thermal limits.
pub trait Lights: Send + std::fmt::Debug {
    /// Sets the levels at once.
    ///
    /// # Errors
    /// `Absent`, `Permission` or `Io`.
    fn apply(&mut self, levels: LightLevels) -> Result<(), DeviceFault>;
}

/// Which panel is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PanelKind {
    /// Colour, 320 x 240 (ST7789 class).
    #[serde(rename = "st7789-320x240")]
    St7789,
    /// One bit a pixel, 128 x 64 (SSD1306 class).
    #[serde(rename = "ssd1306-128x64")]
    Ssd1306,
}

impl PanelKind {
    /// Width and height in pixels.
    pub const fn size(self) -> (u32, u32) {
        match self {
            Self::St7789 => (320, 240),
            Self::Ssd1306 => (128, 64),
        }
    }
}

/// A drawn screen: RGB565 pixels, row by row. On a one-bit panel every pixel is `0x0000` or `0xffff`.
#[derive(Clone, PartialEq, Eq)]
pub struct PanelImage {
    /// Which panel it was drawn for.
    pub kind: PanelKind,
    /// The name of the screen, for the panel's log. A person reads the pixels; a person in the virtual booth reads this.
    pub screen: &'static str,
    /// `width * height` pixels, RGB565.
    pub pixels: Vec<u16>,
}

impl PanelImage {
    /// A black picture without a screen.
    pub fn blank(kind: PanelKind) -> Self {
        let (width, height) = kind.size();
        Self {
            kind,
            screen: "",
            pixels: vec![0; (width * height) as usize],
        }
    }
}

impl std::fmt::Debug for PanelImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PanelImage({:?} {})", self.kind, self.screen)
    }
}

/// The panel.
pub trait Panel: Send + std::fmt::Debug {
    /// Which panel it is.
    fn kind(&self) -> PanelKind;

    /// Shows the image; at most 200 ms.
    ///
    /// # Errors
    /// `Absent`, `Permission` or `Io` (a NAK, a stuck bus).
    fn show(&mut self, image: &PanelImage) -> Result<(), DeviceFault>;
}

/// A button of the booth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Button {
    /// The green one: yes, go on.
    Confirm,
    /// The other one: no, stop; held for two seconds: help.
    Cancel,
}

/// What happened to a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ButtonEvent {
    /// Which one.
    pub button: Button,
    /// Pressed or let go, debounced.
    pub action: ButtonAction,
    /// When.
    pub at: Moment,
}

/// Pressed or let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ButtonAction {
    /// Went down.
    Pressed,
    /// Came up.
    Released,
}

/// The buttons.
pub trait Buttons: Send + std::fmt::Debug {
    /// Waits up to `timeout` for an event.
    ///
    /// # Errors
    /// `Absent`, `Busy`, `Permission` or `Io`.
    fn next(&mut self, timeout: Duration) -> Result<Option<ButtonEvent>, DeviceFault>;

    /// The buttons that are down now, by their lines and not by their events; at most 50 ms.
    ///
    /// # Errors
    /// As [`Buttons::next`].
    fn down(&mut self) -> Result<Vec<Button>, DeviceFault>;
}

/// What the board says of itself. `None`: this board cannot say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SensorReadings {
    /// Temperature of the processor in degrees Celsius.
    pub soc_celsius: Option<f32>,
    /// Whether the supply was too low since the last reading.
    pub undervoltage: Option<bool>,
    /// Whether the clock was throttled since the last reading.
    pub throttled: Option<bool>,
    /// Whether the case is open.
    pub tamper_open: Option<bool>,
}

/// Temperature, supply, tamper switch.
pub trait Sensors: Send + std::fmt::Debug {
    /// Reads all; at most 50 ms.
    ///
    /// # Errors
    /// `Permission` or `Io`; what is not there is `None`.
    fn read(&mut self) -> Result<SensorReadings, DeviceFault>;
}

/// How the disk is that a folder lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct StorageReadings {
    /// Bytes that the service may still write.
    pub free_bytes: u64,
    /// Bytes of the file system.
    pub total_bytes: u64,
    /// It takes no writes.
    pub read_only: bool,
    /// Share of its life that is used, in percent, as eMMC says it in steps of ten (JESD84-B51, `DEVICE_LIFE_TIME_EST`). Cards do not say.
    pub life_used_percent: Option<u8>,
}

/// The disk.
pub trait Storage: Send + std::fmt::Debug {
    /// Looks at the disk that `folder` lies on; at most 50 ms on a disk that is well.
    ///
    /// # Errors
    /// `Absent` if the folder is not there, `Permission`, `Io`.
    fn read(&mut self, folder: &Path) -> Result<StorageReadings, DeviceFault>;
}

/// The hardware watchdog.
pub trait Watchdog: Send + std::fmt::Debug {
    /// Postpones the reset.
    ///
    /// # Errors
    /// `Absent`, `Busy`, `Permission` or `Io`.
    fn feed(&mut self) -> Result<(), DeviceFault>;
}

/// All devices of one booth. What the board does not have is `None`; what is not there now is closed, and can be opened again.
#[derive(Debug)]
pub struct Devices {
    /// The camera: no booth is without.
    pub camera: Box<dyn Camera>,
    /// The microphone.
    pub microphone: Option<Reopenable<dyn Microphone>>,
    /// The speaker.
    pub speaker: Option<Reopenable<dyn Speaker>>,
    /// The light ring.
    pub lights: Option<Reopenable<dyn Lights>>,
    /// The panel.
    pub panel: Option<Reopenable<dyn Panel>>,
    /// The buttons.
    pub buttons: Option<Reopenable<dyn Buttons>>,
    /// Temperature and supply.
    pub sensors: Option<Box<dyn Sensors>>,
    /// The disk.
    pub storage: Box<dyn Storage>,
    /// The hardware watchdog.
    pub watchdog: Option<Box<dyn Watchdog>>,
}
