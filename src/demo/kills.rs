//! `boothd demo --kills N`: kill -9 at random instants of a running demonstration, and the count of what arrived.
//!
//! A person after the other comes to the booth; meanwhile booth, uplink or wallet is killed and started again. In the end every
//! session whose place was reserved must be at the wallet exactly once, and the booth's sequence must have no gap.

use super::DemoArgs;
use super::household::{Household, Member, play};
use super::plan;
use crate::runtime::crew::Stop;
use crate::trust::random_bytes;
use crate::wallet::StoredOutcome;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The scene that is played again and again.
const SCENE: &str = "passport";
/// Longest pause between two kills.
const LONGEST_PAUSE_MS: u64 = 2500;
/// How long the last outcomes may take to arrive.
const DRAIN: Duration = Duration::from_secs(60);

/// Runs it and prints the count.
pub(super) fn run(
    mut household: Household,
    args: &DemoArgs,
    n_kills: u32,
    stop: &Stop,
) -> anyhow::Result<()> {
    let scene = plan::read(&args.scenes, SCENE, &args.models)?;
    for member in Member::ALL {
        household.start(member)?;
    }
    household.wait_until_ready()?;
    let (over, n_played) = (AtomicBool::new(false), AtomicU64::new(0));
    let (client, socket) = (household.wallet().clone(), household.stage_socket());
    let mut kills: BTreeMap<Member, u32> = BTreeMap::new();
    let began = Instant::now();
    std::thread::scope(|scope| -> anyhow::Result<()> {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                // Without wallet no ticket, without booth no stage: the person comes again.
                let ticket = scene
                    .ticket
                    .as_ref()
                    .and_then(|request| client.ticket(request).ok());
                let played =
                    ticket.is_some_and(|t| play(&socket, &scene.file, Some(&t.ticket)).is_ok());
                n_played.fetch_add(u64::from(played), Ordering::SeqCst);
                if !played {
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
        });
        let result = kill_many(&mut household, n_kills, stop, &mut kills);
        over.store(true, Ordering::SeqCst);
        result
    })?;
    println!(
        "{n_kills} kills in {:.0} s: {}",
        began.elapsed().as_secs_f32(),
        counts(&kills)
    );
    household.wait_until_ready()?;
    let found = drain(&mut household)?;
    household.stop_all();
    report(&found, n_played.load(Ordering::SeqCst))
}

fn kill_many(
    household: &mut Household,
    n_kills: u32,
    stop: &Stop,
    kills: &mut BTreeMap<Member, u32>,
) -> anyhow::Result<()> {
    for i in 0..n_kills {
        anyhow::ensure!(!stop.is_set(), "stopped");
        let [a, b, c]: [u8; 3] = random_bytes()?;
        let pause = u64::from(u16::from_be_bytes([a, b])) * LONGEST_PAUSE_MS / 65_536;
        std::thread::sleep(Duration::from_millis(pause));
        let member = Member::ALL[usize::from(c) % 3];
        household.kill(member);
        household.start(member)?;
        *kills.entry(member).or_default() += 1;
        // Whoever fell over because of the kill is a finding, and is started again as systemd would.
        for fallen in household.fallen() {
            println!("kill {}: `{}` ended by itself", i + 1, fallen.name());
            household.start(fallen)?;
        }
        if (i + 1) % 20 == 0 {
            println!("{} of {n_kills} kills", i + 1);
        }
    }
    Ok(())
}

fn counts(kills: &BTreeMap<Member, u32>) -> String {
    kills
        .iter()
        .map(|(m, n)| format!("{} {n}", m.name()))
        .collect::<Vec<_>>()
        .join(", ")
}

/// What is there in the end.
struct Found {
    /// Sessions whose place the booth has reserved, from its log.
    begun: BTreeSet<String>,
    /// Outcomes at the wallet.
    outcomes: Vec<StoredOutcome>,
}

/// Waits until everything that was begun has arrived.
fn drain(household: &mut Household) -> anyhow::Result<Found> {
    let began = Instant::now();
    loop {
        let log = std::fs::read_to_string(household.log(Member::Booth))?;
        let begun: BTreeSet<String> = log
            .lines()
            .filter_map(|l| l.split_once("session begins session="))
            .filter_map(|(_, rest)| rest.split_whitespace().next().map(str::to_owned))
            .collect();
        let outcomes = household.wallet().outcomes(0)?;
        let arrived: BTreeSet<&str> = outcomes.iter().map(|o| o.session.as_str()).collect();
        let all = begun.iter().all(|s| arrived.contains(s.as_str()));
        if all || began.elapsed() > DRAIN {
            return Ok(Found { begun, outcomes });
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn report(found: &Found, n_played: u64) -> anyhow::Result<()> {
    let mut per_session: BTreeMap<&str, u32> = BTreeMap::new();
    let mut per_result: BTreeMap<&str, u32> = BTreeMap::new();
    let mut sequences: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for outcome in &found.outcomes {
        *per_session.entry(&outcome.session).or_default() += 1;
        *per_result.entry(&outcome.result).or_default() += 1;
        sequences
            .entry(outcome.epoch)
            .or_default()
            .insert(outcome.seq);
    }
    let lost = found
        .begun
        .iter()
        .filter(|s| !per_session.contains_key(s.as_str()))
        .count();
    let doubled = per_session.values().filter(|n| **n > 1).count();
    let gaps: u64 = sequences
        .values()
        .map(|s| s.last().map_or(0, |last| last - s.len() as u64))
        .sum();
    println!("sessions begun (place reserved)   {}", found.begun.len());
    println!("scenes played to their end        {n_played}");
    println!("outcomes at the wallet            {}", found.outcomes.len());
    for (result, n) in per_result {
        println!("  {result:<32}{n}");
    }
    println!("lost                              {lost}");
    println!("doubled                           {doubled}");
    println!("gaps in the sequence              {gaps}");
    anyhow::ensure!(
        lost == 0 && doubled == 0 && gaps == 0,
        "something was lost or doubled"
    );
    Ok(())
}
