//! Scene files: what happens in the virtual booth, as typed (TOML) and checked.
//!
//! Lengths in pixels are those of a picture 1280 pixels wide; a camera of another width sees them scaled. Paths are relative
//! to the scene file. `board/scenes/README.md` explains every key.

mod check;
mod error;

pub use check::SCREENS;
pub use error::SceneError;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A scene as it stands in its file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// The file it was read from.
    #[serde(skip)]
    pub file: PathBuf,
    /// Short name: letters, digits, hyphens.
    pub name: String,
    /// What a reader of the demo's report sees, in English.
    #[serde(default)]
    pub title_en: String,
    /// The same in Chinese.
    #[serde(default)]
    pub title_zh: String,
    /// Everything random follows from it.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// How quick people are: 1 as usual, 2 twice as quick; 0.1..=20.
    #[serde(default = "one")]
    pub pace: f32,
    /// After so many seconds the scene is over whatever happens; 1..=3600.
    #[serde(default = "default_longest_s")]
    pub longest_s: f32,
    /// What should come of it; read by the demo only.
    pub expect: Option<Expect>,
    /// The room behind the person.
    #[serde(default)]
    pub room: Room,
    /// Light that is not the booth's.
    #[serde(default)]
    pub ambient: Ambient,
    /// The booth's own light.
    #[serde(default)]
    pub lamps: Lamps,
    /// The camera's sensor.
    #[serde(default)]
    pub camera: Sensor,
    /// The person; without: an empty booth.
    pub person: Option<Person>,
    /// Somebody who looks over the person's shoulder, and goes when asked to.
    pub bystander: Option<Bystander>,
    /// The document in the person's hand.
    pub document: Option<Document>,
    /// What the ticket is made of.
    pub ticket: Option<Ticket>,
    /// What the microphone hears.
    #[serde(default)]
    pub audio: Audio,
    /// The wallet's network; read by the demo only.
    #[serde(default)]
    pub wallet: Wallet,
    /// The board's own sensors.
    #[serde(default)]
    pub board: Board,
    /// What the person does instead of the usual.
    #[serde(default)]
    pub act: Vec<Act>,
    /// What is broken, and when.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

/// What should come of a scene.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The outcome's result.
    pub result: String,
    /// The outcome's primary reason; absent: none.
    pub reason: Option<String>,
    /// The outcome's disposition.
    pub disposition: Option<String>,
}

/// The room.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Room {
    /// Picture; absent: a plain grey wall.
    pub picture: Option<PathBuf>,
    /// How much hangs and stands there: 0 nothing, 1 a wall full of coloured things; 0..=1.
    pub clutter: f32,
}

/// Light that is not the booth's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ambient {
    /// Illuminance on a surface that faces the left half of the frame, in lux; 0..=100000.
    pub left_lux: f32,
    /// The same to the right.
    pub right_lux: f32,
    /// Illuminance of the background.
    pub background_lux: f32,
    /// Colour temperature in kelvin; the camera's white is 5000; 2000..=12000.
    pub colour_k: f32,
    /// Flicker frequency in hertz, 0..=1000; 100 in a 50 Hz mains.
    pub flicker_hz: f32,
    /// Flicker depth, 0..=1 of the mean.
    pub flicker_depth: f32,
}

impl Default for Ambient {
    fn default() -> Self {
        Self {
            left_lux: 220.0,
            right_lux: 200.0,
            background_lux: 180.0,
            colour_k: 4600.0,
            flicker_hz: 100.0,
            flicker_depth: 0.15,
        }
    }
}

/// The booth's own light.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lamps {
    /// Illuminance of one side at full white, 600 mm in front of it, in lux; 0..=10000.
    pub side_lux: f32,
    /// Output of the left half against new, 0..=1: lamps age.
    pub left_health: f32,
    /// The same of the right half.
    pub right_health: f32,
}

impl Default for Lamps {
    fn default() -> Self {
        Self {
            side_lux: 400.0,
            left_health: 1.0,
            right_health: 1.0,
        }
    }
}

/// The camera's sensor.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sensor {
    /// 1 is ISO 400 behind an f/2 lens; 0.05..=20.
    pub sensitivity: f32,
    /// Read noise in electrons, 0..=200.
    pub read_noise_e: f32,
    /// Full well in electrons, 500..=100000: the fewer, the more shot noise.
    pub full_well_e: f32,
    /// Time from the first to the last row in milliseconds, 0..=33.
    pub readout_ms: f32,
}

impl Default for Sensor {
    fn default() -> Self {
        Self {
            sensitivity: 1.0,
            read_noise_e: 4.0,
            full_well_e: 9000.0,
            readout_ms: 16.0,
        }
    }
}

/// The person.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// `X` for the files `X.png`, `X-normal.png` and `X.toml`.
    pub layers: PathBuf,
    /// Distance between the eyes in pixels, 20..=300.
    #[serde(default = "default_inter_eye_px")]
    pub inter_eye_px: f32,
    /// Middle between the eyes, as shares of the frame's width and height.
    #[serde(default = "default_eyes")]
    pub position: [f32; 2],
    /// How far the person sways, in pixels; 0..=100.
    #[serde(default = "default_sway_px")]
    pub sway_px: f32,
    /// A person has a surface; a photograph of one is flat.
    #[serde(default)]
    pub surface: Surface,
    /// How far the head is turned, until a prompt asks for it: to the right of the picture, in degrees; -40..=40.
    #[serde(default)]
    pub turn_deg: f32,
    /// The eyes are closed until a prompt asks for them.
    #[serde(default)]
    pub eyes_closed: bool,
}

/// Somebody behind the person.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bystander {
    /// As the person's.
    pub layers: PathBuf,
    /// Distance between the eyes in pixels, 20..=300.
    pub inter_eye_px: f32,
    /// Middle between the eyes, as shares of the frame's width and height.
    pub position: [f32; 2],
}

/// Shape of the person's layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// The layer's normal map.
    #[default]
    Solid,
    /// All of it faces the camera.
    Flat,
}

/// The document in the person's hand.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Picture of the page or side with the portrait.
    pub picture: PathBuf,
    /// Picture of the other side, for `document.other_side`, `document.turn_to_back` and `document.turn_to_front`.
    pub back: Option<PathBuf>,
    /// Width and height in millimetres: TD3 125 x 88, TD1 85.6 x 54.
    pub size_mm: [f32; 2],
    /// Width in the camera's picture in pixels, 100..=1400.
    #[serde(default = "default_document_px")]
    pub width_px: f32,
    /// Its middle, as shares of the frame's width and height.
    #[serde(default = "default_held")]
    pub position: [f32; 2],
    /// Turned about the horizontal axis (top away), the vertical axis (right side away), and in its plane (clockwise), in degrees; -60..=60.
    #[serde(default)]
    pub tilt_deg: [f32; 3],
    /// How far the hand trembles, in pixels; 0..=100.
    #[serde(default = "default_jitter_px")]
    pub jitter_px: f32,
    /// Share of light that is mirrored rather than scattered: paper 0, laminate 0.04; 0..=1.
    #[serde(default = "default_gloss")]
    pub gloss: f32,
    /// Where a finger lies whose tip is there until a prompt asks for it, as shares of the document's width and height.
    pub finger: Option<[f32; 2]>,
    /// The other side is shown first.
    #[serde(default)]
    pub back_first: bool,
}

/// What the ticket is made of.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// A file with a finished ticket; then the other keys mean nothing.
    pub file: Option<PathBuf>,
    /// Purpose, for the wallet.
    #[serde(default)]
    pub purpose: String,
    /// Language, for the wallet.
    #[serde(default)]
    pub language: String,
    /// Accepted documents, for the wallet.
    #[serde(default)]
    pub documents: Vec<String>,
    /// Claimed fields in plain text, for the wallet to hash.
    #[serde(default)]
    pub claims: BTreeMap<String, String>,
    /// A picture of the person, for the wallet to make the reference template of a reverification from.
    pub reference: Option<PathBuf>,
    /// `X` for the files `X.png` and `X.toml` of the phone; absent: a drawn one.
    pub phone: Option<PathBuf>,
    /// Width of the phone's screen in the camera's picture in pixels, 100..=1200; a dense code makes it wider.
    #[serde(default = "default_phone_px")]
    pub width_px: f32,
    /// Luminance of the screen's white in cd/m2, 1..=2000.
    #[serde(default = "default_nits")]
    pub nits: f32,
}

/// What the microphone hears.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audio {
    /// 16 kHz, mono, 16 bit; absent: silence.
    pub wav: Option<PathBuf>,
    /// When it starts after the scene's beginning, in milliseconds.
    pub start_ms: u64,
    /// Noise floor in dBFS (root mean square), -120..=0.
    pub noise_floor_dbfs: f32,
}

impl Default for Audio {
    fn default() -> Self {
        Self {
            wav: None,
            start_ms: 0,
            noise_floor_dbfs: -62.0,
        }
    }
}

/// The wallet's network.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wallet {
    /// Whether the booth can reach the wallet.
    pub reachable: bool,
}

impl Default for Wallet {
    fn default() -> Self {
        Self { reachable: true }
    }
}

/// The board's own sensors.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Board {
    /// Temperature of the processor with the lamps off, in degrees Celsius; -40..=125.
    pub soc_celsius: f32,
    /// The supply is too low.
    pub undervoltage: bool,
    /// The case is open.
    pub tamper_open: bool,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            soc_celsius: 47.0,
            undervoltage: false,
            tamper_open: false,
        }
    }
}

/// What the person does instead of the usual when a screen appears.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// Name of the screen, or its beginning with `.*`.
    pub on: String,
    /// What is done.
    #[serde(rename = "do")]
    pub deed: ActDeed,
    /// Milliseconds after the screen appeared; absent: a human delay.
    pub after_ms: Option<u64>,
    /// How often at most; absent: always.
    pub times: Option<u32>,
}

/// What a person can be made to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActDeed {
    /// Presses the green button.
    PressConfirm,
    /// Presses the other button.
    PressCancel,
    /// Holds the other button for help.
    HoldCancel,
    /// Holds the phone before the camera.
    ShowTicket,
    /// Holds the document before the camera.
    ShowDocument,
    /// Takes everything away.
    HandsDown,
    /// Leaves the booth.
    Leave,
    /// Stands there.
    Nothing,
}

/// Something broken.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What and how.
    pub what: FaultWhat,
    /// From when on, in milliseconds after the scene's beginning, or after `after_screen` appeared first.
    #[serde(default)]
    pub from_ms: u64,
    /// For how long; absent: to the end.
    pub for_ms: Option<u64>,
    /// Counts from the first appearance of this screen.
    pub after_screen: Option<String>,
    /// Whether opening the camera again mends it.
    #[serde(default)]
    pub mended_by_reopen: bool,
}

/// What can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultWhat {
    /// ENODEV.
    CameraAbsent,
    /// EBUSY.
    CameraBusy,
    /// EACCES.
    CameraPermission,
    /// Open, and gives nothing.
    CameraNoFrames,
    /// The same frame again and again.
    CameraFrozen,
    /// No light reaches the sensor: read noise only.
    CameraDark,
    /// A cover lies on the lens: a little even light.
    CameraCovered,
    /// The lens is smeared.
    CameraBlurred,
    /// ENODEV.
    MicrophoneAbsent,
    /// Zeros.
    MicrophoneSilent,
    /// Every sample at full scale.
    MicrophoneClipping,
    /// The left half of the ring stays dark.
    LightLeftDead,
    /// The right half of the ring stays dark.
    LightRightDead,
    /// The ring does not answer.
    LightAbsent,
    /// The panel does not answer.
    PanelAbsent,
    /// The buttons do not answer.
    ButtonsAbsent,
    /// The green button stays down.
    ButtonStuck,
    /// ENODEV.
    SpeakerAbsent,
    /// The speaker takes samples and makes no sound.
    SpeakerSilent,
    /// Not a byte is free.
    DiskFull,
    /// The disk takes no writes, as ext4 after an error.
    DiskReadOnly,
    /// The wall clock is two days behind: a board without a battery that has not heard of the time yet.
    ClockBehind,
}

const fn default_seed() -> u64 {
    1
}
const fn one() -> f32 {
    1.0
}
const fn default_longest_s() -> f32 {
    120.0
}
const fn default_inter_eye_px() -> f32 {
    95.0
}
const fn default_eyes() -> [f32; 2] {
    [0.5, 0.42]
}
const fn default_sway_px() -> f32 {
    4.0
}
const fn default_document_px() -> f32 {
    760.0
}
const fn default_held() -> [f32; 2] {
    [0.5, 0.54]
}
const fn default_jitter_px() -> f32 {
    1.5
}
const fn default_gloss() -> f32 {
    0.02
}
const fn default_phone_px() -> f32 {
    430.0
}
const fn default_nits() -> f32 {
    220.0
}
