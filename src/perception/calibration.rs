//! What the calibrations of the face comparison and of the attack detection have in common: error rates with their intervals,
//! lists of pictures, and what can be wrong with either.

pub mod list;
pub mod rate;

use crate::base::frame::{FrameMeta, FrameView, PixelFormat};
use std::path::Path;

/// Fewer comparisons or presentations of a class than this say nothing about a rate: with none wrong among 20, the true rate may
/// still be 17 %.
pub const LEAST_N: usize = 20;

/// Why a calibration cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationError {
    /// Not readable, or not as it should be.
    #[error("calibration {place}: {detail}")]
    File {
        /// File, and line where there is one.
        place: String,
        /// What is wrong, what is allowed.
        detail: String,
    },
    /// Made for another net.
    #[error(
        "calibration {place} was made for the {net} net {found}, but {expected} is installed; \
         mend: `boothd calibrate {verb}` with the installed one"
    )]
    OtherModel {
        /// The file.
        place: String,
        /// Which net.
        net: &'static str,
        /// What makes such a calibration.
        verb: &'static str,
        /// Hash in the calibration.
        found: String,
        /// Hash of the net.
        expected: String,
    },
    /// Not enough comparisons for such a rate.
    #[error(
        "calibration: no set is large enough for a {rate} of {target}: \
         found at most {found} {what}, needed {needed}; mend: calibrate on more pictures"
    )]
    TooSmall {
        /// Name of the rate.
        rate: &'static str,
        /// The rate asked for.
        target: f64,
        /// Of what the set has too few.
        what: String,
        /// How many the largest set has.
        found: u64,
        /// How many are needed.
        needed: u64,
    },
    /// No threshold keeps all rates.
    #[error(
        "calibration: set `{set}`: found {found}, allowed at most {allowed}; \
         mend: ask for another rate in the policy, or install a better net"
    )]
    Unreachable {
        /// The set.
        set: String,
        /// The rate and where it was found.
        found: String,
        /// What the policy asks for.
        allowed: f64,
    },
}

impl CalibrationError {
    /// Something wrong with a file, or with a line of it.
    pub(crate) fn file(place: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::File {
            place: place.into(),
            detail: detail.into(),
        }
    }
}

/// Reads a calibration file of any kind; `verb` is what makes one.
pub(crate) fn read_toml<T: serde::de::DeserializeOwned>(
    path: &Path,
    verb: &str,
) -> Result<T, CalibrationError> {
    let file = |detail| CalibrationError::file(path.display().to_string(), detail);
    let text = std::fs::read_to_string(path).map_err(|e| {
        file(format!(
            "{e}; mend: give the path of a file that `boothd calibrate {verb}` has made"
        ))
    })?;
    toml::from_str(&text).map_err(|e| {
        let detail = e.to_string().trim().replace('\n', " ");
        file(format!(
            "{detail}; mend: make it again with `boothd calibrate {verb}`"
        ))
    })
}

/// Opens a picture and hands it over as a frame.
///
/// # Errors
/// If it is missing, no picture, or of a size that no frame has; names the file.
pub fn with_picture<R>(
    path: &Path,
    look: impl FnOnce(&FrameView<'_>) -> Result<R, String>,
) -> Result<R, String> {
    let fail = |e: String| format!("{}: {e}", path.display());
    let picture = image::open(path)
        .map_err(|e| {
            fail(format!(
                "{e}; mend: name a PNG or JPEG picture, relative to the list"
            ))
        })?
        .into_rgb8();
    let (w, h) = picture.dimensions();
    let frame = FrameView::new(
        picture.as_raw(),
        w,
        h,
        w as usize * 3,
        PixelFormat::Rgb8,
        FrameMeta::default(),
    );
    look(&frame.map_err(|e| fail(e.to_string()))?).map_err(fail)
}
