//! Pictures put into the page as `data:` URIs, within a limit for the whole page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io::Cursor;
use std::path::{Component, Path};

/// Frames wider than this are made smaller.
const WIDEST: u32 = 720;
/// What all pictures together may take as base64, in bytes: a page of some 12 MB still opens at once and can be mailed.
const LIMIT: usize = 11_000_000;

/// Takes pictures out of the recorder's folder.
#[derive(Debug)]
pub(super) struct Album<'a> {
    dir: &'a Path,
    left: usize,
    n_left_out: usize,
    n_failed: usize,
    first_failed: Option<String>,
}

impl<'a> Album<'a> {
    /// Pictures of this folder.
    pub(super) fn new(dir: &'a Path) -> Self {
        Self {
            dir,
            left: LIMIT,
            n_left_out: 0,
            n_failed: 0,
            first_failed: None,
        }
    }

    /// A frame of the camera as a `data:` URI; `None` if it cannot be had, which is counted.
    pub(super) fn frame(&mut self, file: &str) -> Option<String> {
        self.take(file, "image/jpeg", |bytes| {
            let wide = image::ImageReader::new(Cursor::new(bytes))
                .with_guessed_format()
                .map_err(|e| e.to_string())?;
            let (width, _) = wide.into_dimensions().map_err(|e| e.to_string())?;
            if width <= WIDEST {
                return Ok(bytes.to_vec());
            }
            let picture = image::load_from_memory(bytes).map_err(|e| e.to_string())?;
            let small = picture.thumbnail(640, 640).to_rgb8();
            let mut jpeg = Vec::new();
            image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 82)
                .encode_image(&small)
                .map_err(|e| e.to_string())?;
            Ok(jpeg)
        })
    }

    /// A picture of the panel as a `data:` URI.
    pub(super) fn screen(&mut self, file: &str) -> Option<String> {
        self.take(file, "image/png", |bytes| {
            image::ImageReader::new(Cursor::new(bytes))
                .with_guessed_format()
                .map_err(|e| e.to_string())?
                .into_dimensions()
                .map_err(|e| e.to_string())?;
            Ok(bytes.to_vec())
        })
    }

    fn take(
        &mut self,
        file: &str,
        kind: &str,
        prepare: impl Fn(&[u8]) -> Result<Vec<u8>, String>,
    ) -> Option<String> {
        // The recorder's lines name files of its own folder; a line that does not is damaged.
        let inside = Path::new(file)
            .components()
            .all(|c| matches!(c, Component::Normal(_)));
        let found = if inside && !file.is_empty() {
            std::fs::read(self.dir.join(file)).map_err(|e| e.to_string())
        } else {
            Err("is not a file of the recorder's folder".to_owned())
        };
        match found.and_then(|bytes| prepare(&bytes)) {
            Ok(bytes) => {
                let uri = format!("data:{kind};base64,{}", STANDARD.encode(bytes));
                if uri.len() > self.left {
                    self.n_left_out += 1;
                    return None;
                }
                self.left -= uri.len();
                Some(uri)
            }
            Err(error) => {
                self.n_failed += 1;
                self.first_failed
                    .get_or_insert_with(|| format!("{file}: {error}"));
                None
            }
        }
    }

    /// What could not be shown, in sentences.
    pub(super) fn missing(&self) -> Vec<String> {
        let mut said = Vec::new();
        if let Some(first) = &self.first_failed {
            said.push(format!(
                "{} pictures could not be read, the first: {first}",
                self.n_failed
            ));
        }
        if self.n_left_out > 0 {
            said.push(format!(
                "{} pictures were left out to keep the page small",
                self.n_left_out
            ));
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_pictures_of_its_folder_only() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        std::fs::create_dir(dir.path().join("in")).expect("there is room");
        let wide = image::RgbImage::from_pixel(1280, 720, image::Rgb([90, 120, 150]));
        wide.save(dir.path().join("in/wide.jpg"))
            .expect("there is room");
        wide.save(dir.path().join("outside.png"))
            .expect("there is room");
        std::fs::write(dir.path().join("in/torn.png"), b"\x89PNG\r\n").expect("there is room");
        let inside = dir.path().join("in");
        let mut album = Album::new(&inside);
        let uri = album.frame("wide.jpg").expect("a frame that can be read");
        let bytes = STANDARD
            .decode(uri.trim_start_matches("data:image/jpeg;base64,"))
            .expect("base64 of the picture");
        let small = image::load_from_memory(&bytes).expect("a JPEG");
        assert_eq!((small.width(), small.height()), (640, 360));
        for bad in ["../outside.png", "/outside.png", "", "torn.png", "none.png"] {
            assert_eq!(album.screen(bad), None, "{bad:?}");
        }
        let said = album.missing();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("5 pictures could not be read, the first: ../outside.png"));
    }

    #[test]
    fn stops_when_the_page_is_full() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let small = image::RgbImage::from_pixel(64, 36, image::Rgb([9, 9, 9]));
        small.save(dir.path().join("a.jpg")).expect("there is room");
        let mut album = Album::new(dir.path());
        album.left = 10;
        assert_eq!(album.frame("a.jpg"), None);
        assert_eq!(
            album.missing(),
            ["1 pictures were left out to keep the page small"]
        );
    }
}
