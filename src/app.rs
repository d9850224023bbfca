//! The composition root: the only room that knows every concrete type. One file a verb; `booth` puts the service together.

pub mod booth;
pub mod calibrate;
pub mod check;
pub mod climb;
pub mod compare;
pub mod eye;
pub mod fittings;
pub mod keys;
pub mod lockstep;
pub mod outside;
pub mod render;
pub mod replay;
pub mod safe;
pub mod senses;
pub mod sight;
pub mod steady;
pub mod trace;
pub mod verbs;
