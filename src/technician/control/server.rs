//! The side of `run`. One thread accepts, one more serves each of at most four connections; commands run in the latter. The sockets
//! are written with a time-out, so a console that does not read is dropped and delays nobody.

use super::{
    Answers, Ask, BLOCK, Booth, ControlConfig, Go, MAX_LINE, Occupation, PROTOCOL, Request, Tell,
    VERSION,
};
use crate::base::lines::{Line, Lines};
use crate::technician::command::{Command, When};
use crate::technician::report::{Body, Code, Report, Row, Section};
use base64::Engine as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The accepting thread's name; those of the connections have the same.
const THREAD: &str = "control";
const MAX_CONNECTIONS: usize = 4;
/// How often a waiting thread looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(200);
/// A peer that takes nothing for so long is dropped.
const WRITE_WITHIN: Duration = Duration::from_secs(5);
/// A question waits for so long.
const CHOOSE_WITHIN: Duration = Duration::from_secs(300);
/// Blocks of a bundle in one line.
const BLOCKS_A_LINE: usize = 64;
/// At most so many reads of what a refused peer still sends.
const REFUSED_READS: usize = 64;

/// The socket, served until dropped.
#[derive(Debug)]
pub struct ControlServer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    socket: PathBuf,
}

struct Server {
    booth: Arc<dyn Booth>,
    stop: Arc<AtomicBool>,
    connections: AtomicUsize,
    allowed_uids: Vec<u32>,
}

impl ControlServer {
    /// Makes the socket and serves it.
    ///
    /// # Errors
    /// What the system says about the socket.
    pub fn start(config: &ControlConfig, booth: Arc<dyn Booth>) -> std::io::Result<Self> {
        let listener = listen(&config.socket)?;
        let mut allowed_uids = config.allowed_uids.clone();
        allowed_uids.extend(config.allowed_users.iter().filter_map(|name| uid_of(name)));
        let server = Arc::new(Server {
            booth,
            stop: Arc::default(),
            connections: AtomicUsize::new(0),
            allowed_uids,
        });
        let stop = Arc::clone(&server.stop);
        let thread = std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || accept(&listener, &server))?;
        Ok(Self {
            stop,
            thread: Some(thread),
            socket: config.socket.clone(),
        })
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread; if nobody can connect it looks by itself a little later.
        let _ = UnixStream::connect(&self.socket);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so itself.
            let _ = thread.join();
        }
        // A socket that is left behind is removed at the next start.
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// The number of a user, by the machine's list.
fn uid_of(name: &str) -> Option<u32> {
    let list = crate::base::files::text_file(Path::new("/etc/passwd")).ok()?;
    list.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    })
}

fn listen(path: &Path) -> std::io::Result<UnixListener> {
    // Only a socket is removed: what else might be there is not ours.
    if std::fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_socket()) {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn accept(listener: &UnixListener, server: &Arc<Server>) {
    let look = Timespec {
        tv_sec: 0,
        tv_nsec: i64::try_from(LOOK.as_nanos()).unwrap_or(0),
    };
    while !server.stop.load(Ordering::SeqCst) {
        let mut fds = [PollFd::new(listener, PollFlags::IN)];
        if !matches!(poll(&mut fds, Some(&look)), Ok(1)) {
            continue;
        }
        let Ok((stream, _)) = listener.accept() else {
            continue;
        };
        if server.connections.load(Ordering::SeqCst) >= MAX_CONNECTIONS {
            // A non-blocking last word; whoever misses it sees the end.
            let _ = refuse(stream, "four connections are open already");
            continue;
        }
        server.connections.fetch_add(1, Ordering::SeqCst);
        let for_thread = Arc::clone(server);
        let spawned = std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || {
                if let Err(error) = serve(stream, &for_thread) {
                    tracing::debug!(%error, "control connection ended");
                }
                for_thread.connections.fetch_sub(1, Ordering::SeqCst);
            });
        if spawned.is_err() {
            server.connections.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

fn serve(stream: UnixStream, server: &Server) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(LOOK))?;
    stream.set_write_timeout(Some(WRITE_WITHIN))?;
    let uid = rustix::net::sockopt::socket_peercred(&stream)?.uid.as_raw();
    let own = rustix::process::geteuid().as_raw();
    if uid != own && !server.allowed_uids.contains(&uid) {
        tracing::warn!(uid, "a user that is not allowed tried the control socket");
        return refuse(
            stream,
            "this user is not in `control.allowed_users` or `control.allowed_uids`",
        );
    }
    let mut peer = Peer {
        lines: Lines::new(stream.try_clone()?, MAX_LINE),
        stream,
        server,
        id: 0,
        go: Go::On,
        choice: None,
    };
    let mut greeted = false;
    let mut maintains = false;
    let ended = loop {
        let line = peer.lines.next(|| server.stop.load(Ordering::SeqCst));
        let asked = match line {
            Ok(Line::Text(text)) => serde_json::from_slice::<Ask>(&text).ok(),
            Ok(Line::TooLong) => None,
            Ok(Line::End) => break Ok(()),
            Err(error) => break Err(error),
        };
        let done = match asked {
            Some(Ask::Hello { protocol, version })
                if protocol == PROTOCOL && version == VERSION =>
            {
                greeted = true;
                peer.tell(&Tell::Hello {
                    version: VERSION,
                    booth: server.booth.id().clone(),
                    software: env!("CARGO_PKG_VERSION").to_owned(),
                })
            }
            Some(Ask::Run(request)) if greeted => {
                let report = peer.run(&request, &mut maintains);
                peer.report(request.id, report)
            }
            Some(Ask::Note(note)) if greeted => {
                server.booth.note(&note);
                Ok(())
            }
            // Of a command that has ended meanwhile.
            Some(Ask::Stop { .. } | Ask::Choose { .. }) if greeted => Ok(()),
            _ => {
                break refuse(
                    peer.stream,
                    "not in the protocol boothd-control of version 1",
                );
            }
        };
        if let Err(error) = done {
            break Err(error);
        }
    };
    if maintains {
        server.booth.leave_maintenance();
    }
    ended
}

/// Sends a last word and reads away what the other side still sends: a socket that is closed with unread bytes in it is reset.
fn refuse(mut stream: UnixStream, text: &str) -> std::io::Result<()> {
    send(
        &mut stream,
        &Tell::Error {
            text: text.to_owned(),
        },
    )?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut rest = [0; 4096];
    for _ in 0..REFUSED_READS {
        if !matches!(stream.read(&mut rest), Ok(n) if n > 0) {
            break;
        }
    }
    Ok(())
}

fn send(stream: &mut UnixStream, tell: &Tell) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(tell)?;
    line.push(b'\n');
    stream.write_all(&line)
}

/// A connection, as the running command sees it.
struct Peer<'a> {
    stream: UnixStream,
    lines: Lines<UnixStream>,
    server: &'a Server,
    id: u64,
    go: Go,
    choice: Option<usize>,
}

impl Peer<'_> {
    fn run(&mut self, request: &Request, maintains: &mut bool) -> Report {
        if let Some(refusal) = refusal(request, self.server.booth.occupation(), *maintains) {
            return refusal;
        }
        (self.id, self.go, self.choice) = (request.id, Go::On, None);
        let booth = Arc::clone(&self.server.booth);
        let report = booth.run(request, self);
        match request.command {
            Command::MaintenanceEnter { .. } if report.code == Code::Ok => *maintains = true,
            Command::MaintenanceLeave if *maintains => {
                *maintains = false;
            }
            _ => {}
        }
        report
    }

    fn report(&mut self, id: u64, report: Report) -> std::io::Result<()> {
        let report = bounded(report);
        self.tell(&Tell::Report { id, report })
    }

    fn tell(&mut self, tell: &Tell) -> std::io::Result<()> {
        send(&mut self.stream, tell)
    }

    /// Tells, looks what came meanwhile, and says whether to go on.
    fn told(&mut self, tell: &Tell) -> Go {
        if self.tell(tell).is_err() {
            self.go = Go::Stop;
        }
        self.go()
    }

    /// Takes what has come, without waiting.
    fn look(&mut self) {
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        while self.go == Go::On {
            if !self.lines.is_waiting() {
                let mut fds = [PollFd::new(&self.stream, PollFlags::IN)];
                if !matches!(poll(&mut fds, Some(&now)), Ok(1)) {
                    return;
                }
            }
            match self.lines.next(|| true) {
                Ok(Line::Text(text)) => match serde_json::from_slice::<Ask>(&text) {
                    Ok(Ask::Stop { id }) if id == self.id => self.go = Go::Stop,
                    Ok(Ask::Choose { id, choice }) if id == self.id => self.choice = Some(choice),
                    Ok(Ask::Note(note)) => self.server.booth.note(&note),
                    Ok(_) => {}
                    Err(_) => self.go = Go::Stop,
                },
                // Half a line; the rest comes.
                Ok(Line::End) if self.is_open() => return,
                Ok(Line::End | Line::TooLong) | Err(_) => self.go = Go::Stop,
            }
        }
    }

    /// Whether the other side has not closed: an end and a time-out look alike to [`Lines`].
    fn is_open(&self) -> bool {
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let mut fds = [PollFd::new(&self.stream, PollFlags::IN | PollFlags::RDHUP)];
        poll(&mut fds, Some(&now)).is_ok()
            && !fds[0]
                .revents()
                .intersects(PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR)
    }
}

/// Why a command is not run, if so.
fn refusal(request: &Request, occupation: Occupation, maintains: bool) -> Option<Report> {
    let command = &request.command;
    if request.operator.role < command.role() {
        return Some(Report::refusal(
            Code::Role,
            format!(
                "role `{}` does not allow this, `{}` does",
                request.operator.role.word(),
                command.role().word()
            ),
            format!("logout, then `login {} WORK-ORDER`", command.role().word()),
        ));
    }
    if *command == Command::MaintenanceLeave && !maintains {
        return Some(Report::refusal(
            Code::Maintenance,
            "the booth is not in maintenance by this console",
            "",
        ));
    }
    if command.when() == When::Anytime {
        return None;
    }
    if occupation == Occupation::Session {
        return Some(Report::refusal(
            Code::Session,
            "a customer's session runs: only view commands are allowed",
            "wait for its end: `maintenance enter wait 300`",
        ));
    }
    (!maintains).then(|| {
        Report::refusal(
            Code::Maintenance,
            "the booth serves customers",
            "`maintenance enter` first; `maintenance leave` afterwards",
        )
    })
}

/// A report that fits into a line: the last sections go first, and it says so.
fn bounded(mut report: Report) -> Report {
    let fits =
        |report: &Report| serde_json::to_vec(report).is_ok_and(|text| text.len() < MAX_LINE - 256);
    let mut cut = false;
    while !fits(&report) && !report.sections.is_empty() {
        cut = true;
        let last = report.sections.len() - 1;
        let half = |n: usize| n / 2;
        let left = match &mut report.sections[last].body {
            Body::Rows(rows) => {
                rows.truncate(half(rows.len()));
                rows.len()
            }
            Body::Table { rows, .. } => {
                rows.truncate(half(rows.len()));
                rows.len()
            }
            Body::Lines(lines) => {
                lines.truncate(half(lines.len()));
                lines.len()
            }
        };
        if left == 0 {
            report.sections.pop();
        }
    }
    if !fits(&report) {
        return Report::refusal(Code::Failed, "the answer is too long to be shown", "");
    }
    if cut {
        report.sections.push(Section {
            title: String::new(),
            body: Body::Lines(vec!["(cut: more than 64 KiB)".to_owned()]),
        });
    }
    report
}

impl Answers for Peer<'_> {
    fn progress(&mut self, text: &str, done: u32, of: u32) -> Go {
        let text = text.chars().take(200).collect();
        self.told(&Tell::Progress {
            id: self.id,
            text,
            done,
            of,
        })
    }

    fn row(&mut self, row: &Row) -> Go {
        self.told(&Tell::Row {
            id: self.id,
            row: row.clone(),
        })
    }

    fn live(&mut self, sections: &[Section]) -> Go {
        self.told(&Tell::Live {
            id: self.id,
            sections: sections.to_vec(),
        })
    }

    fn choose(&mut self, question: &str, choices: &[&str]) -> Option<usize> {
        self.choice = None;
        let asked = self.told(&Tell::Question {
            id: self.id,
            question: question.to_owned(),
            choices: choices.iter().map(|c| (*c).to_owned()).collect(),
        });
        let until = Instant::now() + CHOOSE_WITHIN;
        let look = Timespec {
            tv_sec: 0,
            tv_nsec: i64::try_from(LOOK.as_nanos()).unwrap_or(0),
        };
        let mut go = asked;
        while go == Go::On && Instant::now() < until {
            if let Some(choice) = self.choice.take().filter(|c| *c < choices.len()) {
                return Some(choice);
            }
            let mut fds = [PollFd::new(&self.stream, PollFlags::IN)];
            // An error shows itself at the next look.
            let _ = poll(&mut fds, Some(&look));
            go = self.go();
        }
        None
    }

    fn bundle(&mut self, bytes: &[u8], from_block: u32) -> Go {
        let sha256 = crate::trust::hex(&crate::trust::sha256(bytes));
        let of = u32::try_from(bytes.len().div_ceil(BLOCK)).unwrap_or(u32::MAX);
        let from = usize::try_from(from_block).unwrap_or(usize::MAX);
        let rest = from.checked_mul(BLOCK).and_then(|at| bytes.get(at..));
        let mut first = from_block;
        for part in rest.unwrap_or(&[]).chunks(BLOCK * BLOCKS_A_LINE) {
            let blocks = Tell::Blocks {
                id: self.id,
                sha256: sha256.clone(),
                first,
                of,
                base64: base64::engine::general_purpose::STANDARD.encode(part),
            };
            if self.told(&blocks) == Go::Stop {
                return Go::Stop;
            }
            first = first.saturating_add(BLOCKS_A_LINE as u32);
        }
        self.go()
    }

    fn go(&mut self) -> Go {
        self.look();
        if self.server.stop.load(Ordering::SeqCst) {
            self.go = Go::Stop;
        }
        self.go
    }
}
