//! Presentations of a list, scored by the pipeline that the booth uses: what a set of the calibration is made of.

use super::calibration::{ClassCount, PadPoint, PadSet, PresentationAttackSpecies, SpeciesCount};
use crate::perception::calibration::list::List;
use crate::perception::calibration::rate::Rate;
use crate::perception::calibration::{CalibrationError, LEAST_N, with_picture};
use crate::perception::face::pipeline::FacePipeline;
use std::path::Path;

/// One presentation that was scored.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// The PAD score.
    pub score: f64,
    /// Who, where the list says so.
    pub subject: String,
}

/// Presentations of one class of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Presentations {
    /// Those with a score.
    pub scored: Vec<Scored>,
    /// Those without.
    pub n_no_response: u64,
}

impl Presentations {
    /// Different subjects; 0 if the list does not say.
    pub fn n_subjects(&self) -> u64 {
        self.rate_by_subject(|_| true).map_or(0, |r| r.n)
    }

    /// Share of the subjects of whom at least one presentation is an error; `None` if the list names none.
    pub fn rate_by_subject(&self, is_error: impl Fn(f64) -> bool) -> Option<Rate> {
        let mut subjects = std::collections::BTreeMap::<&str, bool>::new();
        for s in &self.scored {
            *subjects.entry(&s.subject).or_default() |= is_error(s.score);
        }
        let named = !subjects.is_empty() && subjects.keys().all(|s| !s.is_empty());
        named.then(|| {
            let wrong = subjects.values().filter(|wrong| **wrong).count();
            Rate::new(wrong as u64, subjects.len() as u64)
        })
    }
}

/// All presentations of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Bona fide.
    pub bona_fide: Presentations,
    /// Attacks, by species, those that the list has.
    pub attacks: Vec<(PresentationAttackSpecies, Presentations)>,
}

/// The label of a bona fide presentation in a list.
const BONA_FIDE: &str = "bona_fide";

/// Scores every picture of a list (columns `file` and `label`, maybe `subject` and `session`; paths relative to the list; labels:
/// `bona_fide` or a species) with the pipeline that the booth uses. Each picture counts as one presentation.
///
/// # Errors
/// [`CalibrationError::File`] with the line that is wrong or the picture that cannot be read, or if there are too few of a class.
pub fn measure(list: &Path, pipeline: &mut FacePipeline) -> Result<Measured, CalibrationError> {
    let list = List::read(list, &["file", "label"], &["subject", "session"])?;
    let mut measured = Measured::default();
    for row in list.rows() {
        let species = PresentationAttackSpecies::ALL
            .into_iter()
            .find(|s| s.name() == row.cell(1));
        if species.is_none() && row.cell(1) != BONA_FIDE {
            return Err(list.error(
                row,
                format!(
                    "`label`: found `{}`, allowed: {BONA_FIDE} or {}; mend: correct the line",
                    row.cell(1),
                    PresentationAttackSpecies::ALL
                        .map(PresentationAttackSpecies::name)
                        .join(", ")
                ),
            ));
        }
        let score = score_of(&list.resolve(row.cell(0)), pipeline)
            .map_err(|detail| list.error(row, detail))?;
        let class = match species {
            None => &mut measured.bona_fide,
            Some(species) => measured.class_of(species),
        };
        match score {
            Some(score) => class.scored.push(Scored {
                score: score.into(),
                subject: row.cell(2).to_owned(),
            }),
            None => class.n_no_response += 1,
        }
    }
    let few = |name: &str, class: &Presentations| {
        (class.scored.len() < LEAST_N).then(|| {
            list.error_of_all(format!(
                "found {} pictures of `{name}` with a face ({} more without), allowed: at least {LEAST_N}; \
                 mend: list more pictures of that class",
                class.scored.len(),
                class.n_no_response
            ))
        })
    };
    if measured.attacks.is_empty() {
        return Err(list.error_of_all(format!(
            "found only pictures of `{BONA_FIDE}`, allowed: also attacks; mend: list pictures of at least one species"
        )));
    }
    let classes = std::iter::once((BONA_FIDE, &measured.bona_fide))
        .chain(measured.attacks.iter().map(|(s, class)| (s.name(), class)));
    if let Some(error) = classes
        .into_iter()
        .find_map(|(name, class)| few(name, class))
    {
        return Err(error);
    }
    Ok(measured)
}

/// PAD score of the largest face of a picture; `None` is a non-response.
fn score_of(path: &Path, pipeline: &mut FacePipeline) -> Result<Option<f32>, String> {
    with_picture(path, |frame| {
        let seen = pipeline.analyse(frame).map_err(|e| e.to_string())?;
        if seen.primary.is_none() {
            return Ok(None);
        }
        pipeline.pad_score(frame).map_err(|e| e.to_string())
    })
}

/// The thresholds of a calibration: even steps of the log-odds, since scores crowd at both ends; 0.5 is one of them.
pub(super) fn thresholds() -> impl Iterator<Item = f64> {
    (-40..=40).map(|i| {
        let p = 1.0 / (1.0 + (-f64::from(i) / 4.0).exp());
        (p * 1e6).round() / 1e6
    })
}

impl Measured {
    fn class_of(&mut self, species: PresentationAttackSpecies) -> &mut Presentations {
        let at = match self.attacks.iter().position(|(s, _)| *s == species) {
            Some(at) => at,
            None => {
                self.attacks.push((species, Presentations::default()));
                self.attacks.len() - 1
            }
        };
        &mut self.attacks[at].1
    }

    /// The set that goes into the calibration file.
    pub fn to_set(&self, name: &str, date: &str, caution: &str) -> PadSet {
        let count = |class: &Presentations| ClassCount {
            n: class.scored.len() as u64,
            n_no_response: class.n_no_response,
            n_subjects: class.n_subjects(),
        };
        let species = self.attacks.iter().map(|(name, class)| {
            let ClassCount {
                n,
                n_no_response,
                n_subjects,
            } = count(class);
            SpeciesCount {
                name: *name,
                n,
                n_no_response,
                n_subjects,
            }
        });
        PadSet {
            name: name.to_owned(),
            date: date.to_owned(),
            caution: caution.to_owned(),
            bona_fide: count(&self.bona_fide),
            species: species.collect(),
            point: thresholds()
                .map(|threshold| PadPoint {
                    threshold,
                    rejected: Rate::count(&self.bona_fide.scored, |s| s.score < threshold).k,
                    accepted: self
                        .attacks
                        .iter()
                        .map(|(_, class)| Rate::count(&class.scored, |s| s.score >= threshold).k)
                        .collect(),
                })
                .collect(),
        }
    }
}
