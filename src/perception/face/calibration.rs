//! Calibration: which comparison score stands for which false match rate, on which data.
//!
//! A threshold never comes from a paper: it moves badly from one group of people to another. It comes from a file that was made
//! on data like the booth's, for exactly this embedding net, and is quoted with its interval.

use super::embedding::Template;
use super::pipeline::FacePipeline;
use crate::base::frame::{FrameMeta, FrameView, PixelFormat};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

/// A calibration: one or more sets of comparisons, all made with one embedding net.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Version of the layout: 1.
    pub format: u32,
    /// SHA-256 of the embedding net's file; another net needs another calibration.
    pub model_sha256: String,
    /// The sets.
    pub set: Vec<CalibrationSet>,
}

/// Comparisons on one set of pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationSet {
    /// Which data.
    pub name: String,
    /// When it was measured, YYYY-MM-DD.
    pub date: String,
    /// Number of comparisons of the same person.
    pub n_genuine: u64,
    /// Number of comparisons of different persons.
    pub n_impostor: u64,
    /// Comparisons of the same person that could not be made (no face found, ...); not counted above.
    pub n_genuine_not_possible: u64,
    /// Errors at rising thresholds.
    pub point: Vec<CalibrationPoint>,
}

/// Errors at one threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationPoint {
    /// Least comparison score of a match.
    pub threshold: f64,
    /// Comparisons of different persons at or above it.
    pub false_matches: u64,
    /// Comparisons of the same person below it.
    pub false_non_matches: u64,
}

/// A threshold with what it stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// Least comparison score of a match.
    pub score: f64,
    /// False match rate measured at it, on the largest set.
    pub false_match_rate: f64,
    /// Upper end of its 95 % interval (Wilson score; rule of three at zero).
    pub false_match_rate_upper95: f64,
    /// False non-match rate measured at it, on the set that needs the highest threshold.
    pub false_non_match_rate: f64,
    /// The largest set with its size and date, and the set that needs the highest threshold.
    pub source: String,
}

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
        "calibration {place} was made for the embedding net {found}, but {expected} is installed; \
         mend: `boothd calibrate faces PAIRS.csv` with the installed one"
    )]
    OtherModel {
        /// The file.
        place: String,
        /// Hash in the calibration.
        found: String,
        /// Hash of the net.
        expected: String,
    },
    /// Not enough comparisons for such a rate.
    #[error(
        "calibration: no set is large enough for a false match rate of {target}: \
         found at most {found} comparisons of different persons, needed {needed}; mend: calibrate on more pictures"
    )]
    TooSmall {
        /// The rate asked for.
        target: f64,
        /// Comparisons of the largest set.
        found: u64,
        /// Comparisons needed.
        needed: u64,
    },
}

/// Upper end of the 95 % Wilson interval of `k` in `n`; 3/n at zero.
fn upper95(k: u64, n: u64) -> f64 {
    let (k, n, z) = (k as f64, n as f64, 1.96f64);
    if k == 0.0 {
        return (3.0 / n).min(1.0);
    }
    let p = k / n;
    let centre = p + z * z / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    ((centre + half) / (1.0 + z * z / n)).min(1.0)
}

impl Calibration {
    /// Reads a calibration that must be for the net with this hash.
    ///
    /// # Errors
    /// [`CalibrationError::File`] or [`CalibrationError::OtherModel`].
    pub fn read(path: &Path, model_sha256: &str) -> Result<Self, CalibrationError> {
        let file = |detail| CalibrationError::File {
            place: path.display().to_string(),
            detail,
        };
        let text = std::fs::read_to_string(path).map_err(|e| {
            file(format!(
                "{e}; mend: give the path of a file that `boothd calibrate faces` has made"
            ))
        })?;
        let calibration: Self = toml::from_str(&text).map_err(|e| {
            let detail = e.to_string().trim().replace('\n', " ");
            file(format!(
                "{detail}; mend: make it again with `boothd calibrate faces`"
            ))
        })?;
        if calibration.format != 1 {
            return Err(file(format!(
                "`format`: found {}, allowed: 1",
                calibration.format
            )));
        }
        if calibration.model_sha256 != model_sha256 {
            return Err(CalibrationError::OtherModel {
                place: path.display().to_string(),
                found: calibration.model_sha256,
                expected: model_sha256.to_owned(),
            });
        }
        let rising = |s: &CalibrationSet| {
            s.point.windows(2).all(|w| {
                w[0].threshold < w[1].threshold && w[0].false_matches >= w[1].false_matches
            })
        };
        if calibration
            .set
            .iter()
            .any(|s| s.point.is_empty() || s.n_impostor == 0 || !rising(s))
        {
            return Err(file(
                "`set.point`: must have thresholds that rise and false matches that do not"
                    .to_owned(),
            ));
        }
        Ok(calibration)
    }

    /// The threshold for a false match rate: the lowest that keeps the rate on every set, also on those that are too small to
    /// promise it (there it means no false match at all). The rate that is quoted is that of the largest set, which must have at
    /// least `1/target` comparisons of different persons.
    ///
    /// # Errors
    /// [`CalibrationError::TooSmall`], also when a set has false matches at its highest threshold.
    pub fn threshold_for(&self, target: f64) -> Result<Threshold, CalibrationError> {
        let needed = (1.0 / target).ceil() as u64;
        let largest = self.set.iter().max_by_key(|s| s.n_impostor);
        let too_small = |found| CalibrationError::TooSmall {
            target,
            found,
            needed,
        };
        let largest = largest
            .filter(|s| s.n_impostor >= needed)
            .ok_or_else(|| too_small(self.set.iter().map(|s| s.n_impostor).max().unwrap_or(0)))?;
        let mut governing: Option<(f64, &CalibrationSet)> = None;
        for set in &self.set {
            let kept =
                |p: &&CalibrationPoint| p.false_matches as f64 / set.n_impostor as f64 <= target;
            let point = set
                .point
                .iter()
                .find(kept)
                .ok_or_else(|| too_small(set.n_impostor))?;
            if governing.is_none_or(|(score, _)| point.threshold > score) {
                governing = Some((point.threshold, set));
            }
        }
        let (score, governing) = governing.ok_or_else(|| too_small(0))?;
        // `point` is not empty and rises (checked when read); a score beyond its end has the errors of the last.
        let at = |set: &CalibrationSet| {
            let found = set.point.iter().rfind(|p| p.threshold <= score);
            found.copied().unwrap_or(CalibrationPoint {
                threshold: score,
                false_matches: set.n_impostor,
                false_non_matches: 0,
            })
        };
        let point = at(largest);
        Ok(Threshold {
            score,
            false_match_rate: point.false_matches as f64 / largest.n_impostor as f64,
            false_match_rate_upper95: upper95(point.false_matches, largest.n_impostor),
            false_non_match_rate: at(governing).false_non_matches as f64
                / governing.n_genuine.max(1) as f64,
            source: format!(
                "rates on {}: {} comparisons of different persons, {}; threshold set by {}",
                largest.name, largest.n_impostor, largest.date, governing.name
            ),
        })
    }
}

impl CalibrationSet {
    /// Counts errors at thresholds from 0 to 0.9 in steps of 0.005.
    pub fn from_scores(
        name: &str,
        date: &str,
        genuine: &[f32],
        impostor: &[f32],
        n_genuine_not_possible: u64,
    ) -> Self {
        let count = |scores: &[f32], f: &dyn Fn(f64) -> bool| {
            scores.iter().filter(|s| f(f64::from(**s))).count() as u64
        };
        let point = (0..=180)
            .map(|i| f64::from(i) * 0.005)
            .map(|threshold| CalibrationPoint {
                threshold,
                false_matches: count(impostor, &|s| s >= threshold),
                false_non_matches: count(genuine, &|s| s < threshold),
            })
            .collect();
        Self {
            name: name.to_owned(),
            date: date.to_owned(),
            n_genuine: genuine.len() as u64,
            n_impostor: impostor.len() as u64,
            n_genuine_not_possible,
            point,
        }
    }
}

/// First line of a list of pairs.
const HEADING: &str = "a,b,same";

/// Measures a set from a list of pairs (`a,b,same` with a heading line; paths relative to the list; same: 1 or 0) with the
/// pipeline that the booth uses. Pictures without a face count as comparisons that were not possible.
///
/// # Errors
/// [`CalibrationError::File`] with the line, or the picture that cannot be read.
pub fn calibrate_faces(
    list: &Path,
    name: &str,
    date: &str,
    pipeline: &mut FacePipeline,
) -> Result<CalibrationSet, CalibrationError> {
    let fail = |place: String, detail: String| CalibrationError::File { place, detail };
    let text = std::fs::read_to_string(list)
        .map_err(|e| fail(list.display().to_string(), e.to_string()))?;
    if text.lines().next().map(str::trim) != Some(HEADING) {
        return Err(fail(
            format!("{}, line 1", list.display()),
            format!("found another heading, allowed: `{HEADING}`; mend: put it above the pairs"),
        ));
    }
    let folder = list.parent().unwrap_or(Path::new("."));
    let mut templates: HashMap<PathBuf, Option<Template>> = HashMap::new();
    let (mut genuine, mut impostor, mut not_possible) = (Vec::new(), Vec::new(), 0);
    for (i, line) in text
        .lines()
        .enumerate()
        .skip(1)
        .filter(|(_, l)| !l.trim().is_empty())
    {
        let place = || format!("{}, line {}", list.display(), i + 1);
        let parts: Vec<&str> = line.trim().split(',').collect();
        let (a, b, same) = match parts[..] {
            [a, b, "1"] => (a, b, true),
            [a, b, "0"] => (a, b, false),
            _ => {
                return Err(fail(
                    place(),
                    format!(
                        "found another form, allowed: {HEADING} with same 1 or 0; mend: correct the line"
                    ),
                ));
            }
        };
        for file in [a, b] {
            let path = folder.join(file);
            if let Entry::Vacant(vacant) = templates.entry(path) {
                let template = template_of(vacant.key(), pipeline);
                vacant.insert(template.map_err(|detail| fail(place(), detail))?);
            }
        }
        let of = |file: &str| templates.get(&folder.join(file)).and_then(Option::as_ref);
        match (of(a), of(b), same) {
            (Some(a), Some(b), true) => genuine.push(a.compare(b)),
            (Some(a), Some(b), false) => impostor.push(a.compare(b)),
            (_, _, true) => not_possible += 1,
            _ => {}
        }
    }
    if genuine.is_empty() || impostor.is_empty() {
        return Err(fail(
            list.display().to_string(),
            format!(
                "found {} comparisons of one person and {} of different persons, allowed: at least one of each; \
                 mend: list more pairs of pictures with a face",
                genuine.len(),
                impostor.len()
            ),
        ));
    }
    Ok(CalibrationSet::from_scores(
        name,
        date,
        &genuine,
        &impostor,
        not_possible,
    ))
}

/// Template of the largest face of a picture; `None` if there is none.
///
/// # Errors
/// If the picture cannot be read or a net not be run; names the file.
pub fn template_of(path: &Path, pipeline: &mut FacePipeline) -> Result<Option<Template>, String> {
    let fail = |e: String| format!("{}: {e}", path.display());
    let picture = image::open(path)
        .map_err(|e| fail(e.to_string()))?
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
    let frame = frame.map_err(|e| fail(e.to_string()))?;
    let seen = pipeline.analyse(&frame).map_err(|e| fail(e.to_string()))?;
    let Some(face) = seen.primary else {
        return Ok(None);
    };
    pipeline
        .template(&frame, &face.five_points)
        .map_err(|e| fail(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration() -> Calibration {
        let impostor: Vec<f32> = (0..20_000).map(|i| i as f32 / 40_000.0).collect();
        let genuine: Vec<f32> = (0..100).map(|i| 0.45 + i as f32 / 200.0).collect();
        let small = CalibrationSet::from_scores("small", "2026-11-23", &genuine, &[0.7, 0.1], 0);
        let large = CalibrationSet::from_scores("large", "2026-11-23", &genuine, &impostor, 3);
        Calibration {
            format: 1,
            model_sha256: "aa".into(),
            set: vec![small, large],
        }
    }

    #[test]
    fn the_threshold_keeps_the_rate_and_says_its_interval() {
        let threshold = calibration()
            .threshold_for(1e-3)
            .expect("20 000 comparisons are enough");
        // The small set has a false match at 0.7: it lifts the threshold above what the large set needs.
        assert!((threshold.score - 0.7).abs() < 1e-9, "{}", threshold.score);
        assert_eq!(threshold.false_match_rate, 0.0);
        assert!((threshold.false_match_rate_upper95 - 3.0 / 20_000.0).abs() < 1e-9);
        assert!(
            (threshold.false_non_match_rate - 0.5).abs() < 0.02,
            "{}",
            threshold.false_non_match_rate
        );
        assert!(
            threshold.source.ends_with("threshold set by small"),
            "{}",
            threshold.source
        );
        let mut large = calibration();
        large.set.remove(0);
        assert_eq!(large.threshold_for(1e-3).expect("enough").score, 0.5);
    }

    #[test]
    fn too_few_comparisons_promise_nothing() {
        let error = calibration()
            .threshold_for(1e-6)
            .expect_err("20 000 are not enough for 1e-6");
        assert!(error.to_string().contains("needed 1000000"), "{error}");
    }

    #[test]
    fn a_calibration_for_another_net_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("c.toml");
        std::fs::write(&path, toml::to_string(&calibration()).expect("TOML")).expect("written");
        assert_eq!(
            Calibration::read(&path, "aa").expect("the same net"),
            calibration()
        );
        let error = Calibration::read(&path, "bb").expect_err("another net");
        assert!(error.to_string().contains("calibrate faces"), "{error}");
        std::fs::write(&path, "format = 1").expect("written");
        assert!(Calibration::read(&path, "aa").is_err());
    }
}
