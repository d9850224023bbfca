//! demo (being built).
pub mod report;
