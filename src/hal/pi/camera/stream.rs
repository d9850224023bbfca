//! The stream of crate `v4l` with its traps kept shut; the module above says which.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use v4l::Device;
use v4l::buffer::{Metadata, Type};
use v4l::io::traits::{CaptureStream, Stream as _};
use v4l::prelude::MmapStream;

/// `POLLIN`.
const POLL_IN: i16 = 1;
/// Buffers asked for: one is held by us, the others are the driver's.
const BUFFERS: u32 = 4;

/// Most buffers that a driver may hand out (`VIDEO_MAX_FRAME`).
const MOST_BUFFERS: usize = 32;

/// A running stream: all buffers queued, one dequeued and held.
pub(super) struct Running(MmapStream<'static>);

/// Runs a call into crate `v4l`; its panics become errors.
pub(super) fn guarded<T>(call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    // What the closure touched is thrown away by the caller after an error, so no half-done state is seen.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| {
        Err(io::Error::other(
            "the driver's answer is not one that crate v4l knows",
        ))
    })
}

pub(super) fn is_errno(error: &io::Error, errno: rustix::io::Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

impl Running {
    /// Queues all buffers, starts, and waits until `deadline` for the first frame, which is given back at once. `None`: no frame came.
    pub(super) fn start(device: &Device, deadline: Instant) -> io::Result<Option<Self>> {
        let mut running = guarded(|| {
            let mut stream = MmapStream::with_buffers(device, Type::VideoCapture, BUFFERS)?;
            // The driver decides how many there are, and the crate does not say: EINVAL means that this index is none.
            let mut queued = 0;
            while queued < MOST_BUFFERS {
                match CaptureStream::queue(&mut stream, queued) {
                    Ok(()) => queued += 1,
                    Err(e) if is_errno(&e, rustix::io::Errno::INVAL) && queued >= 2 => break,
                    Err(e) => return Err(e),
                }
            }
            stream.start()?;
            Ok(Self(stream))
        })?;
        let first = running.wait(deadline).and_then(|ready| {
            if ready {
                guarded(|| CaptureStream::dequeue(&mut running.0))?;
            }
            Ok(ready)
        });
        match first {
            Ok(true) => Ok(Some(running)),
            Ok(false) => {
                running.stop();
                Ok(None)
            }
            Err(e) => {
                running.stop();
                Err(e)
            }
        }
    }

    /// Whether a frame is there before `deadline`. True also if the device has an error to tell: the next call tells it.
    pub(super) fn wait(&self, deadline: Instant) -> io::Result<bool> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let millis = i32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
            match guarded(|| self.0.handle().poll(POLL_IN, millis)) {
                Ok(ready) => return Ok(ready > 0),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Gives the last buffer back and hands the next one, which [`Running::wait`] has seen, to `work`.
    pub(super) fn with_next<T>(
        &mut self,
        work: impl FnOnce(&[u8], &Metadata) -> T,
    ) -> io::Result<T> {
        guarded(|| {
            let (bytes, meta) = CaptureStream::next(&mut self.0)?;
            let used = bytes.len().min(meta.bytesused as usize);
            Ok(work(&bytes[..used], meta))
        })
    }

    /// Stops the stream so that dropping it cannot panic; one that cannot be stopped is leaked.
    pub(super) fn stop(mut self) {
        match guarded(|| self.0.stop()) {
            Err(e) if !is_errno(&e, rustix::io::Errno::NODEV) => {
                tracing::warn!(error = %e, "camera stream cannot be stopped; its buffers stay");
                std::mem::forget(self);
            }
            _ => {
                let _ = guarded(|| {
                    drop(self);
                    Ok(())
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_crate_becomes_an_error() {
        let error = guarded(|| -> io::Result<()> {
            Err::<(), ()>(()).map_err(|()| unreachable!("as the crate does"))
        });
        assert!(error.is_err());
    }
}
