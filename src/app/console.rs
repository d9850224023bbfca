//! `boothd console`: the technician's console on its line. A process of its own: it has the line, the socket to the booth, the key of
//! the codes, the lock and the audit log, and nothing else. One thread that waits for line and socket together; neither can hold up the
//! other, and neither the booth: its answers wait in its own socket when the terminal does not read.

mod terminal;

use crate::base::ids::BoothId;
use crate::base::time::{Moment, SharedClock};
use crate::config;
use crate::hal::pi::serial::Carrier;
use crate::runtime::crew::Stop;
use crate::technician::audit::{self, Audit};
use crate::technician::console::{Console, Keeper, Wish};
use crate::technician::control::{ControlClient, ControlError, Heard};
use crate::technician::lockout::{self, Lockout};
use crate::technician::report::Code;
use crate::technician::store::FileStore;
use crate::trust::codes::CodeKey;
use anyhow::Context;
use clap::Args;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Deserialize;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;
use terminal::{Got, Terminal};

/// After a BREAK the line is not read for so long: a storm of them, as of a loose plug, is taken in gulps, and costs the machine next to nothing.
const BREAK_REST: Duration = Duration::from_millis(50);
/// How often it is looked what time it is.
const TURN: Duration = Duration::from_millis(200);
/// A line that cannot be opened is tried again so often.
const REOPEN: Duration = Duration::from_secs(2);
/// A booth that cannot be reached is tried again so often, for what the console has to tell of itself.
const RECONNECT: Duration = Duration::from_secs(10);
/// What nobody has read for so long is thrown away.
const UNREAD: Duration = Duration::from_secs(30);

/// Arguments of `boothd console`.
#[derive(Debug, Args)]
pub struct ConsoleArgs {
    /// console.toml
    #[arg(long)]
    config: PathBuf,
    /// The line, instead of the one in the file; `-` is standard input and output, as a terminal or for scripts.
    #[arg(long)]
    tty: Option<String>,
}

/// `console.toml`. Relative paths count from the file's own folder.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsoleConfig {
    /// The booth's name, as in boothd.toml: the codes are made for it.
    booth_id: BoothId,
    /// The line, as `/dev/serial0`; `-`: standard input and output.
    tty: String,
    /// Whether the cable has DCD, and pulling it ends the login.
    #[serde(default)]
    carrier: bool,
    /// The control socket of `boothd run`.
    control: PathBuf,
    /// Folder of the lock and the audit log; nobody else's.
    state_dir: PathBuf,
    /// The key of this booth's codes, made by `boothd dispatch device-key`.
    code_key: PathBuf,
}

impl ConsoleConfig {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let mut config: Self = config::load(path)?;
        let base = path.parent().unwrap_or(Path::new(""));
        for file in [
            &mut config.control,
            &mut config.state_dir,
            &mut config.code_key,
        ] {
            *file = base.join(&*file);
        }
        Ok(config)
    }
}

/// Runs the console until it is asked to stop, or standard input ends. Gives the exit code: for a script the number of its last
/// command's result.
///
/// # Errors
/// What keeps it from starting.
pub fn run(args: &ConsoleArgs, clock: &SharedClock, stop: &Stop) -> anyhow::Result<u8> {
    let config = ConsoleConfig::read(&args.config)?;
    let (keeper, _lock) = keeper(&config, clock)?;
    let tty = args.tty.as_deref().unwrap_or(&config.tty);
    let mut process = Process {
        console: Console::new(keeper, clock.clone()),
        control: config.control.clone(),
        client: None,
        refused_at: None,
        clock: clock.clone(),
    };
    if tty == "-" {
        let mut terminal = Terminal::standard()?;
        if terminal.is_script() {
            process.console.batch();
        }
        process.serve(&mut terminal, stop);
        process.console.line_lost("standard input has ended");
        return Ok(u8::try_from(process.console.last().number()).unwrap_or(u8::MAX));
    }
    let carrier = if config.carrier {
        Carrier::Watched
    } else {
        Carrier::Ignored
    };
    let mut told = None;
    let mut first = true;
    while !stop.is_set() {
        match Terminal::serial(tty, carrier) {
            Ok(mut terminal) => {
                told = None;
                if !std::mem::take(&mut first) {
                    process.console.line_found();
                }
                tracing::info!(tty, "the line is open");
                process.serve(&mut terminal, stop);
                process.console.line_lost("the line was hung up");
            }
            Err(fault) => {
                // Once for each cause: it is tried every two seconds.
                if told.as_ref() != Some(&fault) {
                    tracing::warn!(%fault, code = fault.code(), "the line cannot be opened; it is tried again");
                    told = Some(fault);
                }
            }
        }
        process.wait_without_line(stop);
    }
    process.console.line_lost("the console was stopped");
    Ok(0)
}

/// Opens what outlives the process. The file keeps a second console out while it is open.
fn keeper(
    config: &ConsoleConfig,
    clock: &SharedClock,
) -> anyhow::Result<(Keeper<FileStore>, File)> {
    let folder = &config.state_dir;
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let only =
        File::create(folder.join("only-one")).with_context(|| folder.display().to_string())?;
    rustix::fs::flock(&only, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(
        |_| {
            anyhow::anyhow!(
                "{}: another console has it; mend: stop that one",
                folder.display()
            )
        },
    )?;
    let store = |name: &str, size| {
        let path = folder.join(name);
        FileStore::open(&path, size).with_context(|| path.display().to_string())
    };
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let now = clock.now();
    let lock = Lockout::open(store("lock", lockout::SIZE)?, boot.trim(), now)
        .with_context(|| format!("{}: the lock", folder.display()))?;
    if lock.was_damaged() {
        tracing::error!("the lock was damaged: no code is taken for an hour");
    }
    let files = [
        store("audit-a", audit::SIZE)?,
        store("audit-b", audit::SIZE)?,
    ];
    let audit = Audit::open(files, audit::SIZE, clock.wall(), now)
        .with_context(|| format!("{}: the audit log", folder.display()))?;
    let key = CodeKey::read(&config.code_key)?;
    let keeper = Keeper::new(config.booth_id.clone(), key, lock, audit, clock.clone());
    Ok((keeper, only))
}

struct Process {
    console: Console<FileStore>,
    control: PathBuf,
    client: Option<ControlClient>,
    /// When the booth could not be reached.
    refused_at: Option<Moment>,
    clock: SharedClock,
}

impl Process {
    /// Serves a terminal until it is gone.
    fn serve(&mut self, terminal: &mut Terminal, stop: &Stop) {
        let mut written_at = self.clock.now();
        let mut ended = false;
        // After a BREAK: until when the line is not read.
        let mut rests_until = Moment::ZERO;
        while !stop.is_set() {
            self.grant();
            let wants_out = !self.console.output().is_empty();
            if !wants_out {
                written_at = self.clock.now();
                let left = terminal.is_standard() && self.console.is_left();
                if left || ended && self.console.is_idle() {
                    return;
                }
            }
            let rest = rests_until.since(self.clock.now());
            let reads = !ended && rest.is_zero();
            let longest = if rest.is_zero() { TURN } else { rest };
            let (from_terminal, from_booth) =
                self.wait(Some((&*terminal, reads, wants_out)), longest);
            if from_terminal.intersects(PollFlags::OUT | PollFlags::HUP | PollFlags::ERR)
                && wants_out
            {
                match terminal.write(self.console.output()) {
                    Ok(0) => {}
                    Ok(n) => {
                        written_at = self.clock.now();
                        self.console.taken(n);
                    }
                    Err(fault) => return tracing::info!(%fault, "the line is gone"),
                }
            }
            if from_terminal.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) && reads {
                match terminal.read() {
                    Ok(Got::Bytes(bytes)) => self.console.received(&bytes),
                    Ok(Got::Break(bytes)) => {
                        rests_until = self.clock.now().plus(BREAK_REST);
                        if self.console.line_lost("BREAK") {
                            self.console.line_found();
                        }
                        self.console.received(&bytes);
                    }
                    Ok(Got::End) => ended = true,
                    Err(fault) => return tracing::info!(%fault, "the line is gone"),
                }
            }
            if from_booth {
                self.hear();
            }
            if self.clock.now().since(written_at) > UNREAD {
                let bytes = self.console.unread();
                tracing::info!(
                    bytes,
                    "nobody reads the line: what waited for it is thrown away"
                );
                written_at = self.clock.now();
            }
            self.console.tick();
        }
    }

    /// Keeps the connection to the booth while there is no line.
    fn wait_without_line(&mut self, stop: &Stop) {
        let since = self.clock.now();
        while !stop.is_set() && self.clock.now().since(since) < REOPEN {
            self.grant();
            if self.wait(None, TURN).1 {
                self.hear();
            }
            self.console.tick();
            self.console.unread();
        }
    }

    /// Waits for the terminal (whether it is read, whether something is to be written) and the booth, so long at most; what the terminal is ready
    /// for, and whether the booth has something.
    fn wait(
        &self,
        terminal: Option<(&Terminal, bool, bool)>,
        longest: Duration,
    ) -> (PollFlags, bool) {
        let listens = self.client.as_ref().filter(|_| !self.console.is_behind());
        let has_line = listens.is_some_and(ControlClient::has_line);
        let turn = Timespec {
            tv_sec: 0,
            tv_nsec: if has_line {
                0
            } else {
                i64::try_from(longest.as_nanos()).unwrap_or(0)
            },
        };
        let mut fds = Vec::new();
        if let Some((terminal, reads, wants_out)) = terminal {
            if reads {
                fds.push(PollFd::from_borrowed_fd(terminal.input(), PollFlags::IN));
            }
            if wants_out {
                fds.push(PollFd::from_borrowed_fd(terminal.output(), PollFlags::OUT));
            }
        }
        let of_terminal = fds.len();
        if let Some(client) = listens {
            fds.push(PollFd::new(client, PollFlags::IN));
        }
        if poll(&mut fds, Some(&turn)).is_err() {
            return (PollFlags::empty(), false);
        }
        let mut flags = PollFlags::empty();
        for fd in &fds[..of_terminal] {
            flags |= fd.revents();
        }
        let booth = has_line || fds[of_terminal..].iter().any(|fd| !fd.revents().is_empty());
        (flags, booth)
    }

    /// Takes what the booth has said.
    fn hear(&mut self) {
        while let Some(client) = &mut self.client {
            match client.hear(Duration::ZERO) {
                Ok(Heard::Tell(tell)) => self.console.told(*tell),
                Ok(Heard::Nothing) => return,
                Err(error) => self.lost(&error),
            }
            if self.console.is_behind()
                || !self.client.as_ref().is_some_and(ControlClient::has_line)
            {
                return;
            }
        }
    }

    fn lost(&mut self, error: &ControlError) {
        self.client = None;
        self.console.booth_lost(&error.to_string(), Code::BoothDown);
    }

    /// Does what the console wishes of the booth.
    fn grant(&mut self) {
        while let Some(wish) = self.console.wish() {
            let done = match wish {
                Wish::HangUp => {
                    self.client = None;
                    Ok(())
                }
                // What is noted is noted again when there is a connection.
                Wish::Note(note) => match &mut self.client {
                    Some(client) => client.note(note),
                    None => Ok(()),
                },
                Wish::Run(request) => self.connected().and_then(|client| client.run(request)),
                Wish::Stop(id) => match &mut self.client {
                    Some(client) => client.stop(id),
                    None => Ok(()),
                },
                Wish::Choose(id, choice) => match &mut self.client {
                    Some(client) => client.choose(id, choice),
                    None => Ok(()),
                },
            };
            if let Err(error) = done {
                self.lost(&error);
            }
        }
        let now = self.clock.now();
        if self.client.is_none() && self.refused_at.is_none_or(|at| now.since(at) > RECONNECT) {
            match self.connected() {
                Ok(_) => self.console.booth_found(),
                Err(error) => tracing::debug!(%error, "the booth cannot be reached"),
            }
        }
    }

    fn connected(&mut self) -> Result<&mut ControlClient, ControlError> {
        if self.client.is_none() {
            match ControlClient::connect(&self.control) {
                Ok(client) => self.client = Some(client),
                Err(error) => {
                    self.refused_at = Some(self.clock.now());
                    return Err(error);
                }
            }
        }
        self.client.as_mut().ok_or_else(|| ControlError::Broken {
            reason: "not connected".to_owned(),
        })
    }
}
