//! The uplink: takes what is pending from `run`, brings it to the wallet, brings back the wallet's signed word.
//!
//! One request at a time. It decides nothing about outcomes: whether an acknowledgement is good is for `run` to say,
//! which has the wallet's key and the bytes.
//!
//! | the wallet answers | what is done |
//! |---|---|
//! | any status with an acknowledgement that `run` believes and that settles something | go on |
//! | 400, 409, 413, 422 without one | one at a time from here; an outcome that is refused alone three times waits behind all others |
//! | 401, 403 | wait for the longest time: somebody must enrol the booth |
//! | 429, 503 with Retry-After | wait as asked, at most an hour |
//! | 3xx, or 2xx without an acknowledgement | somebody else answers; wait and try again |
//! | anything else, or nothing | wait and try again, without end |

use super::backoff::{Backoff, BackoffConfig};
use super::http::{Answer, HttpClient, HttpError, OUTCOMES, OutcomesAnswer, OutcomesRequest};
use super::outbox::{MAX_STRIKES, Pending};
use super::status::{Hysteresis, NetCode, NetStatus};
use super::wire::{WireClient, WireError};
use crate::base::time::SharedClock;
use crate::trust::ack::{Digest, MAX_BATCH};
use crate::trust::floor::FloorFile;
use crate::trust::random_bytes;
use crate::trust::tls::{FlooredClock, TlsFiles};
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long `run` is asked to wait for an outcome; also how soon the uplink ends when it is told to.
const PULL_WAIT: Duration = Duration::from_secs(1);
/// Without `run` there is nothing to do but to look for it.
const RUN_RETRY: Duration = Duration::from_secs(1);
/// During a back-off it is looked so often whether somebody does not want to wait.
const HURRY_LOOK: Duration = Duration::from_secs(1);
/// After a batch was refused: so many go alone, enough to find the bad one three times.
const ALONE: u32 = MAX_BATCH as u32 + 3;

/// The uplink's part of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UplinkConfig {
    /// The wallet: `https://HOST[:PORT]`.
    pub url: String,
    /// The certificates.
    pub tls: TlsFiles,
    /// The socket of `run`.
    pub socket: PathBuf,
    /// The limit for one request, from name to last byte, in milliseconds. Default 3000.
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u64,
    /// How often the wallet is asked how it is while there is nothing to send, in seconds. Default 30.
    #[serde(default = "default_probe_every_s")]
    pub probe_every_s: u64,
    /// The delay after failures.
    #[serde(default)]
    pub backoff: BackoffConfig,
    /// A folder for the clock's floor; without it the floor is forgotten at a restart.
    #[serde(default)]
    pub state_dir: Option<PathBuf>,
}

const fn default_timeout_ms() -> u64 {
    3_000
}

const fn default_probe_every_s() -> u64 {
    30
}

/// What an answer means before anybody has looked at its acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Ack(String),
    Poison,
    Enrol,
    Later(NetCode, Option<Duration>),
}

fn judge(answer: &Answer) -> Verdict {
    if let Ok(body) = serde_json::from_slice::<OutcomesAnswer>(&answer.body) {
        return Verdict::Ack(body.ack);
    }
    match answer.status {
        400 | 409 | 413 | 422 => Verdict::Poison,
        401 | 403 => Verdict::Enrol,
        429 => Verdict::Later(NetCode::RateLimited, answer.retry_after),
        200..=399 => Verdict::Later(NetCode::CaptivePortal, None),
        _ => Verdict::Later(NetCode::Degraded, answer.retry_after),
    }
}

/// Times that would make the uplink send without pause, or never.
fn check(config: &UplinkConfig) -> Result<(), HttpError> {
    let backoff = config.backoff;
    let checks = [
        ("timeout_ms", config.timeout_ms, 100, 60_000, "100 to 60000"),
        ("probe_every_s", config.probe_every_s, 1, 3_600, "1 to 3600"),
        (
            "backoff.max_ms",
            backoff.max_ms,
            10,
            3_600_000,
            "10 to 3600000",
        ),
        (
            "backoff.min_ms",
            backoff.min_ms,
            1,
            backoff.max_ms,
            "1 to `max_ms`",
        ),
    ];
    match checks
        .into_iter()
        .find(|(_, found, least, most, _)| !(*least..=*most).contains(found))
    {
        Some((key, found, _, _, allowed)) => Err(HttpError::Setting {
            key,
            found,
            allowed,
        }),
        None => Ok(()),
    }
}

/// Works until `stop` is set.
///
/// # Errors
/// [`HttpError`] when the configuration cannot work; afterwards nothing ends it but `stop`.
pub fn run(config: &UplinkConfig, clock: SharedClock, stop: &AtomicBool) -> Result<(), HttpError> {
    check(config)?;
    let mut uplink = Uplink::new(config, clock)?;
    while !stop.load(Ordering::SeqCst) {
        let until = Instant::now() + uplink.turn();
        // A back-off is long; somebody at the booth may not want to wait for its end.
        while !stop.load(Ordering::SeqCst) && Instant::now() < until && !uplink.is_to_hurry() {
            let left = until.saturating_duration_since(Instant::now());
            wait(left.min(HURRY_LOOK), stop);
        }
    }
    Ok(())
}

fn wait(delay: Duration, stop: &AtomicBool) {
    let until = Instant::now() + delay;
    while !stop.load(Ordering::SeqCst) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(Duration::from_millis(100)));
    }
}

struct Uplink {
    http: HttpClient,
    time: Arc<FlooredClock>,
    floor: Option<FloorFile>,
    socket: PathBuf,
    run: Option<WireClient>,
    backoff: Backoff,
    longest: Duration,
    hysteresis: Hysteresis,
    probe_every: Duration,
    probed: Option<Instant>,
    alone: u32,
    poison_at: Instant,
    /// What the wallet is told of the booth.
    status: String,
    /// How often somebody wanted it to try at once.
    hurries: u64,
}

impl Uplink {
    fn new(config: &UplinkConfig, clock: SharedClock) -> Result<Self, HttpError> {
        let mut floor = config.state_dir.as_deref().map(FloorFile::new);
        let known_s = floor.as_mut().map_or(0, FloorFile::read);
        let time = Arc::new(FlooredClock::new(clock, known_s));
        let limit = Duration::from_millis(config.timeout_ms);
        Ok(Self {
            http: HttpClient::new(&config.url, &config.tls, Arc::clone(&time), limit)?,
            time,
            floor,
            socket: config.socket.clone(),
            run: None,
            backoff: Backoff::new(config.backoff),
            longest: Duration::from_millis(config.backoff.max_ms),
            hysteresis: Hysteresis::default(),
            probe_every: Duration::from_secs(config.probe_every_s),
            probed: None,
            alone: 0,
            poison_at: Instant::now(),
            status: String::new(),
            hurries: 0,
        })
    }

    /// Whether somebody wants what waits to be tried at once.
    fn is_to_hurry(&mut self) -> bool {
        let Some(run) = &mut self.run else {
            return false;
        };
        match run.heartbeat(None) {
            Ok((_, hurries)) => {
                let before = std::mem::replace(&mut self.hurries, hurries);
                if hurries > before {
                    // Nothing keeps what comes next from being sent or asked.
                    self.probed = None;
                    self.backoff.reset();
                }
                hurries > before
            }
            // The next turn finds out.
            Err(_) => {
                self.run = None;
                true
            }
        }
    }

    /// One turn: connect to `run` if need be, send what is pending or see how the wallet is. Gives how long to wait.
    fn turn(&mut self) -> Duration {
        let Some(mut run) = self.run.take() else {
            return self.reach_run();
        };
        match self.turn_with(&mut run) {
            Ok(delay) => {
                self.run = Some(run);
                delay
            }
            Err(e) => {
                tracing::warn!(error = %e, "connection to `run` is lost");
                RUN_RETRY
            }
        }
    }

    fn reach_run(&mut self) -> Duration {
        let reached = WireClient::connect(&self.socket).and_then(|mut run| {
            run.net_status(self.hysteresis.status())?;
            Ok(run)
        });
        match reached {
            Ok(run) => {
                self.run = Some(run);
                Duration::ZERO
            }
            Err(e) => {
                tracing::debug!(error = %e, "`run` is not there");
                RUN_RETRY
            }
        }
    }

    fn turn_with(&mut self, run: &mut WireClient) -> Result<Duration, WireError> {
        // After a failure one outcome tries the way for the others.
        let limit = if self.alone > 0 || self.backoff.failures() > 0 {
            1
        } else {
            MAX_BATCH
        };
        let due = self.probe_due();
        let patience = if due { Duration::ZERO } else { PULL_WAIT };
        let (items, _held) = run.pending(limit, patience)?;
        if items.is_empty() {
            return if due {
                self.probe(run)
            } else {
                Ok(Duration::ZERO)
            };
        }
        // What the wallet has refused three times comes only when there is nothing else, and must not keep the uplink
        // from what comes next: between two attempts it is as if nothing were pending.
        if items[0].strikes >= MAX_STRIKES && Instant::now() < self.poison_at {
            return if due { self.probe(run) } else { Ok(PULL_WAIT) };
        }
        self.send(run, &items)
    }

    fn probe_due(&self) -> bool {
        self.probed
            .is_none_or(|at| at.elapsed() >= self.probe_every)
    }

    fn probe(&mut self, run: &mut WireClient) -> Result<Duration, WireError> {
        self.probed = Some(Instant::now());
        // How the booth is now, not how it was at the last beat.
        (self.status, self.hurries) = run.heartbeat(None)?;
        let asked = self.http.health(&self.status);
        self.time_of(run, &asked)?;
        let result = match asked {
            Ok(answer) if answer.status == 200 => Ok(()),
            Ok(answer) => Err(match judge(&answer) {
                Verdict::Later(code, _) => code,
                _ => NetCode::Rejected,
            }),
            Err(e) => Err(self.explain(&e)),
        };
        let good = result.is_ok();
        self.tell(run, result)?;
        if good {
            self.backoff.reset();
            Ok(Duration::ZERO)
        } else {
            // Asked again soon, so that the status is right soon; but no sooner than an outcome would be sent.
            self.probed = None;
            Ok(self.delay(None))
        }
    }

    fn send(&mut self, run: &mut WireClient, items: &[Pending]) -> Result<Duration, WireError> {
        self.probed = Some(Instant::now());
        let request = OutcomesRequest {
            items: items.iter().map(|i| i.jws.as_str()).collect(),
        };
        let body = serde_json::to_vec(&request).map_err(|e| WireError::Broken {
            reason: e.to_string(),
        })?;
        let sent = self.http.post(OUTCOMES, &body);
        self.time_of(run, &sent)?;
        let verdict = match sent {
            Ok(answer) => judge(&answer),
            Err(e) => Verdict::Later(self.explain(&e), None),
        };
        match verdict {
            Verdict::Ack(ack) => self.deliver(run, ack),
            Verdict::Later(code, retry_after) => {
                self.tell(run, Err(code))?;
                Ok(self.delay(retry_after))
            }
            Verdict::Enrol => {
                self.tell(run, Err(NetCode::Rejected))?;
                Ok(self.delay(Some(self.longest)))
            }
            Verdict::Poison => {
                match items {
                    [one] if one.strikes >= MAX_STRIKES => {
                        // The wallet is well; it is this outcome.
                        self.poison_at = Instant::now() + self.longest;
                        self.strike(run, one.sha256)?;
                        self.tell(run, Ok(()))?;
                        return Ok(Duration::ZERO);
                    }
                    [one] => self.strike(run, one.sha256)?,
                    _ => self.alone = ALONE,
                }
                self.tell(run, Err(NetCode::Rejected))?;
                Ok(self.delay(None))
            }
        }
    }

    /// Hands the wallet's word to `run`, and goes on only if it settled something.
    fn deliver(&mut self, run: &mut WireClient, ack: String) -> Result<Duration, WireError> {
        let report = match run.acknowledge(ack) {
            Ok(report) => report,
            Err(WireError::Refused { code, text }) => {
                tracing::error!(code, text, "`run` does not believe the acknowledgement");
                self.tell(run, Err(NetCode::Degraded))?;
                return Ok(self.delay(None));
            }
            Err(e) => return Err(e),
        };
        // `run` has checked the signature over this time.
        if self.time.raise(report.server_time)
            && let Some(floor) = &mut self.floor
        {
            floor.write(self.time.floor_s());
        }
        if report.settled() == 0 {
            self.tell(run, Err(NetCode::Degraded))?;
            return Ok(self.delay(None));
        }
        self.alone = self.alone.saturating_sub(1);
        self.backoff.reset();
        self.tell(run, Ok(()))?;
        Ok(Duration::ZERO)
    }

    fn strike(&mut self, run: &mut WireClient, sha256: Digest) -> Result<(), WireError> {
        tracing::warn!(%sha256, "the wallet refuses an outcome without a signed word");
        run.strike(sha256)
    }

    /// Hands the wallet's time on: it came over a connection that is the wallet's.
    fn time_of(
        &self,
        run: &mut WireClient,
        answer: &Result<Answer, HttpError>,
    ) -> Result<(), WireError> {
        let date_s = answer.as_ref().ok().and_then(|a| a.date_s);
        date_s.map_or(Ok(()), |at| run.heartbeat(Some(at)).map(drop))
    }

    fn tell(&mut self, run: &mut WireClient, result: Result<(), NetCode>) -> Result<(), WireError> {
        match self.hysteresis.note(result) {
            Some(status) => {
                log(status);
                run.net_status(status)
            }
            None => Ok(()),
        }
    }

    fn explain(&self, error: &HttpError) -> NetCode {
        tracing::debug!(%error, clock_behind = self.time.is_behind(), "request failed");
        error.code()
    }

    fn delay(&mut self, retry_after: Option<Duration>) -> Duration {
        // Without chance the delay is the shortest, which is no reason to stop.
        let chance = random_bytes().map_or(0, u64::from_be_bytes);
        self.backoff.next(chance, retry_after)
    }
}

fn log(status: NetStatus) {
    let code = status.code.map_or("", NetCode::code);
    tracing::info!(state = ?status.state, code, "network status");
}

#[cfg(test)]
mod tests;
