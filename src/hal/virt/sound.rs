//! The virtual microphone and speaker.

use super::chance::{Chance, hash};
use super::pictures::unusable;
use super::record::Note;
use super::scene::{FaultWhat, Scene, SceneError};
use super::set::Set;
use super::world::{World, wait_until};
use crate::base::time::Moment;
use crate::hal::{DeviceFault, DeviceKind, FaultKind, Microphone, SAMPLE_RATE_HZ, Speaker};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A sound file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {detail}; mend: give a WAV of 16 kHz, mono, 16 bit PCM (`ffmpeg -i in -ar 16000 -ac 1 -c:a pcm_s16le out.wav`)", .path.display())]
pub struct WavError {
    /// The file.
    pub path: PathBuf,
    /// What was found.
    pub detail: String,
}

impl WavError {
    pub(super) fn in_scene(self, scene: &Scene) -> SceneError {
        unusable(
            scene,
            "audio.wav",
            &self.path,
            &self.detail,
            "give a WAV of 16 kHz, mono, 16 bit PCM",
        )
    }
}

/// Longest sound that is taken, in samples: ten minutes.
const LONGEST: u32 = SAMPLE_RATE_HZ * 600;

/// Reads a WAV of 16 kHz, mono, 16 bit.
pub(super) fn read_wav(path: &Path) -> Result<Vec<i16>, WavError> {
    let fail = |detail: String| WavError {
        path: path.to_owned(),
        detail,
    };
    let mut wav =
        hound::WavReader::open(path).map_err(|e| fail(format!("cannot be read as WAV: {e}")))?;
    let spec = wav.spec();
    let good = spec.sample_rate == SAMPLE_RATE_HZ
        && spec.channels == 1
        && spec.bits_per_sample == 16
        && spec.sample_format == hound::SampleFormat::Int;
    if !good {
        return Err(fail(format!(
            "is {} Hz, {} channels, {} bit {:?}",
            spec.sample_rate, spec.channels, spec.bits_per_sample, spec.sample_format
        )));
    }
    let promised = wav.len();
    if promised == 0 || promised > LONGEST {
        return Err(fail(format!(
            "has {promised} samples; allowed: 1 to {LONGEST}"
        )));
    }
    let samples: Vec<i16> = wav.samples::<i16>().map_while(Result::ok).collect();
    if samples.len() < promised as usize {
        return Err(fail(format!(
            "is cut off: its header promises {promised} samples, it has {}",
            samples.len()
        )));
    }
    Ok(samples)
}

/// Waits for samples as a sound card does, and counts what was lost.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    started: Moment,
    taken: u64,
}

/// Samples that a sound card keeps for a slow reader: one second.
const KEPT: u64 = SAMPLE_RATE_HZ as u64;

impl Pace {
    pub(super) const fn new(started: Moment) -> Self {
        Self { started, taken: 0 }
    }

    fn moment(&self, sample: u64) -> Moment {
        self.started.plus(Duration::from_nanos(
            sample * 1_000_000_000 / u64::from(SAMPLE_RATE_HZ),
        ))
    }

    /// Waits for up to `wanted` samples; gives the first one's number, the number of samples and the first one's time.
    pub(super) fn wait(
        &mut self,
        clock: &dyn crate::base::time::Clock,
        wanted: usize,
        timeout: Duration,
    ) -> Result<(u64, usize, Moment), DeviceFault> {
        wait_until(clock, self.moment(self.taken + wanted as u64), timeout);
        let there =
            clock.now().since(self.started).as_nanos() * u128::from(SAMPLE_RATE_HZ) / 1_000_000_000;
        let there = u64::try_from(there).unwrap_or(u64::MAX);
        if there.saturating_sub(self.taken) > KEPT + wanted as u64 {
            let lost = there - self.taken - KEPT;
            self.taken += lost;
            return Err(DeviceFault {
                device: DeviceKind::Microphone,
                kind: FaultKind::Overrun,
                place: "virtual".to_owned(),
                detail: format!("{lost} samples were lost"),
                mend: "nothing, if it happens once; else look what keeps the audio thread from running".to_owned(),
            });
        }
        let n = usize::try_from(there.saturating_sub(self.taken))
            .unwrap_or(usize::MAX)
            .min(wanted);
        let first = self.taken;
        self.taken += n as u64;
        Ok((first, n, self.moment(first)))
    }
}

/// The microphone: the scene's sound over its noise floor.
#[derive(Debug)]
pub(super) struct VirtMicrophone {
    world: Arc<World>,
    pace: Pace,
}

impl VirtMicrophone {
    pub(super) fn new(world: Arc<World>) -> Self {
        let pace = Pace::new(world.clock.now());
        Self { world, pace }
    }
}

impl Microphone for VirtMicrophone {
    fn read(
        &mut self,
        into: &mut [i16],
        timeout: Duration,
    ) -> Result<(usize, Moment), DeviceFault> {
        if self.world.broken(FaultWhat::MicrophoneAbsent) {
            return Err(World::absent(DeviceKind::Microphone));
        }
        let (first, n, at) = self.pace.wait(&*self.world.clock, into.len(), timeout)?;
        let (set, started) = self.world.on_stage();
        // The scene's sample that belongs to the first one here; negative: it has not begun.
        let ns = i128::from(at.as_nanos()) - i128::from(started.as_nanos());
        let offset =
            i64::try_from(ns * i128::from(SAMPLE_RATE_HZ) / 1_000_000_000).unwrap_or(i64::MAX);
        let into = &mut into[..n];
        let mut from_speaker = vec![0.0; n];
        self.world.hear_speaker(at, &mut from_speaker);
        hear(&set, first, offset, &from_speaker, into);
        if self.world.broken(FaultWhat::MicrophoneSilent) {
            into.fill(0);
        } else if self.world.broken(FaultWhat::MicrophoneClipping) {
            for sample in into {
                *sample = if *sample > 0 { i16::MAX } else { i16::MIN };
            }
        }
        Ok((n, at))
    }
}

/// What a microphone hears of a scene from its sample `offset` on: the sound over the noise floor, and what the speaker adds (nothing
/// beyond the end of `from_speaker`). `number` of the first sample: the noise of a sample is always the same.
pub(super) fn hear(set: &Set, number: u64, offset: i64, from_speaker: &[f32], into: &mut [i16]) {
    let audio = &set.scene.audio;
    let start = i64::try_from(audio.start_ms.saturating_mul(u64::from(SAMPLE_RATE_HZ)) / 1000)
        .unwrap_or(i64::MAX);
    let amplitude = 32768.0 * 10.0_f32.powf(audio.noise_floor_dbfs / 20.0);
    let mut chance = Chance::new(hash(set.scene.seed, number ^ 0x6d69_6300));
    for (i, sample) in into.iter_mut().enumerate() {
        let place = offset.saturating_sub(start).saturating_add(i as i64);
        let sound = usize::try_from(place).ok().and_then(|p| set.wav.get(p));
        let sound = f32::from(sound.copied().unwrap_or(0));
        let spoken = from_speaker.get(i).copied().unwrap_or(0.0);
        *sample = (sound + spoken + amplitude * chance.normal()) as i16;
    }
}

/// Writes a WAV of 16 kHz, mono, 16 bit.
///
/// # Errors
/// What the system said.
pub fn write_wav(path: &Path, samples: &[i16]) -> hound::Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec)?;
    for sample in samples {
        wav.write_sample(*sample)?;
    }
    wav.finalize()
}

/// The speaker: the microphone hears it; it writes down that it was used, and how loud.
#[derive(Debug)]
pub(super) struct VirtSpeaker(pub(super) Arc<World>);

impl Speaker for VirtSpeaker {
    fn play(&mut self, samples: &[i16]) -> Result<(), DeviceFault> {
        if self.0.broken(FaultWhat::SpeakerAbsent) {
            return Err(World::absent(DeviceKind::Speaker));
        }
        if !self.0.broken(FaultWhat::SpeakerSilent) {
            self.0.play_sound(samples);
        }
        let peak = samples.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0);
        self.0.note(Note::Speaker {
            at: self.0.clock.now(),
            samples: samples.len(),
            peak,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(path: &Path, rate: u32, channels: u16) {
        let spec = hound::WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut out = hound::WavWriter::create(path, spec).expect("the folder exists");
        for i in 0..1600 {
            out.write_sample((i % 100) as i16).expect("there is room");
        }
        out.finalize().expect("there is room");
    }

    #[test]
    fn only_whole_sounds_of_the_right_kind_are_taken() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let check = |name: &str, complaint: &str| {
            let said = read_wav(&dir.path().join(name))
                .expect_err(name)
                .to_string();
            assert!(
                said.contains(name) && said.contains(complaint) && said.contains("mend:"),
                "{said}"
            );
        };
        let good = dir.path().join("good.wav");
        wav(&good, 16_000, 1);
        assert_eq!(read_wav(&good).expect("a good file").len(), 1600);
        wav(&dir.path().join("fast.wav"), 44_100, 1);
        wav(&dir.path().join("stereo.wav"), 16_000, 2);
        let bytes = std::fs::read(&good).expect("it was written");
        std::fs::write(dir.path().join("cut.wav"), &bytes[..1000]).expect("there is room");
        std::fs::write(dir.path().join("text.wav"), "hello").expect("there is room");
        check("fast.wav", "44100 Hz");
        check("stereo.wav", "2 channels");
        check("cut.wav", "cut off: its header promises 1600 samples");
        check("text.wav", "cannot be read as WAV");
        check("none.wav", "cannot be read as WAV");
    }
}
