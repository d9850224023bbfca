//! What was typed -> what is done. One variant a verb; exit codes: 0 good, 1 the thing asked for failed, 2 typed wrongly; `check` and
//! `selftest` have two more, `safe` one.

use super::{
    booth, calibrate, check, compare, console, dispatch, keys, render, replay, safe, selftest,
};
use crate::base::time::{SharedClock, SystemClock};
use crate::config::{self, policy};
use crate::delivery::uplink::{self, UplinkConfig};
use crate::demo;
use crate::models::ModelError;
use crate::runtime::crew::Stop;
use crate::runtime::logging;
use crate::trust::keys::SoftwareKey;
use crate::wallet::{self, WalletConfig};
use anyhow::Context;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The firmware service of an in-branch video-verification booth.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the booth: devices, models, session, outbox. No network.
    Run {
        /// boothd.toml
        #[arg(long)]
        config: PathBuf,
    },
    /// Say on the panel that the booth is out of service, after the service has ended again and again. Exit code 5: the time is over.
    Safe {
        /// boothd.toml
        #[arg(long)]
        config: PathBuf,
        /// Seconds until the service is to be tried again.
        #[arg(long = "for", default_value_t = 900)]
        seconds: u64,
    },
    /// Run the uplink: takes signed outcomes from the booth's socket to the wallet. No devices.
    Uplink {
        /// uplink.toml
        #[arg(long)]
        config: PathBuf,
    },
    /// Run the reference wallet backend (HTTPS on loopback), to develop against.
    Wallet {
        /// wallet.toml
        #[arg(long)]
        config: PathBuf,
    },
    /// Run the technician's console on a serial line.
    Console(console::ConsoleArgs),
    /// Answer challenges and check closing codes, as the desk that technicians call.
    Dispatch {
        /// What is done.
        #[command(subcommand)]
        what: dispatch::DispatchVerb,
    },
    /// Open every device that a board file names, and say what is missing. Exit code 3: sessions are possible without it; 4: none is.
    Check(check::CheckArgs),
    /// Have the running booth test itself, over its control socket. Exit code 3: something needs attention soon; 4: something fails.
    Selftest(selftest::SelfTestArgs),
    /// Run wallet, uplink and virtual booth, play the scenes, write a report.
    Demo(demo::DemoArgs),
    /// Play bad light, bad posture and badly held documents in the virtual booth, and print what came of them.
    Matrix(demo::MatrixArgs),
    /// Draw what the virtual camera sees at a step of a scene.
    Render(render::RenderArgs),
    /// Have the reference wallet make a ticket for the person of a scene.
    Ticket(demo::TicketArgs),
    /// Look at a folder of pictures as the booth would, and print what is seen.
    Replay(replay::ReplayArgs),
    /// Compare the faces of pairs of pictures and write the scores.
    Compare(compare::CompareArgs),
    /// Make keys and certificates for a demonstration or a test bench.
    Keys {
        /// Folder to make them in; what is there stays.
        #[arg(long)]
        out: PathBuf,
    },
    /// Check and sign policies.
    Policy {
        /// What is done.
        #[command(subcommand)]
        what: PolicyVerb,
    },
    /// Measure error rates and write calibration files.
    Calibrate {
        /// What is measured.
        #[command(subcommand)]
        what: calibrate::CalibrateVerb,
    },
}

/// Verbs about policies.
#[derive(Debug, Subcommand)]
pub enum PolicyVerb {
    /// Check a policy and sign it.
    Sign {
        /// The policy, TOML.
        policy: PathBuf,
        /// Private key of the policy's signer.
        #[arg(long)]
        key: PathBuf,
        /// The signed bundle.
        #[arg(long)]
        out: PathBuf,
    },
}

/// Sets `Stop` on SIGTERM, SIGINT and SIGHUP.
fn stop_on_signals() -> anyhow::Result<Stop> {
    let stop = Stop::default();
    for signal in [
        signal_hook::consts::SIGTERM,
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGHUP,
    ] {
        // A second signal of the same kind ends at once: somebody is impatient.
        signal_hook::flag::register_conditional_default(signal, stop.flag())?;
        signal_hook::flag::register(signal, stop.flag())?;
    }
    Ok(stop)
}

/// What went wrong in one line, causes behind it: a cause that its effect has already quoted is not said again, and a model that
/// cannot be had comes with its mend.
pub fn explain(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    if let Some(model) = error.chain().find_map(|e| e.downcast_ref::<ModelError>()) {
        text.push_str("; mend: ");
        text.push_str(model.mend());
    }
    text
}

/// Does what was typed; gives the exit code.
///
/// # Errors
/// What went wrong, with its causes.
pub fn run(cli: Cli) -> anyhow::Result<u8> {
    let clock: SharedClock = Arc::new(SystemClock);
    let done = match cli.verb {
        Verb::Check(args) => return check::run(&args),
        Verb::Selftest(args) => return selftest::run(&args),
        Verb::Run { config } => {
            let log = logging::start("booth");
            booth::run(&config, &log, &stop_on_signals()?)
        }
        Verb::Safe { config, seconds } => {
            logging::start("safe");
            let time = Duration::from_secs(seconds);
            return Ok(safe::run(&config, time, &clock, &stop_on_signals()?));
        }
        Verb::Uplink { config } => {
            logging::start("uplink");
            let config: UplinkConfig = config::load(&config)?;
            let stop = stop_on_signals()?;
            uplink::run(&config, clock, &stop.flag()).context("uplink")
        }
        Verb::Wallet { config } => {
            logging::start("wallet");
            let config: WalletConfig = config::load(&config)?;
            let stop = stop_on_signals()?;
            wallet::serve(&config, clock, &stop.flag()).context("wallet")
        }
        Verb::Console(args) => {
            logging::start("console");
            return console::run(&args, &clock, &stop_on_signals()?);
        }
        Verb::Dispatch { what } => dispatch::run(what, &clock),
        Verb::Demo(args) => demo::run(&args, &stop_on_signals()?),
        Verb::Matrix(args) => demo::matrix(&args, &stop_on_signals()?),
        Verb::Render(args) => render::run(&args),
        Verb::Ticket(args) => demo::ticket(&args, clock),
        Verb::Replay(args) => replay::run(&args),
        Verb::Compare(args) => compare::run(&args),
        Verb::Keys { out } => keys::run(&out),
        Verb::Policy {
            what: PolicyVerb::Sign { policy, key, out },
        } => {
            let key = SoftwareKey::read(&key)?;
            let bundle = policy::sign_policy(&policy, &key)?;
            std::fs::write(&out, bundle).with_context(|| out.display().to_string())?;
            println!("signed: {}", out.display());
            Ok(())
        }
        Verb::Calibrate { what } => calibrate::run(what),
    };
    done.map(|()| 0)
}
