//! `boothd replay --report`: the table as a page for people, with the pictures and what was found in them, the reasons in words, and
//! plots of what was measured with the limits. The pictures are those of the folder: whoever keeps the page keeps them.

use super::cases::{Case, Looked, Picture};
use super::gauge::{Bound, Gauge, OF_DOCUMENTS, OF_FACES};
use super::judge::Finding;
use super::table::{against, beyond, summary};
use crate::base::ids::Language;
use crate::guidance::texts;
use crate::html::svg::{Band, Join, Phase, Plot, Scale, Series};
use crate::html::{self, Safe, chosen, code, heading, number, table_head};
use crate::verdict::evidence::Measure;
use crate::verdict::reasons::Reason;
use std::fmt::{self, Write as _};

/// What the pictures of a page may take, in bytes.
const LIMIT: usize = 30_000_000;

const STYLE: &str = ".seen { display: flex; flex-wrap: wrap; gap: 10px 14px; margin: 8px 0; } .seen figure { width: 210px; } .seen svg { display: block; width: 100%; border-radius: 6px; background: #ccd2d6; }\n\
.seen figcaption { font-size: 12px; line-height: 1.35; overflow-wrap: anywhere; } .seen polygon { fill: none; stroke-width: 2.5; vector-effect: non-scaling-stroke; stroke-linejoin: round; } .doc { stroke: #ffb000; } .face { stroke: #36b3f2; }\n\
td .seen figure { width: 190px; } td.why p { margin: 0 0 4px; } td.why small { color: var(--soft); } .plots { grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); }\n";

/// The page. `facts` are rows of a small table: of what, when, by which rules.
///
/// # Errors
/// None but those of writing to a text.
pub(super) fn write(cases: &[Case], facts: &[(&str, String)]) -> Result<String, fmt::Error> {
    let mut out = String::new();
    let mut left = LIMIT;
    html::begin(&mut out, "boothd: replay 回放", STYLE)?;
    out.push_str("<header><div>");
    heading(
        &mut out,
        1,
        "What the booth would say of these pictures",
        "核验亭对这些图像的判断",
    )?;
    out.push_str(
        "<p>Codes and limits are those of a session. The light of a picture cannot be changed: what the booth would do about it is not in here. \
         A photograph is one look; the frames of a recording go through the session's own steps.</p>\n\
         <p class=\"score\">This page holds the pictures. Keep it as you keep them, and delete it with them. \
         <span class=\"zh\" lang=\"zh-Hans\">本页包含这些图像,请按同样要求保管和删除。</span></p></div></header>\n<main><section>",
    );
    heading(&mut out, 2, "Summary", "概要")?;
    for line in summary(cases).lines() {
        writeln!(out, "<p>{}</p>", Safe(line))?;
    }
    out.push_str("<table>");
    for (name, value) in facts {
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
            Safe(name),
            Safe(value)
        )?;
    }
    out.push_str("</table>");
    codes(&mut out, cases)?;
    errors(&mut out, cases)?;
    out.push_str("</section>\n");
    let (small, large): (Vec<&Case>, Vec<&Case>) =
        cases.iter().partition(|c| c.pictures.len() == 1);
    if !small.is_empty() {
        photographs(&mut out, &small, &mut left)?;
    }
    for case in large {
        section(&mut out, case, &mut left)?;
    }
    if left == 0 {
        out.push_str(
            "<p class=\"note\">Further pictures were left out to keep the page small.</p>",
        );
    }
    out.push_str("</main></body></html>\n");
    Ok(out)
}

/// Every code that came, in words, with how often it came.
fn codes(out: &mut String, cases: &[Case]) -> fmt::Result {
    let findings = || {
        cases
            .iter()
            .flat_map(|c| c.documents.iter().chain(&c.faces))
    };
    let mut counted: Vec<(Reason, usize)> = Vec::new();
    for finding in findings() {
        if let Finding::Against(reason, _) = finding {
            match counted.iter_mut().find(|(r, _)| r == reason) {
                Some((_, n)) => *n += 1,
                None => counted.push((*reason, 1)),
            }
        }
    }
    for code in cases.iter().filter_map(|c| c.camera) {
        let Some(reason) = Reason::from_code(code) else {
            continue;
        };
        match counted.iter_mut().find(|(r, _)| *r == reason) {
            Some((_, n)) => *n += 1,
            None => counted.push((reason, 1)),
        }
    }
    if counted.is_empty() {
        return Ok(());
    }
    counted.sort_by_key(|(reason, n)| (std::cmp::Reverse(*n), *reason));
    out.push_str("<table>");
    table_head(
        out,
        &[
            ("Code", "代码"),
            ("Times", "次数"),
            ("What the person is told", "给用户的说明"),
        ],
    )?;
    for (reason, n) in counted {
        writeln!(
            out,
            "<tr><td>{}</td><td class=\"n\">{n}</td><td class=\"why\">{}</td></tr>",
            code(reason.code()),
            told(reason)
        )?;
    }
    out.write_str("</table>")
}

/// The message of a reason in both languages.
fn told(reason: Reason) -> String {
    let said = [(Language::En, "en"), (Language::Zh, "zh-Hans")].map(|(language, tag)| {
        texts::message(reason.code(), language).map_or_else(String::new, |m| {
            format!(
                "<p lang=\"{tag}\"><b>{}</b> <small>{} {}</small></p>",
                Safe(&m.title),
                Safe(&m.explain),
                Safe(&m.next)
            )
        })
    });
    said.concat()
}

/// The same in a few words.
fn title(reason: Reason) -> String {
    let of = |language| texts::message(reason.code(), language).map_or("", |m| m.title.as_str());
    format!(
        "{} <span class=\"zh\" lang=\"zh-Hans\">{}</span>",
        Safe(of(Language::En)),
        Safe(of(Language::Zh))
    )
}

fn errors(out: &mut String, cases: &[Case]) -> fmt::Result {
    let all = || {
        cases
            .iter()
            .flat_map(|c| c.errors.iter().map(move |e| (c, e)))
    };
    if all().next().is_none() {
        return Ok(());
    }
    heading(out, 4, "Not looked at", "未能查看")?;
    out.push_str("<ul>");
    for (case, error) in all() {
        writeln!(out, "<li>{}: {}</li>", Safe(&case.name), Safe(error))?;
    }
    out.write_str("</ul>")
}

/// What is said of a case.
fn finding(out: &mut String, what: (&str, &str), found: &Finding) -> fmt::Result {
    let (tone, text) = match found {
        Finding::Clear => (
            "good",
            "nothing against it <span class=\"zh\" lang=\"zh-Hans\">无问题</span>".to_owned(),
        ),
        Finding::Open => (
            "look",
            "too short to tell <span class=\"zh\" lang=\"zh-Hans\">录像太短</span>".to_owned(),
        ),
        Finding::Against(reason, measure) => {
            let measure = measure.as_ref().map(|m| {
                let (value, limit) = (number(m.value), chosen(m.limit));
                format!(
                    " <small>{} {value}, limit {limit} {}</small>",
                    Safe(m.name),
                    m.unit
                )
            });
            (
                "bad",
                format!(
                    "{} {}{}",
                    code(reason.code()),
                    title(*reason),
                    measure.unwrap_or_default()
                ),
            )
        }
    };
    writeln!(
        out,
        "<p><span class=\"chip {tone}\">{} {}</span> {text}</p>",
        what.0, what.1
    )
}

const DOCUMENT: (&str, &str) = ("document", "证件");
const FACE: (&str, &str) = ("face", "人脸");

/// Cases of one picture each, as a table.
fn photographs(out: &mut String, cases: &[&Case], left: &mut usize) -> fmt::Result {
    out.push_str("<section>");
    heading(out, 2, "Photographs", "照片")?;
    out.push_str("<table>");
    table_head(
        out,
        &[
            ("Picture", "图像"),
            ("What a session would say", "会话的判断"),
            ("Measured", "测量值"),
        ],
    )?;
    for case in cases {
        out.push_str("<tr><td>");
        seen(out, case, left)?;
        out.push_str("</td><td class=\"why\">");
        findings(out, case)?;
        out.push_str("</td><td>");
        let missed: Vec<&str> = beyond(case).iter().map(|(g, _)| g.name).collect();
        for gauge in OF_DOCUMENTS.iter().chain(&OF_FACES) {
            if let Some(measure) = case.median(gauge) {
                let line = measured(gauge, &measure);
                if missed.contains(&gauge.name) {
                    writeln!(out, "<b>{line}</b><br>")?;
                } else {
                    writeln!(out, "{line}<br>")?;
                }
            }
        }
        out.push_str("</td></tr>\n");
    }
    out.write_str("</table></section>\n")
}

fn measured(gauge: &Gauge, measure: &Measure) -> String {
    format!(
        "{} {} <small>({} {} {})</small>",
        gauge.name,
        number(measure.value),
        gauge.sign(),
        chosen(measure.limit),
        Safe(measure.unit)
    )
}

fn findings(out: &mut String, case: &Case) -> fmt::Result {
    for (what, all) in [(DOCUMENT, &case.documents), (FACE, &case.faces)] {
        let mut counted: Vec<(&Finding, usize)> = Vec::new();
        for found in all {
            let is_same = |f: &Finding| f.word() == found.word();
            match counted.iter_mut().find(|(f, _)| is_same(f)) {
                Some((_, n)) => *n += 1,
                None => counted.push((found, 1)),
            }
        }
        counted.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        for (found, n) in counted {
            if all.len() > 1 {
                write!(out, "<b>{n} of {}</b> ", all.len())?;
            }
            finding(out, what, found)?;
        }
    }
    if let Some(reason) = case.camera.and_then(Reason::from_code) {
        finding(out, ("camera", "摄像头"), &Finding::Against(reason, None))?;
    }
    for error in &case.errors {
        writeln!(out, "<p class=\"note\">{}</p>", Safe(error))?;
    }
    Ok(())
}

/// A case of several pictures, or of none that could be looked at.
fn section(out: &mut String, case: &Case, left: &mut usize) -> fmt::Result {
    let kind = if case.is_recording {
        ("recording", "录像")
    } else {
        ("photographs", "照片")
    };
    out.push_str("<section>");
    heading(out, 2, &case.name, kind.1)?;
    let last = case.pictures.last().map_or(0.0, |p| p.at.as_secs_f64());
    if case.is_recording {
        writeln!(
            out,
            "<p>{} pictures in {last:.1} s</p>",
            case.pictures.len()
        )?;
    } else {
        writeln!(out, "<p>{} {}</p>", case.pictures.len(), kind.0)?;
    }
    out.push_str("<div class=\"why\">");
    findings(out, case)?;
    for (gauge, measure) in beyond(case) {
        writeln!(
            out,
            "<p><small>{}</small></p>",
            Safe(against(&gauge, &measure))
        )?;
    }
    out.push_str("</div>");
    seen(out, case, left)?;
    plots(out, case)?;
    out.write_str("</section>\n")
}

/// The pictures that are shown, with what was found in them.
fn seen(out: &mut String, case: &Case, left: &mut usize) -> fmt::Result {
    out.push_str("<div class=\"seen\">");
    for picture in &case.pictures {
        let Some(uri) = picture.shown.as_ref() else {
            continue;
        };
        if uri.len() > *left {
            *left = 0;
            continue;
        }
        *left -= uri.len();
        let (width, height) = picture.size;
        write!(
            out,
            "<figure><svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\"><image href=\"{uri}\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\"/>",
            Safe(&picture.name)
        )?;
        for (class, look) in [("doc", &picture.document), ("face", &picture.face)] {
            let Some(look) = look.as_ref().filter(|l| !l.outline.is_empty()) else {
                continue;
            };
            let points: Vec<String> = (look.outline.iter())
                .map(|p| format!("{:.0},{:.0}", p.x, p.y))
                .collect();
            write!(
                out,
                "<polygon points=\"{}\" class=\"{class}\"/>",
                points.join(" ")
            )?;
        }
        let time = if case.is_recording {
            format!("<b>{:.1} s</b> ", picture.at.as_secs_f64())
        } else {
            String::new()
        };
        let codes: Vec<String> = [&picture.document, &picture.face]
            .into_iter()
            .flatten()
            .filter_map(|l| l.code.map(|c| code(c.code())))
            .collect();
        writeln!(
            out,
            "</svg><figcaption>{time}{} {}</figcaption></figure>",
            Safe(&picture.name),
            codes.join(" ")
        )?;
    }
    out.write_str("</div>")
}

/// Each measure over the pictures, with its limit.
fn plots(out: &mut String, case: &Case) -> fmt::Result {
    if case.pictures.len() < 2 {
        return Ok(());
    }
    let seconds = |p: &Picture| p.at.as_secs_f64();
    let last = case.pictures.last().map_or(0.0, seconds);
    let (time, across, join) = if case.is_recording {
        ((0.0, last), "s", Join::Line)
    } else {
        ((1.0, case.pictures.len() as f64), "picture", Join::Dots)
    };
    let of_document: fn(&Picture) -> Option<&Looked> = |p| p.document.as_ref();
    let of_face: fn(&Picture) -> Option<&Looked> = |p| p.face.as_ref();
    out.push_str("<div class=\"plots\">\n");
    for (gauges, what, of) in [
        (&OF_DOCUMENTS[..], DOCUMENT, of_document),
        (&OF_FACES[..], FACE, of_face),
    ] {
        let phases = if case.is_recording {
            phases(case, of)
        } else {
            Vec::new()
        };
        for gauge in gauges {
            let values = case.values(gauge);
            let Some((_, first)) = values.first() else {
                continue;
            };
            let at = |p: &Picture| {
                if case.is_recording {
                    return seconds(p);
                }
                let place = case.pictures.iter().position(|q| std::ptr::eq(p, q));
                place.map_or(0.0, |i| i as f64 + 1.0)
            };
            let word = match gauge.bound {
                Bound::Least => "at least",
                Bound::Most => "at most",
            };
            Plot {
                title: (&format!("{}: {}", what.0, gauge.title.0), gauge.title.1),
                unit: first.unit,
                scale: Scale::Linear(0.0, first.limit * 1.2),
                time,
                across,
                phases: &phases,
                series: vec![Series {
                    name: gauge.name.to_owned(),
                    points: values.iter().map(|(p, m)| (at(p), m.value)).collect(),
                    join,
                }],
                bands: vec![Band {
                    low: first.limit,
                    high: first.limit,
                    name: format!("{word} {}", chosen(first.limit)),
                    phase: None,
                }],
            }
            .write(out)?;
        }
    }
    out.write_str("</div>\n")
}

/// What stood in the way, as stretches of time.
fn phases(case: &Case, of: fn(&Picture) -> Option<&Looked>) -> Vec<Phase<'static>> {
    let steps = case.pictures.iter().map(|picture| {
        let name = of(picture).map_or("", |l| l.code.map_or("", Reason::code));
        (picture.at.as_secs_f64(), name)
    });
    Phase::of(steps, 0.0)
}
