//! No text is cut off, none overlaps another, on any panel, in any language, whatever else the screen has to show.

use super::*;
use crate::base::ids::{Language, ReferenceNumber};
use crate::guidance::model::NetworkSign;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;

const PANELS: [PanelKind; 2] = [PanelKind::St7789, PanelKind::Ssd1306];

fn blank(kind: PanelKind) -> PanelImage {
    PanelImage {
        kind,
        screen: "",
        pixels: Vec::new(),
    }
}

/// What a screen may have to show at once, with the widest values: none, each alone, all but one, all, and on the one-bit panel,
/// which has the least room and draws fast, nearly every combination.
fn crowded(screen: Screen, language: Language, kind: PanelKind) -> Vec<UiModel> {
    (0..256_u16)
        .filter(|bits| match kind {
            // The two that only exclude or lengthen others: neither or both.
            PanelKind::Ssd1306 => matches!(bits >> 6, 0 | 3),
            PanelKind::St7789 => matches!(bits.count_ones(), 0 | 1 | 7 | 8),
        })
        .map(|bits| {
            let has = |bit: u16| bits & (1 << bit) != 0;
            UiModel {
                screen,
                language,
                practice: has(0),
                progress: has(1).then_some((3, 4)),
                seconds_left: has(2).then_some(120),
                attempts_left: has(3).then_some(2),
                again_in_s: has(6).then_some(3_600),
                more_time: has(7),
                reference: has(4).then(|| ReferenceNumber("WWWW-WWWW".to_owned())),
                network: if has(5) {
                    NetworkSign::Limited
                } else {
                    NetworkSign::Ready
                },
                // Shown where nobody is being served: without practice, steps, seconds, attempts, waiting.
                faults: if bits & 0b0100_1111 == 0 { 99 } else { 0 },
            }
        })
        .collect()
}

#[test]
fn no_text_is_cut_off_and_none_overlaps() {
    for kind in PANELS {
        let (w, h) = kind.size();
        let panel = Rectangle::new(Point::zero(), Size::new(w, h));
        let mut image = blank(kind);
        for language in Language::ALL {
            for model in Screen::ALL
                .into_iter()
                .flat_map(|s| crowded(s, language, kind))
            {
                let record = paint(&model, kind, &mut image);
                assert_eq!(
                    record.lost_lines, 0,
                    "{kind:?} has no room for a line of {model:?}"
                );
                assert!(!record.boxes.is_empty(), "{kind:?} {model:?}");
                for (i, a) in record.boxes.iter().enumerate() {
                    assert_eq!(a.intersection(&panel), *a, "cut off on {kind:?}: {model:?}");
                    for b in &record.boxes[i + 1..] {
                        let both = a.intersection(b);
                        assert!(
                            both.is_zero_sized(),
                            "{a:?} overlaps {b:?} on {kind:?}: {model:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_check_finds_what_is_cut_off() {
    let mut pixels = vec![0; 128 * 64];
    let mut canvas = Canvas::new(&mut pixels, 128, 64);
    let text = "this line is wider than the panel";
    font::draw_line(
        &mut canvas,
        text,
        (0, 0),
        font::Anchor::Left,
        font::Scale::Single,
        theme::WHITE,
    );
    let record = canvas.into_record();
    assert!(record.boxes[0].size.width > 128);
}

#[test]
fn every_character_of_the_texts_is_in_the_font() {
    for source in [
        include_str!("../texts/zh-CN.toml"),
        include_str!("../texts/en.toml"),
    ] {
        for c in source.chars().filter(|c| !c.is_control()) {
            assert!(
                unifont::get_glyph(c).is_some(),
                "`{c}` (U+{:04X})",
                c as u32
            );
        }
    }
}

#[test]
fn a_drawn_image_has_its_panel_s_form_and_the_same_model_draws_the_same_pixels() {
    for kind in PANELS {
        let (w, h) = kind.size();
        // The image held something else before: another panel's picture.
        let mut first = PanelImage {
            kind: PanelKind::St7789,
            screen: "",
            pixels: vec![0x1234; 7],
        };
        let mut second = blank(kind);
        for language in Language::ALL {
            for screen in Screen::ALL {
                let model = UiModel::bare(screen, language);
                draw(&model, kind, &mut first);
                draw(&model, kind, &mut second);
                assert_eq!(first, second);
                assert_eq!(
                    (first.kind, first.screen, first.pixels.len()),
                    (kind, screen.name(), (w * h) as usize)
                );
                if kind == PanelKind::Ssd1306 {
                    assert!(
                        first.pixels.iter().all(|p| [0, 0xffff].contains(p)),
                        "{screen:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn screens_with_other_words_look_different() {
    for kind in PANELS {
        for language in Language::ALL {
            let mut seen: Vec<PanelImage> = Vec::new();
            for screen in Screen::ALL {
                let mut image = blank(kind);
                draw(&UiModel::bare(screen, language), kind, &mut image);
                let same = seen.iter().find(|other| other.pixels == image.pixels);
                assert!(same.is_none(), "{same:?} looks like {image:?}");
                seen.push(image);
            }
        }
    }
}
