//! Document: corners, rectification, machine readable zone, resident identity card, portrait.

pub mod corners;
pub mod cover;
pub mod field;
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
pub mod prc;
pub mod printed;
pub mod rectify;
pub mod stages;
pub mod text;
mod two_sided;
mod warp;
