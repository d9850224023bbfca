//! The matrix as a page: the table, and for each case the plots of the loop as it settles, with the frames that the person's screens
//! belong to.

use super::{
    Cell, LoopMode, Matrix, MendedBy, Verdict, count, mode_name, of,
    table::{median_s, slowest_s},
};
use crate::app::lockstep::{Sample, Shown};
use crate::base::tally::tally;
use crate::html::svg::{Join, Phase, Plot, Scale, Series};
use crate::html::{self, Safe, heading, table_head};
use crate::perception::observation::VisionTask;
use std::fmt::Write as _;

/// Frames are made so wide.
const FRAME_WIDTH: u32 = 240;

const STYLE: &str = "body{font:15px/1.45 system-ui,'Noto Sans SC',sans-serif;max-width:1200px;margin:1.5em auto;padding:0 1em;color:#1b1f24}\
.zh{color:#56606b;font-size:.92em}table{border-collapse:collapse;font-size:.85em}th,td{border-bottom:1px solid #d8dee4;padding:.3em .5em;text-align:left;vertical-align:top}\
td.n{text-align:right;font-variant-numeric:tabular-nums}tr.off{color:#56606b}.good{color:#0a6b3b}.bad{color:#b02a1a;font-weight:600}\
figure{margin:0}.plots{display:grid;grid-template-columns:1fr 1fr;gap:12px}.plot svg{width:100%;height:auto}.grid{stroke:#e3e7eb;fill:none}.axis{stroke:#56606b}.target{fill:#009e73;fill-opacity:.15}.limit{stroke:#b02a1a;stroke-dasharray:3 3;fill:none}\
text{font:11px system-ui,sans-serif;fill:#3b434b}.faint{fill:#8a939c}.legend{font-size:.8em;margin:.2em 0}.legend span{margin-right:1em}.key{width:26px;height:8px;margin-right:4px;vertical-align:middle}\
.frames{display:flex;flex-wrap:wrap;gap:8px;margin:.5em 0}.frames figcaption{font-size:.75em;max-width:240px}img{display:block;border-radius:3px}";

/// The page.
///
/// # Errors
/// If a picture cannot be encoded.
pub(super) fn write(matrix: &Matrix, cells: &[Cell]) -> anyhow::Result<String> {
    let mut out = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>boothd: matrix of scenes</title>",
    );
    write!(out, "<style>{STYLE}</style></head><body>")?;
    heading(
        &mut out,
        1,
        "Light, posture, documents: what the booth makes of them",
        "光线、姿势与证件:终端如何应对",
    )?;
    out.push_str("<p>Every case is played with every person in the virtual booth, with the loop of light and exposure closed (on) and open (off: \
        light and exposure stay where the recipe begins). <i>First</i>: verified without a repeated step. Seconds from preflight to result, on a clock \
        on which a look at a document takes 0.15 s and at a face 0.06 s: assumed, not measured on a board.</p>");
    table(&mut out, matrix, cells)?;
    for (i, case) in matrix.cases.iter().enumerate() {
        heading(&mut out, 2, &case.title_en, &case.title_zh)?;
        for mode in [LoopMode::On, LoopMode::Off] {
            // One person stands for all: the first, whose pictures are small enough to be looked at.
            if let Some(cell) = of(cells, i, mode).first() {
                session(&mut out, cell)?;
            }
        }
    }
    out.push_str("</body></html>\n");
    Ok(out)
}

fn table(out: &mut String, matrix: &Matrix, cells: &[Cell]) -> anyhow::Result<()> {
    out.push_str("<table>");
    table_head(
        out,
        &[
            ("case", "情形"),
            ("mended by", "由谁解决"),
            ("loop", "闭环"),
            ("first", "一次通过"),
            ("later", "重试后通过"),
            ("seconds", "秒"),
            ("document settled, s", "证件稳定,秒"),
            ("face settled, s", "人脸稳定,秒"),
            ("prompts", "提示"),
            ("remedies", "补救"),
            ("reasons of the rest", "其余原因"),
        ],
    )?;
    for (i, case) in matrix.cases.iter().enumerate() {
        for mode in [LoopMode::On, LoopMode::Off] {
            let these = of(cells, i, mode);
            if these.is_empty() {
                continue;
            }
            let first = count(&these, case, Verdict::First);
            let right = count(&these, case, Verdict::RightReason);
            let is_good = if case.mended_by == MendedBy::Neither {
                right == these.len()
            } else {
                first == these.len()
            };
            let rest = these.iter().filter(|c| c.result() != "verified");
            writeln!(
                out,
                "<tr class=\"{}\"><td>{}</td><td>{}</td><td>{}</td><td class=\"n {}\">{first}\u{a0}of\u{a0}{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                mode_name(mode),
                Safe(&case.name),
                format!("{:?}", case.mended_by).to_lowercase(),
                mode_name(mode),
                if is_good { "good" } else { "bad" },
                these.len(),
                count(&these, case, Verdict::Later),
                median_s(&these, case),
                slowest_s(&these, VisionTask::Document),
                slowest_s(&these, VisionTask::Face),
                Safe(tally(these.iter().flat_map(|c| c.prompts()))),
                Safe(tally(these.iter().flat_map(|c| c.remedies()))),
                Safe(tally(rest.map(|c| if c.reason().is_empty() {
                    c.result()
                } else {
                    c.reason()
                }))),
            )?;
        }
    }
    out.push_str("</table>\n");
    Ok(())
}

/// Plots and frames of one session.
fn session(out: &mut String, cell: &Cell) -> anyhow::Result<()> {
    let samples = &cell.played.samples;
    writeln!(
        out,
        "<h3>{}, loop {}: {} {}</h3><div class=\"plots\">",
        Safe(&cell.person),
        mode_name(cell.mode),
        Safe(cell.result()),
        Safe(cell.reason())
    )?;
    let phases = phases(cell);
    for (task, title) in [
        (VisionTask::Document, ("Document", "证件")),
        (VisionTask::Face, ("Face", "人脸")),
    ] {
        let of_task: Vec<&Sample> = samples.iter().filter(|s| s.task == task).collect();
        let (Some(first), Some(last)) = (of_task.first(), of_task.last()) else {
            continue;
        };
        let time = (first.at.as_secs_f64() - 0.1, last.at.as_secs_f64() + 0.1);
        let series = |name: &str, value: &dyn Fn(&Sample) -> Option<f32>, join| Series {
            name: name.to_owned(),
            points: of_task
                .iter()
                .filter_map(|s| value(s).map(|v| (s.at.as_secs_f64(), f64::from(v))))
                .collect(),
            join,
        };
        let half = |left: bool| move |s: &Sample| s.halves.map(|(l, r)| if left { l } else { r });
        Plot {
            title: (
                &format!("{}: luminance", title.0),
                &format!("{}:亮度", title.1),
            ),
            unit: "share of full scale, sRGB-coded",
            scale: Scale::Linear(0.0, 1.0),
            time,
            across: "s",
            phases: &phases,
            series: vec![
                series("mean", &|s| Some(s.mean), Join::Line),
                series("left half", &half(true), Join::Line),
                series("right half", &half(false), Join::Line),
            ],
            bands: Vec::new(),
        }
        .write(out)?;
        Plot {
            title: (
                &format!("{}: light and camera", title.0),
                &format!("{}:补光与相机", title.1),
            ),
            unit: "share of white; exposure / 33 ms; gain / 8",
            scale: Scale::Linear(0.0, 1.0),
            time,
            across: "s",
            phases: &phases,
            series: vec![
                series("left light", &|s| Some(s.levels.left.white), Join::Hold),
                series("right light", &|s| Some(s.levels.right.white), Join::Hold),
                series(
                    "exposure",
                    &|s| Some(s.controls.exposure_us as f32 / 33_000.0),
                    Join::Hold,
                ),
                series("gain", &|s| Some(s.controls.gain / 8.0), Join::Hold),
            ],
            bands: Vec::new(),
        }
        .write(out)?;
    }
    out.push_str("</div><div class=\"frames\">");
    let told = ["document.", "face.", "retry.", "result."];
    for shown in cell
        .played
        .frames
        .iter()
        .filter(|f| told.iter().any(|t| f.screen.starts_with(t)))
    {
        frame(out, shown)?;
    }
    out.push_str("</div>\n");
    Ok(())
}

/// The groups of screens as stretches of time.
fn phases(cell: &Cell) -> Vec<Phase<'static>> {
    let steps = cell.played.screens.iter().map(|(at, screen)| {
        let group: &'static str = screen.split('.').next().unwrap_or_default();
        (at.as_secs_f64(), group)
    });
    Phase::of(steps, 1.0)
}

fn frame(out: &mut String, shown: &Shown) -> anyhow::Result<()> {
    writeln!(
        out,
        "<figure><img alt=\"{0}\" width=\"{FRAME_WIDTH}\" src=\"{1}\"><figcaption>{2:.1} s: {0}</figcaption></figure>",
        Safe(shown.screen),
        html::picture(&shown.picture, FRAME_WIDTH)?,
        shown.at.as_secs_f64(),
    )?;
    Ok(())
}
