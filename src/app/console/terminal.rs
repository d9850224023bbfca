//! The console's terminal: a serial line, or standard input and output as a terminal or a script.

use crate::hal::DeviceFault;
use crate::hal::pi::serial::{Carrier, Line};
use anyhow::Context;
use rustix::io::Errno;
use rustix::termios::{InputModes, OptionalActions, Termios, isatty, tcgetattr, tcsetattr};
use std::os::fd::{AsFd as _, BorrowedFd};

/// What came.
#[derive(Debug)]
pub(super) enum Got {
    Bytes(Vec<u8>),
    /// A BREAK, and what was typed beside it.
    Break(Vec<u8>),
    /// Standard input has ended.
    End,
}

/// A terminal.
#[derive(Debug)]
pub(super) enum Terminal {
    Serial(Line),
    /// Standard input and output; how the terminal was set before.
    Standard(Option<Termios>),
}

/// At most so much at once goes to a pipe, which may not be set to non-blocking, since others have it, too: POLLOUT promises as much.
const PIPE: usize = 512;

impl Terminal {
    /// A serial line.
    pub(super) fn serial(path: &str, carrier: Carrier) -> Result<Self, DeviceFault> {
        Line::open(path, carrier).map(Self::Serial)
    }

    /// Standard input and output; raw, if it is a terminal.
    pub(super) fn standard() -> anyhow::Result<Self> {
        let input = rustix::stdio::stdin();
        if !isatty(input) {
            return Ok(Self::Standard(None));
        }
        let before = tcgetattr(input).context("standard input")?;
        let mut raw = before.clone();
        raw.make_raw();
        raw.input_modes -= InputModes::IXON;
        tcsetattr(input, OptionalActions::Now, &raw).context("standard input")?;
        Ok(Self::Standard(Some(before)))
    }

    /// Whether it is standard input and output.
    pub(super) fn is_standard(&self) -> bool {
        matches!(self, Self::Standard(_))
    }

    /// Whether a script types.
    pub(super) fn is_script(&self) -> bool {
        matches!(self, Self::Standard(None))
    }

    pub(super) fn input(&self) -> BorrowedFd<'_> {
        match self {
            Self::Serial(line) => line.as_fd(),
            Self::Standard(_) => rustix::stdio::stdin(),
        }
    }

    pub(super) fn output(&self) -> BorrowedFd<'_> {
        match self {
            Self::Serial(line) => line.as_fd(),
            Self::Standard(_) => rustix::stdio::stdout(),
        }
    }

    /// What is there; called when something is.
    pub(super) fn read(&mut self) -> Result<Got, anyhow::Error> {
        match self {
            Self::Serial(line) => {
                let mut bytes = Vec::new();
                let read = line.read(&mut bytes)?;
                Ok(if read.is_break {
                    Got::Break(bytes)
                } else {
                    Got::Bytes(bytes)
                })
            }
            Self::Standard(_) => {
                let mut buffer = [0; 1024];
                match rustix::io::read(rustix::stdio::stdin(), &mut buffer) {
                    Ok(0) | Err(Errno::IO) => Ok(Got::End),
                    Ok(n) => Ok(Got::Bytes(buffer[..n].to_vec())),
                    Err(Errno::AGAIN | Errno::INTR) => Ok(Got::Bytes(Vec::new())),
                    Err(e) => Err(e.into()),
                }
            }
        }
    }

    /// Writes what finds room; called when some is there.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<usize, anyhow::Error> {
        match self {
            Self::Serial(line) => Ok(line.write(bytes)?),
            Self::Standard(_) => {
                match rustix::io::write(rustix::stdio::stdout(), &bytes[..bytes.len().min(PIPE)]) {
                    Ok(n) => Ok(n),
                    Err(Errno::AGAIN | Errno::INTR) => Ok(0),
                    Err(e) => Err(e.into()),
                }
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Self::Standard(Some(before)) = self {
            // Nothing to be done if the terminal is gone.
            let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, before);
        }
    }
}
