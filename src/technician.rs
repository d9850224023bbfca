//! What a technician needs. Built: the memory of faults. Not built: the console (`boothd console` says so) and self-tests.

pub mod faults;
