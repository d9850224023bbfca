//! The walls: which room may import which, and what no file may hold. ARCHITECTURE.md draws what is checked here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Room -> rooms it may import. The picture in ARCHITECTURE.md is this table.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("trust", &["base"]),
    ("hal", &["base"]),
    ("html", &[]),
    ("models", &["base"]),
    ("perception", &["base", "models"]),
    ("guidance", &["base", "hal"]),
    ("verdict", &["base", "perception"]),
    ("delivery", &["base", "trust"]),
    ("wallet", &["base", "delivery", "trust"]),
    (
        "session",
        &["base", "guidance", "hal", "perception", "trust", "verdict"],
    ),
    (
        "technician",
        &["base", "hal", "models", "perception", "trust"],
    ),
    ("runtime", &["base", "hal"]),
    (
        "config",
        &[
            "base",
            "delivery",
            "guidance",
            "hal",
            "models",
            "perception",
            "technician",
            "trust",
            "verdict",
            "wallet",
        ],
    ),
    ("app", &["*"]),
    ("demo", &["*"]),
    ("main", &["app", "demo", "config", "runtime"]),
];

/// Names that may stand in one place only.
const ONLY_THERE: &[(&[&str], &str)] = &[
    (
        &[
            "v4l::",
            "alsa::",
            "rppal::",
            "linux_embedded_hal::",
            "gpiocdev::",
            "mipidsi::",
            "ssd1306::",
            "rubato::",
        ],
        "src/hal/pi",
    ),
    (&["libloading::"], "src/models/litert"),
    (
        &["rusqlite::"],
        "src/delivery/outbox|src/technician/trends|src/wallet",
    ),
    (&["ureq::", "rustls::"], "src/delivery|src/trust|src/wallet"),
    (&["tokio::", "hyper::"], "src/wallet"),
    (&["embedded_graphics::"], "src/guidance|src/hal/pi"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("src can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// Every source file with its path below the root and its text without line comments.
fn files() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    sources(&root().join("src"), &mut paths);
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("UTF-8");
            let code: Vec<&str> = text
                .lines()
                .filter(|l| !l.trim_start().starts_with("//"))
                .collect();
            let name = path
                .strip_prefix(root())
                .expect("below the root")
                .to_string_lossy()
                .into_owned();
            (name, code.join("\n"))
        })
        .collect()
}

fn room(file: &str) -> &str {
    let below = file.trim_start_matches("src/");
    below.split(['/', '.']).next().expect("a name")
}

/// Rooms that a text imports by `crate::room` (or `boothd::room` in main.rs), nested braces included.
fn imports(code: &str, rooms: &BTreeSet<&str>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for prefix in ["crate::", "boothd::"] {
        for (at, _) in code.match_indices(prefix) {
            let rest = &code[at + prefix.len()..];
            let names = match rest.strip_prefix('{') {
                Some(list) => top_level_names(list),
                None => vec![
                    rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                        .next()
                        .unwrap_or("")
                        .to_owned(),
                ],
            };
            found.extend(names.into_iter().filter(|n| rooms.contains(n.as_str())));
        }
    }
    found
}

/// First segments of the paths in `a::b, c::{d, e}}`, up to the brace that closes the list.
fn top_level_names(list: &str) -> Vec<String> {
    let (mut depth, mut names, mut word, mut fresh) = (0, Vec::new(), String::new(), true);
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if depth == 0 && fresh && (c.is_alphanumeric() || c == '_') => word.push(c),
            _ => {}
        }
        let ends_word = !c.is_alphanumeric() && c != '_';
        if ends_word && !word.is_empty() {
            names.push(std::mem::take(&mut word));
            fresh = false;
        }
    }
    if !word.is_empty() {
        names.push(word);
    }
    names
}

#[test]
fn rooms_import_only_what_the_picture_shows() {
    let table: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let rooms: BTreeSet<&str> = table.keys().copied().collect();
    let mut wrong = Vec::new();
    for (file, code) in files() {
        let from = room(&file);
        if from == "lib" {
            continue;
        }
        let allowed = table
            .get(from)
            .unwrap_or_else(|| panic!("{file}: room `{from}` is not in the table"));
        for to in imports(&code, &rooms) {
            if to != from && !allowed.contains(&"*") && !allowed.contains(&to.as_str()) {
                wrong.push(format!("{file}: `{from}` imports `{to}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "walls broken:\n{}", wrong.join("\n"));
}

#[test]
fn the_picture_in_architecture_md_is_the_table() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    for (from, to) in MAY_IMPORT {
        let drawn = match *to {
            [] => "nothing".to_owned(),
            ["*"] => "everything".to_owned(),
            rooms => rooms.join(", "),
        };
        let line = format!("| `{from}` | {drawn} |");
        assert!(
            text.contains(&line),
            "ARCHITECTURE.md must have the line\n{line}"
        );
    }
}

#[test]
fn outside_names_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for (file, code) in files() {
        for (names, places) in ONLY_THERE {
            if places.split('|').any(|place| file.starts_with(place)) {
                continue;
            }
            for name in *names {
                let stands = code.match_indices(name).any(|(at, _)| {
                    let before = code[..at].chars().next_back();
                    before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':')
                });
                if stands {
                    wrong.push(format!("{file}: `{name}` belongs to {places}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_touch_no_file_socket_thread_or_clock() {
    let pure = [
        "src/verdict",
        "src/session/state.rs",
        "src/session/admission.rs",
        "src/session/buttons.rs",
        "src/session/ending.rs",
        "src/session/kept.rs",
        "src/session/remedy.rs",
        "src/session/sighting.rs",
        "src/session/view.rs",
        "src/session/document_step.rs",
    ];
    let impure = [
        "std::fs",
        "std::net",
        "std::thread",
        "Instant::now",
        "SystemTime",
        "SystemClock",
        "std::env::",
    ];
    for (file, code) in files() {
        if pure.iter().any(|p| file.starts_with(p)) {
            for name in impure {
                assert!(!code.contains(name), "{file} is pure, but names {name}");
            }
        }
    }
}

#[test]
fn unsafe_stands_in_two_files_and_says_why() {
    let allowed = ["src/models/litert", "src/perception/sampling/wide.rs"];
    for (file, code) in files() {
        let names_unsafe =
            code.contains("unsafe {") || code.contains("unsafe fn") || code.contains("unsafe impl");
        assert!(
            !names_unsafe || allowed.iter().any(|a| file.starts_with(a)),
            "{file} has unsafe code"
        );
    }
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    let mut paths = Vec::new();
    sources(&root().join("src"), &mut paths);
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        assert!(
            text.starts_with("//! "),
            "{} has no module doc",
            path.display()
        );
    }
}

#[test]
fn the_test_itself_sees_nested_imports() {
    let rooms = BTreeSet::from(["base", "hal", "trust"]);
    let found = imports(
        "use crate::{base::{time::Moment, ids}, hal};\nlet x = crate::trust::sha256(b\"\");",
        &rooms,
    );
    assert_eq!(
        found,
        BTreeSet::from(["base".to_owned(), "hal".to_owned(), "trust".to_owned()])
    );
}
