//! Counting over frames: a text or a check is believed when it came often enough. A misread character differs from frame to
//! frame, what is printed does not.

use crate::base::secret::Secret;
use crate::perception::document::field::FieldCheck;

/// How many different texts are kept; more means that nothing is certain, and the rarest is dropped.
const N_TEXTS: usize = 8;

/// Votes for the text of one field.
#[derive(Clone, Debug, Default)]
pub struct TextVotes(Vec<(Secret, u32)>);

impl TextVotes {
    /// Counts one reading; an empty text is none.
    pub fn count(&mut self, text: &Secret) {
        if text.is_empty() {
            return;
        }
        if let Some((_, n)) = self.0.iter_mut().find(|(t, _)| t == text) {
            *n += 1;
            return;
        }
        if self.0.len() == N_TEXTS {
            let rarest = (0..N_TEXTS).min_by_key(|i| self.0[*i].1).unwrap_or(0);
            self.0.swap_remove(rarest);
        }
        self.0.push((text.clone(), 1));
    }

    /// The text that was read at least `n` times, and more often than any other.
    pub fn sure(&self, n: u32) -> Option<&Secret> {
        let (text, most) = self.0.iter().max_by_key(|(_, k)| *k)?;
        let alone = self.0.iter().filter(|(_, k)| k == most).count() == 1;
        (*most >= n && alone).then_some(text)
    }
}

/// Votes for one check.
#[derive(Clone, Copy, Debug, Default)]
pub struct CheckVotes {
    verified: u32,
    refuted: u32,
}

impl CheckVotes {
    /// Counts one frame.
    pub fn count(&mut self, check: FieldCheck) {
        match check {
            FieldCheck::Verified => self.verified += 1,
            FieldCheck::Refuted => self.refuted += 1,
            FieldCheck::NotRead => {}
        }
    }

    /// What is believed: a refutation needs `n_refuted` frames, and more of them than verified ones. A misreading seldom makes two
    /// different texts equal, so one verification more than refutations is enough.
    pub fn result(self, n_refuted: u32) -> FieldCheck {
        if self.refuted >= n_refuted && self.refuted > self.verified {
            FieldCheck::Refuted
        } else if self.verified > self.refuted {
            FieldCheck::Verified
        } else {
            FieldCheck::NotRead
        }
    }

    /// Whether some frame refuted it, and more frames are needed to say what holds.
    pub fn is_open(self, n_refuted: u32) -> bool {
        self.refuted > 0 && self.result(n_refuted) == FieldCheck::NotRead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_believed_when_it_came_often_and_most() {
        let check = |texts: &str, n, expected: Option<&str>| {
            let mut votes = TextVotes::default();
            for text in texts.split(' ') {
                votes.count(&Secret::new(text));
            }
            let sure = votes.sure(n).map(Secret::reveal);
            assert_eq!(sure, expected, "{texts} {n}");
        };
        check("", 1, None);
        check("a", 2, None);
        check("a a", 2, Some("a"));
        check("a b a", 2, Some("a"));
        check("a b b a", 2, None);
        check("a b c d e f g h i i", 2, Some("i"));
    }

    #[test]
    fn a_refutation_needs_more_frames_than_a_verification() {
        use FieldCheck::{NotRead, Refuted, Verified};
        let check = |verified, refuted, expected, open| {
            let votes = CheckVotes { verified, refuted };
            assert_eq!(
                (votes.result(4), votes.is_open(4)),
                (expected, open),
                "{verified} {refuted}"
            );
        };
        check(0, 0, NotRead, false);
        check(1, 0, Verified, false);
        check(0, 3, NotRead, true);
        check(0, 4, Refuted, false);
        check(1, 1, NotRead, true);
        check(2, 1, Verified, false);
        check(4, 5, Refuted, false);
        check(5, 5, NotRead, true);
    }
}
