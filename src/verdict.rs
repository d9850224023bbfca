//! Evidence + policy -> decision -> outcome. Pure: no file, socket, thread or clock.
//!
//! ```text
//! Evidence --\
//!             +--> decide() --> Decision --> Outcome (versioned JSON record)
//! Policy ----/        |
//!                     +-- reasons: one table, every code with attribution, disposition, attempt, who may see it, remedy, texts
//! ```

pub mod attempts;
pub mod dates;
pub mod decision;
mod document_checks;
pub mod evidence;
pub mod outcome;
pub mod policy;
pub mod reasons;
