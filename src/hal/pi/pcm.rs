//! What microphone and speaker share of ALSA: the device's name, the parameters, faults, and a recovery that ends.
//!
//! `snd_pcm_recover` is not used: it waits without bound while a suspended device says EAGAIN, and it does not know ENODEV.
//! `PCM::state` is not used either: it panics on states that the crate does not know.

use super::check::{ConfigError, check_range};
use super::node::{fault, fault_of};
use crate::hal::{DeviceFault, DeviceKind, FaultKind, SAMPLE_RATE_HZ};
use alsa::pcm::{Access, Format, HwParams, PCM};
use alsa::{Direction, ValueOr};
use rustix::io::Errno;
use std::io;
use std::time::{Duration, Instant};

/// Frames of a period: 20 ms.
pub(crate) const PERIOD_FRAMES: i64 = 320;
/// Frames of the ring: one second.
pub(crate) const BUFFER_FRAMES: i64 = 16_000;
/// Longest time for which a suspended device is asked to resume.
const RESUME_FOR: Duration = Duration::from_millis(500);
/// First and longest pause between two attempts to open a lost card.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(8));

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

/// The PCM's name: the hardware itself, or ALSA's conversion before it if `convert`.
pub(crate) fn pcm_name(card: &str, device: u32, convert: bool) -> String {
    let plugin = if convert { "plughw" } else { "hw" };
    format!("{plugin}:CARD={card},DEV={device}")
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

/// Opens a PCM without blocking and sets 16 kHz, mono, signed 16 bit, 20 ms periods in a ring of one second.
///
/// `start_threshold`: frames after which the device starts by itself.
///
/// # Errors
/// `Absent`, `Busy`, `Permission`, `Io`; `WrongDevice` if the hardware has not that format.
pub(crate) fn open_pcm(
    kind: DeviceKind,
    place: &str,
    direction: Direction,
    convert: bool,
    start_threshold: i64,
) -> Result<PCM, DeviceFault> {
    let pcm = PCM::new(place, direction, true).map_err(|e| pcm_fault(kind, place, "open", &e))?;
    set_up(&pcm, convert, start_threshold).map_err(|e| {
        if e.errno().abs() == Errno::INVAL.raw_os_error() {
            fault_of(
                kind,
                FaultKind::WrongDevice,
                place,
                format!("the hardware has not 16 kHz, mono, signed 16 bit: {e}"),
                format!(
                    "`{} --dump-hw-params -D {place} /dev/null` shows what it has; set convert = true to let ALSA convert",
                    if direction == Direction::Capture { "arecord" } else { "aplay" }
                ),
            )
        } else {
            pcm_fault(kind, place, "set up", &e)
        }
    })?;
    Ok(pcm)
}

fn set_up(pcm: &PCM, convert: bool, start_threshold: i64) -> alsa::Result<()> {
    {
        let hw = HwParams::any(pcm)?;
        // Else a plug-in before the hardware would resample unseen.
        hw.set_rate_resample(convert)?;
        hw.set_access(Access::RWInterleaved)?;
        hw.set_format(Format::s16())?;
        hw.set_channels(1)?;
        hw.set_rate(SAMPLE_RATE_HZ, ValueOr::Nearest)?;
        hw.set_period_size_near(PERIOD_FRAMES, ValueOr::Nearest)?;
        hw.set_buffer_size_near(BUFFER_FRAMES)?;
        pcm.hw_params(&hw)?;
    }
    let sw = pcm.sw_params_current()?;
    sw.set_start_threshold(start_threshold)?;
    sw.set_avail_min(PERIOD_FRAMES)?;
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

/// When a lost card may be opened again: each failure doubles the pause.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BackOff {
    pause: Duration,
    next: Option<Instant>,
}

impl BackOff {
    /// Open at once.
    pub(crate) const fn new() -> Self {
        Self {
            pause: BACK_OFF.0,
            next: None,
        }
    }

    /// How long to wait before the next attempt.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        self.next
            .map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
    }

    /// Notes a failure.
    pub(crate) fn failed(&mut self, now: Instant) {
        self.next = Some(now + self.pause);
        self.pause = (self.pause * 2).min(BACK_OFF.1);
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
        assert_eq!(pcm_name("Device", 0, false), "hw:CARD=Device,DEV=0");
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

    #[test]
    fn the_pause_doubles_up_to_eight_seconds() {
        let (mut back_off, now) = (BackOff::new(), Instant::now());
        assert_eq!(back_off.wait(now), Duration::ZERO);
        let pauses: Vec<_> = (0..6)
            .map(|_| {
                back_off.failed(now);
                back_off.wait(now).as_millis()
            })
            .collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 8000]);
    }
}
