//! The self-test: what is measured of each part of the booth, the limits, and what follows. Pure: `app/upkeep` has the devices measured by
//! the threads that own them, and hands the figures in. One implementation for the start, the night, `boothd selftest` and the console.
//!
//! | file | what |
//! |---|---|
//! | `lights` | each side on and off, measured by the camera: the plan of levels, and the responses |
//! | `sound` | figures of the microphone's samples; a tone, and whether it is heard |
//! | `parts` | the figures of every part against their limits |
//! | `store` | the newest results, and what the devices were like when they were calibrated |

pub mod lights;
pub mod parts;
pub mod sound;
pub mod store;

use super::command::TestWhat;
use super::fault_table::FaultRow;
use super::report::{Row, Value, Verdict};

/// What a test of one part says.
#[derive(Clone, Debug, PartialEq)]
pub struct PartReport {
    /// The part, as the word of `test`; `sensors` has none of its own.
    pub part: &'static str,
    /// Each figure with its limit and verdict.
    pub rows: Vec<Row>,
    /// What was looked for: the fault's row of the table, and what was found of it, or `None` if it is not there.
    pub faults: Vec<(&'static FaultRow, Option<String>)>,
}

impl PartReport {
    /// A part of which nothing is known yet.
    pub fn new(part: &'static str) -> Self {
        Self {
            part,
            rows: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// A part that cannot be tested now.
    pub fn not_tested(part: &'static str, why: impl Into<String>) -> Self {
        let mut report = Self::new(part);
        report.rows.push(Row::not_tested(part, why));
        report
    }

    /// Adds a figure that is only told.
    pub fn told(&mut self, item: &str, value: impl Into<Value>, unit: &str) {
        self.rows.push(Row::told(item, value, unit));
    }

    /// Adds a figure that could not be had.
    pub fn missing(&mut self, item: &str, why: impl Into<String>) {
        self.rows.push(Row::not_tested(item, why));
    }

    /// Adds a figure against its limit. `code` is the fault that a value beyond it is: a verdict of `Fail` raises it, any other says that
    /// it is not there. A code that is not in the table raises nothing (a test holds the codes of this room to the table).
    pub fn judged(
        &mut self,
        item: &str,
        value: impl Into<Value>,
        unit: &str,
        limit: impl Into<String>,
        verdict: Verdict,
        code: &str,
    ) {
        let row = FaultRow::of(code);
        let bad = matches!(verdict, Verdict::Warn | Verdict::Fail);
        let mend = if bad { row.map_or("", |r| r.mend) } else { "" };
        let row_of_figure = Row::measured(item, value, unit, limit, verdict, mend);
        let found = (verdict == Verdict::Fail).then(|| in_words(&row_of_figure));
        self.rows.push(row_of_figure);
        if let Some(row) = row {
            match self
                .faults
                .iter_mut()
                .find(|(known, _)| known.code == row.code)
            {
                Some((_, known)) => *known = known.take().or(found),
                None => self.faults.push((row, found)),
            }
        }
    }

    /// Says that a fault was looked for, and is not there unless a figure has found it or still will.
    pub fn absent_unless_found(&mut self, code: &str) {
        if let Some(row) = FaultRow::of(code)
            && !self.faults.iter().any(|(known, _)| known.code == code)
        {
            self.faults.push((row, None));
        }
    }

    /// Adds a fault that another thread has told and watches.
    pub fn standing(&mut self, item: &str, code: &str) {
        let row = FaultRow::of(code);
        let description = row.map_or(code, |r| r.description);
        let mend = row.map_or("", |r| r.mend);
        let text = format!("{description} [{code}]");
        self.rows.push(Row::measured(
            item,
            text,
            "",
            "no fault",
            Verdict::Fail,
            mend,
        ));
    }

    /// The worst verdict.
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.rows.iter().filter_map(|r| r.verdict);
        verdicts.max().unwrap_or(Verdict::NotTested)
    }
}

/// A figure and its limit in one line, for the memory of faults.
fn in_words(row: &Row) -> String {
    let value = match &row.value {
        Some(Value::Whole(n)) => n.to_string(),
        Some(Value::Real(x)) => format!("{x:.3}"),
        Some(Value::Text(text)) => text.clone(),
        None => String::new(),
    };
    let unit = if row.unit.is_empty() {
        String::new()
    } else {
        format!(" {}", row.unit)
    };
    let limit = if row.limit.is_empty() {
        String::new()
    } else {
        format!(" (limit {})", row.limit)
    };
    format!("{}: {value}{unit}{limit}", row.item)
}

/// The parts that a test names, in the order in which they are tested: what others rest on comes first.
pub fn parts_of(what: TestWhat) -> &'static [&'static str] {
    match what {
        TestWhat::All => &ALL,
        TestWhat::Quick => &QUICK,
        other => {
            let at = ALL.iter().position(|p| *p == other.word()).unwrap_or(0);
            &ALL[at..=at]
        }
    }
}

const ALL: [&str; 12] = [
    "storage",
    "models",
    "clock",
    "network",
    "wallet",
    "sensors",
    "panel",
    "buttons",
    "camera",
    "lights",
    "microphone",
    "speaker",
];
/// Without what takes the camera or the ears for seconds.
const QUICK: [&str; 9] = [
    "storage",
    "clock",
    "network",
    "wallet",
    "sensors",
    "panel",
    "buttons",
    "camera",
    "microphone",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_of_the_console_has_its_parts() {
        for what in TestWhat::ALL {
            let parts = parts_of(*what);
            match what {
                TestWhat::All => assert_eq!(parts.len(), 12),
                TestWhat::Quick => assert!(parts.len() < 12 && parts.contains(&"storage")),
                one => assert_eq!(parts, [one.word()]),
            }
        }
    }

    #[test]
    fn a_figure_beyond_its_limit_is_a_fault_and_one_within_ends_it() {
        let mut report = PartReport::new("microphone");
        report.judged(
            "offset",
            0.06,
            "",
            "<= 0.05",
            Verdict::Fail,
            "hw.mic.dc_offset",
        );
        report.judged(
            "floor",
            -62.0,
            "dBFS",
            "<= -45",
            Verdict::Ok,
            "hw.mic.noisy",
        );
        report.judged(
            "floor",
            -30.0,
            "dBFS",
            "<= -45",
            Verdict::Fail,
            "hw.mic.noisy",
        );
        report.judged("runs", 4_i64, "", "<= 6", Verdict::Warn, "hw.mic.clipping");
        let faults: Vec<_> = report
            .faults
            .iter()
            .map(|(r, f)| (r.code, f.as_deref()))
            .collect();
        assert_eq!(
            faults,
            [
                ("hw.mic.dc_offset", Some("offset: 0.060 (limit <= 0.05)")),
                ("hw.mic.noisy", Some("floor: -30.000 dBFS (limit <= -45)")),
                ("hw.mic.clipping", None),
            ]
        );
        assert_eq!(report.verdict(), Verdict::Fail);
        assert!(!report.rows[0].mend.is_empty() && report.rows[1].mend.is_empty());
    }
}
