//! The thread that owns the outbox, and the handle that everybody else has.
//!
//! Requests go through a channel of 16; when it is full the caller waits, at most for the time-out of its call. A call
//! that times out may still be carried out: who gave up on a `commit` sees it in `stats` or at the next start.

use super::outbox::{
    AckReport, Entry, Outbox, OutboxError, OutboxStats, Pending, Reservation, Stored,
};
use crate::base::ids::SessionId;
use crate::base::standing::Standing;
use crate::trust::ack::Digest;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The thread's name.
pub const THREAD: &str = "outbox";
const CAPACITY: usize = 16;
/// A flash card that is cleaning up can take a second or two for one fsync.
const DEFAULT_LIMIT: Duration = Duration::from_secs(5);

type Reply<T> = Sender<Result<T, OutboxError>>;

enum Request {
    Reserve {
        session: SessionId,
        ticket_digest: [u8; 32],
        fallback: Vec<u8>,
        space_bytes: usize,
        reply: Reply<Reservation>,
    },
    UpdateFallback(Reservation, Vec<u8>, Reply<()>),
    Commit(Reservation, Vec<u8>, Option<Entry>, Reply<Stored>),
    Standing([u8; 32], Reply<Standing>),
    Pending(usize, usize, Reply<Vec<Pending>>),
    Acknowledge(String, Reply<AckReport>),
    Strike(Digest, Reply<()>),
    Stats(Reply<OutboxStats>),
    Stop,
}

/// Counts what was made pending, so that the uplink can wait for it.
#[derive(Debug, Default)]
struct Bell {
    rung: Mutex<u64>,
    woken: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.woken.notify_all();
    }
}

/// The outbox's thread; it ends when [`OutboxService::stop`] is called or this is dropped.
#[derive(Debug)]
pub struct OutboxService {
    handle: OutboxHandle,
    thread: Option<JoinHandle<()>>,
}

impl OutboxService {
    /// Gives the outbox a thread of its own.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(outbox: Outbox) -> Result<Self, std::io::Error> {
        let (requests, inbox) = bounded(CAPACITY);
        let handle = OutboxHandle {
            requests,
            bell: Arc::default(),
            holds: Arc::default(),
            limit: DEFAULT_LIMIT,
        };
        let bell = Arc::clone(&handle.bell);
        let thread = std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || serve(outbox, &inbox, &bell))?;
        Ok(Self {
            handle,
            thread: Some(thread),
        })
    }

    /// A handle.
    pub fn handle(&self) -> OutboxHandle {
        self.handle.clone()
    }

    /// Ends the thread after the requests that wait, and closes the outbox.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(thread) = self.thread.take() {
            // If the thread is gone already there is nobody to tell, and nothing to wait for but its end.
            let _ = self.handle.requests.send(Request::Stop);
            let _ = thread.join();
        }
    }
}

impl Drop for OutboxService {
    fn drop(&mut self) {
        self.end();
    }
}

fn serve(mut outbox: Outbox, inbox: &Receiver<Request>, bell: &Bell) {
    // A caller that has given up has dropped its end; its answer is of no use to anybody.
    while let Ok(request) = inbox.recv() {
        match request {
            Request::Reserve {
                session,
                ticket_digest,
                fallback,
                space_bytes,
                reply,
            } => {
                let done = outbox.reserve(&session, ticket_digest, &fallback, space_bytes);
                // A reservation can close an earlier one, whose fallback is pending then.
                bell.ring();
                let _ = reply.send(done);
            }
            Request::UpdateFallback(reservation, payload, reply) => {
                let _ = reply.send(outbox.update_fallback(&reservation, &payload));
            }
            Request::Standing(subject, reply) => {
                let _ = reply.send(outbox.standing(&subject));
            }
            Request::Commit(reservation, payload, entry, reply) => {
                let done = outbox.commit(&reservation, &payload, entry.as_ref());
                bell.ring();
                let _ = reply.send(done);
            }
            Request::Pending(limit, max_bytes, reply) => {
                let _ = reply.send(outbox.pending(limit, max_bytes));
            }
            Request::Acknowledge(ack, reply) => {
                let _ = reply.send(outbox.acknowledge(&ack));
            }
            Request::Strike(sha256, reply) => {
                let _ = reply.send(outbox.strike(&sha256));
            }
            Request::Stats(reply) => {
                let _ = reply.send(outbox.stats());
            }
            Request::Stop => return,
        }
    }
}

/// A way to the outbox; cheap to clone.
#[derive(Clone, Debug)]
pub struct OutboxHandle {
    requests: Sender<Request>,
    bell: Arc<Bell>,
    holds: Arc<AtomicU32>,
    limit: Duration,
}

/// While one of these lives, the uplink is given nothing to send.
#[derive(Debug)]
pub struct HoldGuard(Arc<AtomicU32>, Arc<Bell>);

impl Drop for HoldGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
        self.1.ring();
    }
}

impl OutboxHandle {
    /// The same way with another time-out for each call.
    pub fn with_limit(&self, limit: Duration) -> Self {
        Self {
            limit,
            ..self.clone()
        }
    }

    fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, OutboxError> {
        let until = Instant::now() + self.limit;
        let (reply, answer) = bounded(1);
        let timed_out = || OutboxError::TimedOut {
            limit_ms: u64::try_from(self.limit.as_millis()).unwrap_or(u64::MAX),
        };
        self.requests
            .send_deadline(request(reply), until)
            .map_err(|e| match e {
                crossbeam_channel::SendTimeoutError::Timeout(_) => timed_out(),
                crossbeam_channel::SendTimeoutError::Disconnected(_) => OutboxError::Stopped,
            })?;
        answer.recv_deadline(until).map_err(|e| match e {
            crossbeam_channel::RecvTimeoutError::Timeout => timed_out(),
            crossbeam_channel::RecvTimeoutError::Disconnected => OutboxError::Stopped,
        })?
    }

    /// As [`Outbox::reserve`].
    ///
    /// # Errors
    /// As there, [`OutboxError::TimedOut`], [`OutboxError::Stopped`].
    pub fn reserve(
        &self,
        session: &SessionId,
        ticket_digest: [u8; 32],
        fallback_payload: &[u8],
        space_bytes: usize,
    ) -> Result<Reservation, OutboxError> {
        self.ask(|reply| Request::Reserve {
            session: session.clone(),
            ticket_digest,
            fallback: fallback_payload.to_vec(),
            space_bytes,
            reply,
        })
    }

    /// As [`Outbox::update_fallback`].
    ///
    /// # Errors
    /// As there, [`OutboxError::TimedOut`], [`OutboxError::Stopped`].
    pub fn update_fallback(
        &self,
        reservation: &Reservation,
        payload: &[u8],
    ) -> Result<(), OutboxError> {
        self.ask(|reply| Request::UpdateFallback(*reservation, payload.to_vec(), reply))
    }

    /// As [`Outbox::commit`].
    ///
    /// # Errors
    /// As there, [`OutboxError::TimedOut`], [`OutboxError::Stopped`].
    pub fn commit(
        &self,
        reservation: &Reservation,
        payload: &[u8],
        entry: Option<Entry>,
    ) -> Result<Stored, OutboxError> {
        self.ask(|reply| Request::Commit(*reservation, payload.to_vec(), entry, reply))
    }

    /// As [`Outbox::standing`].
    ///
    /// # Errors
    /// As there, [`OutboxError::TimedOut`], [`OutboxError::Stopped`].
    pub fn standing(&self, subject: [u8; 32]) -> Result<Standing, OutboxError> {
        self.ask(|reply| Request::Standing(subject, reply))
    }

    /// As [`Outbox::pending`].
    ///
    /// # Errors
    /// As there, [`OutboxError::TimedOut`], [`OutboxError::Stopped`].
    pub fn pending(&self, limit: usize, max_bytes: usize) -> Result<Vec<Pending>, OutboxError> {
        self.ask(|reply| Request::Pending(limit, max_bytes, reply))
    }

    /// As [`Outbox::acknowledge`].
    ///
    /// # Errors
    /// As there, [`OutboxError::TimedOut`], [`OutboxError::Stopped`].
    pub fn acknowledge(&self, ack_jws: &str) -> Result<AckReport, OutboxError> {
        self.ask(|reply| Request::Acknowledge(ack_jws.to_owned(), reply))
    }

    /// As [`Outbox::strike`].
    ///
    /// # Errors
    /// As there, [`OutboxError::TimedOut`], [`OutboxError::Stopped`].
    pub fn strike(&self, sha256: &Digest) -> Result<(), OutboxError> {
        self.ask(|reply| Request::Strike(*sha256, reply))
    }

    /// As [`Outbox::stats`].
    ///
    /// # Errors
    /// As there, [`OutboxError::TimedOut`], [`OutboxError::Stopped`].
    pub fn stats(&self) -> Result<OutboxStats, OutboxError> {
        self.ask(Request::Stats)
    }

    /// Gives the uplink nothing to send until the guard is dropped: a session runs, and its network is not ours to use.
    pub fn hold(&self) -> HoldGuard {
        self.holds.fetch_add(1, Ordering::SeqCst);
        HoldGuard(Arc::clone(&self.holds), Arc::clone(&self.bell))
    }

    /// Whether somebody holds.
    pub fn is_held(&self) -> bool {
        self.holds.load(Ordering::SeqCst) > 0
    }

    /// A mark for [`OutboxHandle::wait_for_change`]; take it before looking at what is pending.
    pub fn mark(&self) -> u64 {
        *self
            .bell
            .rung
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something may have become pending since `mark`, at most for `limit`. Gives whether it has.
    pub fn wait_for_change(&self, mark: u64, limit: Duration) -> bool {
        let rung = self
            .bell
            .rung
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (rung, _) = self
            .bell
            .woken
            .wait_timeout_while(rung, limit, |rung| *rung == mark)
            .unwrap_or_else(PoisonError::into_inner);
        *rung != mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::BoothId;
    use crate::base::time::SystemClock;
    use crate::delivery::outbox::OutboxConfig;
    use crate::trust::keys::{SoftwareKey, TrustedKeys};

    fn open(dir: &std::path::Path) -> Outbox {
        let config = OutboxConfig {
            state_dir: dir.to_owned(),
            max_rows: 100,
            max_mib: 16,
        };
        let signer = Arc::new(SoftwareKey::from_seed(&[1; 32]));
        let booth = BoothId::try_from("BOOTH-0001".to_owned()).unwrap();
        let keys = TrustedKeys::default();
        let (outbox, _) =
            Outbox::open(&config, booth, signer, keys, Arc::new(SystemClock)).unwrap();
        outbox
    }

    #[test]
    fn who_stops_the_service_gives_the_outbox_back() {
        let dir = tempfile::tempdir().unwrap();
        let service = OutboxService::start(open(dir.path())).unwrap();
        let handle = service.handle();
        let session = SessionId::from_parts(0, [1; 10]);
        let mark = handle.mark();
        let reservation = handle.reserve(&session, [1; 32], b"fallback", 10).unwrap();
        handle.update_fallback(&reservation, b"changed").unwrap();
        handle.commit(&reservation, b"outcome", None).unwrap();
        assert!(handle.wait_for_change(mark, Duration::ZERO));
        assert!(!handle.wait_for_change(handle.mark(), Duration::ZERO));
        service.stop();
        assert!(matches!(handle.stats(), Err(OutboxError::Stopped)));
        assert_eq!(open(dir.path()).stats().unwrap().pending, 1);
    }

    #[test]
    fn who_gets_no_answer_in_time_is_told() {
        // A channel that nobody reads from, as when the storage hangs.
        let (requests, _inbox) = bounded(CAPACITY);
        let handle = OutboxHandle {
            requests,
            bell: Arc::default(),
            holds: Arc::default(),
            limit: Duration::from_millis(1),
        };
        // Waiting for the answer, and then for a place in the channel.
        for _ in 0..CAPACITY + 1 {
            let error = handle.stats().unwrap_err();
            assert!(matches!(error, OutboxError::TimedOut { limit_ms: 1 }));
        }
    }
}
