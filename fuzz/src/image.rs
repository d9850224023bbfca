//! From frames of any layout, stride and size, through any map, to tensors, planes and pages.

use super::bytes::Bytes;
use boothd::base::frame::{Frame, FrameMeta, FrameView, PixelFormat};
use boothd::base::geometry::{Point, Quad};
use boothd::models::manifest::{
    Colour, Geometry, Preprocessing, Quantization, TensorSpec, TensorType,
};
use boothd::models::{PixelLut, TensorMut};
use boothd::perception::document::homography::Homography;
use boothd::perception::document::{luminance, rectify};
use boothd::perception::sampling::{self, Affine, Target, Tile};
use boothd::perception::vision::scene_light;
use std::cell::RefCell;
use std::sync::LazyLock;

/// What is kept from input to input, as the booth keeps it from frame to frame.
struct Buffers {
    pixels: Vec<u8>,
    int8: Vec<i8>,
    float: Vec<f32>,
    plane: Vec<u8>,
    page: Frame,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers {
        pixels: Vec::new(),
        int8: Vec::new(),
        float: Vec::new(),
        plane: Vec::new(),
        page: Frame::new(2, 2, PixelFormat::Rgb8),
    });
}

/// For each order of colours a table for int8 and one for float32.
static TABLES: LazyLock<[[PixelLut; 2]; 3]> = LazyLock::new(|| {
    [Colour::Rgb, Colour::Bgr, Colour::Grey].map(|colour| {
        [TensorType::Int8, TensorType::Float32].map(|dtype| {
            let preprocessing = Preprocessing {
                colour,
                geometry: Geometry::Stretch,
                mean: [127.5; 3],
                std: [127.5; 3],
            };
            let spec = TensorSpec {
                name: String::new(),
                dtype,
                shape: vec![1],
                quantization: Quantization {
                    scale: 1.0 / 127.5,
                    zero_point: -1,
                },
            };
            PixelLut::new(&preprocessing, &spec).expect("no divisor is 0")
        })
    })
});

/// A frame, a map and a target in front, pixels behind; pixels are repeated until the frame is full, or nearly so.
pub fn run(data: &[u8]) {
    let mut input = Bytes::new(data);
    let how = input.u8();
    let format = [PixelFormat::Yuyv, PixelFormat::Rgb8, PixelFormat::Grey8][input.below(3)];
    let (width, height) = (input.below(20) as u32, input.below(14) as u32);
    let stride = (width as usize * format.bytes_per_pixel() + input.below(12)).saturating_sub(2);
    let missing = input.below(32).saturating_sub(28);
    let reals: [f32; 8] = std::array::from_fn(|_| input.real());
    let (out_width, out_height) = (input.below(72) as u32, input.below(4) as u32);
    let rest = input.rest();
    BUFFERS.with_borrow_mut(|buffers| {
        let n = (stride * height as usize).saturating_sub(missing);
        buffers.pixels.clear();
        if rest.is_empty() {
            buffers.pixels.resize(n, 77);
        } else {
            buffers.pixels.extend(rest.iter().cycle().take(n));
        }
        let pixels = std::mem::take(&mut buffers.pixels);
        let meta = FrameMeta::default();
        if let Ok(frame) = FrameView::new(&pixels, width, height, stride, format, meta) {
            match how % 4 {
                0 | 1 => sample(&frame, how, reals, (out_width, out_height), buffers),
                2 => rectify(&frame, how, reals, (out_width, out_height), buffers),
                _ => whole(&frame, buffers),
            }
        }
        buffers.pixels = pixels;
    });
}

fn sample(
    frame: &FrameView<'_>,
    how: u8,
    [a, b, c, d, e, f, side, angle]: [f32; 8],
    (width, height): (u32, u32),
    buffers: &mut Buffers,
) {
    let map = match how / 4 % 4 {
        0 | 1 => Affine { a, b, c, d, e, f },
        2 => Affine::letterbox(frame.width(), frame.height(), width.max(1)),
        _ => Affine::rotated_square(Point::new(a, b), side, angle, width.max(1)),
    };
    let int8 = how >> 4 & 1 == 0;
    let lut = &TABLES[usize::from(how >> 5) % 3][usize::from(!int8)];
    let n = (width * height) as usize;
    let n_values = if lut.colour == Colour::Grey { n } else { n * 3 };
    let mut tile = (how >> 7 == 1).then(|| Tile::new(width, height));
    let target = Target {
        width,
        height,
        lut,
        tile: tile.as_mut(),
    };
    if int8 {
        buffers.int8.clear();
        buffers.int8.resize(n_values, 0);
        let quantization = Quantization {
            scale: 1.0 / 127.5,
            zero_point: -1,
        };
        let mut tensor = TensorMut::I8(&mut buffers.int8, quantization);
        sampling::sample(frame, &map, target, &mut tensor);
    } else {
        buffers.float.clear();
        buffers.float.resize(n_values, f32::NAN);
        sampling::sample(frame, &map, target, &mut TensorMut::F32(&mut buffers.float));
        let all_written = buffers.float.iter().all(|v| (-1.0..=1.0).contains(v));
        assert!(all_written, "every value is written, and of the table");
    }
}

fn rectify(
    frame: &FrameView<'_>,
    how: u8,
    reals: [f32; 8],
    (width, height): (u32, u32),
    buffers: &mut Buffers,
) {
    let corner = |i: usize| Point::new(reals[2 * i], reals[2 * i + 1]);
    let quad = Quad([corner(0), corner(1), corner(2), corner(3)]);
    let quad = match how / 4 % 4 {
        0 => rectify::landscape(&quad),
        1 => rectify::half_turned(&quad),
        2 => rectify::whole(frame),
        _ => quad,
    };
    let (width, height) = (width.max(1), height.max(1));
    let map = Homography::from_rectangle(width as f32, height as f32, &quad);
    if let Some(map) = map {
        rectify::grey(frame, &map, width, height, &mut buffers.plane);
        rectify::rgb(frame, &map, width, height, &mut buffers.page);
    }
}

fn whole(frame: &FrameView<'_>, buffers: &mut Buffers) {
    luminance::plane(frame, &mut buffers.plane);
    assert_eq!(
        buffers.plane.len(),
        (frame.width() * frame.height()) as usize
    );
    let light = scene_light(frame);
    assert!((0.0..=1.0).contains(&light.mean) && (0.0..=1.0).contains(&light.bright_share));
}
