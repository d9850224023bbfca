//! Face: detection, landmarks, pose, alignment, template, comparison.
//!
//! ```text
//! frame -> detector (128x128) -> largest face -> landmarks (192x192 turned square) -> pose, quality, photometry
//!                                                      |-> five points -> alignment (112x112) -> template
//! ```

pub mod align;
pub mod calibration;
pub mod detector;
pub mod embedding;
mod in_hand;
pub mod landmarks;
pub mod pipeline;
pub mod pose;

use crate::models::{Interpreter, ModelError};

/// A net must take one square picture of `side` pixels in colours.
pub(super) fn expect_input(net: &Interpreter, side: u32) -> Result<(), ModelError> {
    let side = side as usize;
    let found: Vec<&Vec<usize>> = net.inputs().iter().map(|t| &t.shape).collect();
    if found.len() == 1 && *found[0] == [1, side, side, 3] {
        return Ok(());
    }
    Err(ModelError::Unsuitable {
        task: net.info().task,
        what: "input",
        found: format!("{found:?}"),
        allowed: "one square picture of the side that the recipe needs, three colours",
    })
}
