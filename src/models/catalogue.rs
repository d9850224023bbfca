//! The folder of models: checked before anything is parsed.

use super::ModelError;
use super::interpreter::Interpreter;
use super::litert::Runtime;
use super::manifest::{Manifest, ModelEntry, ModelTask};
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The models of a folder and the runtime to run them.
#[derive(Debug)]
pub struct Catalogue {
    dir: PathBuf,
    manifest: Manifest,
    runtime: Runtime,
    threads: u8,
}

/// SHA-256 as 64 hexadecimal digits.
fn hex_sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// Reads a file of exactly `size` bytes at most; one byte more is read, so that a longer file is seen.
fn read_bounded(path: &Path, size: u64) -> Result<Vec<u8>, ModelError> {
    let missing = |source| ModelError::Missing {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .map_err(missing)?
        .take(size + 1)
        .read_to_end(&mut bytes)
        .map_err(missing)?;
    Ok(bytes)
}

/// SHA-256 and largest size of the pinned runtime: `libLiteRt.so` of ai-edge-litert 2.3.0, see `models/litert.lock`.
#[cfg(target_arch = "x86_64")]
const RUNTIME_SHA256: &str = "eec47eb35e2924b3166015887e652a58edc9af823ae38e02bf83bef2548300bb";
/// SHA-256 of the pinned runtime.
#[cfg(target_arch = "aarch64")]
const RUNTIME_SHA256: &str = "b57687dc234d2b8b0598aef5a9c961ed24263df8f8b3f56adbee1cff618e544b";

impl Catalogue {
    /// Opens the folder `dir` with the runtime at `runtime`; models run on `threads` threads.
    ///
    /// # Errors
    /// Manifest or runtime missing, changed or not loadable. No code of the runtime runs before its hash was checked.
    pub fn open(dir: &Path, runtime: &Path, threads: u8) -> Result<Self, ModelError> {
        let manifest = Manifest::read(&dir.join("manifest.toml"))?;
        let library = read_bounded(runtime, 64 * 1024 * 1024)?;
        let found = hex_sha256(&library);
        if found != RUNTIME_SHA256 {
            return Err(ModelError::Corrupt {
                path: runtime.to_owned(),
                what: "SHA-256 of the runtime",
                found,
                expected: RUNTIME_SHA256.to_owned(),
            });
        }
        drop(library);
        Ok(Self {
            dir: dir.to_owned(),
            manifest,
            runtime: Runtime::load(runtime)?,
            threads,
        })
    }

    /// What the manifest says of a task.
    ///
    /// # Errors
    /// [`ModelError::NoSuchTask`].
    pub fn entry(&self, task: ModelTask) -> Result<&ModelEntry, ModelError> {
        let found = self.manifest.model.iter().find(|m| m.task == task);
        found.ok_or_else(|| ModelError::NoSuchTask {
            path: self.dir.join("manifest.toml"),
            task,
        })
    }

    /// All models of the manifest.
    pub fn entries(&self) -> &[ModelEntry] {
        &self.manifest.model
    }

    /// Checks and loads the model of a task.
    ///
    /// # Errors
    /// Missing, corrupt, refused by the runtime, other tensors than the manifest says, or not fully accelerated.
    pub fn load(&self, task: ModelTask) -> Result<Interpreter, ModelError> {
        let entry = self.entry(task)?;
        let bytes = self.checked_bytes(entry)?;
        Interpreter::new(&self.runtime, entry, &bytes, self.threads)
    }

    /// The bytes of a model after size, hash and identifier were checked.
    fn checked_bytes(&self, entry: &ModelEntry) -> Result<Vec<u8>, ModelError> {
        let path = self.dir.join(&entry.file);
        let bytes = read_bounded(&path, entry.bytes)?;
        let corrupt = |what, found: String, expected: String| {
            Err(ModelError::Corrupt {
                path: path.clone(),
                what,
                found,
                expected,
            })
        };
        if bytes.len() as u64 != entry.bytes {
            let more = if bytes.len() as u64 > entry.bytes {
                "more than "
            } else {
                ""
            };
            let found = format!("{more}{} bytes", (bytes.len() as u64).min(entry.bytes));
            return corrupt("size", found, format!("{} bytes", entry.bytes));
        }
        let found = hex_sha256(&bytes);
        if found != entry.sha256 {
            return corrupt("SHA-256", found, entry.sha256.clone());
        }
        if bytes.get(4..8) != Some(b"TFL3") {
            return corrupt(
                "file identifier",
                format!("{:02x?}", bytes.get(4..8).unwrap_or(&[])),
                "TFL3".to_owned(),
            );
        }
        Ok(bytes)
    }
}
