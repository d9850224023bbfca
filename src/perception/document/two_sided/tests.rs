//! Pictures made here: a page of print on a table, lit from one side, with glare where that side's lamps are mirrored.

use super::blend::Blender;
use super::*;
use crate::base::frame::FrameMeta;
use proptest::prelude::*;

const WIDTH: u32 = 800;
const HEIGHT: u32 = 560;
/// Where the document lies.
const AT: (f32, f32) = (100.0, 60.0);
const SIZE: (f32, f32) = (600.0, 420.0);
/// Glare of the left and of the right lamps, on the page: middle and radius.
const GLARE: [(f32, f32, f32); 2] = [(150.0, 330.0, 90.0), (440.0, 320.0, 90.0)];

/// What is printed at a place of the page: dark letters of about ten pixels, no two rows alike.
fn print(x: f32, y: f32, text: u32) -> f32 {
    let (column, row) = ((x / 11.0) as u32, (y / 17.0) as u32);
    let mixed = (column + 1000 * row + 100_000 * text).wrapping_mul(2_654_435_761);
    let is_ink = (mixed >> 13) % 5 < 2;
    let in_letter = x % 11.0 < 7.0 && y % 17.0 < 10.0;
    if is_ink && in_letter { 0.25 } else { 1.0 }
}

/// A frame lit from a side, with the document moved by `moved` pixels, and glare or not.
fn frame(lit: LitFrom, moved: (f32, f32), has_glare: bool, text: u32, at_ms: u64) -> Frame {
    let mut frame = Frame::new(WIDTH, HEIGHT, PixelFormat::Yuyv);
    frame.meta.captured = Moment::from_millis(at_ms);
    let side = usize::from(lit == LitFrom::Right);
    for (i, p) in frame.data_mut().chunks_exact_mut(2).enumerate() {
        let (fx, fy) = ((i as u32 % WIDTH) as f32, (i as u32 / WIDTH) as f32);
        let (x, y) = (fx - AT.0 - moved.0, fy - AT.1 - moved.1);
        let inside = (0.0..SIZE.0).contains(&x) && (0.0..SIZE.1).contains(&y);
        let across = x / SIZE.0;
        // The far side gets a little more than half of the light.
        let light = if side == 0 {
            1.0 - 0.45 * across
        } else {
            0.55 + 0.45 * across
        };
        let paper = if inside {
            170.0 * print(x, y, text)
        } else {
            60.0
        };
        let (gx, gy, radius) = GLARE[side];
        let far = (x - gx).hypot(y - gy) / radius;
        let glare = if has_glare {
            400.0 * (-far.powi(4)).exp()
        } else {
            0.0
        };
        let noise = ((i * 7919) % 7) as f32 - 3.0;
        p[0] = (paper * light + glare + noise).clamp(0.0, 255.0) as u8;
        p[1] = 128;
    }
    frame
}

fn corners(moved: (f32, f32)) -> Quad {
    corners_of(Rect::new(AT.0 + moved.0, AT.1 + moved.1, SIZE.0, SIZE.1))
}

/// How alike a part of two pages is, whatever their light: the correlation of their luminance.
fn likeness(a: &FrameView<'_>, b: &FrameView<'_>, part: Rect) -> f32 {
    let values = |v: &FrameView<'_>| -> Vec<f32> {
        let (x0, x1) = (part.x as usize, (part.x + part.w) as usize);
        (part.y as u32..(part.y + part.h) as u32)
            .flat_map(|y| v.row(y)[3 * x0..3 * x1].iter().step_by(3))
            .map(|p| f32::from(*p))
            .collect()
    };
    let (a, b) = (values(a), values(b));
    let mean = |v: &[f32]| v.iter().sum::<f32>() / v.len() as f32;
    let (ma, mb) = (mean(&a), mean(&b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(&b) {
        ab += (a - ma) * (b - mb);
        aa += (a - ma) * (a - ma);
        bb += (b - mb) * (b - mb);
    }
    ab / (aa * bb).sqrt().max(1e-6)
}

/// The part of a page that a glare covers, in pixels of the page with its margin.
fn under(glare: (f32, f32, f32)) -> Rect {
    let (x, y, r) = glare;
    let inner = inner((SIZE.0 as u32, SIZE.1 as u32));
    Rect::new(
        inner.x + x - 0.7 * r,
        inner.y + y - 0.7 * r,
        1.4 * r,
        1.4 * r,
    )
}

/// A page without glare, as it should be.
fn clean() -> Frame {
    let mut page = Frame::new(2, 2, PixelFormat::Rgb8);
    let frame = frame(LitFrom::Left, (0.0, 0.0), false, 1, 0);
    let size = (SIZE.0 as u32, SIZE.1 as u32);
    assert!(take(&frame.view(), &corners((0.0, 0.0)), size, &mut page));
    page
}

#[test]
fn what_glare_hides_on_one_picture_is_there_on_the_one_that_is_made_of_two() {
    let clean = clean();
    // The hand has moved, and the corners are some pixels off.
    for (moved, off) in [
        ((0.0, 0.0), (0.0, 0.0)),
        ((9.3, -5.6), (2.5, -1.5)),
        ((-14.0, 8.0), (-3.0, 3.4)),
    ] {
        let left = frame(LitFrom::Left, (0.0, 0.0), true, 1, 100);
        let right = frame(LitFrom::Right, moved, true, 1, 300);
        let mut found = corners(moved);
        found.0[0].x += off.0;
        found.0[0].y += off.1;
        found.0[2].x += off.0;
        let mut sides = TwoSided::default();
        let first = sides.see(&left.view(), &corners((0.0, 0.0)), LitFrom::Left);
        assert!(first.is_none());
        let hidden = sides.kept[0].page.view();
        for (part, glare) in [(under(GLARE[0]), true), (under(GLARE[1]), false)] {
            let alike = likeness(&hidden, &clean.view(), part);
            assert_eq!(alike < 0.5, glare, "left alone: {alike}");
        }
        let combined = sides
            .see(&right.view(), &found, LitFrom::Right)
            .expect("a pair");
        for part in GLARE.map(under) {
            let alike = likeness(&combined.page, &clean.view(), part);
            assert!(alike > 0.9, "{moved:?} {off:?}: {alike}");
        }
        let burnt = combined.grey.data().iter().filter(|p| **p >= 250).count();
        assert_eq!(burnt, 0, "{moved:?}");
    }
}

#[test]
fn pictures_that_do_not_fit_are_not_combined() {
    let left = frame(LitFrom::Left, (0.0, 0.0), true, 1, 100);
    let check = |lit, moved, found, text, at_ms, expected: bool| {
        let mut sides = TwoSided::default();
        let first = sides.see(&left.view(), &corners((0.0, 0.0)), LitFrom::Left);
        assert!(first.is_none());
        let second = frame(lit, moved, true, text, at_ms);
        let made = sides.see(&second.view(), &corners(found), lit).is_some();
        assert_eq!(made, expected, "{lit:?} {moved:?} {found:?} {text} {at_ms}");
    };
    let (none, there) = ((0.0, 0.0), (12.0, 7.0));
    check(LitFrom::Right, there, there, 1, 300, true);
    // Corners that are far off; other print; too late; the same side; both sides.
    check(LitFrom::Right, there, (-30.0, -25.0), 1, 300, false);
    check(LitFrom::Right, none, none, 2, 300, false);
    check(LitFrom::Right, there, there, 1, 1400, false);
    check(LitFrom::Left, there, there, 1, 300, false);
    check(LitFrom::Both, there, there, 1, 300, false);
}

#[test]
fn each_picture_is_a_part_of_one_pair_at_most() {
    let mut sides = TwoSided::default();
    let mut made = Vec::new();
    for (i, lit) in [
        LitFrom::Left,
        LitFrom::Left,
        LitFrom::Right,
        LitFrom::Right,
        LitFrom::Left,
        LitFrom::Left,
        LitFrom::Right,
    ]
    .into_iter()
    .enumerate()
    {
        let frame = frame(lit, (0.0, 0.0), true, 1, 150 * i as u64);
        made.push(
            sides
                .see(&frame.view(), &corners((0.0, 0.0)), lit)
                .is_some(),
        );
    }
    assert_eq!(made, [false, false, true, false, true, false, true]);
}

#[test]
fn forgetting_wipes_the_pictures() {
    let mut sides = TwoSided::default();
    for (at_ms, lit) in [(100, LitFrom::Left), (300, LitFrom::Right)] {
        let frame = frame(lit, (0.0, 0.0), true, 1, at_ms);
        let _ = sides.see(&frame.view(), &corners((0.0, 0.0)), lit);
    }
    assert!(sides.combined.data().iter().any(|p| *p != 0));
    sides.forget();
    let [a, b] = &sides.kept;
    for frame in [
        &a.page,
        &b.page,
        &sides.newest,
        &sides.combined,
        &sides.grey,
    ] {
        assert!(frame.data().iter().all(|p| *p == 0));
    }
    let right = frame(LitFrom::Right, (0.0, 0.0), true, 1, 400);
    let made = sides.see(&right.view(), &corners((0.0, 0.0)), LitFrom::Right);
    assert!(made.is_none());
}

/// A page of big pixels of these values.
fn page(values: &[u8], columns: usize) -> Frame {
    const BIG: usize = 5;
    let rows = values.len() / columns;
    let mut page = Frame::new(
        (columns * BIG) as u32,
        (rows * BIG) as u32,
        PixelFormat::Rgb8,
    );
    page.meta = FrameMeta::default();
    for (i, p) in page.data_mut().chunks_exact_mut(3).enumerate() {
        let (x, y) = (i % (columns * BIG), i / (columns * BIG));
        let v = values[y / BIG * columns + x / BIG];
        p.copy_from_slice(&[v, v / 2, 255 - v]);
    }
    page
}

proptest! {
    /// Nothing is made up: each value lies between those of the two pages, made as bright as each other.
    #[test]
    fn no_value_lies_beyond_both_pages(
        first in prop::collection::vec(any::<u8>(), 12 * 8),
        second in prop::collection::vec(any::<u8>(), 12 * 8),
    ) {
        let (first, second) = (page(&first, 12), page(&second, 12));
        let mut out = Frame::new(2, 2, PixelFormat::Rgb8);
        let mut blender = Blender::default();
        blender.blend(&first, &second, &mut out);
        let width = first.width() as usize;
        for (y, row) in out.data().chunks_exact(3 * width).enumerate() {
            blender.take_row(y);
            for (i, found) in row.iter().enumerate() {
                let (share, gains) = blender.at(i / 3);
                prop_assert!((0.0..=1.0).contains(&share), "{share}");
                let at = y * 3 * width + i;
                let value = |page: &Frame, gain: f32| (f32::from(page.data()[at]) * gain).min(255.0);
                let (a, b) = (value(&first, gains[0]), value(&second, gains[1]));
                let found = f32::from(*found);
                prop_assert!(found >= a.min(b) - 0.51 && found <= a.max(b) + 0.51, "{a} {b} {found}");
            }
        }
    }
}
