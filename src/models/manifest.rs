//! `manifest.toml`: for each model its file, hash, tensors, preprocessing, origin and licence.

use super::ModelError;
use serde::Deserialize;
use std::fmt;
use std::path::Path;

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelTask {
    /// Faces in a frame.
    FaceDetector,
    /// 468 points of a face.
    FaceLandmarks,
    /// Template of a face.
    FaceEmbedding,
    /// Corners of a document.
    DocumentCorners,
    /// Characters of a line of the machine readable zone.
    MrzLineReader,
}

impl ModelTask {
    /// The name in the manifest and in outcomes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FaceDetector => "face_detector",
            Self::FaceLandmarks => "face_landmarks",
            Self::FaceEmbedding => "face_embedding",
            Self::DocumentCorners => "document_corners",
            Self::MrzLineReader => "mrz_line_reader",
        }
    }
}

impl fmt::Display for ModelTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the layout: 1.
    pub format: u32,
    /// The models.
    pub model: Vec<ModelEntry>,
}

/// How the numbers of a model are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// Weights and activations in 8 bits.
    Int8,
    /// Weights in 8 bits, activations in floating point.
    DynamicRange,
    /// Weights in 16 bits.
    Float16,
    /// Everything in 32 bits.
    Float32,
}

/// One model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEntry {
    /// What it is for.
    pub task: ModelTask,
    /// File name beside the manifest.
    pub file: String,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// Size of the file.
    pub bytes: u64,
    /// Version of the model.
    pub version: String,
    /// How its numbers are held.
    pub precision: Precision,
    /// Why it is not int8, if it is not.
    #[serde(default)]
    pub reason: Option<String>,
    /// Licence of the weights.
    pub licence: String,
    /// Where the weights come from.
    pub origin: String,
    /// What is known of the training data.
    pub training_data: String,
    /// Script that makes the file.
    pub build: String,
    /// Input tensors.
    pub input: Vec<TensorEntry>,
    /// What is done with pixels before they go in.
    pub preprocessing: Preprocessing,
    /// Output tensors, in the order of the runtime.
    pub output: Vec<TensorEntry>,
}

/// Element type of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// Signed 8 bits, quantized.
    Int8,
    /// Unsigned 8 bits, quantized.
    Uint8,
    /// 32-bit floating point.
    Float32,
}

impl Dtype {
    /// Bytes of an element.
    pub const fn size(self) -> usize {
        match self {
            Self::Int8 | Self::Uint8 => 1,
            Self::Float32 => 4,
        }
    }
}

/// One tensor.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensorEntry {
    /// Name in the file.
    pub name: String,
    /// Element type.
    pub dtype: Dtype,
    /// Size along each dimension.
    pub shape: Vec<u32>,
    /// Real value of one step, for quantized tensors.
    #[serde(default)]
    pub scale: Option<f32>,
    /// Step that stands for zero, for quantized tensors.
    #[serde(default)]
    pub zero_point: Option<i64>,
    /// What the values mean.
    #[serde(default)]
    pub meaning: Option<String>,
}

impl TensorEntry {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().map(|d| *d as usize).product()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Order of the colour channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
    /// Luminance only.
    Grey,
}

/// How a picture becomes the input tensor.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// Order of the channels.
    pub colour: Colour,
    /// How the picture is cut and scaled: `letterbox`, `rotated_roi`, `arcface_112`, `stretch`, `line`.
    pub geometry: String,
    /// Subtracted from a pixel of 0..=255.
    pub mean: f32,
    /// Divides the rest. Zero where `note` gives another formula.
    pub std: f32,
    /// What else there is to say.
    #[serde(default)]
    pub note: String,
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// [`ModelError::Missing`] or [`ModelError::Manifest`] with the key and what is allowed.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let text = std::fs::read_to_string(path).map_err(|source| ModelError::Missing {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text).map_err(|detail| ModelError::Manifest {
            path: path.to_owned(),
            detail,
        })
    }

    /// Reads and checks the text of a manifest.
    ///
    /// # Errors
    /// Line, key, what was found, what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let manifest: Self =
            toml::from_str(text).map_err(|e| e.to_string().trim().replace('\n', " "))?;
        if manifest.format != 1 {
            return Err(format!("`format`: found {}, allowed: 1", manifest.format));
        }
        for (i, model) in manifest.model.iter().enumerate() {
            model
                .check()
                .map_err(|e| format!("model `{}`: {e}", model.task))?;
            if manifest.model[..i].iter().any(|m| m.task == model.task) {
                return Err(format!(
                    "model `{}` stands twice, allowed: once",
                    model.task
                ));
            }
        }
        Ok(manifest)
    }
}

/// Largest file that is taken for a model.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;
/// Largest tensor, in elements.
const LARGEST_TENSOR: u64 = 16 * 1024 * 1024;

impl ModelEntry {
    fn check(&self) -> Result<(), String> {
        let plain = !self.file.is_empty()
            && self
                .file
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !plain || self.file.starts_with('.') {
            return Err(format!(
                "`file`: found {:?}, allowed: a file name of letters, digits, `.`, `_`, `-`",
                self.file
            ));
        }
        if self.sha256.len() != 64
            || !self
                .sha256
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        {
            return Err(format!(
                "`sha256`: found {:?}, allowed: 64 digits 0-9a-f",
                self.sha256
            ));
        }
        if self.bytes == 0 || self.bytes > LARGEST_FILE {
            return Err(format!(
                "`bytes`: found {}, allowed: 1 to {LARGEST_FILE}",
                self.bytes
            ));
        }
        if self.precision != Precision::Int8 && self.reason.as_ref().is_none_or(String::is_empty) {
            return Err("`reason`: not there, needed because `precision` is not int8".to_owned());
        }
        if self.input.len() != 1 || self.output.is_empty() || self.output.len() > 8 {
            return Err(format!(
                "{} inputs and {} outputs, allowed: 1 input, 1 to 8 outputs",
                self.input.len(),
                self.output.len()
            ));
        }
        for tensor in self.input.iter().chain(&self.output) {
            let elements = tensor
                .shape
                .iter()
                .try_fold(1u64, |n, d| n.checked_mul(u64::from(*d)));
            if tensor.shape.is_empty()
                || tensor.shape.len() > 8
                || elements.is_none_or(|n| n == 0 || n > LARGEST_TENSOR)
            {
                return Err(format!(
                    "tensor `{}`: `shape`: found {:?}, allowed: 1 to 8 sizes above 0",
                    tensor.name, tensor.shape
                ));
            }
            let quantized = tensor.dtype != Dtype::Float32;
            if quantized != (tensor.scale.is_some() && tensor.zero_point.is_some()) {
                return Err(format!(
                    "tensor `{}`: quantized tensors need `scale` and `zero_point`, others none",
                    tensor.name
                ));
            }
        }
        Ok(())
    }
}
