//! Reports as they look on a terminal of 80 columns.

use super::*;
use crate::technician::report::Code;
use proptest::prelude::*;

fn shown(report: &Report) -> String {
    report_lines(report, &[], Style::default()).join("\n")
}

#[test]
fn a_report_of_a_test() {
    let rows = vec![
        Row::measured(
            "camera.fps",
            29.87,
            "1/s",
            ">= 24",
            Verdict::Ok,
            "not shown",
        ),
        Row::measured(
            "room on disk",
            3,
            "%",
            ">= 10",
            Verdict::Fail,
            "`bundle send`, then call the workshop: the card is to be replaced because nothing can be deleted here",
        ),
        Row::not_tested("speaker", "no speaker in the board file"),
        Row::told("address", "192.0.2.7\u{1b}[2J", ""),
    ];
    let mut report = Report::of_rows("self-test quick", rows);
    report.next = "mend what failed, then `test quick`".to_owned();
    let expected = "\
self-test quick
camera.fps                  29.87 1/s            >= 24              ok
room on disk                3 %                  >= 10              FAIL
  mend: `bundle send`, then call the workshop: the card is to be replaced
        because nothing can be deleted here
speaker                     no speaker in the board file
                            not tested
address                     192.0.2.7<1b>[2J
next: mend what failed, then `test quick`
result 2 fail";
    assert_eq!(shown(&report), expected);
    assert_eq!(report.code, Code::Fail);
}

#[test]
fn a_table_breaks_its_last_column() {
    let cells = |row: [&str; 3]| row.map(str::to_owned).to_vec();
    let report = Report::new("faults", Code::Ok).with(
        "",
        Body::Table {
            columns: cells(["code", "since", "mend"]),
            rows: vec![cells([
                "hw.camera.covered",
                "12:04",
                "look whether something lies over the lens; clean it with a dry cloth; then `test camera`",
            ])],
        },
    );
    let expected = "\
faults
code               since  mend
hw.camera.covered  12:04  look whether something lies over the lens; clean it
                          with a dry cloth; then `test camera`
result 0 ok";
    assert_eq!(shown(&report), expected);
}

#[test]
fn json_has_the_number() {
    let report = Report::new("r\u{e9}sum\u{e9} \u{9b}", Code::NotFound);
    let json = report_json(&report, Charset::Ascii);
    assert_eq!(
        json,
        "{\"code\":\"not_found\",\"result\":40,\"sections\":[],\"title\":\"r\\u00e9sum\\u00e9 \\u009b\"}"
    );
}

#[test]
fn numbers_have_four_digits() {
    for (value, expected) in [
        (0.0, "0.000"),
        (9.8765, "9.877"),
        (98.765, "98.77"),
        (123.45, "123.5"),
        (98765.4, "98765"),
        (f64::NAN, "?"),
    ] {
        assert_eq!(value_text(&Value::Real(value)), expected);
    }
}

proptest! {
    #[test]
    fn no_line_is_wider_than_the_terminal(
        item in "\\PC{0,60}", value in "\\PC{0,120}", unit in "\\PC{0,12}", limit in "\\PC{0,40}", mend in "\\PC{0,200}",
        cells in proptest::collection::vec("\\PC{0,50}", 0..6),
    ) {
        let row = Row { item, value: Some(value.into()), unit, limit, verdict: Some(Verdict::Warn), mend };
        let report = Report::of_rows("t", vec![row])
            .with("s", Body::Table { columns: cells.clone(), rows: vec![cells.clone()] })
            .with("l", Body::Lines(cells));
        for (charset, chinese) in [(Charset::Ascii, false), (Charset::Utf8, false), (Charset::Utf8, true)] {
            for line in report_lines(&report, &[], Style { charset, color: false, chinese }) {
                prop_assert!(columns(&line) <= WIDTH, "{} {line:?}", columns(&line));
                prop_assert!(line.chars().all(|c| crate::technician::plain::is_shown(c, charset)), "{line:?}");
            }
        }
    }
}
