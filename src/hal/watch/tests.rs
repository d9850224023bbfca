//! Pictures of a sensor with noise: what is a fault, after how long, and when it is over.

use super::*;
use crate::base::frame::{Frame, PixelFormat};

const SIZE: (u32, u32) = (1280, 720);

/// What the camera sees.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sight {
    /// A room with a person: soft gradients and edges two pixels wide.
    Room,
    /// The same through a smeared lens: edges fourteen pixels wide.
    Smeared,
    /// A white wall that a lamp lights from one side.
    Wall,
    /// The same room with hardly any light, amplified.
    DimRoom,
    /// A sheet of paper that fills the picture.
    Paper,
    Black,
    /// A finger on the lens.
    Cover,
    /// Tape on the lens, and the exposure has followed it.
    CoverExposed,
    White,
    /// The same of a camera whose numbers go from 16 to 235: an end without noise.
    LimitedBlack,
    LimitedWhite,
}

fn frame(sight: Sight, seed: u64, at_ms: u64) -> Frame {
    let mut frame = Frame::new(SIZE.0, SIZE.1, PixelFormat::Grey8);
    frame.meta.captured = Moment::from_millis(at_ms);
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut noise = |sigma: f32| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // The sum of four even ones is nearly normal.
        let even = |k: u32| (state >> (16 * k) & 0xffff) as f32 / 65535.0 - 0.5;
        sigma * 1.73 * (even(0) + even(1) + even(2) + even(3))
    };
    // A step from 0 to 1 over `wide` pixels.
    let edge = |d: f32, wide: f32| (d / wide + 0.5).clamp(0.0, 1.0);
    let room = |x: f32, y: f32, wide: f32| {
        let head = 180.0 - ((x - 640.0).powi(2) + (y - 330.0).powi(2)).sqrt();
        let shelf = 60.0 - (x - 1080.0).abs();
        let wall = 90.0 + 0.03 * x;
        let lit = wall + edge(head, wide) * (170.0 - wall);
        lit + edge(shelf, wide) * (40.0 - lit)
    };
    let width = SIZE.0 as usize;
    for (i, v) in frame.data_mut().iter_mut().enumerate() {
        let (x, y) = ((i % width) as f32, (i / width) as f32);
        let (value, sigma) = match sight {
            Sight::Room => (room(x, y, 2.0), 3.0),
            Sight::Smeared => (room(x, y, 14.0), 3.0),
            Sight::Wall => (120.0 + 0.06 * x, 3.0),
            Sight::DimRoom => (0.12 * room(x, y, 2.0), 4.0),
            Sight::Paper => (210.0, 2.0),
            Sight::Black => (4.0, 3.0),
            Sight::Cover => (30.0 + 0.003 * x, 3.0),
            Sight::CoverExposed => (84.0 + 0.001 * x, 6.0),
            Sight::White => (262.0, 2.0),
            Sight::LimitedBlack => (16.5, 0.0),
            Sight::LimitedWhite => (235.5, 0.0),
        };
        *v = (value + noise(sigma)).clamp(0.0, 255.0) as u8;
    }
    frame
}

/// Faults after the frames of a sequence: each sight for so many frames of 100 ms.
fn faults(sequence: &[(Sight, usize)], lit: bool, new: bool) -> Vec<Option<FaultKind>> {
    let mut watch = FrameWatch::default();
    let mut at = 0;
    let mut found = Vec::new();
    for (sight, n) in sequence {
        let mut seen = frame(*sight, 7, 0);
        for _ in 0..*n {
            if new {
                seen = frame(*sight, at + 1, 0);
            }
            seen.meta.captured = Moment::from_millis(100 * at);
            found.push(watch.judge(&seen.view(), lit));
            at += 1;
        }
    }
    found
}

#[test]
fn who_is_too_near_is_no_fault_at_once() {
    let mut watch = FrameWatch::default();
    watch.note_serving(true);
    let mut judge = |at: u64| {
        let mut seen = frame(Sight::Smeared, at, 0);
        seen.meta.captured = Moment::from_millis(at);
        watch.judge(&seen.view(), true)
    };
    let found: Vec<_> = (0..=50).map(|i| judge(100 * i)).collect();
    assert_eq!(found[..50], [None; 50]);
    assert_eq!(found[50], Some(FaultKind::Blurred));
    // They have gone, and the picture is as it was.
    let mut watch = FrameWatch::default();
    watch.note_serving(true);
    for at in 0..20 {
        let mut seen = frame(Sight::Smeared, at, 0);
        seen.meta.captured = Moment::from_millis(100 * at);
        watch.note_serving(at < 15);
        let expected = (at >= 15).then_some(FaultKind::Blurred);
        assert_eq!(watch.judge(&seen.view(), true), expected, "{at}");
    }
}

#[test]
fn each_kind_is_told_from_what_people_and_rooms_do() {
    for (sight, lit, expected) in [
        (Sight::Room, true, None),
        (Sight::Room, false, None),
        (Sight::Smeared, true, Some(FaultKind::Blurred)),
        (Sight::Wall, true, None),
        (Sight::DimRoom, true, None),
        (Sight::DimRoom, false, None),
        (Sight::Paper, true, None),
        (Sight::Black, true, Some(FaultKind::Dark)),
        // Night, and the ring is off.
        (Sight::Black, false, None),
        (Sight::Cover, true, Some(FaultKind::Covered)),
        (Sight::Cover, false, None),
        (Sight::CoverExposed, true, Some(FaultKind::Covered)),
        (Sight::White, true, Some(FaultKind::Overexposed)),
        (Sight::White, false, Some(FaultKind::Overexposed)),
        (Sight::LimitedBlack, false, None),
        (Sight::LimitedBlack, true, Some(FaultKind::Dark)),
        (Sight::LimitedWhite, true, Some(FaultKind::Overexposed)),
    ] {
        let found = faults(&[(sight, 10)], lit, true);
        assert_eq!(found[9], expected, "{sight:?}, lit: {lit}");
        assert_eq!(found[7], None, "{sight:?}: after 0.7 s it may pass");
        assert_eq!(found[8], expected, "{sight:?}: within a second it is found");
    }
}

#[test]
fn the_same_picture_again_and_again_is_frozen() {
    let found = faults(&[(Sight::Room, 11)], true, false);
    // The time begins when the picture came first.
    assert_eq!(found[7], None);
    assert_eq!(found[8], Some(FaultKind::Frozen));
}

#[test]
fn a_passing_hand_is_no_fault_and_a_fault_ends_when_all_is_well_for_a_while() {
    let hand = [
        (Sight::Room, 3),
        (Sight::Cover, 6),
        (Sight::Room, 3),
        (Sight::Cover, 6),
    ];
    assert!(faults(&hand, true, true).iter().all(Option::is_none));
    let found = faults(
        &[
            (Sight::Cover, 9),
            (Sight::Room, 3),
            (Sight::Cover, 1),
            (Sight::Room, 6),
        ],
        true,
        true,
    );
    assert_eq!(found[8], Some(FaultKind::Covered));
    assert_eq!(
        found[11],
        Some(FaultKind::Covered),
        "not yet well for long enough"
    );
    assert_eq!(
        found[16],
        Some(FaultKind::Covered),
        "well again since 0.3 s"
    );
    assert_eq!(found[17], None);
    // One fault gives way to another.
    let found = faults(&[(Sight::Cover, 9), (Sight::Black, 9)], true, true);
    assert_eq!(found[17], Some(FaultKind::Dark));
}

#[test]
fn a_covered_lens_is_not_well_because_the_ring_goes_off() {
    let mut watch = FrameWatch::default();
    let mut judge = |sight, lit, at: u64| {
        let mut seen = frame(sight, at + 1, 0);
        seen.meta.captured = Moment::from_millis(at);
        watch.judge(&seen.view(), lit)
    };
    for i in 0..9 {
        judge(Sight::Cover, true, 100 * i);
    }
    for i in 9..20 {
        assert_eq!(
            judge(Sight::Cover, false, 100 * i),
            Some(FaultKind::Covered)
        );
    }
    // Uncovered: seen at once, also without the ring.
    judge(Sight::Room, false, 2000);
    assert_eq!(judge(Sight::Room, false, 4000), None);
    // Covered again at night: after half a minute somebody may try.
    for i in 0..9 {
        judge(Sight::Black, true, 5000 + 100 * i);
    }
    assert_eq!(judge(Sight::Black, false, 6000), Some(FaultKind::Dark));
    assert_eq!(judge(Sight::Black, false, 35_900), Some(FaultKind::Dark));
    assert_eq!(judge(Sight::Black, false, 36_000), None);
}

#[test]
fn after_opening_again_the_fault_stays_until_frames_say_otherwise() {
    let mut watch = FrameWatch::default();
    let mut seen = frame(Sight::Room, 1, 0);
    let mut judge = |watch: &mut FrameWatch, new: Option<u64>, at: u64| {
        if let Some(seed) = new {
            seen = frame(Sight::Room, seed, 0);
        }
        seen.meta.captured = Moment::from_millis(at);
        watch.judge(&seen.view(), true)
    };
    for at in 0..12 {
        judge(&mut watch, None, 100 * at);
    }
    assert!(watch.is_stale());
    watch.reopened();
    assert!(!watch.is_stale());
    assert_eq!(judge(&mut watch, Some(2), 2000), Some(FaultKind::Frozen));
    assert_eq!(judge(&mut watch, Some(3), 2300), Some(FaultKind::Frozen));
    assert_eq!(judge(&mut watch, Some(4), 2400), None);
}

#[test]
fn small_and_odd_frames_are_judged_without_harm() {
    for (width, height, format) in [
        (2, 2, PixelFormat::Yuyv),
        (1, 1, PixelFormat::Grey8),
        (3, 5, PixelFormat::Rgb8),
        (161, 91, PixelFormat::Grey8),
    ] {
        let frame = Frame::new(width, height, format);
        FrameWatch::default().judge(&frame.view(), true);
    }
}

/// Cameras repeat frames where the exposure takes longer than a frame has.
#[test]
fn a_camera_that_gives_every_picture_some_times_is_well() {
    let repeated = |times: u64, frame_ms: u64, frozen_first: bool| {
        let mut watch = FrameWatch::default();
        let mut at = 0;
        let mut judge = |watch: &mut FrameWatch, seed: u64| {
            let mut seen = frame(Sight::Room, seed, 0);
            at += frame_ms;
            seen.meta.captured = Moment::from_millis(at);
            watch.judge(&seen.view(), true)
        };
        if frozen_first {
            for _ in 0..2000 / frame_ms {
                judge(&mut watch, 1);
            }
            assert!(watch.is_frozen_now());
            watch.reopened();
        }
        let mut found = None;
        for i in 0..2000 / frame_ms {
            found = judge(&mut watch, 2 + i / times);
            assert!(
                times > 4 || !watch.is_frozen_now(),
                "{times} x {frame_ms} ms"
            );
        }
        found
    };
    assert_eq!(repeated(4, 42, false), None);
    assert_eq!(repeated(4, 42, true), None);
    assert_eq!(repeated(2, 66, true), None);
    assert_eq!(repeated(30, 42, false), Some(FaultKind::Frozen));
}
