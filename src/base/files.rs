//! Files that people write: read whole, but never without end.

use std::fs::File;
use std::io::{Error, ErrorKind, Read as _, Result};
use std::path::Path;

/// No configuration, scene or list is longer, in bytes.
pub const LARGEST_TEXT: u64 = 4 << 20;

/// Reads a UTF-8 text of at most [`LARGEST_TEXT`] bytes.
///
/// # Errors
/// What the system says; `InvalidData` for what is longer (a device has no end) or not UTF-8.
pub fn text_file(path: &Path) -> Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(LARGEST_TEXT + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST_TEXT {
        let found = format!("longer than {LARGEST_TEXT} bytes, which no text of ours is");
        return Err(Error::new(ErrorKind::InvalidData, found));
    }
    Ok(text)
}
