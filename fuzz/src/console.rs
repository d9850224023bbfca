//! What a technician, or noise, types: lines through the grammar, bytes through the line editor.

use boothd::technician::command::Command;
use boothd::technician::editor::{Edit, Editor};
use boothd::technician::grammar::{MAX_LINE, Typed, complete, help, parse};

/// The first byte chooses: a line for the grammar, or keys for the editor.
pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else {
        return;
    };
    if mode % 2 == 0 {
        line(&String::from_utf8_lossy(rest));
    } else {
        keys(rest);
    }
}

/// A line is a command that the wire carries unchanged, or a mistake within the line.
fn line(text: &str) {
    match parse(text) {
        Ok(None) => {}
        Ok(Some(found)) => {
            assert!(text.len() <= MAX_LINE);
            if let Typed::Booth(command) = found.typed {
                let json = serde_json::to_string(&command).expect("a command is JSON");
                let again: Command = serde_json::from_str(&json).expect("and JSON is a command");
                assert_eq!(command, again);
            }
        }
        Err(mistake) => {
            assert!(mistake.at <= text.len());
            assert!(!mistake.what.is_empty());
        }
    }
    // What TAB adds leads to no mistake.
    let added = complete(text);
    if !added.is_empty() {
        let longer = [text, &added].concat();
        assert!(help(&longer).is_ok());
    }
}

/// A terminal of 80 columns that understands CR, LF, BS and BEL, and is given nothing else.
fn keys(bytes: &[u8]) {
    let (mut editor, mut out) = (Editor::default(), Vec::new());
    let (mut column, mut completed) = (0usize, 0);
    editor.remember("show faults");
    editor.begin(
        "BOOTH-0001 service> ",
        !bytes.len().is_multiple_of(4),
        &mut out,
    );
    for byte in bytes {
        match editor.byte(*byte, &mut out) {
            Some(Edit::Line(line)) => {
                assert!(line.len() <= MAX_LINE);
                assert!(line.bytes().all(|b| (b' '..=b'~').contains(&b)));
                editor.remember(&line);
                editor.redraw(&mut out);
            }
            // Each takes longer than all the other keys together.
            Some(Edit::Complete(before)) if completed < 4 => {
                completed += 1;
                let added = complete(&before);
                editor.insert(&added, &mut out);
            }
            Some(_) => editor.redraw(&mut out),
            None => {}
        }
        for shown in out.drain(..) {
            match shown {
                b'\r' => column = 0,
                b'\n' | 7 => {}
                8 => {
                    column = column
                        .checked_sub(1)
                        .expect("never left of the first column")
                }
                b' '..=b'~' => column += 1,
                other => panic!("{other:#04x} goes to the terminal"),
            }
            assert!(column < 80);
        }
    }
}
