//! Models: the quantized TFLite files, the manifest that says what each must be, and the interpreter (TFLite itself).
//!
//! ```text
//! manifest.toml -> size, SHA-256 and identifier of the file -> TFLite -> tensors compared with the manifest -> Interpreter
//! ```
//! Nothing is parsed before its hash is the expected one: a crafted model can write out of bounds inside TFLite. The only
//! `unsafe` code of the project stands in [`litert`].

pub mod catalogue;
pub mod interpreter;
pub mod litert;
pub mod lut;
pub mod manifest;

pub use catalogue::Catalogue;
pub use interpreter::Interpreter;
pub use lut::PixelLut;
pub use manifest::ModelTask;

use std::path::PathBuf;

/// What is wrong with a model or with the runtime.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file is not there or cannot be read.
    #[error(
        "{path}: {source}; mend: install the package again, it holds the models and the runtime (`make setup` in a checkout)"
    )]
    Missing {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not the one that was shipped.
    #[error(
        "{path}: {what}: found {found}, expected {expected}; mend: install the package again, the file was changed or cut"
    )]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// What was compared.
        what: &'static str,
        /// What was found.
        found: String,
        /// What the manifest says.
        expected: String,
    },
    /// The manifest cannot be used.
    #[error("{path}: {detail}; mend: install the package again")]
    Manifest {
        /// Which file.
        path: PathBuf,
        /// Line, key and what is allowed.
        detail: String,
    },
    /// The manifest has no model for a task.
    #[error("{path}: no model for task `{task}`; mend: install the package again")]
    NoSuchTask {
        /// Which manifest.
        path: PathBuf,
        /// Which task.
        task: ModelTask,
    },
    /// The runtime refused.
    #[error("model `{task}`: {call} gave status {status}{detail}; mend: install the package again")]
    Runtime {
        /// Which model; the runtime itself before any is loaded.
        task: String,
        /// Which call.
        call: &'static str,
        /// What it returned.
        status: i32,
        /// What the runtime says of it.
        detail: String,
    },
    /// The runtime cannot be loaded.
    #[error("{path}: {detail}; mend: `make setup` in a checkout, or install the package again")]
    Library {
        /// Which file.
        path: PathBuf,
        /// What the loader said.
        detail: String,
    },
    /// The model runs, but not wholly on the accelerated kernels.
    #[error(
        "model `{task}` is not fully accelerated by XNNPACK; mend: convert it again, an operator has no fast kernel"
    )]
    NotAccelerated {
        /// Which model.
        task: ModelTask,
    },
}

impl ModelError {
    /// The reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::NoSuchTask { .. } => "hw.model.missing",
            _ => "hw.model.corrupt",
        }
    }
}
