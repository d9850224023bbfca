//! Checks of board-file values: every error names the key, what was found, what is allowed and what mends it.

use std::fmt::Display;
use std::ops::RangeInclusive;

/// A value of the board file that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} = {found}: allowed is {allowed}; mend: {mend}")]
pub struct ConfigError {
    /// The key with its table, as `camera.width`.
    pub key: String,
    /// What was found.
    pub found: String,
    /// What is allowed.
    pub allowed: String,
    /// What mends it.
    pub mend: String,
}

/// Highest BCM number of the 40-pin header; 0 and 1 are the ID EEPROM's.
const HEADER_PINS: RangeInclusive<u32> = 2..=27;

/// Checks that a number lies in `allowed`.
///
/// # Errors
/// [`ConfigError`].
pub fn check_range<T: PartialOrd + Display>(
    key: &str,
    found: T,
    allowed: RangeInclusive<T>,
) -> Result<(), ConfigError> {
    if allowed.contains(&found) {
        return Ok(());
    }
    Err(ConfigError {
        key: key.to_owned(),
        found: found.to_string(),
        allowed: format!("{} to {}", allowed.start(), allowed.end()),
        mend: format!("set {key} to a value in that range"),
    })
}

/// Checks that a path is absolute, has no `..`, and begins with one of `roots`.
///
/// # Errors
/// [`ConfigError`].
pub fn check_path(key: &str, found: &str, roots: &[&str]) -> Result<(), ConfigError> {
    let plain = !found.contains("..") && !found.chars().any(char::is_control);
    if plain
        && roots
            .iter()
            .any(|r| found.starts_with(r) && found.len() > r.len())
    {
        return Ok(());
    }
    Err(ConfigError {
        key: key.to_owned(),
        found: format!("{found:?}"),
        allowed: format!("a path under {}, without `..`", roots.join(" or ")),
        mend: format!("`ls -l {}` shows what there is", roots.join(" ")),
    })
}

/// Checks that a BCM pin number is on the 40-pin header and free to use.
///
/// # Errors
/// [`ConfigError`].
pub fn check_pin(key: &str, found: u8) -> Result<(), ConfigError> {
    check_range(key, u32::from(found), HEADER_PINS).map_err(|e| ConfigError {
        mend:
            "use the BCM number (not the pin's place on the header); board/README.md has the table"
                .to_owned(),
        ..e
    })
}

/// One use of one pin of the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinUse {
    /// BCM number.
    pub pin: u8,
    /// The key that takes it, as `panel.dc_gpio`.
    pub key: String,
    /// Name of the bus line if two devices may share it (the clock of a bus); `None` for an own pin.
    pub shared: Option<&'static str>,
}

impl PinUse {
    /// A pin that only this key may use.
    pub fn own(pin: u8, key: impl Into<String>) -> Self {
        Self {
            pin,
            key: key.into(),
            shared: None,
        }
    }

    /// A line of a bus.
    pub fn bus(pin: u8, key: impl Into<String>, line: &'static str) -> Self {
        Self {
            pin,
            key: key.into(),
            shared: Some(line),
        }
    }
}

/// Checks that no pin has two uses; lines of one bus may be shared.
///
/// # Errors
/// [`ConfigError`] naming both keys.
pub fn pins_are_used_once(pins: &[PinUse]) -> Result<(), ConfigError> {
    for (i, second) in pins.iter().enumerate() {
        let clash = pins[..i].iter().find(|first| {
            first.pin == second.pin && (first.shared.is_none() || first.shared != second.shared)
        });
        if let Some(first) = clash {
            return Err(ConfigError {
                key: second.key.clone(),
                found: format!("GPIO {}, which {} uses already", second.pin, first.key),
                allowed: "each pin once".to_owned(),
                mend: "move one of the two; board/README.md has the pin table".to_owned(),
            });
        }
    }
    Ok(())
}

/// The pins behind a spidev node (`/dev/spidev0.1`): data in, data out, clock and its chip select. Other buses: none known.
pub fn spi_pins(key: &str, path: &str) -> Vec<PinUse> {
    let select = match path {
        "/dev/spidev0.0" => 8,
        "/dev/spidev0.1" => 7,
        _ => return Vec::new(),
    };
    vec![
        PinUse::bus(9, key, "SPI0 MISO"),
        PinUse::bus(10, key, "SPI0 MOSI"),
        PinUse::bus(11, key, "SPI0 SCLK"),
        PinUse::own(select, key),
    ]
}

/// The pins behind an I2C node. Other buses: none known.
pub fn i2c_pins(key: &str, path: &str) -> Vec<PinUse> {
    if path == "/dev/i2c-1" {
        vec![
            PinUse::bus(2, key, "I2C1 SDA"),
            PinUse::bus(3, key, "I2C1 SCL"),
        ]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clash_names_both_keys_and_a_bus_may_be_shared() {
        let check = |pins: &[PinUse], expected: Option<&str>| {
            let found = pins_are_used_once(pins).err().map(|e| e.to_string());
            match (&found, expected) {
                (None, None) => {}
                (Some(text), Some(part)) => assert!(text.contains(part), "{text}"),
                _ => panic!("{found:?} against {expected:?}"),
            }
        };
        check(&[PinUse::own(5, "a"), PinUse::own(6, "b")], None);
        check(
            &[PinUse::own(5, "a"), PinUse::own(5, "b")],
            Some("b = GPIO 5, which a uses already"),
        );
        let two_selects = [
            spi_pins("a", "/dev/spidev0.0"),
            spi_pins("b", "/dev/spidev0.1"),
        ]
        .concat();
        check(&two_selects, None);
        check(
            &[
                spi_pins("a", "/dev/spidev0.0"),
                vec![PinUse::own(10, "strip")],
            ]
            .concat(),
            Some("GPIO 10"),
        );
    }

    #[test]
    fn paths_stay_under_their_root() {
        for (path, good) in [
            ("/dev/video0", true),
            ("/dev/", false),
            ("/dev/../etc/shadow", false),
            ("video0", false),
            ("/dev/a\nb", false),
        ] {
            assert_eq!(check_path("k", path, &["/dev/"]).is_ok(), good, "{path:?}");
        }
    }
}
