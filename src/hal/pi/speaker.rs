//! The speaker over ALSA: 16 kHz mono in, whatever the card plays out.

use super::check::ConfigError;
use super::convert::{CardFormat, ToCard};
use super::node::fault_of;
use super::pcm::{Recovered, check_card, open_pcm, pcm_fault, pcm_name, recover};
use crate::base::time::SharedClock;
use crate::hal::{DeviceFault, DeviceKind, FaultKind, SAMPLE_RATE_HZ, Speaker};
use alsa::Direction;
use alsa::pcm::PCM;
use serde::Deserialize;
use std::time::{Duration, Instant};

/// `[speaker]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeakerConfig {
    /// Id of the card, as in the brackets of `/proc/asound/cards`.
    pub card: String,
    /// Number of the device on the card.
    #[serde(default)]
    pub device: u32,
}

impl SpeakerConfig {
    /// Checks all values.
    ///
    /// # Errors
    /// The first [`ConfigError`] found.
    pub fn validate(&self) -> Result<(), ConfigError> {
        check_card("speaker", &self.card, self.device)
    }
}

struct AlsaSpeaker {
    place: String,
    /// `None` after the card was lost: then it has to be opened again.
    pcm: Option<PCM>,
    format: CardFormat,
    to_card: ToCard,
}

impl std::fmt::Debug for AlsaSpeaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AlsaSpeaker")
            .field("place", &self.place)
            .field("format", &self.format)
            .field("open", &self.pcm.is_some())
            .finish_non_exhaustive()
    }
}

/// Opens the card.
///
/// # Errors
/// `Absent`, `Busy`, `Permission`, `WrongDevice` (no format that can be used) or `Io`.
pub fn open(config: &SpeakerConfig, _clock: SharedClock) -> Result<Box<dyn Speaker>, DeviceFault> {
    let place = pcm_name(&config.card, config.device);
    Ok(Box::new(AlsaSpeaker::open(place)?))
}

/// Longest time that queueing may take: what has to be played before the last sample fits in the ring of a second, and two seconds.
fn longest(samples: usize) -> Duration {
    let ahead = samples.saturating_sub(SAMPLE_RATE_HZ as usize) as u64;
    Duration::from_millis(ahead.saturating_mul(1000) / u64::from(SAMPLE_RATE_HZ))
        + Duration::from_secs(2)
}

impl AlsaSpeaker {
    fn open(place: String) -> Result<Self, DeviceFault> {
        let (pcm, format) = open_pcm(DeviceKind::Speaker, &place, Direction::Playback)?;
        Ok(Self {
            place,
            pcm: Some(pcm),
            format,
            to_card: ToCard::new(format),
        })
    }

    /// Queues all frames of one block before `deadline`.
    fn queue(
        &mut self,
        samples: &[i16],
        block: usize,
        deadline: Instant,
    ) -> Result<(), DeviceFault> {
        let Self {
            place,
            pcm: slot,
            format,
            to_card,
        } = self;
        let mut left = to_card.frames_of(samples, block);
        while !left.is_empty() {
            let Some(pcm) = slot.as_ref() else {
                return Err(lost(place));
            };
            let failed = match pcm.io_bytes().writei(left) {
                Ok(frames) => {
                    left = left
                        .get(frames * format.frame_bytes()..)
                        .unwrap_or_default();
                    None
                }
                Err(e) if e.errno().abs() == rustix::io::Errno::AGAIN.raw_os_error() => {
                    pcm.wait(Some(200)).err().map(|e| ("wait", e))
                }
                Err(e) => Some(("write", e)),
            };
            if let Some((action, error)) = failed {
                handle(slot, place, action, &error)?;
            }
            if !left.is_empty() && Instant::now() > deadline {
                return Err(fault_of(
                    DeviceKind::Speaker,
                    FaultKind::Io,
                    place,
                    format!(
                        "block {block} of {} samples not queued in time",
                        samples.len()
                    ),
                    "unplug the speaker and plug it in again; `dmesg` shows what the driver says",
                ));
            }
        }
        Ok(())
    }
}

/// Handles an error of the running device. An underrun only means that the last prompt ended.
fn handle(
    slot: &mut Option<PCM>,
    place: &str,
    action: &str,
    error: &alsa::Error,
) -> Result<(), DeviceFault> {
    let recovered = slot
        .as_ref()
        .map_or(Recovered::Gone, |pcm| recover(pcm, error, false));
    if recovered == Recovered::Gone {
        *slot = None;
        return Err(pcm_fault(DeviceKind::Speaker, place, action, error));
    }
    Ok(())
}

fn lost(place: &str) -> DeviceFault {
    fault_of(
        DeviceKind::Speaker,
        FaultKind::Absent,
        place,
        "the card was lost; it has to be opened again",
        "check the plug of the speaker; `cat /proc/asound/cards` shows the cards",
    )
}

impl Speaker for AlsaSpeaker {
    fn play(&mut self, samples: &[i16]) -> Result<(), DeviceFault> {
        let Some(pcm) = self.pcm.as_ref() else {
            return Err(lost(&self.place));
        };
        if samples.is_empty() {
            // The driver is asked; the ring in memory would stay as it was when the card is gone.
            return match pcm.status() {
                Ok(_) => Ok(()),
                Err(e) => handle(&mut self.pcm, &self.place, "look", &e),
            };
        }
        let deadline = Instant::now() + longest(samples.len());
        let queued = (0..self.to_card.n_blocks(samples.len()))
            .try_for_each(|block| self.queue(samples, block, deadline));
        self.to_card.clear();
        queued?;
        // A prompt shorter than the start threshold would never begin by itself; EBADFD means that it runs already.
        if let Some(pcm) = self.pcm.as_ref() {
            let _ = pcm.start();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::SystemClock;
    use std::sync::Arc;

    #[test]
    fn an_absent_card_is_absent() {
        let config = SpeakerConfig {
            card: "NoSuchCard".to_owned(),
            device: 0,
        };
        let fault = open(&config, Arc::new(SystemClock)).expect_err("no such card");
        assert_eq!(
            (fault.kind, fault.code()),
            (FaultKind::Absent, "hw.speaker.fault"),
            "{fault}"
        );
    }

    #[test]
    fn samples_are_queued_to_the_last() {
        // ALSA's own device that takes everything; needs no hardware.
        let mut speaker = AlsaSpeaker::open("null".to_owned())
            .unwrap_or_else(|e| panic!("ALSA has it always: {e}"));
        speaker.play(&[0; 40_000]).expect("it takes everything");
        speaker.play(&[]).expect("nothing to do");
        assert!(speaker.pcm.is_some());
    }

    #[test]
    fn queueing_ends() {
        for (samples, millis) in [(0, 2000), (16_000, 2000), (32_000, 3000)] {
            assert_eq!(longest(samples).as_millis(), millis);
        }
    }
}
