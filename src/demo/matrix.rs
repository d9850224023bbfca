//! `boothd matrix`: what the booth makes of bad light, bad posture and badly held documents. Every case is played with every person in
//! the virtual booth, in lockstep ([`crate::app::lockstep`]), with the loop of light and exposure closed and open, and a table says what
//! came of it.

mod cases;
mod flashes;
mod page;
mod table;

use super::household::Household;
use super::{DemoArgs, plan};
use crate::app::fittings::Fittings;
use crate::app::lockstep::{Booth, LoopMode, Played, Sample};
use crate::app::replay::ModelArgs;
use crate::base::ids::SessionId;
use crate::base::time::{SharedClock, SystemClock, WallTime};
use crate::config::board::Board;
use crate::config::service::ServiceConfig;
use crate::perception::observation::VisionTask;
use crate::runtime::crew::Stop;
use crate::trust::keys::{SoftwareKey, TrustedKeys};
use crate::trust::pki::KeyFolder;
use crate::trust::ticket::{self, Bytes, TicketClaims};
use anyhow::Context as _;
use cases::{Case, Matrix, MendedBy};
use clap::Args;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What was typed.
#[derive(Clone, Debug, Args)]
pub struct MatrixArgs {
    /// Folder for keys, configuration and the report; emptied first.
    #[arg(long, default_value = "target/matrix")]
    out: PathBuf,
    /// The cases.
    #[arg(long, default_value = "board/matrix/cases.toml")]
    matrix: PathBuf,
    /// Folder of the people's scenes.
    #[arg(long, default_value = "board/scenes")]
    scenes: PathBuf,
    /// The board file.
    #[arg(long, default_value = "board/virtual.toml")]
    board: PathBuf,
    /// The policy.
    #[arg(long, default_value = "board/policies/utopia-standard.toml")]
    policy: PathBuf,
    /// Names of the cases to play; all if none is given.
    #[arg(long)]
    case: Vec<String>,
    /// Names of the people; all of the file if none is given.
    #[arg(long)]
    person: Vec<String>,
    /// The loop of light and exposure: closed, open, or both if not given.
    #[arg(long = "loop", value_enum)]
    mode: Option<LoopMode>,
    /// Sessions that are played at the same time.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    jobs: u8,
    /// Models.
    #[command(flatten)]
    models: ModelArgs,
}

/// The wall clock of every session: nothing may depend on the day on which the matrix is run.
const WALL: WallTime = WallTime(1_795_600_000_000);
/// Share of the mendable scenes that has to be verified at the first attempt with the loop closed.
const LEAST_SUCCESS: f64 = 0.95;

/// The loop is to be content within this; a step that is over sooner says nothing of it.
const SETTLES_WITHIN: Duration = Duration::from_secs(1);

/// What is found again after this is waited for anew.
const AWAY: Duration = Duration::from_millis(500);

/// Flashes that any second of a trace of the ring may have (WCAG 2.2, 2.3.1).
const MOST_FLASHES: usize = 3;

/// One session of the matrix.
#[derive(Debug)]
struct Cell {
    case: usize,
    person: String,
    mode: LoopMode,
    played: Played,
}

/// How the loop settled on a document or a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settling {
    /// Nothing was found, or the step was over before it mattered.
    NotAsked,
    /// From the first frame in which it was found until the loop was content.
    After(Duration),
    /// Likewise until it said that it could do no more.
    Limit(Duration),
    /// Neither.
    Never,
}

impl Settling {
    /// How long it took; `None` where nothing says so.
    fn time(self) -> Option<Duration> {
        match self {
            Self::NotAsked => None,
            Self::After(time) | Self::Limit(time) => Some(time),
            Self::Never => Some(Duration::MAX),
        }
    }
}

/// How a session ended, seen from the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Verified at the first attempt.
    First,
    /// Verified after a step was repeated.
    Later,
    /// Not verified; the reason is one that the case names.
    RightReason,
    /// Anything else.
    Wrong,
}

impl Cell {
    fn text(&self, member: &str) -> &str {
        let outcome = self.played.outcome.as_ref();
        outcome.and_then(|o| o[member].as_str()).unwrap_or("")
    }

    fn result(&self) -> &str {
        match self.text("result") {
            "" => self.played.why,
            result => result,
        }
    }

    fn reason(&self) -> &str {
        let outcome = self.played.outcome.as_ref();
        outcome
            .and_then(|o| o["reasons"][0]["code"].as_str())
            .or(self.played.fault)
            .unwrap_or("")
    }

    fn remedies(&self) -> Vec<&str> {
        let outcome = self.played.outcome.as_ref();
        let list = outcome.and_then(|o| o["remedies"].as_array());
        list.into_iter()
            .flatten()
            .filter_map(|r| r["remedy"].as_str())
            .collect()
    }

    /// From the consent to the result.
    fn took(&self) -> Option<Duration> {
        let at = |start: &str| {
            let mut screens = self.played.screens.iter();
            screens
                .find(|(_, s)| s.starts_with(start))
                .map(|(at, _)| *at)
        };
        let begin = at("preflight").or_else(|| at("document."))?;
        Some(at("result.")?.saturating_sub(begin))
    }

    /// How the closed loop settled on the document or the face: the slowest of the times when it was found, or found again after a while, as
    /// somebody who had turned away.
    fn settling(&self, task: VisionTask) -> Settling {
        if self.mode == LoopMode::Off {
            return Settling::NotAsked;
        }
        let found: Vec<&Sample> = self
            .played
            .samples
            .iter()
            .filter(|s| s.task == task && s.found)
            .collect();
        let stretches = found.chunk_by(|a, b| b.at <= a.at + AWAY);
        let slowest = stretches.clone().map(settled_in).max_by_key(|s| s.time());
        let lasted: Duration = stretches.map(|s| s[s.len() - 1].at - s[0].at).sum();
        match slowest.unwrap_or(Settling::NotAsked) {
            Settling::NotAsked if lasted >= SETTLES_WITHIN => Settling::Never,
            slowest => slowest,
        }
    }

    /// What the person was told beyond what is said in every session, in that order.
    fn prompts(&self) -> Vec<&'static str> {
        let usual = ["show", "look", "done", "still", "turn_to_back"];
        let told = self.played.screens.iter().filter_map(|(_, screen)| {
            let (group, what) = screen.split_once('.')?;
            let counts = matches!(group, "document" | "face" | "retry") && !usual.contains(&what);
            counts.then_some(*screen)
        });
        told.collect()
    }

    fn verdict(&self, case: &Case) -> Verdict {
        let again = self
            .played
            .screens
            .iter()
            .any(|(_, s)| s.starts_with("retry"));
        match self.result() {
            "verified" if !again => Verdict::First,
            "verified" => Verdict::Later,
            _ if case.reasons.iter().any(|r| r == self.reason()) => Verdict::RightReason,
            _ => Verdict::Wrong,
        }
    }
}

/// How the loop settled while something was found without a break; there is at least one sample.
fn settled_in(samples: &[&Sample]) -> Settling {
    let (first, last) = (samples[0].at, samples[samples.len() - 1].at);
    let content = samples.iter().find(|s| s.settled == Some(true));
    let limit = samples.iter().find(|s| s.at_limit);
    match (content, limit) {
        (Some(content), _) => Settling::After(content.at - first),
        (None, Some(limit)) => Settling::Limit(limit.at - first),
        (None, None) if last - first < SETTLES_WITHIN => Settling::NotAsked,
        (None, None) => Settling::Never,
    }
}

/// Plays the matrix, prints the table, writes the report.
///
/// # Errors
/// If something cannot be read or played, or if the goals are missed with the loop closed.
pub fn run(args: &MatrixArgs, stop: &Stop) -> anyhow::Result<()> {
    let matrix = Matrix::read(&args.matrix)?.choose(&args.case, &args.person)?;
    let clock: SharedClock = Arc::new(SystemClock);
    let demo = DemoArgs {
        out: args.out.clone(),
        scenes: args.scenes.clone(),
        board: args.board.clone(),
        policy: args.policy.clone(),
        scene: Vec::new(),
        kills: None,
        models: args.models.clone(),
    };
    // Keys, policy and configuration of a demonstration; none of its processes is started.
    drop(Household::furnish(&demo, Arc::clone(&clock))?);
    let out = std::fs::canonicalize(&args.out)?;
    std::fs::create_dir_all(out.join("outcomes"))?;
    std::fs::create_dir_all(out.join("samples"))?;
    let modes = match args.mode {
        Some(mode) => vec![mode],
        None => vec![LoopMode::On, LoopMode::Off],
    };
    let mut jobs = VecDeque::new();
    for case in 0..matrix.cases.len() {
        for person in &matrix.people {
            jobs.extend(modes.iter().map(|mode| (case, person.clone(), *mode)));
        }
    }
    let n_jobs = jobs.len();
    println!(
        "{n_jobs} sessions: {} cases, {} people, {} at a time",
        matrix.cases.len(),
        matrix.people.len(),
        args.jobs
    );
    let began = clock.now();
    let jobs = Mutex::new(jobs);
    let cells = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..args.jobs)
            .map(|_| scope.spawn(|| work(args, &out, &matrix, &jobs, &cells, stop)))
            .collect();
        for worker in workers {
            worker
                .join()
                .map_err(|_| anyhow::anyhow!("a session panicked"))??;
        }
        anyhow::Ok(())
    })?;
    let mut cells = cells.into_inner().unwrap_or_else(PoisonError::into_inner);
    anyhow::ensure!(
        cells.len() == n_jobs,
        "stopped: {} of {n_jobs} played",
        cells.len()
    );
    cells.sort_by_key(|c: &Cell| (c.case, c.person.clone(), c.mode == LoopMode::Off));
    let played_s: f64 = cells
        .iter()
        .filter_map(|c| c.played.screens.last())
        .map(|(at, _)| at.as_secs_f64())
        .sum();
    table::print(&matrix, &cells);
    let page = out.join("matrix.html");
    std::fs::write(&page, page::write(&matrix, &cells)?)
        .with_context(|| page.display().to_string())?;
    println!(
        "{played_s:.0} s of sessions in {:.0} s; report: {}",
        clock.now().since(began).as_secs_f64(),
        page.display()
    );
    judge(&matrix, &cells, &modes)
}

fn work(
    args: &MatrixArgs,
    out: &Path,
    matrix: &Matrix,
    jobs: &Mutex<VecDeque<(usize, String, LoopMode)>>,
    cells: &Mutex<Vec<Cell>>,
    stop: &Stop,
) -> anyhow::Result<()> {
    let config = ServiceConfig::read(&out.join("booth.toml"))?;
    let board = Board::read(&config.board)?;
    let Fittings { vision, house } = Fittings::read(&config, &board)?;
    let wallet_keys = TrustedKeys::read(&config.trust.wallet_keys)?;
    let wallet = SoftwareKey::read(&KeyFolder::new(&out.join("keys")).private("wallet-sign"))?;
    let mut booth = Booth::new(vision, house, board, config.booth_id, wallet_keys);
    while !stop.is_set() {
        let next = jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        let Some((case, person, mode)) = next else {
            break;
        };
        let ticket = ticket_of(&cases::scene_file(&args.scenes, &person), &wallet)?;
        let scene = matrix.cases[case].of(&args.scenes, &person)?;
        let played = booth
            .play(scene, Some(&ticket), WALL, mode)
            .with_context(|| format!("{} {person}", matrix.cases[case].name))?;
        if let Some(outcome) = &played.outcome {
            let name = format!(
                "{}-{person}-{}.json",
                matrix.cases[case].name,
                mode_name(mode)
            );
            let file = out.join("outcomes").join(name);
            std::fs::write(&file, serde_json::to_vec_pretty(outcome)?)
                .with_context(|| file.display().to_string())?;
        }
        let name = format!(
            "{}-{person}-{}.csv",
            matrix.cases[case].name,
            mode_name(mode)
        );
        let file = out.join("samples").join(name);
        std::fs::write(&file, samples_csv(&played)).with_context(|| file.display().to_string())?;
        let cell = Cell {
            case,
            person,
            mode,
            played,
        };
        println!(
            "  {:<18} {:<10} loop {:<3} {} {}",
            matrix.cases[case].name,
            cell.person,
            mode_name(mode),
            cell.result(),
            cell.reason()
        );
        cells
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(cell);
    }
    Ok(())
}

/// What each look gave, one line a look, to be plotted by whoever wants more than the page shows.
fn samples_csv(played: &Played) -> String {
    let mut csv = "s,task,found,mean,left_half,right_half,exposure_us,gain,ring_left,ring_right,settled,at_limit,used\n".to_owned();
    for s in &played.samples {
        let (left, right) = s.halves.unwrap_or((f32::NAN, f32::NAN));
        csv += &format!(
            "{:.3},{:?},{},{:.3},{left:.3},{right:.3},{:.0},{:.2},{:.3},{:.3},{:?},{},{}\n",
            s.at.as_secs_f64(),
            s.task,
            s.found,
            s.mean,
            s.controls.exposure_us,
            s.controls.gain,
            s.levels.left.white,
            s.levels.right.white,
            s.settled,
            s.at_limit,
            s.used,
        );
    }
    csv
}

/// The ticket of a person's scene, as the wallet would issue it at [`WALL`]. The same every time.
fn ticket_of(scene: &Path, wallet: &SoftwareKey) -> anyhow::Result<String> {
    let request = plan::ticket_of(scene)?;
    let session = SessionId::from_parts(WALL.unix_ms(), [7; 10]);
    let mut claims = TicketClaims {
        version: 1,
        ticket_id: session.to_string(),
        session,
        tenant: "utopia-wallet".to_owned(),
        policy: "utopia-standard".to_owned(),
        purpose: request.purpose,
        language: request.language,
        documents: request.documents,
        salt: Bytes([1; 16]),
        fields: Default::default(),
        issued_s: WALL.unix_s(),
        expires_s: WALL.unix_s() + i64::from(request.ttl_s),
        nonce: Bytes([2; 16]),
        booth: None,
        extended_time: false,
        reference: None,
    };
    for (field, value) in &request.fields {
        claims.claim(*field, value);
    }
    Ok(ticket::issue(&claims, wallet)?)
}

const fn mode_name(mode: LoopMode) -> &'static str {
    match mode {
        LoopMode::On => "on",
        LoopMode::Off => "off",
    }
}

/// Sessions of a case and mode.
fn of(cells: &[Cell], case: usize, mode: LoopMode) -> Vec<&Cell> {
    let wanted = cells.iter().filter(|c| c.case == case && c.mode == mode);
    wanted.collect()
}

/// How many of `cells` came out as `verdict`.
fn count(cells: &[&Cell], case: &Case, verdict: Verdict) -> usize {
    cells.iter().filter(|c| c.verdict(case) == verdict).count()
}

/// Whether the goals are held, with the loop closed.
fn judge(matrix: &Matrix, cells: &[Cell], modes: &[LoopMode]) -> anyhow::Result<()> {
    for mode in modes {
        let share = success(matrix, cells, *mode);
        println!(
            "loop {}: {} of {} scenes that the booth or the person can mend are verified at the first attempt ({:.1} %)",
            mode_name(*mode),
            share.0,
            share.1,
            100.0 * share.0 as f64 / share.1.max(1) as f64
        );
    }
    if !modes.contains(&LoopMode::On) {
        return Ok(());
    }
    let most = cells
        .iter()
        .map(|c| flashes::most_in_a_second(&c.played.light));
    println!(
        "flashes of the ring in the worst second of all traces: {}",
        most.max().unwrap_or(0)
    );
    let (n_first, n) = success(matrix, cells, LoopMode::On);
    let wrong: Vec<String> = cells
        .iter()
        .filter(|c| c.mode == LoopMode::On)
        .filter(|c| {
            let case = &matrix.cases[c.case];
            // All people of the matrix are bona fide: one who is verified where nobody was expected to be has not been wronged.
            case.mended_by == MendedBy::Neither && c.verdict(case) == Verdict::Wrong
        })
        .map(|c| {
            format!(
                "{} {}: {} {}",
                matrix.cases[c.case].name,
                c.person,
                c.result(),
                c.reason()
            )
        })
        .collect();
    let flashing: Vec<String> = cells
        .iter()
        .filter(|c| flashes::most_in_a_second(&c.played.light) > MOST_FLASHES)
        .map(|c| format!("{} {}", matrix.cases[c.case].name, c.person))
        .collect();
    anyhow::ensure!(
        flashing.is_empty(),
        "more than {MOST_FLASHES} flashes in a second: {}",
        flashing.join(", ")
    );
    anyhow::ensure!(
        n_first as f64 >= LEAST_SUCCESS * n as f64,
        "verified at the first attempt: {n_first} of {n}, goal: {LEAST_SUCCESS}"
    );
    anyhow::ensure!(
        wrong.is_empty(),
        "ended otherwise than the case says: {}",
        wrong.join("; ")
    );
    Ok(())
}

/// First-attempt successes among the scenes that can be mended.
fn success(matrix: &Matrix, cells: &[Cell], mode: LoopMode) -> (usize, usize) {
    let mendable: Vec<&Cell> = cells
        .iter()
        .filter(|c| c.mode == mode && matrix.cases[c.case].mended_by != MendedBy::Neither)
        .collect();
    let first = mendable
        .iter()
        .filter(|c| c.verdict(&matrix.cases[c.case]) == Verdict::First)
        .count();
    (first, mendable.len())
}
