//! Document: corners, rectification, machine readable zone, portrait.

pub mod gb11643;
pub mod mrz;
