//! Threads by name. The first one that ends, for whatever reason, ends the service: a booth with half its threads is worse
//! than one that starts again.

use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Tells all threads to end. Cheap to ask, shared by clones.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks everybody to end.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether the end was asked for.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// The flag itself, for signal handlers.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

/// How a thread ended.
#[derive(Debug)]
pub struct Ended {
    /// Its name.
    pub name: String,
    /// Its error, or that it panicked; `Ok` if it just returned.
    pub result: anyhow::Result<()>,
}

/// The threads of a process.
#[derive(Debug)]
pub struct Crew {
    stop: Stop,
    threads: Vec<JoinHandle<()>>,
    ended: (Sender<Ended>, Receiver<Ended>),
}

impl Crew {
    /// Nobody yet.
    pub fn new(stop: Stop) -> Self {
        Self {
            stop,
            threads: Vec::new(),
            ended: bounded(64),
        }
    }

    /// Starts a thread. The work ends soon after `Stop` is set.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn spawn(
        &mut self,
        name: &str,
        work: impl FnOnce(&Stop) -> anyhow::Result<()> + Send + 'static,
    ) -> std::io::Result<()> {
        let (stop, ended, owned) = (self.stop.clone(), self.ended.0.clone(), name.to_owned());
        let thread = std::thread::Builder::new()
            .name(format!("k-{name}"))
            .spawn(move || {
                let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&stop)))
                    .unwrap_or_else(|_| Err(anyhow::anyhow!("panicked")));
                // The channel has room for all threads of a process; if it had not, the loss of this line is harmless.
                let _ = ended.try_send(Ended {
                    name: owned,
                    result,
                });
            })?;
        self.threads.push(thread);
        Ok(())
    }

    /// Waits until the first thread ends, or `Stop` is set; then stops the others and waits for them.
    ///
    /// # Errors
    /// The error of the first thread that failed, with its name.
    pub fn watch(self) -> anyhow::Result<()> {
        let first = loop {
            match self
                .ended
                .1
                .recv_timeout(std::time::Duration::from_millis(100))
            {
                Ok(ended) => break Some(ended),
                Err(_) if self.stop.is_set() => break None,
                Err(_) => {}
            }
        };
        let asked = self.stop.is_set();
        self.stop.set();
        for thread in self.threads {
            // A panic was caught inside and is reported below.
            let _ = thread.join();
        }
        let rest = self.ended.1.try_iter();
        for ended in first.into_iter().chain(rest) {
            match ended.result {
                Err(error) => return Err(error.context(format!("thread `{}`", ended.name))),
                Ok(()) if !asked => {
                    tracing::info!(thread = ended.name, "thread ended; the service stops")
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_ends_all_and_is_named() {
        let mut crew = Crew::new(Stop::default());
        crew.spawn("good", |stop| {
            while !stop.is_set() {
                std::thread::yield_now();
            }
            Ok(())
        })
        .expect("a thread");
        crew.spawn("bad", |_| anyhow::bail!("no frames"))
            .expect("a thread");
        let error = crew.watch().expect_err("one failed");
        assert_eq!(format!("{error:#}"), "thread `bad`: no frames");
    }

    #[test]
    fn a_panic_is_an_error_with_a_name() {
        let mut crew = Crew::new(Stop::default());
        crew.spawn("rash", |_| panic!("on purpose"))
            .expect("a thread");
        assert_eq!(
            format!("{:#}", crew.watch().expect_err("it panicked")),
            "thread `rash`: panicked"
        );
    }
}
