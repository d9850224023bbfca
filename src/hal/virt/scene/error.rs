//! What can be wrong with a scene: each says the file, the key, what was found and what mends it.

use std::path::PathBuf;

/// What is wrong with a scene or a file that it names.
#[derive(Debug, thiserror::Error)]
pub enum SceneError {
    /// A file cannot be read.
    #[error("scene {}: `{key}`: cannot read {}: {source}; mend: name an existing, readable file (paths are relative to the scene file)", .file.display(), .path.display())]
    Read {
        /// The scene file.
        file: PathBuf,
        /// The key that names the file, or `scene`.
        key: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is not TOML, a key is unknown, or a value has the wrong type.
    #[error("scene {}: {detail}; mend: correct the line, README.md beside the scenes lists all keys", .file.display())]
    Syntax {
        /// The scene file, or the TOML file that it names.
        file: PathBuf,
        /// Line, key and what was expected.
        detail: String,
    },
    /// A value that cannot be.
    #[error("scene {}: `{key}` is {found}; allowed: {allowed}; mend: {mend}", .file.display())]
    Value {
        /// The scene file.
        file: PathBuf,
        /// The key.
        key: String,
        /// The value.
        found: String,
        /// What would do.
        allowed: String,
        /// What to do.
        mend: String,
    },
    /// A picture or a sound cannot be used.
    #[error("scene {}: `{key}`: {}: {detail}; mend: {mend}", .file.display(), .path.display())]
    Asset {
        /// The scene file.
        file: PathBuf,
        /// The key that names it.
        key: String,
        /// The picture or sound.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
        /// What to do.
        mend: String,
    },
}
