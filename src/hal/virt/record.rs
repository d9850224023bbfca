//! Writes down what the virtual devices were told and saw, for the demo's report: never delays a device.
//!
//! A thread of its own behind a bounded queue. When the queue is full the new note is dropped and counted; the count stands
//! in `recorder.json` at the end. Times are nanoseconds of the booth's clock.

use crate::base::time::Moment;
use crate::hal::PanelImage;
use crate::hal::light::LightLevels;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Notes that may wait: some ten seconds of them.
const QUEUE: usize = 1024;
/// Frames that may wait among them: each is a whole picture.
const FRAMES: usize = 3;
/// Width of the frames that are kept.
const FRAME_WIDTH: usize = 640;

/// Something to be written down.
#[derive(Debug)]
pub(super) enum Note {
    Light {
        at: Moment,
        levels: LightLevels,
    },
    Camera {
        at: Moment,
        sequence: u64,
        exposure_us: u32,
        gain: f32,
    },
    Frame {
        at: Moment,
        sequence: u64,
        width: usize,
        yuyv: Vec<u8>,
    },
    Panel {
        at: Moment,
        image: PanelImage,
    },
    Stage {
        at: Moment,
        text: String,
    },
    Speaker {
        at: Moment,
        samples: usize,
        peak: u16,
    },
    Watchdog {
        at: Moment,
    },
    /// The end: nothing comes after it.
    End,
}

#[derive(Debug, Default)]
struct Counts {
    dropped: AtomicU64,
    failed: AtomicU64,
    frames_waiting: AtomicUsize,
}

/// The recorder's end for the devices.
#[derive(Debug)]
pub(super) struct Recorder {
    notes: Sender<Note>,
    counts: Arc<Counts>,
    /// Every so many frames one is kept.
    pub(super) every: u64,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Recorder {
    /// Starts to record into `dir`, which is made if need be.
    pub(super) fn start(dir: &Path, every: u64) -> std::io::Result<Self> {
        std::fs::create_dir_all(dir.join("panel"))?;
        std::fs::create_dir_all(dir.join("frames"))?;
        let (notes, waiting) = bounded(QUEUE);
        let counts = Arc::new(Counts::default());
        let writer = Writer {
            dir: dir.to_owned(),
            files: HashMap::new(),
            counts: Arc::clone(&counts),
            panels: 0,
            last_panel: None,
        };
        let thread = std::thread::Builder::new()
            .name("virt-recorder".to_owned())
            .spawn(move || writer.run(&waiting))?;
        Ok(Self {
            notes,
            counts,
            every: every.max(1),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Hands a note over, or drops and counts it.
    pub(super) fn note(&self, note: Note) {
        let frame = matches!(note, Note::Frame { .. });
        if frame && self.counts.frames_waiting.fetch_add(1, Ordering::Relaxed) >= FRAMES {
            self.counts.frames_waiting.fetch_sub(1, Ordering::Relaxed);
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if let Err(TrySendError::Full(_)) = self.notes.try_send(note) {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
            if frame {
                self.counts.frames_waiting.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// How many notes were dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.counts.dropped.load(Ordering::Relaxed)
    }

    /// Writes what waits and ends.
    pub(super) fn finish(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // A full queue is being emptied: waiting is right here, and a writer that is gone needs no end.
            let _ = self.notes.send(Note::End);
            if thread.join().is_err() {
                tracing::error!("the recorder of the virtual booth stopped early");
            }
        }
    }
}

struct Writer {
    dir: PathBuf,
    files: HashMap<&'static str, BufWriter<File>>,
    counts: Arc<Counts>,
    panels: u32,
    last_panel: Option<PanelImage>,
}

impl Writer {
    fn run(mut self, notes: &Receiver<Note>) {
        let mut written = 0_u64;
        for note in notes {
            let frame = matches!(note, Note::Frame { .. });
            if matches!(note, Note::End) {
                break;
            }
            match self.write(note) {
                Ok(()) => written += 1,
                Err(error) => {
                    // Once is enough: a full disk fails for every note.
                    if self.counts.failed.fetch_add(1, Ordering::Relaxed) == 0 {
                        tracing::warn!(dir = %self.dir.display(), %error, "a note of the virtual booth cannot be written");
                    }
                }
            }
            if frame {
                self.counts.frames_waiting.fetch_sub(1, Ordering::Relaxed);
            }
        }
        for file in self.files.values_mut() {
            if file.flush().is_err() {
                self.counts.failed.fetch_add(1, Ordering::Relaxed);
            }
        }
        let about = json!({
            "written": written,
            "dropped": self.counts.dropped.load(Ordering::Relaxed),
            "failed": self.counts.failed.load(Ordering::Relaxed),
        });
        if let Err(error) = std::fs::write(self.dir.join("recorder.json"), format!("{about}\n")) {
            tracing::warn!(dir = %self.dir.display(), %error, "the recorder's counts cannot be written");
        }
    }

    fn line(&mut self, name: &'static str, value: &Value) -> std::io::Result<()> {
        let file = match self.files.entry(name) {
            std::collections::hash_map::Entry::Occupied(e) => e.into_mut(),
            std::collections::hash_map::Entry::Vacant(e) => {
                e.insert(BufWriter::new(File::create(self.dir.join(name))?))
            }
        };
        writeln!(file, "{value}")?;
        // The report may be made while we run.
        file.flush()
    }

    fn write(&mut self, note: Note) -> std::io::Result<()> {
        match note {
            Note::Light { at, levels } => self.line("lights.jsonl", &json!({"at_ns": at.as_nanos(), "left": levels.left, "right": levels.right})),
            Note::Camera { at, sequence, exposure_us, gain } => self.line(
                "camera.jsonl",
                &json!({"at_ns": at.as_nanos(), "sequence": sequence, "exposure_us": exposure_us, "gain": gain}),
            ),
            Note::Frame { at, sequence, width, yuyv } => {
                let file = format!("frames/{sequence:08}.jpg");
                jpeg(&self.dir.join(&file), width, &yuyv)?;
                self.line("frames.jsonl", &json!({"at_ns": at.as_nanos(), "sequence": sequence, "file": file}))
            }
            Note::Panel { at, image } => {
                if self.last_panel.as_ref() == Some(&image) {
                    return Ok(());
                }
                self.panels += 1;
                let file = format!("panel/{:04}-{}.png", self.panels, image.screen);
                png(&self.dir.join(&file), &image)?;
                let line = json!({"at_ns": at.as_nanos(), "screen": image.screen, "file": file});
                self.last_panel = Some(image);
                self.line("panel.jsonl", &line)
            }
            Note::Stage { at, text } => self.line("stage.jsonl", &json!({"at_ns": at.as_nanos(), "event": text})),
            Note::Speaker { at, samples, peak } => {
                self.line("speaker.jsonl", &json!({"at_ns": at.as_nanos(), "samples": samples, "peak": peak}))
            }
            Note::Watchdog { at } => self.line("watchdog.jsonl", &json!({"at_ns": at.as_nanos()})),
            Note::End => Ok(()),
        }
    }
}

/// Red, green and blue of a pixel of full-range BT.601.
pub(super) fn rgb(y: u8, u: u8, v: u8) -> [u8; 3] {
    let (y, u, v) = (f32::from(y), f32::from(u) - 128.0, f32::from(v) - 128.0);
    [
        y + 1.402 * v,
        y - 0.344_136 * u - 0.714_136 * v,
        y + 1.772 * u,
    ]
    .map(|c| (c + 0.5).clamp(0.0, 255.0) as u8)
}

/// Writes a YUYV picture as JPEG, at most 640 wide, each pixel the mean of those that it stands for.
fn jpeg(path: &Path, width: usize, yuyv: &[u8]) -> std::io::Result<()> {
    let height = yuyv.len() / 2 / width.max(1);
    let step = (width / FRAME_WIDTH).max(1);
    let (w, h) = (width / step, height / step);
    let mut pixels = Vec::with_capacity(w * h * 3);
    for y in 0..h {
        let row = &yuyv[y * step * width * 2..][..width * 2];
        for x in 0..w {
            let from = x * step;
            let luma = (0..step)
                .map(|i| u32::from(row[(from + i) * 2]))
                .sum::<u32>()
                / step as u32;
            let pair = from / 2 * 4;
            pixels.extend(rgb(luma as u8, row[pair + 1], row[pair + 3]));
        }
    }
    let mut file = BufWriter::new(File::create(path)?);
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut file, 82)
        .encode(&pixels, w as u32, h as u32, image::ExtendedColorType::Rgb8)
        .map_err(std::io::Error::other)?;
    file.flush()
}

/// Writes a panel's picture as PNG.
fn png(path: &Path, image: &PanelImage) -> std::io::Result<()> {
    let (w, h) = image.kind.size();
    let spread = |v: u16, bits: u32| (u32::from(v) * 255 / ((1 << bits) - 1)) as u8;
    let mut pixels: Vec<u8> = image
        .pixels
        .iter()
        .flat_map(|p| {
            [
                spread(p >> 11, 5),
                spread(p >> 5 & 63, 6),
                spread(p & 31, 5),
            ]
        })
        .collect();
    pixels.resize(w as usize * h as usize * 3, 0);
    image::save_buffer(path, &pixels, w, h, image::ExtendedColorType::Rgb8)
        .map_err(std::io::Error::other)
}
