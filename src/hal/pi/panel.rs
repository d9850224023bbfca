//! The panel: ST7789 (320 x 240 colour, SPI) through crate `mipidsi`, or SSD1306 (128 x 64, one bit, I2C) through crate `ssd1306`.

mod ssd1306;
mod st7789;

use self::ssd1306::OneBitPanel;
use self::st7789::ColourPanel;
use super::check::{ConfigError, PinUse, check_path, check_pin, check_range, i2c_pins, spi_pins};
use super::node::fault_of;
use crate::base::time::SharedClock;
use crate::hal::{DeviceFault, DeviceKind, FaultKind, Panel, PanelImage, PanelKind};
use serde::Deserialize;

/// `[panel]`: the driver and its keys.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "driver", rename_all = "snake_case")]
pub enum PanelConfig {
    /// ST7789, 320 x 240, SPI.
    St7789(St7789Config),
    /// SSD1306, 128 x 64, I2C.
    Ssd1306(Ssd1306Config),
}

/// `driver = "st7789"`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct St7789Config {
    /// The spidev node.
    pub path: String,
    /// SPI clock, 1..=62.5 MHz. A screen is 153,600 bytes: at 10 MHz it takes 123 ms.
    pub spi_hz: u32,
    /// The GPIO chip of the two lines below.
    pub chip: String,
    /// The chip's label; if given, another chip is refused.
    #[serde(default)]
    pub chip_label: Option<String>,
    /// BCM number of the line that tells data from commands.
    pub dc_gpio: u8,
    /// BCM number of the reset line.
    pub reset_gpio: u8,
    /// Turns the picture, 90 or 270 degrees: which long side is up.
    pub rotation_degrees: u16,
    /// Whether the panel's glass needs inverted colours (IPS panels do).
    pub invert_colours: bool,
}

/// `driver = "ssd1306"`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ssd1306Config {
    /// The I2C node.
    pub path: String,
    /// I2C address, 0x3c or 0x3d.
    pub address: u8,
    /// Whether the panel is mounted upside down.
    #[serde(default)]
    pub upside_down: bool,
}

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
const I2C_MENDS: [(FaultKind, &str); 3] = [
    (
        FaultKind::Absent,
        "add `dtparam=i2c_arm=on` (board/boot/config.txt) and reboot; `i2cdetect -y 1` shows which addresses answer",
    ),
    (
        FaultKind::Permission,
        "`usermod -aG i2c boothd`, check DeviceAllow=char-i2c in boothd.service, then `systemctl restart boothd`",
    ),
    (
        FaultKind::Busy,
        "a kernel driver has the address (`UU` in `i2cdetect -y 1`): take its overlay out of config.txt",
    ),
];

impl PanelConfig {
    /// Which panel it is.
    pub fn kind(&self) -> PanelKind {
        match self {
            Self::St7789(_) => PanelKind::St7789,
            Self::Ssd1306(_) => PanelKind::Ssd1306,
        }
    }

    /// Checks all values.
    ///
    /// # Errors
    /// The first [`ConfigError`] found.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let one_of = |key: &str, found: String, allowed: &str, mend: &str| ConfigError {
            key: key.to_owned(),
            found,
            allowed: allowed.to_owned(),
            mend: mend.to_owned(),
        };
        match self {
            Self::St7789(c) => {
                check_path("panel.path", &c.path, &["/dev/spidev"])?;
                check_range("panel.spi_hz", c.spi_hz, 1_000_000..=62_500_000)?;
                check_path("panel.chip", &c.chip, &["/dev/gpiochip"])?;
                check_pin("panel.dc_gpio", c.dc_gpio)?;
                check_pin("panel.reset_gpio", c.reset_gpio)?;
                if ![90, 270].contains(&c.rotation_degrees) {
                    return Err(one_of(
                        "panel.rotation_degrees",
                        c.rotation_degrees.to_string(),
                        "90 or 270: the screens are drawn 320 wide and 240 high",
                        "if the picture stands on its head, take the other one",
                    ));
                }
                Ok(())
            }
            Self::Ssd1306(c) => {
                check_path("panel.path", &c.path, &["/dev/i2c-"])?;
                if ![0x3c, 0x3d].contains(&c.address) {
                    return Err(one_of(
                        "panel.address",
                        format!("{:#x}", c.address),
                        "0x3c or 0x3d",
                        "`i2cdetect -y 1` shows which one answers; boards printed with 0x78 mean 0x3c",
                    ));
                }
                Ok(())
            }
        }
    }

    /// The pins in use.
    pub fn pins(&self) -> Vec<PinUse> {
        match self {
            Self::St7789(c) => {
                let mut pins = spi_pins("panel.path", &c.path);
                pins.push(PinUse::own(c.dc_gpio, "panel.dc_gpio"));
                pins.push(PinUse::own(c.reset_gpio, "panel.reset_gpio"));
                pins
            }
            Self::Ssd1306(c) => i2c_pins("panel.path", &c.path),
        }
    }
}

/// Opens and initialises the panel.
///
/// # Errors
/// `Absent` (no bus, or no answer from an I2C panel; an SPI panel cannot answer), `Busy`, `Permission`, `WrongDevice` or `Io`.
pub fn open(config: &PanelConfig, _clock: SharedClock) -> Result<Box<dyn Panel>, DeviceFault> {
    Ok(match config {
        PanelConfig::St7789(c) => Box::new(ColourPanel::open(c)?),
        PanelConfig::Ssd1306(c) => Box::new(OneBitPanel::open(c)?),
    })
}

/// A picture of another panel, or of the wrong number of pixels, is an error of the caller; it is told, not shown.
fn check_image(image: &PanelImage, kind: PanelKind, place: &str) -> Result<(), DeviceFault> {
    let (width, height) = kind.size();
    let wanted = (width * height) as usize;
    if image.kind == kind && image.pixels.len() == wanted {
        return Ok(());
    }
    Err(fault_of(
        DeviceKind::Panel,
        FaultKind::WrongDevice,
        place,
        format!(
            "screen `{}` is drawn for {:?} with {} pixels; the panel is {kind:?} with {wanted}",
            image.screen,
            image.kind,
            image.pixels.len()
        ),
        "name the panel that is fitted in the board file",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::SystemClock;
    use std::sync::Arc;

    #[test]
    fn absent_panels_are_absent() {
        let colour = PanelConfig::St7789(St7789Config {
            path: "/dev/spidev-none".to_owned(),
            spi_hz: 40_000_000,
            chip: "/dev/gpiochip0".to_owned(),
            chip_label: None,
            dc_gpio: 25,
            reset_gpio: 24,
            rotation_degrees: 90,
            invert_colours: true,
        });
        let one_bit = PanelConfig::Ssd1306(Ssd1306Config {
            path: "/dev/i2c-none".to_owned(),
            address: 0x3c,
            upside_down: false,
        });
        for (config, mend) in [(colour, "dtparam=spi=on"), (one_bit, "dtparam=i2c_arm=on")] {
            let fault = open(&config, Arc::new(SystemClock)).expect_err("there is no panel");
            assert_eq!(
                (fault.kind, fault.code()),
                (FaultKind::Absent, "hw.panel.fault"),
                "{fault}"
            );
            assert!(fault.mend.contains(mend), "{fault}");
        }
    }

    #[test]
    fn a_screen_of_another_panel_is_not_shown() {
        let image = |kind, pixels: usize| PanelImage {
            kind,
            screen: "idle",
            pixels: vec![0; pixels],
        };
        let check = |image: &PanelImage, good| {
            let found = check_image(image, PanelKind::Ssd1306, "here");
            assert_eq!(found.is_ok(), good, "{found:?}");
        };
        check(&image(PanelKind::Ssd1306, 128 * 64), true);
        check(&image(PanelKind::Ssd1306, 128 * 64 - 1), false);
        check(&image(PanelKind::St7789, 128 * 64), false);
    }
}
