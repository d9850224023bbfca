//! Portraits of the documents that were in view, each under the number that stood beside it.
//!
//! Several documents may be shown in one session, by mistake or on purpose. Which one is believed is found out later, and only its
//! portrait may be compared with the face: somebody who shows a document of their own for one frame gains nothing.

use crate::base::secret::Secret;

/// How many documents are remembered; the oldest makes room.
const N_DOCUMENTS: usize = 4;

#[derive(Debug)]
struct Kept<T> {
    number: Secret,
    portrait: T,
    quality: f32,
}

/// Portraits by document number. `T` wipes itself when dropped.
#[derive(Debug)]
pub struct PortraitMemory<T> {
    kept: Vec<Kept<T>>,
    chosen: Option<Secret>,
}

impl<T> Default for PortraitMemory<T> {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            chosen: None,
        }
    }
}

impl<T> PortraitMemory<T> {
    /// Keeps the best portrait of a document, the newest of equals: whoever moved the document in the last frame is compared with what
    /// was seen of it before. One without a number belongs to nobody and is dropped.
    pub fn keep(&mut self, number: Secret, portrait: T, quality: f32) {
        if number.is_empty() {
            return;
        }
        if let Some(at) = self.kept.iter().position(|k| k.number == number) {
            if self.kept[at].quality > quality {
                return;
            }
            self.kept.remove(at);
        } else if self.kept.len() == N_DOCUMENTS {
            self.kept.remove(0);
        }
        self.kept.push(Kept {
            number,
            portrait,
            quality,
        });
    }

    /// Lets go of all but the portrait of this document.
    pub fn keep_only(&mut self, number: &Secret) {
        self.kept.retain(|k| k.number == *number);
        self.chosen = None;
    }

    /// From now on the portrait of this document counts. Gives whether there is one.
    pub fn choose(&mut self, number: &Secret) -> bool {
        self.chosen = Some(number.clone());
        self.chosen().is_some()
    }

    /// The portrait of the chosen document; of none, if none was chosen.
    pub fn chosen(&self) -> Option<&T> {
        let number = self.chosen.as_ref()?;
        self.kept
            .iter()
            .find(|k| k.number == *number)
            .map(|k| &k.portrait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_portrait_of_a_document_counts() {
        let mut memory = PortraitMemory::default();
        for (portrait, quality) in [(1, 0.5), (2, 0.9), (3, 0.2), (4, 0.9), (5, 0.8)] {
            memory.keep(Secret::new("A"), portrait, quality);
        }
        memory.choose(&Secret::new("A"));
        assert_eq!(memory.chosen(), Some(&4));
    }

    #[test]
    fn what_is_not_kept_is_gone() {
        for (number, expected) in [("A", Some(1)), ("B", Some(2)), ("C", None), ("", None)] {
            let mut memory = PortraitMemory::default();
            memory.keep(Secret::new("A"), 1, 1.0);
            memory.keep(Secret::new("B"), 2, 1.0);
            memory.choose(&Secret::new("B"));
            memory.keep_only(&Secret::new(number));
            assert_eq!(memory.chosen(), None, "nothing is chosen");
            for other in ["A", "B"] {
                let there = memory.choose(&Secret::new(other));
                assert_eq!(there, other == number, "{other} of {number}");
            }
            memory.choose(&Secret::new(number));
            assert_eq!(memory.chosen().copied(), expected);
        }
    }

    #[test]
    fn only_the_chosen_documents_portrait_counts() {
        let check = |shown: &[(&str, u8)], chosen: &str, expected: Option<u8>| {
            let mut memory = PortraitMemory::default();
            for (number, portrait) in shown {
                memory.keep(Secret::new(*number), *portrait, 1.0);
            }
            assert_eq!(memory.chosen(), None, "nothing was chosen");
            let there = memory.choose(&Secret::new(chosen));
            assert_eq!(memory.chosen().copied(), expected, "{shown:?} {chosen}");
            assert_eq!(there, expected.is_some());
        };
        check(&[("A", 1)], "A", Some(1));
        check(&[("A", 1), ("A", 2)], "A", Some(2));
        // Somebody else's portrait, shown before, between or after.
        check(&[("A", 1), ("B", 9)], "A", Some(1));
        check(&[("B", 9), ("A", 1), ("B", 9)], "A", Some(1));
        check(&[("B", 9)], "A", None);
        check(&[("", 9)], "", None);
        check(&[("A", 1), ("", 9)], "A", Some(1));
        check(
            &[("A", 1), ("B", 2), ("C", 3), ("D", 4), ("E", 5)],
            "E",
            Some(5),
        );
        check(
            &[("A", 1), ("B", 2), ("C", 3), ("D", 4), ("E", 5)],
            "A",
            None,
        );
    }
}
