//! Each part's figures against its limits. Where a limit comes from stands beside it. `devices`: what the person meets; `machine`: what is
//! behind it.

mod devices;
mod machine;

pub use devices::{
    CameraFigures, DEAF, SILENT_DBFS, buttons, camera, lights, microphone, panel, speaker,
};
pub use machine::{
    FREE_MIB, StorageFigures, UplinkFigures, clock, models, network, sensors, storage, wallet,
};

use crate::technician::report::Verdict;

/// `Fail` beyond the second limit, `Warn` beyond the first; larger is worse.
pub(super) fn above(value: f64, warn: f64, fail: f64) -> Verdict {
    if value > fail {
        Verdict::Fail
    } else if value > warn {
        Verdict::Warn
    } else {
        Verdict::Ok
    }
}

/// The same where smaller is worse.
pub(super) fn below(value: f64, warn: f64, fail: f64) -> Verdict {
    above(-value, -warn, -fail)
}

pub(super) fn real(value: f32) -> f64 {
    f64::from(value)
}

#[cfg(test)]
mod tests;
