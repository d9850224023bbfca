//! One binary for all boundary tests: one file a boundary.

mod architecture;
