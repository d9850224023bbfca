//! `boothd keys`: keys and certificates for a demonstration or a test bench.

use crate::base::time::{Clock, SystemClock};
use crate::trust::pki::make_keys;
use std::path::Path;

/// Makes what is missing and says what it did.
///
/// # Errors
/// If a file is there but unusable, or cannot be written.
pub fn run(out: &Path) -> anyhow::Result<()> {
    let made = make_keys(out, SystemClock.wall())?;
    for file in &made.made {
        println!("made  {}", file.display());
    }
    for file in &made.kept {
        println!("kept  {}", file.display());
    }
    Ok(())
}
