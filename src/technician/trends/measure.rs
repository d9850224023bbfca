//! The measures, closed: what each is, how samples become the figure of an hour and of a day, and from when on it is a trend to be told.

use super::tally::Statistic;

/// One figure of the booth that is followed over months.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Steepest edges of the empty booth's picture with the light of the idle screen ([`crate::hal::watch::FrameFigures`]). The wall behind
    /// the person, the light and the distance are the same all year, so it can be compared over months; a share of the edge's own height, it
    /// does not depend on brightness.
    Sharpness,
    /// Variance of the Laplacian of the sharpest document of a session. For booths whose wall has no edge; it depends on the documents that
    /// come and on hands, so its limit is wide.
    DocumentSharpness,
    /// Mean luminance of the face when the loop of light has done what it can.
    FaceLuminance,
    /// What the left side of the ring adds to the picture, as the self-test measures it
    /// ([`crate::technician::selftest::lights::LightFigures::per_ms`]).
    LightLeft,
    /// The same of the right side.
    LightRight,
    /// The quietest tenth of the seconds while nobody is there.
    NoiseFloor,
    /// Temperature of the processor.
    Processor,
    /// Readings that said that the supply is too low.
    LowSupply,
    /// Share of the disk's life that is used; cards do not say.
    LifeUsed,
    /// Light of the empty booth's picture, with the ring as the idle screen has it: the room's.
    RoomLight,
}

/// From when on a trend is told, and from when on no more: the second is nearer to the reference, so that nothing comes and goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// It is less than the reference by this share of it.
    Falls {
        /// Told.
        raise: f64,
        /// No more.
        clear: f64,
    },
    /// It is more than the reference by so much.
    Rises {
        /// Told.
        raise: f64,
        /// No more.
        clear: f64,
    },
    /// It is at a level, whatever it was before.
    Reaches {
        /// Told.
        raise: f64,
        /// Below it no more.
        clear: f64,
    },
    /// At some hour of the day it is so many times what both sides of the ring give.
    BeatsRing {
        /// Told.
        raise: f64,
        /// No more.
        clear: f64,
    },
}

/// Where the samples come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The booth, while nobody is in it.
    Booth,
    /// One figure of each session. Kept only as the median of [`super::SESSIONS_TOGETHER`] sessions and without extremes, so that no
    /// session can be told.
    Sessions,
}

/// What is to be known of a measure.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Stable name: in the database, on the console.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Where it comes from.
    pub source: Source,
    /// An hour's figure of its samples.
    pub hour: Statistic,
    /// A day's figure of its hours.
    pub day: Statistic,
    /// The limit.
    pub rule: Rule,
    /// The fault that it is; several measures may tell the same.
    pub code: &'static str,
}

impl Measure {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::Sharpness,
        Self::DocumentSharpness,
        Self::FaceLuminance,
        Self::LightLeft,
        Self::LightRight,
        Self::NoiseFloor,
        Self::Processor,
        Self::LowSupply,
        Self::LifeUsed,
        Self::RoomLight,
    ];

    /// What is to be known of it. None of the limits has been tried on a board; where one comes from stands beside it.
    pub const fn spec(self) -> Spec {
        use Statistic::{LowTenth, Median, Most, Sum};
        const BOOTH: Spec = Spec {
            name: "",
            unit: "",
            source: Source::Booth,
            hour: Median,
            day: Median,
            rule: Rule::Falls {
                raise: 0.25,
                clear: 0.15,
            },
            code: "",
        };
        // L70, the end of an LED's life by IES TM-21, is at 30 %: told before.
        const LED: Spec = Spec {
            unit: "%/ms",
            rule: Rule::Falls {
                raise: 0.2,
                clear: 0.12,
            },
            ..BOOTH
        };
        const SESSIONS: Spec = Spec {
            source: Source::Sessions,
            ..BOOTH
        };
        match self {
            // A lens at a third of an edge's height falls to a quarter: still far from the 0.13 at which the booth is out of service.
            Self::Sharpness => Spec {
                name: "sharpness",
                code: "hw.camera.dirty",
                ..BOOTH
            },
            // It goes with the square of the contrast.
            Self::DocumentSharpness => Spec {
                name: "document sharpness",
                rule: Rule::Falls {
                    raise: 0.5,
                    clear: 0.35,
                },
                code: "hw.camera.dirty",
                ..SESSIONS
            },
            // The loop holds its aim, or light and exposure are at their end.
            Self::FaceLuminance => Spec {
                name: "face luminance",
                unit: "%",
                rule: Rule::Falls {
                    raise: 0.2,
                    clear: 0.12,
                },
                code: "env.too_dark",
                ..SESSIONS
            },
            Self::LightLeft => Spec {
                name: "left side of ring",
                code: "hw.light.left_aged",
                ..LED
            },
            Self::LightRight => Spec {
                name: "right side of ring",
                code: "hw.light.right_aged",
                ..LED
            },
            // Three times the amplitude.
            Self::NoiseFloor => Spec {
                name: "noise floor",
                unit: "dBFS",
                hour: LowTenth,
                rule: Rule::Rises {
                    raise: 9.5,
                    clear: 6.0,
                },
                code: "hw.mic.noise_risen",
                ..BOOTH
            },
            // The day's hottest hour; the self-test warns at 75, the processor slows down at 80.
            Self::Processor => Spec {
                name: "processor",
                unit: "degC",
                day: Most,
                rule: Rule::Reaches {
                    raise: 70.0,
                    clear: 67.0,
                },
                code: "hw.thermal.warm",
                ..BOOTH
            },
            // On most days.
            Self::LowSupply => Spec {
                name: "low supply",
                unit: "a day",
                hour: Sum,
                day: Sum,
                rule: Rule::Reaches {
                    raise: 1.0,
                    clear: 1.0,
                },
                code: "hw.power.dips",
                ..BOOTH
            },
            // Told in steps of ten; the self-test warns above 80.
            Self::LifeUsed => Spec {
                name: "disk life used",
                unit: "%",
                hour: Most,
                day: Most,
                rule: Rule::Reaches {
                    raise: 70.0,
                    clear: 70.0,
                },
                code: "hw.storage.wearing",
                ..BOOTH
            },
            Self::RoomLight => Spec {
                name: "room light",
                unit: "%/ms",
                day: Most,
                // In the virtual booth some 1,700 lx on the wall, three times a well-lit office; an office is at 6 to 20.
                rule: Rule::BeatsRing {
                    raise: 60.0,
                    clear: 45.0,
                },
                code: "env.ambient_beats_light",
                ..BOOTH
            },
        }
    }
}
