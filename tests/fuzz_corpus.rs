//! The corpus of the fuzz targets goes through the same functions as under libFuzzer: what was found once is not found again.

#[expect(unreachable_pub, reason = "public in the crate of the fuzz targets")]
#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::path::Path;

#[test]
fn every_input_of_the_corpus_is_taken() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (target, run) in targets::TARGETS {
        let folder = corpus.join(target);
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{target}: {e}"));
        let mut n = 0;
        for entry in entries {
            let path = entry.expect("an entry").path();
            // Its name is printed by the harness if the target panics.
            println!("{}", path.display());
            run(&std::fs::read(&path).expect("a file that can be read"));
            n += 1;
        }
        assert!(n >= 2, "{target}: {n} inputs in {}", folder.display());
    }
}

#[test]
fn each_target_has_its_program() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).expect("a manifest");
    for (target, _) in targets::TARGETS {
        let program = format!("fuzz_targets/{target}.rs");
        assert!(manifest.contains(&program), "{target}: no [[bin]]");
        assert!(fuzz.join(&program).exists(), "{target}: no {program}");
    }
}
