//! The report of the demonstration: one HTML file that shows, for each session, what the panel showed, what the camera saw and
//! what the service found in it, how light and exposure followed, and the outcome as the wallet received it.
//!
//! It needs no other file, no script and no network: pictures are embedded, plots are SVG. What is missing in its inputs is named
//! at the end of the page, never made up.
//!
//! | file | what |
//! |---|---|
//! | `data` | reads the recorder's files and the trace |
//! | `album` | pictures as `data:` URIs, within a limit |
//! | `frames` | key frames with detections drawn over them |
//! | `screens` | the panel over time |
//! | `plots` | which measurements are plotted over time |
//! | `outcome`, `times` | the outcome and the times as tables |

mod album;
mod data;
mod frames;
mod outcome;
mod plots;
mod screens;
mod times;

use crate::base::time::Moment;
use crate::html::{self, Safe, heading, table_head};
use album::Album;
use data::{Span, Tape, showings};
use std::fmt::{self, Write};
use std::path::{Path, PathBuf};

/// One session of the demonstration.
#[derive(Clone, Debug)]
pub struct SessionRecord {
    /// Name of the scene; letters, digits, hyphens. Links of the page are made of it.
    pub name: String,
    /// Title in English.
    pub title_en: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// When it began, on the booth's clock: joins it with the recorder's and the trace's times.
    pub begin: Moment,
    /// When it ended, likewise.
    pub end: Moment,
    /// What was expected, for example `verified` or `not_verified face.mismatch`.
    pub expected: String,
    /// What came out, in the same form.
    pub found: String,
    /// Whether that is what was expected.
    pub as_expected: bool,
    /// The outcome as the wallet received it.
    pub outcome: Option<serde_json::Value>,
    /// The header of its signature.
    pub jws_header: Option<serde_json::Value>,
    /// Something to know about this session; empty if there is nothing.
    pub note: String,
}

/// What the report is made of.
#[derive(Clone, Debug)]
pub struct ReportInput<'a> {
    /// Folder that the report goes to, as `report.html`; made if need be.
    pub out: &'a Path,
    /// Folder of the virtual booth's recorder.
    pub record_dir: &'a Path,
    /// The service's trace.
    pub trace: &'a Path,
    /// The sessions, in the order in which they are shown.
    pub sessions: &'a [SessionRecord],
    /// On which machine it ran.
    pub machine: String,
    /// Rows of a small table: what was measured over the whole run.
    pub facts: Vec<(String, String)>,
}

/// Writes the report; gives its path. Inputs that are missing or damaged are named in the report.
///
/// # Errors
/// If the folder cannot be made or the file cannot be written.
pub fn write_report(input: &ReportInput<'_>) -> std::io::Result<PathBuf> {
    let mut page = String::new();
    write_page(&mut page, input).map_err(std::io::Error::other)?;
    std::fs::create_dir_all(input.out)?;
    let path = input.out.join("report.html");
    std::fs::write(&path, page)?;
    Ok(path)
}

fn write_page(out: &mut String, input: &ReportInput<'_>) -> fmt::Result {
    let tape = Tape::read(input.record_dir, input.trace);
    let mut album = Album::new(input.record_dir);
    html::begin(out, "boothd: the demonstration 演示报告", "")?;
    write_header(out, input)?;
    out.push_str("<main>\n");
    write_summary(out, input.sessions)?;
    for session in input.sessions {
        write_session(out, session, &tape, &mut album)?;
    }
    write_run(out, input, &tape, &album)?;
    out.write_str("</main></body></html>\n")
}

fn write_header(out: &mut String, input: &ReportInput<'_>) -> fmt::Result {
    let n = input.sessions.len();
    let n_good = input.sessions.iter().filter(|s| s.as_expected).count();
    writeln!(
        out,
        "<header><div><h1>boothd: the demonstration <span class=\"zh\" lang=\"zh-Hans\">演示报告</span></h1>\n\
         <p>A virtual booth: its camera's pictures are rendered from a scene, from the light ring and from the exposure that the service set. \
         The service itself, from the frame to the signed outcome, is the one that runs on a board.</p>\n\
         <p lang=\"zh-Hans\">本次运行使用虚拟设备:摄像头画面由场景、补光灯与曝光参数渲染生成;服务本身与真机相同。</p>\n\
         <p class=\"score\">{n_good} of {n} sessions ended as expected <span class=\"zh\" lang=\"zh-Hans\">{n} 个会话中 {n_good} 个符合预期</span></p>\n\
         <p>{}</p></div></header>",
        Safe(&input.machine)
    )
}

fn write_summary(out: &mut String, sessions: &[SessionRecord]) -> fmt::Result {
    out.push_str("<section>");
    heading(out, 2, "Summary", "概要")?;
    if sessions.is_empty() {
        return out.write_str("<p class=\"none\">No session was run.</p></section>\n");
    }
    out.push_str("<table>");
    table_head(
        out,
        &[
            ("Session", "会话"),
            ("Expected", "预期"),
            ("Found", "实际"),
            ("Agrees", "符合"),
            ("Time", "用时"),
            ("Disposition", "后续处理"),
            ("Reasons", "原因"),
        ],
    )?;
    for session in sessions {
        let outcome = session.outcome.as_ref();
        let reasons: Vec<String> = outcome.map(outcome::reasons).unwrap_or_default();
        let codes: Vec<String> = reasons.iter().map(|r| html::code(r)).collect();
        let (result, rest) = split(&session.found);
        // What stands under the reasons already is not said twice.
        let rest = if reasons.iter().any(|r| r == rest) {
            String::new()
        } else {
            html::code(rest)
        };
        writeln!(
            out,
            "<tr><td><a href=\"#s-{}\">{}</a><br><span class=\"zh\" lang=\"zh-Hans\">{}</span></td><td>{}</td><td>{} {rest}</td><td>{}</td><td class=\"n\">{:.1} s</td><td>{}</td><td>{}</td></tr>",
            Safe(&session.name),
            Safe(&session.title_en),
            Safe(&session.title_zh),
            html::code(&session.expected),
            outcome::chip(result),
            verdict(session),
            Span::new(session.begin, session.end).length_s(),
            html::code(&outcome::text(outcome.and_then(|o| o.get("disposition")))),
            codes.join("<br>"),
        )?;
    }
    out.write_str("</table></section>\n")
}

/// The result, and what stands behind it.
fn split(found: &str) -> (&str, &str) {
    let (result, rest) = found.split_once(' ').unwrap_or((found, ""));
    (if result.is_empty() { "–" } else { result }, rest)
}

/// What came out: the result in its colour, then the rest.
fn found(session: &SessionRecord) -> String {
    let (result, rest) = split(&session.found);
    format!("{} {}", outcome::chip(result), html::code(rest))
}

fn verdict(session: &SessionRecord) -> &'static str {
    if session.as_expected {
        "<span class=\"chip good\">✓ yes</span>"
    } else {
        "<span class=\"chip bad\">✗ no</span>"
    }
}

fn write_session(
    out: &mut String,
    session: &SessionRecord,
    tape: &Tape,
    album: &mut Album<'_>,
) -> fmt::Result {
    let span = Span::new(session.begin, session.end);
    let shown = showings(&tape.panels, span);
    let looks = span.of(&tape.looks);
    let outcome = session.outcome.as_ref();
    writeln!(
        out,
        "<section class=\"session\" id=\"s-{}\">",
        Safe(&session.name)
    )?;
    heading(out, 2, &session.title_en, &session.title_zh)?;
    writeln!(
        out,
        "<p>{} {} <span class=\"zh\">expected 预期: {} · {:.1} s · scene <code>{}</code></span></p>",
        found(session),
        if session.as_expected {
            "<span class=\"chip good\">✓ as expected</span>"
        } else {
            "<span class=\"chip bad\">✗ not as expected</span>"
        },
        Safe(&session.expected),
        span.length_s(),
        Safe(&session.name)
    )?;
    if !session.note.is_empty() {
        writeln!(out, "<p class=\"note\">{}</p>", Safe(&session.note))?;
    }
    screens::write(out, &shown, span.of(&tape.stage), span, album)?;
    frames::write(out, looks, span.of(&tape.frames), &tape.camera, span, album)?;
    heading(out, 3, "Measurements over time", "测量曲线")?;
    plots::write(out, tape, span, &shown, outcome)?;
    times::write(out, outcome, looks)?;
    outcome::write(out, outcome, session.jws_header.as_ref())?;
    out.write_str("</section>\n")
}

/// What was measured over the whole run, and what is missing.
fn write_run(
    out: &mut String,
    input: &ReportInput<'_>,
    tape: &Tape,
    album: &Album<'_>,
) -> fmt::Result {
    out.push_str("<section>");
    heading(out, 2, "The whole run", "整体运行")?;
    out.push_str("<div class=\"two\"><div>");
    heading(out, 4, "Measured", "测量")?;
    out.push_str("<table>");
    for (name, value) in &input.facts {
        write!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
            Safe(name),
            Safe(value)
        )?;
    }
    out.push_str("</table></div><div>");
    times::write_work(out, &tape.looks)?;
    out.push_str("</div></div>");
    heading(out, 4, "Missing in this report", "缺失内容")?;
    let missing: Vec<String> = tape
        .missing
        .iter()
        .cloned()
        .chain(album.missing())
        .collect();
    if missing.is_empty() {
        out.push_str("<p>Nothing: every file was there and every line could be read. 无</p>");
    } else {
        out.push_str("<ul>");
        for said in &missing {
            write!(out, "<li>{}</li>", Safe(said))?;
        }
        out.push_str("</ul>");
    }
    out.write_str("</section>\n<footer>Times are seconds on the booth's monotonic clock since the session began. Detections are drawn from the service's trace, in pixels of the camera's frame. 时间以会话开始为零点。</footer>\n")
}

#[cfg(test)]
#[path = "report/tests.rs"]
mod tests;
