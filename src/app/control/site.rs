//! `site accept`: the test of an installation. The whole self-test, then what only somebody on the spot can say, and a record of all that the
//! booth signs: `site.jws` beside the outbox.

use super::{Control, locked};
use crate::app::tester::Reach;
use crate::technician::command::{Operator, TestWhat};
use crate::technician::control::{Answers, Go};
use crate::technician::report::{Body, Code, Report, Row, Verdict};
use crate::technician::selftest::parts_of;
use crate::technician::selftest::store::Occasion;
use crate::trust::{hex, jws, sha256};
use serde_json::{Map, json};

/// The type of the signed record.
const RECORD_TYP: &str = "boothd-site";

/// What the technician is asked; each has to be answered by yes.
const QUESTIONS: [(&str, &str); 6] = [
    (
        "housing",
        "Does the booth stand firm, and is its case closed and locked?",
    ),
    (
        "view",
        "Is the camera at eye height, with a plain wall behind the person?",
    ),
    (
        "daylight",
        "Are there no windows or lamps in the camera's view?",
    ),
    (
        "panel",
        "Does the panel show the maintenance screen, whole and upright?",
    ),
    ("tone", "Did you hear the tone from the speaker?"),
    (
        "cable",
        "Is the network a cable of the branch, and the plug secured?",
    ),
];

impl Control {
    pub(super) fn site_accept(&self, operator: &Operator, answers: &mut dyn Answers) -> Report {
        let parts = parts_of(TestWhat::All);
        let mut tester = locked(&self.tester);
        let began = self.clock.now();
        let mut reports = Vec::new();
        for (done, part) in (0u32..).zip(parts) {
            let of = u32::try_from(parts.len()).unwrap_or(0);
            if answers.progress(&format!("{part} ..."), done, of) == Go::Stop {
                return Report::new("not accepted", Code::Stopped);
            }
            let mut going = || answers.go() == Go::On;
            let report = tester.test(part, Reach::Full, &mut going);
            if report.rows.iter().any(|row| answers.row(row) == Go::Stop) {
                return Report::new("not accepted", Code::Stopped);
            }
            reports.push(report);
        }
        tester.keep(&reports, Occasion::Asked, self.clock.now().since(began));
        drop(tester);
        let mut rows = Vec::new();
        let mut said = Map::new();
        for (item, question) in QUESTIONS {
            let Some(choice) = answers.choose(question, &["yes", "no"]) else {
                return Report::new("not accepted", Code::Stopped);
            };
            let (word, verdict) = if choice == 0 {
                ("yes", Verdict::Ok)
            } else {
                ("no", Verdict::Fail)
            };
            said.insert(item.to_owned(), word.into());
            let mend = if choice == 0 { "" } else { question };
            rows.push(Row::measured(item, word, "", "yes", verdict, mend));
        }
        let tests: Map<_, _> = reports
            .iter()
            .map(|r| {
                (
                    r.part.to_owned(),
                    json!({"verdict": r.verdict(), "rows": r.rows}),
                )
            })
            .collect();
        // What cannot be tested on this board is no reason to refuse it; what fails is.
        let failed = reports.iter().any(|r| r.verdict() == Verdict::Fail)
            || rows.iter().any(|r| r.verdict == Some(Verdict::Fail));
        let record = json!({
            "v": 1, "booth": self.booth, "at": self.clock.wall().rfc3339(), "work_order": operator.work_order,
            "software": env!("CARGO_PKG_VERSION"), "board": self.house.board, "accepted": !failed, "answers": said, "tests": tests,
        });
        let signed = jws::sign(
            record.to_string().as_bytes(),
            RECORD_TYP,
            Map::new(),
            &*self.signer,
        )
        .map_err(|e| e.to_string())
        .and_then(|text| {
            let path = self.config.outbox.state_dir.join("site.jws");
            std::fs::write(&path, &text).map_err(|e| format!("{}: {e}", path.display()))?;
            Ok(hex(&sha256(text.as_bytes())))
        });
        let (title, code) = if failed {
            ("NOT accepted: see what failed", Code::Fail)
        } else {
            ("accepted", Code::Ok)
        };
        match signed {
            Ok(hash) => rows.push(Row::told("signed record, sha256", hash, "")),
            Err(why) => {
                return Report::refusal(
                    Code::Failed,
                    format!("the record is not kept: {why}"),
                    "`test storage`, then again",
                );
            }
        }
        let mut report = Report::new(title, code);
        for part in reports {
            report = report.with(part.part, Body::Rows(part.rows));
        }
        report = report.with("answers", Body::Rows(rows));
        report.next = if failed {
            "mend, then `site accept` again".to_owned()
        } else {
            "`bundle create` has the record in it".to_owned()
        };
        report
    }
}
