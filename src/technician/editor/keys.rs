//! Bytes of a keyboard to keys. What is no key is dropped: noise, 8-bit junk, unknown sequences. A sequence has at most eight bytes, so
//! that a stray ESC cannot swallow what follows.

/// Longest sequence behind ESC.
const MAX_SEQUENCE: usize = 8;

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Printable ASCII.
    Char(u8),
    Enter,
    Tab,
    Backspace,
    Delete,
    /// Ctrl-D.
    EndOrDelete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    KillEnd,
    KillStart,
    KillWord,
    Interrupt,
    Redraw,
}

/// What came before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Plain,
    /// CR: an LF behind it is the same key.
    Cr,
    Esc,
    /// `ESC [`, so many bytes of parameters, and the first of them.
    Csi(usize, u8),
    /// `ESC O`
    Ss3,
}

/// The decoder.
#[derive(Debug, Default)]
pub(super) struct Keys(State);

impl Keys {
    pub(super) fn byte(&mut self, byte: u8) -> Option<Key> {
        let before = std::mem::take(&mut self.0);
        match (before, byte) {
            (State::Esc, b'[') => {
                self.0 = State::Csi(0, 0);
                None
            }
            (State::Esc, b'O') => {
                self.0 = State::Ss3;
                None
            }
            (State::Csi(n, first), 0x20..=0x3f) if n < MAX_SEQUENCE => {
                self.0 = State::Csi(n + 1, if n == 0 { byte } else { first });
                None
            }
            (State::Csi(_, first), 0x40..=0x7e) => named(byte, first),
            (State::Ss3, 0x40..=0x7e) => named(byte, 0),
            // ESC and a character: the character's meaning with Alt is none.
            (State::Esc, 0x20..=0x7e) => None,
            (State::Cr, b'\n') => None,
            (_, b'\r') => {
                self.0 = State::Cr;
                Some(Key::Enter)
            }
            (_, 0x1b) => {
                self.0 = State::Esc;
                None
            }
            (_, byte) => plain(byte),
        }
    }
}

fn plain(byte: u8) -> Option<Key> {
    Some(match byte {
        0x01 => Key::Home,
        0x02 => Key::Left,
        0x03 => Key::Interrupt,
        0x04 => Key::EndOrDelete,
        0x05 => Key::End,
        0x06 => Key::Right,
        0x08 | 0x7f => Key::Backspace,
        b'\t' => Key::Tab,
        b'\n' => Key::Enter,
        0x0b => Key::KillEnd,
        0x0c | 0x12 => Key::Redraw,
        0x0e => Key::Down,
        0x10 => Key::Up,
        0x15 => Key::KillStart,
        0x17 => Key::KillWord,
        b' '..=b'~' => Key::Char(byte),
        _ => return None,
    })
}

fn named(last: u8, first: u8) -> Option<Key> {
    Some(match (last, first) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', _) => Key::Right,
        (b'D', _) => Key::Left,
        (b'H', _) | (b'~', b'1' | b'7') => Key::Home,
        (b'F', _) | (b'~', b'4' | b'8') => Key::End,
        (b'~', b'3') => Key::Delete,
        _ => return None,
    })
}
