//! The side of `console`.

use super::{Ask, ConsoleNote, MAX_LINE, PROTOCOL, Request, Tell, VERSION};
use crate::base::ids::BoothId;
use crate::base::lines::{Line, Lines};
use std::io::Write as _;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The server answers the hello, and takes what is sent, within this time: the technician's line waits meanwhile.
const HELLO_WITHIN: Duration = Duration::from_secs(1);
/// A stream's time-out, after which it is looked whether to give up.
const LOOK: Duration = Duration::from_millis(50);

/// The booth cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The socket cannot be reached.
    #[error(
        "control socket {path}: {reason}; is `boothd run` running, and may this user use the socket?"
    )]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The connection broke, or the other side said what is not in the protocol.
    #[error("control socket: {reason}")]
    Broken {
        /// What happened.
        reason: String,
    },
}

fn broken(reason: impl ToString) -> ControlError {
    ControlError::Broken {
        reason: reason.to_string(),
    }
}

/// What came within the time.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// An answer.
    Tell(Box<Tell>),
    /// Nothing yet.
    Nothing,
}

/// A connection to the booth.
#[derive(Debug)]
pub struct ControlClient {
    stream: UnixStream,
    lines: Lines<UnixStream>,
    booth: BoothId,
    software: String,
}

impl ControlClient {
    /// Connects and says hello.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn connect(socket: &Path) -> Result<Self, ControlError> {
        let failed = |reason| ControlError::Socket {
            path: socket.to_owned(),
            reason,
        };
        let mut stream = UnixStream::connect(socket).map_err(failed)?;
        stream.set_read_timeout(Some(LOOK)).map_err(failed)?;
        stream
            .set_write_timeout(Some(HELLO_WITHIN))
            .map_err(failed)?;
        let mut lines = Lines::new(stream.try_clone().map_err(failed)?, MAX_LINE);
        let hello = Ask::Hello {
            protocol: PROTOCOL.to_owned(),
            version: VERSION,
        };
        send(&mut stream, &hello)?;
        match read(&mut lines, HELLO_WITHIN)? {
            Heard::Tell(tell) => match *tell {
                Tell::Hello {
                    version: VERSION,
                    booth,
                    software,
                } => Ok(Self {
                    stream,
                    lines,
                    booth,
                    software,
                }),
                Tell::Error { text } => Err(broken(text)),
                _ => Err(broken("the first answer is not the hello of version 1")),
            },
            Heard::Nothing => Err(broken("no answer to the hello")),
        }
    }

    /// Which booth.
    pub fn booth(&self) -> &BoothId {
        &self.booth
    }

    /// The version of the service.
    pub fn software(&self) -> &str {
        &self.software
    }

    /// Asks for a command; its answers are heard by [`Self::hear`].
    ///
    /// # Errors
    /// [`ControlError::Broken`].
    pub fn run(&mut self, request: Request) -> Result<(), ControlError> {
        send(&mut self.stream, &Ask::Run(request))
    }

    /// Stops a command; its report still comes.
    ///
    /// # Errors
    /// [`ControlError::Broken`].
    pub fn stop(&mut self, id: u64) -> Result<(), ControlError> {
        send(&mut self.stream, &Ask::Stop { id })
    }

    /// Answers a question.
    ///
    /// # Errors
    /// [`ControlError::Broken`].
    pub fn choose(&mut self, id: u64, choice: usize) -> Result<(), ControlError> {
        send(&mut self.stream, &Ask::Choose { id, choice })
    }

    /// Tells what the console has to tell of itself.
    ///
    /// # Errors
    /// [`ControlError::Broken`].
    pub fn note(&mut self, note: ConsoleNote) -> Result<(), ControlError> {
        send(&mut self.stream, &Ask::Note(note))
    }

    /// The next answer, if one comes within `wait`.
    ///
    /// # Errors
    /// [`ControlError::Broken`]; the booth's last words if it ended the connection.
    pub fn hear(&mut self, wait: Duration) -> Result<Heard, ControlError> {
        match read(&mut self.lines, wait)? {
            Heard::Tell(tell) => match *tell {
                Tell::Error { text } => Err(broken(text)),
                tell => Ok(Heard::Tell(Box::new(tell))),
            },
            Heard::Nothing => Ok(Heard::Nothing),
        }
    }

    /// Whether an answer is there already, without asking the socket.
    pub fn has_line(&self) -> bool {
        self.lines.is_waiting()
    }
}

impl AsFd for ControlClient {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn send(stream: &mut UnixStream, ask: &Ask) -> Result<(), ControlError> {
    let mut line = serde_json::to_vec(ask).map_err(broken)?;
    line.push(b'\n');
    stream.write_all(&line).map_err(broken)
}

fn read(lines: &mut Lines<UnixStream>, wait: Duration) -> Result<Heard, ControlError> {
    let until = Instant::now() + wait;
    let late = std::cell::Cell::new(false);
    let line = lines.next(|| {
        late.set(Instant::now() >= until);
        late.get()
    });
    match line.map_err(broken)? {
        Line::Text(text) => serde_json::from_slice(&text)
            .map(|tell| Heard::Tell(Box::new(tell)))
            .map_err(|_| broken("an answer that is not in the protocol")),
        Line::TooLong => Err(broken("an answer of more than 64 KiB")),
        Line::End if late.get() => Ok(Heard::Nothing),
        Line::End => Err(broken("the booth's service has closed it")),
    }
}
