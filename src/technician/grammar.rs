//! How commands are typed: a table of forms, each a row of words and arguments. From the same table come the parser, unique
//! abbreviations, `?` help and TAB completion, so that none of them can know a command that the others do not.

mod forms;
#[cfg(test)]
mod tests;

use super::command::{Command, Role, SessionQuery, When, WorkOrder};
use super::report::Code;
use forms::FORMS;

/// Longest line that is read, in bytes; more is refused whole.
pub const MAX_LINE: usize = 256;
/// Most words of a line.
const MAX_WORDS: usize = 16;

/// What the console answers itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Local {
    /// `help`: all commands that the login allows.
    Help,
    /// `login ROLE WORK-ORDER`
    Login {
        /// What is asked for.
        role: Role,
        /// For which work order.
        work_order: WorkOrder,
    },
    /// `logout`
    Logout,
    /// `show audit`
    Audit,
    /// `terminal ...`
    Terminal(Terminal),
}

/// How the console writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    /// UTF-8 (true) or ASCII.
    Utf8(bool),
    /// Chinese (true) or English.
    Chinese(bool),
    /// With colour.
    Color(bool),
    /// Lines of a page; 0: no paging.
    Length(u16),
}

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// For the booth.
    Booth(Command),
    /// For the console.
    Local(Local),
}

impl Typed {
    /// The role that is needed; none: allowed before login.
    pub fn role(&self) -> Option<Role> {
        match self {
            Self::Booth(command) => Some(command.role()),
            Self::Local(Local::Audit | Local::Logout) => Some(Role::View),
            Self::Local(Local::Help | Local::Login { .. } | Local::Terminal(_)) => None,
        }
    }

    /// When it may run.
    pub fn when(&self) -> When {
        match self {
            Self::Booth(command) => command.when(),
            Self::Local(_) => When::Anytime,
        }
    }
}

/// A line, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The command.
    pub typed: Typed,
    /// `--json` was among the words.
    pub json: bool,
}

/// A line that is not a command: which word, what is wrong with it, what is allowed there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The number for scripts.
    pub code: Code,
    /// Where in the line the word begins, in bytes.
    pub at: usize,
    /// What is wrong.
    pub what: String,
    /// What is allowed there.
    pub allowed: Vec<String>,
}

/// A word or argument of a form.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// Just this word.
    Word(&'static str, &'static str),
    /// One of these words.
    OneOf(&'static str, &'static [(&'static str, &'static str)]),
    /// A whole number within a range; `suffix` may stand behind it.
    Number {
        name: &'static str,
        least: u32,
        most: u32,
        suffix: &'static str,
        help: &'static str,
    },
    /// A session's id or reference.
    Session,
    /// A work order.
    Order,
}

/// What an argument was.
#[derive(Clone, Debug)]
enum Given {
    /// Which of the words.
    Choice(usize),
    Number(u32),
    Session(SessionQuery),
    Order(WorkOrder),
}

/// Makes a command of its arguments.
type Make = Box<dyn Fn(&[Given]) -> Option<Typed> + Send + Sync>;

/// A way to type a command.
struct Form {
    parts: Vec<Part>,
    help: &'static str,
    make: Make,
}

/// How well a word fits a part.
#[derive(Clone, Debug)]
enum Fit {
    No,
    /// An abbreviation of these words.
    Begins(Vec<(&'static str, Option<usize>)>),
    Whole(Option<Given>),
    /// An argument that is not allowed, and why.
    Bad(String),
}

impl Part {
    fn fit(self, word: &str) -> Fit {
        match self {
            Self::Word(own, _) if own == word => Fit::Whole(None),
            Self::Word(own, _) if own.starts_with(word) => Fit::Begins(vec![(own, None)]),
            Self::Word(..) => Fit::No,
            Self::OneOf(_, words) => {
                if let Some(i) = words.iter().position(|(w, _)| *w == word) {
                    return Fit::Whole(Some(Given::Choice(i)));
                }
                let begins: Vec<_> = words
                    .iter()
                    .enumerate()
                    .filter(|(_, (w, _))| w.starts_with(word))
                    .map(|(i, (w, _))| (*w, Some(i)))
                    .collect();
                if begins.is_empty() {
                    Fit::No
                } else {
                    Fit::Begins(begins)
                }
            }
            Self::Number {
                name,
                least,
                most,
                suffix,
                ..
            } => {
                let digits = word.strip_suffix(suffix).unwrap_or(word);
                let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                match digits.parse::<u32>() {
                    Ok(n) if is_number && (least..=most).contains(&n) => {
                        Fit::Whole(Some(Given::Number(n)))
                    }
                    _ if word.bytes().next().is_some_and(|b| b.is_ascii_digit()) => Fit::Bad(
                        format!("{name}: allowed are whole numbers {least} to {most}"),
                    ),
                    _ => Fit::No,
                }
            }
            Self::Session => match SessionQuery::try_from(word.to_owned()) {
                Ok(query) => Fit::Whole(Some(Given::Session(query))),
                Err(why) => Fit::Bad(why),
            },
            Self::Order => match WorkOrder::try_from(word.to_owned()) {
                Ok(order) => Fit::Whole(Some(Given::Order(order))),
                Err(why) => Fit::Bad(why),
            },
        }
    }

    /// Name and help of everything that may stand here.
    fn choices(self) -> Vec<(String, &'static str)> {
        match self {
            Self::Word(word, help) => vec![(word.to_owned(), help)],
            Self::OneOf(_, words) => words.iter().map(|(w, h)| ((*w).to_owned(), *h)).collect(),
            Self::Number {
                least,
                most,
                suffix,
                help,
                ..
            } => vec![(format!("<{least}..{most}>{suffix}"), help)],
            Self::Session => vec![(
                "<ID>".to_owned(),
                "26 characters, or the reference XXXX-XXXX",
            )],
            Self::Order => vec![(
                "<WORK-ORDER>".to_owned(),
                "1 to 16 letters, digits, hyphens",
            )],
        }
    }

    /// As it stands in the help of the whole form.
    fn shown(self) -> String {
        match self {
            Self::Word(word, _) => word.to_owned(),
            Self::OneOf(name, _) => name.to_owned(),
            Self::Number { name, suffix, .. } => format!("{name}{suffix}"),
            Self::Session => "ID".to_owned(),
            Self::Order => "WORK-ORDER".to_owned(),
        }
    }
}

/// The words of a line with their places. `--json` is taken out wherever it stands.
fn words(line: &str) -> (Vec<(usize, String)>, bool) {
    let mut found = Vec::new();
    let mut json = false;
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c != ' ') {
        let at = line.len() - rest.len() + start;
        let word = rest[start..].split(' ').next().unwrap_or("");
        if word.eq_ignore_ascii_case("--json") {
            json = true;
        } else {
            found.push((at, word.to_ascii_lowercase()));
        }
        rest = &rest[start + word.len()..];
    }
    (found, json)
}

/// A form that goes with all words so far, and its arguments.
struct Match {
    form: &'static Form,
    given: Vec<Given>,
}

/// Narrows the forms down, word by word.
fn narrow(words: &[(usize, String)]) -> Result<Vec<Match>, Mistake> {
    let all = || {
        FORMS.iter().map(|form| Match {
            form,
            given: Vec::new(),
        })
    };
    let mut matches: Vec<Match> = all().collect();
    for (i, (at, word)) in words.iter().enumerate() {
        let fits: Vec<(Match, Fit)> = matches
            .into_iter()
            .map(|m| {
                let fit = m.form.parts.get(i).map_or(Fit::No, |part| part.fit(word));
                (m, fit)
            })
            .collect();
        let whole = fits
            .iter()
            .any(|(_, fit)| matches!(fit, Fit::Whole(None | Some(Given::Choice(_)))));
        // Words that it abbreviates; a whole word is never an abbreviation of a longer one.
        let mut begun: Vec<&str> = Vec::new();
        if !whole {
            for (_, fit) in &fits {
                if let Fit::Begins(words) = fit {
                    begun.extend(words.iter().map(|(w, _)| *w));
                }
            }
            begun.sort_unstable();
            begun.dedup();
        }
        if begun.len() > 1 {
            return Err(Mistake {
                code: Code::Ambiguous,
                at: *at,
                what: format!("`{word}` is short for several words"),
                allowed: begun.into_iter().map(str::to_owned).collect(),
            });
        }
        let bad = fits.iter().find_map(|(_, fit)| match fit {
            Fit::Bad(why) => Some(why.clone()),
            _ => None,
        });
        let possible: Vec<Part> = fits
            .iter()
            .filter_map(|(m, _)| m.form.parts.get(i).copied())
            .collect();
        let only = begun.first().copied();
        matches = fits
            .into_iter()
            .filter_map(|(mut m, fit)| {
                match fit {
                    Fit::Whole(given) => m.given.extend(given),
                    Fit::Begins(words) if !whole => {
                        let (_, choice) = words.into_iter().find(|(w, _)| Some(*w) == only)?;
                        m.given.extend(choice.map(Given::Choice));
                    }
                    _ => return None,
                }
                Some(m)
            })
            .collect();
        if matches.is_empty() {
            let argument = bad.is_some();
            let mut names: Vec<String> = possible
                .into_iter()
                .flat_map(|part| part.choices().into_iter().map(|(name, _)| name))
                .collect();
            names.sort_unstable();
            names.dedup();
            return Err(Mistake {
                code: if argument {
                    Code::Argument
                } else {
                    Code::Syntax
                },
                at: *at,
                what: bad.unwrap_or_else(|| {
                    if names.is_empty() {
                        "nothing may follow here".to_owned()
                    } else {
                        format!("`{word}` is not known here")
                    }
                }),
                allowed: names,
            });
        }
    }
    Ok(matches)
}

/// Reads a line of at most [`MAX_LINE`] bytes. An empty line is nothing.
///
/// # Errors
/// [`Mistake`].
pub fn parse(line: &str) -> Result<Option<Line>, Mistake> {
    if line.len() > MAX_LINE {
        return Err(Mistake {
            code: Code::TooLong,
            at: MAX_LINE,
            what: format!("more than {MAX_LINE} bytes"),
            allowed: Vec::new(),
        });
    }
    let (words, json) = words(line);
    if words.is_empty() {
        return Ok(None);
    }
    if words.len() > MAX_WORDS {
        return Err(Mistake {
            code: Code::Syntax,
            at: words[MAX_WORDS].0,
            what: "too many words".to_owned(),
            allowed: Vec::new(),
        });
    }
    let matches = narrow(&words)?;
    let complete = matches.iter().find(|m| m.form.parts.len() == words.len());
    let typed = complete.and_then(|m| (m.form.make)(&m.given));
    typed
        .map(|typed| Some(Line { typed, json }))
        .ok_or_else(|| Mistake {
            code: Code::Syntax,
            at: line.trim_end().len(),
            what: "something is missing".to_owned(),
            allowed: following(&matches, words.len())
                .into_iter()
                .map(|(name, _)| name)
                .collect(),
        })
}

/// What may stand at a position.
fn following(matches: &[Match], at: usize) -> Vec<(String, &'static str)> {
    let mut found: Vec<(String, &'static str)> = Vec::new();
    for m in matches {
        let choices = match m.form.parts.get(at) {
            Some(part) => part.choices(),
            None if m.form.parts.len() == at => vec![("<enter>".to_owned(), m.form.help)],
            None => Vec::new(),
        };
        for choice in choices {
            if !found.iter().any(|(name, _)| *name == choice.0) {
                found.push(choice);
            }
        }
    }
    found
}

/// What `?` shows at the end of `before`: name and help of everything that can stand there.
///
/// # Errors
/// [`Mistake`] if what stands before is none.
pub fn help(before: &str) -> Result<Vec<(String, &'static str)>, Mistake> {
    let (mut words, json) = words(before);
    let whole = json && before.to_ascii_lowercase().ends_with("--json");
    let typing = !(before.is_empty() || before.ends_with(' ') || whole);
    let last = if typing { words.pop() } else { None };
    let matches = narrow(&words)?;
    let mut choices = following(&matches, words.len());
    if !words.is_empty() && !json && choices.iter().any(|(name, _)| name == "<enter>") {
        choices.push(("--json".to_owned(), "the answer as JSON, in one line"));
    }
    if let Some((_, word)) = last {
        let word = word.as_str();
        choices.retain(|(name, _)| {
            name.starts_with(word) || name.starts_with('<') && name != "<enter>"
        });
    }
    Ok(choices)
}

/// What TAB adds at the end of `before`: the rest of the only word that can stand there and a blank, or as much as all of them share.
pub fn complete(before: &str) -> String {
    let last = before.rsplit(' ').next().unwrap_or("").to_ascii_lowercase();
    let Ok(choices) = help(before) else {
        return String::new();
    };
    let names: Vec<&str> = choices
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| !name.starts_with('<') && name.starts_with(&last))
        .collect();
    let Some(first) = names.first() else {
        return String::new();
    };
    let shared = names.iter().skip(1).fold(first.len(), |n, name| {
        let same = first
            .bytes()
            .zip(name.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        n.min(same)
    });
    let mut added = first.get(last.len()..shared).unwrap_or("").to_owned();
    if names.len() == 1 && choices.len() == 1 {
        added.push(' ');
    }
    added
}

/// Every form as it is typed, with its help and what it makes of the smallest arguments; for `help` and for the matrix of roles.
pub fn all() -> Vec<(String, &'static str, Typed)> {
    FORMS
        .iter()
        .filter_map(|form| {
            let parts: Vec<String> = form.parts.iter().map(|p| p.shown()).collect();
            let given: Vec<Given> = form.parts.iter().filter_map(|p| p.smallest()).collect();
            Some((parts.join(" "), form.help, (form.make)(&given)?))
        })
        .collect()
}

/// All explanations, of forms and of what they are made of.
#[cfg(test)]
pub(super) fn explanations() -> Vec<&'static str> {
    let of_parts = |form: &'static Form| form.parts.iter().flat_map(|part| part.choices());
    let parts = FORMS.iter().flat_map(of_parts).map(|(_, help)| help);
    parts.chain(FORMS.iter().map(|form| form.help)).collect()
}

impl Part {
    /// The smallest argument that is allowed here.
    fn smallest(&self) -> Option<Given> {
        match self {
            Self::Word(..) => None,
            Self::OneOf(..) => Some(Given::Choice(0)),
            Self::Number { least, .. } => Some(Given::Number(*least)),
            Self::Session => SessionQuery::try_from("00000000".to_owned())
                .ok()
                .map(Given::Session),
            Self::Order => WorkOrder::try_from("0".to_owned()).ok().map(Given::Order),
        }
    }
}
