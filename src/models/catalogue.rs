//! The models directory and the runtime: opened once at the start, gives an interpreter for each task.

use super::litert::{CallError, OpenError, Runtime};
use super::manifest::{Manifest, ModelEntry, ModelTask};
use super::{Interpreter, ModelError};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Version and hashes of the runtime, one truth for the script that fetches it and the program that opens it.
const LOCK: &str = include_str!("../../models/litert.lock");
/// Bytes 4 to 8 of every TFLite file.
const IDENTIFIER: &[u8] = b"TFL3";

/// The models of the booth. Cheap to clone: the models themselves are read when they are loaded.
#[derive(Clone, Debug)]
pub struct Catalogue {
    directory: PathBuf,
    manifest_path: PathBuf,
    manifest: Manifest,
    runtime: Runtime,
    threads: u32,
}

impl Catalogue {
    /// Reads `manifest.toml` in `models_dir`, and opens the TFLite runtime at `runtime_lib` once its sha256 was found right.
    /// Models will run on `threads` threads (0 is taken as 1).
    ///
    /// # Errors
    /// [`ModelError`] if the runtime or the manifest is missing or not as it should be. The models are looked at by
    /// [`Catalogue::verify`] and [`Catalogue::load`].
    pub fn open(models_dir: &Path, runtime_lib: &Path, threads: u32) -> Result<Self, ModelError> {
        let manifest_path = models_dir.join("manifest.toml");
        let text = std::fs::read_to_string(&manifest_path).map_err(|source| {
            ModelError::ManifestMissing {
                path: manifest_path.clone(),
                source,
            }
        })?;
        let manifest = Manifest::parse(&text, &manifest_path)?;
        Ok(Self {
            directory: models_dir.to_owned(),
            manifest_path,
            manifest,
            runtime: open_runtime(runtime_lib)?,
            threads: threads.max(1),
        })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Compares a model's file with the manifest (size, identifier, sha256) without loading it.
    ///
    /// # Errors
    /// [`ModelError`] if it is not listed, missing, or another file.
    pub fn verify(&self, task: ModelTask) -> Result<&ModelEntry, ModelError> {
        let entry = self.entry(task)?;
        self.read(entry)?;
        Ok(entry)
    }

    /// Loads and compiles a model, and compares its tensors with the manifest.
    ///
    /// # Errors
    /// [`ModelError`] if the file is not the one of the manifest, if TFLite cannot compile it, if a tensor is not as the
    /// manifest says, or if an operator would run on the slow kernels.
    pub fn load(&self, task: ModelTask) -> Result<Interpreter, ModelError> {
        let entry = self.entry(task)?;
        let bytes = self.read(entry)?;
        let session = self
            .runtime
            .compile(&bytes, self.threads)
            .map_err(|e| failed(task, e))?;
        Interpreter::new(entry.clone(), session)
    }

    fn entry(&self, task: ModelTask) -> Result<&ModelEntry, ModelError> {
        self.manifest
            .get(task)
            .ok_or_else(|| ModelError::NotListed {
                path: self.manifest_path.clone(),
                task,
            })
    }

    /// The characters of a reader's classes 1 to n, proven to be those of the manifest.
    ///
    /// # Errors
    /// [`ModelError`] if the model has none, or its file is missing or another one.
    pub fn charset(&self, task: ModelTask) -> Result<Vec<char>, ModelError> {
        let entry = self.entry(task)?;
        let charset = entry
            .charset
            .as_ref()
            .ok_or_else(|| ModelError::Unsuitable {
                task,
                what: "charset",
                found: "none in the manifest".to_owned(),
                allowed: "a table `charset` with file, sha256 and characters",
            })?;
        let path = self.directory.join(&charset.file);
        // No character has more than 4 bytes, and each has a line of its own.
        let bytes = read_whole(task, &path, 5 * charset.characters as u64)?;
        let corrupt = |what, found: String, expected: String| ModelError::Corrupt {
            task,
            path: path.clone(),
            what,
            found,
            expected,
        };
        let found = hex(&Sha256::digest(&bytes));
        if found != charset.sha256 {
            return Err(corrupt("sha256", found, charset.sha256.clone()));
        }
        let text = String::from_utf8(bytes).map_err(|e| {
            let found = format!("an error at byte {}", e.utf8_error().valid_up_to());
            corrupt("encoding", found, "UTF-8".to_owned())
        })?;
        let mut characters = Vec::with_capacity(charset.characters);
        for (i, line) in text.lines().enumerate() {
            let mut all = line.chars();
            match (all.next(), all.next()) {
                (Some(c), None) => characters.push(c),
                _ => {
                    let found = format!("{} characters in line {}", line.chars().count(), i + 1);
                    return Err(corrupt("line", found, "one character a line".to_owned()));
                }
            }
        }
        if characters.len() != charset.characters {
            return Err(corrupt(
                "number of characters",
                characters.len().to_string(),
                charset.characters.to_string(),
            ));
        }
        Ok(characters)
    }

    /// The bytes of a model, proven to be those of the manifest.
    fn read(&self, entry: &ModelEntry) -> Result<Vec<u8>, ModelError> {
        let task = entry.info.task;
        let path = self.directory.join(&entry.file);
        let corrupt = |what, found: String, expected: String| ModelError::Corrupt {
            task,
            path: path.clone(),
            what,
            found,
            expected,
        };
        let bytes = read_whole(task, &path, entry.bytes)?;
        if bytes.len() as u64 != entry.bytes {
            let found = if bytes.len() as u64 > entry.bytes {
                format!("more than {} bytes", entry.bytes)
            } else {
                format!("{} bytes", bytes.len())
            };
            return Err(corrupt("size", found, format!("{} bytes", entry.bytes)));
        }
        if bytes.get(4..8) != Some(IDENTIFIER) {
            let found = bytes.get(4..8).unwrap_or_default().escape_ascii();
            return Err(corrupt(
                "file identifier",
                format!("`{found}`"),
                "`TFL3`".into(),
            ));
        }
        let found = hex(&Sha256::digest(&bytes));
        if found != entry.info.sha256 {
            return Err(corrupt("sha256", found, entry.info.sha256.clone()));
        }
        Ok(bytes)
    }
}

/// The bytes of a file of `expected` bytes; one byte more tells a longer file without reading all of it.
fn read_whole(task: ModelTask, path: &Path, expected: u64) -> Result<Vec<u8>, ModelError> {
    let missing = |source| ModelError::Missing {
        task,
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(expected + 1).read_to_end(&mut bytes))
        .map_err(missing)?;
    Ok(bytes)
}

/// A failed call of the runtime on a model.
pub(super) fn failed(task: ModelTask, error: CallError) -> ModelError {
    ModelError::Runtime {
        subject: format!("model {task}"),
        call: error.call,
        status: error.status,
        detail: error.detail,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Version of the pinned runtime, and its sha256 for a machine.
fn pinned(arch: &str) -> (&'static str, Option<&'static str>) {
    let words = || {
        LOCK.lines()
            .filter(|l| !l.starts_with('#'))
            .map(|l| l.split_whitespace())
    };
    let value = |key: &str, place| {
        words().find_map(|mut w| (w.next() == Some(key)).then(|| w.nth(place))?)
    };
    (value("version", 0).unwrap_or("?"), value(arch, 2))
}

fn open_runtime(path: &Path) -> Result<Runtime, ModelError> {
    let arch = std::env::consts::ARCH;
    let (version, expected) = pinned(arch);
    let expected = expected.ok_or(ModelError::RuntimeUnknown { arch })?;
    let missing = |source| ModelError::RuntimeMissing {
        path: path.to_owned(),
        source,
    };
    // An absolute path: the loader would look a bare name up in the system's own directories.
    let path = &std::fs::canonicalize(path).map_err(missing)?;
    let mut file = File::open(path).map_err(missing)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece).map_err(missing)? {
            0 => break,
            n => hash.update(&piece[..n]),
        }
    }
    let found = hex(&hash.finalize());
    if found != expected {
        return Err(ModelError::RuntimeHash {
            path: path.clone(),
            found,
            expected,
            version,
            arch,
        });
    }
    Runtime::open(path).map_err(|error| match error {
        OpenError::Loader(detail) => ModelError::RuntimeOpen {
            path: path.clone(),
            detail,
        },
        OpenError::Call(error) => ModelError::Runtime {
            subject: "TFLite runtime".into(),
            call: error.call,
            status: error.status,
            detail: error.detail,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::{catalogue_for_tests, litert_for_tests};
    use super::*;
    use std::fs;

    fn source_models() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("models")
    }

    /// A models directory with the detector only, changed by `spoil`.
    fn spoiled(spoil: impl FnOnce(&Path)) -> Result<Interpreter, ModelError> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for name in ["manifest.toml", "face_detector.tflite"] {
            fs::copy(source_models().join(name), directory.path().join(name)).expect(name);
        }
        spoil(directory.path());
        Catalogue::open(directory.path(), &litert_for_tests(), 1)?.load(ModelTask::FaceDetector)
    }

    fn check(spoil: impl FnOnce(&Path), code: &str, expected: &str) {
        let error = spoiled(spoil).expect_err(expected);
        assert!(
            error.to_string().contains(expected),
            "`{error}` does not say `{expected}`"
        );
        assert_eq!(error.code(), code, "{error}");
        assert!(!error.mend().is_empty());
    }

    fn edit_model(change: impl FnOnce(&mut Vec<u8>)) -> impl FnOnce(&Path) {
        |directory| {
            let path = directory.join("face_detector.tflite");
            let mut bytes = fs::read(&path).expect("the model");
            change(&mut bytes);
            fs::write(&path, bytes).expect("the model");
        }
    }

    fn edit_manifest(change: impl FnOnce(String) -> String) -> impl FnOnce(&Path) {
        |directory| {
            let path = directory.join("manifest.toml");
            let text = fs::read_to_string(&path).expect("the manifest");
            let changed = change(text.clone());
            assert_ne!(text, changed, "nothing was changed");
            fs::write(&path, changed).expect("the manifest");
        }
    }

    #[test]
    fn every_model_of_the_manifest_loads_and_runs() {
        let catalogue = catalogue_for_tests();
        for entry in &catalogue.manifest().models {
            let mut model = catalogue.load(entry.info.task).expect("a good model");
            model.invoke().expect("runs on what is in its buffers");
            assert_eq!(model.info().sha256, entry.info.sha256);
        }
    }

    #[test]
    fn a_spoiled_model_is_refused_before_it_is_parsed() {
        let (missing, corrupt) = ("hw.model.missing", "hw.model.corrupt");
        check(
            |d| fs::remove_file(d.join("face_detector.tflite")).expect("removed"),
            missing,
            "face_detector.tflite",
        );
        check(
            |d| fs::remove_file(d.join("manifest.toml")).expect("removed"),
            missing,
            "manifest.toml",
        );
        check(edit_model(Vec::clear), corrupt, "size is 0 bytes");
        check(
            edit_model(|b| b.truncate(1000)),
            corrupt,
            "size is 1000 bytes",
        );
        check(edit_model(|b| b.push(0)), corrupt, "size is more than");
        check(edit_model(|b| b[5000] ^= 1), corrupt, "sha256 is");
        check(
            edit_model(|b| b[4..8].copy_from_slice(b"ONNX")),
            corrupt,
            "file identifier is `ONNX`",
        );
        check(
            |d| {
                fs::copy(
                    source_models().join("mrz_line_reader.tflite"),
                    d.join("face_detector.tflite"),
                )
                .expect("copied");
            },
            corrupt,
            "size is",
        );
    }

    #[test]
    fn a_model_that_is_not_as_the_manifest_says_is_refused() {
        let first_model = |text: &str| {
            text.split("[[model]]")
                .nth(1)
                .expect("a first model")
                .to_owned()
        };
        let swap = |from: &'static str, to: &'static str| {
            edit_manifest(move |text| {
                let model = first_model(&text);
                text.replacen(&model, &model.replacen(from, to, 1), 1)
            })
        };
        let corrupt = "hw.model.corrupt";
        check(
            swap("128, 128, 3", "128, 128, 4"),
            corrupt,
            "shape is [1, 128, 128, 3], the manifest says [1, 128, 128, 4]",
        );
        check(
            swap("name = \"", "name = \"other_"),
            corrupt,
            "the manifest says other_",
        );
        check(
            swap("[[model.output]]", "[[model.input]]"),
            corrupt,
            "number of inputs is 1, the manifest says 2",
        );
        check(
            swap("task = \"face_detector\"", "task = \"colours\""),
            corrupt,
            "unknown variant `colours`",
        );
    }

    #[test]
    fn hashed_rubbish_gives_an_error_and_no_crash() {
        // Not reachable in the field (the manifest is part of the package); shows that the compiler's errors are passed on.
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut bytes = fs::read(source_models().join("face_detector.tflite")).expect("the model");
        let half = bytes.len() / 2;
        bytes.truncate(half);
        fs::write(directory.path().join("face_detector.tflite"), &bytes).expect("written");
        let manifest =
            fs::read_to_string(source_models().join("manifest.toml")).expect("the manifest");
        let good = Manifest::parse(&manifest, Path::new("manifest.toml")).expect("good");
        let entry = good.get(ModelTask::FaceDetector).expect("is listed");
        let manifest = manifest
            .replacen(&entry.info.sha256, &hex(&Sha256::digest(&bytes)), 1)
            .replacen(
                &format!("bytes = {}", entry.bytes),
                &format!("bytes = {half}"),
                1,
            );
        fs::write(directory.path().join("manifest.toml"), manifest).expect("written");
        let error = Catalogue::open(directory.path(), &litert_for_tests(), 1)
            .expect("manifest and runtime are good")
            .load(ModelTask::FaceDetector)
            .expect_err("half a model");
        assert!(matches!(error, ModelError::Runtime { .. }), "{error}");
    }

    #[test]
    fn only_the_pinned_runtime_is_opened() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("libLiteRt.so");
        let open = || Catalogue::open(&source_models(), &path, 1);
        let error = open().expect_err("not there");
        assert_eq!(error.code(), "hw.model.missing");
        assert!(error.mend().contains("make setup"));
        fs::write(&path, b"\x7fELF, not really").expect("written");
        let error = open().expect_err("another file");
        assert_eq!(error.code(), "hw.model.corrupt");
        assert!(error.to_string().contains("must be"), "{error}");
    }

    #[test]
    fn the_lock_file_has_both_machines() {
        for arch in ["x86_64", "aarch64"] {
            let (version, hash) = pinned(arch);
            assert_eq!(version, "2.3.0");
            assert_eq!(hash.map(str::len), Some(64), "{arch}");
        }
        assert_eq!(pinned("riscv64").1, None);
    }
}
