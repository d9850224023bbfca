//! The models' manifest: any text, and a good manifest with values exchanged.

use boothd::models::PixelLut;
use boothd::models::manifest::{Geometry, Manifest};
use std::path::Path;

/// A manifest with one model.
pub const GOOD: &str = r#"format = 1
[[model]]
task = "face_detector"
file = "face_detector.tflite"
sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
bytes = 182248
version = "1"
precision = "float16"
reason = "exact"
licence = "Apache-2.0"
origin = "made up"
training_data = "none"
build = "build/face_detector.py"
[[model.input]]
name = "image"
dtype = "int8"
shape = [1, 128, 128, 3]
scale = 0.007843138
zero_point = -1
[model.preprocessing]
colour = "rgb"
geometry = "letterbox"
mean = 127.5
std = [127.5, 1.0, 0.0]
note = "bilinear"
[[model.output]]
name = "boxes"
dtype = "float32"
shape = [1, 896, 16]
meaning = "boxes"
"#;

/// The first byte chooses: a whole text, or edits of [`GOOD`]: a line's number, and what stands after its ` = ` (up to a 0xff); a
/// number over its last line drops one.
pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else {
        return;
    };
    if mode % 2 == 0 {
        check(&String::from_utf8_lossy(rest));
        return;
    }
    let mut lines: Vec<String> = GOOD.lines().map(str::to_owned).collect();
    for edit in rest.split(|b| *b == 0xff).take(4) {
        let Some((at, value)) = edit.split_first() else {
            continue;
        };
        let (at, n) = (usize::from(*at), lines.len());
        let line = &mut lines[at % n];
        let kept = line.find(" = ").map_or(0, |i| i + 3);
        line.truncate(if at < n { kept } else { 0 });
        line.push_str(&String::from_utf8_lossy(value));
    }
    check(&lines.join("\n"));
}

fn check(text: &str) {
    let manifest = match Manifest::parse(text, Path::new("manifest.toml")) {
        Ok(manifest) => manifest,
        Err(error) => {
            let _ = (error.to_string(), error.mend());
            return;
        }
    };
    for model in &manifest.models {
        assert!(!model.file.contains('/') && model.file.ends_with(".tflite"));
        assert_eq!(model.info.sha256.len(), 64);
        assert_eq!(
            manifest.get(model.info.task).map(|m| &m.file),
            Some(&model.file)
        );
        for tensor in model.inputs.iter().chain(&model.outputs) {
            assert!((1..=16 << 20).contains(&tensor.len()));
            let value = tensor.quantization.quantize(1.5);
            let _ = tensor.quantization.dequantize(value);
        }
        if model.preprocessing.geometry != Geometry::Line {
            let _ = model
                .inputs
                .first()
                .map(|spec| PixelLut::new(&model.preprocessing, spec));
        }
    }
}
