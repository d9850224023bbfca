//! Sampling against every pixel by itself, and what the maps of the nets promise.

use super::*;
use crate::base::frame::FrameMeta;

fn identity_lut() -> PixelLut {
    let table = std::array::from_fn(|p| p as f32);
    PixelLut {
        colour: Colour::Rgb,
        tables: LutTables::F32(Box::new([table; 3])),
    }
}

fn check(frame: &FrameView<'_>, map: Affine, size: (u32, u32), expected: &[f32]) {
    let lut = identity_lut();
    let mut out = vec![-1.0; size.0 as usize * size.1 as usize * 3];
    let target = Target {
        width: size.0,
        height: size.1,
        lut: &lut,
        tile: None,
    };
    sample(frame, &map, target, &mut TensorMut::F32(&mut out));
    assert_eq!(out, expected);
}

const SAME: Affine = Affine {
    a: 1.0,
    b: 0.0,
    c: 0.0,
    d: 0.0,
    e: 1.0,
    f: 0.0,
};

#[test]
fn rgb_is_copied_where_the_map_is_the_identity_and_black_outside() {
    let data: Vec<u8> = (1..=12).collect();
    let frame =
        FrameView::new(&data, 2, 2, 6, PixelFormat::Rgb8, FrameMeta::default()).expect("a frame");
    let expected: Vec<f32> = (1..=12u8).map(f32::from).collect();
    check(&frame, SAME, (2, 2), &expected);
    check(&frame, Affine { c: 5.0, ..SAME }, (2, 2), &[0.0; 12]);
}

#[test]
fn yuyv_is_converted_by_bt601_full_range() {
    // Two macropixels of the primaries red and blue as T.871 codes them, four equal rows.
    let row = [76, 85, 76, 255, 29, 255, 29, 107];
    let data: Vec<u8> = row.repeat(2);
    let frame =
        FrameView::new(&data, 4, 2, 8, PixelFormat::Yuyv, FrameMeta::default()).expect("a frame");
    let red = [254.0, 0.0, 0.0];
    let blue = [0.0, 0.0, 254.0];
    check(&frame, SAME, (4, 1), &[red, red, blue, blue].concat());
}

#[test]
fn shrinking_averages() {
    let data: Vec<u8> = (0..16u8)
        .map(|i| if (i + i / 4) % 2 == 0 { 0 } else { 200 })
        .collect();
    let frame =
        FrameView::new(&data, 4, 4, 4, PixelFormat::Grey8, FrameMeta::default()).expect("a frame");
    let map = Affine {
        a: 4.0,
        e: 4.0,
        ..SAME
    };
    check(&frame, map, (1, 1), &[100.0; 3]);
}

/// Each pixel by itself, point by point with all questions asked, without blocks, ranges and levels.
/// Where the chroma of YUYV is shared by two columns, the second has that of the first.
fn one_by_one(
    frame: &FrameView<'_>,
    map: &Affine,
    side: u32,
    (n_taps, nearest): (usize, bool),
) -> Vec<f32> {
    let source = Yuyv(Rows::new(frame));
    let fixed = |v: f32| (v * 65536.0) as i32;
    let offset = |i: usize| (i as f32 + 0.5) / n_taps as f32 - 0.5;
    let taps: Vec<(i32, i32)> = (0..n_taps * n_taps)
        .map(|k| (offset(k % n_taps), offset(k / n_taps)))
        .map(|(u, v)| (map.a * u + map.b * v, map.d * u + map.e * v))
        .map(|(x, y)| (fixed(x) - 0x8000, fixed(y) - 0x8000))
        .collect();
    let mut all = Vec::new();
    for y in 0..side {
        let start = map.apply(Point::new(0.5, y as f32 + 0.5));
        let start = (fixed(start.x), fixed(start.y));
        let step = (fixed(map.a), fixed(map.d));
        let (inner, _) = columns(source.rows(), start, step, &taps, side as usize);
        for x in 0..side as usize {
            let alone = |x| match nearest {
                true => mean_at_edge::<_, true>(&source, start, step, x, &taps),
                false => mean_at_edge::<_, false>(&source, start, step, x, &taps),
            };
            let mut channels = alone(x);
            if n_taps == 1 && x % 2 == 1 && inner.contains(&x) && inner.contains(&(x - 1)) {
                let before = alone(x - 1);
                channels = [channels[0], before[1], before[2]];
            }
            let mut rgb = [[0; BLOCK]; 3];
            Yuyv::rgb(&channels.map(|c| [c; BLOCK]), &mut rgb);
            all.extend(rgb.map(|plane| f32::from(plane[0])));
        }
    }
    all
}

#[test]
fn blocks_and_ranges_give_what_each_pixel_alone_would() {
    let data: Vec<u8> = (0..88 * 2 * 50u32)
        .map(|i| (i * i / 7 + i * 13) as u8)
        .collect();
    let frame = FrameView::new(&data, 88, 50, 176, PixelFormat::Yuyv, FrameMeta::default())
        .expect("a frame");
    let square = |x, y, px, angle, side| {
        let map = Affine::rotated_square(Point::new(x, y), px, angle, side);
        (map, side)
    };
    for (map, side) in [
        (Affine::letterbox(88, 50, 20), 20),
        (Affine::letterbox(88, 50, 130), 130),
        square(40.0, 25.0, 30.0, 0.3, 70),
        square(40.0, 25.0, 60.0, -2.0, 70),
        square(40.0, 25.0, 300.0, 0.1, 70),
        square(80.0, 48.0, 2000.0, 3.0, 70),
        square(-500.0, 25.0, 40.0, 0.2, 70),
    ] {
        let n_taps = match map.step() {
            s if s <= 2.0 => (1, false),
            s if s <= 4.0 => (2, false),
            s if s <= 12.0 => (2, true),
            _ => (3, true),
        };
        let expected = one_by_one(&frame, &map, side, n_taps);
        check(&frame, map, (side, side), &expected);
    }
}

#[test]
fn a_frame_of_one_column_is_black() {
    let frame = FrameView::new(&[9; 4], 1, 4, 1, PixelFormat::Grey8, FrameMeta::default())
        .expect("a frame");
    check(&frame, SAME, (2, 2), &[0.0; 12]);
}

#[test]
fn letterbox_and_turned_square_put_points_where_they_belong() {
    let map = Affine::letterbox(1280, 720, 128);
    let middle = map.apply(Point::new(64.0, 64.0));
    assert!(
        middle.distance(Point::new(640.0, 360.0)) < 1e-3,
        "{middle:?}"
    );
    let map = Affine::rotated_square(
        Point::new(100.0, 50.0),
        20.0,
        std::f32::consts::FRAC_PI_2,
        10,
    );
    let right = map.apply(Point::new(10.0, 5.0));
    assert!(right.distance(Point::new(100.0, 60.0)) < 1e-3, "{right:?}");
}

#[test]
fn the_tile_and_the_tensor_hold_the_same_picture() {
    let data: Vec<u8> = (0..40 * 2 * 30u32).map(|i| (i * 11 / 3) as u8).collect();
    let frame = FrameView::new(&data, 40, 30, 80, PixelFormat::Yuyv, FrameMeta::default())
        .expect("a frame");
    let lut = PixelLut {
        colour: Colour::Bgr,
        tables: LutTables::Shifted,
    };
    let mut tile = Tile::new(100, 100);
    let mut out = vec![0i8; 100 * 100 * 3];
    let target = Target {
        width: 100,
        height: 100,
        lut: &lut,
        tile: Some(&mut tile),
    };
    // The square is larger than the frame, so that some rows are black as a whole and some in part.
    let map = Affine::rotated_square(Point::new(20.0, 15.0), 60.0, 0.1, 100);
    let quantization = crate::models::manifest::Quantization::IDENTITY;
    sample(
        &frame,
        &map,
        target,
        &mut TensorMut::I8(&mut out, quantization),
    );
    let mut n_black = 0;
    for (i, pixel) in out.as_chunks::<3>().0.iter().enumerate() {
        let [b, g, r] = pixel.map(|v| (i16::from(v) + 128) as u8);
        assert_eq!(
            [r, g, b],
            tile.rgb.each_ref().map(|plane| plane[i]),
            "pixel {i}"
        );
        assert_eq!(tile.luma[i], luminance([r, g, b]), "pixel {i}");
        n_black += usize::from([r, g, b] == [0; 3]);
    }
    assert!((1000..9000).contains(&n_black), "{n_black}");
}
