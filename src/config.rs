//! Configuration: what is typed into TOML files -> checked types. Unknown keys fail, units stand in the names, and every error
//! names file, key, what was found and what is allowed. Each module owns the type of its own part; here they are put together.

pub mod board;
pub mod policy;
pub mod service;

use crate::base::files::text_file;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{path}: {source}; mend: give the path of a readable file")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file says something it must not.
    #[error("{path}: {detail}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line, key, what was found, what is allowed.
        detail: String,
    },
}

/// Reads a text file of a size that a person could have written.
fn read(path: &Path) -> Result<String, ConfigError> {
    text_file(path).map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

/// An error about a file.
fn invalid(path: &Path, detail: impl std::fmt::Display) -> ConfigError {
    ConfigError::Invalid {
        path: path.to_owned(),
        detail: detail.to_string().trim().replace('\n', " "),
    }
}

/// Reads a TOML file into a type that refuses unknown keys.
///
/// # Errors
/// [`ConfigError`] with the file, the line and what is allowed.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    toml::from_str(&read(path)?).map_err(|e| invalid(path, e))
}
