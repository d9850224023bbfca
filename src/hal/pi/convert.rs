//! Between what a sound card has and the booth's 16 kHz mono: sample format, channels, rate. Pure.
//!
//! The rate is converted by crate `rubato` in blocks of 20 ms, by Fourier transform with a filter against aliasing. All buffers are as large
//! as they get when they are made, so nothing is allocated while sound runs; they hold voices, so they are wiped.

use crate::hal::SAMPLE_RATE_HZ;
use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};
use std::time::Duration;
use zeroize::Zeroize as _;

/// Rates that a card is asked for, the best first.
const RATES_HZ: [u32; 3] = [SAMPLE_RATE_HZ, 48_000, 44_100];
/// The booth's samples in a block of 20 ms. 44.1 kHz has 882 in the same time.
const BLOCK: usize = SAMPLE_RATE_HZ as usize / 50;

/// How a card stores a sample: signed, little or big end first as the machine has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// 16 bits.
    Bits16,
    /// 32 bits.
    Bits32,
}

impl Width {
    const fn bytes(self) -> usize {
        match self {
            Self::Bits16 => 2,
            Self::Bits32 => 4,
        }
    }
}

/// What a card is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CardFormat {
    /// Frames a second: 16,000, 44,100 or 48,000.
    pub(crate) rate_hz: u32,
    /// Of one sample.
    pub(crate) width: Width,
    /// 1 or 2, interleaved.
    pub(crate) channels: u32,
}

impl CardFormat {
    /// All that can be used, the best first: what needs no conversion, then what needs least.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        RATES_HZ.into_iter().flat_map(|rate_hz| {
            [Width::Bits16, Width::Bits32]
                .into_iter()
                .flat_map(move |width| {
                    [1, 2].map(|channels| Self {
                        rate_hz,
                        width,
                        channels,
                    })
                })
        })
    }

    /// Bytes of one frame.
    pub(crate) const fn frame_bytes(self) -> usize {
        self.width.bytes() * self.channels as usize
    }

    /// Frames in 20 ms.
    pub(crate) const fn block_frames(self) -> usize {
        self.rate_hz as usize / 50
    }

    /// How long so many frames take.
    pub(crate) fn time_of(self, frames: u64) -> Duration {
        Duration::from_nanos(frames.saturating_mul(1_000_000_000) / u64::from(self.rate_hz))
    }

    /// The resampler between the card's rate and the booth's; none if they are the same.
    fn resampler(self, from_hz: u32, to_hz: u32) -> Option<Fft<f32>> {
        if from_hz == to_hz {
            return None;
        }
        let block = from_hz as usize / 50;
        let window = WindowFunction::BlackmanHarris2;
        let made = Fft::new_custom(
            from_hz as usize,
            to_hz as usize,
            block,
            1,
            1,
            window,
            FixedSync::Both,
        );
        // It refuses rates and blocks of nothing only, and `RATES_HZ` has none; the tests make every one.
        made.ok()
    }
}

/// One block through a resampler.
fn convert(resampler: &mut Fft<f32>, from: &[f32], to: &mut [f32]) {
    let (n_from, n_to) = (from.len(), to.len());
    let (Ok(from), Ok(mut into)) = (
        SequentialSlice::new(from, 1, n_from),
        SequentialSlice::new_mut(&mut *to, 1, n_to),
    ) else {
        return;
    };
    // The blocks have the resampler's own sizes, which is all that it checks; silence is what is left if that were wrong.
    if resampler
        .process_into_buffer(&from, &mut into, None)
        .is_err()
    {
        to.fill(0.0);
    }
}

/// Forgets the sound that a resampler still has: its own `reset` leaves what the last block was computed in.
fn wipe(resampler: &mut Fft<f32>, from: &mut [f32], to: &mut [f32]) {
    from.zeroize();
    for _ in 0..2 {
        convert(resampler, from, to);
    }
    resampler.reset();
    to.zeroize();
}

/// From a card's frames to the booth's samples.
pub(crate) struct FromCard {
    format: CardFormat,
    resampler: Option<Fft<f32>>,
    /// The block that is being filled, at the card's rate, mono.
    block: Vec<f32>,
    n_filled: usize,
    resampled: Vec<f32>,
    /// Samples that are ready, from `n_taken` on.
    ready: Vec<i16>,
    n_taken: usize,
}

impl FromCard {
    pub(crate) fn new(format: CardFormat) -> Self {
        Self {
            format,
            resampler: format.resampler(format.rate_hz, SAMPLE_RATE_HZ),
            block: vec![0.0; format.block_frames()],
            n_filled: 0,
            resampled: vec![0.0; BLOCK],
            ready: Vec::with_capacity(2 * BLOCK),
            n_taken: 0,
        }
    }

    /// Takes whole frames, at most a block of them, while nothing is ready; more than that is not taken.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.ready.zeroize();
        self.n_taken = 0;
        let frames = bytes.chunks_exact(self.format.frame_bytes());
        for frame in frames.take(self.format.block_frames()) {
            self.block[self.n_filled] = mono(frame, self.format.width);
            self.n_filled += 1;
            if self.n_filled == self.block.len() {
                self.n_filled = 0;
                let samples = match &mut self.resampler {
                    Some(resampler) => {
                        convert(resampler, &self.block, &mut self.resampled);
                        &self.resampled
                    }
                    None => &self.block,
                };
                self.ready.extend(samples.iter().map(|s| narrow(*s)));
            }
        }
        // Without a resampler there is nothing to wait for.
        if self.resampler.is_none() {
            let part = &self.block[..self.n_filled];
            self.ready.extend(part.iter().map(|s| narrow(*s)));
            self.n_filled = 0;
        }
    }

    /// Hands out what is ready, as much as fits.
    pub(crate) fn take(&mut self, into: &mut [i16]) -> usize {
        let ready = &self.ready[self.n_taken..];
        let n = ready.len().min(into.len());
        into[..n].copy_from_slice(&ready[..n]);
        self.n_taken += n;
        n
    }

    /// How much older than the next frame of the card the next sample of [`FromCard::take`] is.
    pub(crate) fn behind(&self) -> Duration {
        let delay = self.resampler.as_ref().map_or(0, |r| r.output_delay());
        let samples = delay + self.ready.len() - self.n_taken;
        let booth =
            Duration::from_nanos(samples as u64 * 1_000_000_000 / u64::from(SAMPLE_RATE_HZ));
        booth + self.format.time_of(self.n_filled as u64)
    }

    /// Forgets all sound: frames were lost, or the card was.
    pub(crate) fn clear(&mut self) {
        (self.n_filled, self.n_taken) = (0, 0);
        self.ready.zeroize();
        match &mut self.resampler {
            Some(resampler) => wipe(resampler, &mut self.block, &mut self.resampled),
            None => self.block.as_mut_slice().zeroize(),
        }
    }
}

impl Drop for FromCard {
    fn drop(&mut self) {
        self.clear();
    }
}

/// From the booth's samples to a card's frames.
pub(crate) struct ToCard {
    format: CardFormat,
    resampler: Option<Fft<f32>>,
    block: Vec<f32>,
    resampled: Vec<f32>,
    bytes: Vec<u8>,
}

impl ToCard {
    pub(crate) fn new(format: CardFormat) -> Self {
        Self {
            format,
            resampler: format.resampler(SAMPLE_RATE_HZ, format.rate_hz),
            block: vec![0.0; BLOCK],
            resampled: vec![0.0; format.block_frames()],
            bytes: Vec::with_capacity(format.block_frames() * format.frame_bytes()),
        }
    }

    /// How many blocks `n` samples make, with the one in which the resampler's delay ends.
    pub(crate) fn n_blocks(&self, n: usize) -> usize {
        let tail = usize::from(n > 0 && self.resampler.is_some());
        n.div_ceil(BLOCK) + tail
    }

    /// The card's frames of one block of a sound; silence after its end.
    pub(crate) fn frames_of(&mut self, samples: &[i16], block: usize) -> &[u8] {
        let start = block.saturating_mul(BLOCK).min(samples.len());
        let part = &samples[start..samples.len().min(start.saturating_add(BLOCK))];
        self.block.fill(0.0);
        for (to, from) in self.block.iter_mut().zip(part) {
            *to = f32::from(*from) / 32_768.0;
        }
        let card = match &mut self.resampler {
            Some(resampler) => {
                convert(resampler, &self.block, &mut self.resampled);
                &self.resampled[..]
            }
            // The last block need not be filled up.
            None => &self.block[..part.len()],
        };
        self.bytes.clear();
        for sample in card {
            for _ in 0..self.format.channels {
                match self.format.width {
                    Width::Bits16 => self.bytes.extend(narrow(*sample).to_ne_bytes()),
                    Width::Bits32 => {
                        let wide = i32::from(narrow(*sample)) << 16;
                        self.bytes.extend(wide.to_ne_bytes());
                    }
                }
            }
        }
        &self.bytes
    }

    /// Forgets all sound.
    pub(crate) fn clear(&mut self) {
        self.bytes.zeroize();
        match &mut self.resampler {
            Some(resampler) => wipe(resampler, &mut self.block, &mut self.resampled),
            None => self.block.as_mut_slice().zeroize(),
        }
    }
}

impl Drop for ToCard {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The mean of a frame's channels, full scale 1.0.
fn mono(frame: &[u8], width: Width) -> f32 {
    let samples = frame.chunks_exact(width.bytes());
    let n = samples.len().max(1) as f32;
    let sum: f32 = samples
        .map(|s| match *s {
            [a, b] => f32::from(i16::from_ne_bytes([a, b])) / 32_768.0,
            // The lowest 8 bits are lost in f32; the booth's samples have 16.
            [a, b, c, d] => i32::from_ne_bytes([a, b, c, d]) as f32 / 2_147_483_648.0,
            _ => 0.0,
        })
        .sum();
    sum / n
}

/// The booth's sample; what is too loud is cut. `as` saturates, and NaN becomes 0.
fn narrow(sample: f32) -> i16 {
    (sample * 32_768.0).round() as i16
}

#[cfg(test)]
mod tests;
