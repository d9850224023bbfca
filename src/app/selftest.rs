//! `boothd selftest`: asks the running booth for its self-test, over the control socket; the same that the console's `test all` does. The booth
//! is in maintenance meanwhile, and a customer's session is waited for or left alone.

use crate::config::service::ServiceConfig;
use crate::technician::command::{Command, Operator, Role, TestWhat, WorkOrder};
use crate::technician::control::{ControlClient, Heard, Request, Tell};
use crate::technician::page;
use crate::technician::report::{Code, Report};
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Something needs attention soon, or could not be tested.
pub const SOON: u8 = 3;
/// Something fails.
pub const FAILS: u8 = 4;
/// The longest that all tests take on a slow board, and some.
const WITHIN: Duration = Duration::from_secs(300);

/// What is tested.
#[derive(Debug, Args)]
pub struct SelfTestArgs {
    /// boothd.toml of the running service; its `[control]` names the socket.
    #[arg(long)]
    config: PathBuf,
    /// What: all, quick, camera, lights, ...
    #[arg(long, default_value = "all", value_parser = what)]
    part: TestWhat,
    /// Seconds to wait for the end of a customer's session.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=600))]
    wait: u16,
    /// One JSON object instead of a page.
    #[arg(long)]
    json: bool,
}

fn what(text: &str) -> Result<TestWhat, String> {
    let known = TestWhat::ALL.iter().find(|w| w.word() == text);
    known.copied().ok_or_else(|| {
        let words: Vec<&str> = TestWhat::ALL.iter().map(|w| w.word()).collect();
        format!("allowed: {}", words.join(", "))
    })
}

/// Runs the test and prints what came out; gives the exit code: 0 all is well, [`SOON`], [`FAILS`].
///
/// # Errors
/// If the booth does not run, has no control socket, or refuses.
pub fn run(args: &SelfTestArgs) -> anyhow::Result<u8> {
    let config = ServiceConfig::read(&args.config)?;
    let control = config.control.with_context(|| {
        format!(
            "{}: `control`: not there, needed: `[control]` with `socket`; mend: add it and restart the service",
            args.config.display()
        )
    })?;
    let mut client = ControlClient::connect(&control.socket)?;
    let entered = ask(
        &mut client,
        1,
        Command::MaintenanceEnter { wait_s: args.wait },
        args.json,
    )?;
    anyhow::ensure!(
        entered.code == Code::Ok,
        "{}; mend: {}",
        entered.title,
        entered.next
    );
    let report = ask(&mut client, 2, Command::Test(args.part), args.json)?;
    // The booth leaves maintenance by itself when the connection ends; asked for, it is known to have.
    ask(&mut client, 3, Command::MaintenanceLeave, args.json)?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        for line in page::report_lines(&report, &[], page::Style::default()) {
            println!("{line}");
        }
    }
    Ok(match report.code {
        Code::Ok => 0,
        Code::Warn | Code::NotTested => SOON,
        _ => FAILS,
    })
}

fn ask(
    client: &mut ControlClient,
    id: u64,
    command: Command,
    quiet: bool,
) -> anyhow::Result<Report> {
    let operator = Operator {
        role: Role::Service,
        work_order: WorkOrder::try_from("SELFTEST".to_owned()).map_err(anyhow::Error::msg)?,
    };
    client.run(Request {
        id,
        command,
        operator,
    })?;
    let until = Instant::now() + WITHIN + Duration::from_secs(600);
    while Instant::now() < until {
        let Heard::Tell(tell) = client.hear(Duration::from_secs(1))? else {
            continue;
        };
        match *tell {
            Tell::Report { id: of, report } if of == id => return Ok(report),
            Tell::Progress { text, .. } if !quiet => eprintln!("{text}"),
            _ => {}
        }
    }
    anyhow::bail!("the booth did not end the test in time; mend: look at its log")
}
