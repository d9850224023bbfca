//! What the light ring is set to.

use serde::{Deserialize, Serialize};

/// One side of the ring: white level and a colour on top, each 0.0..=1.0 of full power (linear in emitted light).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SideLevel {
    /// White.
    pub white: f32,
    /// Red.
    pub red: f32,
    /// Green.
    pub green: f32,
    /// Blue.
    pub blue: f32,
}

impl SideLevel {
    /// White only.
    pub const fn white(level: f32) -> Self {
        Self {
            white: level,
            red: 0.0,
            green: 0.0,
            blue: 0.0,
        }
    }

    /// All four clamped to 0..=1; NaN becomes 0.
    #[must_use]
    pub fn clamped(self) -> Self {
        let c = |v: f32| if v > 0.0 { v.min(1.0) } else { 0.0 };
        Self {
            white: c(self.white),
            red: c(self.red),
            green: c(self.green),
            blue: c(self.blue),
        }
    }

    /// Share of full power, 0..=1, for flash and thermal limits: white counts like its three colours together.
    pub fn power(self) -> f32 {
        ((self.white * 3.0 + self.red + self.green + self.blue) / 6.0).clamp(0.0, 1.0)
    }
}

/// Both sides, left and right as the person in the booth sees them in the camera's picture (left = left half of the frame).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LightLevels {
    /// Left half of the frame.
    pub left: SideLevel,
    /// Right half of the frame.
    pub right: SideLevel,
}

impl LightLevels {
    /// Everything off.
    pub const OFF: Self = Self {
        left: SideLevel {
            white: 0.0,
            red: 0.0,
            green: 0.0,
            blue: 0.0,
        },
        right: SideLevel {
            white: 0.0,
            red: 0.0,
            green: 0.0,
            blue: 0.0,
        },
    };

    /// The same white on both sides.
    pub const fn white(level: f32) -> Self {
        Self {
            left: SideLevel::white(level),
            right: SideLevel::white(level),
        }
    }

    /// Both sides clamped to 0..=1.
    #[must_use]
    pub fn clamped(self) -> Self {
        Self {
            left: self.left.clamped(),
            right: self.right.clamped(),
        }
    }
}
