//! What the report makes of small made inputs.

use super::*;
use crate::base::time::Moment;
use std::path::Path;

fn look(at_ms: u64, seen: &str) -> Look {
    let text = format!(
        "{{\"at_ns\":{},\"sequence\":{at_ms},\"seen\":{seen}}}",
        at_ms * 1_000_000
    );
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn frame(at_ms: u64) -> FrameLine {
    let text = format!(
        "{{\"at_ns\":{},\"sequence\":{at_ms},\"file\":\"frames/{at_ms}.jpg\"}}",
        at_ms * 1_000_000
    );
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

const SEEN: &str = r#"{"task":"document","corners":[[100,90],[900,80],[910,640],[90,650]],"problem":"Moving","read":false}"#;
const READ: &str = r#"{"task":"document","corners":[[100,90],[900,80],[910,640],[90,650]],"read":true,"checks_verified":5,"area_share":0.41}"#;
const BACK: &str = r#"{"task":"document","corners":[[100,90],[900,80],[910,640],[90,650]],"read":true,"side":"back"}"#;
const NONE: &str = r#"{"task":"document","corners":null,"problem":"NotFound","read":false}"#;

fn face(score: f32) -> String {
    format!(
        r#"{{"task":"face","n_faces":1,"face":{{"bounds":{{"x":500,"y":200,"w":240,"h":300}},"points":[[560,300],[655,301],[610,350],[575,400],[650,400]],"inter_eye_px":95.0,"pose":[1.5,0,0],"light":[0.5,0.5,0.5,0.3],"quality":{{"Sharpness":61}},"comparison_score":{score}}}}}"#
    )
}

#[test]
fn the_nearest_frame_is_taken_if_it_is_near() {
    let frames = [frame(1000), frame(1300), frame(1600)];
    let check = |at_ms: u64, expected: Option<u64>| {
        let found = nearest(&look(at_ms, NONE), &frames).map(|f| f.sequence);
        assert_eq!(found, expected, "{at_ms}");
    };
    check(1000, Some(1000));
    check(1140, Some(1000));
    check(1160, Some(1300));
    check(1900, Some(1600));
    check(2100, None);
    check(100, None);
}

#[test]
fn key_frames_show_each_part_of_the_session_once() {
    let frames: Vec<_> = (0..30).map(|i| frame(1000 + i * 300)).collect();
    let looks = [
        look(1210, r#"{"task":"ticket","found":false}"#),
        look(1510, r#"{"task":"ticket","found":true}"#),
        look(3000, NONE),
        look(3390, SEEN),
        look(3410, SEEN),
        look(4300, READ),
        look(5200, BACK),
        look(6100, &face(0.4)),
        look(7000, &face(0.7)),
        look(8000, &face(0.5)),
    ];
    let found: Vec<_> = choose(&looks, &frames)
        .iter()
        .map(|k| (k.title.0, k.look.sequence, k.frame.sequence))
        .collect();
    assert_eq!(
        found,
        [
            ("Ticket read", 1510, 1600),
            ("Document seen", 3390, 3400),
            ("Document read", 4300, 4300),
            ("Back of the card read", 5200, 5200),
            ("Face, first", 6100, 6100),
            ("Face, best comparison", 7000, 7000),
            ("Face, last", 8000, 7900),
        ]
    );
    assert!(choose(&looks, &[]).is_empty());
    assert!(choose(&[], &frames).is_empty());
}

#[test]
fn detections_are_drawn() {
    let check = |seen: &str, expected: &[&str]| {
        let mut out = String::new();
        drawing(&mut out, &look(1, seen)).expect("a String takes everything");
        for part in expected {
            assert!(out.contains(part), "{part:?} in {out}");
        }
    };
    check(
        SEEN,
        &[
            "100.0,90.0 900.0,80.0 910.0,640.0 90.0,650.0",
            ">Moving</text>",
        ],
    );
    check(READ, &[">read, 5 check digits verified</text>"]);
    check(NONE, &[">no document found</text>"]);
    check(
        &face(0.712),
        &[
            "x=\"500.0\" y=\"200.0\" width=\"240.0\" height=\"300.0\"",
            "M560.0 300.0L655.0 301.0",
            ">score 0.712</text>",
            ">IED 95 px</text>",
        ],
    );
    check(
        r#"{"task":"face","n_faces":0,"face":null}"#,
        &[">no face found</text>"],
    );
}

#[test]
fn a_caption_says_how_far_frame_and_look_are_apart() {
    let looks = [look(1100, READ)];
    let frames = [frame(1000)];
    let span = Span::new(Moment::ZERO, Moment::from_millis(5000));
    let mut album = Album::new(Path::new("no-such-folder"));
    let mut out = String::new();
    write(&mut out, &looks, &frames, &[], span, &mut album).expect("a String takes everything");
    for part in [
        "frame 1000, measured 100 ms after it",
        "area 41 %",
        ">1.0 s<",
        "picture missing",
    ] {
        assert!(out.contains(part), "{part:?} in {out}");
    }
}
