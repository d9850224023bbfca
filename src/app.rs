//! The composition root: the only room that knows every concrete type. One file a verb; `booth` puts the service together.

pub mod booth;
pub mod calibrate;
pub mod check;
pub mod climb;
pub mod compare;
pub mod console;
pub mod control;
pub mod dispatch;
pub mod eye;
pub mod fittings;
pub mod keys;
pub mod lockstep;
pub mod maintenance;
pub mod outside;
pub mod render;
pub mod replay;
pub mod safe;
pub mod selftest;
pub mod senses;
pub mod sight;
pub mod sound;
pub mod steady;
pub mod tester;
pub mod trace;
pub mod upkeep;
pub mod verbs;
