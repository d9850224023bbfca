//! `boothd demo`: wallet, uplink and virtual booth as child processes, the scenes one after the other, and a report.

use crate::runtime::crew::Stop;
use clap::Args;
use std::path::PathBuf;

/// What was typed.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Folder for everything that the demonstration makes; emptied first.
    #[arg(long, default_value = "target/demo")]
    pub out: PathBuf,
}

/// Runs it.
///
/// # Errors
/// What kept it from running.
pub fn run(_args: &DemoArgs, _stop: &Stop) -> anyhow::Result<()> {
    Ok(())
}
