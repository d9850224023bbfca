//! Pixels and samples -> measurements. No decision is made here and nothing is remembered beyond the session's templates.
//!
//! ```text
//! FrameView -> face: detector -> landmarks -> pose, quality -> alignment -> template -> comparison score
//!                              |-> crop -> PAD score
//!           -> document: corners -> rectification -> MRZ lines -> fields and check digits; portrait -> template
//!           -> code: QR text
//! ```

pub mod calibration;
pub mod code;
pub mod document;
pub mod face;
pub mod observation;
pub mod pad;
pub mod portrait_memory;
pub mod quality;
pub mod sampling;
pub mod vision;
