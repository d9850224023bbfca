//! Portraits of the documents that were in view, each under the number that stood beside it.
//!
//! Several documents may be shown in one session, by mistake or on purpose. Which one is believed is found out later, and only its
//! portrait may be compared with the face: somebody who shows a document of their own for one frame gains nothing.

use crate::base::secret::Secret;

/// How many documents are remembered; the oldest makes room.
const N_DOCUMENTS: usize = 4;

/// Portraits by document number. `T` wipes itself when dropped.
#[derive(Debug)]
pub struct PortraitMemory<T> {
    kept: Vec<(Secret, T)>,
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
    /// Keeps the newest portrait of a document. One without a number belongs to nobody and is dropped.
    pub fn keep(&mut self, number: Secret, portrait: T) {
        if number.is_empty() {
            return;
        }
        self.kept.retain(|(n, _)| *n != number);
        if self.kept.len() == N_DOCUMENTS {
            self.kept.remove(0);
        }
        self.kept.push((number, portrait));
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
            .find(|(n, _)| n == number)
            .map(|(_, portrait)| portrait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_chosen_documents_portrait_counts() {
        let check = |shown: &[(&str, u8)], chosen: &str, expected: Option<u8>| {
            let mut memory = PortraitMemory::default();
            for (number, portrait) in shown {
                memory.keep(Secret::new(*number), *portrait);
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
