//! One loaded model: tensors compared with the manifest at loading, filled and read in place afterwards.

use super::litert::{Runtime, Session};
use super::manifest::{Dtype, ModelEntry, ModelTask, TensorEntry};
use super::{ModelError, PixelLut};
use std::path::PathBuf;

/// One loaded model. `invoke` needs `&mut`: one inference at a time.
#[derive(Debug)]
pub struct Interpreter {
    session: Session,
    entry: ModelEntry,
}

/// An input tensor to be filled, `len()` elements.
#[derive(Debug)]
pub enum TensorMut<'a> {
    /// Quantized, signed.
    I8(&'a mut [i8]),
    /// Quantized, unsigned.
    U8(&'a mut [u8]),
    /// Floating point.
    F32(&'a mut [f32]),
}

/// An output tensor.
#[derive(Clone, Copy, Debug)]
pub enum TensorRef<'a> {
    /// Quantized, signed.
    I8(&'a [i8]),
    /// Quantized, unsigned.
    U8(&'a [u8]),
    /// Floating point.
    F32(&'a [f32]),
}

/// An output tensor with its quantization: gives real values one by one, without a copy.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    data: TensorRef<'a>,
    scale: f32,
    zero_point: f32,
}

impl<'a> Output<'a> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self.data {
            TensorRef::I8(d) => d.len(),
            TensorRef::U8(d) => d.len(),
            TensorRef::F32(d) => d.len(),
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Real value of element `i`.
    ///
    /// # Panics
    /// If `i` is not below the length.
    pub fn value(&self, i: usize) -> f32 {
        match self.data {
            TensorRef::I8(d) => (f32::from(d[i]) - self.zero_point) * self.scale,
            TensorRef::U8(d) => (f32::from(d[i]) - self.zero_point) * self.scale,
            TensorRef::F32(d) => d[i],
        }
    }

    /// The raw elements.
    pub fn raw(&self) -> TensorRef<'a> {
        self.data
    }

    /// The smallest raw int8 whose real value is at least `value`; for scanning scores without converting each.
    pub fn quantize_up(&self, value: f32) -> f32 {
        (value / self.scale).ceil() + self.zero_point
    }
}

impl Interpreter {
    /// Loads checked bytes and compares every tensor with the manifest.
    pub(super) fn new(
        runtime: &Runtime,
        entry: &ModelEntry,
        bytes: &[u8],
        threads: u8,
    ) -> Result<Self, ModelError> {
        let session = runtime.compile(entry.task, bytes, threads)?;
        let compare = |kind: &str, expected: &[TensorEntry], found: &[TensorEntry]| {
            if expected.len() != found.len() {
                return differs(
                    entry,
                    format!("{} {kind}s", found.len()),
                    format!("{} {kind}s", expected.len()),
                );
            }
            for (e, f) in expected.iter().zip(found) {
                let same_numbers = match (e.scale, f.scale) {
                    (Some(a), Some(b)) => {
                        (a - b).abs() <= a.abs() * 1e-4 && e.zero_point == f.zero_point
                    }
                    (None, None) => true,
                    _ => false,
                };
                if e.name != f.name || e.dtype != f.dtype || e.shape != f.shape || !same_numbers {
                    let show = |t: &TensorEntry| {
                        format!(
                            "{kind} `{}` {:?} {:?} scale {:?}",
                            t.name, t.dtype, t.shape, t.scale
                        )
                    };
                    return differs(entry, show(f), show(e));
                }
            }
            Ok(())
        };
        compare("input", &entry.input, session.inputs())?;
        compare("output", &entry.output, session.outputs())?;
        if !session.is_fully_accelerated()? {
            return Err(ModelError::NotAccelerated { task: entry.task });
        }
        Ok(Self {
            session,
            entry: entry.clone(),
        })
    }

    /// What the manifest says of this model.
    pub fn entry(&self) -> &ModelEntry {
        &self.entry
    }

    /// Which model this is.
    pub fn task(&self) -> ModelTask {
        self.entry.task
    }

    /// The table that turns pixels into values of the input tensor.
    pub fn pixel_lut(&self) -> PixelLut {
        PixelLut::new(&self.entry.preprocessing, &self.entry.input[0])
    }

    /// Lets `fill` write the input tensor in place.
    ///
    /// # Errors
    /// If the runtime does not give the buffer.
    pub fn fill<R>(&mut self, fill: impl FnOnce(TensorMut<'_>) -> R) -> Result<R, ModelError> {
        let dtype = self.entry.input[0].dtype;
        self.session.with_input(0, dtype, fill)
    }

    /// Runs the model.
    ///
    /// # Errors
    /// If the runtime refuses.
    pub fn invoke(&mut self) -> Result<(), ModelError> {
        self.session.run()
    }

    /// Lets `read` look at output `i` in place.
    ///
    /// # Errors
    /// If the runtime does not give the buffer.
    ///
    /// # Panics
    /// If the model has no output `i`; the manifest says how many it has.
    pub fn output<R>(&self, i: usize, read: impl FnOnce(Output<'_>) -> R) -> Result<R, ModelError> {
        let tensor = &self.entry.output[i];
        let (scale, zero_point) = (
            tensor.scale.unwrap_or(1.0),
            tensor.zero_point.unwrap_or(0) as f32,
        );
        self.session.with_output(i, tensor.dtype, |data| {
            read(Output {
                data,
                scale,
                zero_point,
            })
        })
    }

    /// Index of the output with this name.
    pub fn output_named(&self, name: &str) -> Option<usize> {
        self.entry.output.iter().position(|t| t.name == name)
    }
}

fn differs(entry: &ModelEntry, found: String, expected: String) -> Result<(), ModelError> {
    Err(ModelError::Corrupt {
        path: PathBuf::from(&entry.file),
        what: "tensor",
        found,
        expected,
    })
}
