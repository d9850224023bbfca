//! Where in the frame a code may be: the part that is full of edges in both directions.

use super::enlarge::Window;

/// Side of a cell in pixels.
const CELL: usize = 16;
/// Mean absolute difference of neighbouring pixels (0..=255), the smaller one of both directions, from which a cell counts as
/// busy. Dim, blurred codes have 8 and more; skin, cloth and walls stay below 4.
const BUSY: u32 = 5;
/// A region of fewer cells cannot hold a code that could be read.
const MIN_CELLS: usize = 20;
/// How many regions are tried in one frame.
const MAX_REGIONS: usize = 2;

/// Finds busy regions; keeps its buffers.
#[derive(Default)]
pub(super) struct RegionFinder {
    busy: Vec<u8>,
    stack: Vec<usize>,
}

impl RegionFinder {
    /// The largest busy regions of a luminance plane, with a margin, the largest first.
    pub(super) fn find(
        &mut self,
        plane: &[u8],
        width: usize,
        height: usize,
    ) -> impl Iterator<Item = Window> + use<> {
        let (columns, rows) = (width / CELL, height / CELL);
        self.busy.clear();
        self.busy.reserve(columns * rows);
        for row in 0..rows {
            for column in 0..columns {
                let busy = is_busy(plane, width, height, column * CELL, row * CELL);
                self.busy.push(u8::from(busy));
            }
        }
        let mut found: [(usize, Window); MAX_REGIONS] = Default::default();
        for start in 0..self.busy.len() {
            if self.busy[start] != 1 {
                continue;
            }
            let (n_cells, window) = self.grow(start, columns, rows);
            // Inserts in order of size; what falls off the end was the smallest.
            let mut new = (n_cells, window);
            for place in &mut found {
                if new.0 > place.0 {
                    std::mem::swap(place, &mut new);
                }
            }
        }
        found
            .into_iter()
            .filter(|(n_cells, _)| *n_cells >= MIN_CELLS)
            .map(move |(_, w)| w.with_margin(CELL, width, height))
    }

    /// Marks the cells that hang together with `start` (sides and corners) and returns their number and box.
    fn grow(&mut self, start: usize, columns: usize, rows: usize) -> (usize, Window) {
        let (mut x0, mut y0, mut x1, mut y1) = (columns, rows, 0, 0);
        let mut n_cells = 0;
        self.stack.clear();
        self.stack.push(start);
        self.busy[start] = 2;
        while let Some(cell) = self.stack.pop() {
            let (x, y) = (cell % columns, cell / columns);
            n_cells += 1;
            (x0, y0, x1, y1) = (x0.min(x), y0.min(y), x1.max(x), y1.max(y));
            for ny in y.saturating_sub(1)..(y + 2).min(rows) {
                for nx in x.saturating_sub(1)..(x + 2).min(columns) {
                    let next = ny * columns + nx;
                    if self.busy[next] == 1 {
                        self.busy[next] = 2;
                        self.stack.push(next);
                    }
                }
            }
        }
        let window = Window {
            x: x0 * CELL,
            y: y0 * CELL,
            width: (x1 + 1 - x0) * CELL,
            height: (y1 + 1 - y0) * CELL,
        };
        (n_cells, window)
    }
}

fn is_busy(plane: &[u8], width: usize, height: usize, x0: usize, y0: usize) -> bool {
    let (mut dx, mut dy) = (0u32, 0u32);
    let x1 = (x0 + CELL).min(width - 1);
    for y in y0..(y0 + CELL).min(height - 1) {
        let row = &plane[y * width + x0..=y * width + x1];
        let below = &plane[(y + 1) * width + x0..];
        for (pair, b) in row.windows(2).zip(below) {
            dx += u32::from(pair[0].abs_diff(pair[1]));
            dy += u32::from(pair[0].abs_diff(*b));
        }
    }
    dx.min(dy) >= BUSY * (CELL * CELL) as u32
}
