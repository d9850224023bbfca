//! `boothd render` and `boothd ticket`: what they write, and what they say of what is wrong.

use crate::furnished::{boothd, root};

/// Runs `render` in a folder of its own; gives the exit code, what was said, and what was written.
fn render(scene: &str, out: &str, args: &[&str]) -> (Option<i32>, String, Option<Vec<u8>>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(out);
    let out = path.to_str().expect("UTF-8");
    let scene = root().join(format!("board/scenes/{scene}.toml"));
    let scene = scene.to_str().expect("UTF-8");
    let ended = boothd(&[&["render", scene, "--out", out], args].concat());
    (ended.code, ended.said, std::fs::read(&path).ok())
}

#[test]
fn frames_are_written_as_they_were_asked_for() {
    let (code, said, written) = render(
        "passport",
        "f.yuyv",
        &["--step", "document", "--frames", "2", "--size", "320x180"],
    );
    assert_eq!(code, Some(0), "{said}");
    let frames = written.expect("a file");
    assert_eq!(frames.len(), 2 * 320 * 180 * 2);
    assert_ne!(frames[..320 * 180 * 2], frames[320 * 180 * 2..], "no noise");

    let (code, said, written) = render(
        "prc-card",
        "f.png",
        &["--step", "back", "--size", "320x180"],
    );
    assert_eq!(code, Some(0), "{said}");
    let picture = image::load_from_memory(&written.expect("a file")).expect("a picture");
    assert_eq!((picture.width(), picture.height()), (320, 180));
}

#[test]
fn each_side_of_the_ring_has_a_level_of_its_own() {
    let shot = |args: &[&str]| {
        let args = [&["--step", "empty", "--size", "320x180"], args].concat();
        let (code, said, written) = render("passport", "f.yuyv", &args);
        assert_eq!(code, Some(0), "{said}");
        written.expect("a file")
    };
    let halves = |frame: &[u8]| {
        let mut halves = [0.0f64; 2];
        for (i, y) in frame.iter().step_by(2).enumerate() {
            halves[usize::from(i % 320 >= 160)] += f64::from(*y) / (160.0 * 180.0);
        }
        halves
    };
    let off = halves(&shot(&["--light", "0"]));
    let right_only = shot(&["--light", "0", "--light-right", "0.8"]);
    for (frame, side) in [
        (&shot(&["--light", "0", "--light-left", "0.8"]), 0),
        (&right_only, 1),
    ] {
        let on = halves(frame);
        let added = [on[0] - off[0], on[1] - off[1]];
        // The beams cross where faces are: of the wall behind, each side lights the other half more.
        assert!(
            added[side] > 3.0 && added[1 - side] > added[side] + 0.5,
            "{side}: {added:?}"
        );
    }
    let other = shot(&["--light", "0.8", "--light-left", "0"]);
    assert!(
        other == right_only,
        "--light is for the side that is not named"
    );
}

#[test]
fn the_scene_s_sound_is_written_as_its_microphone_hears_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let wav = folder.path().join("sound.wav");
    let to = wav.to_str().expect("UTF-8");
    let args = ["--step", "empty", "--size", "320x180", "--sound", to];
    let (code, said, _) = render(
        "passport",
        "f.png",
        &[&args[..], &["--sound-s", "2"]].concat(),
    );
    assert_eq!(code, Some(0), "{said}");
    let file = hound::WavReader::open(&wav).expect("a WAV");
    let spec = file.spec();
    assert_eq!(
        (spec.sample_rate, spec.channels, spec.bits_per_sample),
        (16_000, 1, 16)
    );
    let samples: Vec<f64> = file
        .into_samples::<i16>()
        .map(|s| f64::from(s.expect("whole")) / 32_768.0)
        .collect();
    assert_eq!(samples.len(), 32_000);
    // The scene has no voice: its noise floor is -62 dBFS, and whole numbers add a little.
    let dbfs = 10.0 * (samples.iter().map(|s| s * s).sum::<f64>() / 32_000.0).log10();
    assert!((-63.5..=-60.5).contains(&dbfs), "{dbfs}");

    let (code, said, _) = render(
        "passport",
        "f.png",
        &[&args[..5], &["/none/s.wav"]].concat(),
    );
    assert_eq!(code, Some(1), "{said}");
    for word in ["--sound /none/s.wav", "mend", "No such file"] {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[test]
fn what_cannot_be_rendered_is_named() {
    for (scene, out, args, code, words) in [
        (
            "passport",
            "f.gif",
            "face",
            1,
            [".gif", "allowed", ".png or .yuyv"],
        ),
        (
            "passport",
            "f.png",
            "face --frames 2",
            1,
            ["--frames 2", "allowed", "1"],
        ),
        (
            "passport",
            "f.png",
            "face --light 2",
            1,
            ["--light 2", "allowed", "0 to 1"],
        ),
        (
            "passport",
            "f.png",
            "face --light-right 1.5",
            1,
            ["--light-right 1.5", "allowed", "0 to 1"],
        ),
        (
            "passport",
            "f.png",
            "face --size 7x7",
            2,
            ["7x7", "allowed", "even width"],
        ),
        (
            "passport",
            "f.png",
            "back",
            1,
            ["passport.toml", "document.back", "another step"],
        ),
        (
            "passport",
            "f.png",
            "ticket",
            1,
            ["passport.toml", "ticket", "mend"],
        ),
        (
            "passport",
            "f.png",
            "ticket --ticket no/such",
            1,
            ["no/such", "boothd ticket", "No such file"],
        ),
        (
            "practice",
            "f.png",
            "ticket",
            1,
            ["practice.toml", "`ticket`", "another step"],
        ),
        (
            "none",
            "f.png",
            "face",
            1,
            ["none.toml", "No such file", "mend"],
        ),
    ] {
        let args: Vec<&str> = ["--step"].into_iter().chain(args.split(' ')).collect();
        let (found, said, written) = render(scene, out, &args);
        assert_eq!(found, Some(code), "{scene} {args:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{scene} {args:?}: `{word}`: {said}");
        }
        assert_eq!(written, None, "{scene} {args:?}");
    }
}

#[test]
fn a_ticket_that_cannot_be_had_is_explained() {
    let folder = tempfile::tempdir().expect("a folder");
    let (keys, out) = (folder.path().join("keys"), folder.path().join("ticket"));
    let text = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    let ended = boothd(&["keys", "--out", &text(&keys)]);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    for (scene, words) in [
        // A port that nobody listens on.
        ("passport", ["127.0.0.1:1", "wallet"]),
        ("practice", ["`[ticket]`", "practice.toml"]),
        ("reverification", ["ticket.reference", "boothd demo"]),
    ] {
        let scene = root().join(format!("board/scenes/{scene}.toml"));
        let ended = boothd(&[
            "ticket",
            &text(&scene),
            "--keys",
            &text(&keys),
            "--wallet",
            "https://127.0.0.1:1",
            "--out",
            &text(&out),
        ]);
        assert_eq!(ended.code, Some(1), "{}", ended.said);
        for word in words {
            assert!(ended.said.contains(word), "`{word}`: {}", ended.said);
        }
        assert!(!out.exists());
    }
}
