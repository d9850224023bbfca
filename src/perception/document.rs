//! Document: corners, rectification, machine readable zone, portrait.

pub mod mrz;
