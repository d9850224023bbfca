//! The document step: readings of many frames are counted; a reading is believed when it came often enough.
//!
//! ```text
//!   document with a zone:  frames --believed, portrait and printed text settled--> read
//!
//!   resident identity card, two sides in either order:
//!                       front believed and settled              back believed
//!            frames ------------------------------> TurnToBack ----------------> read
//!               \-------- back believed ----------> TurnToFront --front settled---/
//!
//!   two different documents: failed at once (doc.two_documents). Time over with the front only: doc.missing_back; what was read
//!   of a card is kept for the next try ([`DocumentStep::keep`]).
//! ```

use super::best_portrait::BestPortrait;
use super::calm::{Calm, Tally};
use super::card_votes::CardVotes;
use super::document_problems::{measure_of, prompt_for, reason_for};
use super::votes::CheckVotes;
use crate::base::secret::Secret;
use crate::base::time::Moment;
use crate::guidance::model::DocumentPrompt;
use crate::perception::document::limits::DocumentLimits;
use crate::perception::document::mrz::Mrz;
use crate::perception::document::prc::{PrcBack, PrcFront, PrcSide};
use crate::perception::observation::{
    DocumentContent, DocumentObservation, DocumentProblem, DocumentReading, MrzReading,
    PortraitObservation, PrintedChecks,
};
use crate::verdict::evidence::{
    CivilDate, DocumentEvidence, Measure, PortraitEvidence, SpecimenEvidence,
};
use crate::verdict::policy::DocumentRules;
use crate::verdict::reasons::Reason;
use std::time::Duration;

/// How long a portrait, a name or a doubtful check is waited for after the number is sure.
const PATIENCE: Duration = Duration::from_secs(4);
/// The same while the portrait is too small, which the person can put right.
const PATIENCE_FOR_CLOSER: Duration = Duration::from_secs(12);
/// How many different readings are kept; more means that nothing is certain, and the rarest is dropped.
const N_VOTES: usize = 8;

/// What a frame is held against.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The policy's rules.
    pub rules: &'a DocumentRules,
    /// What can be read.
    pub limits: &'a DocumentLimits,
    /// Whether a resident identity card is taken; one that is not is not turned over.
    pub takes_cards: bool,
}

/// State of the document step.
#[derive(Clone, Debug)]
pub struct DocumentStep {
    votes: Vec<Vote>,
    cards: CardVotes,
    sure_since: Option<Moment>,
    front_since: Option<Moment>,
    turn: Option<DocumentPrompt>,
    problems: Tally<(DocumentProblem, Option<Measure>)>,
    prompt: Calm<DocumentPrompt>,
    /// What stands in the way in the newest frame.
    present: Option<(DocumentProblem, Option<Measure>)>,
    n_frames: u32,
    two_documents: bool,
    /// Best of all frames, for the prompt only.
    portrait: BestPortrait,
}

#[derive(Clone, Debug)]
struct Vote {
    mrz: Mrz,
    printed: [CheckVotes; 4],
    portrait: BestPortrait,
    n: u32,
    confidence: f32,
}

/// What came of a frame.
#[derive(Clone, Debug)]
pub enum Progress {
    /// More frames are needed.
    More,
    /// The document is believed.
    Read(Box<ReadDocument>),
    /// It cannot be believed, whatever comes.
    Failed(Reason),
}

/// A document that is believed.
#[derive(Clone, Debug)]
pub struct ReadDocument {
    /// What it says.
    pub text: ReadText,
    /// How often it was read so; of a card the side that was read less often.
    pub n_readings: u32,
    /// Best of the readings' lowest confidences, 0..=1; of a card that of the worse side.
    pub confidence: f32,
    /// The portrait.
    pub portrait: PortraitEvidence,
}

/// What a believed document says.
#[derive(Clone, Debug)]
pub enum ReadText {
    /// A document with a machine readable zone.
    Mrz(MrzReading),
    /// A resident identity card.
    Card(ReadCard),
}

/// A believed resident identity card. Both sides are there, unless such cards are not taken.
#[derive(Clone, Debug)]
pub struct ReadCard {
    /// The side with the portrait.
    pub front: Option<PrcFront>,
    /// The other side.
    pub back: Option<PrcBack>,
    /// Whether it says that it is a specimen.
    pub specimen: SpecimenEvidence,
}

impl ReadDocument {
    /// What it says for the decision on `today`.
    pub fn evidence(&self, today: CivilDate) -> DocumentEvidence {
        match &self.text {
            ReadText::Mrz(reading) => DocumentEvidence::from_mrz(
                reading,
                today,
                self.n_readings,
                self.confidence,
                self.portrait,
            ),
            ReadText::Card(card) => DocumentEvidence::from_card(
                card.front.as_ref(),
                card.back.as_ref(),
                card.specimen,
                today,
                self.n_readings,
                self.confidence,
                self.portrait,
            ),
        }
    }

    /// The number that its portrait is remembered by.
    pub fn number(&self) -> Secret {
        match &self.text {
            ReadText::Mrz(reading) => reading.mrz.document_number.clone(),
            ReadText::Card(card) => card
                .front
                .as_ref()
                .map(|f| f.number.clone())
                .unwrap_or_default(),
        }
    }
}

impl DocumentStep {
    /// Begins at `now`, with what a try before has read of a card.
    pub fn new(now: Moment, kept: Option<CardVotes>) -> Self {
        Self {
            votes: Vec::new(),
            cards: kept.unwrap_or_default(),
            sure_since: None,
            front_since: None,
            turn: None,
            problems: Tally::default(),
            prompt: Calm::new(DocumentPrompt::Show, now),
            present: None,
            n_frames: 0,
            two_documents: false,
            portrait: BestPortrait::default(),
        }
    }

    /// What the person is told.
    pub fn prompt(&self) -> DocumentPrompt {
        self.prompt.shown()
    }

    /// What stands in the way in the newest frame: reason, measure, and whether the person is told.
    pub fn problem(&self) -> Option<(Reason, Option<&Measure>, bool)> {
        let (problem, measure) = self.present.as_ref()?;
        // To show the document is what is asked of everybody, not a remedy.
        let told = prompt_for(*problem) == self.prompt() && self.prompt() != DocumentPrompt::Show;
        Some((reason_for(*problem), measure.as_ref(), told))
    }

    /// What was read of a card, for the next try.
    pub fn keep(&self) -> Option<CardVotes> {
        (!self.two_documents && self.turn.is_some()).then(|| self.cards.clone())
    }

    /// Takes in one frame.
    pub fn observe(
        &mut self,
        seen: &DocumentObservation,
        at: Moment,
        expected: Expected<'_>,
    ) -> Progress {
        self.n_frames += 1;
        if let Some(reading) = &seen.reading {
            self.count(reading);
        }
        self.present = seen
            .problem
            .map(|problem| (problem, measure_of(problem, seen, expected.limits)));
        if let Some(problem) = self.present.clone() {
            self.problems.count(problem, |a, b| a.0 == b.0);
        }
        let rules = expected.rules;
        let believed = self.believed(rules);
        if self.cards.two_cards(rules)
            || (believed.is_some() && self.cards.read_front(rules).is_some())
        {
            self.two_documents = true;
            return Progress::Failed(Reason::DocTwoDocuments);
        }
        let document = match believed {
            Some(i) => self.zone(i, at, rules),
            None => self.card(at, expected),
        };
        match document {
            Some(document) => {
                self.prompt.show(DocumentPrompt::Done, at);
                Progress::Read(Box::new(document))
            }
            None => {
                self.guide(seen, at, rules);
                Progress::More
            }
        }
    }

    fn count(&mut self, reading: &DocumentReading) {
        let portrait = reading.portrait;
        self.portrait.count(portrait);
        match &reading.content {
            DocumentContent::Mrz(zone) => self.vote(zone, reading.confidence, portrait),
            DocumentContent::Prc(side) => self.cards.count(side, portrait),
        }
    }

    /// The instruction after a frame that did not end the step.
    fn guide(&mut self, seen: &DocumentObservation, at: Moment, rules: &DocumentRules) {
        use DocumentProblem as P;
        let poor = self.portrait.is_small(rules);
        let due = match (seen.problem, seen.reading.as_deref(), self.turn) {
            // While a card is turned over there is nothing else to say.
            (Some(P::NotFound | P::WrongSide | P::Moving), _, Some(turn)) => turn,
            (Some(problem), _, _) => prompt_for(problem),
            (None, Some(reading), turn) => match &reading.content {
                DocumentContent::Prc(PrcSide::Front(_))
                    if turn == Some(DocumentPrompt::TurnToBack) =>
                {
                    DocumentPrompt::TurnToBack
                }
                DocumentContent::Prc(PrcSide::Back(_))
                    if turn == Some(DocumentPrompt::TurnToFront) =>
                {
                    DocumentPrompt::TurnToFront
                }
                DocumentContent::Prc(PrcSide::Back(_)) => DocumentPrompt::Still,
                _ if poor => DocumentPrompt::Closer,
                _ => DocumentPrompt::Still,
            },
            (None, None, _) => return,
        };
        self.prompt.offer(due, at);
    }

    /// The document with a zone, once everything about it is settled.
    fn zone(&mut self, believed: usize, at: Moment, rules: &DocumentRules) -> Option<ReadDocument> {
        let since = *self.sure_since.get_or_insert(at);
        let n_refuted = u32::from(rules.n_readings_refuted);
        let vote = &self.votes[believed];
        let portrait_good = vote.portrait.is_settled(rules);
        let open = vote.printed.iter().any(|v| v.is_open(n_refuted));
        let patience = patience(vote.portrait.is_small(rules));
        if (!portrait_good || open) && at.since(since) < patience {
            return None;
        }
        let [name, document_number, birth_date, expiry_date] =
            vote.printed.map(|v| v.result(n_refuted));
        Some(ReadDocument {
            text: ReadText::Mrz(MrzReading {
                mrz: vote.mrz.clone(),
                printed: PrintedChecks {
                    name,
                    document_number,
                    birth_date,
                    expiry_date,
                },
            }),
            n_readings: vote.n,
            confidence: vote.confidence,
            portrait: vote.portrait.evidence(),
        })
    }

    /// The card, once both sides are believed. Sees to it that the person is told to turn it over.
    fn card(&mut self, at: Moment, expected: Expected<'_>) -> Option<ReadDocument> {
        let rules = expected.rules;
        let front = self.cards.read_front(rules);
        let back = self.cards.read_back(rules);
        let portrait = self.cards.portrait(rules);
        if front.is_some() {
            self.front_since.get_or_insert(at);
        }
        let patience = patience(portrait.is_small(rules));
        let patience_over = self
            .front_since
            .is_some_and(|since| at.since(since) >= patience);
        let open = self.cards.front_is_open(rules) || !portrait.is_settled(rules);
        let settled = front.is_some() && (!open || patience_over);
        let turn = match (settled, &back) {
            (true, None) => Some(DocumentPrompt::TurnToBack),
            (false, Some(_)) => Some(DocumentPrompt::TurnToFront),
            _ => None,
        };
        let recognised = front.is_some() || back.is_some();
        let complete = (settled && back.is_some()) || (recognised && !expected.takes_cards);
        if !complete {
            if let Some(turn) = turn.filter(|t| self.turn != Some(*t)) {
                self.prompt.show(turn, at);
            }
            self.turn = turn;
            return None;
        }
        let sides = [
            front.as_ref().map(|f| (f.n_readings, f.side.confidence)),
            back.as_ref().map(|b| (b.n_readings, b.side.confidence)),
        ];
        let sides = || sides.iter().flatten();
        Some(ReadDocument {
            n_readings: sides().map(|s| s.0).min().unwrap_or(0),
            confidence: sides().map(|s| s.1).fold(1.0, f32::min),
            text: ReadText::Card(ReadCard {
                specimen: self.cards.specimen(rules),
                front: front.map(|f| f.side),
                back: back.map(|b| b.side),
            }),
            portrait: portrait.evidence(),
        })
    }

    fn vote(&mut self, zone: &MrzReading, confidence: f32, portrait: Option<PortraitObservation>) {
        let at = self.votes.iter().position(|v| same_text(&v.mrz, &zone.mrz));
        let at = at.unwrap_or_else(|| {
            if self.votes.len() == N_VOTES {
                let rarest = (0..N_VOTES).min_by_key(|i| self.votes[*i].n).unwrap_or(0);
                self.votes.swap_remove(rarest);
            }
            self.votes.push(Vote {
                mrz: zone.mrz.clone(),
                printed: [CheckVotes::default(); 4],
                portrait: BestPortrait::default(),
                n: 0,
                confidence: 0.0,
            });
            self.votes.len() - 1
        });
        let vote = &mut self.votes[at];
        vote.n += 1;
        vote.confidence = vote.confidence.max(confidence);
        for (votes, (_, check)) in vote.printed.iter_mut().zip(zone.printed.named()) {
            votes.count(check);
        }
        vote.portrait.count(portrait);
    }

    /// A reading with all check digits verified needs fewer repetitions than one with a refuted digit: a misread character
    /// differs from frame to frame, a forged one does not. A verified reading goes before a refuted one.
    fn believed(&self, rules: &DocumentRules) -> Option<usize> {
        let verified = (0..self.votes.len())
            .filter(|i| {
                !self.votes[*i].mrz.checks.any_refuted()
                    && self.votes[*i].n >= u32::from(rules.n_readings)
            })
            .max_by_key(|i| self.votes[*i].n);
        let total: u32 = self.votes.iter().map(|v| v.n).sum();
        verified.or_else(|| {
            (0..self.votes.len())
                .filter(|i| {
                    let vote = &self.votes[*i];
                    vote.mrz.checks.any_refuted()
                        && vote.n >= u32::from(rules.n_readings_refuted)
                        && 2 * vote.n > total
                })
                .max_by_key(|i| self.votes[*i].n)
        })
    }

    /// Why the step's time ran out: a side that is missing, or else what stood in the way in most frames.
    pub fn why(&self) -> (Reason, Option<Measure>) {
        match self.turn {
            Some(DocumentPrompt::TurnToBack) => return (Reason::DocMissingBack, None),
            Some(_) => return (Reason::DocWrongSide, None),
            None => {}
        }
        match self.problems.worst() {
            Some((problem, measure)) => (reason_for(*problem), measure.clone()),
            None if self.n_frames == 0 => (Reason::HwCameraNoFrames, None),
            // Frames were read, but no two alike.
            None => (Reason::DocBlurred, None),
        }
    }
}

/// How long is waited, with a portrait that is too small or not: somebody who is asked to come closer is on their way.
const fn patience(small: bool) -> Duration {
    if small { PATIENCE_FOR_CLOSER } else { PATIENCE }
}

/// Whether two readings say the same, however many characters had to be mended in each.
fn same_text(a: &Mrz, b: &Mrz) -> bool {
    a.format == b.format
        && a.checks == b.checks
        && a.document_code == b.document_code
        && a.issuing_state == b.issuing_state
        && a.document_number == b.document_number
        && a.birth_date == b.birth_date
        && a.expiry_date == b.expiry_date
        && a.sex == b.sex
        && a.nationality == b.nationality
        && a.primary_identifier == b.primary_identifier
        && a.secondary_identifier == b.secondary_identifier
        && a.optional_data == b.optional_data
}
