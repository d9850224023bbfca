//! `boothd matrix`: a small part of it, and what it says of what is wrong. The whole takes minutes: `make matrix`.

use crate::furnished::{boothd, root, runtime, turn};

fn matrix(args: &[&str]) -> (Option<i32>, String, Option<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("matrix");
    let path = |name: &str| root().join(name).to_string_lossy().into_owned();
    let common = [
        ("--out", out.to_string_lossy().into_owned()),
        ("--matrix", path("board/matrix/cases.toml")),
        ("--scenes", path("board/scenes")),
        ("--board", path("board/virtual.toml")),
        ("--policy", path("board/policies/utopia-standard.toml")),
        ("--models", path("models")),
        ("--runtime", runtime().to_string_lossy().into_owned()),
    ];
    let mut all = vec!["matrix"];
    all.extend(
        common
            .iter()
            .flat_map(|(key, value)| [*key, value.as_str()]),
    );
    all.extend(args);
    let ended = boothd(&all);
    let page = std::fs::read_to_string(out.join("matrix.html"));
    (ended.code, ended.said, page.ok())
}

#[test]
fn a_part_of_the_matrix_comes_out_as_it_should() {
    let _turn = turn();
    let part = ["--person", "passport", "--loop", "on"];
    // Two of them came out wrongly once: `near` as another face, `cut-off` as a suspected forgery.
    let cases = [
        "--case", "dark", "--case", "left-lit", "--case", "far", "--case", "near", "--case",
        "cut-off",
    ];
    let (code, said, page) = matrix(&[&part[..], &cases[..]].concat());
    assert_eq!(code, Some(0), "{said}");
    for words in [
        "loop on: 5 of 5",
        "face.closer",
        "document.closer",
        "document.whole_document",
        "flashes of the ring in the worst second",
    ] {
        assert!(said.contains(words), "{words:?} is not in:\n{said}");
    }
    let page = page.expect("a page");
    assert!(page.contains("<svg") && page.contains("data:image/jpeg"));
}

#[test]
fn what_is_not_there_is_named() {
    let check = |args: &[&str], words: &[&str]| {
        let (code, said, _) = matrix(args);
        assert_eq!(code, Some(1), "{args:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{args:?}: {word:?} is not in:\n{said}");
        }
    };
    check(
        &["--case", "fog"],
        &["--case: found \"fog\"", "allowed:", "dark"],
    );
    check(
        &["--person", "nobody"],
        &["--person: found \"nobody\"", "passport"],
    );
}
