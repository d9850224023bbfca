//! Document: corners, rectification, machine readable zone, portrait.

pub mod gb11643;
pub mod limits;
pub(crate) mod luminance;
pub mod mrz;
