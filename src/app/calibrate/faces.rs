//! `boothd calibrate faces`: true match rate against false match rate (ISO/IEC 19795-1).

use super::curve::{Panel, Scale, Series, figure};
use super::{ListArgs, today};
use crate::models::ModelTask;
use crate::perception::calibration::rate::Rate;
use crate::perception::face::calibration::{
    Calibration, CalibrationPoint, CalibrationSet, Compared, Comparisons, compare_pairs,
};
use crate::perception::face::pipeline::FacePipeline;

/// False match rates at which the table has a line.
const TARGETS: [f64; 4] = [1e-1, 1e-2, 1e-3, 1e-4];

const HEADER: &str = "# Made by `boothd calibrate faces`. Which comparison score stands for which error rate, with this embedding net,\n\
                      # on these sets. The booth takes the highest threshold that any sufficiently large set needs.\n";

pub(super) fn run(args: &ListArgs) -> anyhow::Result<()> {
    let (catalogue, model_sha256) = args.open(ModelTask::FaceEmbedding)?;
    let mut pipeline = FacePipeline::new(&catalogue)?;
    let mut calibration = Calibration {
        format: 1,
        model_sha256,
        set: Vec::new(),
    };
    for (list, name) in args.named() {
        let compared = compare_pairs(list, &mut pipeline)?;
        let set = compared.to_set(&name, &today());
        print(&compared, &set);
        calibration.set.push(set);
    }
    for target in TARGETS {
        match calibration.threshold_for(target) {
            Ok(t) => println!(
                "booth at FMR <= {target:<6} threshold {:.3}; {}",
                t.score, t.source
            ),
            Err(error) => println!("booth at FMR <= {target:<6} {error}"),
        }
    }
    let text = format!("{HEADER}{}", toml::to_string(&calibration)?);
    args.write(&text, &draw(&calibration)?)
}

fn print(compared: &Comparisons, set: &CalibrationSet) {
    println!(
        "{}\n  {} comparisons of one person ({} more not possible), {} of different persons ({} more not possible)",
        set.name,
        set.n_genuine,
        compared.n_genuine_not_possible,
        set.n_impostor,
        compared.n_impostor_not_possible
    );
    println!("  95 % intervals by Clopper and Pearson, as if all comparisons were independent");
    println!(
        "  {:<8} {:<10} {:<28} {:<26} TMR",
        "FMR <=", "threshold", "FMR", "FNMR"
    );
    for target in TARGETS {
        let Some(point) = set.point.iter().find(|p| fmr(set, p).value() <= target) else {
            println!("  {target:<8} not reached at any threshold");
            continue;
        };
        let fnmr = fnmr(set, point);
        let note = if (set.n_impostor as f64) < 1.0 / target {
            "  (too few comparisons to promise it)"
        } else {
            ""
        };
        println!(
            "  {target:<8} {:<10.3} {:<28} {fnmr:<26} {:.2} %{note}",
            point.threshold,
            fmr(set, point).to_string(),
            100.0 * (1.0 - fnmr.value()),
        );
        let genuine = by_subject(&compared.genuine, |s| s < point.threshold);
        let impostor = by_subject(&compared.impostor, |s| s >= point.threshold);
        for (what, rate) in [("a false non-match", genuine), ("a false match", impostor)] {
            if let Some(rate) = rate {
                println!(
                    "  {:19}{} of {} subjects have {what}: {rate}",
                    "", rate.k, rate.n
                );
            }
        }
    }
}

fn fmr(set: &CalibrationSet, point: &CalibrationPoint) -> Rate {
    Rate::new(point.false_matches, set.n_impostor)
}

fn fnmr(set: &CalibrationSet, point: &CalibrationPoint) -> Rate {
    Rate::new(point.false_non_matches, set.n_genuine)
}

/// Share of the subjects who take part in at least one error; `None` if not every comparison names its subjects.
fn by_subject(compared: &[Compared], is_error: impl Fn(f64) -> bool) -> Option<Rate> {
    let mut subjects = std::collections::BTreeMap::<&str, bool>::new();
    for c in compared {
        for subject in c.subjects.as_ref()? {
            *subjects.entry(subject).or_default() |= is_error(c.score.into());
        }
    }
    let wrong = subjects.values().filter(|wrong| **wrong).count();
    Some(Rate::new(wrong as u64, subjects.len() as u64))
}

fn draw(calibration: &Calibration) -> Result<String, std::fmt::Error> {
    let series = |of: fn(Rate) -> (f64, (f64, f64))| {
        let of_set = |set: &CalibrationSet| Series {
            name: set.name.clone(),
            points: set
                .point
                .iter()
                .map(|p| {
                    let (y, band) = of(fnmr(set, p));
                    (fmr(set, p).value(), y, Some(band))
                })
                .collect(),
        };
        calibration.set.iter().map(of_set).collect::<Vec<_>>()
    };
    let roc = Panel {
        title: "ROC: true match rate over false match rate",
        x: ("false match rate", Scale::Log(1e-6, 1.0)),
        y: ("true match rate", Scale::Linear(0.8, 1.0)),
        series: series(|r| {
            let (low, high) = r.interval95();
            (1.0 - r.value(), (1.0 - high, 1.0 - low))
        }),
        mark: None,
    };
    let det = Panel {
        title: "DET: false non-match rate over false match rate",
        x: ("false match rate", Scale::Log(1e-6, 1.0)),
        y: ("false non-match rate", Scale::Log(1e-4, 1.0)),
        series: series(|r| (r.value(), r.interval95())),
        mark: None,
    };
    figure(&[roc, det])
}
