//! Templates of faces, and their comparison.

use super::align::{SIDE, aligned_to_frame};
use crate::base::frame::FrameView;
use crate::base::geometry::Point;
use crate::models::{Interpreter, ModelError, PixelLut};
use crate::perception::sampling::{Target, sample};
use zeroize::Zeroize;

/// Numbers of a template.
pub const DIMENSION: usize = 512;

/// A face as 512 numbers of length one. Wiped when dropped, never printed.
#[derive(Clone, PartialEq)]
pub struct Template(Box<[f32; DIMENSION]>);

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Template([redacted])")
    }
}

impl Drop for Template {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

impl Template {
    /// Scales to length one. `None` if the values have no length or are not finite.
    pub fn normalised(values: impl Iterator<Item = f32>) -> Option<Self> {
        let mut all = Box::new([0f32; DIMENSION]);
        let mut n = 0;
        for (to, value) in all.iter_mut().zip(values) {
            *to = value;
            n += 1;
        }
        let length = all.iter().map(|v| v * v).sum::<f32>().sqrt();
        if n != DIMENSION || !(length.is_finite() && length > 1e-6) {
            all.as_mut_slice().zeroize();
            return None;
        }
        all.iter_mut().for_each(|v| *v /= length);
        Some(Self(all))
    }

    /// Comparison score of two templates: cosine of their angle, -1..=1.
    pub fn compare(&self, other: &Self) -> f32 {
        self.0
            .iter()
            .zip(other.0.iter())
            .map(|(a, b)| a * b)
            .sum::<f32>()
            .clamp(-1.0, 1.0)
    }

    /// One signed byte a number, for the reference of a ticket: 512 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let largest = self.0.iter().fold(1e-9f32, |m, v| m.max(v.abs()));
        self.0
            .iter()
            .map(|v| ((v / largest * 127.0).round() as i8) as u8)
            .collect()
    }

    /// Reads what [`Template::to_bytes`] wrote. `None` if it is not 512 bytes long or all zero.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == DIMENSION)
            .then(|| Self::normalised(bytes.iter().map(|b| f32::from(*b as i8))))?
    }
}

/// Makes templates.
#[derive(Debug)]
pub struct Embedder {
    net: Interpreter,
    lut: PixelLut,
}

impl Embedder {
    /// An embedder on a loaded net.
    ///
    /// # Errors
    /// [`ModelError::Unsuitable`] if the net's output has not 512 elements.
    pub fn new(net: Interpreter) -> Result<Self, ModelError> {
        net.output_of_shape("template", &[DIMENSION], "one output of 512")?;
        super::expect_input(&net, SIDE)?;
        Ok(Self {
            lut: net.pixel_lut(0)?,
            net,
        })
    }

    /// Runs the net on what its input holds, for benchmarks.
    ///
    /// # Errors
    /// If the net cannot be run.
    pub fn invoke_bare(&mut self) -> Result<(), ModelError> {
        self.net.invoke()
    }

    /// Template of the face with these five points; `None` if they do not make a face.
    ///
    /// # Errors
    /// If the net cannot be run.
    pub fn template(
        &mut self,
        frame: &FrameView<'_>,
        points: &[Point; 5],
    ) -> Result<Option<Template>, ModelError> {
        let Some(map) = aligned_to_frame(points) else {
            return Ok(None);
        };
        let target = Target {
            width: SIDE,
            height: SIDE,
            lut: &self.lut,
            tile: None,
        };
        self.net
            .input(0, |tensor| sample(frame, &map, target, tensor))?;
        self.net.invoke()?;
        self.net.output(0, |values| {
            Template::normalised((0..DIMENSION).map(|i| values.get(i)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(seed: u32) -> Template {
        let values = (0..DIMENSION as u32).map(|i| ((i * 37 + seed * 101) % 97) as f32 - 48.0);
        Template::normalised(values).expect("not all zero")
    }

    #[test]
    fn a_template_compares_with_itself_as_one_also_through_bytes() {
        let (a, b) = (template(1), template(2));
        assert!((a.compare(&a) - 1.0).abs() < 1e-5 && a.compare(&b) < 0.9);
        let back = Template::from_bytes(&a.to_bytes()).expect("512 bytes");
        assert!(a.compare(&back) > 0.999);
    }

    #[test]
    fn what_is_no_template_is_refused() {
        assert!(Template::from_bytes(&[1; 511]).is_none());
        assert!(Template::from_bytes(&[0; 512]).is_none());
        assert!(Template::normalised(std::iter::repeat_n(f32::NAN, DIMENSION)).is_none());
    }
}
