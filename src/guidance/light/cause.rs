//! Which recipe answers what is wrong with the light, while a step runs: one side of the ring in turn with the other against glare on a
//! document, until it is read from one of them or from two pictures that are made into one; strong
//! light against a bright background behind a face. Pure: signs and time in, the answer out.

use crate::base::time::Moment;
use std::time::Duration;

/// Glare that keeps a document from being read is waited on for so long: hands move, and the loop of exposure settles.
const GLARE_FOR: Duration = Duration::from_millis(400);
/// Each side lights a document alone for so long, then the other: time for two looks, and one flash a second of each side, while both
/// together stay about as bright.
const SIDE_FOR: Duration = Duration::from_millis(500);
/// A background that is too bright is waited on for so long.
const BACKLIT_FOR: Duration = Duration::from_millis(250);

/// What one frame shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// A document was not read, or not all of it, and there is glare on it.
    pub glare: bool,
    /// A document was there and was not read, or not all of it, in this frame by itself, for whatever reason.
    pub unread: bool,
    /// What is behind the face is so bright that it is cut off at full scale, and the face is not.
    pub backlit: bool,
}

/// The light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// The scene's own recipe.
    #[default]
    Usual,
    /// The left half of the ring only.
    LeftOnly,
    /// The right half only.
    RightOnly,
    /// As much light as the recipe for that has, and a short exposure: the background gets no brighter by it.
    Strong,
}

/// Watches one step. Make a new one for each.
#[derive(Clone, Copy, Debug, Default)]
pub struct CauseWatch {
    answer: Answer,
    changed: Moment,
    glare_since: Option<Moment>,
    backlit_since: Option<Moment>,
}

impl CauseWatch {
    /// Whether left and right light a document in turn.
    pub const fn sides_in_turn(&self) -> bool {
        matches!(self.answer, Answer::LeftOnly | Answer::RightOnly)
    }

    /// Looks at the signs of one frame; gives another answer if there is one.
    pub fn see(&mut self, signs: Signs, at: Moment) -> Option<Answer> {
        let held = |since: &mut Option<Moment>, sign: bool, span: Duration| {
            let begun = sign.then(|| since.unwrap_or(at));
            *since = begun;
            begun.is_some_and(|begun| at.since(begun) >= span)
        };
        let glare = held(&mut self.glare_since, signs.glare, GLARE_FOR);
        let backlit = held(&mut self.backlit_since, signs.backlit, BACKLIT_FOR);
        let side_over = signs.unread && at.since(self.changed) >= SIDE_FOR;
        let next = match self.answer {
            Answer::Usual if glare => Answer::LeftOnly,
            Answer::Usual if backlit => Answer::Strong,
            Answer::LeftOnly if side_over => Answer::RightOnly,
            Answer::RightOnly if side_over => Answer::LeftOnly,
            same => same,
        };
        if next == self.answer {
            return None;
        }
        (self.answer, self.changed) = (next, at);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames every 100 ms with these signs: `g` glare, `u` unread, `b` backlit, `.` nothing; the answers that follow, by frame.
    fn check(frames: &str, expected: &[(usize, Answer)]) {
        let mut watch = CauseWatch::default();
        let mut found = Vec::new();
        for (i, c) in frames.chars().enumerate() {
            let signs = Signs {
                glare: c == 'g',
                unread: c == 'g' || c == 'u',
                backlit: c == 'b',
            };
            let at = Moment::from_millis(1000 + 100 * i as u64);
            if let Some(answer) = watch.see(signs, at) {
                found.push((i, answer));
            }
        }
        assert_eq!(found, expected, "{frames}");
    }

    #[test]
    fn glare_is_answered_from_one_side_then_from_the_other() {
        use Answer::{LeftOnly, RightOnly};
        check("....uuuuuuuuuuuuu", &[]);
        check("ggg.ggg.ggg.", &[]);
        check("ggggg", &[(4, LeftOnly)]);
        check(
            "ggggguuuuuuuuuuuuuuuuuuu",
            &[
                (4, LeftOnly),
                (9, RightOnly),
                (14, LeftOnly),
                (19, RightOnly),
            ],
        );
        // What is read stays as it is lit.
        check("ggggg...................", &[(4, LeftOnly)]);
    }

    #[test]
    fn a_bright_background_is_answered_with_strong_light() {
        check("bb.bb.", &[]);
        check("bbbbbb......", &[(3, Answer::Strong)]);
    }
}
