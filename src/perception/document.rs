//! Document: corners, rectification, machine readable zone, portrait.

pub mod corners;
pub mod gb11643;
pub mod homography;

pub mod limits;
pub mod luminance;
pub mod measures;
pub mod mrz;
pub mod mrz_lines;
pub mod net;
pub mod page;
pub mod pipeline;
pub mod portrait;
pub mod rectify;
