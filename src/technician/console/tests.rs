//! The console over its two ends, with a clock that stands.
