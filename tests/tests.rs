//! One binary for all boundary tests: one file a boundary.

mod adversity;
mod architecture;
mod bad_input;
mod console;
mod end_to_end;
mod furnished;
mod fuzz_corpus;
mod matrix;
mod portraits;
mod pty;
mod render;
mod replay;
mod safe_mode;
mod technician;
mod texts;
mod tickets;
