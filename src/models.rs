//! Models: what is in `models/`, whether it is what the manifest says, and running it. The only `unsafe` of the service is in `litert`.
//!
//! ```text
//! manifest.toml ---parsed, validated---> Manifest --+
//! NAME.tflite   --size, sha256, identifier--> bytes +--> compiled --tensors compared--> Interpreter
//! libLiteRt.so  --sha256, then dlopen-----> Runtime +
//! ```
//!
//! Nothing is handed to TFLite that was not compared with a hash first: crafted models can make its parser write out of bounds,
//! damaged ones only give errors. After compiling, every tensor is compared with the manifest and full acceleration is asserted,
//! because TFLite's fallback kernels are some forty times slower and give no other sign.

pub mod catalogue;
pub mod interpreter;
mod litert;
pub mod manifest;

pub use catalogue::Catalogue;
pub use interpreter::{Interpreter, PixelLut, TensorMut, TensorRef};
pub use manifest::{ModelInfo, ModelTask, Preprocessing, Quantization, TensorSpec};

use std::path::PathBuf;

/// Why a model cannot be had or run.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The TFLite runtime is not where it should be, or cannot be read.
    #[error("TFLite runtime {path}: {source}")]
    RuntimeMissing {
        /// Where it was looked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The TFLite runtime is another file than the pinned one.
    #[error(
        "TFLite runtime {path}: sha256 is {found}, must be {expected} (ai-edge-litert {version}, {arch})"
    )]
    RuntimeHash {
        /// The file.
        path: PathBuf,
        /// Its hash.
        found: String,
        /// The pinned hash.
        expected: &'static str,
        /// The pinned release.
        version: &'static str,
        /// The machine.
        arch: &'static str,
    },
    /// No TFLite runtime is pinned for this kind of machine.
    #[error(
        "TFLite runtime: none is pinned for {arch}; models/litert.lock has the machines that can run the models"
    )]
    RuntimeUnknown {
        /// The machine.
        arch: &'static str,
    },
    /// The right file, but the system's loader refuses it (an older C library, for example).
    #[error("TFLite runtime {path} cannot be opened: {detail}")]
    RuntimeOpen {
        /// The file.
        path: PathBuf,
        /// What the loader said.
        detail: String,
    },
    /// `manifest.toml` cannot be read.
    #[error("model manifest {path}: {source}")]
    ManifestMissing {
        /// Where it was looked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// `manifest.toml` is not TOML, or has an unknown or missing key.
    #[error("model manifest {path}: {detail}")]
    ManifestSyntax {
        /// The file.
        path: PathBuf,
        /// The parser's words, with line and column.
        detail: String,
    },
    /// A value in `manifest.toml` is impossible.
    #[error("model manifest {path}: {place} is {found}, must be {allowed}")]
    ManifestValue {
        /// The file.
        path: PathBuf,
        /// Which value.
        place: String,
        /// What it is.
        found: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// The manifest has no model for a task.
    #[error("model manifest {path}: no model for the task `{task}`")]
    NotListed {
        /// The manifest.
        path: PathBuf,
        /// The task.
        task: ModelTask,
    },
    /// The model's file cannot be read.
    #[error("model {task}: {path}: {source}")]
    Missing {
        /// The task.
        task: ModelTask,
        /// Where it was looked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The model's file is not the one of the manifest.
    #[error("model {task}: {path}: {what} is {found}, must be {expected}")]
    Corrupt {
        /// The task.
        task: ModelTask,
        /// The file.
        path: PathBuf,
        /// Size, sha256 or file identifier.
        what: &'static str,
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// A call of the runtime failed.
    #[error("{subject}: {call} failed with status {status}{detail}")]
    Runtime {
        /// `model TASK` or `TFLite runtime`.
        subject: String,
        /// The function.
        call: &'static str,
        /// LiteRT's status code.
        status: i32,
        /// What the runtime had to say, or nothing.
        detail: String,
    },
    /// A tensor of the compiled model is not as the manifest says.
    #[error("model {task}: {tensor}: {what} is {found}, the manifest says {expected}")]
    Tensor {
        /// The task.
        task: ModelTask,
        /// Which tensor.
        tensor: String,
        /// Name, type, shape, quantization or bytes.
        what: &'static str,
        /// What the compiled model has.
        found: String,
        /// What the manifest says.
        expected: String,
    },
    /// Some operator of the model does not run on the fast kernels.
    #[error("model {task}: not every operator is accelerated (XNNPACK)")]
    NotAccelerated {
        /// The task.
        task: ModelTask,
    },
    /// The code that runs a model wants a tensor that the model does not have in this form.
    #[error("model {task}: {what}: found {found}, the service can work with {allowed}")]
    Unsuitable {
        /// The task.
        task: ModelTask,
        /// What was looked for.
        what: &'static str,
        /// What there is.
        found: String,
        /// What would do.
        allowed: &'static str,
    },
}

impl ModelError {
    /// The reason code under which the booth reports it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RuntimeMissing { .. }
            | Self::RuntimeUnknown { .. }
            | Self::ManifestMissing { .. }
            | Self::NotListed { .. }
            | Self::Missing { .. } => "hw.model.missing",
            Self::RuntimeHash { .. }
            | Self::RuntimeOpen { .. }
            | Self::ManifestSyntax { .. }
            | Self::ManifestValue { .. }
            | Self::Corrupt { .. }
            | Self::Runtime { .. }
            | Self::Tensor { .. }
            | Self::NotAccelerated { .. }
            | Self::Unsuitable { .. } => "hw.model.corrupt",
        }
    }

    /// What to do about it.
    pub fn mend(&self) -> &'static str {
        match self {
            Self::RuntimeMissing { .. } | Self::RuntimeHash { .. } => {
                "fetch the pinned runtime with `make setup` (models/fetch-litert.sh), or reinstall the boothd package"
            }
            Self::RuntimeUnknown { .. } => "run on x86_64 or aarch64 Linux",
            Self::RuntimeOpen { .. } => {
                "the runtime needs glibc 2.34 and libstdc++ 12 (Debian 12 or newer); update the system"
            }
            Self::ManifestMissing { .. } | Self::Missing { .. } | Self::NotListed { .. } => {
                "reinstall the boothd package, or check the path of the models directory in booth.toml"
            }
            Self::ManifestSyntax { .. } | Self::ManifestValue { .. } => {
                "reinstall the boothd package; the manifest is written by models/build/manifest.py, not by hand"
            }
            Self::Corrupt { .. } => {
                "reinstall the boothd package; if it happens again, check the storage of the board"
            }
            Self::Runtime { .. } => {
                "restart the service; if it happens again, reinstall the boothd package and send the technician's bundle"
            }
            Self::Tensor { .. } | Self::NotAccelerated { .. } | Self::Unsuitable { .. } => {
                "the model does not belong to this release of boothd; reinstall the package (model and program come together)"
            }
        }
    }
}

/// For tests: where `make setup` puts the runtime, or what `BOOTHD_LITERT` says. Fails the test if it is not there.
#[cfg(test)]
pub(crate) fn litert_for_tests() -> PathBuf {
    let path = std::env::var_os("BOOTHD_LITERT").map_or_else(
        || {
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!(
                "target/litert/{}/libLiteRt.so",
                std::env::consts::ARCH
            ))
        },
        PathBuf::from,
    );
    assert!(
        path.is_file(),
        "the TFLite runtime is not at {}: run `make setup` first, or set BOOTHD_LITERT",
        path.display()
    );
    path
}

/// For tests: the catalogue of the models in the source tree, one thread.
#[cfg(test)]
pub(crate) fn catalogue_for_tests() -> Catalogue {
    let models = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("models");
    match Catalogue::open(&models, &litert_for_tests(), 1) {
        Ok(catalogue) => catalogue,
        Err(error) => panic!("{error}; {}", error.mend()),
    }
}
