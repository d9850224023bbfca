//! The three processes of a demonstration: keys, configuration, start, stop, and what is seen of them from outside.

use super::DemoArgs;
use crate::app::booth;
use crate::base::time::SharedClock;
use crate::config::policy::sign_policy;
use crate::trust::keys::SoftwareKey;
use crate::trust::pki::{KeyFolder, make_keys};
use crate::trust::tls::TlsFiles;
use crate::wallet::client::OperatorClient;
use anyhow::Context;
use rustix::process::{Pid, Signal};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A process of the demonstration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Member {
    /// `boothd wallet`.
    Wallet,
    /// `boothd uplink`.
    Uplink,
    /// `boothd run`.
    Booth,
}

impl Member {
    pub(super) const ALL: [Self; 3] = [Self::Wallet, Self::Uplink, Self::Booth];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Wallet => "wallet",
            Self::Uplink => "uplink",
            Self::Booth => "booth",
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Booth => "run",
            other => other.name(),
        }
    }
}

/// The processes with their files.
#[derive(Debug)]
pub(super) struct Household {
    out: PathBuf,
    children: BTreeMap<Member, Child>,
    client: OperatorClient,
    clock: SharedClock,
}

/// The file by which a folder is known for one of a demonstration.
const MARK: &str = "boothd-demo.txt";
/// How long a process has to end before it is killed.
const END: Duration = Duration::from_secs(8);
/// How long the three have to be ready.
const READY: Duration = Duration::from_secs(30);

impl Household {
    /// Makes the folder, the keys, the signed policy and the configuration files.
    pub(super) fn furnish(args: &DemoArgs, clock: SharedClock) -> anyhow::Result<Self> {
        if args.out.exists() {
            anyhow::ensure!(
                args.out.is_dir(),
                "{}: is no folder; mend: name an empty or a new folder with --out",
                args.out.display()
            );
            // Only what looks like an earlier demonstration is emptied.
            let known = args.out.join(MARK).exists() || fs::read_dir(&args.out)?.next().is_none();
            anyhow::ensure!(
                known,
                "{}: holds files that are not of a demonstration; mend: name an empty or a new folder with --out",
                args.out.display()
            );
            fs::remove_dir_all(&args.out)?;
        }
        for folder in [
            "keys", "logs", "booth", "uplink", "wallet", "record", "socket",
        ] {
            fs::create_dir_all(args.out.join(folder))
                .with_context(|| args.out.display().to_string())?;
        }
        let out = fs::canonicalize(&args.out)?;
        // First of all, so that one that could not be furnished is known again.
        fs::write(
            out.join(MARK),
            "Made by `boothd demo`, which may empty this folder.\n",
        )?;
        make_keys(&out.join("keys"), clock.wall())?;
        let keys = KeyFolder::new(&out.join("keys"));
        let bundle = sign_policy(
            &args.policy,
            &SoftwareKey::read(&keys.private("policy-sign"))?,
        )?;
        fs::write(out.join("policy.jws"), bundle)?;
        // A port that is free now; the wallet binds it in a moment.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let url = format!("https://127.0.0.1:{port}");
        Self::write_configs(args, &out, &keys, &url, port)?;
        let client = OperatorClient::new(&url, &keys.tls("operator"), clock.clone())?;
        Ok(Self {
            out,
            children: BTreeMap::new(),
            client,
            clock,
        })
    }

    fn write_configs(
        args: &DemoArgs,
        out: &Path,
        keys: &KeyFolder,
        url: &str,
        port: u16,
    ) -> anyhow::Result<()> {
        let absolute = |p: &Path| fs::canonicalize(p).with_context(|| p.display().to_string());
        let runtime = absolute(&args.models.runtime_path())
            .context("the TFLite runtime; mend: `make setup`")?;
        let models = absolute(&args.models.models)
            .context("the models; mend: name their folder with --models")?;
        let tls = |files: TlsFiles| {
            format!(
                "ca = {:?}\ncertificate = {:?}\nkey = {:?}\n",
                files.ca, files.certificate, files.key
            )
        };
        let board = booth::virtual_board_for_demo(&args.board, out)?;
        fs::write(out.join("board.toml"), board)?;
        fs::write(
            out.join("booth.toml"),
            format!(
                "booth_id = \"BOOTH-DEMO\"\nlanguage = \"zh-CN\"\nboard = \"board.toml\"\ntrace = \"trace.jsonl\"\n\n\
                 [trust]\nsigning_key = {:?}\nwallet_keys = [{:?}]\npolicy_keys = [{:?}]\npolicy = \"policy.jws\"\n\n\
                 [models]\ndir = {models:?}\nruntime = {runtime:?}\nface_calibration = {:?}\npad_calibration = {:?}\n\n\
                 [outbox]\nstate_dir = \"booth\"\n\n[uplink]\nsocket = \"socket/uplink.sock\"\n",
                keys.private("booth-sign"),
                keys.public("wallet-sign"),
                keys.public("policy-sign"),
                models.join("calibration/face_comparison.toml"),
                models.join("calibration/face_pad.toml"),
            ),
        )?;
        fs::write(
            out.join("uplink.toml"),
            format!(
                "url = {url:?}\nsocket = {:?}\nprobe_every_s = 2\nstate_dir = {:?}\n\n[tls]\n{}\n\
                 [backoff]\nmin_ms = 200\nmax_ms = 2000\n",
                out.join("socket/uplink.sock"),
                out.join("uplink"),
                tls(keys.tls("uplink")),
            ),
        )?;
        fs::write(
            out.join("wallet.toml"),
            format!(
                "listen = \"127.0.0.1:{port}\"\nstate_dir = {:?}\nsigning_key = {:?}\ntenant = \"utopia-wallet\"\n\
                 policy = \"utopia-standard\"\n\n[tls]\n{}\n[[booths]]\nid = \"BOOTH-DEMO\"\nkey = {:?}\n",
                out.join("wallet"),
                keys.private("wallet-sign"),
                tls(keys.tls("wallet")),
                keys.public("booth-sign"),
            ),
        )?;
        Ok(())
    }

    /// The wallet, seen by its operator.
    pub(super) fn wallet(&self) -> &OperatorClient {
        &self.client
    }

    /// The file that a member's messages go to; it is appended to.
    pub(super) fn log(&self, member: Member) -> PathBuf {
        self.out.join("logs").join(format!("{}.log", member.name()))
    }

    /// Starts a member.
    pub(super) fn start(&mut self, member: Member) -> anyhow::Result<()> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log(member))?;
        let child = Command::new(std::env::current_exe()?)
            .arg(member.verb())
            .arg("--config")
            .arg(self.out.join(format!("{}.toml", member.name())))
            // As in the units: large buffers go back to the system when they are freed.
            .env("MALLOC_MMAP_THRESHOLD_", "131072")
            .env("MALLOC_ARENA_MAX", "2")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| member.name())?;
        self.children.insert(member, child);
        Ok(())
    }

    /// Asks a member to end, and kills it if it does not.
    pub(super) fn stop(&mut self, member: Member) {
        let Some(mut child) = self.children.remove(&member) else {
            return;
        };
        if let Some(pid) = Pid::from_raw(i32::try_from(child.id()).unwrap_or(0)) {
            let _ = rustix::process::kill_process(pid, Signal::TERM);
        }
        let asked = self.clock.now();
        while self.clock.now().since(asked) < END {
            if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        eprintln!(
            "demo: `{}` did not end in time and is killed",
            member.name()
        );
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Kills a member at once, as a power cut of one process would.
    pub(super) fn kill(&mut self, member: Member) {
        if let Some(mut child) = self.children.remove(&member) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Ends all: the booth first, then what it hands its outcomes to.
    pub(super) fn stop_all(&mut self) {
        for member in Member::ALL.into_iter().rev() {
            self.stop(member);
        }
    }

    /// Members that have ended by themselves, taken out.
    pub(super) fn fallen(&mut self) -> Vec<Member> {
        let ended = |c: &mut Child| matches!(c.try_wait(), Ok(Some(_)));
        let fallen: Vec<Member> = self
            .children
            .iter_mut()
            .filter_map(|(m, c)| ended(c).then_some(*m))
            .collect();
        for member in &fallen {
            self.children.remove(member);
        }
        fallen
    }

    /// Waits until the wallet answers, the booth's stage takes scenes and the booth is ready.
    pub(super) fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let began = self.clock.now();
        loop {
            if let Some(member) = self.fallen().first() {
                anyhow::bail!("`{}` has ended:\n{}", member.name(), self.tail(*member));
            }
            let booth = fs::read_to_string(self.log(Member::Booth)).unwrap_or_default();
            if self.client.health().is_ok() && booth.contains(" ready ") {
                return Ok(());
            }
            if self.clock.now().since(began) > READY {
                anyhow::bail!(
                    "not ready after {} s; the booth says:\n{}",
                    READY.as_secs(),
                    self.tail(Member::Booth)
                );
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn tail(&self, member: Member) -> String {
        let text = fs::read_to_string(self.log(member)).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }

    /// Socket of the virtual booth's stage.
    pub(super) fn stage_socket(&self) -> PathBuf {
        self.out.join("socket/stage.sock")
    }

    /// Plays a scene to its end; gives the screens that the person has seen.
    pub(super) fn play(&self, scene: &Path, ticket: Option<&str>) -> anyhow::Result<Vec<String>> {
        play(&self.stage_socket(), scene, ticket)
    }

    /// What the report says of the processes.
    pub(super) fn facts(&self) -> anyhow::Result<Vec<(String, String)>> {
        let mut facts = Vec::new();
        let log = fs::read_to_string(self.log(Member::Booth))?;
        let ready = log
            .lines()
            .find_map(|l| l.split_once(" ready ms="))
            .map(|(_, ms)| ms.trim().to_owned());
        facts.push((
            "booth: start to ready".to_owned(),
            ready.map_or("not seen".to_owned(), |ms| format!("{ms} ms")),
        ));
        for (member, child) in &self.children {
            let status =
                fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
            let peak = status
                .lines()
                .find_map(|l| l.strip_prefix("VmHWM:"))
                .map(str::trim)
                .unwrap_or("unknown");
            facts.push((
                format!("{}: peak resident memory", member.name()),
                peak.to_owned(),
            ));
        }
        Ok(facts)
    }
}

impl Drop for Household {
    fn drop(&mut self) {
        self.stop_all();
    }
}

/// Plays a scene on the stage behind `socket` to its end; gives the screens that the person has seen.
pub(super) fn play(
    socket: &Path,
    scene: &Path,
    ticket: Option<&str>,
) -> anyhow::Result<Vec<String>> {
    // The stage sees that the one before has gone only at its next turn.
    for _ in 0..50 {
        if let Some(shown) = direct(socket, scene, ticket)? {
            return Ok(shown);
        }
        std::thread::sleep(Duration::from_millis(40));
    }
    anyhow::bail!("the stage is directed by somebody else")
}

/// `None`: somebody else is directing.
fn direct(
    socket: &Path,
    scene: &Path,
    ticket: Option<&str>,
) -> anyhow::Result<Option<Vec<String>>> {
    let mut stage = UnixStream::connect(socket).with_context(|| socket.display().to_string())?;
    stage.set_read_timeout(Some(Duration::from_secs(240)))?;
    let line = serde_json::json!({"play": scene, "ticket": ticket});
    writeln!(stage, "{line}")?;
    for answer in BufReader::new(stage).lines() {
        let answer: serde_json::Value = serde_json::from_str(&answer?)?;
        match answer["error"].as_str() {
            Some(error) if error.contains("somebody else is directing") => return Ok(None),
            Some(error) => anyhow::bail!("the stage does not play {}: {error}", scene.display()),
            None if answer.get("done").is_some() => {
                let shown = answer["shown"].as_array().cloned().unwrap_or_default();
                return Ok(Some(
                    shown
                        .iter()
                        .filter_map(|s| s.as_str().map(str::to_owned))
                        .collect(),
                ));
            }
            None => {}
        }
    }
    anyhow::bail!("the stage is gone before the end of {}", scene.display())
}
