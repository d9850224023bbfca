//! A recorded session as camera and microphone: a folder of pictures with times, and a WAV.
//!
//! `NAME.png` or `NAME.jpg`, sorted by name, `frames_per_s` of the board file apart; or in the order and at the times of
//! `times.csv` (`name,ms` a line, a header line of those words allowed, times rising). `audio.wav` beside them, if any.
//! Pictures come as they are, in RGB; every one must have the size of the first.

use super::sound::{Pace, WavError, read_wav};
use super::world::wait_until;
use crate::base::frame::{Frame, FrameMeta, PixelFormat};
use crate::base::time::{Moment, SharedClock};
use crate::hal::decoding::unbroken;
use crate::hal::recovery::Means;
use crate::hal::{
    Camera, CameraControls, CameraInfo, DeviceFault, DeviceKind, FaultKind, Microphone, Rung,
};
use image::ImageReader;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a recording cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The folder or a file cannot be read.
    #[error("recording: cannot read {}: {source}; mend: name an existing, readable folder of pictures", .path.display())]
    Read {
        /// What could not be read.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No picture in the folder.
    #[error("recording {}: holds no picture; allowed: .png, .jpg, .jpeg; mend: put the frames there or name another folder", .path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// A picture that cannot be a frame.
    #[error("recording: {}: {detail}; allowed: PNG or JPEG, even width and height from 64 to 8192, all of one size; mend: make this picture again or take it out", .path.display())]
    Picture {
        /// The picture.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A line of `times.csv`.
    #[error("recording: {} line {line}: {detail}; allowed: `name,ms` with rising times; mend: correct the line", .path.display())]
    Times {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        detail: String,
    },
    /// The sound.
    #[error("recording: {0}")]
    Sound(#[from] WavError),
}

/// A recorded session's pictures.
#[derive(Debug)]
pub struct ReplayCamera {
    info: CameraInfo,
    clock: SharedClock,
    started: Moment,
    frames: Vec<(PathBuf, Duration)>,
    next: usize,
    pace: Sequence,
}

/// A recorded session's sound; silence after its end.
#[derive(Clone, Debug)]
pub struct ReplayMicrophone {
    clock: SharedClock,
    pace: Pace,
    samples: std::sync::Arc<[i16]>,
}

/// Opens a recording: looks at every picture's size, decodes none yet.
///
/// # Errors
/// [`ReplayError`] names the file, what was found and what would do.
pub fn open(
    folder: &Path,
    frames_per_s: f32,
    clock: &SharedClock,
) -> Result<(ReplayCamera, Option<ReplayMicrophone>), ReplayError> {
    open_as(folder, frames_per_s, clock, Sequence::Recorded)
}

/// Opens a folder of pictures that need not belong together: of any size, each given once, as fast as they are asked for, and with the
/// time that it has in a recording as the time of its capture. A picture that is none is a fault of its own when its turn comes.
///
/// # Errors
/// As [`open`].
pub fn open_stills(
    folder: &Path,
    frames_per_s: f32,
    clock: &SharedClock,
) -> Result<ReplayCamera, ReplayError> {
    open_as(folder, frames_per_s, clock, Sequence::Stills).map(|(camera, _)| camera)
}

/// How pictures follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sequence {
    /// At their times; a slow reader misses some.
    Recorded,
    /// When they are asked for.
    Stills,
}

fn open_as(
    folder: &Path,
    frames_per_s: f32,
    clock: &SharedClock,
    pace: Sequence,
) -> Result<(ReplayCamera, Option<ReplayMicrophone>), ReplayError> {
    let times = folder.join("times.csv");
    let frames = if times.exists() {
        timed(folder, &times)?
    } else {
        sorted(folder, frames_per_s)?
    };
    if frames.is_empty() {
        return Err(ReplayError::Empty {
            path: folder.to_owned(),
        });
    }
    let mut first = None;
    for (path, _) in frames.iter().filter(|_| pace == Sequence::Recorded) {
        let fail = |detail: String| ReplayError::Picture {
            path: path.clone(),
            detail,
        };
        let (w, h) = image::ImageReader::open(path)
            .map_err(|source| ReplayError::Read {
                path: path.clone(),
                source,
            })?
            .with_guessed_format()
            .map_err(|source| ReplayError::Read {
                path: path.clone(),
                source,
            })?
            .into_dimensions()
            .map_err(|e| fail(format!("is no picture: {e}")))?;
        let size = *first.get_or_insert((w, h));
        if !(64..=8192).contains(&w)
            || !(64..=8192).contains(&h)
            || w % 2 == 1
            || h % 2 == 1
            || size != (w, h)
        {
            return Err(fail(format!(
                "is {w} x {h} pixels, the first is {} x {}",
                size.0, size.1
            )));
        }
    }
    let (width, height) = first.unwrap_or((64, 64));
    let sound = folder.join("audio.wav");
    let started = clock.now();
    let microphone = if sound.exists() {
        let samples = read_wav(&sound)?;
        Some(ReplayMicrophone {
            clock: clock.clone(),
            pace: Pace::new(started),
            samples: samples.into(),
        })
    } else {
        None
    };
    let info = CameraInfo {
        name: "recording".to_owned(),
        width,
        height,
        frames_per_s,
        exposure_us: None,
        gain: None,
        is_live: false,
        means: Means::default(),
    };
    Ok((
        ReplayCamera {
            info,
            clock: clock.clone(),
            started,
            frames,
            next: 0,
            pace,
        },
        microphone,
    ))
}

/// The pictures of a folder, sorted by name.
///
/// # Errors
/// If the folder cannot be read.
pub fn pictures(folder: &Path) -> Result<Vec<PathBuf>, ReplayError> {
    let read = |source| ReplayError::Read {
        path: folder.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        let ending = path
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default()
            .to_ascii_lowercase();
        if matches!(ending.as_str(), "png" | "jpg" | "jpeg") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn sorted(folder: &Path, frames_per_s: f32) -> Result<Vec<(PathBuf, Duration)>, ReplayError> {
    let period = 1.0 / frames_per_s.clamp(0.1, 240.0);
    Ok(pictures(folder)?
        .into_iter()
        .enumerate()
        .map(|(i, p)| (p, Duration::from_secs_f32(i as f32 * period)))
        .collect())
}

fn timed(folder: &Path, times: &Path) -> Result<Vec<(PathBuf, Duration)>, ReplayError> {
    let text = std::fs::read_to_string(times).map_err(|source| ReplayError::Read {
        path: times.to_owned(),
        source,
    })?;
    let mut frames: Vec<(PathBuf, Duration)> = Vec::new();
    let mut absent = None;
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || (i == 0 && line == "name,ms") {
            continue;
        }
        let fail = |detail: String| ReplayError::Times {
            path: times.to_owned(),
            line: i + 1,
            detail,
        };
        let shown: String = line.chars().take(80).collect();
        let (name, ms) = line
            .rsplit_once(',')
            .ok_or_else(|| fail(format!("`{shown}` has no comma")))?;
        let name = name.trim();
        if name.is_empty() || name.contains('/') || name.contains("..") {
            return Err(fail(format!(
                "`{shown}` does not name a picture of this folder"
            )));
        }
        let ms: u64 = ms
            .trim()
            .parse()
            .map_err(|_| fail(format!("`{shown}` has no whole number of milliseconds")))?;
        let at = Duration::from_millis(ms);
        if frames.last().is_some_and(|(_, before)| at <= *before) {
            return Err(fail(format!("{ms} ms is not after the line before")));
        }
        let path = folder.join(name);
        if absent.is_none() && !path.is_file() {
            absent = Some(fail(format!("`{shown}`: there is no such picture")));
        }
        frames.push((path, at));
    }
    absent.map_or(Ok(frames), Err)
}

/// Sides of a picture that can be a frame.
const SIDES: std::ops::RangeInclusive<u32> = 2..=8192;

/// Decodes a PNG or JPEG picture, whatever its name says. Sizes are looked at before anything is allocated for them.
///
/// # Errors
/// What is wrong with it, in words.
pub fn decode(bytes: &[u8]) -> Result<image::RgbImage, String> {
    let reader = || ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let of = |e: &dyn std::fmt::Display| e.to_string();
    let (width, height) = reader()
        .map_err(|e| of(&e))?
        .into_dimensions()
        .map_err(|e| of(&e))?;
    if !SIDES.contains(&width) || !SIDES.contains(&height) {
        return Err(format!("{width} x {height} pixels, allowed: 2 to 8192"));
    }
    let reader = reader().map_err(|e| of(&e))?;
    let picture = unbroken(|| reader.decode())
        .ok_or("a damaged picture: the decoder broke off")?
        .map_err(|e| of(&e))?;
    Ok(picture.into_rgb8())
}

impl ReplayCamera {
    /// File names of the pictures, in their order.
    pub fn names(&self) -> Vec<String> {
        let name = |p: &PathBuf| {
            p.file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        self.frames.iter().map(|(path, _)| name(path)).collect()
    }

    fn fault(&self, kind: FaultKind, detail: String, mend: &str) -> DeviceFault {
        DeviceFault {
            device: DeviceKind::Camera,
            kind,
            place: "recording".to_owned(),
            detail,
            mend: mend.to_owned(),
        }
    }
}

impl Camera for ReplayCamera {
    fn info(&self) -> &CameraInfo {
        &self.info
    }

    fn capture(&mut self, into: &mut Frame, timeout: Duration) -> Result<(), DeviceFault> {
        // A slow reader gets the newest frame that is due.
        let now = self.clock.now();
        let is_due = |(_, at): &(PathBuf, Duration)| self.started.plus(*at) <= now;
        let recorded = self.pace == Sequence::Recorded;
        while recorded && self.frames.get(self.next + 1).is_some_and(is_due) {
            self.next += 1;
        }
        let Some((path, at)) = self.frames.get(self.next) else {
            wait_until(&*self.clock, Moment::from_nanos(u64::MAX), timeout);
            let detail = "the recording is over".to_owned();
            return Err(self.fault(
                FaultKind::NoFrames,
                detail,
                "start the service again to replay it again",
            ));
        };
        let captured = self.started.plus(*at);
        if recorded && !wait_until(&*self.clock, captured, timeout) {
            let detail = format!("no frame within {} ms", timeout.as_millis());
            return Err(self.fault(
                FaultKind::NoFrames,
                detail,
                "wait longer, or look at times.csv",
            ));
        }
        let sequence = self.next as u64;
        self.next += 1;
        let bytes = std::fs::read(path).map_err(|e| e.to_string());
        let picture = bytes.and_then(|bytes| decode(&bytes)).map_err(|e| {
            let detail = format!("{}: {e}", path.display());
            self.fault(
                FaultKind::Io,
                detail,
                "make this picture again, scale it, or take it out",
            )
        })?;
        let (width, height) = picture.dimensions();
        if recorded && (width, height) != (self.info.width, self.info.height) {
            let detail = format!(
                "{}: its size changed since the recording was opened",
                path.display()
            );
            return Err(self.fault(
                FaultKind::Io,
                detail,
                "do not change a recording while it is replayed",
            ));
        }
        into.reshape(width, height, PixelFormat::Rgb8);
        into.data_mut().copy_from_slice(picture.as_raw());
        into.meta = FrameMeta {
            captured,
            sequence,
            exposure_us: None,
            gain: None,
        };
        Ok(())
    }

    fn set_controls(&mut self, _controls: CameraControls) -> Result<(), DeviceFault> {
        // What was recorded was recorded: `info` says that nothing can be set.
        Ok(())
    }

    fn reopen(&mut self) -> Result<(), DeviceFault> {
        Ok(())
    }

    fn recover(&mut self, rung: Rung) -> Result<(), DeviceFault> {
        Err(DeviceFault::without_rung(
            DeviceKind::Camera,
            &self.info.name,
            rung,
        ))
    }
}

impl Microphone for ReplayMicrophone {
    fn read(
        &mut self,
        into: &mut [i16],
        timeout: Duration,
    ) -> Result<(usize, Moment), DeviceFault> {
        let (first, n, at) = self.pace.wait(&*self.clock, into.len(), timeout)?;
        for (i, sample) in into[..n].iter_mut().enumerate() {
            let place = usize::try_from(first)
                .unwrap_or(usize::MAX)
                .saturating_add(i);
            *sample = self.samples.get(place).copied().unwrap_or(0);
        }
        Ok((n, at))
    }
}
