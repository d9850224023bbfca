//! What may go to a terminal. Data never moves a cursor, changes a colour or hides a character: of text that came from anywhere only
//! listed characters are shown, all others as `<hex>`. A list of what is allowed cannot forget what is dangerous.

use unicode_width::UnicodeWidthChar as _;

/// What the technician's terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// Printable ASCII.
    #[default]
    Ascii,
    /// Latin, Greek, Cyrillic, punctuation, boxes, Chinese and its punctuation.
    Utf8,
}

/// Ranges that a UTF-8 terminal is given beside ASCII. None of them has marks that join, change direction, or have no width.
const SHOWN: &[(char, char)] = &[
    // Latin but for the soft hyphen, Greek, Cyrillic.
    ('\u{a1}', '\u{ac}'),
    ('\u{ae}', '\u{24f}'),
    ('\u{391}', '\u{3a1}'),
    ('\u{3a3}', '\u{3ff}'),
    ('\u{400}', '\u{482}'),
    ('\u{48a}', '\u{4ff}'),
    // Punctuation, arrows, boxes and blocks.
    ('\u{2010}', '\u{2027}'),
    ('\u{2030}', '\u{205e}'),
    ('\u{2190}', '\u{21ff}'),
    ('\u{2500}', '\u{259f}'),
    // Chinese, Japanese and their punctuation; full-width forms.
    ('\u{3001}', '\u{3029}'),
    ('\u{3041}', '\u{3096}'),
    ('\u{30a0}', '\u{30ff}'),
    ('\u{3400}', '\u{4dbf}'),
    ('\u{4e00}', '\u{9fff}'),
    ('\u{ff01}', '\u{ff60}'),
    ('\u{ffe0}', '\u{ffe6}'),
];

/// Whether a character is shown as it is.
pub fn is_shown(c: char, charset: Charset) -> bool {
    match c {
        ' '..='~' => true,
        _ if charset == Charset::Ascii => false,
        c => SHOWN.iter().any(|(from, to)| (*from..=*to).contains(&c)),
    }
}

/// The text as it may go to the terminal: one line, whatever it was.
pub fn plain(text: &str, charset: Charset) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_shown(c, charset) {
            shown.push(c);
        } else {
            shown.push_str(&format!("<{:02x}>", u32::from(c)));
        }
    }
    shown
}

/// JSON for the terminal: what is not shown as it is becomes `\uXXXX`, so it stays the same JSON.
pub fn plain_json(json: &str, charset: Charset) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if is_shown(c, charset) {
            shown.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    shown
}

/// Columns that plain text takes.
pub fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The first part of a text that takes at most `most` columns, and the rest.
pub fn split_columns(text: &str, most: usize) -> (&str, &str) {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > most {
            return text.split_at(at);
        }
    }
    (text, "")
}

/// Marks that do not begin a line, and marks that do not end one (the part of UAX 14 that the console's texts need).
const CLOSING: &str = "，。、；：？！）》」』";
const OPENING: &str = "（《「『";

/// Whether a line may end between two characters: at a blank, and on both sides of what takes two columns.
fn may_break(before: char, after: char) -> bool {
    let wide = |c: char| c.width() == Some(2);
    before == ' '
        || after == ' '
        || (wide(before) || wide(after)) && !CLOSING.contains(after) && !OPENING.contains(before)
}

/// The last place in a text where a line may end, up to this one; none: only before all that is no blank.
fn last_break(text: &str, upto: usize) -> Option<usize> {
    let mut behind = text[upto..].chars().next();
    for (at, c) in text[..upto].char_indices().rev() {
        let end = at + c.len_utf8();
        if behind.is_none_or(|behind| may_break(c, behind)) && !text[..end].trim().is_empty() {
            return Some(end);
        }
        behind = Some(c);
    }
    None
}

/// Lines of at most `most` columns, broken at blanks and between Chinese characters where there are some.
pub fn wrap(text: &str, most: usize) -> Vec<String> {
    let most = most.max(2);
    let mut lines = Vec::new();
    let mut rest = text.trim_end();
    loop {
        let (first, more) = split_columns(rest, most);
        if more.is_empty() {
            lines.push(first.to_owned());
            return lines;
        }
        let at = last_break(rest, first.len()).unwrap_or(first.len());
        lines.push(rest[..at].trim_end().to_owned());
        rest = rest[at..].trim_start_matches(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_shown() {
        let check = |text: &str, ascii: &str, utf8: &str| {
            assert_eq!(plain(text, Charset::Ascii), ascii);
            assert_eq!(plain(text, Charset::Utf8), utf8);
        };
        check("camera ok", "camera ok", "camera ok");
        check("\u{1b}[2J\u{7}", "<1b>[2J<07>", "<1b>[2J<07>");
        check(
            "a\r\nb\tc\u{7f}",
            "a<0d><0a>b<09>c<7f>",
            "a<0d><0a>b<09>c<7f>",
        );
        check("\u{9b}31m", "<9b>31m", "<9b>31m");
        check(
            "\u{202e}x\u{2066}\u{200f}",
            "<202e>x<2066><200f>",
            "<202e>x<2066><200f>",
        );
        check(
            "a\u{200b}\u{feff}\u{ad}\u{301}",
            "a<200b><feff><ad><301>",
            "a<200b><feff><ad><301>",
        );
        check(
            "\u{2028}\u{e000}\u{e0041}\u{a0}",
            "<2028><e000><e0041><a0>",
            "<2028><e000><e0041><a0>",
        );
        check("灯 é", "<706f> <e9>", "灯 é");
    }

    #[test]
    fn every_character_that_is_shown_has_a_width_and_moves_nothing() {
        for c in '\0'..=char::MAX {
            if is_shown(c, Charset::Utf8) {
                assert!(!c.is_control(), "{c:?}");
                assert!(matches!(c.width(), Some(1 | 2)), "{c:?} {:?}", c.width());
            }
        }
    }

    proptest! {
        #[test]
        fn wrapped_text_fits_and_loses_nothing(text in "[ -~灯é]{0,300}", most in 2usize..90) {
            let lines = wrap(&text, most);
            for line in &lines {
                prop_assert!(columns(line) <= most, "{line:?}");
            }
            let letters = |s: &str| s.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }

        #[test]
        fn json_stays_the_same(text in "\\PC{0,40}|[\\x00-\\u{ff}\\u{2000}-\\u{2070}]{0,40}") {
            let json = serde_json::to_string(&text).expect("a text");
            for charset in [Charset::Ascii, Charset::Utf8] {
                let shown = plain_json(&json, charset);
                prop_assert!(shown.chars().all(|c| is_shown(c, charset)));
                prop_assert_eq!(serde_json::from_str::<String>(&shown).expect("still JSON"), text.clone());
            }
        }
    }
}
