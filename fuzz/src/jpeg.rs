//! What the camera's buffers hold: motion JPEG and YUYV rows; and the pictures of a recording, PNG and JPEG.

use super::bytes::Bytes;
use boothd::base::frame::{Frame, PixelFormat};
use boothd::hal::pi::pixels;
use boothd::hal::virt::replay;
use std::cell::RefCell;

/// Larger pictures are left to their own: they are allowed, and would take all the time.
const LARGEST_SIDE: u32 = 64;

thread_local! {
    static FRAME: RefCell<Frame> = RefCell::new(Frame::new(2, 2, PixelFormat::Grey8));
}

/// The first byte chooses: a JPEG picture of the size that was agreed on, one of another size, a picture of a recording, rows.
pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else {
        return;
    };
    FRAME.with_borrow_mut(|frame| match mode % 4 {
        0 => {
            let (width, height) = jpeg_size(rest).unwrap_or((16, 16));
            if width <= LARGEST_SIDE && height <= LARGEST_SIDE {
                mjpeg(rest, width, height, frame);
            }
        }
        1 => mjpeg(rest, 16, 16, frame),
        2 => picture(rest),
        _ => rows(rest, frame),
    });
}

fn mjpeg(bytes: &[u8], width: u32, height: u32, frame: &mut Frame) {
    if pixels::mjpeg(bytes, width, height, frame).is_ok() {
        let n = (width * height) as usize * frame.format().bytes_per_pixel();
        // A frame has at least two pixels a side; the decoder would not have filled another one.
        assert_eq!(frame.data().len(), n);
    }
}

fn picture(bytes: &[u8]) {
    // By the reader that the service asks, too: others find another header in the same bytes now and then.
    let reader = image::ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format();
    let size = reader.ok().and_then(|r| r.into_dimensions().ok());
    if size.is_none_or(|(w, h)| w <= LARGEST_SIDE && h <= LARGEST_SIDE)
        && let Ok(picture) = replay::decode(bytes)
    {
        assert!(picture.width() >= 2 && picture.height() >= 2);
    }
}

fn rows(bytes: &[u8], frame: &mut Frame) {
    let mut input = Bytes::new(bytes);
    let (width, height) = (input.below(18) as u32, input.below(10) as u32);
    let stride = match input.u8() {
        255 => usize::MAX,
        n => usize::from(n),
    };
    if pixels::yuyv(input.rest(), width, height, stride, frame).is_ok() {
        assert_eq!(frame.format(), PixelFormat::Yuyv);
    }
}

/// The size in the first start-of-frame segment of a JPEG stream.
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let side = |at: usize| {
        Some(u32::from(u16::from_be_bytes(
            *bytes.get(at..)?.first_chunk()?,
        )))
    };
    let mut at = 2;
    while let [0xff, kind] = *bytes.get(at..at + 2)? {
        if matches!(kind, 0xc0..=0xc3) {
            return Some((side(at + 7)?, side(at + 5)?));
        }
        at += 2 + side(at + 2)? as usize;
    }
    None
}
