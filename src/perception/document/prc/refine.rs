//! The exact place of a line of dark print in a zone of a page: rows and columns where the luminance changes along the line.

use crate::base::geometry::{Point, Quad, Rect};

/// Share of the way from the least to the greatest change at which a row begins to be print.
const ROW_SHARE: f32 = 0.3;
/// Share of the mean change over the print at which a column is print.
const COLUMN_SHARE: f32 = 0.35;
/// A gap of so many heights ends a line.
const WIDEST_GAP: f32 = 1.5;

/// The print in `zone` of the page `plane` with `width` pixels a row; `None` if there is none. `profile` is scratch space.
pub(super) fn print_in(
    plane: &[u8],
    width: usize,
    zone: Rect,
    profile: &mut Vec<f32>,
) -> Option<Rect> {
    let n_rows = plane.len() / width;
    let clamp = |v: f32, most: usize| (v.max(0.0) as usize).min(most);
    let (x0, x1) = (clamp(zone.x, width - 1), clamp(zone.x + zone.w, width - 1));
    let (y0, y1) = (clamp(zone.y, n_rows), clamp(zone.y + zone.h, n_rows));
    if x1 < x0 + 8 || y1 < y0 + 6 {
        return None;
    }
    let change = |x: usize, y: usize| {
        let i = y * width + x;
        f32::from(plane[i].abs_diff(plane[i + 1]))
    };
    profile.clear();
    profile
        .extend((y0..y1).map(|y| (x0..x1).map(|x| change(x, y)).sum::<f32>() / (x1 - x0) as f32));
    let (first, last) = around_peak(profile, ROW_SHARE)?;
    let (top, bottom) = (y0 + first, y0 + last + 1);
    let height = (bottom - top) as f32;

    profile.clear();
    profile.extend((x0..x1).map(|x| (top..bottom).map(|y| change(x, y)).sum::<f32>() / height));
    let mean = profile.iter().sum::<f32>() / profile.len() as f32;
    let window = (height as usize / 2).max(3);
    let printed = |i: usize| {
        let range = i.saturating_sub(window / 2)..(i + window / 2 + 1).min(profile.len());
        let n = range.len() as f32;
        profile[range].iter().sum::<f32>() / n > COLUMN_SHARE * mean
    };
    let widest = (WIDEST_GAP * height) as usize;
    // The longest stretch of print without a wide gap.
    let (mut best, mut start, mut end) = (None::<(usize, usize)>, 0, None::<usize>);
    for i in (0..profile.len()).filter(|i| printed(*i)) {
        match end {
            Some(e) if i - e <= widest => {}
            _ => start = i,
        }
        end = Some(i);
        if best.is_none_or(|(a, b)| i - start > b - a) {
            best = Some((start, i));
        }
    }
    let (left, right) = best?;
    Some(Rect::new(
        (x0 + left) as f32,
        top as f32,
        (right - left + 1) as f32,
        height,
    ))
}

/// First and last place around the greatest value that lie above a share of the way from the least to it.
fn around_peak(profile: &[f32], share: f32) -> Option<(usize, usize)> {
    let least = profile.iter().copied().fold(f32::MAX, f32::min);
    let (peak, most) = profile
        .iter()
        .enumerate()
        .map(|(i, v)| (i, *v))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    // The grain of the picture alone is no print.
    if most - least < 2.0 {
        return None;
    }
    let limit = least + share * (most - least);
    let mut first = peak;
    while first > 0 && profile[first - 1] > limit {
        first -= 1;
    }
    let mut last = peak;
    while last + 1 < profile.len() && profile[last + 1] > limit {
        last += 1;
    }
    Some((first, last))
}

/// The rectangle with a share of its height around it: at each end, above and below.
pub(super) fn padded(rect: Rect, ends: f32, edges: f32) -> Quad {
    let (dx, dy) = (ends * rect.h, edges * rect.h);
    let (x0, x1, y0, y1) = (
        rect.x - dx,
        rect.x + rect.w + dx,
        rect.y - dy,
        rect.y + rect.h + dy,
    );
    Quad([
        Point::new(x0, y0),
        Point::new(x1, y0),
        Point::new(x1, y1),
        Point::new(x0, y1),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A light plane with bars of print, dark every other column: (left, top, width, height).
    fn plane(bars: &[(usize, usize, usize, usize)]) -> Vec<u8> {
        let mut plane: Vec<u8> = (0..200 * 60).map(|i| 200 + (i * 7 % 5) as u8).collect();
        for (x0, y0, w, h) in bars {
            for y in *y0..y0 + h {
                for x in (*x0..x0 + w).step_by(4) {
                    plane[y * 200 + x] = 40;
                    plane[y * 200 + x + 1] = 40;
                }
            }
        }
        plane
    }

    fn check(bars: &[(usize, usize, usize, usize)], expected: Option<(f32, f32, f32, f32)>) {
        let zone = Rect::new(10.0, 10.0, 180.0, 40.0);
        let found = print_in(&plane(bars), 200, zone, &mut Vec::new());
        let Some((x, y, w, h)) = expected else {
            assert_eq!(found, None);
            return;
        };
        let found = found.expect("print");
        for (a, b, off) in [
            (found.x, x, 4.0),
            (found.y, y, 1.0),
            (found.w, w, 8.0),
            (found.h, h, 1.0),
        ] {
            assert!((a - b).abs() <= off, "{found:?} {expected:?}");
        }
    }

    #[test]
    fn print_is_found_within_its_zone() {
        check(&[(30, 22, 120, 14)], Some((30.0, 22.0, 120.0, 14.0)));
        // A gap within the line; a piece far off; print outside the zone.
        check(
            &[(30, 22, 60, 14), (100, 22, 50, 14)],
            Some((30.0, 22.0, 120.0, 14.0)),
        );
        check(
            &[(12, 22, 10, 14), (70, 22, 90, 14)],
            Some((70.0, 22.0, 90.0, 14.0)),
        );
        check(&[(30, 52, 120, 6)], None);
        check(&[], None);
    }

    #[test]
    fn an_impossible_zone_has_no_print() {
        let plane = plane(&[]);
        for zone in [
            Rect::default(),
            Rect::new(-50.0, -50.0, 20.0, 20.0),
            Rect::new(500.0, 500.0, 20.0, 20.0),
            Rect::new(f32::NAN, 0.0, 20.0, 20.0),
        ] {
            assert_eq!(
                print_in(&plane, 200, zone, &mut Vec::new()),
                None,
                "{zone:?}"
            );
        }
    }
}
