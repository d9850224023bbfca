//! Which face on a page is the portrait, with the shipped nets. What looks like a face in guilloches, or in print that light has
//! drowned, may be larger than the true one.

use crate::furnished::{root, runtime};
use boothd::base::frame::{Frame, PixelFormat};
use boothd::base::geometry::Point;
use boothd::models::Catalogue;
use boothd::perception::face::pipeline::FacePipeline;
use image::{RgbImage, imageops};

/// The drawn pages are 1250 pixels wide, and 125 mm.
const PX_PER_MM: f32 = 10.0;

fn picture(name: &str) -> RgbImage {
    let path = root().join("board/scenes/assets").join(name);
    image::open(&path).expect("a picture").into_rgb8()
}

/// A page as an exposure of so many times the right one takes it.
fn exposed(page: &RgbImage, exposure: f32) -> Frame {
    let mut frame = Frame::new(page.width(), page.height(), PixelFormat::Rgb8);
    for (to, from) in frame.data_mut().iter_mut().zip(page.as_raw()) {
        *to = (f32::from(*from) * exposure).min(255.0) as u8;
    }
    frame
}

#[test]
fn the_portrait_is_a_face_of_a_portraits_size() {
    let catalogue = Catalogue::open(&root().join("models"), &runtime(), 1).expect("the models");
    let mut faces = FacePipeline::new(&catalogue).expect("the face nets");
    // Tip of the nose on the drawn portraits.
    for (name, nose) in [
        ("passport-collins.jpg", Point::new(229.0, 394.0)),
        ("passport-hopper.jpg", Point::new(238.0, 393.0)),
    ] {
        let page = picture(name);
        let mut with_large_face = page.clone();
        let large = imageops::thumbnail(&picture("person-hopper.png"), 880, 880);
        imageops::overlay(&mut with_large_face, &large, 450, 0);
        for (page, exposure, is_large_there) in [
            (&page, 1.0, false),
            (&page, 0.5, false),
            (&page, 1.5, false),
            (&with_large_face, 1.0, true),
            (&with_large_face, 0.6, true),
        ] {
            let page = exposed(page, exposure);
            let largest = faces.analyse(&page.view()).expect("a run").primary;
            let largest = largest.expect("a face");
            assert_eq!(largest.inter_eye_px > 140.0, is_large_there, "{name}");
            let found = faces.portrait(&page.view(), PX_PER_MM).expect("a run");
            let found = found.unwrap_or_else(|| panic!("{name} x {exposure}: no portrait"));
            let off = found.five_points[2].distance(nose);
            assert!(off < 20.0, "{name} x {exposure}: {off} pixels away");
        }
    }
}
