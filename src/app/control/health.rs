//! `show health`: the newest result of each part, and whether anything gets worse over months.

use super::Control;
use super::show::at;
use crate::technician::report::{Code, Report, Row, Verdict};
use crate::technician::selftest::store::Occasion;
use crate::technician::trends::Judged;

impl Control {
    pub(super) fn show_health(&self) -> Report {
        let tester = match self.tester_now() {
            Ok(tester) => tester,
            Err(busy) => return busy,
        };
        let results = &tester.results.now;
        if results.parts.is_empty() {
            return Report::refusal(
                Code::NotTested,
                "no self-test has run yet",
                "`maintenance enter`, then `test all`",
            );
        }
        let mut rows: Vec<Row> = results
            .parts
            .iter()
            .map(|(part, result)| {
                let first = result
                    .rows
                    .iter()
                    .find(|r| r.verdict == Some(result.verdict));
                let mend = first.map_or("", |r| r.mend.as_str());
                Row::measured(
                    part.as_str(),
                    at(result.at_ms),
                    "",
                    "",
                    result.verdict,
                    mend,
                )
            })
            .collect();
        rows.push(trends_in_short(&self.trends.judged(self.clock.wall())));
        let mut report = Report::of_rows("health: newest result of each part", rows);
        if let Some(run) = results.runs.back() {
            let word = match run.occasion {
                Occasion::Start => "at the start",
                Occasion::Daily => "of the day",
                Occasion::Asked => "as asked",
            };
            report.next = format!("newest run: {} ({word}, {} ms)", at(run.at_ms), run.took_ms);
        }
        report
    }
}

/// All trends in one row: how many get worse. A booth that is new has none, and is well.
fn trends_in_short(judged: &[Judged]) -> Row {
    let n = judged.iter().filter(|j| j.raised).count();
    let known = judged.iter().filter(|j| j.verdict != Verdict::NotTested);
    let text = format!("{n} worse of {} known", known.count());
    if n == 0 {
        return Row::told("trends", text, "");
    }
    Row::measured(
        "trends",
        text,
        "",
        "0 worse",
        Verdict::Warn,
        "`show trends`",
    )
}
