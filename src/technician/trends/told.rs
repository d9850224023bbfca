//! Trends in words: a line for the console, a line for the memory of faults.

use super::judge::{Judged, NOW_DAYS};
use super::measure::Rule;
use crate::technician::fault_table::FaultRow;
use crate::technician::page::value_text;
use crate::technician::report::{Body, Code, Report, Row, Value, Verdict};

/// Heads of the columns.
const COLUMNS: [&str; 6] = ["measure", "now", "reference", "change", "limit", "verdict"];

fn figure(value: Option<f64>, unit: &str) -> String {
    let Some(value) = value else {
        return "-".to_owned();
    };
    // Counts, and what is told in steps.
    let value = if value.fract() == 0.0 && value.abs() < 1000.0 {
        Value::Whole(value as i64)
    } else {
        Value::Real(value)
    };
    format!("{} {unit}", value_text(&value))
        .trim_end()
        .to_owned()
}

impl Judged {
    fn change_in_words(&self) -> String {
        match (self.change(), self.measure.spec().rule) {
            (None, _) => "-".to_owned(),
            // Nothing is less than nothing: zero has no minus.
            (Some(share), Rule::Falls { .. }) => format!("{:+.0} %", (100.0 * share).round() + 0.0),
            (Some(difference), _) => format!("{:+.1}", (10.0 * difference).round() / 10.0 + 0.0),
        }
    }

    fn limit_in_words(&self) -> String {
        match self.measure.spec().rule {
            Rule::Falls { raise, .. } => format!("> -{:.0} %", 100.0 * raise),
            Rule::Rises { raise, .. } => format!("< +{raise:.1}"),
            Rule::Reaches { raise, .. } => format!("< {raise:.0}"),
            Rule::BeatsRing { raise, .. } => match self.ring {
                Some(ring) => format!("< {}", value_text(&Value::Real(raise * ring))),
                None => format!("< {raise:.0} x ring"),
            },
        }
    }

    /// What was found, for the memory of faults.
    pub(super) fn in_words(&self) -> String {
        let spec = self.measure.spec();
        let now = figure(self.now, spec.unit);
        let hours = if self.hours.is_empty() {
            String::new()
        } else {
            format!(" at {} UTC", self.hours.join(", "))
        };
        format!(
            "{}: {now}{hours}, was {}, change {} (limit {})",
            spec.name,
            figure(self.reference, spec.unit),
            self.change_in_words(),
            self.limit_in_words()
        )
    }
}

/// `show trends`.
pub fn report(judged: &[Judged]) -> Report {
    let line = |j: &Judged| {
        let spec = j.measure.spec();
        let verdict = match (j.verdict, j.missing_days) {
            (Verdict::NotTested, days @ 1..) => format!("in {days} d"),
            (verdict, _) => verdict.word().to_owned(),
        };
        vec![
            spec.name.to_owned(),
            figure(j.now, spec.unit),
            figure(j.reference, spec.unit),
            j.change_in_words(),
            j.limit_in_words(),
            verdict,
        ]
    };
    let rows = judged.iter().map(line).collect();
    let columns = COLUMNS.map(str::to_owned).into();
    // A booth whose disk or wall says nothing is as well as one that is new.
    let verdicts = judged.iter().map(|j| j.verdict);
    let code = Code::of(verdicts.filter(|v| *v != Verdict::NotTested));
    let title = format!("trends: median of the newest {NOW_DAYS} days");
    let mut report = Report::new(title, code).with("", Body::Table { columns, rows });
    let told: Vec<Row> = judged
        .iter()
        .filter(|j| j.raised)
        .filter_map(|j| {
            let fault = FaultRow::of(j.measure.spec().code)?;
            let words = if j.hours.is_empty() {
                fault.description.to_owned()
            } else {
                format!("{}: {} UTC", fault.description, j.hours.join(", "))
            };
            let mut row = Row::told(j.measure.spec().name, words, "");
            fault.mend.clone_into(&mut row.mend);
            Some(row)
        })
        .collect();
    if !told.is_empty() {
        report = report.with("to mend", Body::Rows(told));
    }
    report
}
