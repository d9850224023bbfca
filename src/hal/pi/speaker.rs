//! The speaker over ALSA.

use super::check::ConfigError;
use super::node::fault_of;
use super::pcm::{
    BUFFER_FRAMES, BackOff, PERIOD_FRAMES, Recovered, check_card, open_pcm, pcm_fault, pcm_name,
    recover,
};
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
    /// Lets ALSA convert rate and channels if the hardware has not 16 kHz mono.
    #[serde(default)]
    pub convert: bool,
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
    convert: bool,
    pcm: Option<PCM>,
    back_off: BackOff,
}

impl std::fmt::Debug for AlsaSpeaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AlsaSpeaker")
            .field("place", &self.place)
            .field("open", &self.pcm.is_some())
            .finish_non_exhaustive()
    }
}

/// Opens the card.
///
/// # Errors
/// `Absent`, `Busy`, `Permission`, `WrongDevice` (not 16 kHz mono) or `Io`.
pub fn open(config: &SpeakerConfig, _clock: SharedClock) -> Result<Box<dyn Speaker>, DeviceFault> {
    let mut speaker = AlsaSpeaker {
        place: pcm_name(&config.card, config.device, config.convert),
        convert: config.convert,
        pcm: None,
        back_off: BackOff::new(),
    };
    speaker.start()?;
    Ok(Box::new(speaker))
}

/// Longest time that queueing may take: what has to be played before the last sample fits in the ring, and two seconds.
fn longest(samples: usize) -> Duration {
    let ahead = samples.saturating_sub(usize::try_from(BUFFER_FRAMES).unwrap_or(0)) as u64;
    Duration::from_millis(ahead.saturating_mul(1000) / u64::from(SAMPLE_RATE_HZ))
        + Duration::from_secs(2)
}

impl AlsaSpeaker {
    fn start(&mut self) -> Result<(), DeviceFault> {
        // Starts after two periods, so that a slow start of the writer gives no underrun.
        let opened = open_pcm(
            DeviceKind::Speaker,
            &self.place,
            Direction::Playback,
            self.convert,
            2 * PERIOD_FRAMES,
        );
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

    /// Handles an error of the running device: `None` to try again. An underrun only means that the last prompt ended.
    fn handle(&mut self, action: &str, error: &alsa::Error) -> Option<DeviceFault> {
        let recovered = self
            .pcm
            .as_ref()
            .map_or(Recovered::Gone, |pcm| recover(pcm, error, false));
        if recovered == Recovered::Gone {
            self.pcm = None;
            self.back_off.failed(Instant::now());
            return Some(pcm_fault(DeviceKind::Speaker, &self.place, action, error));
        }
        None
    }
}

impl Speaker for AlsaSpeaker {
    fn play(&mut self, samples: &[i16]) -> Result<(), DeviceFault> {
        let deadline = Instant::now() + longest(samples.len());
        if self.pcm.is_none() {
            if !self.back_off.wait(Instant::now()).is_zero() {
                return Err(fault_of(
                    DeviceKind::Speaker,
                    FaultKind::Absent,
                    &self.place,
                    "the card was lost; it is opened again after a pause",
                    "check the plug of the speaker; `cat /proc/asound/cards` shows the cards",
                ));
            }
            self.start()?;
        }
        let mut done = 0;
        while done < samples.len() {
            let Some(pcm) = self.pcm.as_ref() else { break };
            let written = pcm.io_i16().and_then(|io| io.writei(&samples[done..]));
            match written {
                Ok(n) => done += n,
                Err(e) if e.errno().abs() == rustix::io::Errno::AGAIN.raw_os_error() => {
                    let waited = pcm.wait(Some(200));
                    if let Err(e) = waited
                        && let Some(fault) = self.handle("wait", &e)
                    {
                        return Err(fault);
                    }
                }
                Err(e) => {
                    if let Some(fault) = self.handle("write", &e) {
                        return Err(fault);
                    }
                }
            }
            if done < samples.len() && Instant::now() > deadline {
                return Err(fault_of(
                    DeviceKind::Speaker,
                    FaultKind::Io,
                    &self.place,
                    format!("{done} of {} samples queued in time", samples.len()),
                    "unplug the speaker and plug it in again; `dmesg` shows what the driver says",
                ));
            }
        }
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
            convert: true,
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
        let mut speaker = AlsaSpeaker {
            place: "null".to_owned(),
            convert: true,
            pcm: None,
            back_off: BackOff::new(),
        };
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
