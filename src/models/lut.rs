//! A pixel becomes a tensor value in one look-up: normalisation and quantization are folded into 256 entries.

use super::manifest::{Dtype, Preprocessing, TensorEntry};

/// Pixel 0..=255 -> value of the input tensor.
#[derive(Clone, Debug)]
pub enum PixelLut {
    /// For int8 tensors.
    I8(Box<[i8; 256]>),
    /// For uint8 tensors.
    U8(Box<[u8; 256]>),
    /// For float tensors.
    F32(Box<[f32; 256]>),
}

impl PixelLut {
    /// `q = round((pixel - mean) / std / scale) + zero_point`, clamped; without quantization `(pixel - mean) / std`.
    pub fn new(preprocessing: &Preprocessing, input: &TensorEntry) -> Self {
        let (mean, std) = (
            preprocessing.mean,
            if preprocessing.std == 0.0 {
                1.0
            } else {
                preprocessing.std
            },
        );
        let normal = |pixel: usize| (pixel as f32 - mean) / std;
        let (scale, zero) = (
            input.scale.unwrap_or(1.0),
            input.zero_point.unwrap_or(0) as f32,
        );
        let quantized = |pixel: usize| (normal(pixel) / scale).round() + zero;
        match input.dtype {
            // `as` saturates, which is the clamp.
            Dtype::Int8 => Self::I8(Box::new(std::array::from_fn(|p| quantized(p) as i8))),
            Dtype::Uint8 => Self::U8(Box::new(std::array::from_fn(|p| quantized(p) as u8))),
            Dtype::Float32 => Self::F32(Box::new(std::array::from_fn(normal))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::manifest::Colour;

    #[test]
    fn values_are_normalised_and_quantized() {
        let preprocessing = Preprocessing {
            colour: Colour::Rgb,
            geometry: "stretch".into(),
            mean: 127.5,
            std: 127.5,
            note: String::new(),
        };
        let mut input = TensorEntry {
            name: "x".into(),
            dtype: Dtype::Int8,
            shape: vec![1],
            scale: Some(1.0 / 127.5),
            zero_point: Some(-1),
            meaning: None,
        };
        let PixelLut::I8(lut) = PixelLut::new(&preprocessing, &input) else {
            panic!("int8 gives an int8 table")
        };
        assert_eq!((lut[0], lut[128], lut[255]), (-128, 0, 127));
        input.dtype = Dtype::Float32;
        let PixelLut::F32(lut) = PixelLut::new(&preprocessing, &input) else {
            panic!("float gives a float table")
        };
        assert_eq!((lut[0], lut[255]), (-1.0, 1.0));
    }
}
