//! Times and allocations of the stages, collected and printed.

use super::counting::n_allocations;
use std::time::Instant;

/// What was measured of one stage.
#[derive(Debug)]
pub(crate) struct Row {
    name: &'static str,
    /// Milliseconds.
    ms: Vec<f64>,
    /// Allocations of each run.
    n_allocations: Vec<u64>,
}

impl Row {
    /// The value below which `share` of the runs lie, in milliseconds.
    fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.ms.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let at = ((sorted.len() as f64 - 1.0) * share).round() as usize;
        sorted.get(at).copied().unwrap_or(f64::NAN)
    }

    fn allocations(&self) -> String {
        let mut sorted = self.n_allocations.clone();
        sorted.sort_unstable();
        match (sorted.get(sorted.len() / 2), sorted.last()) {
            (Some(median), Some(most)) if median == most => median.to_string(),
            (Some(median), Some(most)) => format!("{median} (most {most})"),
            _ => "-".to_owned(),
        }
    }
}

/// The rows of one setting: size of the frame and number of threads.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    rows: Vec<Row>,
    /// Runs are counted only when warm.
    pub(crate) warm: bool,
}

impl Sheet {
    /// Runs a stage and notes how long it took.
    pub(crate) fn time<R>(&mut self, name: &'static str, stage: impl FnOnce() -> R) -> R {
        let before = n_allocations();
        let start = Instant::now();
        let result = stage();
        let ms = start.elapsed().as_secs_f64() * 1000.0;
        let n = n_allocations() - before;
        self.note(name, ms, n);
        result
    }

    /// Notes a figure that was measured elsewhere.
    pub(crate) fn note(&mut self, name: &'static str, ms: f64, n_allocations: u64) {
        if !self.warm {
            return;
        }
        let at = match self.rows.iter().position(|r| r.name == name) {
            Some(at) => at,
            None => {
                self.rows.push(Row {
                    name,
                    ms: Vec::new(),
                    n_allocations: Vec::new(),
                });
                self.rows.len() - 1
            }
        };
        self.rows[at].ms.push(ms);
        self.rows[at].n_allocations.push(n_allocations);
    }

    fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|r| r.name == name)
    }

    /// Median of a stage in milliseconds; NaN if it did not run.
    pub(crate) fn median(&self, name: &str) -> f64 {
        self.row(name).map_or(f64::NAN, |r| r.quantile(0.5))
    }

    /// Shortest run of a stage in milliseconds; NaN if it did not run.
    pub(crate) fn least(&self, name: &str) -> f64 {
        self.row(name).map_or(f64::NAN, |r| r.quantile(0.0))
    }

    /// Prints the rows in the order of their first run.
    pub(crate) fn print(&self, title: &str) {
        println!("\n{title}");
        println!(
            "  {:<58} {:>8} {:>8} {:>8} {:>5}  allocations",
            "stage, ms", "median", "p95", "least", "runs"
        );
        for row in &self.rows {
            println!(
                "  {:<58} {:>8.3} {:>8.3} {:>8.3} {:>5}  {}",
                row.name,
                row.quantile(0.5),
                row.quantile(0.95),
                row.quantile(0.0),
                row.ms.len(),
                row.allocations()
            );
        }
    }
}
