//! `models/manifest.toml`: as written -> validated. Which file serves which task, its hash, its tensors, its origin and licence.

use super::ModelError;
use serde::Deserialize;
use std::fmt;
use std::path::Path;

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelTask {
    /// Faces in a frame: boxes and six key points.
    FaceDetector,
    /// 468 points of a face.
    FaceLandmarks,
    /// The numbers that are compared.
    FaceEmbedding,
    /// Presentation attacks: bona fide or not.
    FacePad,
    /// The four corners of a document.
    DocumentCorners,
    /// The characters of one line of a machine readable zone.
    MrzLineReader,
    /// Where lines of text are on a page.
    TextDetector,
    /// The characters of one line of Chinese or Latin text.
    TextReader,
}

impl ModelTask {
    /// All tasks.
    pub const ALL: [Self; 8] = [
        Self::FaceDetector,
        Self::FaceLandmarks,
        Self::FaceEmbedding,
        Self::FacePad,
        Self::DocumentCorners,
        Self::MrzLineReader,
        Self::TextDetector,
        Self::TextReader,
    ];

    /// The name as in the manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FaceDetector => "face_detector",
            Self::FaceLandmarks => "face_landmarks",
            Self::FaceEmbedding => "face_embedding",
            Self::FacePad => "face_pad",
            Self::DocumentCorners => "document_corners",
            Self::MrzLineReader => "mrz_line_reader",
            Self::TextDetector => "text_detector",
            Self::TextReader => "text_reader",
        }
    }
}

impl fmt::Display for ModelTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an outcome or a report says of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    /// What it is for.
    pub task: ModelTask,
    /// Its version in the manifest.
    pub version: String,
    /// Hash of the file, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// How its numbers are held.
    pub precision: Precision,
}

/// How the numbers of a model are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit floating point.
    Float32,
    /// 16-bit weights, 32-bit arithmetic.
    Float16,
    /// 8-bit weights, ranges of the activations found at run time.
    DynamicRange,
    /// 8-bit weights and activations.
    Int8,
    /// 8-bit weights, 16-bit activations.
    Int16x8,
}

/// Type of a tensor's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TensorType {
    /// Real numbers.
    Float32,
    /// Quantized numbers.
    Int8,
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Float32 => "float32",
            Self::Int8 => "int8",
        })
    }
}

/// `real = scale * (value - zero_point)`. For float32 tensors the identity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantization {
    /// Step, above 0.
    pub scale: f32,
    /// The value that means 0, -128..=127.
    pub zero_point: i32,
}

impl Quantization {
    /// No quantization: the value is the real number.
    pub const IDENTITY: Self = Self {
        scale: 1.0,
        zero_point: 0,
    };

    /// The int8 value nearest to a real number, clamped to the range.
    pub fn quantize(self, real: f32) -> i8 {
        // The clamp keeps the cast exact.
        (real / self.scale + self.zero_point as f32)
            .round_ties_even()
            .clamp(-128.0, 127.0) as i8
    }

    /// The real number of an int8 value.
    pub fn dequantize(self, value: i8) -> f32 {
        self.scale * (i32::from(value) - self.zero_point) as f32
    }
}

/// A tensor at an end of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorSpec {
    /// Its name in the file.
    pub name: String,
    /// Type of the values.
    pub dtype: TensorType,
    /// Sizes, outermost first; every one at least 1.
    pub shape: Vec<usize>,
    /// How the values are to be read.
    pub quantization: Quantization,
}

impl TensorSpec {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Never: a validated shape has no zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Order of the colours in the input tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
    /// Luminance.
    Grey,
}

/// How the picture is laid into the input tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Geometry {
    /// The whole frame, aspect kept, zero border.
    Letterbox,
    /// A square around a face, turned upright.
    RotatedRoi,
    /// A face with its five points on the ArcFace template.
    #[serde(rename = "arcface_112")]
    Arcface112,
    /// A face with what is around it, upright, aspect not kept.
    FaceCrop,
    /// The whole frame, aspect not kept.
    Stretch,
    /// A line of text.
    Line,
    /// A level page in the upper left corner, aspect kept, zero pixels to the right and below.
    Page,
}

/// From a pixel to a real number: `(pixel - mean) / std`, per channel in the order of the tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Preprocessing {
    /// Order of the colours.
    pub colour: Colour,
    /// How the picture is laid in.
    pub geometry: Geometry,
    /// Mean of each channel, 0..=255.
    pub mean: [f32; 3],
    /// Divisor of each channel; 0 means that it is taken from the picture itself (see the manifest's note).
    pub std: [f32; 3],
}

/// One validated model of the manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelEntry {
    /// What outcomes say of it.
    pub info: ModelInfo,
    /// File name inside the models directory.
    pub file: String,
    /// Size of the file.
    pub bytes: u64,
    /// Licence of the weights.
    pub licence: String,
    /// Where the weights come from.
    pub origin: String,
    /// From a pixel to a real number.
    pub preprocessing: Preprocessing,
    /// Input tensors.
    pub inputs: Vec<TensorSpec>,
    /// Output tensors.
    pub outputs: Vec<TensorSpec>,
    /// The characters of its classes, if it is a reader of many.
    pub charset: Option<CharsetEntry>,
}

/// The file with the characters of a reader's classes: one a line, in the order of the classes from 1 on; class 0 is the blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CharsetEntry {
    /// File name inside the models directory.
    pub file: String,
    /// Hash of the file, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Number of characters.
    pub characters: usize,
}

/// The validated manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// Its models, at most one a task.
    pub models: Vec<ModelEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    format: u32,
    model: Vec<RawModel>,
}

// Some fields are for people (why, whence, how made): they have to be there, but nothing here reads them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawModel {
    task: ModelTask,
    file: String,
    sha256: String,
    bytes: u64,
    version: String,
    precision: Precision,
    #[serde(default)]
    reason: String,
    licence: String,
    origin: String,
    training_data: String,
    build: String,
    preprocessing: RawPreprocessing,
    input: Vec<RawTensor>,
    output: Vec<RawTensor>,
    charset: Option<RawCharset>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCharset {
    file: String,
    sha256: String,
    characters: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPreprocessing {
    colour: Colour,
    geometry: Geometry,
    mean: OneOrThree,
    std: OneOrThree,
    #[serde(default, rename = "note")]
    _note: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum OneOrThree {
    One(f32),
    Three([f32; 3]),
}

impl OneOrThree {
    fn each(self) -> [f32; 3] {
        match self {
            Self::One(v) => [v; 3],
            Self::Three(v) => v,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTensor {
    name: String,
    dtype: TensorType,
    shape: Vec<usize>,
    scale: Option<f32>,
    zero_point: Option<i32>,
    #[serde(default, rename = "meaning")]
    _meaning: String,
}

/// The format of the manifest that this release reads.
const FORMAT: u32 = 1;
/// No model of the booth comes near it; a larger size is a mistake.
const LARGEST_MODEL: u64 = 64 << 20;
/// More characters than any script of documents has; a larger number is a mistake.
const LARGEST_CHARSET: usize = 1 << 17;
/// Most values in one tensor.
const LARGEST_TENSOR: usize = 16 << 20;

impl Manifest {
    /// Parses and validates the text of the manifest at `path` (the path is for the errors only).
    ///
    /// # Errors
    /// [`ModelError::ManifestSyntax`] or [`ModelError::ManifestValue`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ModelError> {
        let raw: RawManifest = toml::from_str(text).map_err(|e| ModelError::ManifestSyntax {
            path: path.to_owned(),
            detail: e.to_string().trim_end().to_owned(),
        })?;
        let check = Check { path };
        check.that(
            raw.format == FORMAT,
            "format".into(),
            raw.format,
            "1 (another format belongs to another release)",
        )?;
        let mut models: Vec<ModelEntry> = Vec::with_capacity(raw.model.len());
        for model in raw.model {
            let task = model.task;
            check.that(
                models.iter().all(|m| m.info.task != task),
                format!("task of model {}", models.len() + 1),
                task,
                "listed once only",
            )?;
            models.push(check.model(model)?);
        }
        Ok(Self { models })
    }

    /// The model for a task, if there is one.
    pub fn get(&self, task: ModelTask) -> Option<&ModelEntry> {
        self.models.iter().find(|m| m.info.task == task)
    }
}

/// Whether it is a file name without folders.
fn is_plain(file: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    file.bytes().all(plain) && !file.starts_with('.')
}

fn is_sha256(text: &str) -> bool {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    text.len() == 64 && text.bytes().all(hex)
}

struct Check<'a> {
    path: &'a Path,
}

impl Check<'_> {
    fn that(
        &self,
        good: bool,
        place: String,
        found: impl ToString,
        allowed: &'static str,
    ) -> Result<(), ModelError> {
        if good {
            return Ok(());
        }
        Err(ModelError::ManifestValue {
            path: self.path.to_owned(),
            place,
            found: format!("`{}`", found.to_string()),
            allowed,
        })
    }

    fn model(&self, raw: RawModel) -> Result<ModelEntry, ModelError> {
        let place = |key: &str| format!("{}.{key}", raw.task);
        self.that(
            is_plain(&raw.file) && raw.file.ends_with(".tflite"),
            place("file"),
            &raw.file,
            "a plain file name that ends with .tflite",
        )?;
        self.that(
            is_sha256(&raw.sha256),
            place("sha256"),
            &raw.sha256,
            "64 lower-case hexadecimal digits",
        )?;
        self.that(
            (16..=LARGEST_MODEL).contains(&raw.bytes),
            place("bytes"),
            raw.bytes,
            "16 to 67108864",
        )?;
        for (key, text) in [
            ("version", &raw.version),
            ("licence", &raw.licence),
            ("origin", &raw.origin),
            ("training_data", &raw.training_data),
            ("build", &raw.build),
        ] {
            self.that(!text.trim().is_empty(), place(key), text, "a text")?;
        }
        self.that(
            raw.precision == Precision::Int8 || !raw.reason.trim().is_empty(),
            place("reason"),
            &raw.reason,
            "a text that says why the model is not int8",
        )?;
        let (mean, std) = (raw.preprocessing.mean.each(), raw.preprocessing.std.each());
        self.that(
            mean.iter().all(|v| (0.0..=255.0).contains(v)),
            place("preprocessing.mean"),
            format!("{mean:?}"),
            "0 to 255, one number or three",
        )?;
        self.that(
            std.iter().all(|v| v.is_finite() && *v >= 0.0),
            place("preprocessing.std"),
            format!("{std:?}"),
            "0 or above, one number or three",
        )?;
        let inputs = self.tensors(&place("input"), raw.input)?;
        let outputs = self.tensors(&place("output"), raw.output)?;
        let charset = raw
            .charset
            .map(|c| self.charset(&place("charset"), c))
            .transpose()?;
        Ok(ModelEntry {
            info: ModelInfo {
                task: raw.task,
                version: raw.version,
                sha256: raw.sha256,
                precision: raw.precision,
            },
            file: raw.file,
            bytes: raw.bytes,
            licence: raw.licence,
            origin: raw.origin,
            preprocessing: Preprocessing {
                colour: raw.preprocessing.colour,
                geometry: raw.preprocessing.geometry,
                mean,
                std,
            },
            inputs,
            outputs,
            charset,
        })
    }

    fn charset(&self, place: &str, raw: RawCharset) -> Result<CharsetEntry, ModelError> {
        self.that(
            is_plain(&raw.file) && raw.file.ends_with(".txt"),
            format!("{place}.file"),
            &raw.file,
            "a plain file name that ends with .txt",
        )?;
        self.that(
            is_sha256(&raw.sha256),
            format!("{place}.sha256"),
            &raw.sha256,
            "64 lower-case hexadecimal digits",
        )?;
        self.that(
            (1..=LARGEST_CHARSET).contains(&raw.characters),
            format!("{place}.characters"),
            raw.characters,
            "1 to 131072",
        )?;
        Ok(CharsetEntry {
            file: raw.file,
            sha256: raw.sha256,
            characters: raw.characters,
        })
    }

    fn tensors(&self, place: &str, raw: Vec<RawTensor>) -> Result<Vec<TensorSpec>, ModelError> {
        self.that(
            (1..=8).contains(&raw.len()),
            place.to_owned(),
            format!("a list of {}", raw.len()),
            "a list of 1 to 8",
        )?;
        raw.into_iter()
            .map(|t| {
                let key = |key: &str| format!("{place} `{}`: {key}", t.name);
                let values = t
                    .shape
                    .iter()
                    .try_fold(1_usize, |n, d| n.checked_mul(*d))
                    .unwrap_or(usize::MAX);
                self.that(
                    (1..=8).contains(&t.shape.len()) && (1..=LARGEST_TENSOR).contains(&values),
                    key("shape"),
                    format!("{:?}", t.shape),
                    "1 to 8 sizes, none of them 0, at most 16777216 values",
                )?;
                let quantization = match (t.dtype, t.scale, t.zero_point) {
                    (TensorType::Float32, None, None) => Quantization::IDENTITY,
                    (TensorType::Int8, Some(scale), Some(zero_point))
                        if scale.is_finite()
                            && scale > 0.0
                            && (-128..=127).contains(&zero_point) =>
                    {
                        Quantization { scale, zero_point }
                    }
                    (dtype, scale, zero_point) => {
                        return Err(ModelError::ManifestValue {
                            path: self.path.to_owned(),
                            place: key("quantization"),
                            found: format!("{dtype}, scale {scale:?}, zero_point {zero_point:?}"),
                            allowed: "neither for float32; scale above 0 and zero_point -128 to 127 for int8",
                        });
                    }
                };
                Ok(TensorSpec {
                    name: t.name,
                    dtype: t.dtype,
                    shape: t.shape,
                    quantization,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../models/manifest.toml");

    const GOOD: &str = r#"
format = 1
[[model]]
task = "face_detector"
file = "face_detector.tflite"
sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
bytes = 182000
version = "2"
precision = "int8"
licence = "Apache-2.0"
origin = "somewhere"
training_data = "undisclosed by the maker"
build = "build/face_detector.py"
preprocessing = { colour = "rgb", geometry = "letterbox", mean = 127.5, std = [127.5, 127.5, 128.0] }
input = [{ name = "input", dtype = "int8", shape = [1, 128, 128, 3], scale = 0.0078, zero_point = -1 }]
output = [{ name = "boxes", dtype = "float32", shape = [1, 896, 16], meaning = "boxes" }]
"#;

    fn check(from: &str, to: &str, expected: &str) {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "nothing to replace: `{from}`");
        let error = Manifest::parse(&text, Path::new("manifest.toml")).expect_err(to);
        let message = error.to_string();
        assert!(
            message.contains(expected),
            "`{to}` gave `{message}`, expected `{expected}`"
        );
        assert_eq!(error.code(), "hw.model.corrupt");
        assert!(!error.mend().is_empty());
    }

    #[test]
    fn the_manifest_of_this_release_is_good_and_complete() {
        let manifest =
            Manifest::parse(SHIPPED, Path::new("manifest.toml")).expect("the shipped manifest");
        for task in ModelTask::ALL {
            assert!(manifest.get(task).is_some(), "no model for {task}");
        }
    }

    #[test]
    fn a_good_manifest_is_read() {
        let manifest = Manifest::parse(GOOD, Path::new("manifest.toml")).expect("a good manifest");
        let model = manifest.get(ModelTask::FaceDetector).expect("is listed");
        assert_eq!(model.preprocessing.std, [127.5, 127.5, 128.0]);
        assert_eq!(model.inputs[0].quantization.zero_point, -1);
        assert_eq!(model.outputs[0].len(), 896 * 16);
        assert!(manifest.get(ModelTask::FaceEmbedding).is_none());
    }

    #[test]
    fn mistakes_are_named() {
        for (from, to, expected) in [
            ("format = 1", "format = 2", "format is `2`"),
            (
                "format = 1",
                "format = 1\ncolour = 3",
                "unknown field `colour`",
            ),
            (
                "\"face_detector\"",
                "\"face_finder\"",
                "unknown variant `face_finder`",
            ),
            (
                "face_detector.tflite",
                "../x.tflite",
                "face_detector.file is `../x.tflite`",
            ),
            ("face_detector.tflite", "x.onnx", "ends with .tflite"),
            (
                "sha256 = \"",
                "sha256 = \"X",
                "64 lower-case hexadecimal digits",
            ),
            (
                "bytes = 182000",
                "bytes = 99182000",
                "face_detector.bytes is `99182000`",
            ),
            (
                "version = \"2\"",
                "version = \"\"",
                "face_detector.version is ``",
            ),
            (
                "\"int8\"\nlicence",
                "\"float16\"\nlicence",
                "says why the model is not int8",
            ),
            ("[1, 128,", "[0, 128,", "none of them 0"),
            ("[1, 128,", "[4294967296, 4294967296,", "at most 16777216"),
            ("mean = 127.5", "mean = 300.0", "0 to 255"),
            ("std = [127.5,", "std = [-1.0,", "0 or above"),
            (
                ", zero_point = -1",
                "",
                "face_detector.input `input`: quantization is int8",
            ),
            (
                "zero_point = -1",
                "zero_point = 200",
                "zero_point -128 to 127",
            ),
            (
                "dtype = \"float32\"",
                "dtype = \"float32\", scale = 1.0",
                "neither for float32",
            ),
            ("[[model]]", "[[model]", "manifest.toml: TOML parse error"),
        ] {
            check(from, to, expected);
        }
        let twice = format!(
            "{GOOD}{}",
            &GOOD[GOOD.find("[[model]]").expect("a model")..]
        );
        let error = Manifest::parse(&twice, Path::new("manifest.toml")).expect_err("listed twice");
        assert!(error.to_string().contains("listed once only"), "{error}");
    }

    #[test]
    fn quantization_goes_there_and_back() {
        let q = Quantization {
            scale: 0.5,
            zero_point: -10,
        };
        for (real, value) in [(0.0, -10), (1.0, -8), (1e9, 127), (-1e9, -128), (0.26, -9)] {
            assert_eq!(q.quantize(real), value, "{real}");
        }
        assert_eq!(q.dequantize(-8), 1.0);
    }
}
