//! Lines of limited length from a stream with a time-out.

use super::MAX_LINE;
use std::io::Read;

/// What a stream gives next.
pub(super) enum Line {
    Text(Vec<u8>),
    TooLong,
    End,
}

/// Reads lines of limited length from a stream with a time-out.
pub(super) struct Lines<S> {
    stream: S,
    buffer: Vec<u8>,
}

impl<S: Read> Lines<S> {
    pub(super) const fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// The next line without its end. `give_up` is asked whenever the stream's time-out passes.
    pub(super) fn next(&mut self, give_up: impl Fn() -> bool) -> std::io::Result<Line> {
        let mut looked = 0;
        loop {
            if let Some(at) = self.buffer[looked..].iter().position(|&b| b == b'\n') {
                let rest = self.buffer.split_off(looked + at + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.pop();
                return Ok(Line::Text(line));
            }
            looked = self.buffer.len();
            if looked > MAX_LINE {
                return Ok(Line::TooLong);
            }
            let mut part = [0; 16 * 1024];
            match self.stream.read(&mut part) {
                Ok(0) => return Ok(Line::End),
                Ok(n) => self.buffer.extend_from_slice(&part[..n]),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e)
                    if matches!(
                        e.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    ) =>
                {
                    if give_up() {
                        return Ok(Line::End);
                    }
                }
                Err(e) => return Err(e),
            }
        }
    }
}
