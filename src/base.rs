//! What every module stands on: time, frames, slots, geometry, identifiers, secrets. Imports nothing of ours.

pub mod files;
pub mod frame;
pub mod geometry;
pub mod ids;
pub mod latest;
pub mod lines;
pub mod secret;
pub mod srgb;
pub mod standing;
pub mod tally;
pub mod terms;
pub mod time;
