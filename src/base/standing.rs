//! How somebody stands after earlier sessions: the little that is remembered over restarts. Rules about it are `verdict::attempts`.

use serde::Serialize;

/// What is remembered of earlier sessions of one person: numbers only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Sessions in a row that failed and used up an attempt.
    pub failures: u32,
    /// When the last of them ended, Unix seconds; 0 for none.
    pub last_failed_s: i64,
}
