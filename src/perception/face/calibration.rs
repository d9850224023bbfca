//! Calibration: which comparison score stands for which false match rate, on which data.
//!
//! A threshold never comes from a paper: it moves badly from one group of people to another. It comes from a file that was made
//! on data like the booth's, for exactly this embedding net, and is quoted with its interval.

use super::embedding::Template;
use super::pipeline::FacePipeline;
use crate::perception::calibration::list::List;
use crate::perception::calibration::rate::Rate;
use crate::perception::calibration::{CalibrationError, LEAST_N, read_toml, with_picture};
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
    /// Lower end of its 95 % interval (Clopper and Pearson, as if all comparisons were independent).
    pub false_match_rate_lower95: f64,
    /// Upper end of it.
    pub false_match_rate_upper95: f64,
    /// False non-match rate measured at it, on the set that needs the highest threshold.
    pub false_non_match_rate: f64,
    /// The largest set with its size and date, and the set that needs the highest threshold.
    pub source: String,
}

impl Calibration {
    /// Reads a calibration that must be for the net with this hash.
    ///
    /// # Errors
    /// [`CalibrationError::File`] or [`CalibrationError::OtherModel`].
    pub fn read(path: &Path, model_sha256: &str) -> Result<Self, CalibrationError> {
        let file = |detail: String| CalibrationError::file(path.display().to_string(), detail);
        let calibration: Self = read_toml(path, "faces")?;
        if calibration.format != 1 {
            return Err(file(format!(
                "`format`: found {}, allowed: 1",
                calibration.format
            )));
        }
        if calibration.model_sha256 != model_sha256 {
            return Err(CalibrationError::OtherModel {
                place: path.display().to_string(),
                net: "embedding",
                verb: "faces",
                found: calibration.model_sha256,
                expected: model_sha256.to_owned(),
            });
        }
        if calibration.set.is_empty() {
            return Err(file("found no set, allowed: at least one".to_owned()));
        }
        let good = |s: &CalibrationSet| {
            let within = |p: &CalibrationPoint| {
                p.threshold.is_finite()
                    && p.false_matches <= s.n_impostor
                    && p.false_non_matches <= s.n_genuine
            };
            let rising = s.point.windows(2).all(|w| {
                w[0].threshold < w[1].threshold
                    && w[0].false_matches >= w[1].false_matches
                    && w[0].false_non_matches <= w[1].false_non_matches
            });
            !s.point.is_empty() && s.n_impostor > 0 && s.point.iter().all(within) && rising
        };
        if let Some(bad) = calibration.set.iter().find(|s| !good(s)) {
            return Err(file(format!(
                "set `{}`: `point` must have finite thresholds that rise, with false matches that do not and false non-matches that \
                 do not fall, none above the number of comparisons; mend: make it again with `boothd calibrate faces`",
                bad.name
            )));
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
            rate: "false match rate",
            target,
            what: "comparisons of different persons".to_owned(),
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
        let rate = Rate::new(at(largest).false_matches, largest.n_impostor);
        let (lower, upper) = rate.interval95();
        Ok(Threshold {
            score,
            false_match_rate: rate.value(),
            false_match_rate_lower95: lower,
            false_match_rate_upper95: upper,
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
            .map(|i| f64::from(i) / 200.0)
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

/// Columns of a list of pairs.
const COLUMNS: [&str; 3] = ["a", "b", "same"];
/// Columns that it may have beside them: who is on the pictures.
const SUBJECTS: [&str; 2] = ["subject_a", "subject_b"];

/// A comparison that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Its score.
    pub score: f32,
    /// Who was compared, where the list says so.
    pub subjects: Option<[String; 2]>,
}

/// All comparisons of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparisons {
    /// Of the same person.
    pub genuine: Vec<Compared>,
    /// Of different persons.
    pub impostor: Vec<Compared>,
    /// Comparisons of the same person that could not be made: no face was found.
    pub n_genuine_not_possible: u64,
    /// Comparisons of different persons that could not be made.
    pub n_impostor_not_possible: u64,
}

impl Comparisons {
    /// The set that goes into the calibration file.
    pub fn to_set(&self, name: &str, date: &str) -> CalibrationSet {
        let scores = |all: &[Compared]| all.iter().map(|c| c.score).collect::<Vec<_>>();
        CalibrationSet::from_scores(
            name,
            date,
            &scores(&self.genuine),
            &scores(&self.impostor),
            self.n_genuine_not_possible,
        )
    }
}

/// Makes the comparisons of a list of pairs (columns `a`, `b`, `same` and maybe `subject_a`, `subject_b`; paths relative to the
/// list; same: 1 or 0) with the pipeline that the booth uses. Pictures without a face count as comparisons that were not possible.
///
/// # Errors
/// [`CalibrationError::File`] with the line that is wrong or the picture that cannot be read, or if there are too few of a kind.
pub fn compare_pairs(
    list: &Path,
    pipeline: &mut FacePipeline,
) -> Result<Comparisons, CalibrationError> {
    let list = List::read(list, &COLUMNS, &SUBJECTS)?;
    let mut templates: HashMap<PathBuf, Option<Template>> = HashMap::new();
    let mut all = Comparisons::default();
    for row in list.rows() {
        let same = match row.cell(2) {
            "1" => true,
            "0" => false,
            other => {
                return Err(list.error(
                    row,
                    format!(
                        "`same`: found `{other}`, allowed: same 1 or 0; mend: correct the line"
                    ),
                ));
            }
        };
        for file in [row.cell(0), row.cell(1)] {
            if let Entry::Vacant(vacant) = templates.entry(list.resolve(file)) {
                let template = template_of(vacant.key(), pipeline);
                vacant.insert(template.map_err(|detail| list.error(row, detail))?);
            }
        }
        let of = |file: &str| templates.get(&list.resolve(file)).and_then(Option::as_ref);
        let compared = of(row.cell(0)).zip(of(row.cell(1))).map(|(a, b)| {
            let subjects = [row.cell(3), row.cell(4)];
            Compared {
                score: a.compare(b),
                subjects: subjects
                    .iter()
                    .all(|s| !s.is_empty())
                    .then(|| subjects.map(str::to_owned)),
            }
        });
        match (compared, same) {
            (Some(compared), true) => all.genuine.push(compared),
            (Some(compared), false) => all.impostor.push(compared),
            (None, true) => all.n_genuine_not_possible += 1,
            (None, false) => all.n_impostor_not_possible += 1,
        }
    }
    if all.genuine.len() < LEAST_N || all.impostor.len() < LEAST_N {
        return Err(list.error_of_all(format!(
            "found {} comparisons of one person and {} of different persons ({} more not possible: no face), \
             allowed: at least {LEAST_N} of each; mend: list more pairs of pictures with a face",
            all.genuine.len(),
            all.impostor.len(),
            all.n_genuine_not_possible + all.n_impostor_not_possible,
        )));
    }
    Ok(all)
}

/// Template of the largest face of a picture; `None` if there is none.
///
/// # Errors
/// If the picture cannot be read or a net not be run; names the file.
pub fn template_of(path: &Path, pipeline: &mut FacePipeline) -> Result<Option<Template>, String> {
    with_picture(path, |frame| {
        let seen = pipeline.analyse(frame).map_err(|e| e.to_string())?;
        let Some(face) = seen.primary else {
            return Ok(None);
        };
        pipeline
            .template(frame, &face.five_points)
            .map_err(|e| e.to_string())
    })
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
        assert_eq!(threshold.false_match_rate_lower95, 0.0);
        // None in 20 000: 1 - 0.025^(1/20000).
        assert!((threshold.false_match_rate_upper95 - 1.844e-4).abs() < 1e-7);
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

    #[test]
    fn a_calibration_that_cannot_be_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("c.toml");
        let check = |change: fn(&mut Calibration), word: &str| {
            let mut wrong = calibration();
            change(&mut wrong);
            std::fs::write(&path, toml::to_string(&wrong).expect("TOML")).expect("written");
            let error = Calibration::read(&path, "aa").expect_err(word).to_string();
            assert!(error.contains(word), "{error}");
        };
        check(|c| c.format = 2, "`format`: found 2");
        check(|c| c.set.clear(), "no set");
        check(|c| c.set[0].point.truncate(0), "set `small`");
        check(|c| c.set[1].point[3].threshold = f64::NAN, "set `large`");
        check(|c| c.set[1].n_impostor = 0, "set `large`");
        check(|c| c.set[1].point[0].false_matches = 20_001, "set `large`");
        check(|c| c.set[1].point[2].false_matches = 20_000, "set `large`");
    }
}
