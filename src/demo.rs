//! `boothd demo`: wallet, uplink and virtual booth as child processes, the scenes one after the other, and a report. What people
//! see first has the real shape: three processes, a socket between two of them, mutual TLS between the other two.

mod household;
mod kills;
mod matrix;
mod plan;
pub mod report;
mod ticket;

pub use matrix::{MatrixArgs, run as matrix};
pub use ticket::{TicketArgs, ticket};

use crate::app::replay::ModelArgs;
use crate::base::time::{Moment, SharedClock, SystemClock};
use crate::runtime::crew::Stop;
use crate::wallet::StoredOutcome;
use anyhow::Context;
use clap::Args;
use household::{Household, Member};
use plan::PlannedScene;
use report::{ReportInput, SessionRecord};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What was typed.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Folder for everything that the demonstration makes; emptied first.
    #[arg(long, default_value = "target/demo")]
    pub out: PathBuf,
    /// Folder of the scenes.
    #[arg(long, default_value = "board/scenes")]
    pub scenes: PathBuf,
    /// The board file.
    #[arg(long, default_value = "board/virtual.toml")]
    pub board: PathBuf,
    /// The policy, to be signed with the demonstration's key.
    #[arg(long, default_value = "board/policies/utopia-standard.toml")]
    pub policy: PathBuf,
    /// Names of the scenes to play; all ten of the main job if none is given.
    #[arg(long)]
    pub scene: Vec<String>,
    /// Instead of the scenes once: kill -9 booth, uplink or wallet so many times at random instants, and count what arrived.
    #[arg(long)]
    pub kills: Option<u32>,
    /// Models.
    #[command(flatten)]
    pub models: ModelArgs,
}

/// The main job's scenes, in the order in which they are played.
const MAIN_JOB: [&str; 13] = [
    "passport",
    "card",
    "prc-card",
    "mismatch",
    "badcheck",
    "prc-badcheck",
    "data-differs",
    "network-down",
    "reverification",
    "camera-covered",
    "camera-frozen",
    "camera-unplugged",
    "practice",
];
/// How long an outcome may take to arrive once the wallet is there.
const ARRIVAL: Duration = Duration::from_secs(60);
/// How long the wallet stays away after a session that it missed.
const WALLET_AWAY: Duration = Duration::from_secs(4);

/// One session as it was played.
struct Played {
    scene: PlannedScene,
    begin: Moment,
    end: Moment,
    outcome: Option<StoredOutcome>,
    /// Practice leaves no outcome, only what the person saw.
    practised: bool,
    note: String,
}

impl Played {
    fn payload(&self, member: &str) -> String {
        if self.practised && member == "result" {
            return "practice".to_owned();
        }
        let payload = self.outcome.as_ref().and_then(|o| o.payload.as_ref());
        payload
            .and_then(|p| p[member].as_str())
            .unwrap_or("")
            .to_owned()
    }

    fn primary_reason(&self) -> String {
        let payload = self.outcome.as_ref().and_then(|o| o.payload.as_ref());
        payload
            .and_then(|p| p["reasons"][0]["code"].as_str())
            .unwrap_or("")
            .to_owned()
    }

    fn found(&self) -> String {
        [
            self.payload("result"),
            self.payload("disposition"),
            self.primary_reason(),
        ]
        .iter()
        .filter(|s| !s.is_empty() && *s != "none")
        .cloned()
        .collect::<Vec<_>>()
        .join(" ")
    }

    fn as_expected(&self) -> bool {
        if self.practised {
            return self.scene.expect.result == "practice";
        }
        let expect = &self.scene.expect;
        let reason = self.primary_reason();
        // A reason is expected by its code or by a prefix of it.
        let reason_good = expect
            .reason
            .as_ref()
            .is_none_or(|r| reason == *r || reason.starts_with(&format!("{r}.")));
        self.payload("result") == expect.result
            && reason_good
            && expect
                .disposition
                .as_ref()
                .is_none_or(|d| self.payload("disposition") == *d)
    }
}

/// Runs the demonstration.
///
/// # Errors
/// What kept it from running, or that a session ended otherwise than its scene says.
pub fn run(args: &DemoArgs, stop: &Stop) -> anyhow::Result<()> {
    let clock: SharedClock = Arc::new(SystemClock);
    let began = clock.now();
    let household = Household::furnish(args, Arc::clone(&clock))?;
    if let Some(n) = args.kills {
        return kills::run(household, args, n, stop);
    }
    let names: Vec<String> = if args.scene.is_empty() {
        MAIN_JOB.map(str::to_owned).to_vec()
    } else {
        args.scene.clone()
    };
    let scenes = names
        .iter()
        .map(|n| plan::read(&args.scenes, n, &args.models))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut household = household;
    household.start(Member::Wallet)?;
    household.start(Member::Uplink)?;
    household.start(Member::Booth)?;
    household.wait_until_ready()?;
    println!(
        "wallet, uplink and booth are up after {:.1} s",
        clock.now().since(began).as_secs_f32()
    );

    let mut played = Vec::new();
    for (i, scene) in scenes.into_iter().enumerate() {
        anyhow::ensure!(!stop.is_set(), "stopped");
        println!("[{}/{}] {}", i + 1, names.len(), scene.title_en);
        let session = play(&mut household, scene, &clock)?;
        println!(
            "      {} {:<52} {:>5.1} s  {}",
            if session.as_expected() {
                "ok  "
            } else {
                "ODD "
            },
            session.found(),
            session.end.since(session.begin).as_secs_f32(),
            session.note
        );
        played.push(session);
    }
    let facts = household.facts()?;
    household.stop_all();
    let report = write_report(args, &played, facts)?;
    println!("\nreport: {}", report.display());
    println!("all in {:.0} s", clock.now().since(began).as_secs_f32());
    let odd: Vec<&str> = played
        .iter()
        .filter(|p| !p.as_expected())
        .map(|p| p.scene.name.as_str())
        .collect();
    anyhow::ensure!(
        odd.is_empty(),
        "ended otherwise than their scenes say: {}",
        odd.join(", ")
    );
    Ok(())
}

/// Plays one scene and waits for its outcome at the wallet.
fn play(
    household: &mut Household,
    scene: PlannedScene,
    clock: &SharedClock,
) -> anyhow::Result<Played> {
    let ticket = scene
        .ticket
        .as_ref()
        .map(|request| household.wallet().ticket(request))
        .transpose();
    let ticket = ticket.context("the wallet issues no ticket")?;
    if !scene.wallet_reachable {
        household.stop(Member::Wallet);
    }
    let begin = clock.now();
    let shown = household.play(&scene.file, ticket.as_ref().map(|t| t.ticket.as_str()))?;
    let end = clock.now();
    let mut note = String::new();
    if !scene.wallet_reachable {
        std::thread::sleep(WALLET_AWAY);
        household.start(Member::Wallet)?;
    }
    let mut outcome = None;
    if let Some(ticket) = &ticket {
        while outcome.is_none() && clock.now().since(end) < ARRIVAL {
            let all = household.wallet().outcomes(0).unwrap_or_default();
            let mut mine = all.into_iter().filter(|o| o.ticket == ticket.ticket_id);
            outcome = mine.next();
            anyhow::ensure!(
                mine.next().is_none(),
                "{}: the wallet has two outcomes of one ticket",
                scene.name
            );
            if outcome.is_none() {
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        let waited = clock.now().since(end).as_secs_f32();
        note = match (&outcome, scene.wallet_reachable) {
            (None, _) => "no outcome arrived".to_owned(),
            (Some(_), true) => format!("arrived {waited:.1} s after the person left"),
            (Some(_), false) => format!(
                "waited {waited:.1} s in the outbox while the wallet was down; arrived once"
            ),
        };
    }
    let practised = ticket.is_none() && shown.iter().any(|s| s == "result.practice_done");
    if practised {
        note = "nothing stored, nothing sent".to_owned();
    }
    Ok(Played {
        scene,
        begin,
        end,
        outcome,
        practised,
        note,
    })
}

fn write_report(
    args: &DemoArgs,
    played: &[Played],
    facts: Vec<(String, String)>,
) -> anyhow::Result<PathBuf> {
    let sessions: Vec<SessionRecord> = played
        .iter()
        .map(|p| SessionRecord {
            name: p.scene.name.clone(),
            title_en: p.scene.title_en.clone(),
            title_zh: p.scene.title_zh.clone(),
            begin: p.begin,
            end: p.end,
            expected: [Some(&p.scene.expect.result), p.scene.expect.disposition.as_ref(), p.scene.expect.reason.as_ref()]
                .into_iter()
                .flatten()
                .filter(|s| s.as_str() != "none")
                .cloned()
                .collect::<Vec<_>>()
                .join(" "),
            found: p.found(),
            as_expected: p.as_expected(),
            outcome: p.outcome.as_ref().and_then(|o| o.payload.clone()),
            jws_header: p.outcome.as_ref().map(|o| {
                serde_json::json!({"dev": o.booth, "epoch": o.epoch, "seq": o.seq, "sha256 of the JWS": o.sha256})
            }),
            note: p.note.clone(),
        })
        .collect();
    let input = ReportInput {
        out: &args.out,
        record_dir: &args.out.join("record"),
        trace: &args.out.join("trace.jsonl"),
        sessions: &sessions,
        machine: machine(),
        facts,
    };
    Ok(report::write_report(&input)?)
}

/// The machine, as its kernel calls it.
fn machine() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|l| l.strip_prefix("model name"))
        .and_then(|l| l.split_once(": "));
    let n = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!(
        "{}, {n} cores, {}",
        model.map_or("unknown processor", |(_, m)| m),
        std::env::consts::ARCH
    )
}
