//! The board: the only place that names v4l, alsa, rppal and linux-embedded-hal.
