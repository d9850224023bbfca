//! Taking an input apart. Where the bytes end, zeros follow: a short input is a whole one.

use arbitrary::Unstructured;

/// The input as numbers of a kind.
pub(crate) struct Bytes<'a>(Unstructured<'a>);

impl<'a> Bytes<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self(Unstructured::new(data))
    }

    pub(crate) fn u8(&mut self) -> u8 {
        self.0.arbitrary().unwrap_or_default()
    }

    /// One of `0..n`, `n` at most 256.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::from(self.u8()) % n
    }

    /// A real number: mostly of a useful size in steps of a sixteenth, else any bit pattern, infinities and NaN too.
    pub(crate) fn real(&mut self) -> f32 {
        if self.u8() < 224 {
            f32::from(self.0.arbitrary::<i16>().unwrap_or_default()) / 16.0
        } else {
            f32::from_bits(self.0.arbitrary().unwrap_or_default())
        }
    }

    /// All that was not taken.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.0.take_rest()
    }
}
