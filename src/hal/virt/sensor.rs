//! The camera's sensor: light to electrons with shot and read noise, gain, clipping, sRGB, YUYV.

use super::chance::{Chance, hash};
use super::scene::Sensor;

/// Share of the full well that a surface of 1 cd/m2 fills in a second at ISO 400 behind f/2:
/// H = 0.65 L t / N^2 and saturation at 78 / S lux seconds (ISO 12232).
pub(super) const FILL_PER_NIT_S: f32 = 0.65 / 4.0 * 400.0 / 78.0;

const LEVELS: usize = 4096;
const NOISE_LEN: usize = 1 << 15;

/// Turns rows of collected light into rows of a picture.
pub(super) struct SensorRows {
    /// Normal numbers, drawn once; every row starts somewhere else.
    noise: Vec<f32>,
    curve: [u8; LEVELS],
    indices: [Vec<u16>; 3],
}

/// What the sensor is set to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// Gain as a factor.
    pub(super) gain: f32,
    /// Of the frame: decides the noise.
    pub(super) seed: u64,
}

impl SensorRows {
    /// A sensor of `width` columns.
    pub(super) fn new(width: usize) -> Self {
        let mut chance = Chance::new(0x6e6f_6973_6500);
        let curve = std::array::from_fn(|i| {
            let v = i as f32 / (LEVELS - 1) as f32;
            let coded = if v <= 0.003_130_8 {
                12.92 * v
            } else {
                1.055 * v.powf(1.0 / 2.4) - 0.055
            };
            (coded * 255.0 + 0.5) as u8
        });
        Self {
            noise: (0..NOISE_LEN + width + 8)
                .map(|_| chance.normal())
                .collect(),
            curve,
            indices: std::array::from_fn(|_| vec![0; width]),
        }
    }

    /// Reads out row `y`: `light` holds shares of the full well for red, green and blue; `out` gets YUYV, full range BT.601.
    pub(super) fn read(
        &mut self,
        sensor: &Sensor,
        reading: Reading,
        y: usize,
        light: &[Vec<f32>; 3],
        out: &mut [u8],
    ) {
        let shot = 1.0 / sensor.full_well_e;
        let floor = (sensor.read_noise_e / sensor.full_well_e).powi(2);
        let gain = reading.gain * (LEVELS - 1) as f32;
        for (c, (light, indices)) in light.iter().zip(&mut self.indices).enumerate() {
            let start = hash(reading.seed, (y * 3 + c) as u64) as usize % NOISE_LEN;
            let noise = &self.noise[start..start + light.len()];
            for ((index, s), n) in indices.iter_mut().zip(light).zip(noise) {
                let level = gain * (s + n * (s * shot + floor).sqrt());
                // Adding 2^23 leaves the rounded number in the lowest bits: no branch, so the compiler can do four at once.
                let rounded = level.clamp(0.0, (LEVELS - 1) as f32) + 8_388_608.0;
                *index = (rounded.to_bits() & 0xfff) as u16;
            }
        }
        let [red, green, blue] = &self.indices;
        let pairs = red
            .chunks_exact(2)
            .zip(green.chunks_exact(2))
            .zip(blue.chunks_exact(2));
        for (((r, g), b), macropixel) in pairs.zip(out.chunks_exact_mut(4)) {
            let code = |i: u16| i32::from(self.curve[usize::from(i) & (LEVELS - 1)]);
            let (r0, g0, b0) = (code(r[0]), code(g[0]), code(b[0]));
            let (r1, g1, b1) = (code(r[1]), code(g[1]), code(b[1]));
            let (r2, g2, b2) = (r0 + r1, g0 + g1, b0 + b1);
            macropixel[0] = ((77 * r0 + 150 * g0 + 29 * b0 + 128) >> 8) as u8;
            macropixel[1] = (((128 * b2 - 43 * r2 - 85 * g2 + 255) >> 9) + 128) as u8;
            macropixel[2] = ((77 * r1 + 150 * g1 + 29 * b1 + 128) >> 8) as u8;
            macropixel[3] = (((128 * r2 - 107 * g2 - 21 * b2 + 255) >> 9) + 128) as u8;
        }
    }
}

/// A smeared lens: the mean of `2 * radius + 1` luminances along the rows, then along the columns.
pub(super) fn smear(yuyv: &mut [u8], width: usize, height: usize, radius: usize) {
    let mut line = Vec::new();
    let mut run = |start: usize, step: usize, n: usize, yuyv: &mut [u8]| {
        line.clear();
        line.extend((0..n).map(|i| u32::from(yuyv[start + i * step])));
        for i in 0..n {
            let (from, to) = (i.saturating_sub(radius), (i + radius + 1).min(n));
            let sum: u32 = line[from..to].iter().sum();
            yuyv[start + i * step] = (sum / (to - from) as u32) as u8;
        }
    };
    for y in 0..height {
        run(y * width * 2, 2, width, yuyv);
    }
    for x in 0..width {
        run(x * 2, width * 2, height, yuyv);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixel(light: [f32; 3], gain: f32) -> ([u8; 4], f32) {
        let mut rows = SensorRows::new(1024);
        let light = light.map(|v| vec![v; 1024]);
        let mut out = vec![0; 2048];
        rows.read(
            &Sensor::default(),
            Reading { gain, seed: 5 },
            3,
            &light,
            &mut out,
        );
        let mean = |at: usize| {
            let sum: u32 = out.chunks_exact(4).map(|m| u32::from(m[at])).sum();
            ((sum + 256) / 512) as u8
        };
        let y: Vec<f32> = out.chunks_exact(2).map(|m| f32::from(m[0])).collect();
        let middle = y.iter().sum::<f32>() / 1024.0;
        let noise = (y.iter().map(|v| (v - middle).powi(2)).sum::<f32>() / 1024.0).sqrt();
        ([mean(0), mean(1), mean(2), mean(3)], noise)
    }

    #[test]
    fn colours_come_out_as_full_range_bt601() {
        let (grey, _) = pixel([0.2140; 3], 1.0);
        assert!(
            grey[0].abs_diff(127) <= 1 && grey[1].abs_diff(128) <= 1 && grey[3].abs_diff(128) <= 1,
            "{grey:?}"
        );
        assert_eq!(pixel([4.0; 3], 1.0).0, [255, 128, 255, 128]);
        let (red, _) = pixel([2.0, 0.0, 0.0], 1.0);
        assert!(
            red[0].abs_diff(77) <= 2 && red[1].abs_diff(85) <= 2 && red[3] >= 253,
            "{red:?}"
        );
    }

    #[test]
    fn noise_grows_with_gain_at_equal_brightness() {
        let (dim, loud) = pixel([0.05; 3], 4.0);
        let (bright, calm) = pixel([0.2; 3], 1.0);
        assert!(
            dim[0].abs_diff(bright[0]) <= 2 && loud > 1.6 * calm,
            "{loud} {calm}"
        );
    }
}
