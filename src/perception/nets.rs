//! The interpreter as the document room wants its nets: floating-point numbers in and out.

use super::document::net::{Net, NetError};
use crate::models::{Interpreter, ModelError};

/// A net of the document room on a loaded model.
#[derive(Debug)]
pub struct ModelNet(pub Interpreter);

impl ModelNet {
    fn failed(&self, error: &ModelError) -> NetError {
        NetError {
            task: self.0.info().task.name(),
            what: error.to_string(),
        }
    }
}

impl Net for ModelNet {
    fn run(&mut self, input: &[f32], outputs: &mut [&mut [f32]]) -> Result<(), NetError> {
        let task = self.0.info().task.name();
        let wrong = |what: &str, found: usize, expected: usize| NetError {
            task,
            what: format!("{what}: found {found} elements, expected {expected}"),
        };
        if self.0.outputs().len() != outputs.len() {
            return Err(wrong("outputs", outputs.len(), self.0.outputs().len()));
        }
        let expected = self.0.inputs()[0].len();
        if input.len() != expected {
            return Err(wrong("input", input.len(), expected));
        }
        let filled = self.0.input(0, |tensor| {
            for (i, value) in input.iter().enumerate() {
                tensor.set(i, *value);
            }
        });
        filled.map_err(|e| self.failed(&e))?;
        self.0.invoke().map_err(|e| self.failed(&e))?;
        for (i, output) in outputs.iter_mut().enumerate() {
            let expected = self.0.outputs()[i].len();
            if output.len() != expected {
                return Err(wrong("output", output.len(), expected));
            }
            let read = self.0.output(i, |tensor| tensor.dequantize_into(output));
            read.map_err(|e| self.failed(&e))?;
        }
        Ok(())
    }
}
