//! `boothd replay --table`: a row a case, and how often each code came.

use super::cases::{Case, Looked, Picture};
use super::gauge::{Bound, Gauge, OF_DOCUMENTS, OF_FACES};
use super::json::Look;
use super::judge::Finding;
use crate::base::tally::tally;
use crate::html::{chosen, number};
use crate::verdict::evidence::Measure;

/// A column: its title, whether it stands right, and what it says of a case.
struct Column {
    title: String,
    is_number: bool,
    cells: Vec<String>,
}

/// The table as text, a line a case.
pub(super) fn rows(cases: &[Case], look: Look) -> String {
    let mut columns = Vec::new();
    let mut add = |title: &str, is_number, of: &dyn Fn(&Case) -> String| {
        columns.push(Column {
            title: title.to_owned(),
            is_number,
            cells: cases.iter().map(of).collect(),
        });
    };
    let value = |name: &'static str, gauges: &'static [Gauge]| {
        let gauge = gauges.iter().find(|g| g.name == name);
        move |case: &Case| {
            gauge
                .and_then(|g| case.median(g))
                .map_or_else(|| "-".to_owned(), |m| number(m.value))
        }
    };
    add("case", false, &|c| c.name.clone());
    add("pictures", true, &pictures);
    if look != Look::Face {
        let of: fn(&Picture) -> Option<&Looked> = |p| p.document.as_ref();
        add("doc found", true, &|c| share(c, of, |l| l.is_found));
        add("doc read", true, &|c| share(c, of, |l| l.is_good));
        add("document", false, &|c| words(&c.documents));
        for (title, name) in [
            ("tilt", "document_tilt"),
            ("sharp", "document_sharpness"),
            ("glare", "document_glare"),
            ("light", "document_luminance"),
        ] {
            add(title, true, &value(name, &OF_DOCUMENTS));
        }
    }
    if look != Look::Document {
        let of: fn(&Picture) -> Option<&Looked> = |p| p.face.as_ref();
        add("face found", true, &|c| share(c, of, |l| l.is_found));
        add("face good", true, &|c| share(c, of, |l| l.is_good));
        add("face", false, &|c| words(&c.faces));
        add("eyes px", true, &value("InterEyeDistance", &OF_FACES));
    }
    add("camera", false, &|c| c.camera.unwrap_or("-").to_owned());
    add("beyond the limits", false, &|c| {
        let beyond: Vec<String> = beyond(c).iter().map(|(g, m)| against(g, m)).collect();
        beyond.join("; ")
    });
    lines(&columns)
}

fn lines(columns: &[Column]) -> String {
    let width = |c: &Column| {
        let all = c.cells.iter().chain([&c.title]);
        all.map(|s| s.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = columns.iter().map(width).collect();
    let n = columns.first().map_or(0, |c| c.cells.len());
    let mut out = String::new();
    for row in 0..=n {
        let mut line = String::new();
        for (column, width) in columns.iter().zip(&widths) {
            let text = match row.checked_sub(1) {
                None => &column.title,
                Some(i) => &column.cells[i],
            };
            line += &if column.is_number {
                format!("{text:>width$}  ")
            } else {
                format!("{text:<width$}  ")
            };
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}

fn pictures(case: &Case) -> String {
    let n = case.pictures.len();
    match case.pictures.last().filter(|_| case.is_recording) {
        Some(last) => format!("{n} in {:.1} s", last.at.as_secs_f64()),
        None => n.to_string(),
    }
}

/// How many of the pictures that were looked at are so.
fn share(
    case: &Case,
    of: fn(&Picture) -> Option<&Looked>,
    is_so: impl Fn(&Looked) -> bool,
) -> String {
    let looks = || case.pictures.iter().filter_map(of);
    format!(
        "{}/{}",
        looks().filter(|l| is_so(l)).count(),
        looks().count()
    )
}

/// The codes of a case; a dash where nothing was judged.
fn words(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "-".to_owned();
    }
    tally(findings.iter().map(Finding::word))
}

/// What a case misses, by its middle values.
pub(super) fn beyond(case: &Case) -> Vec<(Gauge, Measure)> {
    let gauges = OF_DOCUMENTS.iter().chain(&OF_FACES);
    gauges
        .filter_map(|g| case.median(g).map(|m| (*g, m)))
        .filter(|(g, m)| g.is_missed(m))
        .collect()
}

/// A value against its limit.
pub(super) fn against(gauge: &Gauge, measure: &Measure) -> String {
    let sign = match gauge.bound {
        Bound::Least => '<',
        Bound::Most => '>',
    };
    format!(
        "{} {} {sign} {} {}",
        gauge.name,
        number(measure.value),
        chosen(measure.limit),
        measure.unit
    )
}

/// The limits of what was measured.
pub(super) fn limits(cases: &[Case]) -> String {
    let limits: Vec<String> = OF_DOCUMENTS
        .iter()
        .chain(&OF_FACES)
        .filter_map(|gauge| {
            let measure = cases.iter().find_map(|c| c.median(gauge))?;
            let limit = chosen(measure.limit);
            let text = format!("{} {} {limit} {}", gauge.name, gauge.sign(), measure.unit);
            Some(text)
        })
        .collect();
    limits.join(", ")
}

/// How often each code came, over all cases.
pub(super) fn summary(cases: &[Case]) -> String {
    let mut out = String::new();
    for (what, good, of, looked) in [
        (
            "documents",
            "read",
            (|c| &c.documents) as fn(&Case) -> &Vec<Finding>,
            (|p| p.document.as_ref()) as fn(&Picture) -> Option<&Looked>,
        ),
        ("faces", "good", |c| &c.faces, |p| p.face.as_ref()),
    ] {
        let findings: Vec<&Finding> = cases.iter().flat_map(of).collect();
        if findings.is_empty() {
            continue;
        }
        let n_clear = findings.iter().filter(|f| ***f == Finding::Clear).count();
        let looks = || {
            let pictures = cases.iter().flat_map(|c| &c.pictures);
            pictures.filter_map(looked)
        };
        let codes = tally(
            findings
                .iter()
                .filter(|f| ***f != Finding::Clear)
                .map(|f| f.word()),
        );
        out += &format!(
            "{what}: {} judged, nothing against {n_clear} ({:.1} %); found in {} of {} pictures, {good} in {}{}{codes}\n",
            findings.len(),
            100.0 * n_clear as f64 / findings.len() as f64,
            looks().filter(|l| l.is_found).count(),
            looks().count(),
            looks().filter(|l| l.is_good).count(),
            if codes.is_empty() { "" } else { "; " },
        );
    }
    let camera = tally(cases.iter().filter_map(|c| c.camera));
    if !camera.is_empty() {
        out += &format!("camera: {camera}\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::reasons::Reason;

    #[test]
    fn codes_are_counted() {
        let against = |reason| Finding::Against(reason, None);
        let check = |findings: &[Finding], expected: &str| {
            assert_eq!(words(findings), expected, "{findings:?}");
        };
        check(&[], "-");
        check(&[Finding::Clear], "ok");
        check(
            &[
                against(Reason::DocGlare),
                Finding::Clear,
                Finding::Clear,
                Finding::Open,
            ],
            "ok x2, doc.glare, (too short)",
        );
    }

    #[test]
    fn a_value_is_said_with_the_limit_that_it_misses() {
        let measure = |name, value, limit| Measure {
            name,
            value,
            limit,
            unit: "deg",
        };
        let check = |gauge: &Gauge, value, limit, is_missed, expected: &str| {
            let measure = measure(gauge.name, value, limit);
            assert_eq!(gauge.is_missed(&measure), is_missed, "{expected}");
            assert_eq!(against(gauge, &measure), expected);
        };
        let [_, tilt, ..] = OF_DOCUMENTS;
        check(&tilt, 25.04, 22.0, true, "document_tilt 25.0 > 22 deg");
        let [eyes, ..] = OF_FACES;
        check(&eyes, 41.0, 70.0, true, "InterEyeDistance 41 < 70 deg");
        assert!(!eyes.is_missed(&measure("", 70.0, 70.0)));
        assert!(!tilt.is_missed(&measure("", 22.0, 22.0)));
    }
}
