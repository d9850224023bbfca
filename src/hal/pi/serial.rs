//! The technician's serial line: raw termios, 115200 8N1, opened exclusively, never blocking.

use super::check::{ConfigError, PinUse, check_path};
use super::node::{fault, fault_of, poll_time};
use crate::base::time::SharedClock;
use crate::hal::{DeviceFault, DeviceKind, FaultKind, SerialLine};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{
    ControlModes, InputModes, OptionalActions, QueueSelector, tcflush, tcgetattr, tcsetattr,
};
use serde::Deserialize;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Bits a second.
const BAUD: u32 = 115_200;
/// Longest time for which a write may wait for the line.
const WRITE_FOR: Duration = Duration::from_secs(1);

const MENDS: [(FaultKind, &str); 3] = [
    (
        FaultKind::Absent,
        "add `enable_uart=1` (board/boot/config.txt) and reboot; `ls -l /dev/serial*` shows the lines",
    ),
    (
        FaultKind::Permission,
        "`usermod -aG dialout boothd`, check DeviceAllow in the service's unit, then restart it",
    ),
    (
        FaultKind::Busy,
        "a login may sit on it: `systemctl disable --now serial-getty@ttyAMA0`; `fuser -v` on the line shows others",
    ),
];

/// `[serial]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SerialConfig {
    /// The line, as `/dev/serial0` or `/dev/ttyUSB0`.
    pub path: String,
}

impl SerialConfig {
    /// Checks all values.
    ///
    /// # Errors
    /// The first [`ConfigError`] found.
    pub fn validate(&self) -> Result<(), ConfigError> {
        check_path("serial.path", &self.path, &["/dev/tty", "/dev/serial"])
    }

    /// The pins in use: the header's two for the board's own line, none for a USB adapter.
    pub fn pins(&self) -> Vec<PinUse> {
        if ["/dev/serial0", "/dev/ttyAMA0", "/dev/ttyS0"].contains(&self.path.as_str()) {
            vec![
                PinUse::own(14, "serial.path"),
                PinUse::own(15, "serial.path"),
            ]
        } else {
            Vec::new()
        }
    }
}

#[derive(Debug)]
struct TermiosLine {
    place: String,
    fd: OwnedFd,
}

/// Opens the line, takes it for itself, and sets it raw.
///
/// # Errors
/// `Absent`, `Busy`, `Permission`; `WrongDevice` if it is no terminal line; `Io`.
pub fn open(
    config: &SerialConfig,
    _clock: SharedClock,
) -> Result<Box<dyn SerialLine>, DeviceFault> {
    let place = config.path.as_str();
    let err = |action: &str, e: Errno| line_fault(place, action, e);
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::open(place, flags, Mode::empty()).map_err(|e| err("open", e))?;
    let mut modes = tcgetattr(&fd).map_err(|e| err("tcgetattr", e))?;
    // Root opens a line past this; the service is not root.
    rustix::termios::ioctl_tiocexcl(&fd).map_err(|e| err("TIOCEXCL", e))?;
    modes.make_raw();
    modes.control_modes -= ControlModes::CSTOPB | ControlModes::CRTSCTS | ControlModes::PARENB;
    modes.control_modes |= ControlModes::CS8 | ControlModes::CREAD | ControlModes::CLOCAL;
    // A break is noise here, not a signal; XOFF must not be able to stop our output.
    modes.input_modes -= InputModes::IXON | InputModes::IXOFF | InputModes::BRKINT;
    modes.input_modes |= InputModes::IGNBRK;
    modes.set_speed(BAUD).map_err(|e| err("set 115200", e))?;
    tcsetattr(&fd, OptionalActions::Now, &modes).map_err(|e| err("tcsetattr", e))?;
    // What lay in the queues was meant for somebody else.
    tcflush(&fd, QueueSelector::IOFlush).map_err(|e| err("tcflush", e))?;
    Ok(Box::new(TermiosLine {
        place: place.to_owned(),
        fd,
    }))
}

fn line_fault(place: &str, action: &str, errno: Errno) -> DeviceFault {
    if errno == Errno::NOTTY || errno == Errno::INVAL {
        return fault_of(
            DeviceKind::Serial,
            FaultKind::WrongDevice,
            place,
            format!("{action}: not a serial line"),
            "`ls -l /dev/serial*` shows the lines; put one in serial.path",
        );
    }
    fault(
        DeviceKind::Serial,
        place,
        action,
        &io::Error::from(errno),
        &MENDS,
    )
}

impl TermiosLine {
    /// Waits until `deadline`; false on time-out.
    fn wait(&self, events: PollFlags, deadline: Instant) -> Result<bool, DeviceFault> {
        loop {
            let left = poll_time(deadline.saturating_duration_since(Instant::now()));
            let mut fds = [PollFd::new(&self.fd, events)];
            match poll(&mut fds, Some(&left)) {
                Ok(0) => return Ok(false),
                Ok(_) => {
                    let seen = fds[0].revents();
                    if !seen.intersects(events) && seen.intersects(PollFlags::HUP | PollFlags::ERR)
                    {
                        return Err(line_fault(&self.place, "hung up", Errno::NODEV));
                    }
                    return Ok(true);
                }
                Err(Errno::INTR) => {}
                Err(e) => return Err(line_fault(&self.place, "poll", e)),
            }
        }
    }
}

impl SerialLine for TermiosLine {
    fn read(&mut self, into: &mut [u8], timeout: Duration) -> Result<usize, DeviceFault> {
        let deadline = Instant::now() + timeout.min(Duration::from_secs(3600));
        if into.is_empty() || !self.wait(PollFlags::IN, deadline)? {
            return Ok(0);
        }
        match rustix::io::read(&self.fd, into) {
            // Ready and nothing to read: the other end is gone.
            Ok(0) => Err(line_fault(&self.place, "hung up", Errno::NODEV)),
            Ok(n) => Ok(n),
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            Err(Errno::IO) => Err(line_fault(&self.place, "hung up", Errno::NODEV)),
            Err(e) => Err(line_fault(&self.place, "read", e)),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DeviceFault> {
        let deadline = Instant::now() + WRITE_FOR;
        let mut left = bytes;
        while !left.is_empty() {
            match rustix::io::write(&self.fd, left) {
                Ok(n) => left = &left[n..],
                Err(Errno::AGAIN) => {
                    if !self.wait(PollFlags::OUT, deadline)? {
                        return Err(fault_of(
                            DeviceKind::Serial,
                            FaultKind::Io,
                            &self.place,
                            format!(
                                "{} of {} bytes not taken within a second",
                                left.len(),
                                bytes.len()
                            ),
                            "nobody reads at the other end: connect the terminal again",
                        ));
                    }
                }
                Err(Errno::INTR) => {}
                Err(e) => return Err(line_fault(&self.place, "write", e)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::SystemClock;
    use linux_embedded_hal::serialport::{SerialPort as _, TTYPort};
    use std::io::{Read as _, Write as _};
    use std::sync::Arc;

    const LONG: Duration = Duration::from_secs(10);

    /// A pseudo-terminal: its far end, and our line opened on the near end.
    fn pair() -> (TTYPort, Box<dyn SerialLine>) {
        let (mut far, near) = TTYPort::pair().expect("the kernel has pseudo-terminals");
        far.set_timeout(LONG).expect("a time-out can be set");
        let path = near.name().expect("the near end has a path");
        // The near end was opened exclusively by the crate; ours takes its place.
        drop(near);
        let line = open(&SerialConfig { path }, Arc::new(SystemClock)).expect("a terminal opens");
        (far, line)
    }

    #[test]
    fn bytes_pass_unchanged_both_ways() {
        let (mut far, mut line) = pair();
        let all: Vec<u8> = (0..=255).collect();
        line.write(&all).expect("256 bytes fit in the queue");
        let mut seen = [0; 256];
        far.read_exact(&mut seen).expect("all bytes arrive");
        assert_eq!(seen.to_vec(), all);

        far.write_all(&all).expect("256 bytes fit in the queue");
        let (mut seen, mut buffer) = (Vec::new(), [0; 64]);
        while seen.len() < all.len() {
            let n = line.read(&mut buffer, LONG).expect("bytes are there");
            assert!(n > 0, "only {} bytes came", seen.len());
            seen.extend_from_slice(&buffer[..n]);
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn a_silent_line_times_out_and_a_lost_one_is_absent() {
        let (far, mut line) = pair();
        let mut buffer = [0; 8];
        assert_eq!(line.read(&mut buffer, Duration::ZERO), Ok(0));
        assert_eq!(line.read(&mut [], LONG), Ok(0));
        drop(far);
        let fault = line
            .read(&mut buffer, LONG)
            .expect_err("the far end is gone");
        assert_eq!(fault.kind, FaultKind::Absent, "{fault}");
    }

    #[test]
    fn absent_and_wrong_lines() {
        let check = |path: &str, kind| {
            let config = SerialConfig {
                path: path.to_owned(),
            };
            let fault = open(&config, Arc::new(SystemClock)).expect_err("no line");
            assert_eq!(
                (fault.kind, fault.code()),
                (kind, "hw.serial.fault"),
                "{fault}"
            );
        };
        check("/dev/ttyNONE0", FaultKind::Absent);
        check("/dev/null", FaultKind::WrongDevice);
    }
}
