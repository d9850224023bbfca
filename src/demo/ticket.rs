//! `boothd ticket`: a ticket for the person of a scene, from a reference wallet that is running.

use super::plan;
use crate::base::time::SharedClock;
use crate::trust::pki::KeyFolder;
use crate::wallet::client::OperatorClient;
use anyhow::Context as _;
use clap::Args;
use std::path::PathBuf;

/// What was typed.
#[derive(Clone, Debug, Args)]
pub struct TicketArgs {
    /// The scene, whose `[ticket]` is asked for.
    scene: PathBuf,
    /// The wallet.
    #[arg(long, default_value = "https://127.0.0.1:8443")]
    wallet: String,
    /// Folder with the operator's certificate (`boothd keys`).
    #[arg(long)]
    keys: PathBuf,
    /// Where the ticket is written.
    #[arg(long)]
    out: PathBuf,
}

/// Asks and writes.
///
/// # Errors
/// The scene, the keys, the wallet, or the place to write to.
pub fn ticket(args: &TicketArgs, clock: SharedClock) -> anyhow::Result<()> {
    let request = plan::ticket_of(&args.scene)?;
    let files = KeyFolder::new(&args.keys).tls("operator");
    let wallet = OperatorClient::new(&args.wallet, &files, clock)?;
    let answer = wallet
        .ticket(&request)
        .with_context(|| format!("wallet {}", args.wallet))?;
    std::fs::write(&args.out, &answer.ticket).with_context(|| args.out.display().to_string())?;
    println!("ticket {} -> {}", answer.ticket_id, args.out.display());
    Ok(())
}
