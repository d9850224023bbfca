//! What the camera's buffer holds, into a [`Frame`]: YUYV rows are copied, motion JPEG is decoded.
//!
//! The JPEG decoder keeps its own copy of the compressed picture while it works and does not wipe it; YUYV never leaves
//! buffers of ours. Choose `pixel_format = "yuyv"` wherever the USB link carries the size that is needed.

use crate::base::frame::{Frame, PixelFormat};
use crate::hal::decoding::unbroken;
use image::ImageDecoder as _;
use image::codecs::jpeg::JpegDecoder;
use std::io::Cursor;

/// Why a buffer of the camera is no picture. Says nothing of what is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PixelError {
    /// Fewer bytes than the rows need: the transfer was cut.
    #[error("{found} bytes for {width}x{height} with {stride} bytes a row, {needed} needed")]
    Short {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes from row to row.
        stride: usize,
        /// Bytes needed.
        needed: usize,
        /// Bytes found.
        found: usize,
    },
    /// A size that no frame has.
    #[error("{width}x{height} pixels: a frame has 2 to 8192 on a side, and an even width in YUYV")]
    NoFrame {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// Not a JPEG stream, or a damaged one.
    #[error("not a whole JPEG picture")]
    Jpeg,
    /// A JPEG picture of another size or layout than agreed.
    #[error("a JPEG picture of {width}x{height} ({layout}), {wanted_width}x{wanted_height} agreed")]
    Size {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Colour layout.
        layout: String,
        /// Width agreed with the driver.
        wanted_width: u32,
        /// Height agreed with the driver.
        wanted_height: u32,
    },
}

/// Copies packed 4:2:2 rows (`stride` bytes from row to row) into `into` as [`PixelFormat::Yuyv`].
///
/// # Errors
/// [`PixelError::Short`], and `into` is unchanged then; [`PixelError::NoFrame`].
pub fn yuyv(
    bytes: &[u8],
    width: u32,
    height: u32,
    stride: usize,
    into: &mut Frame,
) -> Result<(), PixelError> {
    let row = width as usize * PixelFormat::Yuyv.bytes_per_pixel();
    let stride = stride.max(row);
    let needed = stride
        .saturating_mul((height as usize).saturating_sub(1))
        .saturating_add(row);
    if bytes.len() < needed || row == 0 {
        return Err(PixelError::Short {
            width,
            height,
            stride,
            needed,
            found: bytes.len(),
        });
    }
    reshape(into, width, height, PixelFormat::Yuyv)?;
    for (to, from) in into
        .data_mut()
        .chunks_exact_mut(row)
        .zip(bytes.chunks(stride))
    {
        to.copy_from_slice(&from[..row]);
    }
    Ok(())
}

/// Decodes one picture of a motion JPEG stream into `into`: [`PixelFormat::Rgb8`], or [`PixelFormat::Grey8`] if it has no colour.
///
/// # Errors
/// [`PixelError::Jpeg`], [`PixelError::Size`] or [`PixelError::NoFrame`]. The pixels of `into` are undefined after the first.
pub fn mjpeg(bytes: &[u8], width: u32, height: u32, into: &mut Frame) -> Result<(), PixelError> {
    let decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(|_| PixelError::Jpeg)?;
    let format = match decoder.color_type() {
        image::ColorType::Rgb8 => Some(PixelFormat::Rgb8),
        image::ColorType::L8 => Some(PixelFormat::Grey8),
        _ => None,
    };
    let found = decoder.dimensions();
    // The size is checked before anything is allocated for it.
    let (Some(format), true) = (format, found == (width, height)) else {
        return Err(PixelError::Size {
            width: found.0,
            height: found.1,
            layout: format!("{:?}", decoder.color_type()),
            wanted_width: width,
            wanted_height: height,
        });
    };
    reshape(into, width, height, format)?;
    unbroken(|| decoder.read_image(into.data_mut()))
        .and_then(Result::ok)
        .ok_or(PixelError::Jpeg)
}

/// Gives the frame a size that it takes as it is.
fn reshape(
    into: &mut Frame,
    width: u32,
    height: u32,
    format: PixelFormat,
) -> Result<(), PixelError> {
    into.reshape(width, height, format);
    if (into.width(), into.height()) == (width, height) {
        Ok(())
    } else {
        Err(PixelError::NoFrame { width, height })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::jpeg::JpegEncoder;
    use image::{ExtendedColorType, GrayImage, RgbImage};

    /// A left half red, a right half blue picture, or a grey one, as JPEG.
    fn jpeg(width: u32, height: u32, colour: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut out, 95);
        if colour {
            let picture = RgbImage::from_fn(width, height, |x, _| {
                image::Rgb(if x < width / 2 {
                    [220, 10, 10]
                } else {
                    [10, 10, 220]
                })
            });
            encoder.encode(picture.as_raw(), width, height, ExtendedColorType::Rgb8)
        } else {
            let picture = GrayImage::from_pixel(width, height, image::Luma([77]));
            encoder.encode(picture.as_raw(), width, height, ExtendedColorType::L8)
        }
        .expect("a small picture can be encoded");
        out
    }

    #[test]
    fn yuyv_rows_lose_their_padding() {
        let mut frame = Frame::new(2, 2, PixelFormat::Grey8);
        let bytes = [1, 2, 3, 4, 0xee, 0xee, 5, 6, 7, 8];
        yuyv(&bytes, 2, 2, 6, &mut frame).expect("ten bytes are enough");
        assert_eq!(
            (frame.format(), frame.data()),
            (PixelFormat::Yuyv, &[1, 2, 3, 4, 5, 6, 7, 8][..])
        );
        let cut = yuyv(&bytes[..9], 2, 2, 6, &mut frame);
        assert_eq!(
            cut,
            Err(PixelError::Short {
                width: 2,
                height: 2,
                stride: 6,
                needed: 10,
                found: 9
            })
        );
        assert!(yuyv(&[], 0, 0, 0, &mut frame).is_err());
    }

    #[test]
    fn jpeg_is_decoded_to_its_colours() {
        let mut frame = Frame::new(2, 2, PixelFormat::Yuyv);
        mjpeg(&jpeg(64, 32, true), 64, 32, &mut frame).expect("a whole picture");
        assert_eq!(
            (frame.format(), frame.width(), frame.height()),
            (PixelFormat::Rgb8, 64, 32)
        );
        let (left, right) = (&frame.data()[..3], &frame.data()[frame.data().len() - 3..]);
        assert!(left[0] > 180 && left[2] < 60, "{left:?}");
        assert!(right[0] < 60 && right[2] > 180, "{right:?}");
        mjpeg(&jpeg(16, 16, false), 16, 16, &mut frame).expect("a whole picture");
        assert_eq!(frame.format(), PixelFormat::Grey8);
        assert!(frame.data().iter().all(|v| v.abs_diff(77) <= 2));
    }

    #[test]
    fn sizes_that_no_frame_has_are_an_error() {
        let mut frame = Frame::new(4, 4, PixelFormat::Grey8);
        for (width, height) in [(4, 1), (3, 2), (1, 2)] {
            let found = yuyv(&[5; 12], width, height, 10, &mut frame);
            assert!(
                matches!(
                    found,
                    Err(PixelError::NoFrame { .. } | PixelError::Short { .. })
                ),
                "{width}x{height}: {found:?}"
            );
            let found = mjpeg(&jpeg(1, height, true), 1, height, &mut frame);
            assert_eq!(found, Err(PixelError::NoFrame { width: 1, height }));
        }
    }

    #[test]
    fn what_is_no_picture_of_the_agreed_size_is_an_error() {
        let mut frame = Frame::new(2, 2, PixelFormat::Yuyv);
        let whole = jpeg(64, 32, true);
        assert!(matches!(
            mjpeg(&whole, 32, 64, &mut frame),
            Err(PixelError::Size { .. })
        ));
        for bytes in [&[][..], &[0xff, 0xd8], &whole[..20], b"no picture at all"] {
            assert_eq!(mjpeg(bytes, 64, 32, &mut frame), Err(PixelError::Jpeg));
        }
    }
}
