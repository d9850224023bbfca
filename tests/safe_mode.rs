//! Safe mode: it comes up whatever made the service end, says what it can, remembers, and makes room for another try.

use crate::furnished::{Furnished, boothd};
use std::fs;

#[test]
fn safe_mode_comes_up_whatever_is_wrong_and_remembers() {
    /// Exit code 5: the time is over. What is said, and whether the fault is remembered.
    fn check(spoil: impl FnOnce(&Furnished), words: &[&str], remembered: bool) {
        let furnished = Furnished::new();
        fs::create_dir(furnished.path("state")).expect("a folder");
        spoil(&furnished);
        let ended = boothd(&[
            "safe",
            "--config",
            &furnished.text("boothd.toml"),
            "--for",
            "0",
        ]);
        assert_eq!(ended.code, Some(5), "{}", ended.said);
        for word in words.iter().chain(&["hw.service.fault", "tried again"]) {
            assert!(ended.said.contains(word), "`{word}`: {}", ended.said);
        }
        let memory = fs::read_to_string(furnished.path("state/faults.json")).unwrap_or_default();
        assert_eq!(memory.contains("hw.service.fault"), remembered, "{memory}");
    }
    check(|_| {}, &[], true);
    check(
        |f| fs::remove_file(f.path("policy.jws")).expect("there"),
        &[],
        true,
    );
    check(
        |f| f.change("board.toml", "kind = \"virt\"", "kind = \"toaster\""),
        &["without a panel", "toaster"],
        true,
    );
    check(
        |f| fs::remove_file(f.path("boothd.toml")).expect("there"),
        &["without a panel", "boothd.toml"],
        false,
    );
}
