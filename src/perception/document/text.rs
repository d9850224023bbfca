//! Lines of print on a level page: where they are ([`TextFinder`]), and what they say ([`TextReader`]).
//!
//! The finder looks at the page of 640 pixels that everything else was measured on; the reader cuts its line out of the frame
//! itself, in one pass. Both are costly beside the other nets of the document room (some 20 ms and 5 ms): they run only where
//! something was recognised that they can say more about.

mod ctc;
mod reader;
pub mod regions;

pub use reader::{Alphabet, LineReading, ReadCharacter, TextReader};
pub use regions::TextLine;

use crate::models::{
    Catalogue, Interpreter, ModelError, ModelTask, PixelLut, TensorMut, interpreter::LutTables,
};
use crate::perception::document::stages::{Stage, stage};
use regions::RegionFinder;
use zeroize::Zeroize;

/// Width of the net's input, which is the width of pages.
pub const WIDTH: usize = 640;
/// Height of the net's input. An ID-1 card has 404 rows; of higher pages the rows below, where a machine readable zone is, are
/// not looked at.
pub const HEIGHT: usize = 416;

/// Finds lines of print; keeps its buffers.
pub struct TextFinder {
    interpreter: Interpreter,
    lut: PixelLut,
    output: usize,
    map: Vec<f32>,
    regions: RegionFinder,
}

impl std::fmt::Debug for TextFinder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TextFinder({:?})", self.interpreter.info())
    }
}

impl TextFinder {
    /// A finder on the model of the catalogue.
    ///
    /// # Errors
    /// [`ModelError`] if the model cannot be loaded or has other tensors.
    pub fn load(catalogue: &Catalogue) -> Result<Self, ModelError> {
        let task = ModelTask::TextDetector;
        let interpreter = catalogue.load(task)?;
        if interpreter.inputs().len() != 1 || interpreter.inputs()[0].shape != [1, HEIGHT, WIDTH, 3]
        {
            return Err(ModelError::Unsuitable {
                task,
                what: "shape of the input",
                found: format!(
                    "{:?}",
                    interpreter
                        .inputs()
                        .iter()
                        .map(|t| &t.shape)
                        .collect::<Vec<_>>()
                ),
                allowed: "one input [1, 416, 640, 3]",
            });
        }
        let output = interpreter.output_of_shape(
            "shape of the output",
            &[HEIGHT, WIDTH, 1],
            "[416, 640, 1]",
        )?;
        Ok(Self {
            lut: interpreter.pixel_lut(0)?,
            interpreter,
            output,
            map: vec![0.0; WIDTH * HEIGHT],
            regions: RegionFinder::default(),
        })
    }

    /// Lines of the page `plane` (luminance, 640 pixels a row), in pixels of the page, from the top down.
    ///
    /// # Errors
    /// [`ModelError`] if the net could not be run.
    pub fn find(&mut self, plane: &[u8]) -> Result<&[TextLine], ModelError> {
        stage(Stage::TextFinder, || self.look(plane))
    }

    fn look(&mut self, plane: &[u8]) -> Result<&[TextLine], ModelError> {
        let lut = &self.lut;
        self.interpreter
            .input(0, |tensor| match (tensor, &lut.tables) {
                (TensorMut::I8(values, _), LutTables::I8(tables)) => fill(values, plane, tables),
                (TensorMut::F32(values), LutTables::F32(tables)) => fill(values, plane, tables),
                // The tables were made for this tensor.
                _ => {}
            })?;
        self.interpreter.invoke()?;
        let map = &mut self.map;
        self.interpreter
            .output(self.output, |values| values.dequantize_into(map))?;
        let rows = (plane.len() / WIDTH).min(HEIGHT);
        Ok(self.regions.find(&self.map[..rows * WIDTH], WIDTH))
    }

    /// Wipes what was derived from pixels.
    pub fn forget(&mut self) {
        self.map.as_mut_slice().zeroize();
        self.regions.forget();
    }
}

/// The page in the upper left corner of the input, the same value in all colours; black below.
fn fill<T: Copy>(values: &mut [T], plane: &[u8], tables: &[[T; 256]; 3]) {
    let grey = plane.iter().copied().chain(std::iter::repeat(0));
    for (pixel, v) in values.chunks_exact_mut(3).zip(grey) {
        for (to, table) in pixel.iter_mut().zip(tables) {
            *to = table[usize::from(v)];
        }
    }
}

impl Drop for TextFinder {
    fn drop(&mut self) {
        self.forget();
    }
}

#[cfg(test)]
mod tests;
