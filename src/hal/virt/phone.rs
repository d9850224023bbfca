//! The phone with the ticket's QR code on its lit screen.

use super::pictures::{Texel, Texture, open, pack, unusable};
use super::scene::{Scene, SceneError};
use crate::base::srgb::linear;
use qrcode::{Color, EcLevel, QrCode};
use serde::Deserialize;
use std::path::PathBuf;

/// Pixels of the camera's picture (1280 wide) that one module of the code gets: people hold a dense code closer...
const MODULE_PX: f32 = 7.0;
/// ...but so that all of it stays in view.
const LARGEST_CODE_PX: f32 = 670.0;
/// Modules of white around the code (ISO/IEC 18004).
const QUIET: usize = 4;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhoneFile {
    width: u32,
    height: u32,
    corner_radius: u32,
    screen: ScreenFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScreenFile {
    x: u32,
    y: u32,
    w: u32,
    h: u32,
}

/// A phone as the person holds it.
pub(super) struct Phone {
    pub(super) texture: Texture,
    /// Width of the whole phone in the camera's picture, in pixels of a 1280 wide one.
    pub(super) width_px: f32,
    /// Height over width.
    pub(super) aspect: f32,
    /// From the middle of the phone up to the middle of the code, in widths of the phone.
    pub(super) code_above: f32,
}

impl Phone {
    /// A phone that shows `ticket`.
    pub(super) fn load(scene: &Scene, ticket: &str) -> Result<Self, SceneError> {
        let refuse = |detail: String| SceneError::Value {
            file: scene.file.clone(),
            key: "ticket".to_owned(),
            found: detail,
            allowed: "1 to 2953 bytes, the most a QR code of level L holds".to_owned(),
            mend: "make the ticket shorter".to_owned(),
        };
        if ticket.is_empty() {
            return Err(refuse("an empty ticket".to_owned()));
        }
        let code = QrCode::with_error_correction_level(ticket, EcLevel::L)
            .map_err(|_| refuse(format!("a ticket of {} bytes", ticket.len())))?;
        let (body, about) = Self::body(scene)?;
        let screen = &about.screen;
        // Whole texels for each module, so that the code itself is exact.
        let side = code.width() + 2 * QUIET;
        let module = MODULE_PX as usize + 1;
        let zoom = (module * side) as f32 / screen.w as f32;
        let scaled = |v: u32| (v as f32 * zoom).round() as usize;
        let (w, h) = (scaled(about.width), scaled(about.height));
        let small = image::imageops::resize(
            &body,
            w as u32,
            h as u32,
            image::imageops::FilterType::Triangle,
        );
        let mut texels: Vec<Texel> = small
            .pixels()
            .map(|p| {
                let a = f32::from(p.0[3]) / 255.0;
                let c = |i: usize| linear(f32::from(p.0[i]) / 255.0) * a;
                pack([c(0), c(1), c(2), a])
            })
            .collect();
        drop((small, body));
        let mut glow = vec![[0; 4]; w * h];
        let (sx, sy, sw, sh) = (
            scaled(screen.x),
            scaled(screen.y),
            module * side,
            scaled(screen.h),
        );
        let radius = about.corner_radius as f32 * zoom;
        let code_y = sh.saturating_sub(module * side) / 2;
        for y in 0..sh.min(h - sy) {
            for x in 0..sw.min(w - sx) {
                if outside_corner(x as f32, y as f32, sw as f32, sh as f32, radius) {
                    continue;
                }
                let at = (sy + y) * w + sx + x;
                // The glass itself scatters next to nothing.
                texels[at] = pack([0.012, 0.012, 0.013, 1.0]);
                glow[at] = pack(if y < code_y || y >= code_y + module * side {
                    // The app's bars above and below the code.
                    let edge = y.min(sh - 1 - y) as f32 / radius.max(1.0);
                    if edge < 1.4 {
                        [0.02, 0.12, 0.30, 0.0]
                    } else {
                        [0.80, 0.84, 0.88, 0.0]
                    }
                } else {
                    let (mx, my) = (
                        (x / module).wrapping_sub(QUIET),
                        ((y - code_y) / module).wrapping_sub(QUIET),
                    );
                    let dark =
                        mx < code.width() && my < code.width() && code[(mx, my)] == Color::Dark;
                    // A liquid crystal lets about a thousandth through.
                    if dark { [0.001; 4] } else { [1.0; 4] }
                });
            }
        }
        let screen_px = scene.ticket.as_ref().map_or(430.0, |t| t.width_px);
        let screen_px = screen_px.max((MODULE_PX * side as f32).min(LARGEST_CODE_PX));
        Ok(Self {
            texture: Texture::bordered(w, h, texels, glow, 0.0),
            width_px: screen_px * about.width as f32 / screen.w as f32,
            aspect: h as f32 / w as f32,
            code_above: (h as f32 / 2.0 - (sy + code_y + module * side / 2) as f32) / w as f32,
        })
    }

    /// The phone's picture and its screen; a drawn one if the scene names none.
    fn body(scene: &Scene) -> Result<(image::RgbaImage, PhoneFile), SceneError> {
        let Some(base) = scene.ticket.as_ref().and_then(|t| t.phone.as_ref()) else {
            let about = PhoneFile {
                width: 432,
                height: 900,
                corner_radius: 38,
                screen: ScreenFile {
                    x: 22,
                    y: 26,
                    w: 388,
                    h: 848,
                },
            };
            let body = image::RgbaImage::from_fn(432, 900, |x, y| {
                let out = outside_corner(x as f32, y as f32, 432.0, 900.0, 56.0);
                image::Rgba([38, 39, 42, if out { 0 } else { 255 }])
            });
            return Ok((body, about));
        };
        let name = |tail: &str| {
            let mut path = base.as_os_str().to_owned();
            path.push(tail);
            PathBuf::from(path)
        };
        let body = open(scene, "ticket.phone", &name(".png"))?.to_rgba8();
        let path = scene.path(&name(".toml"));
        let text = std::fs::read_to_string(&path).map_err(|source| SceneError::Read {
            file: scene.file.clone(),
            key: "ticket.phone".to_owned(),
            path: path.clone(),
            source,
        })?;
        let about: PhoneFile = toml::from_str(&text).map_err(|e| SceneError::Syntax {
            file: path.clone(),
            detail: e.to_string().trim().to_owned(),
        })?;
        let s = &about.screen;
        let inside = s.w >= 50
            && s.h >= s.w
            && s.x.checked_add(s.w).is_some_and(|r| r <= about.width)
            && s.y.checked_add(s.h).is_some_and(|b| b <= about.height);
        if body.dimensions() != (about.width, about.height) || !inside {
            let detail = format!(
                "says {} x {} with a screen of {} x {} at {}, {}; the picture has {:?}",
                about.width,
                about.height,
                s.w,
                s.h,
                s.x,
                s.y,
                body.dimensions()
            );
            return Err(unusable(
                scene,
                "ticket.phone",
                &path,
                &detail,
                "give a screen at least 50 wide, not wider than high, inside the picture",
            ));
        }
        Ok((body, about))
    }
}

/// Whether a point lies outside the rounded corners of a rectangle.
fn outside_corner(x: f32, y: f32, w: f32, h: f32, radius: f32) -> bool {
    let dx = (radius - x).max(x - (w - 1.0 - radius)).max(0.0);
    let dy = (radius - y).max(y - (h - 1.0 - radius)).max(0.0);
    dx.hypot(dy) > radius
}
