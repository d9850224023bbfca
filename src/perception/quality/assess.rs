//! The components that detector, landmarks and photometry can give, with the maps of OFIQ 1.0.3 to 0..=100.
//!
//! General map: `Q(x) = h (a + s sig(x))`, `sig(x) = 1 / (1 + exp((x0 - x) / w))`, rounded and clamped. `T` is the distance from
//! the middle of the eyes to the chin. Where this module does otherwise than OFIQ it says so at the component:
//! `Sharpness` (a Laplacian instead of a random forest), the face region (the oval of the landmarks instead of a segmentation)
//! and luminance (gamma-coded BT.601 luma of the camera, 0..=1).

use super::{Assessment, QualityComponent as Q, QualityReport};
use crate::base::frame::{FrameView, PixelFormat};
use crate::base::geometry::{Point, Rect};
use crate::perception::face::landmarks::{Mesh, SIDE};
use crate::perception::observation::{FaceLight, HeadPose};
use crate::perception::sampling::luminance;

const TILE: usize = SIDE as usize;
/// What lies between the edge of the tile and the detector's box.
const MARGIN: usize = TILE / 6;
/// Side of what sharpness looks at: the detector's box with a pixel around it.
const SHARP: usize = TILE - 2 * MARGIN + 2;

/// Outline of the face in MediaPipe's mesh, clockwise from the forehead.
const OVAL: [usize; 36] = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
];
/// Middles of the cheeks: below the eyes, beside the nose.
const CHEEKS: [usize; 2] = [50, 280];

/// Sigmoid with middle `x0` and width `w`.
fn sig(x: f64, x0: f64, w: f64) -> f64 {
    1.0 / (1.0 + ((x0 - x) / w).exp())
}

/// A value with its place on 0..=100; [`Assessment::FailureToAssess`] if it is no number.
fn value(raw: f64, quality: f64) -> Assessment {
    if raw.is_finite() && quality.is_finite() {
        Assessment::Value {
            raw,
            scalar: quality.round().clamp(0.0, 100.0) as u8,
        }
    } else {
        Assessment::FailureToAssess
    }
}

/// Measures all components. `second_face` is the area of the second largest face as a share of the largest.
pub fn assess(
    mesh: &Mesh,
    pose: HeadPose,
    frame: &FrameView<'_>,
    bounds: Rect,
    second_face: f32,
) -> (QualityReport, FaceLight) {
    let mut report = QualityReport::default();
    for (component, degrees) in [
        (Q::HeadPoseYaw, pose.yaw),
        (Q::HeadPosePitch, pose.pitch),
        (Q::HeadPoseRoll, pose.roll),
    ] {
        let cos = f64::from(degrees).to_radians().cos().max(0.0);
        report.set(component, value(f64::from(degrees), 100.0 * cos * cos));
    }
    report.set(
        Q::SingleFacePresent,
        value(
            f64::from(second_face),
            100.0 * (1.0 - f64::from(second_face)),
        ),
    );
    geometry(
        &mut report,
        mesh,
        pose,
        (f64::from(frame.width()), f64::from(frame.height())),
    );
    let light = photometry(&mut report, mesh, frame, bounds);
    (report, light)
}

fn geometry(report: &mut QualityReport, mesh: &Mesh, pose: HeadPose, (width, height): (f64, f64)) {
    let at = |i: usize| mesh.points[i].point();
    let [right, left, ..] = mesh.five_points();
    let eyes = right.midpoint(left);
    let t = f64::from(eyes.distance(at(152)));
    let inter_eye = f64::from(right.distance(left));
    if t < 1.0 || inter_eye < 1.0 {
        return;
    }
    let corrected = inter_eye / f64::from(pose.yaw).to_radians().cos().max(0.1);
    report.set(
        Q::InterEyeDistance,
        value(corrected, 100.0 * sig(corrected, 70.0, 20.0)),
    );
    let head = (t / height - 0.45).abs();
    report.set(
        Q::HeadSize,
        value(head, 200.0 * (1.0 - sig(head, 0.0, 0.05))),
    );
    let (first, last) = (
        f64::from(right.x.min(left.x)),
        f64::from(right.x.max(left.x)),
    );
    for (component, room) in [
        (Q::LeftwardCropOfTheFaceImage, first / inter_eye),
        (Q::RightwardCropOfTheFaceImage, (width - last) / inter_eye),
    ] {
        report.set(component, value(room, 100.0 * sig(room, 0.9, 0.1)));
    }
    let (above, below) = (f64::from(eyes.y) / t, (height - f64::from(eyes.y)) / t);
    report.set(
        Q::MarginAboveOfTheFaceImage,
        value(above, 100.0 * sig(above, 1.4, 0.1)),
    );
    report.set(
        Q::MarginBelowOfTheFaceImage,
        value(below, 100.0 * sig(below, 1.8, 0.1)),
    );
    let opening = |upper: usize, lower: usize| f64::from(at(upper).distance(at(lower))) / t;
    let lids = opening(159, 145).min(opening(386, 374));
    report.set(Q::EyesOpen, value(lids, 100.0 * sig(lids, 0.02, 0.01)));
    let lips = opening(13, 14);
    report.set(
        Q::MouthClosed,
        value(lips, 100.0 * (1.0 - sig(lips, 0.2, 0.06))),
    );
}

fn photometry(
    report: &mut QualityReport,
    mesh: &Mesh,
    frame: &FrameView<'_>,
    bounds: Rect,
) -> FaceLight {
    let mut light = FaceLight {
        background: background(frame, bounds),
        ..FaceLight::default()
    };
    let outline = OVAL.map(|i| mesh.on_tile[i]);
    let middle = mesh.on_tile[1].x;
    let mut histogram = [0u32; 256];
    let mut halves = [(0u64, 0u32); 2];
    for y in (0..TILE).step_by(2) {
        let Some((from, to)) = span(&outline, y as f32 + 0.5) else {
            continue;
        };
        for x in (from..to).step_by(2) {
            let v = mesh.tile.luma[y * TILE + x];
            histogram[usize::from(v)] += 1;
            let half = &mut halves[usize::from(x as f32 >= middle)];
            *half = (half.0 + u64::from(v), half.1 + 1);
        }
    }
    let n = f64::from(histogram.iter().sum::<u32>());
    if n < 200.0 {
        return light;
    }
    let mean_of = |(sum, n): (u64, u32)| {
        if n == 0 {
            0.0
        } else {
            sum as f32 / n as f32 / 255.0
        }
    };
    // On the tile the face is upright, so its left half is the frame's unless the head lies on its side.
    (light.left, light.right) = (mean_of(halves[0]), mean_of(halves[1]));
    let moment = |f: &dyn Fn(f64) -> f64| {
        histogram
            .iter()
            .enumerate()
            .map(|(v, c)| f(v as f64 / 255.0) * f64::from(*c))
            .sum::<f64>()
            / n
    };
    let mean = moment(&|v| v);
    light.mean = mean as f32;
    report.set(
        Q::LuminanceMean,
        value(
            mean,
            100.0 * sig(mean, 0.2, 0.05) * (1.0 - sig(mean, 0.8, 0.05)),
        ),
    );
    let variance = moment(&|v| (v - mean) * (v - mean));
    let angle = std::f64::consts::PI * 60.0 * variance / (60.0 * variance + 1.0);
    report.set(Q::LuminanceVariance, value(variance, 100.0 * angle.sin()));
    let share = |range: std::ops::RangeInclusive<usize>| {
        f64::from(histogram[range].iter().sum::<u32>()) / n
    };
    let (dark, bright) = (share(0..=25), share(247..=255));
    report.set(
        Q::UnderExposurePrevention,
        value(dark, 120.0 * (0.832 - sig(dark, 0.92, 0.05))),
    );
    report.set(
        Q::OverExposurePrevention,
        value(bright, (1.0 / (bright + 0.01)).round()),
    );
    let entropy: f64 = histogram
        .iter()
        .filter(|c| **c > 0)
        .map(|c| f64::from(*c) / n)
        .map(|p| -p * p.log2())
        .sum();
    report.set(Q::DynamicRange, value(entropy, 12.5 * entropy));
    cheeks(report, mesh);
    sharpness(report, &mesh.tile.luma);
    light
}

/// The part of row `y` inside a closed outline, as pixel columns; `None` if the row misses it. For the face's oval, which is
/// nearly convex, the outermost crossings are taken.
fn span(outline: &[Point], y: f32) -> Option<(usize, usize)> {
    let (mut from, mut to) = (f32::MAX, f32::MIN);
    for (i, a) in outline.iter().enumerate() {
        let b = outline[(i + 1) % outline.len()];
        if (a.y <= y) != (b.y <= y) {
            let x = a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x);
            (from, to) = (from.min(x), to.max(x));
        }
    }
    // `to` stays below `from` when nothing was crossed; no value is NaN, as the outline is not.
    if from >= to {
        return None;
    }
    let clamp = |x: f32| x.clamp(0.0, TILE as f32) as usize;
    Some((clamp(from), clamp(to)))
}

/// Both cheeks: histogram overlap (64 bins, as the squares are small) and colour.
fn cheeks(report: &mut QualityReport, mesh: &Mesh) {
    let half = (mesh.on_tile[33].distance(mesh.on_tile[263]) * 0.11).clamp(3.0, 20.0) as i32;
    let mut histograms = [[0u32; 64]; 2];
    let (mut colour, mut n) = ([0u64; 3], 0u32);
    for (histogram, cheek) in histograms.iter_mut().zip(CHEEKS) {
        let (cx, cy) = (mesh.on_tile[cheek].x as i32, mesh.on_tile[cheek].y as i32);
        for y in cy - half..=cy + half {
            for x in cx - half..=cx + half {
                let inside = (0..TILE as i32).contains(&x) && (0..TILE as i32).contains(&y);
                if inside {
                    let at = y as usize * TILE + x as usize;
                    histogram[usize::from(mesh.tile.luma[at] >> 2)] += 1;
                    for (sum, plane) in colour.iter_mut().zip(&mesh.tile.rgb) {
                        *sum += u64::from(plane[at]);
                    }
                    n += 1;
                }
            }
        }
    }
    let totals = histograms.map(|h| f64::from(h.iter().sum::<u32>()));
    if totals[0] < 9.0 || totals[1] < 9.0 {
        return;
    }
    let pairs = histograms[0].iter().zip(&histograms[1]);
    let overlap: f64 = pairs
        .map(|(a, b)| (f64::from(*a) / totals[0]).min(f64::from(*b) / totals[1]))
        .sum();
    report.set(
        Q::IlluminationUniformity,
        value(overlap, 100.0 * overlap.powf(0.3)),
    );
    let [_, a, b] = lab(colour.map(|c| c as f64 / f64::from(n) / 255.0));
    let outside = |v: f64, low: f64, high: f64| (low - v).max(v - high).max(0.0);
    let distance = outside(a, 5.0, 25.0).hypot(outside(b, 5.0, 35.0));
    report.set(
        Q::NaturalColour,
        value(distance, 200.0 * (1.0 - sig(distance, 0.0, 10.0))),
    );
}

/// sRGB 0..=1 to CIELAB (D65), IEC 61966-2-1 and CIE 15.
fn lab(rgb: [f64; 3]) -> [f64; 3] {
    let [r, g, b] = rgb.map(|c| {
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    });
    let xyz = [
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.950_47,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.088_83,
    ];
    let [x, y, z] = xyz.map(|t| {
        if t > 216.0 / 24_389.0 {
            t.cbrt()
        } else {
            (24_389.0 / 27.0 * t + 16.0) / 116.0
        }
    });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// Variance of the Laplacian on the detector's box at 128 pixels, which is the middle of the tile. Of sharp faces 95 % lie above
/// 33, of faces blurred with sigma 2 pixels 95 % below 12 (measured on the project's evaluation pictures), hence the map.
fn sharpness(report: &mut QualityReport, luma: &[u8]) {
    // The last column is left out, as it was when the map was measured.
    const N_COLUMNS: usize = SHARP - 3;
    let (mut sum, mut squares) = (0i64, 0i64);
    for y in 1..SHARP - 1 {
        let at = |y: usize, x: usize| (MARGIN - 1 + y) * TILE + MARGIN - 1 + x;
        let row = |y: usize, x: usize| luma[at(y, x)..].iter().map(|v| i32::from(*v));
        // Up to four times 255, of squares some hundred in a row: 32 bits hold that.
        let (mut row_sum, mut row_squares) = (0i32, 0i32);
        let around = row(y - 1, 1)
            .zip(row(y + 1, 1))
            .zip(row(y, 0))
            .zip(row(y, 2));
        for ((((above, below), left), right), here) in around.zip(row(y, 1)).take(N_COLUMNS) {
            let laplacian = above + below + left + right - 4 * here;
            row_sum += laplacian;
            row_squares += laplacian * laplacian;
        }
        sum += i64::from(row_sum);
        squares += i64::from(row_squares);
    }
    let n = ((SHARP - 2) * N_COLUMNS) as f64;
    let mean = sum as f64 / n;
    let variance = squares as f64 / n - mean * mean;
    report.set(
        Q::Sharpness,
        value(variance, 100.0 * sig(variance, 22.0, 6.0)),
    );
}

/// Columns of the grid that the background is measured on, at most.
const N_BACKGROUND_COLUMNS: usize = 32;

/// Mean luminance of the frame outside a box, on a coarse grid, 0..=1.
fn background(frame: &FrameView<'_>, bounds: Rect) -> f32 {
    let (mut sum, mut n) = (0u64, 0u64);
    // Each point of a large frame is a visit to the main memory: some hundreds are enough for a mean.
    let step = (frame.width() as usize / N_BACKGROUND_COLUMNS).max(24);
    for y in (8..frame.height()).step_by(step) {
        let row = frame.row(y);
        for x in (8..frame.width() as usize).step_by(step) {
            let (fx, fy) = (x as f32 - bounds.x, y as f32 - bounds.y);
            if (0.0..bounds.w).contains(&fx) && (-0.3 * bounds.h..bounds.h * 1.6).contains(&fy) {
                continue;
            }
            sum += u64::from(match frame.format() {
                PixelFormat::Yuyv => row[x * 2],
                PixelFormat::Grey8 => row[x],
                PixelFormat::Rgb8 => luminance([row[x * 3], row[x * 3 + 1], row[x * 3 + 2]]),
            });
            n += 1;
        }
    }
    if n == 0 {
        0.0
    } else {
        sum as f32 / n as f32 / 255.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of the table in OFIQ's documentation, worked out by hand from the formulas.
    #[test]
    fn the_map_gives_the_known_values() {
        let check = |found: f64, expected: f64| {
            assert!((found.round() - expected).abs() < 0.5, "{found} {expected}")
        };
        check(100.0 * sig(70.0, 70.0, 20.0), 50.0);
        check(100.0 * sig(90.0, 70.0, 20.0), 73.0);
        check(100.0 * sig(120.0, 70.0, 20.0), 92.0);
        check(200.0 * (1.0 - sig(0.0, 0.0, 0.05)), 100.0);
        check(120.0 * (0.832 - sig(0.0, 0.92, 0.05)), 100.0);
        assert_eq!(value(f64::NAN, 50.0), Assessment::FailureToAssess);
        assert_eq!(value(1.0, 250.0).scalar(), Some(100));
    }

    #[test]
    fn cielab_of_known_colours() {
        let check = |rgb: [f64; 3], expected: [f64; 3]| {
            let found = lab(rgb);
            assert!(
                found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 0.2),
                "{found:?} {expected:?}"
            );
        };
        check([1.0, 1.0, 1.0], [100.0, 0.0, 0.0]);
        check([1.0, 0.0, 0.0], [53.24, 80.09, 67.2]);
        check([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_row_is_cut_at_the_outline() {
        let square = [
            Point::new(10.0, 10.0),
            Point::new(30.0, 10.0),
            Point::new(30.0, 20.0),
            Point::new(10.0, 20.0),
        ];
        assert_eq!(span(&square, 15.0), Some((10, 30)));
        assert_eq!(span(&square, 25.0), None);
    }
}
