//! The printed table: what came of each case, with the loop closed and open.

use super::cases::{Case, Matrix};
use super::{Cell, Settling, Verdict, count, mode_name, of};
use crate::app::lockstep::LoopMode;
use crate::base::tally::tally;
use crate::perception::observation::VisionTask;

/// Median of the seconds to success, as text.
pub(super) fn median_s(cells: &[&Cell], case: &Case) -> String {
    let first = |c: &&&Cell| matches!(c.verdict(case), Verdict::First | Verdict::Later);
    let mut all: Vec<f64> = cells
        .iter()
        .filter(first)
        .filter_map(|c| c.took())
        .map(|t| t.as_secs_f64())
        .collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2)
        .map_or_else(|| "-".to_owned(), |s| format!("{s:.1}"))
}

/// The longest that the loop took to be content, as text, or to say that it could do no more (`L`); `never` if it did neither in one of the
/// sessions, `-` if none says anything.
pub(super) fn slowest_s(cells: &[&Cell], task: VisionTask) -> String {
    let mut slowest = None;
    for cell in cells {
        slowest = slowest.max(match cell.settling(task) {
            Settling::NotAsked => None,
            Settling::After(time) => Some((time, "")),
            Settling::Limit(time) => Some((time, "L")),
            Settling::Never => return "never".to_owned(),
        });
    }
    slowest.map_or_else(
        || "-".to_owned(),
        |(time, mark)| format!("{:.1}{mark}", time.as_secs_f64()),
    )
}

/// Prints it.
pub(super) fn print(matrix: &Matrix, cells: &[Cell]) {
    println!(
        "\n{:<18} {:<8} {:<4} {:>6} {:>6} {:>6} {:>6} {:>6}  {:<44} {:<30} reasons of the rest",
        "case", "mended", "loop", "first", "later", "s", "doc s", "face s", "prompts", "remedies"
    );
    for (i, case) in matrix.cases.iter().enumerate() {
        for mode in [LoopMode::On, LoopMode::Off] {
            let these = of(cells, i, mode);
            if these.is_empty() {
                continue;
            }
            let by = format!("{:?}", case.mended_by).to_lowercase();
            let rest = these.iter().filter(|c| c.result() != "verified");
            println!(
                "{:<18} {:<8} {:<4} {:>6} {:>6} {:>6} {:>6} {:>6}  {:<44} {:<30} {}",
                case.name,
                by,
                mode_name(mode),
                format!("{}/{}", count(&these, case, Verdict::First), these.len()),
                count(&these, case, Verdict::Later),
                median_s(&these, case),
                slowest_s(&these, VisionTask::Document),
                slowest_s(&these, VisionTask::Face),
                tally(these.iter().flat_map(|c| c.prompts())),
                tally(these.iter().flat_map(|c| c.remedies())),
                tally(rest.map(|c| if c.reason().is_empty() {
                    c.result()
                } else {
                    c.reason()
                })),
            );
        }
    }
    println!(
        "s: median seconds from consent to a verified result; doc s, face s: slowest settling of the loop (-: every step was over within a second, \
         settled or not, or the loop was open; L: until it said that it can do no more). Of a clock on which a look at a \
         document takes 0.15 s, at a face 0.06 s (assumed, not measured on a board)"
    );
}
