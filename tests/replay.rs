//! `boothd replay --table` and `--report`: on frames that the virtual booth renders, and what is said of wrong folders.

use crate::furnished::{boothd, root, runtime};
use boothd::hal::CameraControls;
use boothd::hal::light::LightLevels;
use boothd::hal::virt::{StillShot, StillStep, picture, stills};
use std::fs;
use std::path::Path;

/// Milliseconds between two frames of the made recordings.
const APART_MS: usize = 100;

/// Runs `replay` on a folder; gives the exit code and what was said.
fn replay(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let path = |name: &str| root().join(name).to_string_lossy().into_owned();
    let (models, policy) = (path("models"), path("board/policies/utopia-standard.toml"));
    let runtime = runtime().to_string_lossy().into_owned();
    let folder = folder.to_str().expect("UTF-8");
    let common = [
        "replay",
        folder,
        "--models",
        &models,
        "--runtime",
        &runtime,
        "--policy",
        &policy,
        "--date",
        "2026-11-27",
    ];
    let ended = boothd(&[&common[..], args].concat());
    (ended.code, ended.said)
}

/// Saves frames of a scene as `NAME-0.png` and so on; gives their names.
fn render(
    scene: &str,
    step: StillStep,
    exposure_us: u32,
    n: u32,
    to: &Path,
    name: &str,
) -> Vec<String> {
    let shot = StillShot {
        step,
        size: (1280, 720),
        levels: LightLevels::white(0.1),
        controls: CameraControls {
            exposure_us,
            gain: 1.0,
        },
    };
    let scene = root().join(format!("board/scenes/{scene}.toml"));
    let frames = stills(&scene, None, &shot, n).expect("a scene of ours");
    fs::create_dir_all(to).expect("a folder");
    let names = (0..n).map(|i| format!("{name}-{i}.png"));
    let names: Vec<String> = names.collect();
    for (frame, name) in frames.iter().zip(&names) {
        picture(frame).save(to.join(name)).expect("there is room");
    }
    names
}

/// Writes `times.csv`.
fn time(folder: &Path, names: &[String]) {
    let lines: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(i, name)| format!("{name},{}\n", i * APART_MS))
        .collect();
    fs::write(folder.join("times.csv"), lines.concat()).expect("there is room");
}

/// What was said, without what differs from machine to machine: times, paths, and numbers with a point; one space between words.
fn masked(said: &str) -> String {
    let is_measured = |word: &str| {
        let number = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        number.contains('.') && number.parse::<f64>().is_ok()
    };
    let mut lines = Vec::new();
    for line in said.lines().filter(|l| !l.contains(" s a picture")) {
        let words = line.split_whitespace();
        let words = words.map(|w| if is_measured(w) { "#" } else { w });
        lines.push(words.collect::<Vec<_>>().join(" "));
    }
    lines.join("\n") + "\n"
}

/// Compares with `tests/golden/replay/NAME`; `BOOTHD_UPDATE_GOLDEN=1` writes it.
fn golden(name: &str, found: &str) {
    let path = root().join("tests/golden/replay").join(name);
    if std::env::var_os("BOOTHD_UPDATE_GOLDEN").is_some_and(|v| v == "1") {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, found).expect("written");
    }
    let expected =
        fs::read_to_string(&path).expect("a golden file; BOOTHD_UPDATE_GOLDEN=1 writes it");
    assert_eq!(found, expected, "{}", path.display());
}

/// A whole session, a document that is too dark, a face by itself, a camera that is covered, photographs, and a picture beside them.
#[test]
fn a_folder_of_rendered_cases_has_a_row_each() {
    let dir = tempfile::tempdir().expect("a folder");
    let top = dir.path();
    let session = top.join("session");
    let mut names = render("passport", StillStep::Document, 8000, 4, &session, "a");
    let faces = render("passport", StillStep::Face, 8000, 7, &session, "b");
    names.extend(faces);
    // After the document "got it" is shown for 0.7 s.
    let times = names.iter().enumerate().map(|(i, name)| {
        let ms = i * APART_MS + if i < 4 { 0 } else { 700 };
        format!("{name},{ms}\n")
    });
    fs::write(session.join("times.csv"), times.collect::<String>()).expect("there is room");
    let front = top.join("card-front-only");
    let names = render("prc-card", StillStep::Document, 8000, 4, &front, "a");
    time(&front, &names);
    let dark = top.join("dark-document");
    let names = render("passport", StillStep::Document, 600, 3, &dark, "a");
    time(&dark, &names);
    let covered = top.join("covered");
    fs::create_dir_all(&covered).expect("a folder");
    let names: Vec<String> = (0..12).map(|i| format!("{i:02}.png")).collect();
    for (i, name) in (0u8..).zip(&names) {
        let black = |x: u32, y: u32| image::Rgb([(x as u8 ^ y as u8 ^ i) % 4; 3]);
        let picture = image::RgbImage::from_fn(320, 180, black);
        picture.save(covered.join(name)).expect("there is room");
    }
    time(&covered, &names);
    let photographs = top.join("photographs");
    render(
        "passport",
        StillStep::Document,
        8000,
        1,
        &photographs,
        "document",
    );
    render("passport", StillStep::Face, 8000, 1, &photographs, "face");
    render(
        "passport",
        StillStep::Empty,
        8000,
        1,
        &photographs,
        "nobody",
    );
    render("prc-card", StillStep::Back, 8000, 1, top, "back");

    let report = top.join("report.html");
    let (code, said) = replay(top, &["--report", report.to_str().expect("UTF-8")]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(" s a picture"), "{said}");
    let written = format!("written: {}", report.display());
    assert!(said.contains(&written), "{said}");
    golden(
        "table.txt",
        &masked(&said.replace(&written, "written: FILE")),
    );

    let page = fs::read_to_string(&report).expect("a page");
    for words in [
        "data:image/jpeg;base64,",
        "session",
        "back-0.png",
        "doc.<wbr>missing_<wbr>back",
        "at most 22",
        "at least 70",
        "Keep it as you keep them",
        "hw.<wbr>camera.<wbr>dark",
    ] {
        assert!(page.contains(words), "{words:?} is not in the page");
    }
    // What was read of a document stands neither in the table nor on the page.
    for text in ["LINDGREN", "U48203715"] {
        assert!(!page.contains(text) && !said.contains(text), "{text}");
    }
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(&report).expect("a page").permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}

#[test]
fn what_cannot_be_looked_at_is_named_and_the_rest_goes_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let top = dir.path();
    render("passport", StillStep::Face, 8000, 1, top, "face");
    fs::write(top.join("torn.png"), b"\x89PNG\r\n").expect("there is room");
    fs::create_dir(top.join("nothing")).expect("a folder");
    let absent = top.join("absent");
    fs::create_dir(&absent).expect("a folder");
    fs::write(absent.join("times.csv"), "name,ms\ngone.png,0\n").expect("there is room");
    let (code, said) = replay(top, &["--table", "--look", "face"]);
    assert_eq!(code, Some(1), "{said}");
    for words in [
        "ERROR torn.png: camera recording:",
        "ERROR nothing: recording",
        "holds no picture",
        "ERROR absent: recording",
        "times.csv line 2: `gone.png,0`: there is no such picture",
        "faces: 1 judged, nothing against 1 (100.0 %)",
        "3 pictures or folders could not be looked at",
    ] {
        assert!(said.contains(words), "{words:?} is not in:\n{said}");
    }
}

#[test]
fn wrong_arguments_are_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).expect("a folder");
    let check = |folder: &Path, args: &[&str], code: i32, words: &[&str]| {
        let (found, said) = replay(folder, args);
        assert_eq!(found, Some(code), "{args:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{args:?}: {word:?} is not in:\n{said}");
        }
    };
    check(&empty, &["--table"], 1, &["holds no picture", "mend"]);
    check(
        &dir.path().join("none"),
        &["--table"],
        1,
        &["none", "No such file", "mend"],
    );
    check(
        &empty,
        &["--table", "--look", "code"],
        1,
        &["--look code", "allowed", "mend"],
    );
    check(
        &empty,
        &["--look", "face"],
        2,
        &["--json", "--table", "--report"],
    );
    check(&empty, &["--table", "--json"], 2, &["cannot be used with"]);
    check(
        &empty,
        &["--table", "--frames-per-s", "0"],
        2,
        &["--frames-per-s", "0.1 to 240", "mend"],
    );
    render("passport", StillStep::Face, 8000, 1, &empty, "face");
    check(
        &empty,
        &["--look", "face", "--report", "/none/page.html"],
        1,
        &["--report /none/page.html", "No such file", "mend"],
    );
}
