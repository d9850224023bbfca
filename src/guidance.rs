//! What the person in the booth gets: one screen per state, one prompt at a time, in their language; and the light.
//!
//! Guidance is another type than the reasons for a decision: nothing here knows a score, a threshold or a security reason.

pub mod exposure;
pub mod light;
pub mod model;
pub mod screens;
pub mod texts;
