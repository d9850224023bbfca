//! boothd: the firmware service of an in-branch video-verification booth.
//!
//! The modules in the way of the data, from the devices to the wallet; ARCHITECTURE.md has the picture and the rules.

pub mod base;
pub mod guidance;
pub mod hal;
pub mod perception;
pub mod models;
pub mod verdict;
pub mod session;
pub mod delivery;
pub mod technician;
pub mod runtime;
pub mod config;
