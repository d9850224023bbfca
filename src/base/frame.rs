//! Frames: pixels with the moment they were captured. Buffers are reused, borrowed for analysis, wiped when dropped.

use super::time::Moment;
use zeroize::Zeroize;

/// How the bytes of a frame are laid out. Compressed formats are decoded inside the camera driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// Packed 4:2:2, bytes Y0 U Y1 V, BT.601 full range (as UVC cameras send it); 2 bytes a pixel, even width.
    Yuyv,
    /// Packed R G B; 3 bytes a pixel.
    Rgb8,
    /// Luminance only; 1 byte a pixel.
    Grey8,
}

impl PixelFormat {
    /// Bytes of one pixel, averaged over a macropixel.
    pub const fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Yuyv => 2,
            Self::Rgb8 => 3,
            Self::Grey8 => 1,
        }
    }
}

/// What the camera says of a frame beside its pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FrameMeta {
    /// When the frame was captured (not when it was delivered).
    pub captured: Moment,
    /// The driver's count; a gap is a dropped frame.
    pub sequence: u64,
    /// Exposure time in microseconds, if the driver knows it.
    pub exposure_us: Option<u32>,
    /// Gain as a factor (1.0 = none), if the driver knows it.
    pub gain: Option<f32>,
}

/// Why a buffer cannot be a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Width or height is zero, over 8192, or odd where the format needs it even.
    #[error(
        "frame of {width}x{height} in {format:?}: sizes go from 1 to 8192, and YUYV needs an even width"
    )]
    Size {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Layout.
        format: PixelFormat,
    },
    /// The buffer is shorter than the rows need.
    #[error(
        "frame of {width}x{height} in {format:?} with {stride} bytes a row needs {needed} bytes, the buffer has {found}"
    )]
    Short {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes from row to row.
        stride: usize,
        /// Layout.
        format: PixelFormat,
        /// Bytes needed.
        needed: usize,
        /// Bytes found.
        found: usize,
    },
}

/// A borrowed frame: what perception works on.
#[derive(Clone, Copy)]
pub struct FrameView<'a> {
    data: &'a [u8],
    width: u32,
    height: u32,
    stride: usize,
    format: PixelFormat,
    /// Time, sequence and exposure.
    pub meta: FrameMeta,
}

impl std::fmt::Debug for FrameView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "FrameView({}x{} {:?} #{})",
            self.width, self.height, self.format, self.meta.sequence
        )
    }
}

/// Largest width and height that is taken for a frame.
const LARGEST_SIDE: u32 = 8192;

impl<'a> FrameView<'a> {
    /// Borrows `data` as a frame of `width` x `height` with `stride` bytes from row to row.
    ///
    /// # Errors
    /// [`FrameError`] if the sizes are impossible or the buffer is too short.
    pub fn new(
        data: &'a [u8],
        width: u32,
        height: u32,
        stride: usize,
        format: PixelFormat,
        meta: FrameMeta,
    ) -> Result<Self, FrameError> {
        let sizes = 1..=LARGEST_SIDE;
        if !sizes.contains(&width)
            || !sizes.contains(&height)
            || (format == PixelFormat::Yuyv && width % 2 == 1)
        {
            return Err(FrameError::Size {
                width,
                height,
                format,
            });
        }
        let row = width as usize * format.bytes_per_pixel();
        let needed = stride
            .max(row)
            .saturating_mul(height as usize - 1)
            .saturating_add(row);
        if stride < row || data.len() < needed {
            return Err(FrameError::Short {
                width,
                height,
                stride,
                format,
                needed,
                found: data.len(),
            });
        }
        Ok(Self {
            data,
            width,
            height,
            stride,
            format,
            meta,
        })
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Bytes from row to row.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Layout of the bytes.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// All bytes.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Row `y` without its padding.
    ///
    /// # Panics
    /// If `y` is not below the height.
    pub fn row(&self, y: u32) -> &'a [u8] {
        assert!(
            y < self.height,
            "row {y} of a frame with {} rows",
            self.height
        );
        let start = y as usize * self.stride;
        &self.data[start..start + self.width as usize * self.format.bytes_per_pixel()]
    }
}

/// An owned frame: a buffer that is filled again and again, and wiped when it is dropped.
pub struct Frame {
    data: Vec<u8>,
    width: u32,
    height: u32,
    format: PixelFormat,
    /// Time, sequence and exposure.
    pub meta: FrameMeta,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Frame({}x{} {:?} #{})",
            self.width, self.height, self.format, self.meta.sequence
        )
    }
}

impl Frame {
    /// A black frame. Sizes are clamped to 2..=8192, and to even widths for YUYV.
    pub fn new(width: u32, height: u32, format: PixelFormat) -> Self {
        let mut frame = Self {
            data: Vec::new(),
            width: 0,
            height: 0,
            format,
            meta: FrameMeta::default(),
        };
        frame.reshape(width, height, format);
        frame
    }

    /// Changes size and layout; allocates only if the buffer has to grow. The pixels are undefined but initialised afterwards.
    pub fn reshape(&mut self, width: u32, height: u32, format: PixelFormat) {
        let width = width.clamp(2, LARGEST_SIDE);
        self.width = if format == PixelFormat::Yuyv {
            width & !1
        } else {
            width
        };
        self.height = height.clamp(2, LARGEST_SIDE);
        self.format = format;
        self.data.resize(
            self.width as usize * self.height as usize * format.bytes_per_pixel(),
            0,
        );
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Layout of the bytes.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// The bytes, tightly packed rows.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The bytes, tightly packed rows, to be filled by a camera driver.
    pub fn data_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// Borrows the frame for analysis.
    pub fn view(&self) -> FrameView<'_> {
        FrameView {
            data: &self.data,
            width: self.width,
            height: self.height,
            stride: self.width as usize * self.format.bytes_per_pixel(),
            format: self.format,
            meta: self.meta,
        }
    }

    /// Overwrites all pixels with zeros; the buffer stays.
    pub fn wipe(&mut self) {
        self.data.as_mut_slice().zeroize();
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.data.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        width: u32,
        height: u32,
        stride: usize,
        format: PixelFormat,
        bytes: usize,
        good: bool,
    ) {
        let data = vec![0; bytes];
        let view = FrameView::new(&data, width, height, stride, format, FrameMeta::default());
        assert_eq!(
            view.is_ok(),
            good,
            "{width}x{height} stride {stride} {format:?} {bytes} bytes: {view:?}"
        );
    }

    #[test]
    fn a_view_needs_a_possible_size_and_enough_bytes() {
        check(4, 2, 8, PixelFormat::Yuyv, 16, true);
        check(4, 2, 10, PixelFormat::Yuyv, 18, true);
        check(4, 2, 8, PixelFormat::Yuyv, 15, false);
        check(3, 2, 6, PixelFormat::Yuyv, 12, false);
        check(4, 2, 7, PixelFormat::Yuyv, 99, false);
        check(0, 2, 0, PixelFormat::Grey8, 0, false);
        check(2, 9000, 2, PixelFormat::Grey8, 18_000, false);
        check(2, 2, usize::MAX, PixelFormat::Grey8, 4, false);
    }

    #[test]
    fn a_frame_is_reshaped_in_place() {
        let mut frame = Frame::new(4, 4, PixelFormat::Rgb8);
        let before = frame.data().as_ptr();
        frame.reshape(4, 2, PixelFormat::Yuyv);
        assert_eq!((frame.data().len(), frame.data().as_ptr()), (16, before));
        assert_eq!(frame.view().row(1).len(), 8);
    }
}
