//! Where the time of one look at a document went, for tools: every stage says to a record of its thread how long it took.
//!
//! Stages may lie within each other: each has its own time only, without that of the stages in it, so that they add up to less
//! than the whole. Nothing is done with a record in the booth; keeping it takes two readings of the clock a stage.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// What time goes into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Corner net, and its corners moved onto edges.
    Corners,
    /// Level pages of 640 pixels, and what is measured on them.
    Pages,
    /// Lines of a machine readable zone looked for and read.
    Zone,
    /// The number of a resident identity card read by the line reader.
    Number,
    /// The text finder.
    TextFinder,
    /// Lines of print read by the line reader.
    FastPrint,
    /// Lines of print read by the text reader.
    TextReader,
    /// The page in colours, and the portrait found on it, measured, and made a template.
    Portrait,
    /// Two pages, lit from the left and from the right, made into one.
    Combine,
}

impl Stage {
    /// All of them, in the order of their numbers, with the names that tools print.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::Corners, "corners"),
        (Self::Pages, "pages"),
        (Self::Zone, "zone"),
        (Self::Number, "number"),
        (Self::TextFinder, "text_finder"),
        (Self::FastPrint, "fast_print"),
        (Self::TextReader, "text_reader"),
        (Self::Portrait, "portrait"),
        (Self::Combine, "combine"),
    ];
}

/// Time and turns of one stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Its own time, without that of stages within it.
    pub time: Duration,
    /// How often it ran.
    pub n: u32,
}

/// The record of one look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// What the stages took, in the order of [`Stage::ALL`].
    pub stages: [Spent; Stage::ALL.len()],
    /// From the beginning until the zone had been read that the document is taken from; `None` if none was.
    pub until_zone: Option<Duration>,
}

thread_local! {
    static RECORD: Cell<Record> = Cell::default();
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
    /// What stages within the present one took so far.
    static WITHIN: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Begins a new record of this thread.
pub fn begin() {
    RECORD.set(Record::default());
    BEGAN.set(Some(Instant::now()));
}

/// The record of this thread since it began.
pub fn record() -> Record {
    RECORD.get()
}

/// Runs `work` as a stage.
pub(super) fn stage<R>(stage: Stage, work: impl FnOnce() -> R) -> R {
    let before = WITHIN.replace(Duration::ZERO);
    let start = Instant::now();
    let result = work();
    let whole = start.elapsed();
    let mut record = RECORD.get();
    let spent = &mut record.stages[stage as usize];
    spent.time += whole.saturating_sub(WITHIN.get());
    spent.n += 1;
    RECORD.set(record);
    WITHIN.set(before + whole);
    result
}

/// Notes that the zone has been read that the document is taken from.
pub(super) fn zone_is_read() {
    let mut record = RECORD.get();
    record.until_zone = BEGAN.get().map(|began| began.elapsed());
    RECORD.set(record);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_has_its_own_time_only() {
        let busy = |n: u64| (0..n).fold(1u64, |a, b| std::hint::black_box(a ^ b));
        begin();
        stage(Stage::Portrait, || {
            for _ in 0..3 {
                stage(Stage::Pages, || busy(100_000));
            }
        });
        zone_is_read();
        let found = record();
        let of = |stage: Stage| found.stages[stage as usize];
        assert_eq!((of(Stage::Portrait).n, of(Stage::Pages).n), (1, 3));
        // The three together are not in the one around them: the whole fits into what the record says of the end.
        let sum: Duration = found.stages.iter().map(|s| s.time).sum();
        assert!(found.until_zone.is_some_and(|until| sum <= until));
        assert!(of(Stage::Pages).time > Duration::ZERO);
        begin();
        assert_eq!(record(), Record::default());
    }

    #[test]
    fn stages_stand_in_the_order_of_their_numbers() {
        for (i, (stage, _)) in Stage::ALL.into_iter().enumerate() {
            assert_eq!(stage as usize, i);
        }
    }
}
