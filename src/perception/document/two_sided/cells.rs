//! Pages in coarse cells: means and wide blurs.

use crate::base::frame::FrameView;
use crate::perception::document::luminance;

/// Mean luminance, 0..=255, of each cell of `cell` x `cell` pixels of an RGB page; the last ones may be smaller. Gives columns and rows.
pub(super) fn means(page: &FrameView<'_>, cell: usize, out: &mut Vec<f32>) -> (usize, usize) {
    let (width, height) = (page.width() as usize, page.height() as usize);
    let (columns, rows) = (width.div_ceil(cell), height.div_ceil(cell));
    out.resize(columns * rows, 0.0);
    for (j, line) in out.chunks_exact_mut(columns).enumerate() {
        line.fill(0.0);
        let ys = j * cell..((j + 1) * cell).min(height);
        let n_rows = ys.len();
        for y in ys {
            let pixels = page.row(y as u32).chunks(3 * cell);
            for (sum, pixels) in line.iter_mut().zip(pixels) {
                for p in pixels.chunks_exact(3) {
                    *sum += f32::from(luminance::of_rgb(p[0], p[1], p[2]));
                }
            }
        }
        for (i, sum) in line.iter_mut().enumerate() {
            *sum /= (n_rows * cell.min(width - i * cell)) as f32;
        }
    }
    (columns, rows)
}

/// The mean over `2 radius + 1` cells in each direction, fewer at the borders. `scratch` has the plane's size.
pub(super) fn blur(plane: &mut [f32], scratch: &mut [f32], width: usize, radius: usize) {
    if width == 0 || plane.is_empty() {
        return;
    }
    let height = plane.len() / width;
    for (from, to) in plane
        .chunks_exact(width)
        .zip(scratch.chunks_exact_mut(width))
    {
        running_mean(width, radius, |i| from[i], |i, v| to[i] = v);
    }
    for x in 0..width {
        let column = |y: usize| scratch[y * width + x];
        running_mean(height, radius, column, |y, v| plane[y * width + x] = v);
    }
}

fn running_mean(
    n: usize,
    radius: usize,
    from: impl Fn(usize) -> f32,
    mut to: impl FnMut(usize, f32),
) {
    // Double precision: what has gone in has to come out again.
    let mut sum: f64 = (0..radius.min(n)).map(|i| f64::from(from(i))).sum();
    for i in 0..n {
        if i + radius < n {
            sum += f64::from(from(i + radius));
        }
        let (first, last) = (i.saturating_sub(radius), (i + radius).min(n - 1));
        to(i, (sum / (last + 1 - first) as f64) as f32);
        if i >= radius {
            sum -= f64::from(from(i - radius));
        }
    }
}
