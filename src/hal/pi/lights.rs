//! The light ring: a white ring of two sides on hardware PWM, or an addressable colour strip (WS2812) on the SPI data line.
//!
//! Limits on flashing and heat are not here but in the light driver above, which alone calls this. What is here is the ceiling
//! of the board: no level above `max_duty` is ever given out.

use super::check::{ConfigError, PinUse, check_path, check_pin, check_range};
use super::node::{fault, fault_of};
use crate::base::time::SharedClock;
use crate::hal::{DeviceFault, DeviceKind, FaultKind, LightLevels, Lights, SideLevel};
use linux_embedded_hal::SpidevBus;
use linux_embedded_hal::spidev::{SpiModeFlags, SpidevOptions};
use rppal::pwm::{Polarity, Pwm};
use serde::Deserialize;
use std::io::{self, Write as _};
use std::time::Duration;

/// `[lights]`: the driver and its keys.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "driver", rename_all = "snake_case")]
pub enum LightsConfig {
    /// White, two sides, hardware PWM over sysfs.
    Pwm(PwmLightsConfig),
    /// Colour, WS2812 on the data line of an SPI bus.
    Ws2812Spi(StripLightsConfig),
}

/// One PWM channel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PwmSide {
    /// Channel of the PWM chip, 0..=3.
    pub channel: u8,
    /// BCM number of the pin on which the boot overlay puts that channel; used to find clashes.
    pub gpio: u8,
}

/// `driver = "pwm"`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PwmLightsConfig {
    /// N of `/sys/class/pwm/pwmchipN`.
    pub chip: u8,
    /// Left half of the frame.
    pub left: PwmSide,
    /// Right half of the frame.
    pub right: PwmSide,
    /// PWM frequency, 500..=20000 Hz; high enough that no exposure sees it flicker.
    pub frequency_hz: u32,
    /// Largest share of the period for which the light is on, 0.05..=1.0.
    pub max_duty: f32,
}

/// `driver = "ws2812_spi"`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StripLightsConfig {
    /// The spidev node; its data-out line drives the strip, its other lines stay unconnected.
    pub path: String,
    /// LEDs of the left half of the frame; they come first on the strip.
    pub left_leds: u16,
    /// LEDs of the right half of the frame.
    pub right_leds: u16,
    /// Largest level of one LED, 0.05..=1.0.
    pub max_duty: f32,
}

/// LEDs that fit in one transfer of 4096 bytes, which is spidev's default limit and what keeps the data without gaps.
const MOST_LEDS: u16 = 400;
/// SPI clock: three SPI bits make one bit of the strip (1.25 us).
const STRIP_HZ: u32 = 2_400_000;
/// Zero bytes that end a picture: 300 us of low level latch it (the data sheet of the WS2812B-V5 wants 280).
const LATCH_BYTES: usize = 90;

const PWM_MENDS: [(FaultKind, &str); 3] = [
    (
        FaultKind::Absent,
        "`ls -l /sys/class/pwm` shows the chips; add `dtoverlay=pwm-2chan` (board/boot/config.txt), reboot, set lights.chip",
    ),
    (
        FaultKind::Permission,
        "install board/udev/99-boothd.rules, `udevadm trigger`, `usermod -aG gpio boothd`; ReadWritePaths in boothd.service",
    ),
    (
        FaultKind::Busy,
        "another program has exported the channel: `ls /sys/class/pwm/pwmchip*`; stop it",
    ),
];
const SPI_MENDS: [(FaultKind, &str); 2] = [
    (
        FaultKind::Absent,
        "add `dtparam=spi=on` (board/boot/config.txt) and reboot; `ls -l /dev/spidev*` shows the nodes",
    ),
    (
        FaultKind::Permission,
        "`usermod -aG spi boothd`, check DeviceAllow=char-spi in boothd.service, then `systemctl restart boothd`",
    ),
];

impl LightsConfig {
    /// Checks all values.
    ///
    /// # Errors
    /// The first [`ConfigError`] found.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match self {
            Self::Pwm(c) => {
                check_range("lights.left.channel", c.left.channel, 0..=3)?;
                check_range("lights.right.channel", c.right.channel, 0..=3)?;
                if c.left.channel == c.right.channel {
                    return Err(ConfigError {
                        key: "lights.right.channel".to_owned(),
                        found: format!("{}, the left side's", c.right.channel),
                        allowed: "another channel than the left side's".to_owned(),
                        mend: "board/README.md has the pin table".to_owned(),
                    });
                }
                check_pin("lights.left.gpio", c.left.gpio)?;
                check_pin("lights.right.gpio", c.right.gpio)?;
                check_range("lights.frequency_hz", c.frequency_hz, 500..=20_000)?;
                check_range("lights.max_duty", c.max_duty, 0.05..=1.0)
            }
            Self::Ws2812Spi(c) => {
                check_path("lights.path", &c.path, &["/dev/spidev"])?;
                check_range("lights.left_leds", c.left_leds, 1..=MOST_LEDS / 2)?;
                check_range("lights.right_leds", c.right_leds, 1..=MOST_LEDS / 2)?;
                check_range("lights.max_duty", c.max_duty, 0.05..=1.0)
            }
        }
    }

    /// The pins in use.
    pub fn pins(&self) -> Vec<PinUse> {
        match self {
            Self::Pwm(c) => vec![
                PinUse::own(c.left.gpio, "lights.left.gpio"),
                PinUse::own(c.right.gpio, "lights.right.gpio"),
            ],
            // The strip takes every bit of the bus for itself, so no other device may sit on it: none of its lines is shared.
            Self::Ws2812Spi(c) if c.path.starts_with("/dev/spidev0.") => [8, 9, 10, 11]
                .map(|pin| PinUse::own(pin, "lights.path"))
                .to_vec(),
            Self::Ws2812Spi(_) => Vec::new(),
        }
    }
}

/// Opens the ring and switches it off.
///
/// # Errors
/// `Absent`, `Busy`, `Permission` or `Io`.
pub fn open(config: &LightsConfig, _clock: SharedClock) -> Result<Box<dyn Lights>, DeviceFault> {
    let mut lights: Box<dyn Lights> = match config {
        LightsConfig::Pwm(c) => Box::new(PwmLights::open(c)?),
        LightsConfig::Ws2812Spi(c) => Box::new(StripLights::open(c)?),
    };
    lights.apply(LightLevels::OFF)?;
    Ok(lights)
}

/// What a white ring shows of a level: white, and of a colour its mean over the three channels. Colour itself is lost.
fn white_share(level: SideLevel) -> f32 {
    let level = level.clamped();
    (level.white + (level.red + level.green + level.blue) / 3.0).min(1.0)
}

#[derive(Debug)]
struct PwmLights {
    place: String,
    left: Pwm,
    right: Pwm,
    max_duty: f64,
}

impl PwmLights {
    fn open(config: &PwmLightsConfig) -> Result<Self, DeviceFault> {
        let place = format!("/sys/class/pwm/pwmchip{}", config.chip);
        // Looked at first: the crate would wait a second for permissions on channels that cannot come.
        std::fs::metadata(&place)
            .map_err(|e| fault(DeviceKind::Lights, &place, "open", &e, &PWM_MENDS))?;
        let period = Duration::from_secs(1) / config.frequency_hz.max(1);
        let side = |side: &PwmSide| -> Result<Pwm, DeviceFault> {
            let place = format!("{place}/pwm{}", side.channel);
            let set = || -> rppal::pwm::Result<Pwm> {
                let pwm = Pwm::with_pwmchip(config.chip, side.channel)?;
                // Zero first: the kernel refuses a period that is shorter than the width that was set last.
                let _ = pwm.set_pulse_width(Duration::ZERO);
                pwm.set_period(period)?;
                pwm.set_polarity(Polarity::Normal)?;
                pwm.enable()?;
                Ok(pwm)
            };
            set().map_err(|e| pwm_fault(&place, "set up", &e))
        };
        Ok(Self {
            left: side(&config.left)?,
            right: side(&config.right)?,
            max_duty: f64::from(config.max_duty),
            place,
        })
    }
}

fn pwm_fault(place: &str, action: &str, error: &rppal::pwm::Error) -> DeviceFault {
    match error {
        rppal::pwm::Error::Io(e) => fault(DeviceKind::Lights, place, action, e, &PWM_MENDS),
        other => fault_of(
            DeviceKind::Lights,
            FaultKind::WrongDevice,
            place,
            format!("{action}: {other}"),
            PWM_MENDS[0].1,
        ),
    }
}

impl Lights for PwmLights {
    fn apply(&mut self, levels: LightLevels) -> Result<(), DeviceFault> {
        for (pwm, level) in [(&self.left, levels.left), (&self.right, levels.right)] {
            let duty = f64::from(white_share(level)) * self.max_duty;
            pwm.set_duty_cycle(duty)
                .map_err(|e| pwm_fault(&self.place, "set the level", &e))?;
        }
        Ok(())
    }
}

struct StripLights {
    config: StripLightsConfig,
    bus: SpidevBus,
    buffer: Vec<u8>,
}

impl std::fmt::Debug for StripLights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StripLights")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl StripLights {
    fn open(config: &StripLightsConfig) -> Result<Self, DeviceFault> {
        let err =
            |action, e: &io::Error| fault(DeviceKind::Lights, &config.path, action, e, &SPI_MENDS);
        let mut bus = SpidevBus::open(&config.path).map_err(|e| err("open", e.inner()))?;
        let options = SpidevOptions::new()
            .bits_per_word(8)
            .max_speed_hz(STRIP_HZ)
            .mode(SpiModeFlags::SPI_MODE_0)
            .build();
        bus.configure(&options)
            .map_err(|e| err("set the SPI clock", &e))?;
        Ok(Self {
            config: config.clone(),
            bus,
            buffer: Vec::new(),
        })
    }
}

/// Level of one channel in the strip's 8 bits; the strip's own PWM is linear in emitted light.
fn channel(colour: f32, white: f32, max_duty: f32) -> u8 {
    // At most 255 by the two `min`; `as` cuts what is left.
    ((colour + white).min(1.0) * max_duty.min(1.0) * 255.0).round() as u8
}

/// Each bit becomes three SPI bits: 1 is `110`, 0 is `100`, the longest first.
fn encode_byte(value: u8) -> [u8; 3] {
    let bits = (0..8).rev().fold(0_u32, |bits, i| {
        bits << 3 | if value >> i & 1 == 1 { 0b110 } else { 0b100 }
    });
    let [_, a, b, c] = bits.to_be_bytes();
    [a, b, c]
}

/// The SPI bytes of a whole strip: green, red, blue of every LED, then the latch.
fn encode(config: &StripLightsConfig, levels: LightLevels, into: &mut Vec<u8>) {
    into.clear();
    // One low byte first: the line may stand high from the last transfer's end.
    into.push(0);
    let levels = levels.clamped();
    for (level, leds) in [
        (levels.left, config.left_leds),
        (levels.right, config.right_leds),
    ] {
        let led = [level.green, level.red, level.blue]
            .map(|colour| encode_byte(channel(colour, level.white, config.max_duty)));
        for _ in 0..leds {
            into.extend_from_slice(led.as_flattened());
        }
    }
    into.resize(into.len() + LATCH_BYTES, 0);
}

impl Lights for StripLights {
    fn apply(&mut self, levels: LightLevels) -> Result<(), DeviceFault> {
        encode(&self.config, levels, &mut self.buffer);
        // One write is one transfer without gaps; half a picture would be a wrong one.
        let written = self.bus.write(&self.buffer).and_then(|n| {
            if n == self.buffer.len() {
                Ok(())
            } else {
                Err(io::Error::new(
                    io::ErrorKind::WriteZero,
                    format!("{n} of {} bytes", self.buffer.len()),
                ))
            }
        });
        written.map_err(|e| {
            fault(
                DeviceKind::Lights,
                &self.config.path,
                "write",
                &e,
                &SPI_MENDS,
            )
        })
    }
}

impl Drop for StripLights {
    fn drop(&mut self) {
        // A strip keeps its last picture; nobody is left to hear of a fault.
        let _ = self.apply(LightLevels::OFF);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::SystemClock;
    use std::sync::Arc;

    fn strip(leds: u16, max_duty: f32) -> StripLightsConfig {
        StripLightsConfig {
            path: "/dev/spidev-none".to_owned(),
            left_leds: leds,
            right_leds: leds,
            max_duty,
        }
    }

    #[test]
    fn absent_rings_are_absent() {
        let side = |channel, gpio| PwmSide { channel, gpio };
        let pwm = LightsConfig::Pwm(PwmLightsConfig {
            chip: 250,
            left: side(0, 18),
            right: side(1, 19),
            frequency_hz: 2000,
            max_duty: 0.8,
        });
        for (config, mend) in [
            (pwm, "pwm-2chan"),
            (LightsConfig::Ws2812Spi(strip(4, 0.5)), "dtparam=spi=on"),
        ] {
            let fault = open(&config, Arc::new(SystemClock)).expect_err("there is no ring");
            assert_eq!(
                (fault.kind, fault.code()),
                (FaultKind::Absent, "hw.light.absent"),
                "{fault}"
            );
            assert!(fault.mend.contains(mend), "{fault}");
        }
    }

    #[test]
    fn a_byte_becomes_three() {
        // 0xff: 110 eight times; 0x00: 100 eight times; 0x80: 110 then 100 seven times.
        for (value, expected) in [
            (0xff, [0b1101_1011, 0b0110_1101, 0b1011_0110]),
            (0x00, [0b1001_0010, 0b0100_1001, 0b0010_0100]),
            (0x80, [0b1101_0010, 0b0100_1001, 0b0010_0100]),
        ] {
            assert_eq!(encode_byte(value), expected, "{value:#x}");
        }
    }

    #[test]
    fn the_strip_has_left_before_right_and_green_before_red() {
        let levels = LightLevels {
            left: SideLevel {
                green: 1.0,
                ..SideLevel::default()
            },
            right: SideLevel::white(f32::NAN),
        };
        let mut bytes = Vec::new();
        encode(&strip(1, 1.0), levels, &mut bytes);
        assert_eq!(bytes.len(), 1 + 2 * 9 + LATCH_BYTES);
        let (on, off) = (encode_byte(255), encode_byte(0));
        assert_eq!(bytes[1..10], [on, off, off].concat());
        assert_eq!(bytes[10..19], [off, off, off].concat());
        // The longest strip fits in one transfer.
        encode(&strip(MOST_LEDS / 2, 1.0), levels, &mut bytes);
        assert!(bytes.len() <= 4096, "{}", bytes.len());
    }

    #[test]
    fn levels_stay_under_the_ceiling() {
        assert_eq!(channel(1.0, 1.0, 0.5), 128);
        assert_eq!(channel(0.0, 0.0, 1.0), 0);
        assert_eq!(white_share(SideLevel::white(2.0)), 1.0);
        let red = SideLevel {
            red: 0.9,
            ..SideLevel::default()
        };
        assert!((white_share(red) - 0.3).abs() < 1e-6);
    }
}
