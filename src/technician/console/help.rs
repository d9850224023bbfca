//! `help`, `?`, TAB, and what is wrong with a line.

use super::Console;
use crate::technician::command::Role;
use crate::technician::grammar::{self, Mistake, Typed};
use crate::technician::page::WIDTH;
use crate::technician::plain::wrap;
use crate::technician::report::{Body, Code, Report};
use crate::technician::store::Store;

/// Columns of what may stand somewhere; its explanation follows.
const NAME: usize = 20;

impl<S: Store> Console<S> {
    pub(super) fn help_at(&mut self, before: &str) {
        let lines = match grammar::help(before) {
            Ok(choices) => {
                let allowed = self.login.as_ref().map(|l| l.role);
                let first = !before.contains(' ');
                choices
                    .into_iter()
                    .filter(|(name, _)| !first || first_word_allowed(name, allowed))
                    .flat_map(|(name, help)| self.choice_lines(&name, help))
                    .collect()
            }
            Err(mistake) => self.mistake_lines(&mistake),
        };
        let mut out = b"?\r\n".to_vec();
        for line in lines {
            out.extend(line.bytes());
            out.extend(b"\r\n");
        }
        self.editor.redraw(&mut out);
        self.screen.write(&out);
    }

    fn choice_lines(&self, name: &str, help: &str) -> Vec<String> {
        let mut name = format!("  {name:<18}");
        let mut lines = Vec::new();
        for part in wrap(&self.style.say(help), WIDTH - NAME - 1) {
            lines.push(format!("{name} {part}"));
            name = " ".repeat(NAME);
        }
        lines
    }

    pub(super) fn complete_at(&mut self, before: &str) {
        let added = grammar::complete(before);
        if added.is_empty() {
            let choices = grammar::help(before).unwrap_or_default();
            if choices.len() > 1 {
                return self.help_at(before);
            }
            return self.screen.write(&[7]);
        }
        let mut out = Vec::new();
        self.editor.insert(&added, &mut out);
        self.screen.write(&out);
    }

    fn mistake_lines(&self, mistake: &Mistake) -> Vec<String> {
        let report = mistake_report(mistake);
        let texts = [report.title, report.next].map(|text| self.style.say(&text));
        let shown = texts.iter().filter(|text| !text.is_empty());
        shown.flat_map(|text| wrap(text, WIDTH)).collect()
    }
}

/// What is wrong with a line.
pub(super) fn mistake_report(mistake: &Mistake) -> Report {
    let mut report = Report::new(
        format!("{} (at character {})", mistake.what, mistake.at + 1),
        mistake.code,
    );
    if !mistake.allowed.is_empty() {
        report.next = format!("allowed there: {}", mistake.allowed.join(", "));
    }
    report
}

/// All commands that a role may give.
pub(super) fn report(role: Option<Role>) -> Report {
    let rows = grammar::all()
        .into_iter()
        .filter(|(_, _, typed)| is_allowed(typed, role))
        .map(|(form, help, _)| vec![form, help.to_owned()])
        .collect();
    let columns = ["command".to_owned(), "what it does".to_owned()].to_vec();
    Report {
        next: "`?` shows what may follow at any place, TAB completes, words may be cut short; --json on every command".to_owned(),
        ..Report::new("what this login allows", Code::Ok)
    }
    .with("", Body::Table { columns, rows })
}

fn is_allowed(typed: &Typed, role: Option<Role>) -> bool {
    typed
        .role()
        .is_none_or(|needed| role.is_some_and(|r| r >= needed))
}

/// Whether some command that begins with this word is allowed.
fn first_word_allowed(word: &str, role: Option<Role>) -> bool {
    grammar::all()
        .into_iter()
        .any(|(form, _, typed)| form.split(' ').next() == Some(word) && is_allowed(&typed, role))
}
