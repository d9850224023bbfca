//! Frames to measure with: the virtual booth's own, rendered once.

use anyhow::Context as _;
use boothd::base::frame::{Frame, PixelFormat};
use boothd::base::ids::{Language, SessionId};
use boothd::base::time::{ManualClock, Moment, WallTime};
use boothd::hal::virt::{self, VirtConfig};
use boothd::hal::{Camera, CameraControls, Panel, PanelImage, PanelKind};
use boothd::perception::vision::scene_light;
use boothd::trust::keys::SoftwareKey;
use boothd::trust::ticket::{self, Bytes, DocumentKind, Field, Purpose, TicketClaims};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Longer than the time between two frames of the virtual camera, so that the next one is always due.
const TURN: Duration = Duration::from_millis(34);
/// Any time will do; the ticket is read, not checked.
const ISSUED: WallTime = WallTime(1_795_468_444_000);

/// The pictures of one size, and the camera that they came from.
pub(crate) struct Frames {
    /// A person, about 95 pixels between the eyes; no document, no code.
    pub(crate) face: Frame,
    /// The person holds a passport.
    pub(crate) document: Frame,
    /// The person holds a phone with a ticket.
    pub(crate) ticket: Frame,
    camera: Box<dyn Camera>,
    clock: Arc<ManualClock>,
    scratch: Frame,
}

/// What the scene's numbers, which are made for a picture 1280 wide, are multiplied by for a narrower one.
fn scene_of(size: (u32, u32), folder: &Path) -> anyhow::Result<std::path::PathBuf> {
    let scenes = Path::new(env!("CARGO_MANIFEST_DIR")).join("board/scenes");
    let text = std::fs::read_to_string(scenes.join("passport.toml"))?;
    let mut scene: toml::Table = toml::from_str(&text)?;
    let zoom = 1280.0 / f64::from(size.0);
    // Less for what is as wide as the picture already.
    for (table, key, factor) in [
        ("person", "inter_eye_px", zoom),
        ("document", "width_px", zoom.powf(0.5)),
        ("ticket", "width_px", zoom.powf(0.75)),
    ] {
        let value = scene
            .get_mut(table)
            .and_then(|t| t.get_mut(key))
            .context("the scene `passport` has person, document and ticket")?;
        *value = toml::Value::Float(value.as_float().unwrap_or(0.0) * factor);
    }
    for (table, key) in [
        ("room", "picture"),
        ("person", "layers"),
        ("document", "picture"),
        ("ticket", "phone"),
    ] {
        let value = scene.get_mut(table).and_then(|t| t.get_mut(key));
        if let Some(toml::Value::String(path)) = value {
            *path = scenes.join(&*path).to_string_lossy().into_owned();
        }
    }
    let file = folder.join(format!("scene-{}x{}.toml", size.0, size.1));
    std::fs::write(&file, toml::to_string(&scene)?)?;
    Ok(file)
}

/// A ticket as the wallet of the demonstration would issue it, signed with a key of this benchmark.
fn ticket_text() -> anyhow::Result<String> {
    let mut claims = TicketClaims {
        version: 1,
        ticket_id: "T-BENCH".to_owned(),
        session: SessionId::from_parts(ISSUED.0, [3; 10]),
        tenant: "utopia-wallet".to_owned(),
        policy: "utopia-standard".to_owned(),
        purpose: Purpose::Onboarding,
        language: Language::En,
        documents: vec![DocumentKind::Td3],
        salt: Bytes([5; 16]),
        fields: BTreeMap::new(),
        issued_s: ISSUED.unix_s(),
        expires_s: ISSUED.unix_s() + 300,
        nonce: Bytes([6; 16]),
        booth: None,
        extended_time: false,
        reference: None,
    };
    claims.claim(Field::DocumentNumber, "U48203715");
    claims.claim(Field::BirthDate, "1987-03-19");
    claims.claim(Field::ExpiryDate, "2034-08-14");
    Ok(ticket::issue(&claims, &SoftwareKey::from_seed(&[1; 32]))?)
}

impl Frames {
    /// Plays the scene `passport` for a camera of `size`, as far as three pictures need it.
    pub(crate) fn render(size: (u32, u32), folder: &Path) -> anyhow::Result<Self> {
        let clock = Arc::new(ManualClock::new(Moment::from_millis(1000), ISSUED));
        let config = VirtConfig {
            width: size.0,
            height: size.1,
            ..VirtConfig::default()
        };
        let (devices, stage) = virt::open(&config, clock.clone(), None)?;
        stage.play(&scene_of(size, folder)?, Some(&ticket_text()?))?;
        let mut panel = devices.panel.context("the virtual booth has a panel")?;
        let blank = || Frame::new(2, 2, PixelFormat::Yuyv);
        let mut frames = Self {
            face: blank(),
            document: blank(),
            ticket: blank(),
            camera: devices.camera,
            clock,
            scratch: blank(),
        };
        frames.face = frames.picture(0.45)?;
        frames.show(panel.device()?, "idle")?;
        frames.ticket = frames.picture(0.35)?;
        frames.show(panel.device()?, "document.show")?;
        frames.document = frames.picture(0.5)?;
        // The stage's thread ends here: nothing runs beside what is measured.
        drop(stage);
        Ok(frames)
    }

    fn show(&self, panel: &mut dyn Panel, screen: &'static str) -> anyhow::Result<()> {
        let (width, height) = PanelKind::St7789.size();
        let image = PanelImage {
            kind: PanelKind::St7789,
            screen,
            pixels: vec![0; width as usize * height as usize],
        };
        Ok(panel.show(&image)?)
    }

    /// Waits until the person has moved, exposes for this mean of the picture, and takes one.
    fn picture(&mut self, mean: f32) -> anyhow::Result<Frame> {
        let mut exposure_us = 10_000.0f32;
        for _ in 0..12 {
            self.clock.advance(Duration::from_millis(250));
            self.camera.set_controls(CameraControls {
                exposure_us: exposure_us as u32,
                gain: 1.5,
            })?;
            // A new setting counts two frames later.
            for _ in 0..3 {
                self.capture()?;
            }
            let found = scene_light(&self.scratch.view()).mean.max(0.02);
            // The camera's curve is about a square root.
            exposure_us = (exposure_us * (mean / found).powi(2)).clamp(500.0, 33_000.0);
        }
        let mut picture = Frame::new(2, 2, PixelFormat::Yuyv);
        std::mem::swap(&mut picture, &mut self.scratch);
        Ok(picture)
    }

    /// Renders the next frame of the scene: the person with the passport.
    pub(crate) fn capture(&mut self) -> anyhow::Result<()> {
        self.clock.advance(TURN);
        Ok(self
            .camera
            .capture(&mut self.scratch, Duration::from_secs(1))?)
    }
}
