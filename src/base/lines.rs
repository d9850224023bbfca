//! Lines of limited length from a stream with a time-out.

use std::io::Read;

/// What a stream gives next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line without its end.
    Text(Vec<u8>),
    /// A line that has more bytes than it may; the stream is of no more use.
    TooLong,
    /// The end of the stream, or it was given up.
    End,
}

/// Reads lines of limited length from a stream with a time-out.
#[derive(Debug)]
pub struct Lines<S> {
    stream: S,
    buffer: Vec<u8>,
    longest: usize,
}

impl<S: Read> Lines<S> {
    /// Lines of at most `longest` bytes.
    pub const fn new(stream: S, longest: usize) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            longest,
        }
    }

    /// Whether a whole line is there without asking the stream.
    pub fn is_waiting(&self) -> bool {
        self.buffer.contains(&b'\n')
    }

    /// The next line without its end. `give_up` is asked whenever the stream's time-out passes.
    ///
    /// # Errors
    /// What the stream says.
    pub fn next(&mut self, give_up: impl Fn() -> bool) -> std::io::Result<Line> {
        let mut looked = 0;
        loop {
            if let Some(at) = self.buffer[looked..].iter().position(|&b| b == b'\n') {
                let rest = self.buffer.split_off(looked + at + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.pop();
                return Ok(Line::Text(line));
            }
            looked = self.buffer.len();
            if looked > self.longest {
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
