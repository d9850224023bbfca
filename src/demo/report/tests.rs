//! The whole page, from small made inputs.

use super::*;
use serde_json::json;

/// A recorder's folder and a trace of one short session, beginning at 10 s of the booth's clock.
fn made(dir: &Path) {
    std::fs::create_dir_all(dir.join("frames")).expect("there is room");
    std::fs::create_dir_all(dir.join("panel")).expect("there is room");
    let frame = image::RgbImage::from_fn(640, 360, |x, y| {
        image::Rgb([(x / 3) as u8, (y / 2) as u8, 90])
    });
    frame
        .save(dir.join("frames/00000090.jpg"))
        .expect("there is room");
    let screen = image::RgbImage::from_pixel(320, 240, image::Rgb([20, 60, 90]));
    screen
        .save(dir.join("panel/0001-idle.png"))
        .expect("there is room");
    let second = 1_000_000_000_u64;
    let file = |name: &str, lines: &[serde_json::Value]| {
        let text: String = lines.iter().map(|l| format!("{l}\n")).collect();
        std::fs::write(dir.join(name), text).expect("there is room");
    };
    let side = json!({"white": 0.35, "red": 0.0, "green": 0.0, "blue": 0.0});
    file(
        "lights.jsonl",
        &[json!({"at_ns": 11 * second, "left": side, "right": side})],
    );
    file(
        "camera.jsonl",
        &[json!({"at_ns": 11 * second, "sequence": 60, "exposure_us": 10_000, "gain": 1.5})],
    );
    file(
        "frames.jsonl",
        &[json!({"at_ns": 13 * second, "sequence": 90, "file": "frames/00000090.jpg"})],
    );
    file(
        "panel.jsonl",
        &[json!({"at_ns": 9 * second, "screen": "idle", "file": "panel/0001-idle.png"})],
    );
    file(
        "stage.jsonl",
        &[json!({"at_ns": 10 * second, "event": "scene made begins"})],
    );
    file(
        "trace.jsonl",
        &[
            json!({"at_ns": 13 * second, "sequence": 90, "took_us": 21_000, "scene_mean": 0.4, "exposure_us": 10_000, "gain": 1.5, "white": [0.3, 0.3], "settled": true,
            "seen": {"task": "document", "corners": [[300.0, 200.0], [900.0, 210.0], [890.0, 640.0], [310.0, 630.0]], "confidence": 0.9, "area_share": 0.28,
                "tilt_degrees": 2.0, "sharpness": 180.0, "glare_share": 0.0, "luminance": 0.57, "motion": 0.002, "problem": null, "read": true,
                "checks_verified": 5, "portrait_inter_eye_px": 41.0}}),
        ],
    );
    std::fs::write(
        dir.join("recorder.json"),
        "{\"written\":6,\"dropped\":0,\"failed\":0}",
    )
    .expect("there is room");
}

fn session() -> SessionRecord {
    SessionRecord {
        name: "made".to_owned(),
        title_en: "Made <up>".to_owned(),
        title_zh: "示例".to_owned(),
        begin: Moment::from_millis(10_000),
        end: Moment::from_millis(18_000),
        expected: "verified".to_owned(),
        found: "verified".to_owned(),
        as_expected: true,
        outcome: Some(
            json!({"result": "verified", "disposition": "none", "reasons": [], "checks": [{"name": "document.type", "outcome": "passed"}],
            "times": {"steps_ms": {"document": 4200}}}),
        ),
        jws_header: Some(json!({"alg": "EdDSA"})),
        note: "waited 7.3 s in the outbox".to_owned(),
    }
}

fn report(dir: &Path, sessions: &[SessionRecord]) -> String {
    let input = ReportInput {
        out: &dir.join("out"),
        record_dir: dir,
        trace: &dir.join("trace.jsonl"),
        sessions,
        machine: "a & b".to_owned(),
        facts: vec![("start to ready".to_owned(), "2.1 s".to_owned())],
    };
    let path = write_report(&input).expect("the folder can be written");
    assert_eq!(path, dir.join("out/report.html"));
    std::fs::read_to_string(path).expect("the report was written")
}

#[test]
fn a_session_is_shown_whole() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    made(dir.path());
    let page = report(dir.path(), &[session()]);
    for part in [
        "1 of 1 sessions ended as expected",
        "<a href=\"#s-made\">Made &lt;up&gt;</a>",
        "<p>a &amp; b</p>",
        "waited 7.3 s in the outbox",
        "data:image/png;base64,",
        "data:image/jpeg;base64,",
        "300.0,200.0 900.0,210.0 890.0,640.0 310.0,630.0",
        "measured on this frame",
        "exposed 10.0 ms, gain 1.50",
        "document target 0.58 ± 0.4 stop",
        "<th scope=\"row\">document</th><td class=\"n\">4.20 s</td>",
        "<td>document</td><td class=\"n\">1</td><td class=\"n\">21</td>",
        "<th scope=\"row\">start to ready</th><td>2.1 s</td>",
        "Nothing: every file was there",
    ] {
        assert!(page.contains(part), "{part:?} is not in the page");
    }
    // One file: nothing is fetched, nothing runs.
    for part in [
        "<script",
        "http://",
        "https://",
        "src=\"panel",
        "href=\"frames",
    ] {
        assert!(!page.contains(part), "{part:?} is in the page");
    }
}

#[test]
fn tags_are_balanced() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    made(dir.path());
    let mut unfinished = session();
    unfinished.outcome = None;
    let page = report(dir.path(), &[session(), unfinished]);
    for tag in [
        "section",
        "div",
        "table",
        "tr",
        "td",
        "th",
        "figure",
        "figcaption",
        "svg",
        "details",
        "p",
        "span",
        "g",
        "text",
    ] {
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        let closed = page.matches(&format!("</{tag}>")).count();
        assert_eq!(opened, closed, "<{tag}>");
    }
}

#[test]
fn nothing_at_all_still_makes_a_report() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let mut failed = session();
    failed.outcome = None;
    failed.as_expected = false;
    failed.found = String::new();
    let page = report(dir.path(), &[failed]);
    for part in [
        "0 of 1 sessions ended as expected",
        "The wallet received no outcome",
        "The recorder has no picture of the panel",
        "No frame of this session was kept",
        "nothing was measured",
        "<li>trace.jsonl: ",
        "<li>panel.jsonl: ",
        "<li>recorder.json: ",
    ] {
        assert!(page.contains(part), "{part:?} is not in the page");
    }
    assert!(report(dir.path(), &[]).contains("No session was run"));
}
