//! Trends: what the booth measures of itself over months, judged against what it was, so that a lens that gets dirty and a lamp that ages are
//! told before somebody is turned away for them. Figures of the booth only, an hour or a day together; of sessions only the median of
//! [`SESSIONS_TOGETHER`]. Never a reason not to serve: what cannot be kept is left out.
//!
//! ```text
//! samples --> tally of the hour --> row of the hour --> row of the day --> median of days against the reference --> fault (attention: soon)
//! ```
//!
//! | file | what |
//! |---|---|
//! | `measure` | the measures, closed: where from, how put together, limit, fault |
//! | `tally` | samples to the figure of an hour, hours to the figure of a day |
//! | `store` | `trends.db` (SQLite), bounded |
//! | `judge` | days against the reference, with hysteresis. Pure |
//! | `told` | what is said of it on the console and in the memory of faults |
//!
//! `app/trends.rs` says which thread measures what.

mod judge;
mod measure;
mod store;
mod tally;
mod told;

pub use judge::{Judged, NOW_DAYS, NOW_WITHIN, REFERENCE_DAYS, Standing, judge, judge_hours};
pub use measure::{Measure, Rule, Source, Spec};
pub use tally::{Statistic, Summary};
pub use told::report;

use super::command::{CalibrateWhat, InspectItem, InspectResult};
use super::fault_table::FaultRow;
use crate::base::time::WallTime;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Store;
use tally::Tally;

/// So many sessions are one figure: before that many have ended nothing of them is kept, and a restart forgets them.
pub const SESSIONS_TOGETHER: usize = 8;

const HOUR_S: i64 = 3600;

fn hour_of(at: WallTime) -> i64 {
    at.unix_s().div_euclid(HOUR_S)
}

fn day_of(at: WallTime) -> i64 {
    hour_of(at).div_euclid(24)
}

/// The trends, shared by the threads. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Trends(Arc<Mutex<Book>>);

#[derive(Debug)]
struct Book {
    store: Store,
    /// The present hour; `None` before the first sample.
    hour: Option<i64>,
    tallies: BTreeMap<Measure, Tally>,
    /// What the database had of this hour before its first sample here: the service was started again.
    before: BTreeMap<Measure, Option<Summary>>,
    /// Figures of sessions that are not yet enough.
    sessions: BTreeMap<Measure, Vec<f64>>,
    /// Something was begun anew, or the service has started: to be judged.
    is_news: bool,
}

impl Trends {
    /// Opens `trends.db`; a damaged one is put aside and a new one begun.
    pub fn open(path: &Path) -> Self {
        Self(Arc::new(Mutex::new(Book {
            store: Store::open(path),
            hour: None,
            tallies: BTreeMap::new(),
            before: BTreeMap::new(),
            sessions: BTreeMap::new(),
            is_news: true,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a sample in; one that is no number is none.
    pub fn add(&self, measure: Measure, value: f32, at: WallTime) {
        if value.is_finite() {
            self.lock().add(measure, f64::from(value), at);
        }
    }

    /// To be called now and then. If an hour is over (or something was begun anew) its rows are written and all is judged: gives the faults
    /// that were looked for, with what was found of each, or `None` of one that is not there.
    pub fn turn(&self, at: WallTime) -> Option<Vec<(&'static FaultRow, Option<String>)>> {
        let mut book = self.lock();
        let is_over = book.hour.is_some_and(|hour| hour != hour_of(at));
        if !is_over && !book.is_news {
            return None;
        }
        if is_over {
            book.end_hour();
        }
        book.is_news = false;
        let judged = book.judge(at);
        book.remember(&judged);
        Some(faults_of(&judged))
    }

    /// Writes what there is of the present hour: the service ends.
    pub fn write(&self) {
        self.lock().write();
    }

    /// What is said of each measure now, the present hour included.
    pub fn judged(&self, at: WallTime) -> Vec<Judged> {
        let mut book = self.lock();
        book.write();
        book.judge(at)
    }

    /// A part was calibrated: what was before says nothing any more, and another reference begins.
    pub fn calibrated(&self, what: CalibrateWhat, at: WallTime) {
        use Measure as M;
        let measures: &[M] = match what {
            CalibrateWhat::Lights => &[M::LightLeft, M::LightRight, M::RoomLight],
            CalibrateWhat::Camera => &[
                M::Sharpness,
                M::DocumentSharpness,
                M::FaceLuminance,
                M::RoomLight,
            ],
            CalibrateWhat::Microphone => &[M::NoiseFloor],
        };
        self.lock().begin_anew(measures, Reference::Other, at);
    }

    /// A part was looked at. Cleaned, its days count anew against the reference that it had; replaced, it gets another.
    pub fn inspected(&self, item: InspectItem, result: InspectResult, at: WallTime) {
        use Measure as M;
        let reference = match result {
            InspectResult::Cleaned => Reference::Same,
            InspectResult::Replaced => Reference::Other,
            InspectResult::Good | InspectResult::Defective => return,
        };
        let measures: &[M] = match item {
            InspectItem::Lens | InspectItem::Camera => {
                &[M::Sharpness, M::DocumentSharpness, M::FaceLuminance]
            }
            InspectItem::Microphone => &[M::NoiseFloor],
            InspectItem::Lights => &[M::LightLeft, M::LightRight, M::FaceLuminance],
            InspectItem::Storage => &[M::LifeUsed],
            InspectItem::Housing => &[M::Processor],
            InspectItem::Routine
            | InspectItem::Speaker
            | InspectItem::Panel
            | InspectItem::Buttons
            | InspectItem::Network => &[],
        };
        self.lock().begin_anew(measures, reference, at);
    }

    /// All days as CSV: `measure,day,n,mid,low,high`; for whoever helps from far away.
    pub fn days_as_csv(&self) -> String {
        let rows = self.lock().store.with(Vec::new(), |db| {
            let mut rows = Vec::new();
            for measure in Measure::ALL {
                for row in store::days(db, measure, (i64::MIN, i64::MAX))? {
                    rows.push((measure, row));
                }
            }
            Ok(rows)
        });
        let mut text = "measure,day,n,mid,low,high\n".to_owned();
        for (measure, (day, s)) in rows {
            let date = WallTime(day.saturating_mul(24 * HOUR_S * 1000)).rfc3339();
            let (name, date) = (measure.spec().name, &date[..10]);
            // Writing to a text cannot fail.
            let _ = writeln!(
                text,
                "{name},{date},{},{:.4},{:.4},{:.4}",
                s.n, s.mid, s.low, s.high
            );
        }
        text
    }
}

/// What becomes of a reference.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reference {
    /// The part is the same.
    Same,
    /// It is another part, or in another place.
    Other,
}

impl Book {
    fn add(&mut self, measure: Measure, value: f64, at: WallTime) {
        if measure.spec().source == Source::Sessions {
            self.add_session(measure, value, at);
            return;
        }
        let hour = hour_of(at);
        if self.hour.is_some_and(|present| present != hour) {
            self.end_hour();
            // Judged in the next turn.
            self.is_news = true;
        }
        self.hour = Some(hour);
        if !self.tallies.contains_key(&measure) {
            let known = self
                .store
                .with(Vec::new(), |db| store::hours(db, measure, (hour, hour)));
            self.before
                .insert(measure, known.first().map(|(_, summary)| *summary));
        }
        self.tallies.entry(measure).or_default().add(value);
    }

    fn add_session(&mut self, measure: Measure, value: f64, at: WallTime) {
        let waiting = self.sessions.entry(measure).or_default();
        waiting.push(value);
        if waiting.len() < SESSIONS_TOGETHER {
            return;
        }
        let n = u32::try_from(waiting.len()).unwrap_or(u32::MAX);
        let Some(mid) = Statistic::Median.of(waiting.drain(..)) else {
            return;
        };
        let day = day_of(at);
        self.store.with((), |db| {
            let so_far = store::days(db, measure, (day, day))?;
            let own = Summary {
                n,
                mid,
                low: mid,
                high: mid,
            };
            let whole = so_far
                .first()
                .map_or(own, |(_, s)| s.with(own, Statistic::Median));
            store::put_day(db, measure, day, (whole.n, whole.mid), None)
        });
        self.is_news = true;
    }

    /// Writes the present hour as far as it has come.
    fn write(&mut self) {
        let Some(hour) = self.hour else {
            return;
        };
        let rows: Vec<(Measure, Summary)> = self
            .tallies
            .iter()
            .filter_map(|(measure, tally)| {
                let statistic = measure.spec().hour;
                let own = tally.summary(statistic)?;
                let before = self.before.get(measure).copied().flatten();
                Some((*measure, before.map_or(own, |b| b.with(own, statistic))))
            })
            .collect();
        self.store.with((), |db| {
            let tx = db.transaction()?;
            for (measure, summary) in &rows {
                store::put_hour(&tx, *measure, hour, summary)?;
            }
            tx.commit()
        });
    }

    fn end_hour(&mut self) {
        self.write();
        self.tallies.clear();
        self.before.clear();
        self.hour = None;
    }

    fn judge(&mut self, at: WallTime) -> Vec<Judged> {
        let (today, hour) = (day_of(at), hour_of(at));
        let unknown = |measure| judge(measure, &[], &Standing::default(), today);
        let none: Vec<Judged> = Measure::ALL.map(unknown).into();
        self.store.with(none, |db| {
            let mut all = Vec::new();
            let mut ring = [None; 2];
            for measure in Measure::ALL {
                let standing = store::standing(db, measure)?;
                let judged = if matches!(measure.spec().rule, Rule::BeatsRing { .. }) {
                    let from = hour - 24 * NOW_WITHIN;
                    let hours = mids(store::hours(db, measure, (from, hour))?);
                    let ring = ring[0].zip(ring[1]).map(|(left, right)| left + right);
                    judge_hours(measure, &hours, ring, &standing, hour)
                } else {
                    let days = mids(store::days(db, measure, (i64::MIN, today))?);
                    judge(measure, &days, &standing, today)
                };
                match measure {
                    Measure::LightLeft => ring[0] = judged.now,
                    Measure::LightRight => ring[1] = judged.now,
                    _ => {}
                }
                all.push(judged);
            }
            Ok(all)
        })
    }

    /// Keeps what is to outlive a restart, if it has changed.
    fn remember(&mut self, judged: &[Judged]) {
        self.store.with((), |db| {
            for j in judged {
                let before = store::standing(db, j.measure)?;
                let after = Standing {
                    reference: before.reference.or(j.fixed),
                    raised: j.raised,
                    ..before
                };
                if after != before {
                    store::put_standing(db, j.measure, &after)?;
                }
            }
            Ok(())
        });
    }

    fn begin_anew(&mut self, measures: &[Measure], reference: Reference, at: WallTime) {
        // What today has so far is of before.
        let since_day = day_of(at) + 1;
        self.store.with((), |db| {
            for measure in measures {
                let before = store::standing(db, *measure)?;
                let known = before.reference.filter(|_| reference == Reference::Same);
                let after = Standing {
                    since_day,
                    reference: known,
                    // Whoever has mended it is believed until the next days say otherwise.
                    raised: false,
                };
                store::put_standing(db, *measure, &after)?;
            }
            Ok(())
        });
        self.is_news = true;
    }
}

fn mids(rows: Vec<(i64, Summary)>) -> Vec<(i64, f64)> {
    rows.into_iter().map(|(at, s)| (at, s.mid)).collect()
}

/// Each fault once, also where two measures tell it.
fn faults_of(judged: &[Judged]) -> Vec<(&'static FaultRow, Option<String>)> {
    let mut faults: Vec<(&'static FaultRow, Option<String>)> = Vec::new();
    for j in judged {
        let Some(row) = FaultRow::of(j.measure.spec().code) else {
            continue;
        };
        let found = j.raised.then(|| j.in_words());
        match faults.iter_mut().find(|(known, _)| known.code == row.code) {
            Some((_, known)) => *known = known.take().or(found),
            None => faults.push((row, found)),
        }
    }
    faults
}

#[cfg(test)]
mod tests;
