//! The two sides of a resident identity card, in whatever order they come.
//!
//! Every field of the front is counted under the number that stood beside it: two cards never mix. The back has no number; nothing
//! on it says which front it belongs to, so an exchanged back is not noticed (nor can a person see it).

use super::best_portrait::BestPortrait;
use super::votes::{CheckVotes, TextVotes};
use crate::base::secret::Secret;
use crate::perception::document::field::FieldCheck;
use crate::perception::document::prc::{PrcBack, PrcChecks, PrcFront, PrcSide};
use crate::perception::observation::PortraitObservation;
use crate::verdict::evidence::{SpecimenEvidence, says_specimen};
use crate::verdict::policy::DocumentRules;

/// How many different numbers or terms are kept; more means that nothing is certain, and the rarest is dropped.
const N_VOTES: usize = 8;
/// Two numbers that differ in so many columns at most may be two readings of one.
const MISREAD_COLUMNS: usize = 2;

/// Readings of both sides.
#[derive(Clone, Debug, Default)]
pub struct CardVotes {
    fronts: Vec<Front>,
    backs: Vec<Back>,
}

/// A side that is believed.
#[derive(Clone, Debug)]
pub struct Believed<T> {
    /// What it says; a field that is not sure is empty.
    pub side: T,
    /// How often its number, or its term, was read so.
    pub n_readings: u32,
}

/// Frames with the same number.
#[derive(Clone, Debug)]
struct Front {
    number: Secret,
    /// Of the number alone, so equal in all these frames.
    check_character: FieldCheck,
    region: FieldCheck,
    n: u32,
    confidence: f32,
    repaired: u32,
    name: TextVotes,
    marks: Marks,
    birth_date: CheckVotes,
    sex: CheckVotes,
    portrait: BestPortrait,
}

/// Frames with the same term.
#[derive(Clone, Debug)]
struct Back {
    valid_from: Secret,
    valid_until: Secret,
    n: u32,
    confidence: f32,
    marks: Marks,
}

/// How often a text that names a place said that the card is a specimen, and how often not.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    specimen: u32,
    genuine: u32,
}

impl Marks {
    fn count(&mut self, text: &Secret) {
        if says_specimen(text.reveal()) {
            self.specimen += 1;
        } else if !text.is_empty() {
            self.genuine += 1;
        }
    }
}

impl CardVotes {
    /// Counts one frame; a front without a number, or a back without a term, says nothing.
    pub fn count(&mut self, side: &PrcSide, portrait: Option<PortraitObservation>) {
        match side {
            PrcSide::Front(front) if !front.number.is_empty() => self.front(front, portrait),
            PrcSide::Back(back) if !back.valid_until.is_empty() => self.back(back),
            _ => {}
        }
    }

    fn front(&mut self, read: &PrcFront, portrait: Option<PortraitObservation>) {
        let at = self.fronts.iter().position(|f| f.number == read.number);
        let at = at.unwrap_or_else(|| {
            if self.fronts.len() == N_VOTES {
                let rarest = (0..N_VOTES).min_by_key(|i| self.fronts[*i].n).unwrap_or(0);
                self.fronts.swap_remove(rarest);
            }
            self.fronts.push(Front {
                number: read.number.clone(),
                check_character: read.checks.check_character,
                region: read.checks.region,
                n: 0,
                confidence: 0.0,
                repaired: read.repaired,
                name: TextVotes::default(),
                marks: Marks::default(),
                birth_date: CheckVotes::default(),
                sex: CheckVotes::default(),
                portrait: BestPortrait::default(),
            });
            self.fronts.len() - 1
        });
        let front = &mut self.fronts[at];
        front.n += 1;
        front.confidence = front.confidence.max(read.confidence);
        front.repaired = front.repaired.min(read.repaired);
        front.name.count(&read.name);
        front.marks.count(&read.address);
        front.birth_date.count(read.checks.birth_date);
        front.sex.count(read.checks.sex);
        front.portrait.count(portrait);
    }

    fn back(&mut self, read: &PrcBack) {
        let same = |b: &Back| b.valid_from == read.valid_from && b.valid_until == read.valid_until;
        let at = self.backs.iter().position(same);
        let at = at.unwrap_or_else(|| {
            if self.backs.len() == N_VOTES {
                let rarest = (0..N_VOTES).min_by_key(|i| self.backs[*i].n).unwrap_or(0);
                self.backs.swap_remove(rarest);
            }
            self.backs.push(Back {
                valid_from: read.valid_from.clone(),
                valid_until: read.valid_until.clone(),
                n: 0,
                confidence: 0.0,
                marks: Marks::default(),
            });
            self.backs.len() - 1
        });
        let back = &mut self.backs[at];
        back.n += 1;
        back.confidence = back.confidence.max(read.confidence);
        back.marks.count(&read.issuer);
    }

    /// Numbers that came often enough, a refuted one more often than others.
    fn established(&self, rules: &DocumentRules) -> impl Iterator<Item = &Front> {
        let (n, n_refuted) = (rules.n_readings, rules.n_readings_refuted);
        self.fronts.iter().filter(move |f| {
            let needed = if f.is_refuted() { n_refuted } else { n };
            f.n >= u32::from(needed)
        })
    }

    /// Whether two different cards were shown. None of them is believed then.
    pub fn two_cards(&self, rules: &DocumentRules) -> bool {
        let all: Vec<&Front> = self.established(rules).collect();
        all.iter().enumerate().any(|(i, a)| {
            all[i + 1..]
                .iter()
                .any(|b| n_different(a.number.reveal(), b.number.reveal()) > MISREAD_COLUMNS)
        })
    }

    /// The front that is believed. A number whose check character verifies goes before a refuted one, and a refuted one has to be
    /// most of what was read.
    fn believed_front(&self, rules: &DocumentRules) -> Option<&Front> {
        if self.two_cards(rules) {
            return None;
        }
        let verified = || self.established(rules).filter(|f| !f.is_refuted());
        let most = verified().map(|f| f.n).max();
        if let Some(most) = most {
            let mut first = verified().filter(|f| f.n == most);
            return first.next().filter(|_| first.next().is_none());
        }
        let total: u32 = self.fronts.iter().map(|f| f.n).sum();
        self.established(rules).find(|f| 2 * f.n > total)
    }

    /// The front, once its number is believed.
    pub fn read_front(&self, rules: &DocumentRules) -> Option<Believed<PrcFront>> {
        let front = self.believed_front(rules)?;
        let n_refuted = u32::from(rules.n_readings_refuted);
        let name = front.name.sure(rules.n_readings.into());
        Some(Believed {
            side: PrcFront {
                name: name.cloned().unwrap_or_default(),
                number: front.number.clone(),
                checks: PrcChecks {
                    check_character: front.check_character,
                    region: front.region,
                    birth_date: front.birth_date.result(n_refuted),
                    sex: front.sex.result(n_refuted),
                },
                confidence: front.confidence,
                repaired: front.repaired,
                ..PrcFront::default()
            },
            n_readings: front.n,
        })
    }

    /// The back, once its term is believed.
    pub fn read_back(&self, rules: &DocumentRules) -> Option<Believed<PrcBack>> {
        self.believed_back(rules).map(|back| Believed {
            side: PrcBack {
                valid_from: back.valid_from.clone(),
                valid_until: back.valid_until.clone(),
                confidence: back.confidence,
                ..PrcBack::default()
            },
            n_readings: back.n,
        })
    }

    fn believed_back(&self, rules: &DocumentRules) -> Option<&Back> {
        let most = self.backs.iter().map(|b| b.n).max()?;
        let mut first = self.backs.iter().filter(|b| b.n == most);
        let back = first.next().filter(|_| first.next().is_none())?;
        (back.n >= u32::from(rules.n_readings)).then_some(back)
    }

    /// Whether the card says that it is a specimen: one reading of the word is enough, for it does not come by misreading; that it
    /// is none needs as many readings of an address or an authority without the word as any field.
    pub fn specimen(&self, rules: &DocumentRules) -> SpecimenEvidence {
        let marks = [
            self.believed_front(rules).map(|f| f.marks),
            self.believed_back(rules).map(|b| b.marks),
        ];
        let marks = || marks.iter().flatten();
        if marks().any(|m| m.specimen > 0) {
            SpecimenEvidence::Specimen
        } else if marks().any(|m| m.genuine >= u32::from(rules.n_readings)) {
            SpecimenEvidence::Genuine
        } else {
            SpecimenEvidence::NotRead
        }
    }

    /// Whether more frames of the front would tell more: a name that is not sure, or a check that some frame refuted.
    pub fn front_is_open(&self, rules: &DocumentRules) -> bool {
        let n_refuted = u32::from(rules.n_readings_refuted);
        self.believed_front(rules).is_none_or(|f| {
            f.name.sure(rules.n_readings.into()).is_none()
                || f.birth_date.is_open(n_refuted)
                || f.sex.is_open(n_refuted)
        })
    }

    /// The portrait beside the believed number.
    pub fn portrait(&self, rules: &DocumentRules) -> BestPortrait {
        self.believed_front(rules)
            .map_or_else(BestPortrait::default, |f| f.portrait)
    }
}

impl Front {
    fn is_refuted(&self) -> bool {
        self.check_character != FieldCheck::Verified || self.region == FieldCheck::Refuted
    }
}

/// In how many columns two numbers differ.
fn n_different(a: &str, b: &str) -> usize {
    let longer = a.chars().count().max(b.chars().count());
    longer - a.chars().zip(b.chars()).filter(|(x, y)| x == y).count()
}
