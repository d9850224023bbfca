//! `boothd render`: what the virtual camera sees at a step of a scene, as pictures to look at or as raw frames for a driver, and what its
//! microphone hears.

use crate::base::frame::Frame;
use crate::hal::CameraControls;
use crate::hal::light::{LightLevels, SideLevel};
use crate::hal::virt::{StillShot, StillStep, picture, sound, stills, write_wav};
use anyhow::{Context as _, ensure};
use clap::Args;
use std::path::{Path, PathBuf};

/// What was typed.
#[derive(Clone, Debug, Args)]
pub struct RenderArgs {
    /// The scene.
    scene: PathBuf,
    /// What the person does.
    #[arg(long)]
    step: StillStep,
    /// File with the ticket that the phone shows (`boothd ticket`).
    #[arg(long)]
    ticket: Option<PathBuf>,
    /// Where it is written: .png, one picture; .yuyv, the frames one after the other, as V4L2 has them.
    #[arg(long)]
    out: PathBuf,
    /// Width and height.
    #[arg(long, default_value = "1280x720", value_parser = size)]
    size: (u32, u32),
    /// Frames.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    frames: u32,
    /// White of both sides of the ring, a share of full power.
    #[arg(long, default_value_t = 0.1)]
    light: f32,
    /// White of the ring's left side instead of `--light`.
    #[arg(long)]
    light_left: Option<f32>,
    /// White of the ring's right side instead of `--light`.
    #[arg(long)]
    light_right: Option<f32>,
    /// Exposure in microseconds.
    #[arg(long, default_value_t = 8000, value_parser = clap::value_parser!(u32).range(100..=33_000))]
    exposure_us: u32,
    /// Where the scene's sound is written, too, as its microphone hears it: a WAV of 16 kHz, mono, 16 bit.
    #[arg(long)]
    sound: Option<PathBuf>,
    /// Seconds of sound.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    sound_s: u32,
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let parts = text.split_once('x');
    let parsed = parts.and_then(|(w, h)| Some((w.parse::<u32>().ok()?, h.parse::<u32>().ok()?)));
    parsed
        .filter(|(w, h)| (160..=4096).contains(w) && w % 2 == 0 && (120..=4096).contains(h))
        .ok_or_else(|| {
            "allowed: WIDTHxHEIGHT, an even width of 160 to 4096 and a height of 120 to 4096; mend: 1280x720"
                .to_owned()
        })
}

/// The level of one side: its own option, or that of both.
fn side(name: &str, own: Option<f32>, both: f32) -> anyhow::Result<SideLevel> {
    let (name, white) = own.map_or(("--light", both), |own| (name, own));
    ensure!(
        (0.0..=1.0).contains(&white),
        "{name} {white}: allowed: 0 to 1; mend: give a share of full power"
    );
    Ok(SideLevel::white(white))
}

/// Renders and writes.
///
/// # Errors
/// What is wrong with the scene, the ticket or the place to write to.
pub fn run(args: &RenderArgs) -> anyhow::Result<()> {
    let left = side("--light-left", args.light_left, args.light)?;
    let right = side("--light-right", args.light_right, args.light)?;
    let is_png = match args.out.extension().and_then(|e| e.to_str()) {
        Some("png") => true,
        Some("yuyv") => false,
        _ => anyhow::bail!(
            "--out {}: allowed: a name that ends in .png or .yuyv; mend: give it that ending",
            args.out.display()
        ),
    };
    ensure!(
        !is_png || args.frames == 1,
        "--frames {}: allowed with .png: 1; mend: write .yuyv, or one frame",
        args.frames
    );
    let read = |path: &PathBuf| {
        std::fs::read_to_string(path).with_context(|| {
            format!(
                "ticket {}; mend: name a file that `boothd ticket` wrote",
                path.display()
            )
        })
    };
    let ticket = args.ticket.as_ref().map(read).transpose()?;
    let shot = StillShot {
        step: args.step,
        size: args.size,
        levels: LightLevels { left, right },
        controls: CameraControls {
            exposure_us: args.exposure_us,
            gain: 1.0,
        },
    };
    let frames = stills(&args.scene, ticket.as_deref(), &shot, args.frames)?;
    if is_png {
        png(&frames[0], &args.out)?;
    } else {
        let bytes: Vec<&[u8]> = frames.iter().map(Frame::data).collect();
        std::fs::write(&args.out, bytes.concat())
            .with_context(|| args.out.display().to_string())?;
    }
    println!("written: {}", args.out.display());
    if let Some(to) = &args.sound {
        let samples = sound(&args.scene, args.sound_s)?;
        write_wav(to, &samples).with_context(|| {
            format!(
                "--sound {}; mend: name a file in a folder that is there",
                to.display()
            )
        })?;
        println!("written: {}", to.display());
    }
    Ok(())
}

fn png(frame: &Frame, to: &Path) -> anyhow::Result<()> {
    picture(frame)
        .save(to)
        .with_context(|| to.display().to_string())
}
