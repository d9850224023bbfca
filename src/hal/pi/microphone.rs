//! The microphone over ALSA: whatever the card records, 16 kHz mono comes out.

use super::check::ConfigError;
use super::convert::{CardFormat, FromCard};
use super::node::fault_of;
use super::pcm::{Recovered, check_card, open_pcm, pcm_fault, pcm_name, recover};
use crate::base::time::{Moment, SharedClock};
use crate::hal::{DeviceFault, DeviceKind, FaultKind, Microphone, SAMPLE_RATE_HZ};
use alsa::Direction;
use alsa::pcm::PCM;
use serde::Deserialize;
use std::time::{Duration, Instant};
use zeroize::Zeroize as _;

/// `[microphone]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MicrophoneConfig {
    /// Id of the card, as in the brackets of `/proc/asound/cards`.
    pub card: String,
    /// Number of the device on the card.
    #[serde(default)]
    pub device: u32,
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
    clock: SharedClock,
    /// `None` after the card was lost: then it has to be opened again.
    pcm: Option<PCM>,
    format: CardFormat,
    from_card: FromCard,
    /// A period as the card gives it.
    period: Vec<u8>,
    overruns: u64,
}

impl std::fmt::Debug for AlsaMicrophone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AlsaMicrophone")
            .field("place", &self.place)
            .field("format", &self.format)
            .field("open", &self.pcm.is_some())
            .field("overruns", &self.overruns)
            .finish_non_exhaustive()
    }
}

/// Opens the card and starts recording.
///
/// # Errors
/// `Absent`, `Busy`, `Permission`, `WrongDevice` (no format that can be used) or `Io`.
pub fn open(
    config: &MicrophoneConfig,
    clock: SharedClock,
) -> Result<Box<dyn Microphone>, DeviceFault> {
    let place = pcm_name(&config.card, config.device);
    Ok(Box::new(AlsaMicrophone::open(place, clock)?))
}

/// When the first of `read` samples was recorded, if the card's next frame is `behind` younger than the sample after the last of them, and
/// that frame was recorded `waiting` ago.
fn first_sample_at(now: Moment, read: usize, behind: Duration, waiting: Duration) -> Moment {
    let read = (read as u64).saturating_mul(1_000_000_000) / u64::from(SAMPLE_RATE_HZ);
    let ago = u64::try_from((behind + waiting).as_nanos()).unwrap_or(u64::MAX);
    Moment::from_nanos(now.as_nanos().saturating_sub(read.saturating_add(ago)))
}

impl AlsaMicrophone {
    fn open(place: String, clock: SharedClock) -> Result<Self, DeviceFault> {
        let kind = DeviceKind::Microphone;
        let (pcm, format) = open_pcm(kind, &place, Direction::Capture)?;
        pcm.start()
            .map_err(|e| pcm_fault(kind, &place, "start", &e))?;
        Ok(Self {
            place,
            clock,
            pcm: Some(pcm),
            format,
            from_card: FromCard::new(format),
            period: vec![0; format.block_frames() * format.frame_bytes()],
            overruns: 0,
        })
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
                self.from_card.clear();
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
                self.from_card.clear();
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
        let mut done = self.from_card.take(into);
        while done < into.len() {
            let Some(pcm) = self.pcm.as_ref() else {
                return Err(fault_of(
                    DeviceKind::Microphone,
                    FaultKind::Absent,
                    &self.place,
                    "the card was lost; it has to be opened again",
                    "check the plug of the microphone; `cat /proc/asound/cards` shows the cards",
                ));
            };
            // As bytes: the check of a typed access would allocate at every period.
            let read = pcm.io_bytes().readi(&mut self.period);
            match read {
                Ok(frames) => {
                    let read = &mut self.period[..frames * self.format.frame_bytes()];
                    self.from_card.push(read);
                    read.zeroize();
                    done += self.from_card.take(&mut into[done..]);
                }
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
        let waiting = self.pcm.as_ref().and_then(|p| p.avail_update().ok());
        let waiting = self
            .format
            .time_of(waiting.map_or(0, |frames| u64::try_from(frames).unwrap_or(0)));
        let behind = self.from_card.behind();
        Ok((
            done,
            first_sample_at(self.clock.now(), done, behind, waiting),
        ))
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
        let clock: SharedClock = Arc::new(SystemClock);
        let mut microphone = AlsaMicrophone::open("null".to_owned(), clock)
            .unwrap_or_else(|e| panic!("ALSA has it always: {e}"));
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
        let ms = Duration::from_millis;
        for (read, behind, waiting, expected) in [
            (16_000, ms(0), ms(0), 0),
            (320, ms(0), ms(0), 980),
            (320, ms(0), ms(20), 960),
            (320, ms(10), ms(20), 950),
            (usize::MAX, ms(0), ms(0), 0),
            (0, Duration::MAX / 2, ms(0), 0),
        ] {
            let found = first_sample_at(now, read, behind, waiting);
            assert_eq!(found.as_millis(), expected);
        }
    }
}
