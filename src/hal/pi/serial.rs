//! The technician's serial line: raw termios, 115200 8N1, opened exclusively, never blocking. `boothd console` has it; `boothd run` does not.

use super::check::{ConfigError, PinUse, check_path};
use super::node::{fault, fault_of};
use crate::hal::{DeviceFault, DeviceKind, FaultKind};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{
    ControlModes, InputModes, OptionalActions, QueueSelector, tcflush, tcgetattr, tcsetattr,
};
use serde::Deserialize;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Bits a second.
const BAUD: u32 = 115_200;

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

/// Whether the line's carrier (DCD) says that somebody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A cable of three wires has none.
    Ignored,
    /// When it drops, the line is hung up.
    Watched,
}

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Somebody sent a BREAK.
    pub is_break: bool,
}

/// The line, open.
#[derive(Debug)]
pub struct Line {
    place: String,
    fd: OwnedFd,
    marks: Marks,
}

/// Takes the kernel's marks out of what it read (`PARMRK`): 0xff 0xff is the byte 0xff, 0xff 0 0 a BREAK, 0xff 0 X a byte X that came
/// damaged.
#[derive(Debug, Default)]
struct Marks {
    /// How many bytes of a mark were seen: 0xff, 0xff 0.
    seen: u8,
}

impl Marks {
    /// Adds what was typed to `into`; whether there was a BREAK.
    fn take(&mut self, bytes: &[u8], into: &mut Vec<u8>) -> bool {
        let mut is_break = false;
        for byte in bytes {
            (self.seen, is_break) = match (self.seen, byte) {
                (0, 0xff) => (1, is_break),
                (0, byte) => {
                    into.push(*byte);
                    (0, is_break)
                }
                (1, 0) => (2, is_break),
                // The byte 0xff: no key has it.
                (1, _) => (0, is_break),
                (_, 0) => (0, true),
                // A damaged byte is noise.
                (_, _) => (0, is_break),
            };
        }
        is_break
    }
}

impl Line {
    /// Opens the line, takes it for itself, and sets it raw.
    ///
    /// # Errors
    /// `Absent`, `Busy`, `Permission`; `WrongDevice` if it is no terminal line; `Io`.
    pub fn open(place: &str, carrier: Carrier) -> Result<Self, DeviceFault> {
        let err = |action: &str, e: Errno| line_fault(place, action, e);
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(place, flags, Mode::empty()).map_err(|e| err("open", e))?;
        let mut modes = tcgetattr(&fd).map_err(|e| err("tcgetattr", e))?;
        // Root opens a line past this; the console is not root.
        rustix::termios::ioctl_tiocexcl(&fd).map_err(|e| err("TIOCEXCL", e))?;
        modes.make_raw();
        modes.control_modes -= ControlModes::CSTOPB | ControlModes::CRTSCTS | ControlModes::PARENB;
        modes.control_modes |= ControlModes::CS8 | ControlModes::CREAD;
        modes
            .control_modes
            .set(ControlModes::CLOCAL, carrier == Carrier::Ignored);
        // XOFF must not be able to stop our output. A BREAK comes as a mark, not as a signal.
        modes.input_modes -= InputModes::IXON | InputModes::IXOFF | InputModes::BRKINT;
        modes.input_modes -= InputModes::IGNBRK | InputModes::IGNPAR;
        modes.input_modes |= InputModes::PARMRK | InputModes::INPCK;
        modes.set_speed(BAUD).map_err(|e| err("set 115200", e))?;
        tcsetattr(&fd, OptionalActions::Now, &modes).map_err(|e| err("tcsetattr", e))?;
        // What lay in the queues was meant for somebody else.
        tcflush(&fd, QueueSelector::IOFlush).map_err(|e| err("tcflush", e))?;
        Ok(Self {
            place: place.to_owned(),
            fd,
            marks: Marks::default(),
        })
    }

    /// Adds what is there to `into`, at most 4096 bytes (as much as the kernel keeps), without waiting.
    ///
    /// # Errors
    /// `Absent` when the line is hung up or gone; `Io`.
    pub fn read(&mut self, into: &mut Vec<u8>) -> Result<Read, DeviceFault> {
        let mut buffer = [0; 4096];
        match rustix::io::read(&self.fd, &mut buffer) {
            // Nothing to read, and not for lack of it: the other end is gone.
            Ok(0) | Err(Errno::IO) => Err(line_fault(&self.place, "hung up", Errno::NODEV)),
            Ok(n) => Ok(Read {
                is_break: self.marks.take(&buffer[..n], into),
            }),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Read::default()),
            Err(e) => Err(line_fault(&self.place, "read", e)),
        }
    }

    /// Writes what finds room, without waiting; gives how many bytes.
    ///
    /// # Errors
    /// As [`Line::read`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<usize, DeviceFault> {
        match rustix::io::write(&self.fd, bytes) {
            Ok(n) => Ok(n),
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            Err(Errno::IO) => Err(line_fault(&self.place, "hung up", Errno::NODEV)),
            Err(e) => Err(line_fault(&self.place, "write", e)),
        }
    }
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use linux_embedded_hal::serialport::{SerialPort as _, TTYPort};
    use rustix::event::{PollFd, PollFlags, poll};
    use std::io::{Read as _, Write as _};
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(10);

    /// A pseudo-terminal: its far end, and our line opened on the near end.
    fn pair() -> (TTYPort, Line) {
        let (mut far, near) = TTYPort::pair().expect("the kernel has pseudo-terminals");
        far.set_timeout(LONG).expect("a time-out can be set");
        let path = near.name().expect("the near end has a path");
        // The near end was opened exclusively by the crate; ours takes its place.
        drop(near);
        let line = Line::open(&path, Carrier::Ignored).expect("a terminal opens");
        (far, line)
    }

    fn wait(line: &Line) {
        let mut fds = [PollFd::new(line, PollFlags::IN)];
        poll(&mut fds, None).expect("it can be waited for");
    }

    #[test]
    fn bytes_pass_unchanged_both_ways() {
        let (mut far, mut line) = pair();
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(line.write(&all), Ok(256));
        let mut seen = [0; 256];
        far.read_exact(&mut seen).expect("all bytes arrive");
        assert_eq!(seen.to_vec(), all);

        // 0xff is no key, and dropped with the kernel's marks.
        far.write_all(&all).expect("256 bytes fit in the queue");
        let mut seen = Vec::new();
        while seen.len() < 255 {
            wait(&line);
            let read = line.read(&mut seen).expect("bytes are there");
            assert_eq!(read, Read::default(), "no BREAK among them");
        }
        assert_eq!(seen, all[..255]);
    }

    #[test]
    fn marks_of_the_kernel() {
        let check = |parts: &[&[u8]], bytes: &[u8], is_break: bool| {
            let (mut marks, mut into) = (Marks::default(), Vec::new());
            let seen = parts.iter().filter(|p| marks.take(p, &mut into)).count() > 0;
            assert_eq!((into.as_slice(), seen), (bytes, is_break), "{parts:?}");
        };
        check(&[b"ab"], b"ab", false);
        check(&[b"a\xff\0\0b"], b"ab", true);
        check(&[b"a\xff", b"\0", b"\0b"], b"ab", true);
        check(&[b"a\xff\0xb\xff\xffc"], b"abc", false);
        check(&[b"\xff\0\0\xff\0\0"], b"", true);
    }

    #[test]
    fn a_silent_line_gives_nothing_and_a_lost_one_is_absent() {
        let (far, mut line) = pair();
        let mut into = Vec::new();
        assert_eq!(line.read(&mut into), Ok(Read::default()));
        assert!(into.is_empty());
        drop(far);
        wait(&line);
        let fault = line.read(&mut into).expect_err("the far end is gone");
        assert_eq!(fault.kind, FaultKind::Absent, "{fault}");
    }

    #[test]
    fn a_far_end_that_does_not_read_does_not_hold_us_up() {
        let (_far, mut line) = pair();
        let mut taken = 0;
        for _ in 0..100 {
            taken += line.write(&[b'x'; 4096]).expect("the line is there");
        }
        assert!(taken < 100 * 4096, "{taken}");
    }

    #[test]
    fn absent_and_wrong_lines() {
        let check = |path: &str, kind| {
            let fault = Line::open(path, Carrier::Ignored).expect_err("no line");
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
