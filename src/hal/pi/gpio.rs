//! Lines of a GPIO chip over the character device (`/dev/gpiochipN`): the only way that works on every board and without root.

use super::node::{fault, fault_of};
use crate::hal::{DeviceFault, DeviceKind, FaultKind};
use std::io;

const MENDS: [(FaultKind, &str); 3] = [
    (
        FaultKind::Absent,
        "`gpiodetect` lists the chips; the header is `pinctrl-bcm2711` on a Pi 4 and `pinctrl-rp1` on a Pi 5",
    ),
    (
        FaultKind::Permission,
        "`usermod -aG gpio boothd`, check DeviceAllow=char-gpiochip in boothd.service, then `systemctl restart boothd`",
    ),
    (
        FaultKind::Busy,
        "`gpioinfo` shows who has the line; take away the overlay or program that uses it",
    ),
];

/// The error number in an error of crate `gpiocdev`. The crate keeps it in a type that it does not export, so the text of the
/// error has to do: it ends in `(os error N)` by the standard library's format.
fn errno(error: &gpiocdev::Error) -> Option<i32> {
    let text = error.to_string();
    let (_, tail) = text.rsplit_once("(os error ")?;
    tail.split(')').next()?.parse().ok()
}

/// Turns an error of crate `gpiocdev` into a fault.
pub(crate) fn gpio_fault(
    device: DeviceKind,
    chip: &str,
    action: &str,
    error: &gpiocdev::Error,
) -> DeviceFault {
    match errno(error) {
        Some(number) => {
            let error = io::Error::from_raw_os_error(number);
            fault(device, chip, action, &error, &MENDS)
        }
        None => fault_of(
            device,
            FaultKind::WrongDevice,
            chip,
            format!("{action}: {error}"),
            MENDS[0].1,
        ),
    }
}

/// Checks that the chip can be opened and, if the board file names one, that its label is the expected one: the numbers of
/// chips change between kernels, and a wrong chip would switch something else.
pub(crate) fn check_chip(
    device: DeviceKind,
    chip: &str,
    label: Option<&str>,
) -> Result<(), DeviceFault> {
    // Opened plainly first: the error number is exact then.
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(chip)
        .map_err(|e| fault(device, chip, "open", &e, &MENDS))?;
    let info = gpiocdev::chip::Chip::from_path(chip)
        .and_then(|c| c.info())
        .map_err(|e| gpio_fault(device, chip, "read the chip's label", &e))?;
    match label {
        Some(label) if label != info.label => Err(fault_of(
            device,
            FaultKind::WrongDevice,
            chip,
            format!("label `{}`, the board file wants `{label}`", info.label),
            "`gpiodetect` lists the chips with their labels; put the right one in the board file",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_number_is_found_in_the_text() {
        for number in [13, 16, 19] {
            let error = gpiocdev::Error::from(io::Error::from_raw_os_error(number));
            assert_eq!(errno(&error), Some(number), "{error}");
        }
        assert_eq!(errno(&gpiocdev::Error::NoGpioChips()), None);
    }

    #[test]
    fn absent_and_wrong_chips() {
        let check = |chip, kind| {
            let fault = check_chip(DeviceKind::Buttons, chip, None).expect_err("no such chip");
            assert_eq!(fault.kind, kind, "{fault}");
        };
        check("/dev/gpiochip-none", FaultKind::Absent);
        check("/dev/null", FaultKind::WrongDevice);
    }
}
