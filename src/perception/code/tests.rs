//! Round trips: codes of the crate `qrcode`, drawn as seen by a camera.

use super::*;
use crate::base::frame::{Frame, PixelFormat};
use proptest::prelude::*;
use qrcode::{Color, EcLevel, QrCode};

/// How a code is seen.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// Bytes of content: 20 gives 25 modules, 1,000 gives about 117 to 129.
    n_bytes: usize,
    /// Side of the code in the frame, pixels.
    side: f32,
    /// Turn in degrees.
    turn: f32,
    /// Strength of the perspective: the far edge is shorter by this share.
    tilt: f32,
    /// Standard deviation of the blur in pixels.
    blur: f32,
    /// Standard deviation of the noise, 0..=255.
    noise: f32,
    /// Luminance of light and dark modules, 0..=255.
    levels: (f32, f32),
    /// Share of the side (a square in the middle) where modules are wrong.
    torn: f32,
}

const GOOD: Seen = Seen {
    n_bytes: 300,
    side: 350.0,
    turn: 4.0,
    tilt: 0.05,
    blur: 0.6,
    noise: 3.0,
    levels: (220.0, 20.0),
    torn: 0.0,
};

fn text(n_bytes: usize) -> String {
    (0..n_bytes)
        .map(|i| char::from(b'!' + ((i * 7919 + i / 3) % 90) as u8))
        .collect()
}

/// Small deterministic noise source (xorshift).
struct Noise(u32);

impl Noise {
    fn unit(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 >> 8) as f32 / (1u32 << 24) as f32
    }

    /// About normal, standard deviation 1.
    fn normal(&mut self) -> f32 {
        (0..6).map(|_| self.unit()).sum::<f32>() * 2.0_f32.sqrt() - 3.0 * 2.0_f32.sqrt()
    }
}

fn blur_rows(from: &[f32], to: &mut [f32], width: usize, kernel: &[f32], transposed: bool) {
    let height = from.len() / width;
    let r = (kernel.len() / 2) as isize;
    for y in 0..height as isize {
        for x in 0..width as isize {
            let mut sum = 0.0;
            for (k, w) in (-r..).zip(kernel) {
                let (sx, sy) = if transposed { (x, y + k) } else { (x + k, y) };
                let sx = sx.clamp(0, width as isize - 1) as usize;
                let sy = sy.clamp(0, height as isize - 1) as usize;
                sum += w * from[sy * width + sx];
            }
            to[y as usize * width + x as usize] = sum;
        }
    }
}

/// A frame of 1280x720 with a phone on a dim, slightly uneven background, and the code on the phone.
fn frame(seen: Seen, content: &str) -> Frame {
    let code = QrCode::with_error_correction_level(content, EcLevel::L).expect("fits");
    let n = code.width();
    let modules = code.to_colors();
    let (w, h) = (1280usize, 720usize);
    let (sin, cos) = seen.turn.to_radians().sin_cos();
    let mut light = vec![0.0f32; w * h];
    const SUB: usize = 3;
    for y in 0..h {
        for x in 0..w {
            let mut sum = 0.0;
            for s in 0..SUB * SUB {
                let px = x as f32 + (s % SUB) as f32 / SUB as f32 + 1.0 / (2 * SUB) as f32 - 690.0;
                let py = y as f32 + (s / SUB) as f32 / SUB as f32 + 1.0 / (2 * SUB) as f32 - 350.0;
                let (u, v) = (
                    (px * cos + py * sin) / seen.side,
                    (py * cos - px * sin) / seen.side,
                );
                // Perspective: the plane recedes to the right.
                let z = 1.0 / (1.0 - seen.tilt * u).max(0.1);
                let (u, v) = (u * z, v * z);
                sum += if u.abs() > 0.62 || v.abs() > 1.1 {
                    60.0 + 30.0 * (x as f32 / 160.0).sin() * (y as f32 / 110.0).cos()
                } else if u.abs() > 0.58 || v.abs() > 1.05 {
                    12.0
                } else if u.abs() >= 0.5 || v.abs() >= 0.5 {
                    seen.levels.0
                } else {
                    let (i, j) = (
                        ((u + 0.5) * n as f32) as usize,
                        ((v + 0.5) * n as f32) as usize,
                    );
                    let (i, j) = (i.min(n - 1), j.min(n - 1));
                    let torn = (u.abs() < seen.torn / 2.0) && (v.abs() < seen.torn / 2.0);
                    // Wrong modules are those of another place of the code.
                    let at = if torn {
                        i * n + (j * 5 + 3) % n
                    } else {
                        j * n + i
                    };
                    match modules[at] {
                        Color::Light => seen.levels.0,
                        Color::Dark => seen.levels.1,
                    }
                };
            }
            light[y * w + x] = sum / (SUB * SUB) as f32;
        }
    }
    let radius = (seen.blur * 3.0).ceil() as i32;
    let mut kernel: Vec<f32> = (-radius..=radius)
        .map(|i| (-((i * i) as f32) / (2.0 * seen.blur * seen.blur).max(1e-6)).exp())
        .collect();
    let total: f32 = kernel.iter().sum();
    kernel.iter_mut().for_each(|k| *k /= total);
    let mut other = vec![0.0; w * h];
    blur_rows(&light, &mut other, w, &kernel, false);
    blur_rows(&other, &mut light, w, &kernel, true);
    let mut noise = Noise(0x9e37_79b9);
    let mut frame = Frame::new(w as u32, h as u32, PixelFormat::Yuyv);
    for (bytes, l) in frame.data_mut().chunks_exact_mut(2).zip(&light) {
        bytes[0] = (l + noise.normal() * seen.noise).round().clamp(0.0, 255.0) as u8;
        bytes[1] = 128;
    }
    frame
}

fn read(seen: Seen) -> CodeReading {
    CodeReader::new().read(frame(seen, &text(seen.n_bytes)).view())
}

fn check(seen: Seen) {
    let expected = CodeReading::Read(Secret::new(text(seen.n_bytes)));
    assert!(read(seen) == expected, "{seen:?}");
}

#[test]
fn codes_on_a_phone_are_read() {
    // Turned and tilted as a hand holds a phone.
    for (turn, tilt) in [(0.0, 0.0), (7.0, 0.1), (-15.0, -0.2), (28.0, 0.15)] {
        for (n_bytes, side) in [(60, 250.0), (300, 250.0), (300, 400.0), (600, 300.0)] {
            check(Seen {
                n_bytes,
                side,
                turn,
                tilt,
                ..GOOD
            });
        }
    }
    // 125 modules of 2.4 pixels.
    check(Seen {
        n_bytes: 1600,
        side: 300.0,
        ..GOOD
    });
}

#[test]
fn dim_and_blurred_codes_are_read() {
    for (blur, noise, levels) in [
        (1.2, 3.0, (180.0, 30.0)),
        (0.8, 4.0, (90.0, 35.0)),
        (0.4, 2.0, (255.0, 0.0)),
    ] {
        for n_bytes in [60, 300] {
            check(Seen {
                n_bytes,
                blur,
                noise,
                levels,
                ..GOOD
            });
        }
    }
}

#[test]
fn a_code_that_cannot_be_decoded_is_not_nothing() {
    assert_eq!(read(Seen { torn: 0.7, ..GOOD }), CodeReading::Unreadable);
    let blank = Seen {
        levels: (220.0, 220.0),
        ..GOOD
    };
    assert_eq!(read(blank), CodeReading::NotFound);
    let dark = Frame::new(1280, 720, PixelFormat::Yuyv);
    assert_eq!(CodeReader::new().read(dark.view()), CodeReading::NotFound);
}

#[test]
fn a_reading_does_not_print_and_pixels_are_wiped() {
    let mut reader = CodeReader::new();
    let reading = reader.read(frame(GOOD, &text(300)).view());
    assert_eq!(format!("{reading:?}"), "Read([redacted])");
    reader.forget();
    assert!(reader.plane.iter().all(|p| *p == 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever stands in the frame: an answer, no panic.
    #[test]
    fn any_frame_gets_an_answer(seed in 1u32.., cell in 1usize..40, width in 1u32..200, height in 1u32..200) {
        let mut noise = Noise(seed);
        let mut frame = Frame::new(width, height, PixelFormat::Grey8);
        let values: Vec<u8> = (0..4096).map(|_| if noise.unit() < 0.5 { 20 } else { 230 }).collect();
        let w = frame.width() as usize;
        for (i, p) in frame.data_mut().iter_mut().enumerate() {
            *p = values[(i % w / cell * 61 + i / w / cell * 7) % 4096];
        }
        let _ = CodeReader::new().read(frame.view());
    }
}
