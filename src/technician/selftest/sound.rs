//! Figures of a stretch of the microphone's samples, and a tone to play and to find again. The limits rest on 1,494 clips of consumer
//! microphones; those of the loop from speaker to microphone on nothing that was measured on a board.

use crate::hal::SAMPLE_RATE_HZ;

/// Samples of a frame of which the level is taken: 20 ms.
const FRAME: usize = SAMPLE_RATE_HZ as usize / 50;
/// Values from here on count as full scale.
const FULL: i16 = 32_700;

/// What a stretch of sound is like. Nothing of what was said can be got from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoundFigures {
    /// Samples.
    pub n: usize,
    /// Level of the whole, dBFS.
    pub rms_dbfs: f32,
    /// The 5th percentile of the levels of 20 ms: the noise floor, dBFS.
    pub floor_dbfs: f32,
    /// Mean, as a share of full scale, -1..=1.
    pub dc: f32,
    /// Longest run of samples at full scale.
    pub longest_clip: usize,
    /// Different values, counted up to 64.
    pub distinct: usize,
    /// Level of the tone, dBFS; of the strongest of the frequencies around it.
    pub tone_dbfs: f32,
    /// How far the strongest frequency is from the tone's, Hz.
    pub tone_off_hz: f32,
}

/// The tone, Hz.
pub const TONE_HZ: f32 = 1000.0;
/// How far around the tone it is looked for, and how finely, Hz.
const AROUND_HZ: i16 = 200;
const STEP_HZ: usize = 20;

fn dbfs(power: f64) -> f32 {
    (10.0 * power.max(1e-12).log10()) as f32
}

impl SoundFigures {
    /// Of these samples; `None` of fewer than one frame.
    pub fn of(samples: &[i16]) -> Option<Self> {
        let frames = samples.chunks_exact(FRAME);
        let share = |s: &i16| f64::from(*s) / 32_768.0;
        let power =
            |part: &[i16]| part.iter().map(|s| share(s).powi(2)).sum::<f64>() / part.len() as f64;
        let mut levels: Vec<f64> = frames.map(power).collect();
        if levels.is_empty() {
            return None;
        }
        levels.sort_by(f64::total_cmp);
        let floor = levels[levels.len() / 20];
        let dc = samples.iter().map(share).sum::<f64>() / samples.len() as f64;
        let (mut run, mut longest_clip) = (0, 0);
        let mut seen = std::collections::BTreeSet::new();
        for sample in samples {
            run = if sample.saturating_abs() >= FULL {
                run + 1
            } else {
                0
            };
            longest_clip = longest_clip.max(run);
            if seen.len() < 64 {
                seen.insert(*sample);
            }
        }
        let (tone_hz, tone) = (-AROUND_HZ..=AROUND_HZ)
            .step_by(STEP_HZ)
            .map(|off| TONE_HZ + f32::from(off))
            .map(|hz| (hz, goertzel(samples, hz)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap_or((TONE_HZ, 0.0));
        Some(Self {
            n: samples.len(),
            rms_dbfs: dbfs(power(samples)),
            floor_dbfs: dbfs(floor),
            dc: dc as f32,
            longest_clip,
            distinct: seen.len(),
            tone_dbfs: dbfs(tone),
            tone_off_hz: tone_hz - TONE_HZ,
        })
    }
}

/// Power of one frequency, as a share of full scale squared: Goertzel's algorithm over windows of 50 ms, whose bins are 20 Hz apart, and
/// their mean.
fn goertzel(samples: &[i16], hz: f32) -> f64 {
    const WINDOW: usize = SAMPLE_RATE_HZ as usize / 20;
    let w = std::f64::consts::TAU * f64::from(hz) / f64::from(SAMPLE_RATE_HZ);
    let coefficient = 2.0 * w.cos();
    let (mut sum, mut n) = (0.0, 0);
    for window in samples.chunks_exact(WINDOW) {
        let (mut s1, mut s2) = (0.0, 0.0);
        for sample in window {
            let s0 = f64::from(*sample) / 32_768.0 + coefficient * s1 - s2;
            (s2, s1) = (s1, s0);
        }
        let power = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
        // A sine of amplitude A gives (A N / 2)^2; its power is A^2 / 2.
        sum += 2.0 * power / (WINDOW as f64).powi(2);
        n += 1;
    }
    if n == 0 { 0.0 } else { sum / f64::from(n) }
}

/// The tone as samples: a quarter of full scale, with soft ends so that it does not click.
pub fn tone(seconds: f32) -> Vec<i16> {
    let rate = SAMPLE_RATE_HZ as f32;
    let n = (seconds * rate) as usize;
    let ramp = rate * 0.01;
    let sample = |i: usize| {
        let end = i.min(n - 1 - i) as f32;
        let amplitude = 8192.0 * (end / ramp).min(1.0);
        (amplitude * (std::f32::consts::TAU * TONE_HZ * i as f32 / rate).sin()) as i16
    };
    (0..n).map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(dbfs: f32, n: usize) -> Vec<i16> {
        let amplitude = 32_768.0 * 10f32.powf(dbfs / 20.0) * 3f32.sqrt();
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        };
        (0..n).map(|_| (amplitude * next()) as i16).collect()
    }

    #[test]
    fn levels_offset_and_clipping_are_those_of_the_samples() {
        let close = |found: f32, expected: f32| {
            assert!((found - expected).abs() < 0.6, "{found} {expected}")
        };
        let quiet = SoundFigures::of(&noise(-60.0, 16_000)).expect("a second");
        close(quiet.rms_dbfs, -60.0);
        close(quiet.floor_dbfs, -60.5);
        assert!(quiet.dc.abs() < 0.001 && quiet.longest_clip == 0 && quiet.distinct > 40);
        let silent = SoundFigures::of(&[0; 16_000]).expect("a second");
        assert_eq!((silent.rms_dbfs, silent.distinct), (-120.0, 1));
        let mut shifted = noise(-60.0, 16_000);
        shifted.iter_mut().for_each(|s| *s += 3277);
        close(
            SoundFigures::of(&shifted).expect("a second").dc * 100.0,
            10.0,
        );
        let clipped = [
            vec![0; 400],
            vec![i16::MIN; 9],
            vec![i16::MAX; 3],
            vec![5; 400],
        ]
        .concat();
        assert_eq!(SoundFigures::of(&clipped).expect("enough").longest_clip, 12);
        assert_eq!(SoundFigures::of(&[0; 100]), None);
    }

    #[test]
    fn the_tone_is_found_and_another_is_not() {
        let found = SoundFigures::of(&tone(0.5)).expect("half a second");
        assert!(
            (found.tone_dbfs + 15.3).abs() < 1.0 && found.tone_off_hz == 0.0,
            "{found:?}"
        );
        let silence = SoundFigures::of(&noise(-60.0, 8_000)).expect("half a second");
        assert!(silence.tone_dbfs < -75.0, "{silence:?}");
        let other: Vec<i16> = (0..8_000)
            .map(|i| (8192.0 * (std::f32::consts::TAU * 1120.0 * i as f32 / 16_000.0).sin()) as i16)
            .collect();
        let other = SoundFigures::of(&other).expect("half a second");
        assert!(other.tone_off_hz > 50.0, "{other:?}");
    }
}
