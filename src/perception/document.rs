//! Document: corners, rectification, machine readable zone, portrait.

pub mod limits;
pub mod mrz;
