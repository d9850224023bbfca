//! The console's audit log: every line typed, every login and its end, in a chain of hashes. Two files of fixed size, so that a full
//! disk cannot stop it; when one is full the other is emptied and the chain goes on in it.
//!
//! ```text
//! line:  HASH(64 hex) SPACE JSON NEWLINE      HASH = SHA-256(the hash before it, 32 bytes | JSON), of the first line ever: 32 zeros
//! JSON:  {"seq":1,"at":"2026-..Z","boot_ms":1,"kind":"typed","who":"service WO-1","text":"show faults"}
//! file:  lines, then zeros to its end; the first line of a file that goes on from the other has the kind `carry` and that one's head
//! ```
//! Every byte is under a hash or at a place that is checked. What is cut off at the tail cannot be seen here: the head goes into the
//! heartbeat and into the closing code.

use super::plain::{Charset, plain};
use super::store::Store;
use crate::base::time::{Moment, WallTime};
use crate::trust::{hex, sha256, unhex32};
use serde::{Deserialize, Serialize};
use std::io;

/// Bytes of each of the two files.
pub const SIZE: usize = 256 * 1024;
/// The longest text of a line, bytes.
const MAX_TEXT: usize = 400;
/// The longest line, bytes.
const MAX_RECORD: usize = 1024;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Goes on from the other file, whose head is the text.
    Carry,
    /// The end of the file was torn by a power cut, or damaged: lines are lost.
    Damage,
    /// The console was started.
    Start,
    /// A challenge was shown.
    Challenge,
    /// A code was good.
    Login,
    /// A code was wrong.
    WrongCode,
    /// A line was typed.
    Typed,
    /// How a command ended.
    Result,
    /// The login ended: how.
    Logout,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Counted from 1 without gaps.
    pub seq: u64,
    /// Wall clock, as good as it is.
    pub at: String,
    /// Milliseconds since the machine started.
    pub boot_ms: u64,
    /// What it is.
    pub kind: Kind,
    /// Role and work order of the login; empty without.
    pub who: String,
    /// What there is to say, printable ASCII.
    pub text: String,
}

/// What a look at the whole log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Lines that are there, the oldest first.
    pub entries: Vec<Entry>,
    /// The hash of each of them, 64 hexadecimal digits.
    pub heads: Vec<String>,
    /// What is wrong; empty: the chain holds.
    pub wrong: Vec<String>,
}

/// What is in one file.
#[derive(Debug, Default)]
struct Part {
    entries: Vec<Entry>,
    heads: Vec<String>,
    /// The hash before its first line, as that line says.
    before: [u8; 32],
    head: [u8; 32],
    /// Bytes of good lines.
    good: usize,
    /// Bytes up to the last that is not zero.
    used: usize,
}

fn read_part(bytes: &[u8]) -> Part {
    let used = bytes.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1);
    let mut part = Part {
        used,
        ..Part::default()
    };
    while let Some(length) = bytes[part.good..used].iter().position(|b| *b == b'\n') {
        let line = &bytes[part.good..part.good + length];
        let Some((entry, hash, before)) =
            read_line(line, part.entries.is_empty().then_some(()), part.head)
        else {
            break;
        };
        if let Some(last) = part.entries.last()
            && entry.seq != last.seq + 1
        {
            break;
        }
        if part.entries.is_empty() {
            part.before = before;
        }
        part.entries.push(entry);
        part.heads.push(hex(&hash));
        part.head = hash;
        part.good += length + 1;
    }
    part
}

/// What stands behind the good lines, but for its last byte.
fn files_tail(bytes: &[u8], part: &Part) -> Vec<u8> {
    bytes[part.good..part.used.saturating_sub(1).max(part.good)].to_vec()
}

/// A line that fits to the head before it. The first line of a file says itself which head that is: zeros, or the text of a `carry`.
fn read_line(
    line: &[u8],
    first: Option<()>,
    head: [u8; 32],
) -> Option<(Entry, [u8; 32], [u8; 32])> {
    let text = std::str::from_utf8(line).ok()?;
    let (hash, json) = (text.get(..64)?, text.get(65..)?);
    if text.as_bytes()[64] != b' ' {
        return None;
    }
    let hash = unhex32(hash)?;
    let entry: Entry = serde_json::from_str(json).ok()?;
    let before = match first {
        None => head,
        Some(()) if entry.kind == Kind::Carry => unhex32(&entry.text)?,
        Some(()) if entry.seq == 1 => [0; 32],
        Some(()) => return None,
    };
    (chain(before, json) == hash).then_some((entry, hash, before))
}

fn chain(before: [u8; 32], json: &str) -> [u8; 32] {
    sha256(&[&before[..], json.as_bytes()].concat())
}

/// The log.
#[derive(Debug)]
pub struct Audit<S> {
    files: [S; 2],
    now: usize,
    at: usize,
    seq: u64,
    head: [u8; 32],
    size: usize,
}

impl<S: Store> Audit<S> {
    /// Opens the log of two stores of `size` bytes. A torn end is cut off, and that is said in the log; a damaged file is left as it
    /// is, and the chain goes on in the other.
    ///
    /// # Errors
    /// What the stores say.
    pub fn open(files: [S; 2], size: usize, wall: WallTime, now: Moment) -> io::Result<Self> {
        let parts = [read_part(&files[0].read()?), read_part(&files[1].read()?)];
        let last = |part: &Part| part.entries.last().map_or(0, |e| e.seq);
        let newest = usize::from(last(&parts[1]) > last(&parts[0]));
        let part = &parts[newest];
        let mut audit = Self {
            files,
            now: newest,
            at: part.good,
            seq: last(part),
            head: part.head,
            size,
        };
        let more = part.used.saturating_sub(part.good);
        // One line at most can be torn. Where others follow it, it was not the power.
        let rest = files_tail(&audit.files[newest].read()?, part);
        let torn = more <= MAX_RECORD && !rest.contains(&b'\n');
        if more > 0 && !torn {
            audit.turn(wall, now)?;
            audit.add(
                Kind::Damage,
                "",
                "the other file is damaged; it is kept until this one is full",
                wall,
                now,
            )?;
        } else if more > 0 {
            audit.files[newest].write(audit.at, &vec![0; more])?;
            audit.files[newest].sync()?;
            audit.add(Kind::Damage, "", "the last line was torn", wall, now)?;
        }
        Ok(audit)
    }

    /// Adds a line; it is on the disk when this returns.
    ///
    /// # Errors
    /// What the store says.
    pub fn add(
        &mut self,
        kind: Kind,
        who: &str,
        text: &str,
        wall: WallTime,
        now: Moment,
    ) -> io::Result<()> {
        let mut text = plain(text, Charset::Ascii);
        text.truncate(MAX_TEXT);
        let (json, hash) = self.line(kind, who, text, wall, now)?;
        let bytes = format!("{} {json}\n", hex(&hash)).into_bytes();
        if self.at + bytes.len() >= self.size {
            self.turn(wall, now)?;
            let again = serde_json::from_str::<Entry>(&json)?;
            return self.add(kind, who, &again.text, wall, now);
        }
        self.put(&bytes, hash)
    }

    fn line(
        &self,
        kind: Kind,
        who: &str,
        text: String,
        wall: WallTime,
        now: Moment,
    ) -> io::Result<(String, [u8; 32])> {
        let entry = Entry {
            seq: self.seq + 1,
            at: wall.rfc3339(),
            boot_ms: now.as_millis(),
            kind,
            who: who.to_owned(),
            text,
        };
        let json = serde_json::to_string(&entry)?;
        let hash = chain(self.head, &json);
        Ok((json, hash))
    }

    fn put(&mut self, bytes: &[u8], hash: [u8; 32]) -> io::Result<()> {
        let file = &mut self.files[self.now];
        file.write(self.at, bytes)?;
        file.sync()?;
        self.at += bytes.len();
        self.seq += 1;
        self.head = hash;
        Ok(())
    }

    /// Goes on in the other file.
    fn turn(&mut self, wall: WallTime, now: Moment) -> io::Result<()> {
        let other = 1 - self.now;
        self.files[other].write(0, &vec![0; self.size])?;
        self.files[other].sync()?;
        (self.now, self.at) = (other, 0);
        let (json, hash) = self.line(Kind::Carry, "", hex(&self.head), wall, now)?;
        self.put(format!("{} {json}\n", hex(&hash)).as_bytes(), hash)
    }

    /// Lines since the booth was made.
    pub fn lines(&self) -> u64 {
        self.seq
    }

    /// Hash of the newest line.
    pub fn head(&self) -> String {
        hex(&self.head)
    }

    /// Reads everything again and looks whether the chain holds up to the head that is known.
    ///
    /// # Errors
    /// What the stores say.
    pub fn check(&self) -> io::Result<Checked> {
        let new = read_part(&self.files[self.now].read()?);
        let old = read_part(&self.files[1 - self.now].read()?);
        let mut wrong = Vec::new();
        if old.used > old.good {
            wrong.push(format!("older file: not good from byte {}", old.good));
        }
        if new.used > new.good {
            wrong.push(format!("newer file: not good from byte {}", new.good));
        }
        if (new.head, new.entries.last().map_or(0, |e| e.seq)) != (self.head, self.seq) {
            wrong.push(format!(
                "newest line is not line {} that was written last",
                self.seq
            ));
        }
        if !old.entries.is_empty() && new.before != old.head {
            wrong.push("the newer file does not go on from the older".to_owned());
        }
        let mut entries = old.entries;
        entries.extend(new.entries);
        let mut heads = old.heads;
        heads.extend(new.heads);
        if let Some(pair) = entries.windows(2).find(|p| p[1].seq != p[0].seq + 1) {
            wrong.push(format!(
                "lines {} to {} are missing",
                pair[0].seq + 1,
                pair[1].seq - 1
            ));
        }
        Ok(Checked {
            entries,
            heads,
            wrong,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    #[derive(Clone, Debug)]
    struct Memory(Rc<RefCell<Vec<u8>>>);

    impl Store for Memory {
        fn read(&self) -> io::Result<Vec<u8>> {
            Ok(self.0.borrow().clone())
        }
        fn write(&mut self, at: usize, bytes: &[u8]) -> io::Result<()> {
            self.0.borrow_mut()[at..at + bytes.len()].copy_from_slice(bytes);
            Ok(())
        }
        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const SMALL: usize = 2048;
    const WALL: WallTime = WallTime(1_795_468_444_000);

    fn memory() -> [Memory; 2] {
        [(), ()].map(|()| Memory(Rc::new(RefCell::new(vec![0; SMALL]))))
    }

    fn open(files: &[Memory; 2]) -> Audit<Memory> {
        Audit::open(files.clone(), SMALL, WALL, Moment::ZERO).expect("memory does not fail")
    }

    fn filled(files: &[Memory; 2], lines: usize) -> Audit<Memory> {
        let mut audit = open(files);
        for i in 0..lines {
            let text = format!("show session {i}");
            audit
                .add(Kind::Typed, "view WO-1", &text, WALL, Moment::ZERO)
                .expect("memory");
        }
        audit
    }

    #[test]
    fn the_chain_goes_on_over_files_and_restarts() {
        let files = memory();
        for n in 1..=100u64 {
            let mut audit = open(&files);
            audit
                .add(
                    Kind::Typed,
                    "view WO-1",
                    "show\u{1b}[2J",
                    WALL,
                    Moment::ZERO,
                )
                .expect("memory");
            let checked = audit.check().expect("memory");
            assert_eq!(checked.wrong, Vec::<String>::new(), "{n}");
            let last = checked.entries.last().expect("one line");
            assert_eq!(
                (last.text.as_str(), last.seq),
                ("show<1b>[2J", audit.lines())
            );
        }
        assert!(
            open(&files).lines() > 100,
            "the turns have lines of their own"
        );
    }

    #[test]
    fn every_changed_byte_is_found() {
        let files = memory();
        let audit = filled(&files, 12);
        assert_eq!(audit.check().expect("memory").wrong, Vec::<String>::new());
        for file in &files {
            let used = file.0.borrow().iter().rposition(|b| *b != 0).expect("used");
            for at in (0..=used).chain([used + 1, SMALL - 1]) {
                for change in [1, 0x80] {
                    file.0.borrow_mut()[at] ^= change;
                    assert_ne!(
                        audit.check().expect("memory").wrong,
                        Vec::<String>::new(),
                        "byte {at}"
                    );
                    file.0.borrow_mut()[at] ^= change;
                }
            }
        }
    }

    #[test]
    fn a_torn_end_is_cut_off_and_said_and_damage_is_kept() {
        let files = memory();
        let audit = filled(&files, 5);
        let (lines, at) = (audit.lines(), audit.at);
        files[0].0.borrow_mut()[at..at + 70].fill(b'x');
        let again = open(&files);
        assert_eq!(again.lines(), lines + 1);
        let checked = again.check().expect("memory");
        assert_eq!(checked.wrong, Vec::<String>::new());
        assert_eq!(checked.entries.last().map(|e| e.kind), Some(Kind::Damage));

        // In the middle: nothing behind it is wiped, and it stays found.
        files[0].0.borrow_mut()[300] ^= 1;
        let before = files[0].0.borrow().clone();
        let after = open(&files);
        assert!(*files[0].0.borrow() == before, "it was written to");
        assert!(!after.check().expect("memory").wrong.is_empty());
    }
}
