//! The microphone over ALSA.

use super::check::ConfigError;
use super::node::fault_of;
use super::pcm::{BackOff, Recovered, check_card, open_pcm, pcm_fault, pcm_name, recover};
use crate::base::time::{Moment, SharedClock};
use crate::hal::{DeviceFault, DeviceKind, FaultKind, Microphone, SAMPLE_RATE_HZ};
use alsa::Direction;
use alsa::pcm::PCM;
use serde::Deserialize;
use std::time::{Duration, Instant};

/// `[microphone]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MicrophoneConfig {
    /// Id of the card, as in the brackets of `/proc/asound/cards`.
    pub card: String,
    /// Number of the device on the card.
    #[serde(default)]
    pub device: u32,
    /// Lets ALSA convert rate and channels if the hardware has not 16 kHz mono.
    #[serde(default)]
    pub convert: bool,
}

impl MicrophoneConfig {
    /// Checks all values.
    ///
    /// # Errors
    /// The first [`ConfigError`] found.
    pub fn validate(&self) -> Result<(), ConfigError> {
        check_card("microphone", &self.card, self.device)
    }
}

struct AlsaMicrophone {
    place: String,
    convert: bool,
    clock: SharedClock,
    pcm: Option<PCM>,
    back_off: BackOff,
    overruns: u64,
}

impl std::fmt::Debug for AlsaMicrophone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AlsaMicrophone")
            .field("place", &self.place)
            .field("open", &self.pcm.is_some())
            .field("overruns", &self.overruns)
            .finish_non_exhaustive()
    }
}

/// Opens the card and starts recording.
///
/// # Errors
/// `Absent`, `Busy`, `Permission`, `WrongDevice` (not 16 kHz mono) or `Io`.
pub fn open(
    config: &MicrophoneConfig,
    clock: SharedClock,
) -> Result<Box<dyn Microphone>, DeviceFault> {
    let mut microphone = AlsaMicrophone {
        place: pcm_name(&config.card, config.device, config.convert),
        convert: config.convert,
        clock,
        pcm: None,
        back_off: BackOff::new(),
        overruns: 0,
    };
    microphone.start()?;
    Ok(Box::new(microphone))
}

/// When the first of `read` samples was recorded, if `waiting` more are in the ring now.
fn first_sample_at(now: Moment, read: usize, waiting: i64) -> Moment {
    let frames = (read as u64).saturating_add(u64::try_from(waiting).unwrap_or(0));
    let nanos = frames.saturating_mul(1_000_000_000) / u64::from(SAMPLE_RATE_HZ);
    Moment::from_nanos(now.as_nanos().saturating_sub(nanos))
}

impl AlsaMicrophone {
    fn start(&mut self) -> Result<(), DeviceFault> {
        let kind = DeviceKind::Microphone;
        let opened =
            open_pcm(kind, &self.place, Direction::Capture, self.convert, 1).and_then(|pcm| {
                pcm.start()
                    .map_err(|e| pcm_fault(kind, &self.place, "start", &e))?;
                Ok(pcm)
            });
        match opened {
            Ok(pcm) => {
                self.pcm = Some(pcm);
                self.back_off = BackOff::new();
                Ok(())
            }
            Err(fault) => {
                self.back_off.failed(Instant::now());
                Err(fault)
            }
        }
    }

    /// Handles an error of the running device: `None` to try again, else the fault.
    fn handle(&mut self, action: &str, error: &alsa::Error) -> Option<DeviceFault> {
        let recovered = self
            .pcm
            .as_ref()
            .map_or(Recovered::Gone, |pcm| recover(pcm, error, true));
        match recovered {
            Recovered::Again => None,
            Recovered::Lost => {
                self.overruns += 1;
                Some(fault_of(
                    DeviceKind::Microphone,
                    FaultKind::Overrun,
                    &self.place,
                    format!("{action}: {error}; overrun number {}", self.overruns),
                    "none needed once; if it goes on, `top` shows what takes the processor",
                ))
            }
            Recovered::Gone => {
                // Dropped at once: a PCM of a lost card would be asked at full speed for ever.
                self.pcm = None;
                self.back_off.failed(Instant::now());
                Some(pcm_fault(
                    DeviceKind::Microphone,
                    &self.place,
                    action,
                    error,
                ))
            }
        }
    }
}

impl Microphone for AlsaMicrophone {
    fn read(
        &mut self,
        into: &mut [i16],
        timeout: Duration,
    ) -> Result<(usize, Moment), DeviceFault> {
        let deadline = Instant::now() + timeout.min(Duration::from_secs(60));
        if self.pcm.is_none() {
            let now = Instant::now();
            std::thread::sleep(
                self.back_off
                    .wait(now)
                    .min(deadline.saturating_duration_since(now)),
            );
            if !self.back_off.wait(Instant::now()).is_zero() {
                return Err(fault_of(
                    DeviceKind::Microphone,
                    FaultKind::Absent,
                    &self.place,
                    "the card was lost; it is opened again after a pause",
                    "check the plug of the microphone; `cat /proc/asound/cards` shows the cards",
                ));
            }
            self.start()?;
        }
        let mut done = 0;
        while done < into.len() {
            let Some(pcm) = self.pcm.as_ref() else { break };
            let read = pcm.io_i16().and_then(|io| io.readi(&mut into[done..]));
            match read {
                Ok(n) => done += n,
                Err(e) if e.errno().abs() == rustix::io::Errno::AGAIN.raw_os_error() => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break;
                    }
                    let millis = u32::try_from(left.as_millis().clamp(1, 500)).unwrap_or(500);
                    let waited = pcm.wait(Some(millis));
                    if let Err(e) = waited
                        && let Some(fault) = self.handle("wait", &e)
                    {
                        return Err(fault);
                    }
                }
                Err(e) => {
                    if let Some(fault) = self.handle("read", &e) {
                        return Err(fault);
                    }
                }
            }
        }
        if done == 0 && !into.is_empty() {
            return Err(fault_of(
                DeviceKind::Microphone,
                FaultKind::NoFrames,
                &self.place,
                "no sample within the time-out",
                "unplug the microphone and plug it in again; `dmesg` shows what the driver says",
            ));
        }
        let waiting = self
            .pcm
            .as_ref()
            .and_then(|p| p.avail_update().ok())
            .unwrap_or(0);
        Ok((done, first_sample_at(self.clock.now(), done, waiting)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::SystemClock;
    use std::sync::Arc;

    #[test]
    fn an_absent_card_is_absent() {
        let config = MicrophoneConfig {
            card: "NoSuchCard".to_owned(),
            device: 0,
            convert: false,
        };
        let fault = open(&config, Arc::new(SystemClock)).expect_err("no such card");
        assert_eq!(
            (fault.kind, fault.code()),
            (FaultKind::Absent, "hw.mic.absent"),
            "{fault}"
        );
        assert!(fault.mend.contains("/proc/asound/cards"), "{fault}");
    }

    #[test]
    fn a_read_goes_on_until_all_samples_are_there() {
        // ALSA's own device without hardware: it counts samples at once; what is in them depends on ALSA's version.
        let mut microphone = AlsaMicrophone {
            place: "null".to_owned(),
            convert: true,
            clock: Arc::new(SystemClock),
            pcm: None,
            back_off: BackOff::new(),
            overruns: 0,
        };
        let mut samples = [0; 3_000];
        let (read, at) = microphone
            .read(&mut samples, Duration::from_secs(10))
            .expect("it always has samples");
        assert_eq!(read, samples.len());
        assert!(at <= microphone.clock.now());
    }

    #[test]
    fn the_first_sample_lies_back_by_what_was_read_and_what_waits() {
        let now = Moment::from_millis(1000);
        for (read, waiting, expected) in [
            (16_000, 0, 0),
            (320, 0, 980),
            (320, 320, 960),
            (0, -5, 1000),
            (usize::MAX, 0, 0),
        ] {
            assert_eq!(first_sample_at(now, read, waiting).as_millis(), expected);
        }
    }
}
