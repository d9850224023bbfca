//! The console's Chinese: a catalogue of English texts as the code has them, and what they are in Chinese (`texts/zh.toml`, part of the
//! binary). It is applied where a text becomes a line of the terminal, so that what goes over the control socket, into the audit log and
//! into JSON stays English. What has no entry stays English, too.
//!
//! An entry with gaps is for texts that are put together; [`Gap`] says what may stand there. The Chinese has the same gaps in the same
//! order, or names them by number (`{2}`).

use super::report::Code;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const ZH: &str = include_str!("texts/zh.toml");
/// The section of the results' words; all others are there for whoever reads the file.
const RESULTS: &str = "result";

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let mut sections: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(ZH)
        // A test reads the file; without it the console would be in English.
        .unwrap_or_default();
    let results = sections.remove(RESULTS).unwrap_or_default();
    let (composed, whole): (Vec<_>, Vec<_>) = sections
        .into_values()
        .flatten()
        .partition(|(english, _)| english.contains('{'));
    let mut patterns: Vec<Pattern> = composed
        .into_iter()
        .map(|(english, chinese)| Pattern::new(&english, &chinese))
        .collect();
    // Of several that fit, the one that says most.
    patterns.sort_by_key(|p| std::cmp::Reverse(p.literals.iter().map(String::len).sum::<usize>()));
    Catalogue {
        whole: whole.into_iter().collect(),
        patterns,
        results,
    }
});

struct Catalogue {
    whole: BTreeMap<String, String>,
    patterns: Vec<Pattern>,
    results: BTreeMap<String, String>,
}

/// What a gap takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    /// `{}`: anything, and it stays as it is: a code, a place, a word to be typed.
    AsItIs,
    /// `{n}`: a number.
    Number,
    /// `{text}`: anything; it is looked up.
    Text,
    /// `{word}`: what has an entry of its own.
    Word,
}

impl Gap {
    fn named(name: &str) -> Self {
        match name {
            "n" => Self::Number,
            "text" => Self::Text,
            "word" => Self::Word,
            _ => Self::AsItIs,
        }
    }

    /// The Chinese of what stands in it; none: it does not belong there.
    fn filled(self, with: &str) -> Option<String> {
        let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+');
        match self {
            Self::Number if !with.chars().all(is_number) => None,
            Self::Text => Some(chinese(with).unwrap_or_else(|| with.to_owned())),
            Self::Word => chinese_word(with).map(str::to_owned),
            Self::AsItIs | Self::Number => Some(with.to_owned()),
        }
    }
}

/// An entry with gaps.
struct Pattern {
    /// What stands before, between and behind the gaps of the English.
    literals: Vec<String>,
    gaps: Vec<Gap>,
    /// Literals of the Chinese, and which gap follows each but the last.
    chinese: (Vec<String>, Vec<usize>),
}

/// Literals and the names of the gaps between them.
fn pieces(template: &str) -> (Vec<String>, Vec<String>) {
    let (mut literals, mut gaps) = (Vec::new(), Vec::new());
    let mut rest = template;
    while let Some((literal, more)) = rest.split_once('{') {
        let (gap, behind) = more.split_once('}').unwrap_or((more, ""));
        literals.push(literal.to_owned());
        gaps.push(gap.to_owned());
        rest = behind;
    }
    literals.push(rest.to_owned());
    (literals, gaps)
}

impl Pattern {
    fn new(english: &str, chinese: &str) -> Self {
        let (literals, gaps) = pieces(english);
        let (chinese, names) = pieces(chinese);
        let order = names.iter().enumerate();
        let order = order.map(|(i, name)| name.parse().map_or(i, |n: usize| n.saturating_sub(1)));
        Self {
            literals,
            gaps: gaps.iter().map(|name| Gap::named(name)).collect(),
            chinese: (chinese, order.collect()),
        }
    }

    /// What stands in the gaps of this text; none: it is not of this pattern.
    fn parts<'a>(&self, text: &'a str) -> Option<Vec<&'a str>> {
        let [first, between @ .., last] = &self.literals[..] else {
            return None;
        };
        let text = text.strip_prefix(first.as_str())?;
        let mut rest = text.strip_suffix(last.as_str())?;
        let mut parts = Vec::new();
        for literal in between {
            let (part, more) = rest.split_once(literal.as_str())?;
            parts.push(part);
            rest = more;
        }
        parts.push(rest);
        parts.iter().all(|part| !part.is_empty()).then_some(parts)
    }

    fn chinese(&self, english: &str) -> Option<String> {
        let parts = self.parts(english)?;
        let filled: Option<Vec<String>> = self
            .gaps
            .iter()
            .zip(parts)
            .map(|(gap, part)| gap.filled(part))
            .collect();
        let filled = filled?;
        let (literals, order) = &self.chinese;
        let mut text = String::new();
        for (i, literal) in literals.iter().enumerate() {
            text.push_str(literal);
            let part = order.get(i).and_then(|n| filled.get(*n));
            text.push_str(part.map_or("", String::as_str));
        }
        Some(text)
    }
}

/// The Chinese of a text: of the whole, of a pattern that it is made by, or of its parts (`a: b`, lists).
pub fn chinese(english: &str) -> Option<String> {
    let catalogue = &*CATALOGUE;
    if let Some(chinese) = catalogue.whole.get(english) {
        return Some(chinese.clone());
    }
    let of_pattern = |pattern: &Pattern| pattern.chinese(english);
    if let Some(chinese) = catalogue.patterns.iter().find_map(of_pattern) {
        return Some(chinese);
    }
    // Half a sentence helps nobody: of a list all is known, but for numbers.
    let (head, rest) = english.split_once(": ").unwrap_or((english, ""));
    if !rest.is_empty()
        && let Some(head) = chinese_word(head)
    {
        let rest = chinese(rest).unwrap_or_else(|| rest.to_owned());
        return Some(format!("{head}：{rest}"));
    }
    for (between, chinese_between) in [("; ", "；"), (", ", "、")] {
        if english.contains(between) {
            let parts: Option<Vec<String>> = english.split(between).map(known).collect();
            let parts = parts.filter(|parts| parts.iter().any(|part| !part.is_ascii()));
            return Some(parts?.join(chinese_between));
        }
    }
    None
}

/// The Chinese of a part, or the part itself if nothing in it is a word: a number, a moment.
fn known(part: &str) -> Option<String> {
    let mut runs = part.split(|c: char| !c.is_ascii_alphabetic());
    let wordless = runs.all(|letters| letters.len() < 2);
    chinese(part).or_else(|| wordless.then(|| part.to_owned()))
}

/// The Chinese of just this text: for cells of tables, which may hold what somebody has typed.
pub fn chinese_word(english: &str) -> Option<&'static str> {
    CATALOGUE.whole.get(english).map(String::as_str)
}

/// What stands behind a result's number and word.
pub fn chinese_result(code: Code) -> Option<&'static str> {
    CATALOGUE.results.get(code.word()).map(String::as_str)
}

#[cfg(test)]
mod tests;
