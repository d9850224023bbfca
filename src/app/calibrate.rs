//! calibrate.
