//! A recorded session.

use super::super::replay::open;
use super::*;
use crate::base::frame::{Frame, PixelFormat};
use crate::base::time::SharedClock;
use crate::hal::{Camera, FaultKind, Microphone};
use std::time::Duration;

fn picture(path: &Path, w: u32, h: u32, shade: u8) {
    image::RgbImage::from_pixel(w, h, image::Rgb([shade; 3]))
        .save(path)
        .expect("there is room");
}

#[test]
fn a_recording_plays_at_its_times() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    for (name, shade) in [("b.png", 10), ("a.png", 20), ("c.png", 30)] {
        picture(&dir.path().join(name), 64, 66, shade);
    }
    std::fs::write(
        dir.path().join("times.csv"),
        "name,ms\nb.png,0\na.png,50\nc.png,200\n",
    )
    .expect("there is room");
    let manual = clock();
    let shared: SharedClock = manual.clone();
    let (mut camera, microphone) =
        open(dir.path(), 30.0, &shared).unwrap_or_else(|e| panic!("{e}"));
    assert!(microphone.is_none());
    assert_eq!(
        (
            camera.info().width,
            camera.info().height,
            camera.info().exposure_us
        ),
        (64, 66, None)
    );
    let mut frame = Frame::new(2, 2, PixelFormat::Yuyv);
    let mut seen = Vec::new();
    for ms in [0, 20, 40, 200, 10] {
        manual.advance(Duration::from_millis(ms));
        let got = camera
            .capture(&mut frame, Duration::ZERO)
            .map(|()| (frame.data()[0], frame.meta.captured.as_millis()));
        seen.push(got.map_err(|f| f.kind));
    }
    assert_eq!(frame.format(), PixelFormat::Rgb8);
    assert_eq!(
        seen,
        [
            Ok((10, 1000)),
            Err(FaultKind::NoFrames),
            Ok((20, 1050)),
            Ok((30, 1200)),
            Err(FaultKind::NoFrames)
        ]
    );
}

#[test]
fn the_sound_of_a_recording_is_followed_by_silence() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    picture(&dir.path().join("a.png"), 64, 64, 1);
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav =
        hound::WavWriter::create(dir.path().join("audio.wav"), spec).expect("there is room");
    (0..100).for_each(|i| wav.write_sample(i as i16 + 1).expect("there is room"));
    wav.finalize().expect("there is room");
    let manual = clock();
    let shared: SharedClock = manual.clone();
    let (_, microphone) = open(dir.path(), 30.0, &shared).unwrap_or_else(|e| panic!("{e}"));
    let mut microphone = microphone.expect("there is a sound");
    manual.advance(Duration::from_millis(10));
    let mut samples = [9; 160];
    let (n, _) = microphone
        .read(&mut samples, Duration::ZERO)
        .expect("it is there");
    assert_eq!((n, samples[0], samples[99], samples[100]), (160, 1, 100, 0));
}

#[test]
fn a_bad_recording_is_refused_with_the_file_named() {
    let check = |prepare: fn(&Path), complaint: &str| {
        let dir = tempfile::tempdir().expect("a folder for the test");
        prepare(dir.path());
        let shared: SharedClock = clock();
        let error = open(dir.path(), 30.0, &shared)
            .expect_err(complaint)
            .to_string();
        assert!(
            error.contains(complaint) && error.contains("mend:"),
            "{error}"
        );
    };
    check(|_| {}, "holds no picture");
    check(
        |d| std::fs::write(d.join("a.png"), "x").expect("there is room"),
        "a.png: is no picture",
    );
    check(
        |d| picture(&d.join("a.png"), 32, 64, 0),
        "a.png: is 32 x 64 pixels",
    );
    check(
        |d| picture(&d.join("a.png"), 65, 64, 0),
        "a.png: is 65 x 64 pixels",
    );
    check(
        |d| {
            picture(&d.join("a.png"), 64, 64, 0);
            picture(&d.join("b.png"), 64, 66, 0);
        },
        "b.png: is 64 x 66 pixels, the first is 64 x 64",
    );
    check(
        |d| {
            std::fs::write(d.join("times.csv"), "name,ms\na.png,5\nb.png,5\n")
                .expect("there is room")
        },
        "line 3: 5 ms is not after",
    );
    check(
        |d| std::fs::write(d.join("times.csv"), "a.png;5\n").expect("there is room"),
        "has no comma",
    );
    check(
        |d| std::fs::write(d.join("times.csv"), "../a.png,5\n").expect("there is room"),
        "does not name a picture",
    );
    check(
        |d| std::fs::write(d.join("times.csv"), "a.png,soon\n").expect("there is room"),
        "no whole number",
    );
    check(
        |d| std::fs::write(d.join("times.csv"), "name,ms\na.png,5\n").expect("there is room"),
        "line 2: `a.png,5`: there is no such picture",
    );
}
