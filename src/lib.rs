//! boothd: the firmware service of an in-branch video-verification booth.
//!
//! The modules in the way of the data, from the devices to the wallet; ARCHITECTURE.md has the picture and the rules.

pub mod app;
pub mod base;
pub mod config;
pub mod delivery;
pub mod demo;
pub mod guidance;
pub mod hal;
pub mod html;
pub mod models;
pub mod perception;
pub mod runtime;
pub mod session;
pub mod technician;
pub mod trust;
pub mod verdict;
pub mod wallet;
