//! What was typed -> one verb; exit codes: 0 good, 1 the thing asked for failed, 2 typed wrongly; `boothd check`: 3 and 4.

use boothd::app::verbs::{Cli, explain, run};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("boothd: {}", explain(&error));
            ExitCode::FAILURE
        }
    }
}
