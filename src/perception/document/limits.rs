//! Limits.
#![allow(missing_docs)]
pub const LEAST_AREA_SHARE: f32 = 0.1;
pub const LARGEST_TILT_DEGREES: f32 = 20.0;
pub const LARGEST_MOTION: f32 = 0.02;
pub const LEAST_SHARPNESS: f32 = 10.0;
pub const LARGEST_GLARE_SHARE: f32 = 0.02;
pub const LEAST_LUMINANCE: f32 = 0.2;
