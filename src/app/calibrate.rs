//! `boothd calibrate`: error rates on pictures, printed, drawn, and written as the file that the decision uses.

mod curve;
mod faces;
mod pad;

use super::replay::ModelArgs;
use crate::base::time::{Clock, SystemClock};
use crate::models::{Catalogue, ModelTask};
use anyhow::Context;
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// What is calibrated.
#[derive(Debug, Subcommand)]
pub enum CalibrateVerb {
    /// The face comparison, on lists of pairs: columns a, b, same (1 or 0), maybe subject_a, subject_b.
    Faces(ListArgs),
    /// The attack detection, on lists of frames: columns file, label (bona_fide, print, screen, replay, mask, cutout), maybe
    /// subject, session.
    Pad(pad::PadArgs),
}

/// Lists in, calibration out.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// The lists (CSV with a heading line, paths relative to the list); each becomes a set.
    #[arg(required = true)]
    lists: Vec<PathBuf>,
    /// Names of the sets, in the order of the lists; the lists' file names if not given.
    #[arg(long)]
    name: Vec<String>,
    /// The calibration file. The curves are drawn beside it, with the ending svg.
    #[arg(long)]
    out: PathBuf,
    /// Models.
    #[command(flatten)]
    models: ModelArgs,
}

/// Measures, prints, draws and writes.
///
/// # Errors
/// The list's line or the picture that is wrong, or what cannot be written.
pub fn run(what: CalibrateVerb) -> anyhow::Result<()> {
    match what {
        CalibrateVerb::Faces(args) => faces::run(&args),
        CalibrateVerb::Pad(args) => pad::run(&args),
    }
}

impl ListArgs {
    /// The models, and the hash of the one that is calibrated.
    fn open(&self, task: ModelTask) -> anyhow::Result<(Catalogue, String)> {
        let (n_names, n_lists) = (self.name.len(), self.lists.len());
        anyhow::ensure!(
            n_names == 0 || n_names == n_lists,
            "--name: found {n_names} names for {n_lists} lists, allowed: none, or one for each list; mend: name every list"
        );
        let catalogue = self.models.catalogue()?;
        let sha256 = catalogue.verify(task)?.info.sha256.clone();
        Ok((catalogue, sha256))
    }

    /// The lists with the names of their sets.
    fn named(&self) -> impl Iterator<Item = (&Path, String)> {
        self.lists.iter().enumerate().map(|(i, list)| {
            let file_name = || {
                list.file_stem()
                    .map(|s| s.to_string_lossy().into_owned())
                    .unwrap_or_default()
            };
            let name = self.name.get(i).cloned().unwrap_or_else(file_name);
            (list.as_path(), name)
        })
    }

    /// Writes the calibration and the curves.
    fn write(&self, calibration: &str, curves: &str) -> anyhow::Result<()> {
        for (path, text) in [
            (self.out.clone(), calibration),
            (self.out.with_extension("svg"), curves),
        ] {
            std::fs::write(&path, text).with_context(|| path.display().to_string())?;
            println!("written: {}", path.display());
        }
        Ok(())
    }
}

/// Today, YYYY-MM-DD.
fn today() -> String {
    SystemClock.wall().rfc3339()[..10].to_owned()
}
