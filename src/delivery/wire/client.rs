//! The side of `uplink`.

use super::{
    CALL_LIMIT, HELLO, Hello, LOOK, MAX_LINE, MAX_WAIT, Reply, Request, VERSION, WireError, send,
};
use crate::base::lines::{Line, Lines};
use crate::delivery::outbox::{AckReport, OutboxStats, Pending};
use crate::delivery::status::NetStatus;
use crate::trust::ack::Digest;
use serde::Serialize;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// The side of `uplink`.
pub struct WireClient {
    stream: UnixStream,
    lines: Lines<UnixStream>,
}

impl std::fmt::Debug for WireClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WireClient")
    }
}

impl WireClient {
    /// Connects and says hello.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn connect(socket: &Path) -> Result<Self, WireError> {
        let failed = |reason| WireError::Socket {
            path: socket.to_owned(),
            reason,
        };
        let stream = UnixStream::connect(socket).map_err(failed)?;
        stream.set_read_timeout(Some(LOOK)).map_err(failed)?;
        stream.set_write_timeout(Some(CALL_LIMIT)).map_err(failed)?;
        let lines = Lines::new(stream.try_clone().map_err(failed)?, MAX_LINE);
        let mut client = Self { stream, lines };
        let hello = Hello {
            hello: HELLO.to_owned(),
            version: VERSION,
        };
        match client.call(&hello, Duration::ZERO)? {
            Reply::Hello { version: VERSION } => Ok(client),
            other => Err(unexpected(&other)),
        }
    }

    fn call(&mut self, request: &impl Serialize, wait: Duration) -> Result<Reply, WireError> {
        let broken = |reason: String| WireError::Broken { reason };
        send(&mut self.stream, request).map_err(|e| broken(e.to_string()))?;
        let until = Instant::now() + wait + CALL_LIMIT;
        match self.lines.next(|| Instant::now() > until) {
            Ok(Line::Text(text)) => match serde_json::from_slice(&text) {
                Ok(Reply::Error { code, text }) => Err(WireError::Refused { code, text }),
                Ok(reply) => Ok(reply),
                Err(_) => Err(broken("an answer that is not in the protocol".to_owned())),
            },
            Ok(Line::TooLong) => Err(broken("an answer that is too long".to_owned())),
            Ok(Line::End) => Err(broken("no answer".to_owned())),
            Err(e) => Err(broken(e.to_string())),
        }
    }

    /// What is to be sent, waiting for it at most for `wait`; and whether a session holds.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn pending(
        &mut self,
        limit: usize,
        wait: Duration,
    ) -> Result<(Vec<Pending>, bool), WireError> {
        let request = Request::Pending {
            limit,
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        };
        match self.call(&request, wait.min(MAX_WAIT))? {
            Reply::Pending { items, held } => Ok((items, held)),
            other => Err(unexpected(&other)),
        }
    }

    /// Hands over an acknowledgement.
    ///
    /// # Errors
    /// [`WireError`]; [`WireError::Refused`] if it is not believed.
    pub fn acknowledge(&mut self, ack: String) -> Result<AckReport, WireError> {
        match self.call(&Request::Ack { ack }, Duration::ZERO)? {
            Reply::Ack { report } => Ok(report),
            other => Err(unexpected(&other)),
        }
    }

    /// Says that the wallet refused an outcome without a signed word about it.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn strike(&mut self, sha256: Digest) -> Result<(), WireError> {
        self.done(&Request::Strike { sha256 })
    }

    /// Says how the network is.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn net_status(&mut self, status: NetStatus) -> Result<(), WireError> {
        self.done(&Request::NetStatus { status })
    }

    /// Hands over the wallet's time, if it has just told it, and gives what is to be told to the wallet, and how often somebody wanted the
    /// uplink to try at once.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn heartbeat(&mut self, wallet_s: Option<i64>) -> Result<(String, u64), WireError> {
        match self.call(&Request::Heartbeat { wallet_s }, Duration::ZERO)? {
            Reply::Heartbeat { status, hurries } => Ok((status, hurries)),
            other => Err(unexpected(&other)),
        }
    }

    /// The outbox's figures.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn stats(&mut self) -> Result<OutboxStats, WireError> {
        match self.call(&Request::Stats {}, Duration::ZERO)? {
            Reply::Stats { stats } => Ok(stats),
            other => Err(unexpected(&other)),
        }
    }

    fn done(&mut self, request: &Request) -> Result<(), WireError> {
        match self.call(request, Duration::ZERO)? {
            Reply::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }
}

fn unexpected(reply: &Reply) -> WireError {
    let kind = match reply {
        Reply::Hello { .. } => "hello",
        Reply::Pending { .. } => "pending",
        Reply::Ack { .. } => "ack",
        Reply::Done => "done",
        Reply::Stats { .. } => "stats",
        Reply::Heartbeat { .. } => "heartbeat",
        Reply::Error { .. } => "error",
    };
    WireError::Broken {
        reason: format!("an unexpected answer `{kind}`"),
    }
}
