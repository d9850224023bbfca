//! `boothd calibrate`: error rates on pictures, written as the file that the decision uses.

use super::replay::ModelArgs;
use crate::base::time::{Clock, SystemClock};
use crate::models::ModelTask;
use crate::perception::face::calibration::{Calibration, calibrate_faces};
use crate::perception::face::pipeline::FacePipeline;
use anyhow::Context;
use clap::Subcommand;
use std::path::PathBuf;

/// What is calibrated.
#[derive(Debug, Subcommand)]
pub enum CalibrateVerb {
    /// The face comparison, on lists of pairs `a,b,same` (heading line, paths relative to the list, same 1 or 0).
    Faces {
        /// The lists; each becomes a set.
        #[arg(required = true)]
        pairs: Vec<PathBuf>,
        /// Names of the sets, in the order of the lists; the lists' file names if not given.
        #[arg(long)]
        name: Vec<String>,
        /// The calibration file.
        #[arg(long)]
        out: PathBuf,
        /// Models.
        #[command(flatten)]
        models: ModelArgs,
    },
}

/// Measures, prints a table and writes the file.
///
/// # Errors
/// The list's line or the picture that is wrong.
pub fn run(what: CalibrateVerb) -> anyhow::Result<()> {
    let CalibrateVerb::Faces {
        pairs,
        name,
        out,
        models,
    } = what;
    let catalogue = models.catalogue()?;
    let model_sha256 = catalogue
        .verify(ModelTask::FaceEmbedding)?
        .info
        .sha256
        .clone();
    let mut pipeline = FacePipeline::new(&catalogue)?;
    let date = SystemClock.wall().rfc3339()[..10].to_owned();
    let mut calibration = Calibration {
        format: 1,
        model_sha256,
        set: Vec::new(),
    };
    for (i, list) in pairs.iter().enumerate() {
        let file_name = || {
            list.file_stem()
                .map(|s| s.to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        let name = name.get(i).cloned().unwrap_or_else(file_name);
        let set = calibrate_faces(list, &name, &date, &mut pipeline)?;
        println!(
            "{name}: {} genuine ({} more not possible), {} impostor comparisons",
            set.n_genuine, set.n_genuine_not_possible, set.n_impostor
        );
        calibration.set.push(set);
        let alone = Calibration {
            set: calibration.set[i..].to_vec(),
            ..calibration.clone()
        };
        for target in [1e-2, 1e-3, 1e-4] {
            match alone.threshold_for(target) {
                Ok(t) => println!(
                    "  FMR <= {target:<7} threshold {:.3}  FMR {:.2e} (95 % below {:.2e})  FNMR {:.2} %",
                    t.score,
                    t.false_match_rate,
                    t.false_match_rate_upper95,
                    t.false_non_match_rate * 100.0
                ),
                Err(error) => println!("  FMR <= {target:<7} {error}"),
            }
        }
    }
    let header = "# Made by `boothd calibrate faces`. Which comparison score stands for which error rate, with this embedding net,\n\
                  # on these sets. The booth takes the highest threshold that any sufficiently large set needs.\n";
    std::fs::write(&out, format!("{header}{}", toml::to_string(&calibration)?))
        .with_context(|| out.display().to_string())?;
    println!("written: {}", out.display());
    Ok(())
}
