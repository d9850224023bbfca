//! What a technician needs: the commands of the console and what comes back, the socket between the console's process and the booth,
//! and the memory of faults.

pub mod characters;
pub mod command;
pub mod control;
pub mod fault_table;
pub mod faults;
pub mod report;
pub mod selftest;
pub mod sessions;
