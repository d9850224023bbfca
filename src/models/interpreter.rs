//! One compiled model: fill the input in place, run, read the outputs in place. No copy and no allocation after loading.

use super::ModelError;
use super::catalogue::failed;
use super::litert::{self, Found, Session};
use super::manifest::{
    Colour, ModelEntry, ModelInfo, ModelTask, Preprocessing, Quantization, TensorSpec, TensorType,
};

/// The values of an input, to be written.
#[derive(Debug)]
pub enum TensorMut<'a> {
    /// Real numbers.
    F32(&'a mut [f32]),
    /// Quantized numbers, with what they mean.
    I8(&'a mut [i8], Quantization),
}

impl TensorMut<'_> {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::I8(values, _) => values.len(),
        }
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sets value `i` from a real number.
    ///
    /// # Panics
    /// If `i` is not below the length.
    pub fn set(&mut self, i: usize, real: f32) {
        match self {
            Self::F32(values) => values[i] = real,
            Self::I8(values, quantization) => values[i] = quantization.quantize(real),
        }
    }
}

/// The values of an output.
#[derive(Clone, Copy, Debug)]
pub enum TensorRef<'a> {
    /// Real numbers.
    F32(&'a [f32]),
    /// Quantized numbers, with what they mean.
    I8(&'a [i8], Quantization),
}

impl TensorRef<'_> {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::I8(values, _) => values.len(),
        }
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Value `i` as a real number.
    ///
    /// # Panics
    /// If `i` is not below the length.
    pub fn get(&self, i: usize) -> f32 {
        match self {
            Self::F32(values) => values[i],
            Self::I8(values, quantization) => quantization.dequantize(values[i]),
        }
    }

    /// All values as real numbers; as many as both have.
    pub fn dequantize_into(&self, target: &mut [f32]) {
        match self {
            Self::F32(values) => {
                for (to, from) in target.iter_mut().zip(*values) {
                    *to = *from;
                }
            }
            Self::I8(values, quantization) => {
                for (to, from) in target.iter_mut().zip(*values) {
                    *to = quantization.dequantize(*from);
                }
            }
        }
    }
}

/// A compiled model with its buffers. May be sent to another thread, not shared.
#[derive(Debug)]
pub struct Interpreter {
    entry: ModelEntry,
    session: Session,
}

impl Interpreter {
    /// Takes a compiled model if it is as the manifest says and fully accelerated.
    pub(super) fn new(entry: ModelEntry, session: Session) -> Result<Self, ModelError> {
        let task = entry.info.task;
        compare_all(task, "inputs", &entry.inputs, &session.inputs)?;
        compare_all(task, "outputs", &entry.outputs, &session.outputs)?;
        if !session.fully_accelerated().map_err(|e| failed(task, e))? {
            return Err(ModelError::NotAccelerated { task });
        }
        Ok(Self { entry, session })
    }

    /// Task, version and hash, as outcomes report them.
    pub fn info(&self) -> &ModelInfo {
        &self.entry.info
    }

    /// From a pixel to a real number.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.entry.preprocessing
    }

    /// The inputs, in the order of their indices.
    pub fn inputs(&self) -> &[TensorSpec] {
        &self.entry.inputs
    }

    /// The outputs, in the order of their indices.
    pub fn outputs(&self) -> &[TensorSpec] {
        &self.entry.outputs
    }

    /// Index of the one output with the given shape, leading ones left out (`[896, 16]` finds `[1, 896, 16]`).
    ///
    /// # Errors
    /// [`ModelError::Unsuitable`] if there is none.
    pub fn output_of_shape(
        &self,
        what: &'static str,
        shape: &[usize],
        allowed: &'static str,
    ) -> Result<usize, ModelError> {
        let trim = |shape: &[usize]| {
            let ones = shape.iter().take_while(|d| **d == 1).count();
            shape[ones..].to_vec()
        };
        self.outputs()
            .iter()
            .position(|t| trim(&t.shape) == trim(shape))
            .ok_or_else(|| ModelError::Unsuitable {
                task: self.info().task,
                what,
                found: format!(
                    "{:?}",
                    self.outputs().iter().map(|t| &t.shape).collect::<Vec<_>>()
                ),
                allowed,
            })
    }

    /// Gives the input another shape, of a net with one input whose build leaves its size free (`build/free_size.py`); outputs follow.
    /// What was in the tensors is wiped. Takes about a millisecond; of the same shape as before, nothing.
    ///
    /// # Errors
    /// [`ModelError`] if the runtime refuses the shape, or some operator no longer runs on the fast kernels.
    pub fn resize(&mut self, shape: &[usize]) -> Result<(), ModelError> {
        let task = self.info().task;
        if self.entry.inputs.len() != 1 {
            return Err(no_tensor(task, "only input", 0, self.entry.inputs.len()));
        }
        if self.entry.inputs[0].shape == shape {
            return Ok(());
        }
        let dims: Vec<i32> = shape
            .iter()
            .map(|d| i32::try_from(*d).unwrap_or(i32::MAX))
            .collect();
        self.session.resize(0, &dims).map_err(|e| failed(task, e))?;
        let specs = self.entry.inputs.iter_mut().chain(&mut self.entry.outputs);
        let found = self.session.inputs.iter().chain(&self.session.outputs);
        for (spec, found) in specs.zip(found) {
            let lengths = found.dims.iter().map(|d| usize::try_from(*d).unwrap_or(0));
            spec.shape = lengths.collect();
        }
        if !self
            .session
            .fully_accelerated()
            .map_err(|e| failed(task, e))?
        {
            return Err(ModelError::NotAccelerated { task });
        }
        Ok(())
    }

    /// Lends input `i` to `fill`. What is written stays until it is written again.
    ///
    /// # Errors
    /// [`ModelError`] if there is no such input or the runtime does not lend its buffer.
    pub fn input<R>(
        &mut self,
        i: usize,
        fill: impl FnOnce(&mut TensorMut<'_>) -> R,
    ) -> Result<R, ModelError> {
        let task = self.info().task;
        let spec = self
            .entry
            .inputs
            .get(i)
            .ok_or_else(|| no_tensor(task, "input", i, self.entry.inputs.len()))?;
        let (dtype, quantization) = (spec.dtype, spec.quantization);
        self.session
            .with_input(i, |bytes| {
                fill(&mut match dtype {
                    TensorType::Float32 => TensorMut::F32(litert::as_f32_mut(bytes)),
                    TensorType::Int8 => TensorMut::I8(litert::as_i8_mut(bytes), quantization),
                })
            })
            .map_err(|e| failed(task, e))
    }

    /// Runs the model on its inputs.
    ///
    /// # Errors
    /// [`ModelError::Runtime`] if TFLite fails.
    pub fn invoke(&mut self) -> Result<(), ModelError> {
        let task = self.info().task;
        self.session.run().map_err(|e| failed(task, e))
    }

    /// Lends output `i` to `read`. Calls may be nested to read several outputs together.
    ///
    /// # Errors
    /// [`ModelError`] if there is no such output or the runtime does not lend its buffer.
    pub fn output<R>(
        &self,
        i: usize,
        read: impl FnOnce(TensorRef<'_>) -> R,
    ) -> Result<R, ModelError> {
        let task = self.info().task;
        let spec = self
            .entry
            .outputs
            .get(i)
            .ok_or_else(|| no_tensor(task, "output", i, self.entry.outputs.len()))?;
        self.session
            .with_output(i, |bytes| {
                read(match spec.dtype {
                    TensorType::Float32 => TensorRef::F32(litert::as_f32(bytes)),
                    TensorType::Int8 => TensorRef::I8(litert::as_i8(bytes), spec.quantization),
                })
            })
            .map_err(|e| failed(task, e))
    }

    /// The table from pixels to the values of input `i`.
    ///
    /// # Errors
    /// [`ModelError::Unsuitable`] if the normalisation depends on the picture (a divisor of 0 in the manifest).
    pub fn pixel_lut(&self, i: usize) -> Result<PixelLut, ModelError> {
        let task = self.info().task;
        let spec = self
            .entry
            .inputs
            .get(i)
            .ok_or_else(|| no_tensor(task, "input", i, self.entry.inputs.len()))?;
        PixelLut::new(&self.entry.preprocessing, spec).ok_or_else(|| ModelError::Unsuitable {
            task,
            what: "preprocessing.std",
            found: format!("{:?}", self.entry.preprocessing.std),
            allowed: "divisors above 0",
        })
    }
}

fn no_tensor(task: ModelTask, what: &'static str, i: usize, n: usize) -> ModelError {
    ModelError::Unsuitable {
        task,
        what,
        found: format!("{n} of them, asked for number {i}"),
        allowed: "a number below that",
    }
}

fn compare_all(
    task: ModelTask,
    side: &'static str,
    specs: &[TensorSpec],
    found: &[Found],
) -> Result<(), ModelError> {
    let differs = |tensor: String, what, found: String, expected: String| {
        Err(ModelError::Tensor {
            task,
            tensor,
            what,
            found,
            expected,
        })
    };
    if specs.len() != found.len() {
        let what = if side == "inputs" {
            "number of inputs"
        } else {
            "number of outputs"
        };
        return differs(
            side.into(),
            what,
            found.len().to_string(),
            specs.len().to_string(),
        );
    }
    for (i, (spec, found)) in specs.iter().zip(found).enumerate() {
        let tensor = format!("{side} {i} `{}`", spec.name);
        if spec.name != found.name {
            return differs(tensor, "name", found.name.clone(), spec.name.clone());
        }
        if Some(spec.dtype) != found.dtype {
            let have = found
                .dtype
                .map_or_else(|| "another type".to_owned(), |t| t.to_string());
            return differs(tensor, "type", have, spec.dtype.to_string());
        }
        let same_shape = spec.shape.len() == found.dims.len()
            && spec
                .shape
                .iter()
                .zip(&found.dims)
                .all(|(a, b)| i64::try_from(*a) == Ok(i64::from(*b)));
        if !same_shape {
            return differs(
                tensor,
                "shape",
                format!("{:?}", found.dims),
                format!("{:?}", spec.shape),
            );
        }
        let expected = match spec.dtype {
            TensorType::Float32 => None,
            TensorType::Int8 => Some((
                spec.quantization.scale,
                i64::from(spec.quantization.zero_point),
            )),
        };
        if found.quantization != expected {
            return differs(
                tensor,
                "quantization",
                format!("{:?}", found.quantization),
                format!("{expected:?}"),
            );
        }
        let size = match spec.dtype {
            TensorType::Float32 => 4,
            TensorType::Int8 => 1,
        };
        if found.bytes != spec.len() * size {
            return differs(
                tensor,
                "bytes",
                found.bytes.to_string(),
                (spec.len() * size).to_string(),
            );
        }
    }
    Ok(())
}

/// From a pixel's byte to the tensor's value in one look-up, for each channel in the order of the tensor.
#[derive(Clone, Debug)]
pub struct PixelLut {
    /// Order of the colours in the tensor.
    pub colour: Colour,
    /// The tables.
    pub tables: LutTables,
}

/// The tables of a [`PixelLut`].
#[derive(Clone, Debug)]
pub enum LutTables {
    /// For float32 tensors.
    F32(Box<[[f32; 256]; 3]>),
    /// For int8 tensors.
    I8(Box<[[i8; 256]; 3]>),
    /// For int8 tensors whose values are the pixels less 128: no table is needed.
    Shifted,
}

impl PixelLut {
    /// Makes the tables; `None` if a divisor is 0.
    pub fn new(preprocessing: &Preprocessing, spec: &TensorSpec) -> Option<Self> {
        if preprocessing.std.contains(&0.0) {
            return None;
        }
        let real = |channel: usize, pixel: usize| {
            (pixel as f32 - preprocessing.mean[channel]) / preprocessing.std[channel]
        };
        let tables = match spec.dtype {
            TensorType::Float32 => LutTables::F32(Box::new(std::array::from_fn(|channel| {
                std::array::from_fn(|pixel| real(channel, pixel))
            }))),
            TensorType::Int8 => {
                let tables: [[i8; 256]; 3] = std::array::from_fn(|channel| {
                    std::array::from_fn(|pixel| spec.quantization.quantize(real(channel, pixel)))
                });
                let shifted = |table: &[i8; 256]| (-128i8..=127).eq(table.iter().copied());
                if tables.iter().all(shifted) {
                    LutTables::Shifted
                } else {
                    LutTables::I8(Box::new(tables))
                }
            }
        };
        Some(Self {
            colour: preprocessing.colour,
            tables,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue_for_tests;
    use super::super::manifest::Geometry;
    use super::*;

    #[test]
    fn a_pixel_becomes_a_value_in_one_look_up() {
        let preprocessing = Preprocessing {
            colour: Colour::Bgr,
            geometry: Geometry::Arcface112,
            mean: [127.0; 3],
            std: [128.0, 128.0, 64.0],
        };
        let mut spec = TensorSpec {
            name: "image".into(),
            dtype: TensorType::Float32,
            shape: vec![1, 2, 2, 3],
            quantization: Quantization::IDENTITY,
        };
        let lut = PixelLut::new(&preprocessing, &spec).expect("no divisor is 0");
        let LutTables::F32(tables) = lut.tables else {
            panic!("a float32 tensor has float32 tables")
        };
        assert_eq!(
            (tables[0][255], tables[2][255], tables[1][127]),
            (1.0, 2.0, 0.0)
        );
        spec.dtype = TensorType::Int8;
        spec.quantization = Quantization {
            scale: 1.0 / 128.0,
            zero_point: -1,
        };
        let lut = PixelLut::new(&preprocessing, &spec).expect("no divisor is 0");
        let LutTables::I8(tables) = lut.tables else {
            panic!("an int8 tensor has int8 tables")
        };
        assert_eq!(
            (tables[0][0], tables[0][127], tables[0][255], tables[2][255]),
            (-128, -1, 127, 127)
        );
        let shifted = Preprocessing {
            std: [128.0; 3],
            ..preprocessing.clone()
        };
        let lut = PixelLut::new(&shifted, &spec).expect("no divisor is 0");
        assert!(matches!(lut.tables, LutTables::Shifted));
        let from_the_picture = Preprocessing {
            std: [0.0; 3],
            ..preprocessing
        };
        assert!(PixelLut::new(&from_the_picture, &spec).is_none());
    }

    #[test]
    fn what_is_asked_for_has_to_be_there() {
        let mut model = catalogue_for_tests()
            .load(ModelTask::FaceDetector)
            .expect("a good model");
        let error = model.input(1, |_| ()).expect_err("one input only");
        assert!(
            error.to_string().contains("1 of them, asked for number 1"),
            "{error}"
        );
        assert!(model.output(9, |_| ()).is_err());
        assert!(model.output_of_shape("boxes", &[896, 16], "").is_ok());
        let error = model
            .output_of_shape("boxes", &[900, 16], "[896, 16]")
            .expect_err("no such shape");
        assert!(error.to_string().contains("[896, 16]"), "{error}");
        let reader = catalogue_for_tests()
            .load(ModelTask::MrzLineReader)
            .expect("a good model");
        assert!(
            reader.pixel_lut(0).is_err(),
            "its normalisation depends on the line"
        );
    }

    #[test]
    fn a_net_of_free_size_reads_a_narrower_input_as_the_wide_one() {
        let mut model = catalogue_for_tests()
            .load(ModelTask::TextReader)
            .expect("a good model");
        let mut run = |width: usize| {
            model.resize(&[1, 48, width, 3]).expect("free");
            let fill = |t: &mut TensorMut<'_>| {
                (0..t.len()).for_each(|i| t.set(i, (i % 7) as f32 / 7.0 - 0.5));
                t.len()
            };
            assert_eq!(model.input(0, fill).expect("an input"), 48 * width * 3);
            model.invoke().expect("runs");
            assert_eq!(model.outputs()[0].shape[1], width / 8);
            let mut values = vec![0.0; model.outputs()[0].len()];
            model
                .output(0, |t| t.dequantize_into(&mut values))
                .expect("an output");
            values
        };
        let wide = run(320);
        assert_eq!(run(96).len(), wide.len() * 96 / 320);
        assert_eq!(run(320), wide);
        assert!(model.resize(&[1, 48]).is_err());
    }

    #[test]
    fn outputs_follow_inputs_and_are_repeatable() {
        let mut model = catalogue_for_tests()
            .load(ModelTask::DocumentCorners)
            .expect("a good model");
        let mut run = |value: f32| {
            let n = model
                .input(0, |t| (0..t.len()).for_each(|i| t.set(i, value)))
                .map(|()| model.inputs()[0].len());
            assert_eq!(n.expect("an input"), 192 * 192 * 3);
            model.invoke().expect("runs");
            let mut values = vec![0.0; model.outputs()[0].len()];
            model
                .output(0, |t| t.dequantize_into(&mut values))
                .expect("an output");
            values
        };
        let (dark, bright, again) = (run(-1.0), run(1.0), run(-1.0));
        assert_ne!(dark, bright);
        assert_eq!(dark, again);
    }
}
