//! What needs a process of its own: time to load, memory of the models, time until `boothd run` is ready.

use super::frames::Frames;
use super::machine::memory_mib;
use anyhow::{Context as _, bail};
use boothd::app::replay::ModelArgs;
use boothd::base::frame::{FrameMeta, FrameView, PixelFormat};
use boothd::base::time::{Clock as _, SystemClock};
use boothd::config::policy::sign_policy;
use boothd::perception::document::limits::DocumentLimits;
use boothd::perception::observation::LitFrom;
use boothd::perception::vision::Vision;
use boothd::trust::keys::SoftwareKey;
use boothd::trust::pki::{KeyFolder, make_keys};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// The argument that makes the benchmark a process which loads the models and says what that took.
pub(crate) const LOAD: &str = "--load-only";
/// Frames of each kind that are looked at before the memory is read a second time.
const N_FRAMES: usize = 60;
/// So many processes are started for each figure.
const N_STARTS: usize = 5;

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The child's part: loads, looks at frames, and prints one line of numbers.
pub(crate) fn load_only(models: &ModelArgs, folder: &Path) -> anyhow::Result<()> {
    let before = memory_mib("self", "VmRSS");
    let start = Instant::now();
    let catalogue = models.catalogue()?;
    let opened = start.elapsed();
    let mut vision = Vision::load(&catalogue, DocumentLimits::default())?;
    let loaded = start.elapsed();
    let (rss, peak) = (memory_mib("self", "VmRSS"), memory_mib("self", "VmHWM"));
    let data = ["face", "document", "ticket"]
        .map(|name| std::fs::read(folder.join(format!("{name}.yuyv"))));
    let [face, document, ticket] = data;
    let (face, document, ticket) = (face?, document?, ticket?);
    let view = |data| {
        FrameView::new(
            data,
            1280,
            720,
            2560,
            PixelFormat::Yuyv,
            FrameMeta::default(),
        )
    };
    for _ in 0..N_FRAMES {
        if let Some(reading) = vision.document(view(&document)?, LitFrom::Both)?.reading {
            vision.use_portrait(&reading.number());
        }
        vision.face(view(&face)?)?;
        vision.code(view(&ticket)?);
    }
    let frames_mib = (face.len() + document.len() + ticket.len()) as f64 / 1024.0 / 1024.0;
    println!(
        "{before} {} {} {rss} {peak} {} {} {frames_mib}",
        opened.as_secs_f64() * 1000.0,
        loaded.as_secs_f64() * 1000.0,
        memory_mib("self", "VmRSS"),
        memory_mib("self", "VmHWM"),
    );
    Ok(())
}

/// Starts the child a few times and prints medians.
pub(crate) fn loading(frames: &Frames, folder: &Path) -> anyhow::Result<()> {
    for (name, frame) in [
        ("face", &frames.face),
        ("document", &frames.document),
        ("ticket", &frames.ticket),
    ] {
        std::fs::write(folder.join(format!("{name}.yuyv")), frame.data())?;
    }
    let mut columns: Vec<Vec<f64>> = Vec::new();
    for _ in 0..N_STARTS {
        let output = Command::new(std::env::current_exe()?)
            .arg(LOAD)
            .arg(folder)
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let numbers: Result<Vec<f64>, _> = text.split_whitespace().map(str::parse).collect();
        let numbers = numbers
            .ok()
            .filter(|n| output.status.success() && n.len() == 8);
        let Some(numbers) = numbers else {
            bail!(
                "loading in a process of its own failed: {text} {}",
                String::from_utf8_lossy(&output.stderr)
            );
        };
        columns.resize(numbers.len(), Vec::new());
        for (column, number) in columns.iter_mut().zip(numbers) {
            column.push(number);
        }
    }
    let m: Vec<f64> = columns.into_iter().map(median).collect();
    println!("\nloading, 1 thread, medians of {N_STARTS} processes");
    println!(
        "  {:<58} {:>8.1} ms",
        "Catalogue::open (runtime hashed and opened)", m[1]
    );
    println!(
        "  {:<58} {:>8.1} ms",
        "Catalogue::open + Vision::load (five models)", m[2]
    );
    println!("  resident memory of a process with perception alone, MiB");
    println!("  {:<58} {:>8.1}", "before", m[0]);
    println!(
        "  {:<58} {:>8.1}  peak {:.1}",
        "all models loaded", m[3], m[4]
    );
    println!(
        "  {:<58} {:>8.1}  peak {:.1}  ({:.1} of it are the frames)",
        format!("after {N_FRAMES} frames each of face, document, ticket"),
        m[5],
        m[6],
        m[7]
    );
    Ok(())
}

/// Starts `boothd run` on the virtual board a few times, until it says that it is ready.
pub(crate) fn ready(models: &ModelArgs, folder: &Path) -> anyhow::Result<()> {
    let config = furnish(models, folder)?;
    let (mut own, mut whole, mut rss) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..N_STARTS {
        let start = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_boothd"))
            .args(["run", "--config"])
            .arg(&config)
            .env_remove("BOOTHD_LOG")
            .env_remove("BOOTHD_LOG_FORMAT")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let stderr = child.stderr.take().context("the child's standard error")?;
        let mut said = String::new();
        let mut found = None;
        for line in BufReader::new(stderr).lines() {
            let line = line?;
            if let Some(ms) = line.split("ready ms=").nth(1) {
                found = ms.trim().parse::<f64>().ok();
                break;
            }
            said.push_str(&line);
            said.push('\n');
        }
        whole.push(start.elapsed().as_secs_f64() * 1000.0);
        rss.push(memory_mib(&child.id().to_string(), "VmRSS"));
        child.kill()?;
        child.wait()?;
        own.push(
            found.with_context(|| format!("`boothd run` ended before it was ready:\n{said}"))?,
        );
    }
    println!("\n`boothd run`, virtual board 1280x720, no uplink, {N_STARTS} starts");
    let most = |v: &[f64]| v.iter().copied().fold(f64::NAN, f64::max);
    println!(
        "  {:<58} {:>8.0} ms  longest {:.0}",
        "process start to `ready`",
        median(whole.clone()),
        most(&whole)
    );
    println!(
        "  {:<58} {:>8.0} ms  longest {:.0}",
        "`ready ms=` of its log",
        median(own.clone()),
        most(&own)
    );
    println!(
        "  {:<58} {:>8.1} MiB",
        "resident memory at `ready`",
        median(rss)
    );
    Ok(())
}

/// Keys, policy and configuration of a booth by itself.
fn furnish(models: &ModelArgs, folder: &Path) -> anyhow::Result<std::path::PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    make_keys(&folder.join("keys"), SystemClock.wall())?;
    let keys = KeyFolder::new(&folder.join("keys"));
    let policy = root.join("board/policies/utopia-standard.toml");
    let signer = SoftwareKey::read(&keys.private("policy-sign"))?;
    std::fs::write(folder.join("policy.jws"), sign_policy(&policy, &signer)?)?;
    let mut board: toml::Table =
        toml::from_str(&std::fs::read_to_string(root.join("board/virtual.toml"))?)?;
    if let Some(virt) = board.get_mut("virt").and_then(toml::Value::as_table_mut) {
        virt.remove("scene");
    }
    std::fs::write(folder.join("board.toml"), toml::to_string(&board)?)?;
    let runtime = std::path::absolute(models.runtime_path())?;
    let config = folder.join("boothd.toml");
    std::fs::write(
        &config,
        format!(
            "booth_id = \"BOOTH-BENCH\"\nboard = \"board.toml\"\n\n[trust]\nsigning_key = {:?}\nwallet_keys = [{:?}]\n\
             policy_keys = [{:?}]\npolicy = \"policy.jws\"\n\n[models]\ndir = {:?}\nruntime = {runtime:?}\n\
             face_calibration = {:?}\npad_calibration = {:?}\n\n[outbox]\nstate_dir = \"booth\"\n\n[uplink]\nsocket = \"uplink.sock\"\n",
            keys.private("booth-sign"),
            keys.public("wallet-sign"),
            keys.public("policy-sign"),
            models.models,
            models.models.join("calibration/face_comparison.toml"),
            models.models.join("calibration/face_pad.toml"),
        ),
    )?;
    Ok(config)
}
