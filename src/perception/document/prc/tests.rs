//! Through the whole room and the models of the source tree: drawn cards of `tests/data/documents`.

use super::{PrcChecks, PrcSide};
use crate::base::frame::{Frame, FrameView, PixelFormat};
use crate::perception::document::field::FieldCheck::Verified;
use crate::perception::document::limits::DocumentLimits;
use crate::perception::document::pipeline::DocumentPipeline;
use crate::perception::document::portrait::{FoundPortrait, PortraitFinder};
use crate::perception::observation::{DocumentContent, LitFrom};

/// Portraits are not what is tested here.
struct NoPortraits;

impl PortraitFinder for NoPortraits {
    type Template = ();

    fn find(&mut self, _: FrameView<'_>, _: f32) -> Option<FoundPortrait<()>> {
        None
    }
}

/// A picture of the tests, as the camera gives it.
pub(in crate::perception::document) fn picture(name: &str, upside_down: bool) -> Frame {
    let path = format!("{}/tests/data/documents/{name}", env!("CARGO_MANIFEST_DIR"));
    let picture = image::open(path).expect("in the source tree").to_luma8();
    let mut frame = Frame::new(picture.width(), picture.height(), PixelFormat::Grey8);
    frame.data_mut().copy_from_slice(picture.as_raw());
    if upside_down {
        frame.data_mut().reverse();
    }
    frame
}

fn read(pipeline: &mut DocumentPipeline<()>, name: &str, upside_down: bool) -> PrcSide {
    pipeline.forget();
    let frame = picture(name, upside_down);
    let seen = pipeline
        .observe(frame.view(), LitFrom::Both, &mut NoPortraits)
        .expect("the nets run");
    assert_eq!(seen.problem, None, "{name} {upside_down}");
    let corners = seen.corners.expect("found");
    assert_eq!(corners.0[0].x > corners.0[1].x, upside_down, "{corners:?}");
    match seen.reading.expect("read").content {
        DocumentContent::Prc(side) => side,
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_sides_of_a_drawn_card_are_read_up_and_down() {
    let catalogue = crate::models::catalogue_for_tests();
    let mut pipeline =
        DocumentPipeline::new(&catalogue, DocumentLimits::default()).expect("the models load");
    for upside_down in [false, true] {
        let PrcSide::Front(front) = read(&mut pipeline, "prc-front.jpg", upside_down) else {
            panic!("the front is a front");
        };
        for (found, expected) in [
            (&front.name, "邵岚宇"),
            (&front.sex, "男"),
            (&front.ethnicity, "白"),
            (&front.birth_date, "19630123"),
            (
                &front.address,
                "山西省太原市小店区样本胡同354号5号楼2单元1581室",
            ),
            (&front.number, "140105196301230658"),
        ] {
            assert_eq!(found.reveal(), expected);
        }
        let all = PrcChecks {
            check_character: Verified,
            region: Verified,
            birth_date: Verified,
            sex: Verified,
        };
        assert_eq!((front.checks, front.repaired), (all, 0));
        assert!(
            front.name_confidence > 0.8 && front.confidence > 0.8,
            "{front:?}"
        );

        let PrcSide::Back(back) = read(&mut pipeline, "prc-back.jpg", upside_down) else {
            panic!("the back is a back");
        };
        for (found, expected) in [
            (&back.issuer, "样本市公安局小店分局"),
            (&back.valid_from, "20221026"),
            (&back.valid_until, "长期"),
        ] {
            assert_eq!(found.reveal(), expected);
        }
    }
}
