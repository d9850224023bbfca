//! What the report reads: lines of the trace, spans of a session, the screens one after the other.

use super::*;

fn panel(at_ms: u64, screen: &str) -> PanelLine {
    PanelLine {
        at_ns: at_ms * 1_000_000,
        screen: screen.to_owned(),
        file: format!("panel/{at_ms}-{screen}.png"),
    }
}

fn span(begin_ms: u64, end_ms: u64) -> Span {
    Span::new(Moment::from_millis(begin_ms), Moment::from_millis(end_ms))
}

#[test]
fn a_line_of_the_trace_is_understood() {
    let check = |text: &str, task: &str, corners: bool, score: Option<f64>| {
        let look: Look = serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(look.seen.task(), task);
        assert_eq!(
            look.document().is_some_and(|d| d.corners.is_some()),
            corners
        );
        assert_eq!(look.face().and_then(|f| f.comparison_score), score);
    };
    check(r#"{"at_ns":1,"seen":{"task":"idle"}}"#, "idle", false, None);
    check(
        r#"{"at_ns":1,"sequence":3,"took_us":900,"scene_mean":0.4,"settled":null,"seen":{"task":"ticket","found":true}}"#,
        "ticket",
        false,
        None,
    );
    check(
        r#"{"at_ns":1,"seen":{"task":"document","corners":[[1,2],[3,4],[5,6],[7,8]],"motion":null,"problem":"Moving","read":false}}"#,
        "document",
        true,
        None,
    );
    check(
        r#"{"at_ns":1,"seen":{"task":"face","n_faces":1,"face":{"bounds":{"x":1,"y":2,"w":3,"h":4},"pose":[1,null,2],"quality":{"Sharpness":40,"EyesOpen":null},"comparison_score":0.5}}}"#,
        "face",
        false,
        Some(0.5),
    );
    check(
        r#"{"at_ns":1,"seen":{"task":"voice","n":1}}"#,
        "other",
        false,
        None,
    );
}

#[test]
fn what_cannot_be_read_is_said() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let at = |name: &str| dir.path().join(name);
    std::fs::write(
        at("stage.jsonl"),
        "{\"at_ns\":2,\"event\":\"b\"}\n{\"at_ns\":1,\"event\":\"a\"}\n{\"at_ns\":3,\"ev",
    )
    .expect("there is room");
    std::fs::write(at("lights.jsonl"), "").expect("there is room");
    std::fs::write(
        at("recorder.json"),
        "{\"written\":9,\"dropped\":2,\"failed\":0}",
    )
    .expect("there is room");
    let tape = Tape::read(dir.path(), &at("trace.jsonl"));
    let events: Vec<_> = tape.stage.iter().map(|s| s.event.as_str()).collect();
    assert_eq!(events, ["a", "b"]);
    for said in [
        "stage.jsonl: 1 of 3 lines could not be read, the first is line 3",
        "lights.jsonl: there is no line in it",
        "trace.jsonl: ",
        "recorder.json: 2 notes were dropped",
    ] {
        assert!(
            tape.missing.iter().any(|m| m.starts_with(said)),
            "{said:?} in {:?}",
            tape.missing
        );
    }
}

#[test]
fn a_span_takes_what_lies_within() {
    let lines = [panel(1, "a"), panel(2, "b"), panel(3, "c"), panel(4, "d")];
    let check = |s: Span, expected: &[&str], before: Option<&str>| {
        let found: Vec<_> = s.of(&lines).iter().map(|l| l.screen.as_str()).collect();
        assert_eq!(found, expected, "{s:?}");
        assert_eq!(s.before(&lines).map(|l| l.screen.as_str()), before, "{s:?}");
    };
    check(span(2, 3), &["b", "c"], Some("a"));
    check(span(0, 9), &["a", "b", "c", "d"], None);
    check(span(8, 9), &[], Some("d"));
    check(span(3, 1), &["c"], Some("b"));
}

#[test]
fn screens_follow_one_another_without_gaps() {
    let panels = [
        panel(500, "idle"),
        panel(2000, "consent"),
        panel(2500, "consent"),
        panel(4000, "document.show"),
        panel(9000, "idle"),
    ];
    let found: Vec<_> = showings(&panels, span(1000, 6000))
        .iter()
        .map(|s| (s.screen, s.from_s, s.to_s))
        .collect();
    assert_eq!(
        found,
        [
            ("idle", 0.0, 1.0),
            ("consent", 1.0, 3.0),
            ("document.show", 3.0, 5.0)
        ]
    );
    assert_eq!(showings(&[], span(0, 1)), []);
}
