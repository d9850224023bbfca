//! What microphone and speaker share of ALSA: the device's name, the parameters, faults, and a recovery that ends. A card that is lost is
//! opened again by the recovery ladder.
//!
//! `snd_pcm_recover` is not used: it waits without bound while a suspended device says EAGAIN, and it does not know ENODEV.
//! `PCM::state` is not used either: it panics on states that the crate does not know.

use super::check::{ConfigError, check_range};
use super::convert::{CardFormat, Width};
use super::node::{fault, fault_of};
use crate::hal::{DeviceFault, DeviceKind, FaultKind};
use alsa::pcm::{Access, Format, HwParams, PCM};
use alsa::{Direction, ValueOr};
use rustix::io::Errno;
use std::io;
use std::time::{Duration, Instant};

/// Longest time for which a suspended device is asked to resume.
const RESUME_FOR: Duration = Duration::from_millis(500);
const MENDS: [(FaultKind, &str); 3] = [
    (
        FaultKind::Absent,
        "check the plug; `cat /proc/asound/cards` shows the cards, their ids stand in brackets: put the id in the board file",
    ),
    (
        FaultKind::Permission,
        "`usermod -aG audio boothd`, check DeviceAllow=char-alsa in boothd.service, then `systemctl restart boothd`",
    ),
    (
        FaultKind::Busy,
        "`fuser -v /dev/snd/*` shows who has it; stop that program (a sound server has no place on a booth)",
    ),
];

/// Checks card id and device number.
///
/// # Errors
/// [`ConfigError`].
pub(crate) fn check_card(table: &str, card: &str, device: u32) -> Result<(), ConfigError> {
    let letters = card
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let index = card.bytes().all(|b| b.is_ascii_digit());
    if card.is_empty() || card.len() > 15 || !letters || index {
        return Err(ConfigError {
            key: format!("{table}.card"),
            found: format!("{card:?}"),
            allowed: "a card id of 1 to 15 letters, digits, `_`, `-`; not an index, which changes with the order of plugging"
                .to_owned(),
            mend: "`cat /proc/asound/cards` shows the ids in brackets; board/alsa/ says how to give a card a fixed id"
                .to_owned(),
        });
    }
    check_range(&format!("{table}.device"), device, 0..=31)
}

/// The PCM's name: the hardware itself, without any conversion of ALSA's before it.
pub(crate) fn pcm_name(card: &str, device: u32) -> String {
    format!("hw:CARD={card},DEV={device}")
}

/// The kernel's error in an error of crate `alsa`.
pub(crate) fn io_error(error: &alsa::Error) -> io::Error {
    io::Error::from_raw_os_error(error.errno().abs())
}

/// A fault from an error of crate `alsa`.
pub(crate) fn pcm_fault(
    device: DeviceKind,
    place: &str,
    action: &str,
    error: &alsa::Error,
) -> DeviceFault {
    fault(device, place, action, &io_error(error), &MENDS)
}

/// Opens a PCM without blocking, in the first of [`CardFormat::all`] that the hardware has, with periods of 20 ms in a ring of one second. A
/// recording has to be started; a playback starts by itself after two periods, so that a slow start of the writer gives no underrun.
///
/// # Errors
/// `Absent`, `Busy`, `Permission`, `Io`; `WrongDevice` if the hardware has none of the formats.
pub(crate) fn open_pcm(
    kind: DeviceKind,
    place: &str,
    direction: Direction,
) -> Result<(PCM, CardFormat), DeviceFault> {
    let pcm = PCM::new(place, direction, true).map_err(|e| pcm_fault(kind, place, "open", &e))?;
    let mut refused = None;
    for format in CardFormat::all() {
        match set_up(&pcm, direction, format) {
            Ok(()) => {
                tracing::debug!(place, ?format, "{kind} opened");
                return Ok((pcm, format));
            }
            Err(e) if e.errno().abs() == Errno::INVAL.raw_os_error() => refused = Some(e),
            Err(e) => return Err(pcm_fault(kind, place, "set up", &e)),
        }
    }
    Err(fault_of(
        kind,
        FaultKind::WrongDevice,
        place,
        format!(
            "the hardware has none of 16, 44.1 and 48 kHz, mono or stereo, signed 16 or 32 bit: {}",
            refused.map_or(String::new(), |e| e.to_string())
        ),
        format!(
            "`{} --dump-hw-params -D {place} /dev/null` shows what it has; take another card",
            if direction == Direction::Capture {
                "arecord"
            } else {
                "aplay"
            }
        ),
    ))
}

fn set_up(pcm: &PCM, direction: Direction, format: CardFormat) -> alsa::Result<()> {
    // Both fit: at most 48,000.
    let block = format.block_frames() as i64;
    {
        let hw = HwParams::any(pcm)?;
        // Else a plug-in before the hardware would resample unseen.
        hw.set_rate_resample(false)?;
        hw.set_access(Access::RWInterleaved)?;
        hw.set_format(match format.width {
            Width::Bits16 => Format::s16(),
            Width::Bits32 => Format::s32(),
        })?;
        hw.set_channels(format.channels)?;
        hw.set_rate(format.rate_hz, ValueOr::Nearest)?;
        hw.set_period_size_near(block, ValueOr::Nearest)?;
        hw.set_buffer_size_near(50 * block)?;
        pcm.hw_params(&hw)?;
    }
    let sw = pcm.sw_params_current()?;
    sw.set_start_threshold(match direction {
        Direction::Capture => 1,
        Direction::Playback => 2 * block,
    })?;
    sw.set_avail_min(block)?;
    pcm.sw_params(&sw)?;
    drop(sw);
    pcm.prepare()
}

/// What became of an error of a running PCM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recovered {
    /// Nothing was lost: go on.
    Again,
    /// Samples were lost; the device runs again.
    Lost,
    /// The device has to be opened again.
    Gone,
}

/// What an error number asks for, before anything is done.
fn plan(errno: i32) -> Recovered {
    match Errno::from_raw_os_error(errno) {
        Errno::INTR | Errno::AGAIN => Recovered::Again,
        // ESTRPIPE: the device was suspended.
        Errno::PIPE | Errno::STRPIPE => Recovered::Lost,
        _ => Recovered::Gone,
    }
}

/// Brings a PCM back after an error, within [`RESUME_FOR`].
pub(crate) fn recover(pcm: &PCM, error: &alsa::Error, capture: bool) -> Recovered {
    let errno = error.errno().abs();
    let plan = plan(errno);
    if plan != Recovered::Lost {
        return plan;
    }
    if errno == Errno::STRPIPE.raw_os_error() {
        let until = Instant::now() + RESUME_FOR;
        while pcm
            .resume()
            .is_err_and(|e| e.errno().abs() == Errno::AGAIN.raw_os_error())
            && Instant::now() < until
        {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    // After an overrun the device is only prepared, and would wait for ever without a start.
    let back = pcm
        .prepare()
        .and_then(|()| if capture { pcm.start() } else { Ok(()) });
    if back.is_ok() {
        Recovered::Lost
    } else {
        Recovered::Gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_named_by_id() {
        for (card, good) in [
            ("Device", true),
            ("vc4-hdmi_0", true),
            ("booth1", true),
            ("1", false),
            ("", false),
            ("hw:0,0", false),
            ("a card that is too long", false),
        ] {
            assert_eq!(check_card("microphone", card, 0).is_ok(), good, "{card:?}");
        }
        assert!(check_card("microphone", "Device", 32).is_err());
        assert_eq!(pcm_name("Device", 0), "hw:CARD=Device,DEV=0");
    }

    #[test]
    fn errors_ask_for_what_helps() {
        for (errno, expected) in [
            (4, Recovered::Again),
            (11, Recovered::Again),
            (32, Recovered::Lost),
            (86, Recovered::Lost),
            (19, Recovered::Gone),
            (5, Recovered::Gone),
        ] {
            assert_eq!(plan(errno), expected, "errno {errno}");
        }
    }
}
