//! `[camera]`, and which drivers are no cameras.

use crate::hal::pi::check::{ConfigError, check_path, check_range};
use serde::Deserialize;
use v4l::FourCC;

/// What the camera sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CameraFormat {
    /// Packed 4:2:2, not compressed.
    Yuyv,
    /// Motion JPEG.
    Mjpeg,
}

impl CameraFormat {
    pub(super) const fn fourcc(self) -> FourCC {
        FourCC {
            repr: match self {
                Self::Yuyv => *b"YUYV",
                Self::Mjpeg => *b"MJPG",
            },
        }
    }
}

/// `[camera]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraConfig {
    /// The node, best under `/dev/v4l/by-id/` (this very camera) or `/dev/v4l/by-path/` (this socket); `/dev/videoN` changes with
    /// the order of plugging.
    pub path: String,
    /// Width in pixels, 320..=3840, even.
    pub width: u32,
    /// Height in pixels, 240..=2160.
    pub height: u32,
    /// Frames per second, 5..=60.
    pub frames_per_s: u32,
    /// What the camera sends.
    pub pixel_format: CameraFormat,
    /// Value of the gain control that means a factor of 1.0. Drivers count gain in units of their own; without this key the gain
    /// is left alone.
    #[serde(default)]
    pub gain_unity: Option<u32>,
    /// Takes frames from loopback and test drivers too. For tests only: whoever can feed such a driver decides what the booth sees.
    #[serde(default)]
    pub allow_virtual_driver: bool,
}

impl CameraConfig {
    /// Checks all values.
    ///
    /// # Errors
    /// The first [`ConfigError`] found.
    pub fn validate(&self) -> Result<(), ConfigError> {
        check_path(
            "camera.path",
            &self.path,
            &["/dev/v4l/by-id/", "/dev/v4l/by-path/", "/dev/video"],
        )?;
        check_range("camera.width", self.width, 320..=3840)?;
        if self.width % 2 == 1 {
            return Err(ConfigError {
                key: "camera.width".to_owned(),
                found: self.width.to_string(),
                allowed: "even numbers".to_owned(),
                mend: format!(
                    "`v4l2-ctl -d {} --list-formats-ext` lists the sizes",
                    self.path
                ),
            });
        }
        check_range("camera.height", self.height, 240..=2160)?;
        check_range("camera.frames_per_s", self.frames_per_s, 5..=60)?;
        check_range(
            "camera.gain_unity",
            self.gain_unity.unwrap_or(1),
            1..=65_535,
        )
    }
}

/// Drivers whose frames any program on the machine can make.
const VIRTUAL_DRIVERS: [&str; 5] = ["loopback", "vivid", "vimc", "akvcam", "v4l2-test"];
/// Drivers of CSI receivers: raw sensor data, no usable frames.
const CSI_DRIVERS: [&str; 4] = ["unicam", "rp1-cfe", "bcm2835-isp", "pispbe"];

/// Why a device is the wrong one, and the mend; `None` if it may be used. `driver`, `bus`, `capture`: from VIDIOC_QUERYCAP.
pub(super) fn refuse(
    config: &CameraConfig,
    driver: &str,
    bus: &str,
    capture: bool,
) -> Option<(String, String)> {
    let matches = |list: &[&str]| {
        let (driver, bus) = (driver.to_ascii_lowercase(), bus.to_ascii_lowercase());
        list.iter().any(|d| driver.contains(d) || bus.contains(d))
    };
    if matches(&VIRTUAL_DRIVERS) && !config.allow_virtual_driver {
        return Some((
            format!("driver `{driver}` on `{bus}` is not a camera: any program can feed it"),
            "name the real camera in camera.path; on a test machine set camera.allow_virtual_driver = true".to_owned(),
        ));
    }
    if matches(&CSI_DRIVERS) {
        return Some((
            format!("driver `{driver}` is a CSI receiver: it gives raw sensor data, not pictures"),
            "use a USB camera; board/README.md, section CSI cameras, says why".to_owned(),
        ));
    }
    if !capture {
        return Some((
            format!("driver `{driver}` on `{bus}` does not capture single-planar video"),
            "many cameras have two nodes: take the one whose link ends in `-video-index0`"
                .to_owned(),
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(path: &str) -> CameraConfig {
        CameraConfig {
            path: path.to_owned(),
            width: 1280,
            height: 720,
            frames_per_s: 30,
            pixel_format: CameraFormat::Yuyv,
            gain_unity: None,
            allow_virtual_driver: false,
        }
    }

    #[test]
    fn virtual_and_csi_drivers_are_refused() {
        let check = |driver: &str, bus: &str, capture, virtual_too, expected: Option<&str>| {
            let mut config = config("/dev/video0");
            config.allow_virtual_driver = virtual_too;
            let found = refuse(&config, driver, bus, capture).map(|(detail, _)| detail);
            assert_eq!(found.is_some(), expected.is_some(), "{driver}: {found:?}");
            if let (Some(found), Some(part)) = (found, expected) {
                assert!(found.contains(part), "{found}");
            }
        };
        check("uvcvideo", "usb-0000:01:00.0-1.2", true, false, None);
        check(
            "vivid",
            "platform:vivid-000",
            true,
            false,
            Some("any program can feed it"),
        );
        check(
            "v4l2 loopback",
            "platform:v4l2loopback-000",
            true,
            false,
            Some("any program can feed it"),
        );
        check("vivid", "platform:vivid-000", true, true, None);
        check(
            "unicam",
            "platform:fe801000.csi",
            true,
            true,
            Some("raw sensor data"),
        );
        check(
            "rp1-cfe",
            "platform:1f00110000.csi",
            true,
            false,
            Some("raw sensor data"),
        );
        check(
            "uvcvideo",
            "usb-0000:01:00.0-1.2",
            false,
            false,
            Some("single-planar"),
        );
    }
}
