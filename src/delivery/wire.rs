//! Between `run`, which has the outcomes and no network, and `uplink`, which has the network and no outcomes.
//!
//! A unix socket (mode 0660; the peer's user is asked of the kernel), one JSON object a line, at most 512 KiB a line.
//! The client says hello with a version first; then each line is answered by one line.
//!
//! ```text
//! > {"hello":"boothd-outbox","version":1}        < {"reply":"hello","version":1}
//! > {"cmd":"pending","limit":50,"wait_ms":1000}  < {"reply":"pending","items":[{"sha256":..,"jws":..,"strikes":0}],"held":false}
//! > {"cmd":"ack","ack":"..."}                    < {"reply":"ack","report":{..}}
//! > {"cmd":"strike","sha256":"..."}              < {"reply":"done"}
//! > {"cmd":"net_status","status":{"state":..}}   < {"reply":"done"}
//! > {"cmd":"stats"}                              < {"reply":"stats","stats":{..}}
//! > {"cmd":"heartbeat","wallet_s":1795468444}    < {"reply":"heartbeat","status":"BOOTH-0001 faults=hw.mic.silent","hurries":0}
//! anything else                                  < {"reply":"error","code":"..","text":".."}
//! ```
//! While a session holds, `pending` is answered with nothing and `held`.

mod client;
#[cfg(test)]
mod tests;

pub use client::WireClient;

use super::outbox::{AckReport, OutboxError, OutboxStats, Pending};
use super::service::OutboxHandle;
use super::status::NetStatus;
use crate::base::lines::{Line, Lines};
use crate::base::time::{Moment, SharedClock};
use crate::trust::ack::{Digest, MAX_BATCH, MAX_REQUEST};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The accepting thread's name; those of the connections have the same.
pub const THREAD: &str = "outbox-wire";
const VERSION: u32 = 1;
const MAX_LINE: usize = 512 * 1024;
const MAX_CONNECTIONS: usize = 4;
const MAX_WAIT: Duration = Duration::from_secs(10);
/// How often it is looked whether a place is free.
const PLACE_LOOK: Duration = Duration::from_millis(5);
/// How often a waiting thread looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(200);
/// The client waits for so long on top of what it asks the server to wait.
const CALL_LIMIT: Duration = Duration::from_secs(10);
/// An uplink that has not been heard of for so long is as good as none.
const STALE: Duration = Duration::from_secs(90);

/// Where the socket is and who may use it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireConfig {
    /// The socket; its folder must exist.
    pub socket: PathBuf,
    /// The users (by number) that may connect beside the service's own. Default none.
    #[serde(default)]
    pub allowed_uids: Vec<u32>,
}

/// A connection that does not do what it is to do.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The socket cannot be reached.
    #[error("socket {path}: {reason}; is `boothd run` running, and may this user use the socket?")]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The socket cannot be made.
    #[error(
        "socket {path}: cannot be made ({reason}); allowed: a path of at most 107 bytes in an existing folder that the service \
         may write, with nothing there but an earlier socket; mend: correct `uplink.socket`"
    )]
    Listen {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The connection broke or the other side said what is not in the protocol.
    #[error("local connection: {reason}")]
    Broken {
        /// What happened.
        reason: String,
    },
    /// The other side refused.
    #[error("local connection: refused with `{code}`: {text}")]
    Refused {
        /// Its code.
        code: String,
        /// Its words.
        text: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hello {
    hello: String,
    version: u32,
}

const HELLO: &str = "boothd-outbox";

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "cmd", rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    Pending {
        limit: usize,
        wait_ms: u64,
    },
    Ack {
        ack: String,
    },
    Strike {
        sha256: Digest,
    },
    NetStatus {
        status: NetStatus,
    },
    Stats {},
    /// The wallet has answered, and this was its time (Unix seconds); `None`: only to hear what is to be told to it.
    Heartbeat {
        wallet_s: Option<i64>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
enum Reply {
    Hello { version: u32 },
    Pending { items: Vec<Pending>, held: bool },
    Ack { report: AckReport },
    Done,
    Stats { stats: OutboxStats },
    Heartbeat { status: String, hurries: u64 },
    Error { code: String, text: String },
}

impl Reply {
    fn error(code: &str, text: impl Into<String>) -> Self {
        Self::Error {
            code: code.to_owned(),
            text: text.into(),
        }
    }
}

/// What the uplink has last said about the network, and what it is to say of the booth.
#[derive(Clone, Debug)]
pub struct NetWatch {
    last: Arc<Mutex<Said>>,
    clock: SharedClock,
}

#[derive(Debug)]
struct Said {
    status: NetStatus,
    heard: Option<Moment>,
    /// The wallet's time, and when it was heard.
    wallet: Option<(i64, Moment)>,
    /// A line for the wallet.
    booth: String,
    /// How often somebody wanted the uplink to try at once.
    hurries: u64,
}

impl NetWatch {
    fn new(clock: SharedClock) -> Self {
        Self {
            last: Arc::new(Mutex::new(Said {
                status: NetStatus::UNKNOWN,
                heard: None,
                wallet: None,
                booth: String::new(),
                hurries: 0,
            })),
            clock,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Said> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The status; [`NetStatus::UNKNOWN`] if no uplink has been heard of for 90 s.
    pub fn status(&self) -> NetStatus {
        let said = self.lock();
        match said.heard {
            Some(heard) if self.clock.now().since(heard) < STALE => said.status,
            _ => NetStatus::UNKNOWN,
        }
    }

    /// How long ago the uplink was heard of; `None`: never.
    pub fn heard_ago(&self) -> Option<Duration> {
        let heard = self.lock().heard?;
        Some(self.clock.now().since(heard))
    }

    /// The wall clock less the wallet's, in seconds, if the wallet has told its time: what it would say now, by the monotonic clock.
    pub fn clock_off_s(&self) -> Option<i64> {
        let (wallet_s, heard) = self.lock().wallet?;
        let since = i64::try_from(self.clock.now().since(heard).as_secs()).unwrap_or(i64::MAX);
        Some(self.clock.wall().unix_s() - wallet_s.saturating_add(since))
    }

    /// What the uplink tells the wallet of the booth from now on: one line of printable ASCII; what is longer than 512 bytes is cut.
    pub fn tell(&self, line: &str) {
        let plain = line.chars().filter(|c| (' '..='~').contains(c));
        self.lock().booth = plain.take(512).collect();
    }

    /// What waits is to be tried at once instead of after the uplink's back-off.
    pub fn hurry(&self) {
        self.lock().hurries += 1;
    }

    fn heard(&self, status: Option<NetStatus>) {
        let now = self.clock.now();
        let mut said = self.lock();
        said.heard = Some(now);
        said.status = status.unwrap_or(said.status);
    }

    fn heartbeat(&self, wallet_s: Option<i64>) -> (String, u64) {
        let now = self.clock.now();
        let mut said = self.lock();
        if let Some(wallet_s) = wallet_s {
            said.wallet = Some((wallet_s, now));
        }
        (said.booth.clone(), said.hurries)
    }
}

/// The side of `run`.
#[derive(Debug)]
pub struct WireServer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    net: NetWatch,
    socket: PathBuf,
}

impl WireServer {
    /// Makes the socket and serves it until dropped.
    ///
    /// # Errors
    /// [`WireError::Listen`].
    pub fn start(
        config: &WireConfig,
        outbox: OutboxHandle,
        clock: SharedClock,
    ) -> Result<Self, WireError> {
        let failed = |reason| WireError::Listen {
            path: config.socket.clone(),
            reason,
        };
        let listener = listen(&config.socket).map_err(failed)?;
        let net = NetWatch::new(clock);
        let server = Arc::new(Server {
            outbox,
            net: net.clone(),
            stop: Arc::default(),
            connections: AtomicUsize::new(0),
            allowed_uids: config.allowed_uids.clone(),
        });
        let stop = Arc::clone(&server.stop);
        let thread = std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || accept(&listener, &server))
            .map_err(failed)?;
        Ok(Self {
            stop,
            thread: Some(thread),
            net,
            socket: config.socket.clone(),
        })
    }

    /// What the uplink says about the network.
    pub fn net(&self) -> NetWatch {
        self.net.clone()
    }
}

impl Drop for WireServer {
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

fn listen(path: &Path) -> std::io::Result<UnixListener> {
    // Only a socket is removed: what else might be there is not ours. Who has it open has the outbox's lock, too.
    if std::fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_socket()) {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o660))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

struct Server {
    outbox: OutboxHandle,
    net: NetWatch,
    stop: Arc<AtomicBool>,
    connections: AtomicUsize,
    allowed_uids: Vec<u32>,
}

fn accept(listener: &UnixListener, server: &Arc<Server>) {
    let look = Timespec {
        tv_sec: 0,
        tv_nsec: i64::try_from(LOOK.as_nanos()).unwrap_or(0),
    };
    while !server.stop.load(Ordering::SeqCst) {
        // Who comes when all places are taken waits in the listener's queue for one to be free.
        if server.connections.load(Ordering::SeqCst) >= MAX_CONNECTIONS {
            std::thread::park_timeout(PLACE_LOOK);
            continue;
        }
        let mut fds = [PollFd::new(listener, PollFlags::IN)];
        if !matches!(poll(&mut fds, Some(&look)), Ok(1)) {
            continue;
        }
        let Ok((stream, _)) = listener.accept() else {
            continue;
        };
        server.connections.fetch_add(1, Ordering::SeqCst);
        let for_thread = Arc::clone(server);
        let spawned = std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || {
                if let Err(e) = serve(stream, &for_thread) {
                    tracing::debug!(error = %e, "local connection ended");
                }
                for_thread.connections.fetch_sub(1, Ordering::SeqCst);
            });
        if spawned.is_err() {
            server.connections.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

fn serve(mut stream: UnixStream, server: &Server) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(LOOK))?;
    stream.set_write_timeout(Some(CALL_LIMIT))?;
    let uid = rustix::net::sockopt::socket_peercred(&stream)?.uid.as_raw();
    let own = rustix::process::geteuid().as_raw();
    if uid != own && !server.allowed_uids.contains(&uid) {
        tracing::warn!(
            uid,
            "a user that is not in `allowed_uids` tried the outbox's socket"
        );
        let refusal = Reply::error("user", "this user is not in `allowed_uids`");
        return send(&mut stream, &refusal);
    }
    let mut lines = Lines::new(stream.try_clone()?, MAX_LINE);
    let mut greeted = false;
    loop {
        let reply = match lines.next(|| server.stop.load(Ordering::SeqCst))? {
            Line::Text(text) if greeted => answer(&text, server),
            Line::Text(text) => match serde_json::from_slice::<Hello>(&text) {
                Ok(hello) if hello.hello == HELLO && hello.version == VERSION => {
                    greeted = true;
                    Reply::Hello { version: VERSION }
                }
                _ => {
                    let refusal =
                        Reply::error("hello", "the first line must be the hello of version 1");
                    return refuse(stream, &refusal);
                }
            },
            Line::TooLong => {
                let refusal = Reply::error("too_long", "a line may have 524288 bytes");
                return refuse(stream, &refusal);
            }
            Line::End => return Ok(()),
        };
        send(&mut stream, &reply)?;
    }
}

/// Sends a last word and reads away what the other side still sends: a socket that is closed with unread bytes in it is reset,
/// and the other side might never see why.
fn refuse(mut stream: UnixStream, refusal: &Reply) -> std::io::Result<()> {
    send(&mut stream, refusal)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut rest = [0; 4096];
    for _ in 0..REFUSED_READS {
        if !matches!(stream.read(&mut rest), Ok(n) if n > 0) {
            break;
        }
    }
    Ok(())
}

/// At most so many blocks are read away; whoever sends more may see a reset.
const REFUSED_READS: usize = 64;

fn send(stream: &mut UnixStream, message: &impl Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stream.write_all(&line)
}

fn answer(text: &[u8], server: &Server) -> Reply {
    let Ok(request) = serde_json::from_slice::<Request>(text) else {
        return Reply::error(
            "malformed",
            "allowed are the commands pending, ack, strike, net_status, stats, heartbeat",
        );
    };
    server.net.heard(None);
    let done = match request {
        Request::Pending { limit, wait_ms } => pending(server, limit, wait_ms),
        Request::Ack { ack } => server
            .outbox
            .acknowledge(&ack)
            .map(|report| Reply::Ack { report }),
        Request::Strike { sha256 } => server.outbox.strike(&sha256).map(|()| Reply::Done),
        Request::NetStatus { status } => {
            server.net.heard(Some(status));
            Ok(Reply::Done)
        }
        Request::Heartbeat { wallet_s } => {
            let (status, hurries) = server.net.heartbeat(wallet_s);
            Ok(Reply::Heartbeat { status, hurries })
        }
        Request::Stats {} => server.outbox.stats().map(|stats| Reply::Stats { stats }),
    };
    done.unwrap_or_else(|e| Reply::error(e.code(), e.to_string()))
}

fn pending(server: &Server, limit: usize, wait_ms: u64) -> Result<Reply, OutboxError> {
    let until = Instant::now() + Duration::from_millis(wait_ms).min(MAX_WAIT);
    let limit = limit.clamp(1, MAX_BATCH);
    loop {
        let mark = server.outbox.mark();
        let held = server.outbox.is_held();
        let items = if held {
            Vec::new()
        } else {
            // The request around the items needs some room as well.
            server.outbox.pending(limit, MAX_REQUEST - 64)?
        };
        let left = until.saturating_duration_since(Instant::now());
        if !items.is_empty() || left.is_zero() || server.stop.load(Ordering::SeqCst) {
            return Ok(Reply::Pending { items, held });
        }
        server.outbox.wait_for_change(mark, left.min(LOOK));
    }
}
