//! A line editor for raw serial lines and the dumbest terminals: fed byte by byte, writing only printable ASCII, CR, LF, BS and BEL.
//! It asks the terminal nothing, waits for nothing, and keeps to 256 bytes. (Why not a crate: docs/dependencies.md.)

mod keys;

use super::grammar::MAX_LINE;
use keys::{Key, Keys};
use std::collections::VecDeque;

/// Lines that are remembered.
const HISTORY: usize = 50;
/// Columns of the terminal that are used.
const COLUMNS: usize = 79;

/// What a byte came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// A line; it is not in the history yet.
    Line(String),
    /// A line of more than 256 bytes; it is thrown away.
    TooLong,
    /// `?` after this text.
    Help(String),
    /// TAB after this text.
    Complete(String),
    /// Ctrl-C: the line is thrown away.
    Interrupt,
    /// Ctrl-D on an empty line.
    End,
}

/// The editor.
#[derive(Debug, Default)]
pub struct Editor {
    keys: Keys,
    prompt: String,
    line: Vec<u8>,
    cursor: usize,
    too_long: bool,
    /// `?` and TAB are keys of their own, and there is history: not while a code or a choice is typed.
    command: bool,
    history: VecDeque<String>,
    /// Which of the history is shown, and what was typed before.
    back: Option<(usize, Vec<u8>)>,
    /// First character that is shown, and columns in use.
    first: usize,
    used: usize,
}

impl Editor {
    /// Begins a line with this prompt (ASCII, at most 30 characters).
    pub fn begin(&mut self, prompt: &str, command: bool, out: &mut Vec<u8>) {
        self.prompt = prompt.to_owned();
        self.command = command;
        self.clear();
        self.draw(out);
    }

    fn clear(&mut self) {
        self.line.clear();
        (self.cursor, self.too_long, self.back) = (0, false, None);
        (self.first, self.used) = (0, 0);
    }

    /// Remembers a line, unless it is the newest already.
    pub fn remember(&mut self, line: &str) {
        if self.history.back().is_some_and(|l| l == line) {
            return;
        }
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(line.to_owned());
    }

    /// Forgets all lines: the next technician is another.
    pub fn forget(&mut self) {
        self.history.clear();
        self.clear();
    }

    /// Draws the line anew, after something else was written.
    pub fn redraw(&mut self, out: &mut Vec<u8>) {
        self.used = 0;
        self.draw(out);
    }

    /// Puts text at the cursor, as if it were typed.
    pub fn insert(&mut self, text: &str, out: &mut Vec<u8>) {
        for byte in text.bytes() {
            self.put(byte, out);
        }
    }

    /// Takes a byte; writes what the terminal is to show to `out`.
    pub fn byte(&mut self, byte: u8, out: &mut Vec<u8>) -> Option<Edit> {
        match self.keys.byte(byte)? {
            Key::Char(c) if c == b'?' && self.command => return Some(Edit::Help(self.before())),
            Key::Tab if self.command => return Some(Edit::Complete(self.before())),
            Key::Tab => out.push(7),
            Key::Char(c) => self.put(c, out),
            Key::Enter => {
                out.extend(b"\r\n");
                let line = String::from_utf8_lossy(&self.line).into_owned();
                let too_long = self.too_long;
                self.clear();
                return Some(if too_long {
                    Edit::TooLong
                } else {
                    Edit::Line(line)
                });
            }
            Key::Interrupt => {
                // At the edge there is no room for it.
                if self.prompt.len() + self.cursor - self.first + 2 <= COLUMNS {
                    out.extend(b"^C");
                }
                out.extend(b"\r\n");
                self.clear();
                return Some(Edit::Interrupt);
            }
            Key::EndOrDelete if self.line.is_empty() && !self.too_long => {
                return Some(Edit::End);
            }
            Key::Backspace => {
                if self.too_long {
                    self.too_long = false;
                } else if self.cursor > 0 {
                    self.cursor -= 1;
                    self.line.remove(self.cursor);
                    self.draw(out);
                }
            }
            Key::Delete | Key::EndOrDelete => {
                if self.cursor < self.line.len() {
                    self.line.remove(self.cursor);
                    self.draw(out);
                }
            }
            Key::Left => self.go(self.cursor.saturating_sub(1), out),
            Key::Right => self.go(self.cursor + 1, out),
            Key::Home => self.go(0, out),
            Key::End => self.go(self.line.len(), out),
            Key::KillEnd => {
                self.line.truncate(self.cursor);
                self.draw(out);
            }
            Key::KillStart => {
                self.line.drain(..self.cursor);
                self.cursor = 0;
                self.draw(out);
            }
            Key::KillWord => {
                let start = self.word_start();
                self.line.drain(start..self.cursor);
                self.cursor = start;
                self.draw(out);
            }
            Key::Up => self.history_step(true, out),
            Key::Down => self.history_step(false, out),
            Key::Redraw => {
                out.extend(b"\r\n");
                self.redraw(out);
            }
        }
        None
    }

    fn before(&self) -> String {
        String::from_utf8_lossy(&self.line[..self.cursor]).into_owned()
    }

    fn word_start(&self) -> usize {
        let before = &self.line[..self.cursor];
        let end = before
            .iter()
            .rposition(|b| *b != b' ')
            .map_or(0, |at| at + 1);
        before[..end]
            .iter()
            .rposition(|b| *b == b' ')
            .map_or(0, |at| at + 1)
    }

    fn put(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.line.len() == MAX_LINE {
            self.too_long = true;
            out.push(7);
            return;
        }
        let at_end = self.cursor == self.line.len();
        self.line.insert(self.cursor, byte);
        self.cursor += 1;
        if at_end && self.cursor - self.first < self.room() {
            // The usual: one character is one byte on the line.
            out.push(byte);
            self.used += 1;
        } else {
            self.draw(out);
        }
    }

    fn go(&mut self, to: usize, out: &mut Vec<u8>) {
        self.cursor = to.min(self.line.len());
        self.draw(out);
    }

    fn history_step(&mut self, older: bool, out: &mut Vec<u8>) {
        let at = self.back.as_ref().map_or(self.history.len(), |(at, _)| *at);
        let to = if older {
            at.checked_sub(1)
        } else {
            Some(at + 1)
        };
        let Some(to) = to.filter(|to| self.command && *to <= self.history.len()) else {
            out.push(7);
            return;
        };
        let typed = self
            .back
            .take()
            .map_or_else(|| self.line.clone(), |(_, typed)| typed);
        match self.history.get(to) {
            Some(line) => {
                self.line = line.clone().into_bytes();
                self.back = Some((to, typed));
            }
            None => self.line = typed,
        }
        self.cursor = self.line.len();
        self.draw(out);
    }

    /// Characters of the line that find room behind the prompt.
    fn room(&self) -> usize {
        COLUMNS.saturating_sub(self.prompt.len()).max(8)
    }

    /// Draws the part of the line around the cursor over what stood there.
    fn draw(&mut self, out: &mut Vec<u8>) {
        let room = self.room();
        if self.cursor < self.first || self.cursor - self.first >= room {
            self.first = self.cursor.saturating_sub(room * 2 / 3);
        }
        let end = self.line.len().min(self.first + room);
        let shown = &self.line[self.first.min(end)..end];
        let now = self.prompt.len() + shown.len();
        out.push(b'\r');
        out.extend(self.prompt.bytes());
        out.extend(shown);
        let rest = self.used.saturating_sub(now);
        out.extend(std::iter::repeat_n(b' ', rest));
        out.extend(std::iter::repeat_n(8, rest + end - self.cursor));
        self.used = now;
    }
}

#[cfg(test)]
mod tests;
