//! The models of the source tree on a drawn card of `tests/data/documents`, whose corners are known.

use super::*;
use crate::base::geometry::{Point, Quad};
use crate::models::catalogue_for_tests;
use crate::perception::document::page::Page;
use crate::perception::document::prc::test_picture;

/// Of a card in millimetres.
fn quad((x0, x1): (f32, f32), (y0, y1): (f32, f32)) -> Quad {
    let at = |x: f32, y: f32| Point::new(x * 640.0 / 85.6, y * 640.0 / 85.6);
    Quad([at(x0, y0), at(x1, y0), at(x1, y1), at(x0, y1)])
}

#[test]
fn lines_of_a_card_are_found_and_read() {
    let frame = test_picture("prc-front.jpg", false);
    let corners = Quad([
        Point::new(506.6, 267.2),
        Point::new(1196.6, 248.6),
        Point::new(1231.7, 683.3),
        Point::new(476.4, 694.2),
    ]);
    let mut page = Page::default();
    assert!(page.take(&frame.view(), &corners, 404));
    let catalogue = catalogue_for_tests();
    let mut finder = TextFinder::load(&catalogue).expect("the model loads");
    let lines = finder.find(page.plane()).expect("the net runs").to_vec();
    // Middles of the rows, in millimetres: name, sex, birth, address, number.
    for y in [7.6, 13.6, 19.2, 25.4, 46.9] {
        let there = |l: &TextLine| (l.quad.centre().y * 85.6 / 640.0 - y).abs() < 1.0;
        assert!(lines.iter().any(there), "no line at {y} mm: {lines:?}");
    }
    let mut reader = TextReader::load(&catalogue).expect("the model loads");
    let digits = reader.alphabet(|c| c.is_ascii_digit());
    let map = *page.map().expect("taken");
    for (x, y, alphabet, expected) in [
        ((13.5, 28.0), (5.3, 9.9), None, "邵岚宇"),
        ((13.5, 45.0), (17.0, 21.4), None, "1963年1月23日"),
        ((13.5, 45.0), (17.0, 21.4), Some(&digits), "1963123"),
        (
            (27.8, 78.5),
            (44.8, 49.0),
            Some(&digits),
            "140105196301230658",
        ),
        // Nothing is printed there.
        ((13.5, 28.0), (38.5, 41.5), Some(&digits), ""),
    ] {
        let line = reader
            .read(&frame.view(), &map, &quad(x, y), alphabet)
            .expect("the net runs");
        assert_eq!(line.text().reveal(), expected);
        assert!(
            expected.is_empty() || line.least_confidence() > 0.5,
            "{line:?}"
        );
        assert!(line.characters.windows(2).all(|w| w[0].at < w[1].at));
    }
    finder.forget();
    reader.forget();
    assert!(reader.probabilities.iter().all(|p| *p == 0.0));
    assert!(finder.map.iter().all(|p| *p == 0.0));
}
