//! The exact place of a line of dark print in a zone of a page: rows and columns where the luminance changes along the line.

use crate::base::geometry::{Point, Quad, Rect};

/// Share of the way from the least to the greatest change at which a row begins to be print.
const ROW_SHARE: f32 = 0.3;
/// Share of the mean change over the print at which a column is print.
const COLUMN_SHARE: f32 = 0.35;
/// A gap of so many heights ends a line.
const WIDEST_GAP: f32 = 1.5;
/// The same where there may be several lines of which one may begin with a thin digit.
const SHORT_ROW_SHARE: f32 = 0.15;
/// Shares of the way from the least to the greatest change at which a row is another line of print, and a column print, for what has to
/// be the only line.
const OTHER_LINE_SHARE: f32 = 0.4;
const END_SHARE: f32 = 0.2;
/// Rows beside a line that still are its own.
const APART: usize = 3;
/// The lowest of several lines is at least so many times as high as the highest.
const LEAST_LIKE_HEIGHT: f32 = 0.6;

/// The print in `zone` of the page `plane` with `width` pixels a row; `None` if there is none. `profile` is scratch space.
pub(super) fn print_in(
    plane: &[u8],
    width: usize,
    zone: Rect,
    profile: &mut Vec<f32>,
) -> Option<Rect> {
    let area = Area::of(plane, width, zone)?;
    area.rows(profile);
    let (first, last) = around_peak(profile, ROW_SHARE)?;
    let (top, bottom) = (area.y.0 + first, area.y.0 + last + 1);
    let height = (bottom - top) as f32;

    Area {
        y: (top, bottom),
        ..area
    }
    .columns(profile);
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
        (area.x.0 + left) as f32,
        top as f32,
        (right - left + 1) as f32,
        height,
    ))
}

/// The only line of print in `zone`; `None` unless there is one line that lies within the zone on all sides and nothing beside it: then
/// where it ends is certain. As [`print_in`].
pub(super) fn line_in(
    plane: &[u8],
    width: usize,
    zone: Rect,
    profile: &mut Vec<f32>,
) -> Option<Rect> {
    let area = Area::of(plane, width, zone)?;
    area.rows(profile);
    let (first, last) = around_peak(profile, ROW_SHARE)?;
    if first == 0 || last + 1 == profile.len() {
        return None;
    }
    // Another line in the zone.
    let limit = share_of_range(profile, OTHER_LINE_SHARE);
    let apart = |i: usize| i + APART < first || i > last + APART;
    if (0..profile.len()).any(|i| apart(i) && profile[i] > limit) {
        return None;
    }
    let (top, bottom) = (area.y.0 + first, area.y.0 + last + 1);
    let height = (bottom - top) as f32;
    Area {
        y: (top, bottom),
        ..area
    }
    .columns(profile);
    smooth(profile, (height as usize / 3).max(3));
    let limit = share_of_range(profile, END_SHARE);
    let printed = |i: &usize| profile[*i] > limit;
    let left = (0..profile.len()).find(printed)?;
    let right = (0..profile.len()).rev().find(printed)?;
    let mut gap = 0;
    for i in left..right {
        gap = if printed(&i) { 0 } else { gap + 1 };
        if gap as f32 > WIDEST_GAP * height {
            return None;
        }
    }
    let inside = left > 0 && right + 1 < profile.len();
    inside.then(|| {
        Rect::new(
            (area.x.0 + left) as f32,
            top as f32,
            (right - left + 1) as f32,
            height,
        )
    })
}

/// The lines of print in `zone`, one below the other, from the top down, each of which begins within `head` pixels from the left end of
/// the zone, as the last one may have one character only; nothing unless all of them are as [`line_in`] wants them, and
/// about equally high.
pub(super) fn lines_in(
    plane: &[u8],
    width: usize,
    zone: Rect,
    head: f32,
    profile: &mut Vec<f32>,
    lines: &mut Vec<Rect>,
) {
    lines.clear();
    let heads = Rect { w: head, ..zone };
    let Some(area) = Area::of(plane, width, heads) else {
        return;
    };
    area.rows(profile);
    smooth(profile, 3);
    let limit = share_of_range(profile, SHORT_ROW_SHARE);
    let mut bands: Vec<(usize, usize)> = Vec::new();
    for i in (0..profile.len()).filter(|i| profile[*i] > limit) {
        match bands.last_mut() {
            Some((_, end)) if i <= *end + 1 => *end = i,
            _ => bands.push((i, i)),
        }
    }
    for (first, last) in bands {
        let height = (last - first + 1) as f32;
        let around = 0.35 * height;
        let band = Rect::new(
            zone.x,
            (area.y.0 + first) as f32 - around,
            zone.w,
            height + 2.0 * around,
        );
        match line_in(plane, width, band, profile) {
            Some(line) => lines.push(line),
            None => return lines.clear(),
        }
    }
    let highest = lines.iter().map(|l| l.h).fold(0.0, f32::max);
    if lines.iter().any(|l| l.h < LEAST_LIKE_HEIGHT * highest) {
        lines.clear();
    }
}

/// Whole pixels of a plane in which changes along the rows are summed up.
#[derive(Clone, Copy)]
struct Area<'a> {
    plane: &'a [u8],
    width: usize,
    x: (usize, usize),
    y: (usize, usize),
}

impl<'a> Area<'a> {
    /// What of the zone lies on the plane; `None` if that is too little for print.
    fn of(plane: &'a [u8], width: usize, zone: Rect) -> Option<Self> {
        let n_rows = plane.len() / width;
        let clamp = |v: f32, most: usize| (v.max(0.0) as usize).min(most);
        let x = (clamp(zone.x, width - 1), clamp(zone.x + zone.w, width - 1));
        let y = (clamp(zone.y, n_rows), clamp(zone.y + zone.h, n_rows));
        let area = Self { plane, width, x, y };
        (x.1 >= x.0 + 8 && y.1 >= y.0 + 6).then_some(area)
    }

    fn change(&self, x: usize, y: usize) -> f32 {
        let i = y * self.width + x;
        f32::from(self.plane[i].abs_diff(self.plane[i + 1]))
    }

    /// Mean change of every row.
    fn rows(&self, profile: &mut Vec<f32>) {
        let n = (self.x.1 - self.x.0) as f32;
        profile.clear();
        profile.extend(
            (self.y.0..self.y.1)
                .map(|y| (self.x.0..self.x.1).map(|x| self.change(x, y)).sum::<f32>() / n),
        );
    }

    /// Mean change of every column.
    fn columns(&self, profile: &mut Vec<f32>) {
        let n = (self.y.1 - self.y.0) as f32;
        profile.clear();
        profile.extend(
            (self.x.0..self.x.1)
                .map(|x| (self.y.0..self.y.1).map(|y| self.change(x, y)).sum::<f32>() / n),
        );
    }
}

/// The value that lies a share of the way from the least to the greatest.
fn share_of_range(profile: &[f32], share: f32) -> f32 {
    let least = profile.iter().copied().fold(f32::MAX, f32::min);
    let most = profile.iter().copied().fold(f32::MIN, f32::max);
    least + share * (most - least)
}

/// Means over `window` places.
fn smooth(profile: &mut [f32], window: usize) {
    let sharp = profile.to_owned();
    for (i, p) in profile.iter_mut().enumerate() {
        let range = i.saturating_sub(window / 2)..(i + window / 2 + 1).min(sharp.len());
        *p = sharp[range.clone()].iter().sum::<f32>() / range.len() as f32;
    }
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

    fn check_lines(bars: &[(usize, usize, usize, usize)], expected: &[(f32, f32, f32, f32)]) {
        let zone = Rect::new(10.0, 5.0, 180.0, 50.0);
        let mut lines = Vec::new();
        lines_in(&plane(bars), 200, zone, 40.0, &mut Vec::new(), &mut lines);
        assert_eq!(lines.len(), expected.len(), "{lines:?}");
        for (found, (x, y, w, h)) in lines.iter().zip(expected) {
            for (a, b, off) in [
                (found.x, x, 6.0),
                (found.y, y, 1.0),
                (found.w, w, 12.0),
                (found.h, h, 1.0),
            ] {
                assert!((a - b).abs() <= off, "{found:?} {expected:?}");
            }
        }
    }

    #[test]
    fn lines_are_found_only_if_all_of_them_are_certain() {
        check_lines(
            &[(30, 12, 120, 12), (30, 34, 60, 12)],
            &[(30.0, 12.0, 120.0, 12.0), (30.0, 34.0, 60.0, 12.0)],
        );
        check_lines(&[(30, 22, 120, 14)], &[(30.0, 22.0, 120.0, 14.0)]);
        check_lines(
            &[(30, 12, 140, 12), (30, 34, 12, 12)],
            &[(30.0, 12.0, 140.0, 12.0), (30.0, 34.0, 12.0, 12.0)],
        );
        // Nothing; cut off at the right; at the bottom; with a gap; with a specked line.
        check_lines(&[], &[]);
        check_lines(&[(100, 22, 100, 14)], &[]);
        check_lines(&[(30, 12, 120, 12), (30, 46, 60, 14)], &[]);
        check_lines(&[(30, 22, 40, 14), (120, 22, 40, 14)], &[]);
        check_lines(&[(30, 12, 120, 14), (30, 40, 60, 4)], &[]);
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
