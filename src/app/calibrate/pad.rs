//! `boothd calibrate pad`: APCER of each presentation attack species, BPCER, and non-responses apart (ISO/IEC 30107-3).

use super::curve::{Panel, Scale, Series, figure};
use super::{ListArgs, today};
use crate::models::ModelTask;
use crate::perception::calibration::rate::Rate;
use crate::perception::face::pipeline::FacePipeline;
use crate::perception::pad::calibration::{
    Measured, PadCalibration, PadPoint, PadSet, Presentations, measure,
};
use clap::Args;

/// What was typed.
#[derive(Debug, Args)]
pub struct PadArgs {
    #[command(flatten)]
    lists: ListArgs,
    /// What the rates do not say; quoted in every outcome that rests on the file.
    #[arg(
        long,
        default_value = "single frames of this set only; other attacks were not measured"
    )]
    caution: String,
    /// The APCER that the printed threshold keeps, as a policy would ask for it.
    #[arg(long, default_value_t = 0.07, value_parser = share)]
    apcer: f64,
    /// The BPCER that it may cost.
    #[arg(long, default_value_t = 0.05, value_parser = share)]
    bpcer: f64,
}

fn share(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|e| format!("{e}"))?;
    if (1e-4..=1.0).contains(&value) {
        Ok(value)
    } else {
        Err("allowed: 0.0001 to 1".to_owned())
    }
}

/// Thresholds at which the table has a line.
const THRESHOLDS: [f64; 5] = [0.1, 0.25, 0.5, 0.75, 0.9];

const HEADER: &str = "# Made by `boothd calibrate pad`. Which threshold of the PAD score stands for which APCER and BPCER (ISO/IEC 30107-3), with this\n\
                      # net, on single frames of these sets. The booth takes the highest threshold that any set needs, at least 0.5.\n";

pub(super) fn run(args: &PadArgs) -> anyhow::Result<()> {
    let (catalogue, model_sha256) = args.lists.open(ModelTask::FacePad)?;
    let mut pipeline = FacePipeline::new(&catalogue)?;
    let mut calibration = PadCalibration {
        format: 1,
        model_sha256,
        set: Vec::new(),
    };
    for (list, name) in args.lists.named() {
        let measured = measure(list, &mut pipeline)?;
        let set = measured.to_set(&name, &today(), &args.caution);
        print(&measured, &set.name);
        calibration.set.push(set);
    }
    let threshold = calibration.threshold_for(args.apcer, args.bpcer);
    match &threshold {
        Ok(t) => println!(
            "booth at APCER <= {}, BPCER <= {}: threshold {:.3}; worst species {}",
            args.apcer, args.bpcer, t.score, t.worst_species
        ),
        Err(error) => println!(
            "booth at APCER <= {}, BPCER <= {}: {error}",
            args.apcer, args.bpcer
        ),
    }
    let text = format!("{HEADER}{}", toml::to_string(&calibration)?);
    let mark = threshold.ok().map(|t| t.score);
    args.lists.write(&text, &draw(&calibration, mark)?)
}

fn print(measured: &Measured, name: &str) {
    println!("{name}");
    let classes: Vec<(&str, &Presentations)> = std::iter::once(("bona_fide", &measured.bona_fide))
        .chain(measured.attacks.iter().map(|(s, class)| (s.name(), class)))
        .collect();
    for (name, class) in &classes {
        let n = class.scored.len() as u64;
        let asked = Rate::new(class.n_no_response, n + class.n_no_response);
        println!(
            "  {name:<10} {n} presentations of {} subjects; non-response {} of {}: {asked}",
            match class.n_subjects() {
                0 => "unnamed".to_owned(),
                n => n.to_string(),
            },
            asked.k,
            asked.n
        );
    }
    println!(
        "  95 % intervals by Clopper and Pearson; first as if all frames were independent, then by subject: a subject counts as an"
    );
    println!("  error if any frame is one. APCER: worst species first.");
    for threshold in THRESHOLDS {
        println!("  threshold {threshold}");
        let mut rows: Vec<(&str, Rate, Option<Rate>)> = measured
            .attacks
            .iter()
            .map(|(species, class)| {
                let is_error = |score: f64| score >= threshold;
                (
                    species.name(),
                    Rate::count(&class.scored, |s| is_error(s.score)),
                    class.rate_by_subject(is_error),
                )
            })
            .collect();
        rows.sort_by(|a, b| {
            let key = |r: &Rate| (r.value(), r.interval95().1);
            key(&b.1)
                .partial_cmp(&key(&a.1))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        for (species, rate, by_subject) in rows {
            print_rate(&format!("APCER {species}"), rate, by_subject);
        }
        let is_error = |score: f64| score < threshold;
        print_rate(
            "BPCER",
            Rate::count(&measured.bona_fide.scored, |s| is_error(s.score)),
            measured.bona_fide.rate_by_subject(is_error),
        );
    }
}

fn print_rate(name: &str, rate: Rate, by_subject: Option<Rate>) {
    let by_subject = by_subject.map_or_else(String::new, |r| {
        format!("  by subject {} of {}: {r}", r.k, r.n)
    });
    println!(
        "    {name:<14} {} of {}: {rate}{by_subject}",
        rate.k, rate.n
    );
}

fn draw(calibration: &PadCalibration, mark: Option<f64>) -> Result<String, std::fmt::Error> {
    let (mut over_threshold, mut det) = (Vec::new(), Vec::new());
    let bpcer = |set: &PadSet, p: &PadPoint| Rate::new(p.rejected, set.bona_fide.n);
    for set in &calibration.set {
        over_threshold.push(Series {
            name: format!("BPCER, {}", set.name),
            points: set
                .point
                .iter()
                .map(|p| {
                    let rate = bpcer(set, p);
                    (p.threshold, rate.value(), Some(rate.interval95()))
                })
                .collect(),
        });
        for (i, species) in set.species.iter().enumerate() {
            let apcer =
                |p: &PadPoint| Rate::new(p.accepted.get(i).copied().unwrap_or(0), species.n);
            over_threshold.push(Series {
                name: format!("APCER {}, {}", species.name, set.name),
                points: set
                    .point
                    .iter()
                    .map(|p| (p.threshold, apcer(p).value(), Some(apcer(p).interval95())))
                    .collect(),
            });
            det.push(Series {
                name: format!("{}, {}", species.name, set.name),
                points: set
                    .point
                    .iter()
                    .map(|p| {
                        let rate = bpcer(set, p);
                        (apcer(p).value(), rate.value(), Some(rate.interval95()))
                    })
                    .collect(),
            });
        }
    }
    let rates = Panel {
        title: "APCER and BPCER over the threshold",
        x: ("threshold of the PAD score", Scale::LogOdds(1e-4, 0.9999)),
        y: ("rate", Scale::Linear(0.0, 1.0)),
        series: over_threshold,
        mark,
    };
    let det = Panel {
        title: "DET: BPCER over APCER",
        x: ("APCER", Scale::Log(1e-3, 1.0)),
        y: ("BPCER", Scale::Log(1e-3, 1.0)),
        series: det,
        mark: None,
    };
    figure(&[rates, det])
}
