//! What the console shows of data: the sanitiser, and reports as pages and as JSON.

use boothd::technician::page::{Style, WIDTH, report_json, report_lines};
use boothd::technician::plain::{Charset, columns, is_shown, plain, plain_json, wrap};
use boothd::technician::report::{Body, Code, Report, Row, Verdict};

/// The first byte chooses the characters, and whether the rest is one text or a report of texts divided by 0xff; the second byte is the
/// width.
pub fn run(data: &[u8]) {
    let [mode, width, rest @ ..] = data else {
        return;
    };
    let charset = if mode % 2 == 0 {
        Charset::Ascii
    } else {
        Charset::Utf8
    };
    if mode & 4 != 0 {
        return report(rest, charset);
    }
    let text = String::from_utf8_lossy(rest);
    let shown = plain(&text, charset);
    assert!(shown.chars().all(|c| is_shown(c, charset)));
    let most = usize::from(*width).max(2);
    for line in wrap(&shown, most) {
        assert!(columns(&line) <= most);
    }
    let json = serde_json::to_string(&text).expect("a text");
    let escaped = plain_json(&json, charset);
    assert!(escaped.chars().all(|c| is_shown(c, charset)));
    assert_eq!(
        serde_json::from_str::<String>(&escaped).expect("still JSON"),
        text
    );
}

fn report(rest: &[u8], charset: Charset) {
    let parts: Vec<String> = rest
        .split(|b| *b == 0xff)
        .take(12)
        .map(|p| String::from_utf8_lossy(p).into_owned())
        .collect();
    let part = |i: usize| parts.get(i).cloned().unwrap_or_default();
    let row = Row {
        item: part(0),
        value: Some(part(1).into()),
        unit: part(2),
        limit: part(3),
        verdict: Some(Verdict::Fail),
        mend: part(4),
    };
    let mut report = Report::new(part(5), Code::Fail)
        .with(part(6), Body::Rows(vec![row]))
        .with(
            "",
            Body::Table {
                columns: parts.clone(),
                rows: vec![parts.clone(), vec![]],
            },
        )
        .with("", Body::Lines(parts));
    report.next = String::from_utf8_lossy(rest).into_owned();
    for line in report_lines(
        &report,
        &[],
        Style {
            charset,
            color: false,
            chinese: charset == Charset::Utf8,
        },
    ) {
        assert!(columns(&line) <= WIDTH, "{line:?}");
        assert!(line.chars().all(|c| is_shown(c, charset)));
    }
    let json = report_json(&report, charset);
    assert!(json.chars().all(|c| is_shown(c, charset)));
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(value["result"], 2);
}
