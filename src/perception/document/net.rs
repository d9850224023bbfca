//! What the document room asks of a net: one picture in, numbers out. The interpreter of `models` is one; tests bring their own.

/// Why a net gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("net for {task}: {what}")]
pub struct NetError {
    /// What the net is for.
    pub task: &'static str,
    /// What the interpreter said.
    pub what: String,
}

/// A net with one input of 32-bit floats.
pub trait Net: Send + std::fmt::Debug {
    /// Runs the net: `input` has the length of its input, `outputs` those of its outputs in their order.
    ///
    /// # Errors
    /// [`NetError`] if the lengths are others or the interpreter fails.
    fn run(&mut self, input: &[f32], outputs: &mut [&mut [f32]]) -> Result<(), NetError>;
}
