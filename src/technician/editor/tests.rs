//! Keys, and what the terminal shows of them.

use super::*;
use proptest::prelude::*;

/// What a terminal of 80 columns shows in its last line.
#[derive(Default)]
struct Terminal {
    cells: Vec<u8>,
    column: usize,
}

impl Terminal {
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\r' => self.column = 0,
                b'\n' => self.cells.clear(),
                8 => {
                    self.column = self
                        .column
                        .checked_sub(1)
                        .expect("never left of the first column")
                }
                7 => {}
                b' '..=b'~' => {
                    assert!(self.column < 79, "never in the last column");
                    self.cells
                        .resize(self.cells.len().max(self.column + 1), b' ');
                    self.cells[self.column] = *byte;
                    self.column += 1;
                }
                other => panic!("byte {other:#x} goes to the terminal"),
            }
        }
    }

    fn shows(&self) -> String {
        String::from_utf8_lossy(&self.cells).trim_end().to_owned()
    }
}

/// Types into a new editor that knows two lines; what the terminal shows, where the cursor is, and what came of it.
fn typed(keys: &[u8]) -> (String, usize, Vec<Edit>) {
    let (mut editor, mut out, mut terminal) = (Editor::default(), Vec::new(), Terminal::default());
    editor.remember("show faults");
    editor.remember("test camera");
    editor.begin("b> ", true, &mut out);
    let edits = keys
        .iter()
        .filter_map(|b| editor.byte(*b, &mut out))
        .collect();
    terminal.take(&out);
    (terminal.shows(), terminal.column, edits)
}

#[test]
fn keys_and_lines() {
    let check = |keys: &[u8], shows: &str, column: usize| {
        let (seen, at, _) = typed(keys);
        assert_eq!(
            (seen.as_str(), at),
            (shows, column),
            "{:?}",
            String::from_utf8_lossy(keys)
        );
    };
    check(b"show", "b> show", 7);
    check(b"shw\x1b[Do", "b> show", 6);
    check(b"sshow\x01\x1b[3~", "b> show", 3);
    check(b"show x\x7f\x08", "b> show", 7);
    check(b"show ver\x17", "b> show", 8);
    check(b"show ver\x15", "b>", 3);
    check(b"show\x1bOH\x0b", "b>", 3);
    check(b"\x1b[A", "b> test camera", 14);
    check(b"\x10\x10\x10", "b> show faults", 14);
    check(b"abc\x1b[A\x1b[B", "b> abc", 6);
    check(b"\xff\xfe\x00\x80a\xe4\xb8\xad", "b> a", 4);
    check(b"\x1b[999999999mx", "b> 9mx", 6);
    check(b"\x1b]0;x", "b> 0;x", 6);
}

#[test]
fn what_comes_of_keys() {
    let check = |keys: &[u8], expected: Vec<Edit>| assert_eq!(typed(keys).2, expected, "{keys:?}");
    let line = |text: &str| Edit::Line(text.to_owned());
    check(b"a\r\nb\nc\r", vec![line("a"), line("b"), line("c")]);
    check(b"\r\r", vec![line(""), line("")]);
    check(b"sh ?", vec![Edit::Help("sh ".to_owned())]);
    check(b"sh\t", vec![Edit::Complete("sh".to_owned())]);
    check(b"x\x03", vec![Edit::Interrupt]);
    check(b"\x04", vec![Edit::End]);
    check(b"x\x04", vec![]);
    let long = [&[b'x'; 257][..], b"\r"].concat();
    check(&long, vec![Edit::TooLong]);
    let fits = [&[b'x'; 256][..], b"\r"].concat();
    check(&fits, vec![line(&"x".repeat(256))]);
}

proptest! {
    #[test]
    fn whatever_is_typed_the_terminal_shows_the_line(keys in proptest::collection::vec(any::<u8>(), 0..400)) {
        let (mut editor, mut out, mut terminal) = (Editor::default(), Vec::new(), Terminal::default());
        editor.remember("show faults");
        editor.begin("b> ", true, &mut out);
        for key in keys {
            if let Some(edit) = editor.byte(key, &mut out) {
                if let Edit::Line(line) = edit {
                    prop_assert!(line.len() <= MAX_LINE && line.bytes().all(|b| (b' '..=b'~').contains(&b)));
                }
                editor.redraw(&mut out);
            }
            terminal.take(&out);
            out.clear();
            let end = editor.line.len().min(editor.first + editor.room());
            let shown = format!("b> {}", String::from_utf8_lossy(&editor.line[editor.first..end]));
            prop_assert_eq!(terminal.shows(), shown.trim_end());
            prop_assert_eq!(terminal.column, 3 + editor.cursor - editor.first);
        }
    }
}
