//! A report as lines of a terminal, 79 columns wide, or as JSON in one line.

use super::plain::{Charset, columns, plain, plain_json, split_columns, wrap};
use super::report::{Body, Report, Row, Section, Value, Verdict};
use super::texts;

/// One column less than the terminal has: a line that fills it would break on some.
pub const WIDTH: usize = 79;
/// Columns of an item, of a value with its unit, and of a limit.
const ITEM: usize = 27;
const VALUE: usize = 20;
const LIMIT: usize = 18;

/// How a terminal is written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Characters.
    pub charset: Charset,
    /// Verdicts in colour.
    pub color: bool,
    /// In Chinese, as far as the catalogue goes; else in English. Only with [`Charset::Utf8`].
    pub chinese: bool,
}

impl Style {
    /// A text in the terminal's language and characters.
    pub fn say(&self, english: &str) -> String {
        let chinese = self.chinese.then(|| texts::chinese(english)).flatten();
        plain(chinese.as_deref().unwrap_or(english), self.charset)
    }

    /// A text that somebody may have typed: only as a whole.
    fn say_cell(&self, english: &str) -> String {
        let chinese = self.chinese.then(|| texts::chinese_word(english)).flatten();
        plain(chinese.unwrap_or(english), self.charset)
    }
}

/// The value as text: whole numbers whole, others with four significant digits.
pub fn value_text(value: &Value) -> String {
    match value {
        Value::Whole(n) => n.to_string(),
        Value::Text(text) => text.clone(),
        Value::Real(real) if !real.is_finite() => "?".to_owned(),
        Value::Real(real) => {
            let size = real.abs();
            let digits = match size {
                _ if size >= 1000.0 => 0,
                _ if size >= 100.0 => 1,
                _ if size >= 10.0 => 2,
                _ => 3,
            };
            format!("{real:.digits$}")
        }
    }
}

fn padded(text: &str, to: usize) -> String {
    let missing = to.saturating_sub(columns(text));
    format!("{text}{}", " ".repeat(missing))
}

fn verdict_text(verdict: Verdict, style: Style) -> String {
    let word = style.say(verdict.word());
    if !style.color {
        return word;
    }
    let color = match verdict {
        Verdict::Ok => 32,
        Verdict::Warn | Verdict::NotTested => 33,
        Verdict::Fail => 31,
    };
    format!("\u{1b}[{color}m{word}\u{1b}[0m")
}

/// A row: item, value and unit, limit, verdict; what is too long goes to lines of its own; the mend below.
pub fn row_lines(row: &Row, style: Style) -> Vec<String> {
    let show = |text: &str| style.say(text);
    let item = show(&row.item);
    let value = row.value.as_ref().map(value_text).unwrap_or_default();
    let value = match (value.is_empty(), row.unit.is_empty()) {
        (false, false) => format!("{} {}", show(&value), show(&row.unit)),
        (false, true) => show(&value),
        (true, _) => "-".to_owned(),
    };
    let limit = show(&row.limit);
    let told = row.verdict.is_none() && row.limit.is_empty();
    let mut lines = Vec::new();
    let mut first = padded(&item, ITEM);
    if columns(&item) > ITEM {
        lines.extend(wrap(&item, WIDTH));
        first = " ".repeat(ITEM);
    }
    if told || columns(&value) > VALUE || columns(&limit) > LIMIT {
        let whole = if row.limit.is_empty() {
            value
        } else {
            format!("{value}  {} {limit}", show("limit"))
        };
        let verdict = row.verdict.map(|v| verdict_text(v, style));
        let text = wrap(&whole, WIDTH - ITEM - 1);
        for (i, part) in text.iter().enumerate() {
            let before = if i == 0 {
                first.clone()
            } else {
                " ".repeat(ITEM)
            };
            lines.push(format!("{before} {part}").trim_end().to_owned());
        }
        if let Some(verdict) = verdict {
            lines.push(format!("{} {verdict}", " ".repeat(ITEM)));
        }
    } else {
        let verdict = row
            .verdict
            .map(|v| verdict_text(v, style))
            .unwrap_or_default();
        let line = format!(
            "{first} {} {} {verdict}",
            padded(&value, VALUE),
            padded(&limit, LIMIT)
        );
        lines.push(line.trim_end().to_owned());
    }
    if !row.mend.is_empty() && row.verdict != Some(Verdict::Ok) {
        lines.extend(labelled(&style.say("  mend: "), &show(&row.mend)));
    }
    lines
}

/// A text behind its label; lines below begin where the first does.
fn labelled(label: &str, text: &str) -> Vec<String> {
    let before = columns(label);
    let parts = wrap(text, WIDTH - before);
    let line = |(i, part): (usize, &String)| {
        let label = if i == 0 { label } else { "" };
        format!("{}{part}", padded(label, before))
    };
    parts.iter().enumerate().map(line).collect()
}

fn table_lines(heads: &[String], rows: &[Vec<String>], style: Style) -> Vec<String> {
    let show =
        |cells: &[String]| -> Vec<String> { cells.iter().map(|c| style.say_cell(c)).collect() };
    let heads = show(heads);
    let rows: Vec<Vec<String>> = rows.iter().map(|r| show(r)).collect();
    let mut widths: Vec<usize> = heads.iter().map(|h| columns(h)).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(columns(cell));
        }
    }
    // The last column takes what is left, and is broken into lines.
    let Some(last) = widths.len().checked_sub(1) else {
        return Vec::new();
    };
    for width in &mut widths[..last] {
        *width = (*width).min(32);
    }
    let before: usize = widths[..last].iter().map(|w| w + 2).sum();
    let room = WIDTH.saturating_sub(before).max(12);
    let mut lines = Vec::new();
    let mut put = |cells: &[String]| {
        let mut line = String::new();
        for (i, cell) in cells.iter().enumerate().take(last) {
            let (fits, _) = split_columns(cell, widths[i]);
            line.push_str(&padded(fits, widths[i]));
            line.push_str("  ");
        }
        let end = cells.get(last).map(String::as_str).unwrap_or_default();
        for (i, part) in wrap(end, room).iter().enumerate() {
            let start = if i == 0 {
                line.clone()
            } else {
                " ".repeat(before)
            };
            let whole = format!("{start}{part}");
            lines.push(split_columns(&whole, WIDTH).0.trim_end().to_owned());
        }
    };
    put(&heads);
    for row in &rows {
        put(row);
    }
    lines
}

/// A section as lines.
pub fn section_lines(section: &Section, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    if !section.title.is_empty() {
        lines.push(String::new());
        lines.extend(wrap(&style.say(&section.title), WIDTH));
    }
    match &section.body {
        Body::Rows(rows) => lines.extend(rows.iter().flat_map(|row| row_lines(row, style))),
        Body::Table { columns, rows } => lines.extend(table_lines(columns, rows, style)),
        Body::Lines(text) => {
            for line in text {
                let line = plain(line, style.charset);
                let mut rest = line.trim_end();
                loop {
                    let (first, more) = split_columns(rest, WIDTH);
                    lines.push(first.to_owned());
                    if more.is_empty() {
                        break;
                    }
                    rest = more;
                }
            }
        }
    }
    lines
}

/// The whole report; rows that were told already are left out. The last line has the result's number and word.
pub fn report_lines(report: &Report, told: &[Row], style: Style) -> Vec<String> {
    let mut lines = wrap(&style.say(&report.title), WIDTH);
    for section in &report.sections {
        let mut section = section.clone();
        if let Body::Rows(rows) = &mut section.body {
            rows.retain(|row| !told.contains(row));
            if rows.is_empty() {
                continue;
            }
        }
        lines.extend(section_lines(&section, style));
    }
    if !report.next.is_empty() {
        lines.extend(labelled(&style.say("next: "), &style.say(&report.next)));
    }
    // Number and word are for scripts, whatever the language.
    let (number, word) = (report.code.number(), report.code.word());
    let chinese = style.chinese.then(|| texts::chinese_result(report.code));
    let line = format!("result {number} {word} {}", chinese.flatten().unwrap_or(""));
    lines.push(line.trim_end().to_owned());
    lines
}

/// The report as JSON, one line: the report's own fields, and the result's number.
pub fn report_json(report: &Report, charset: Charset) -> String {
    let mut value = serde_json::to_value(report).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("result".to_owned(), report.code.number().into());
    }
    plain_json(&value.to_string(), charset)
}

#[cfg(test)]
mod tests;
