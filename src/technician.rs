//! What a technician needs: the commands of the console and what comes back, the console itself with its login, lock and audit log, the
//! socket between it and the booth, the memory of faults, and trends over months.

pub mod audit;
pub mod characters;
pub mod command;
pub mod console;
pub mod control;
pub mod editor;
pub mod fault_table;
pub mod faults;
pub mod grammar;
pub mod lockout;
pub mod page;
pub mod plain;
pub mod report;
pub mod selftest;
pub mod sessions;
pub mod store;
pub mod texts;
pub mod trends;
