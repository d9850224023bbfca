//! Tones through the conversions: level and frequency are kept, what would alias is gone.

use super::*;
use std::f64::consts::TAU;

/// A tone of half of full scale, in the card's format; `right`: what the second channel has of it.
fn tone(format: CardFormat, hz: f64, right: f64, seconds: f64) -> Vec<u8> {
    let n = (f64::from(format.rate_hz) * seconds) as usize;
    let mut bytes = Vec::new();
    for i in 0..n {
        let level = 0.5 * (TAU * hz * i as f64 / f64::from(format.rate_hz)).sin();
        for channel in 0..format.channels {
            let level = if channel == 0 { level } else { level * right };
            match format.width {
                Width::Bits16 => bytes.extend(((level * 32_767.0) as i16).to_ne_bytes()),
                Width::Bits32 => bytes.extend(((level * 2_147_483_647.0) as i32).to_ne_bytes()),
            }
        }
    }
    bytes
}

/// As a microphone is read: periods of 20 ms, handed out in pieces of another size.
fn record(format: CardFormat, bytes: &[u8]) -> Vec<f64> {
    let mut from = FromCard::new(format);
    let mut samples = Vec::new();
    let mut piece = [0; 77];
    for period in bytes.chunks(format.block_frames() * format.frame_bytes()) {
        from.push(period);
        loop {
            let n = from.take(&mut piece);
            samples.extend(piece[..n].iter().map(|s| f64::from(*s) / 32_768.0));
            if n < piece.len() {
                break;
            }
        }
    }
    samples
}

/// Level of a tone of full scale 1.0 in dB: all of it, and only what has the frequency. The first 100 ms are left out.
fn levels(samples: &[f64], rate_hz: f64, hz: f64) -> (f64, f64) {
    let samples = &samples[(rate_hz / 10.0) as usize..];
    let n = samples.len() as f64;
    let (mut all, mut re, mut im) = (0.0, 0.0, 0.0);
    for (i, s) in samples.iter().enumerate() {
        let angle = TAU * hz * i as f64 / rate_hz;
        all += s * s;
        re += s * angle.cos();
        im += s * angle.sin();
    }
    let db = |square: f64| 10.0 * square.max(1e-20).log10();
    (db(2.0 * all / n), db(4.0 * (re * re + im * im) / (n * n)))
}

const HALF_DB: f64 = -6.02;

#[test]
fn level_and_frequency_are_kept_from_every_format() {
    for format in CardFormat::all() {
        for hz in [50.0, 440.0, 1000.0, 3400.0, 6800.0] {
            let samples = record(format, &tone(format, hz, 1.0, 1.1));
            assert!(samples.len() >= 17_000, "{format:?}: {}", samples.len());
            let (all, tone) = levels(
                &samples[..17_600.min(samples.len() / 320 * 320)],
                16_000.0,
                hz,
            );
            assert!(
                (tone - HALF_DB).abs() < 0.1,
                "{format:?}, {hz} Hz: {tone} dB"
            );
            assert!(
                (all - tone).abs() < 0.05,
                "{format:?}, {hz} Hz: {all} dB in all, {tone} dB of it"
            );
        }
    }
}

#[test]
fn what_lies_above_the_booth_s_band_is_60_db_down() {
    for format in CardFormat::all().filter(|f| f.rate_hz > SAMPLE_RATE_HZ) {
        for hz in [
            8100.0, 8500.0, 9000.0, 10_000.0, 12_000.0, 15_000.0, 16_100.0, 20_000.0,
        ] {
            let samples = record(format, &tone(format, hz, 1.0, 1.1));
            let (all, _) = levels(&samples, 16_000.0, 1000.0);
            assert!(all < HALF_DB - 60.0, "{format:?}, {hz} Hz: {all} dB");
        }
    }
}

#[test]
fn both_channels_count() {
    for format in CardFormat::all().filter(|f| f.channels == 2) {
        let level = |right| {
            let samples = record(format, &tone(format, 1000.0, right, 0.6));
            levels(&samples, 16_000.0, 1000.0).0
        };
        assert!((level(0.0) - 2.0 * HALF_DB).abs() < 0.1, "{format:?}");
        assert!(level(-1.0) < -90.0, "{format:?}");
    }
}

#[test]
fn what_is_played_keeps_level_and_frequency_and_has_no_image() {
    let n = 16_000;
    for format in CardFormat::all() {
        for hz in [440.0, 3400.0, 6800.0] {
            let sound: Vec<i16> = (0..n)
                .map(|i| (16_384.0 * (TAU * hz * f64::from(i) / 16_000.0).sin()) as i16)
                .collect();
            let mut to = ToCard::new(format);
            let mut played = Vec::new();
            for block in 0..to.n_blocks(sound.len()) {
                let bytes = to.frames_of(&sound, block);
                let frames = bytes.chunks_exact(format.frame_bytes());
                played.extend(frames.map(|f| {
                    let channels: Vec<&[u8]> = f.chunks_exact(format.width.bytes()).collect();
                    assert!(channels.iter().all(|c| *c == channels[0]), "{format:?}");
                    f64::from(mono(f, format.width))
                }));
            }
            let rate = f64::from(format.rate_hz);
            assert!(
                played.len() as f64 >= rate,
                "{format:?}: to the last sample"
            );
            // The end of the sound is no tone any more.
            let (all, tone) = levels(&played[..(0.9 * rate) as usize], rate, hz);
            assert!(
                (tone - HALF_DB).abs() < 0.1,
                "{format:?}, {hz} Hz: {tone} dB"
            );
            let image = 10.0
                * (10_f64.powf(all / 10.0) - 10_f64.powf(tone / 10.0))
                    .abs()
                    .max(1e-20)
                    .log10();
            assert!(
                image < HALF_DB - 60.0,
                "{format:?}, {hz} Hz: {image} dB beside the tone"
            );
        }
    }
}

#[test]
fn a_short_sound_is_played_whole_and_none_is_none() {
    for format in CardFormat::all() {
        let mut to = ToCard::new(format);
        assert_eq!(to.n_blocks(0), 0);
        let sound = [20_000_i16; 100];
        let frames: usize = (0..to.n_blocks(sound.len()))
            .map(|block| to.frames_of(&sound, block).len() / format.frame_bytes())
            .sum();
        assert!(
            format.time_of(frames as u64) >= Duration::from_micros(6_240),
            "{format:?}: {frames}"
        );
    }
}

#[test]
fn the_age_of_a_sample_counts_what_waits() {
    let card = |rate_hz| CardFormat {
        rate_hz,
        width: Width::Bits16,
        channels: 1,
    };
    let mut straight = FromCard::new(card(16_000));
    straight.push(&[0; 320]);
    assert_eq!(straight.behind(), Duration::from_millis(10));
    straight.take(&mut [0; 160]);
    assert_eq!(straight.behind(), Duration::ZERO);

    let mut slower = FromCard::new(card(48_000));
    slower.push(&[0; 960]);
    assert_eq!(slower.take(&mut [0; 320]), 0, "half a block");
    assert_eq!(
        slower.behind(),
        Duration::from_millis(20),
        "10 ms in the block, 10 ms of delay"
    );
    slower.push(&[0; 960]);
    assert_eq!(slower.behind(), Duration::from_millis(30), "20 ms ready");
}

#[test]
fn nothing_is_left_after_frames_were_lost() {
    for format in CardFormat::all() {
        let mut from = FromCard::new(format);
        let sound = tone(format, 1000.0, 1.0, 0.05);
        for period in sound.chunks(format.block_frames() * format.frame_bytes()) {
            from.push(period);
        }
        from.clear();
        assert_eq!(from.take(&mut [0; 100]), 0);
        let mut quiet = [1; 640];
        for _ in 0..2 {
            from.push(&vec![0; format.block_frames() * format.frame_bytes()]);
            let n = from.take(&mut quiet);
            assert!(quiet[..n].iter().all(|s| *s == 0), "{format:?}");
        }
        assert!(from.block.iter().chain(&from.resampled).all(|s| *s == 0.0));
    }
}

#[test]
fn no_buffer_grows_while_sound_runs() {
    for format in CardFormat::all() {
        let (mut from, mut to) = (FromCard::new(format), ToCard::new(format));
        let places = |from: &FromCard, to: &ToCard| {
            (
                from.ready.as_ptr(),
                from.ready.capacity(),
                to.bytes.as_ptr(),
                to.bytes.capacity(),
            )
        };
        let before = places(&from, &to);
        let period = tone(format, 300.0, 1.0, 0.02);
        for _ in 0..50 {
            from.push(&period);
            from.take(&mut [0; 320]);
            to.frames_of(&[100; 320], 0);
            assert_eq!(places(&from, &to), before, "{format:?}");
        }
    }
}
