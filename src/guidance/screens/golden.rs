//! Golden pictures: every screen, in every language, on every panel, against `tests/golden/screens/<panel>/<lang>/<screen>.png`.
//!
//! A mismatch writes `<screen>.unmatched.png` beside the golden one, to be looked at. `BOOTHD_UPDATE_GOLDEN=1` writes the golden
//! pictures and one contact sheet per panel and language anew.

use super::*;
use crate::base::ids::{Language, ReferenceNumber};
use crate::guidance::model::NetworkSign;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, GenericImage, ImageEncoder, RgbImage};
use std::path::{Path, PathBuf};

/// What a screen typically shows besides its texts, so that the pictures show that too.
fn typical(screen: Screen, language: Language) -> UiModel {
    let mut model = UiModel::bare(screen, language);
    match screen {
        Screen::Document(_) => (model.progress, model.seconds_left) = (Some((1, 3)), Some(18)),
        Screen::Face(_) => (model.progress, model.seconds_left) = (Some((2, 3)), Some(9)),
        Screen::Retry(_) => (model.progress, model.attempts_left) = (Some((2, 3)), Some(2)),
        Screen::Consent => model.progress = None,
        Screen::Working => model.progress = Some((3, 3)),
        Screen::Result(ResultSign::PracticeDone) => model.practice = true,
        Screen::Result(ResultSign::TryLater) => model.again_in_s = Some(27),
        Screen::Result(_) | Screen::HandOver => {
            model.reference = Some(ReferenceNumber("Q69G-5FAV".to_owned()));
        }
        _ => {}
    }
    model
}

/// Name of the picture and its model: every screen, and some with what is rare.
fn pictures(language: Language) -> Vec<(String, UiModel)> {
    let mut all: Vec<(String, UiModel)> = Screen::ALL
        .into_iter()
        .map(|s| (s.name().to_owned(), typical(s, language)))
        .collect();
    for screen in [
        Screen::ShowTicket(crate::guidance::model::TicketHint::Show),
        Screen::Consent,
        Screen::Face(FacePrompt::Look),
        Screen::Retry(crate::guidance::model::RetrySign::DocumentUnclear),
    ] {
        let practice = UiModel {
            practice: true,
            ..typical(screen, language)
        };
        all.push((format!("{}.practice", screen.name()), practice));
    }
    for screen in [
        Screen::Document(DocumentPrompt::Still),
        Screen::Face(FacePrompt::Look),
    ] {
        let more_time = UiModel {
            more_time: true,
            ..typical(screen, language)
        };
        all.push((format!("{}.more_time", screen.name()), more_time));
    }
    // After an attempt was used up: how many are left, or when the next one is taken.
    for (name, attempts_left, again_in_s) in [("left", Some(4), None), ("again", None, Some(30))] {
        let used = UiModel {
            attempts_left,
            again_in_s,
            ..typical(Screen::Result(ResultSign::SeeStaff), language)
        };
        all.push((format!("result.see_staff.{name}"), used));
    }
    for screen in [Screen::Idle, Screen::Document(DocumentPrompt::Still)] {
        let limited = UiModel {
            network: NetworkSign::Limited,
            ..typical(screen, language)
        };
        all.push((format!("{}.limited", screen.name()), limited));
    }
    for screen in [Screen::Idle, Screen::OutOfService] {
        let faulty = UiModel {
            faults: 2,
            network: if screen == Screen::Idle {
                NetworkSign::Limited
            } else {
                NetworkSign::Ready
            },
            ..typical(screen, language)
        };
        all.push((format!("{}.faults", screen.name()), faulty));
    }
    all
}

fn to_rgb(image: &PanelImage) -> RgbImage {
    let (w, h) = image.kind.size();
    let wide = |v: u16, bits: u16| {
        let max = (1 << bits) - 1;
        ((u32::from(v & max) * 255 + u32::from(max) / 2) / u32::from(max)) as u8
    };
    RgbImage::from_fn(w, h, |x, y| {
        let p = image.pixels[(y * w + x) as usize];
        image::Rgb([wide(p >> 11, 5), wide(p >> 5, 6), wide(p, 5)])
    })
}

fn write_png(path: &Path, image: &RgbImage) {
    std::fs::create_dir_all(path.parent().expect("a file has a folder"))
        .expect("the folder is made");
    let mut bytes = Vec::new();
    let grey: Vec<u8> = image.pixels().map(|p| p.0[0]).collect();
    let is_grey = image.pixels().all(|p| p.0[0] == p.0[1] && p.0[1] == p.0[2]);
    let (data, colour) = if is_grey {
        (grey.as_slice(), ExtendedColorType::L8)
    } else {
        (image.as_raw().as_slice(), ExtendedColorType::Rgb8)
    };
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::NoFilter)
        .write_image(data, image.width(), image.height(), colour)
        .expect("a PNG is encoded");
    std::fs::write(path, bytes).expect("a PNG is written");
}

/// All pictures of one panel and language on one sheet.
fn contact_sheet(images: &[RgbImage], columns: u32) -> RgbImage {
    let (w, h) = images.first().map_or((1, 1), RgbImage::dimensions);
    let rows = (images.len() as u32).div_ceil(columns);
    let gap = 6;
    let grey = image::Rgb([120, 120, 120]);
    let mut sheet = RgbImage::from_pixel(columns * (w + gap) + gap, rows * (h + gap) + gap, grey);
    for (i, image) in (0..).zip(images) {
        let (x, y) = (gap + i % columns * (w + gap), gap + i / columns * (h + gap));
        sheet
            .copy_from(image, x, y)
            .expect("the sheet has room for every picture");
    }
    sheet
}

#[test]
fn the_screens_look_as_they_were_approved() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/screens");
    let update = std::env::var_os("BOOTHD_UPDATE_GOLDEN").is_some_and(|v| v == "1");
    let mut unmatched: Vec<PathBuf> = Vec::new();
    for (kind, panel, columns) in [
        (PanelKind::St7789, "st7789-320x240", 5),
        (PanelKind::Ssd1306, "ssd1306-128x64", 5),
    ] {
        for language in Language::ALL {
            let folder = root.join(panel).join(language.tag());
            let mut sheet = Vec::new();
            for (name, model) in pictures(language) {
                let mut image = PanelImage {
                    kind,
                    screen: "",
                    pixels: Vec::new(),
                };
                draw(&model, kind, &mut image);
                let found = to_rgb(&image);
                let golden = folder.join(format!("{name}.png"));
                let beside = folder.join(format!("{name}.unmatched.png"));
                if update {
                    write_png(&golden, &found);
                    sheet.push(found);
                } else if image::open(&golden).is_ok_and(|g| g.to_rgb8() == found) {
                    // A mismatch of an earlier run is mended: its picture would mislead.
                    let _ = std::fs::remove_file(beside);
                } else {
                    write_png(&beside, &found);
                    unmatched.push(beside);
                }
            }
            if update {
                let file = root.join(format!("{panel}.{}.sheet.png", language.tag()));
                write_png(&file, &contact_sheet(&sheet, columns));
            }
        }
    }
    assert!(
        unmatched.is_empty(),
        "these pictures differ from the golden ones beside them; if they are right, run again with BOOTHD_UPDATE_GOLDEN=1: {unmatched:#?}"
    );
}
