//! What waits for the terminal: at most 8 KiB of bytes that are ready, and behind them lines that come when there is room, page by page.
//! Nothing here waits for the terminal, and whoever fills it is never delayed by one that does not read.

use crate::technician::plain::columns;
use std::collections::VecDeque;

/// Bytes that are ready.
pub const QUEUE: usize = 8 * 1024;
/// Bytes in lines that wait behind them; the longest report as JSON is less.
const MOST_WAITING: usize = 512 * 1024;

/// The terminal's side of the console.
#[derive(Debug, Default)]
pub struct Screen {
    queue: VecDeque<u8>,
    lines: VecDeque<String>,
    waiting_bytes: usize,
    /// Bytes that found no room.
    lost: u64,
    /// Lines of a page; 0: no pages.
    page: usize,
    on_page: usize,
    /// What stands between two pages; empty: [`MORE`].
    between_pages: String,
    /// It is shown.
    more: bool,
}

/// What stands between two pages.
pub(super) const MORE: &str = "--More-- (space, enter, q)";

impl Screen {
    /// Bytes at once, or not at all if there is no room; the loss is told later.
    pub fn write(&mut self, bytes: &[u8]) {
        if self.queue.len() + bytes.len() > QUEUE {
            self.lost += bytes.len() as u64;
        } else {
            self.queue.extend(bytes);
        }
    }

    /// Lines in their turn; what is more than half a megabyte is lost, and told.
    pub fn lines(&mut self, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            if self.waiting_bytes + line.len() > MOST_WAITING {
                self.lost += line.len() as u64;
            } else {
                self.waiting_bytes += line.len();
                self.lines.push_back(line);
            }
        }
        self.pump();
    }

    /// From now on a page has so many lines; 0: no pages. A new page begins.
    pub fn new_page(&mut self, lines: usize) {
        (self.page, self.on_page) = (lines, 0);
    }

    /// What stands between two pages from now on.
    pub fn ask_for_more(&mut self, text: String) {
        self.between_pages = text;
    }

    fn between_pages(&self) -> &str {
        match self.between_pages.as_str() {
            "" => MORE,
            text => text,
        }
    }

    /// Moves lines to the queue while there is room.
    pub fn pump(&mut self) {
        if self.lost > 0 && self.queue.len() < QUEUE / 2 {
            let told = format!("\r\n<{} bytes lost>\r\n", self.lost);
            self.lost = 0;
            self.queue.extend(told.bytes());
        }
        while !self.more {
            let Some(line) = self.lines.front() else {
                return;
            };
            // A line may be longer than the queue (JSON): it goes in parts.
            let room = QUEUE.saturating_sub(self.queue.len() + 128);
            if line.len() + 2 > room {
                if line.len() + 2 > QUEUE / 2 && room > QUEUE / 4 {
                    self.part(room / 2);
                }
                return;
            }
            // The last line never waits for a key alone.
            if self.page > 1 && self.on_page + 1 >= self.page && self.lines.len() > 1 {
                self.more = true;
                let text = self.between_pages().to_owned();
                self.queue.extend(text.bytes());
                return;
            }
            if let Some(line) = self.lines.pop_front() {
                self.waiting_bytes = self.waiting_bytes.saturating_sub(line.len());
                self.queue.extend(line.bytes());
                self.queue.extend(b"\r\n");
                self.on_page += 1;
            }
        }
    }

    fn part(&mut self, most: usize) {
        if let Some(line) = self.lines.front_mut() {
            let mut at = most.min(line.len());
            while !line.is_char_boundary(at) {
                at -= 1;
            }
            let part: String = line.drain(..at).collect();
            self.waiting_bytes = self.waiting_bytes.saturating_sub(part.len());
            self.queue.extend(part.bytes());
        }
    }

    /// Whether a key is waited for between two pages.
    pub fn is_more(&self) -> bool {
        self.more
    }

    /// A key between two pages: space a page, enter a line, q or Ctrl-C the end (the last line still comes: it has the result).
    pub fn more_key(&mut self, byte: u8) {
        let allowed = match byte {
            b' ' => self.page.saturating_sub(1),
            b'\r' | b'\n' => 1,
            b'q' | b'Q' | 3 => {
                let last = self.lines.pop_back();
                self.lines.clear();
                self.waiting_bytes = last.as_ref().map_or(0, String::len);
                self.lines.extend(last);
                self.page
            }
            _ => return,
        };
        self.more = false;
        self.on_page = self.page.saturating_sub(1 + allowed);
        let wipe = format!("\r{}\r", " ".repeat(columns(self.between_pages())));
        self.queue.extend(wipe.bytes());
        self.pump();
    }

    /// Whether all lines are in the queue.
    pub fn is_told(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether so much waits that no more is to be asked for.
    pub fn is_behind(&self) -> bool {
        !self.lines.is_empty() || self.queue.len() > QUEUE / 2
    }

    /// What is ready, in one piece.
    pub fn ready(&mut self) -> &[u8] {
        self.queue.make_contiguous()
    }

    /// So many bytes were taken by the terminal.
    pub fn taken(&mut self, bytes: usize) {
        self.queue.drain(..bytes.min(self.queue.len()));
        self.pump();
    }

    /// Everything is thrown away: nobody reads it. Gives how much it was.
    pub fn clear(&mut self) -> usize {
        let bytes = self.queue.len() + self.waiting_bytes;
        *self = Self {
            page: self.page,
            between_pages: std::mem::take(&mut self.between_pages),
            ..Self::default()
        };
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(screen: &mut Screen) -> String {
        let mut text = String::new();
        loop {
            let ready = screen.ready().to_vec();
            if ready.is_empty() {
                return text;
            }
            assert!(ready.len() <= QUEUE, "{}", ready.len());
            // A slow terminal.
            let n = ready.len().min(100);
            text.push_str(std::str::from_utf8(&ready[..n]).expect("ASCII"));
            screen.taken(n);
        }
    }

    #[test]
    fn long_reports_come_whole_through_a_small_queue() {
        let mut screen = Screen::default();
        let lines: Vec<String> = (0..2000).map(|i| format!("line {i:05}")).collect();
        screen.lines(lines.clone());
        assert_eq!(drained(&mut screen), lines.join("\r\n") + "\r\n");
        let long = "j".repeat(60_000);
        screen.lines([long.clone()]);
        assert_eq!(drained(&mut screen), long + "\r\n");
    }

    #[test]
    fn pages_wait_for_a_key() {
        let mut screen = Screen::default();
        screen.new_page(5);
        screen.lines((0..12).map(|i| i.to_string()));
        assert_eq!(drained(&mut screen), format!("0\r\n1\r\n2\r\n3\r\n{MORE}"));
        screen.more_key(b'x');
        assert!(screen.is_more());
        screen.more_key(b'\r');
        let wipe = format!("\r{}\r", " ".repeat(MORE.len()));
        assert_eq!(drained(&mut screen), format!("{wipe}4\r\n{MORE}"));
        screen.more_key(b' ');
        assert_eq!(
            drained(&mut screen),
            format!("{wipe}5\r\n6\r\n7\r\n8\r\n{MORE}")
        );
        screen.more_key(b'q');
        assert_eq!(drained(&mut screen), format!("{wipe}11\r\n"));
        assert!(screen.is_told() && !screen.is_more());
    }

    #[test]
    fn who_does_not_read_loses_and_is_told_so() {
        let mut screen = Screen::default();
        for _ in 0..10_000 {
            screen.write(b"0123456789");
        }
        assert_eq!(screen.ready().len(), 8190);
        let text = drained(&mut screen);
        assert!(
            text.ends_with("0123456789\r\n<91810 bytes lost>\r\n")
                || text.contains("<91810 bytes lost>"),
            "{}",
            &text[8000..]
        );
    }
}
