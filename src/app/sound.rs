//! The threads of microphone and speaker. Sound stays with them: others get levels and figures.

use super::senses::{AWAY, Senses};
use super::steady::Steady;
use crate::hal::{DeviceFault, DeviceKind, FaultKind, Microphone, SAMPLE_RATE_HZ, Speaker};
use crate::runtime::crew::Stop;
use crate::technician::selftest::parts::SILENT_DBFS;
use crate::technician::selftest::sound::SoundFigures;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// A stretch of sound that somebody wants the figures of. The sound itself stays with the microphone's thread.
#[derive(Debug)]
pub struct Listen {
    /// So many samples, at most [`MOST_HEARD`].
    pub n: usize,
    /// Where the figures go.
    pub answer: Sender<SoundFigures>,
}

/// Most samples that are listened to at a time: four seconds.
pub const MOST_HEARD: usize = 4 * SAMPLE_RATE_HZ as usize;

/// Keeps the level of the microphone, and takes figures of stretches of sound for who asks.
///
/// # Errors
/// Never by itself: a fault is in the readings.
pub fn microphone_thread(
    mut microphone: Steady<dyn Microphone>,
    orders: &Receiver<Listen>,
    senses: &Senses,
    stop: &Stop,
) -> anyhow::Result<()> {
    let mut samples = vec![0i16; SAMPLE_RATE_HZ as usize / 10];
    let mut listening = Listening {
        orders,
        present: None,
    };
    while !stop.is_set() {
        let level = microphone
            .ask(|microphone| level_of_a_second(microphone, &mut samples, &mut listening, stop));
        samples.fill(0);
        let away = level.is_err();
        {
            let mut readings = senses.lock();
            match level {
                Ok(dbfs) => {
                    readings.microphone_dbfs = Some(dbfs);
                    readings.microphone_fault = None;
                }
                Err(fault) => readings.microphone_fault = Some(fault.code()),
            }
        }
        if away {
            listening.give_up();
            std::thread::park_timeout(AWAY);
        }
    }
    listening.give_up();
    Ok(())
}

/// The stretch that is being listened to.
struct Listening<'a> {
    orders: &'a Receiver<Listen>,
    present: Option<(Listen, Vec<i16>)>,
}

impl Listening<'_> {
    fn begin(&mut self) {
        if self.present.is_none() {
            self.present = self.orders.try_recv().ok().map(|order| {
                // Never moved, so that no sound is left in memory that was given back.
                let room = Vec::with_capacity(order.n.min(MOST_HEARD) + SAMPLE_RATE_HZ as usize);
                (order, room)
            });
        }
    }

    fn hear(&mut self, samples: &[i16]) {
        let Some((order, heard)) = &mut self.present else {
            return;
        };
        heard.extend_from_slice(samples);
        if heard.len() >= order.n.min(MOST_HEARD) {
            if let Some(figures) = SoundFigures::of(heard) {
                // Who has given up waiting needs no answer.
                let _ = order.answer.try_send(figures);
            }
            self.give_up();
        }
    }

    /// Ends the stretch and wipes it: one with a hole in it has no figures, and who waits for them sees the channel closed.
    fn give_up(&mut self) {
        if let Some((_, mut heard)) = self.present.take() {
            heard.fill(0);
        }
    }
}

/// Listens for a second: the level in dBFS. No sound at all is a fault.
fn level_of_a_second(
    microphone: &mut dyn Microphone,
    samples: &mut [i16],
    listening: &mut Listening<'_>,
    stop: &Stop,
) -> Result<f32, DeviceFault> {
    let (mut sum, mut n) = (0f64, 0usize);
    while n < SAMPLE_RATE_HZ as usize && !stop.is_set() {
        listening.begin();
        let (got, _) = microphone.read(samples, Duration::from_millis(500))?;
        let heard = &samples[..got];
        sum += heard
            .iter()
            .map(|s| (f64::from(*s) / 32_768.0).powi(2))
            .sum::<f64>();
        n += got;
        listening.hear(heard);
    }
    let dbfs = (10.0 * (sum / n.max(1) as f64).max(1e-12).log10()) as f32;
    if dbfs < SILENT_DBFS && !stop.is_set() {
        return Err(silent());
    }
    Ok(dbfs)
}

fn silent() -> DeviceFault {
    DeviceFault {
        device: DeviceKind::Microphone,
        kind: FaultKind::NoFrames,
        place: "microphone".to_owned(),
        detail: "no sound at all over a second".to_owned(),
        mend: "look for a switch on the microphone; `alsamixer` shows whether it is muted"
            .to_owned(),
    }
}

/// A sound that somebody wants to be played.
#[derive(Debug)]
pub struct Play {
    /// Samples of [`SAMPLE_RATE_HZ`].
    pub samples: Vec<i16>,
    /// Where it is said that the speaker has taken them, or the code of its fault.
    pub answer: Sender<Result<(), &'static str>>,
}

/// How often the speaker is asked whether it is there.
const SPEAKER_TURN: Duration = Duration::from_secs(1);

/// Keeps the speaker ready, and plays what the self-test wants. No prompt is said over it yet.
///
/// # Errors
/// Never by itself: a fault is in the memory.
pub fn speaker_thread(
    mut speaker: Steady<dyn Speaker>,
    orders: &Receiver<Play>,
    stop: &Stop,
) -> anyhow::Result<()> {
    while !stop.is_set() {
        match orders.recv_timeout(SPEAKER_TURN) {
            Ok(Play { samples, answer }) => {
                let played = speaker.ask(|speaker| speaker.play(&samples));
                // Who has given up waiting needs no answer.
                let _ = answer.try_send(played.map_err(|fault| fault.code()));
            }
            // A fault is told by the device's keeper.
            Err(RecvTimeoutError::Timeout) => drop(speaker.ask(|speaker| speaker.play(&[]))),
            // Who could order is gone: the service ends.
            Err(RecvTimeoutError::Disconnected) => std::thread::park_timeout(SPEAKER_TURN),
        }
    }
    Ok(())
}
