//! How long things took: steps of a session, and the service's work on each frame.

use super::data::Look;
use crate::html::{Safe, heading, number, table_head};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// The value below which `share` of the sorted values lie (nearest rank).
pub(super) fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

/// Writes a table of the work on frames, by task.
pub(super) fn write_work(out: &mut String, looks: &[Look]) -> fmt::Result {
    heading(out, 4, "Work on a frame, by task", "单帧处理时间")?;
    let mut by_task: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for look in looks {
        by_task
            .entry(look.seen.task())
            .or_default()
            .push(look.took_us);
    }
    if by_task.is_empty() {
        return out.write_str("<p class=\"none\">The trace has no line of this time.</p>\n");
    }
    out.push_str("<table>");
    table_head(
        out,
        &[
            ("Task", "任务"),
            ("Frames", "帧数"),
            ("Median ms", "中位数"),
            ("95 % ms", "95 分位"),
            ("Longest ms", "最长"),
        ],
    )?;
    for (task, mut took) in by_task {
        took.sort_by(f64::total_cmp);
        let ms = |share| {
            percentile(&took, share).map_or_else(|| "–".to_owned(), |us| number(us / 1000.0))
        };
        writeln!(
            out,
            "<tr><td>{task}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            took.len(),
            ms(0.5),
            ms(0.95),
            ms(1.0)
        )?;
    }
    out.write_str("</table>\n")
}

/// Writes the times of a session: its steps, as the outcome says, and the work on its frames.
pub(super) fn write(out: &mut String, outcome: Option<&Value>, looks: &[Look]) -> fmt::Result {
    heading(out, 3, "Times", "用时")?;
    out.push_str("<div class=\"two\"><div>");
    heading(out, 4, "Steps", "步骤")?;
    let steps = outcome
        .and_then(|o| o.pointer("/times/steps_ms"))
        .and_then(Value::as_object)
        .filter(|s| !s.is_empty());
    match steps {
        None => out.push_str("<p class=\"none\">The outcome names no step's time.</p>"),
        Some(steps) => {
            let longest = steps.values().filter_map(Value::as_f64).fold(1.0, f64::max);
            out.push_str("<table class=\"steps\">");
            for step in [
                "ticket",
                "consent",
                "preflight",
                "document",
                "face",
                "decision",
            ] {
                if let Some(ms) = steps.get(step).and_then(Value::as_f64) {
                    write!(
                        out,
                        "<tr><th scope=\"row\">{}</th><td class=\"n\">{:.2} s</td><td class=\"wide\"><i style=\"width:{:.1}%\"></i></td></tr>",
                        Safe(step),
                        ms / 1000.0,
                        ms / longest * 100.0
                    )?;
                }
            }
            out.push_str("</table>");
        }
    }
    out.push_str("</div><div>");
    write_work(out, looks)?;
    out.write_str("</div></div>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let check = |values: &[f64], share: f64, expected: Option<f64>| {
            assert_eq!(percentile(values, share), expected, "{values:?} {share}");
        };
        check(&[], 0.5, None);
        check(&[3.0], 0.5, Some(3.0));
        check(&[1.0, 2.0, 3.0, 4.0], 0.5, Some(2.0));
        check(&[1.0, 2.0, 3.0, 4.0], 0.95, Some(4.0));
        check(&[1.0, 2.0, 3.0, 4.0], 1.0, Some(4.0));
        check(&[1.0, 2.0], 0.0, Some(1.0));
    }
}
