//! What the document room asks of a net: one picture in, numbers out. A model of the catalogue is one; tests bring their own.

use crate::models::{Catalogue, Interpreter, ModelError, ModelTask, TensorMut};

/// A net with one input.
pub trait Net: Send + std::fmt::Debug {
    /// Runs the net: `input` has the length of its input, `outputs` those of its outputs.
    ///
    /// # Errors
    /// [`ModelError`] if the net cannot be run.
    fn run(&mut self, input: &[f32], outputs: &mut [&mut [f32]]) -> Result<(), ModelError>;

    /// Gives the input another shape; its outputs follow. Nets of one size have nothing to do.
    ///
    /// # Errors
    /// [`ModelError`] if the net cannot have this shape.
    fn resize(&mut self, _shape: &[usize]) -> Result<(), ModelError> {
        Ok(())
    }
}

/// A model of the catalogue as a [`Net`].
#[derive(Debug)]
pub struct ModelNet {
    interpreter: Interpreter,
    /// Indices of the outputs in the order that they are asked for.
    outputs: Vec<usize>,
}

impl ModelNet {
    /// Loads the model for `task`, whose input has `n_inputs` values, and whose outputs have these shapes (without leading ones).
    ///
    /// # Errors
    /// [`ModelError`] if it cannot be loaded or has other tensors.
    pub fn load(
        catalogue: &Catalogue,
        task: ModelTask,
        n_inputs: usize,
        shapes: &[&[usize]],
    ) -> Result<Self, ModelError> {
        let interpreter = catalogue.load(task)?;
        let found: Vec<usize> = interpreter.inputs().iter().map(|t| t.len()).collect();
        if found != [n_inputs] {
            return Err(ModelError::Unsuitable {
                task,
                what: "values of the inputs",
                found: format!("{found:?}"),
                allowed: "one input of the size that the document room fills",
            });
        }
        let outputs = shapes
            .iter()
            .map(|shape| {
                interpreter.output_of_shape(
                    "shapes of the outputs",
                    shape,
                    "heat maps [48, 48, 4] and classes [6], characters [144, 38], or [40, 1 + charset]",
                )
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            interpreter,
            outputs,
        })
    }
}

impl Net for ModelNet {
    fn run(&mut self, input: &[f32], outputs: &mut [&mut [f32]]) -> Result<(), ModelError> {
        self.interpreter.input(0, |tensor| match tensor {
            TensorMut::F32(values) => {
                for (to, from) in values.iter_mut().zip(input) {
                    *to = *from;
                }
            }
            TensorMut::I8(values, quantization) => {
                for (to, from) in values.iter_mut().zip(input) {
                    *to = quantization.quantize(*from);
                }
            }
        })?;
        self.interpreter.invoke()?;
        for (i, target) in self.outputs.iter().zip(outputs) {
            self.interpreter
                .output(*i, |values| values.dequantize_into(target))?;
        }
        Ok(())
    }

    fn resize(&mut self, shape: &[usize]) -> Result<(), ModelError> {
        self.interpreter.resize(shape)
    }
}
