//! What is kept of self-tests: the newest result of each part and the newest runs, in `selftest.json`; and what the devices were like when
//! they were calibrated, in `devices.json`. Small, bounded, written whole or not at all; nothing in them is about a person.

use super::PartReport;
use crate::base::files::text_file;
use crate::base::time::WallTime;
use crate::technician::report::{Row, Verdict};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Runs that are remembered.
const MOST_RUNS: usize = 16;

/// Why a self-test ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// The service started.
    Start,
    /// The day's.
    Daily,
    /// Somebody asked.
    Asked,
}

/// The newest result of a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartResult {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The worst verdict.
    pub verdict: Verdict,
    /// The figures.
    pub rows: Vec<Row>,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// When it ended, in milliseconds since 1970.
    pub at_ms: i64,
    /// Why.
    pub occasion: Occasion,
    /// How long it took.
    pub took_ms: u64,
    /// Verdict of each part.
    pub parts: BTreeMap<String, Verdict>,
}

/// `selftest.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// The newest of each part.
    pub parts: BTreeMap<String, PartResult>,
    /// The newest runs, the oldest first.
    pub runs: VecDeque<Run>,
}

impl Results {
    /// Takes a run in.
    pub fn add(&mut self, reports: &[PartReport], occasion: Occasion, took_ms: u64, at: WallTime) {
        for report in reports {
            let result = PartResult {
                at_ms: at.0,
                verdict: report.verdict(),
                rows: report.rows.clone(),
            };
            self.parts.insert(report.part.to_owned(), result);
        }
        if self.runs.len() == MOST_RUNS {
            self.runs.pop_front();
        }
        self.runs.push_back(Run {
            at_ms: at.0,
            occasion,
            took_ms,
            parts: reports
                .iter()
                .map(|r| (r.part.to_owned(), r.verdict()))
                .collect(),
        });
    }
}

/// What the ring gave when it was calibrated: see [`super::lights::LightFigures::per_ms`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LightReference {
    /// Left side, percent of full scale for a millisecond at gain 1.
    pub left: f32,
    /// Right side.
    pub right: f32,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// A level that was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelReference {
    /// The level, in the unit of what it is of.
    pub level: f32,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// `devices.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct References {
    /// The ring.
    pub lights: Option<LightReference>,
    /// The microphone's noise floor in this place, dBFS.
    pub microphone: Option<LevelReference>,
    /// Mean luminance of the empty booth with the light of the idle screen, 8-bit.
    pub camera: Option<LevelReference>,
}

/// A file with one of the two.
#[derive(Debug)]
pub struct Kept<T> {
    path: PathBuf,
    /// What is in it.
    pub now: T,
}

impl<T: Serialize + DeserializeOwned + Default> Kept<T> {
    /// Reads it; what cannot be read is put aside as `.damaged`, said in the log, and begun anew.
    pub fn open(path: &Path) -> Self {
        let now = match text_file(path) {
            Ok(text) => serde_json::from_str(&text).unwrap_or_else(|error| {
                let kept = std::fs::rename(path, path.with_extension("damaged")).is_ok();
                tracing::warn!(%error, file = %path.display(), kept, "cannot be read; a new one is begun");
                T::default()
            }),
            Err(_) => T::default(),
        };
        Self {
            path: path.to_owned(),
            now,
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// What the system says; the file is as it was then.
    pub fn write(&self) -> std::io::Result<()> {
        let half = self.path.with_extension("half");
        let mut file = std::fs::File::create(&half)?;
        serde_json::to_writer_pretty(&mut file, &self.now)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&half, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::technician::report::Verdict;

    #[test]
    fn results_are_kept_over_restarts_and_stay_few() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let path = dir.path().join("selftest.json");
        let mut kept = Kept::<Results>::open(&path);
        let mut report = PartReport::new("microphone");
        report.judged(
            "noise floor",
            -62.25,
            "dBFS",
            "<= -45",
            Verdict::Ok,
            "hw.mic.noisy",
        );
        for i in 0..40 {
            kept.now
                .add(&[report.clone()], Occasion::Daily, 7, WallTime(i));
        }
        kept.write().expect("there is room");
        let again = Kept::<Results>::open(&path);
        assert_eq!(again.now, kept.now);
        assert_eq!(
            (again.now.runs.len(), again.now.parts["microphone"].at_ms),
            (MOST_RUNS, 39)
        );
        std::fs::write(&path, "{").expect("written");
        assert_eq!(Kept::<Results>::open(&path).now, Results::default());
        assert!(path.with_extension("damaged").exists());
    }
}
