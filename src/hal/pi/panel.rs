//! The panel: ST7789 (320 x 240 colour, SPI) through crate `mipidsi`, or SSD1306 (128 x 64, one bit, I2C) through crate `ssd1306`.

use super::check::{ConfigError, PinUse, check_path, check_pin, check_range, i2c_pins, spi_pins};
use super::gpio::{check_chip, gpio_fault};
use super::node::{fault, fault_of};
use crate::base::time::SharedClock;
use crate::hal::{DeviceFault, DeviceKind, FaultKind, Panel, PanelImage, PanelKind};
use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::pixelcolor::raw::RawU16;
use gpiocdev::line::Value;
use linux_embedded_hal::i2cdev::core::I2CDevice as _;
use linux_embedded_hal::i2cdev::linux::LinuxI2CDevice;
use linux_embedded_hal::spidev::{SpiModeFlags, Spidev, SpidevOptions};
use linux_embedded_hal::{Delay, I2cdev};
use mipidsi::interface::{Interface, InterfaceKind};
use mipidsi::models::ST7789;
use mipidsi::options::{ColorInversion, Orientation, Rotation};
use mipidsi::{Display, NoResetPin};
use serde::Deserialize;
use ssd1306::mode::{BufferedGraphicsMode, DisplayConfig as _};
use ssd1306::prelude::{Brightness, DisplayRotation, DisplaySize128x64, I2CInterface};
use ssd1306::{I2CDisplayInterface, Ssd1306};
use std::io::{self, Write as _};
use std::time::Duration;

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

/// Four wires: clock, data, chip select (the kernel's), and the line that tells data from commands.
#[derive(Debug)]
struct FourWire {
    spi: Spidev,
    lines: gpiocdev::Request,
    dc: u32,
    chunk: Vec<u8>,
}

/// Which of the wires failed.
#[derive(Debug)]
enum WireError {
    Spi(io::Error),
    Line(gpiocdev::Error),
}

/// Bytes of one SPI transfer: spidev's default limit.
const CHUNK: usize = 4096;

impl FourWire {
    fn select(&self, data: bool) -> Result<(), WireError> {
        let value = if data { Value::Active } else { Value::Inactive };
        self.lines
            .set_value(self.dc, value)
            .map(drop)
            .map_err(WireError::Line)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        bytes
            .chunks(CHUNK)
            .try_for_each(|chunk| self.spi.write_all(chunk))
            .map_err(WireError::Spi)
    }

    fn send_chunk(&mut self) -> Result<(), WireError> {
        self.spi.write_all(&self.chunk).map_err(WireError::Spi)?;
        self.chunk.clear();
        Ok(())
    }
}

impl Interface for FourWire {
    type Word = u8;
    type Error = WireError;
    const KIND: InterfaceKind = InterfaceKind::Serial4Line;

    fn send_command(&mut self, command: u8, args: &[u8]) -> Result<(), WireError> {
        self.select(false)?;
        self.write(&[command])?;
        self.select(true)?;
        self.write(args)
    }

    fn send_pixels<const N: usize>(
        &mut self,
        pixels: impl IntoIterator<Item = [u8; N]>,
    ) -> Result<(), WireError> {
        self.chunk.clear();
        for pixel in pixels {
            if self.chunk.len() + N > CHUNK {
                self.send_chunk()?;
            }
            self.chunk.extend_from_slice(&pixel);
        }
        self.send_chunk()
    }

    fn send_repeated_pixel<const N: usize>(
        &mut self,
        pixel: [u8; N],
        count: u32,
    ) -> Result<(), WireError> {
        self.send_pixels((0..count).map(|_| pixel))
    }
}

struct ColourPanel {
    place: String,
    chip: String,
    display: Display<FourWire, ST7789, NoResetPin>,
}

impl std::fmt::Debug for ColourPanel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ColourPanel({})", self.place)
    }
}

impl ColourPanel {
    fn open(config: &St7789Config) -> Result<Self, DeviceFault> {
        let spi_fault =
            |action, e: &io::Error| fault(DeviceKind::Panel, &config.path, action, e, &SPI_MENDS);
        let mut spi = Spidev::open(&config.path).map_err(|e| spi_fault("open", &e))?;
        let options = SpidevOptions::new()
            .bits_per_word(8)
            .max_speed_hz(config.spi_hz)
            .mode(SpiModeFlags::SPI_MODE_0)
            .build();
        spi.configure(&options)
            .map_err(|e| spi_fault("set the SPI clock", &e))?;
        check_chip(
            DeviceKind::Panel,
            &config.chip,
            config.chip_label.as_deref(),
        )?;
        let line_fault = |e| gpio_fault(DeviceKind::Panel, &config.chip, "take the lines", &e);
        let (dc, reset) = (u32::from(config.dc_gpio), u32::from(config.reset_gpio));
        let lines = gpiocdev::Request::builder()
            .on_chip(&config.chip)
            .with_consumer("boothd panel")
            .with_lines(&[dc, reset])
            .as_output(Value::Active)
            .request()
            .map_err(line_fault)?;
        // Data sheet of the ST7789V, 9.15: low for 10 us, then 120 ms until it listens.
        lines
            .set_value(reset, Value::Inactive)
            .map_err(line_fault)?;
        std::thread::sleep(Duration::from_micros(20));
        lines.set_value(reset, Value::Active).map_err(line_fault)?;
        std::thread::sleep(Duration::from_millis(120));
        let wires = FourWire {
            spi,
            lines,
            dc,
            chunk: Vec::with_capacity(CHUNK),
        };
        let rotation = if config.rotation_degrees == 270 {
            Rotation::Deg270
        } else {
            Rotation::Deg90
        };
        let display = mipidsi::Builder::new(ST7789, wires)
            .invert_colors(if config.invert_colours {
                ColorInversion::Inverted
            } else {
                ColorInversion::Normal
            })
            .orientation(Orientation::new().rotate(rotation))
            .init(&mut Delay)
            .map_err(|e| match e {
                mipidsi::InitError::Interface(e) => {
                    wire_fault(&config.path, &config.chip, "initialise", &e)
                }
                other => fault_of(
                    DeviceKind::Panel,
                    FaultKind::WrongDevice,
                    &config.path,
                    format!("initialise: {other:?}"),
                    "check [panel] in the board file",
                ),
            })?;
        Ok(Self {
            place: config.path.clone(),
            chip: config.chip.clone(),
            display,
        })
    }
}

fn wire_fault(spi: &str, chip: &str, action: &str, error: &WireError) -> DeviceFault {
    match error {
        WireError::Spi(e) => fault(DeviceKind::Panel, spi, action, e, &SPI_MENDS),
        WireError::Line(e) => gpio_fault(DeviceKind::Panel, chip, action, e),
    }
}

impl Panel for ColourPanel {
    fn kind(&self) -> PanelKind {
        PanelKind::St7789
    }

    fn show(&mut self, image: &PanelImage) -> Result<(), DeviceFault> {
        check_image(image, self.kind(), &self.place)?;
        let pixels = image.pixels.iter().map(|p| Rgb565::from(RawU16::new(*p)));
        self.display
            .set_pixels(0, 0, 319, 239, pixels)
            .map_err(|e| wire_fault(&self.place, &self.chip, "show", &e))
    }
}

struct OneBitPanel {
    place: String,
    display:
        Ssd1306<I2CInterface<I2cdev>, DisplaySize128x64, BufferedGraphicsMode<DisplaySize128x64>>,
}

impl std::fmt::Debug for OneBitPanel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OneBitPanel({})", self.place)
    }
}

/// Control byte "commands follow", then NOP.
const SSD1306_NOP: [u8; 2] = [0x00, 0xe3];

/// A fault that the crate reports without the kernel's error number.
fn i2c_fault(place: &str, action: &str) -> DeviceFault {
    fault_of(
        DeviceKind::Panel,
        FaultKind::Io,
        place,
        format!("{action}: the controller did not take the bytes"),
        "check the four wires of the panel, then `i2cdetect -y 1`; a stuck bus needs a power cycle",
    )
}

impl OneBitPanel {
    fn open(config: &Ssd1306Config) -> Result<Self, DeviceFault> {
        let place = format!("{} at {:#04x}", config.path, config.address);
        let err = |action, e: io::Error| fault(DeviceKind::Panel, &place, action, &e, &I2C_MENDS);
        // The display's crate hides the kernel's error number, so the address is tried by hand first: no answer is ENXIO or EREMOTEIO.
        let mut probe = LinuxI2CDevice::new(&config.path, u16::from(config.address))
            .map_err(|e| err("open", io::Error::from(e)))?;
        probe.write(&SSD1306_NOP).map_err(|e| {
            let e = io::Error::from(e);
            let mut fault = err("no answer", e);
            if fault.kind == FaultKind::Io {
                fault.mend = I2C_MENDS[0].1.to_owned();
            }
            fault
        })?;
        drop(probe);
        let bus = I2cdev::new(&config.path).map_err(|e| err("open", io::Error::from(e)))?;
        let rotation = if config.upside_down {
            DisplayRotation::Rotate180
        } else {
            DisplayRotation::Rotate0
        };
        let mut display = Ssd1306::new(
            I2CDisplayInterface::new_custom_address(bus, config.address),
            DisplaySize128x64,
            rotation,
        )
        .into_buffered_graphics_mode();
        display
            .init()
            .and_then(|()| display.set_brightness(Brightness::BRIGHT))
            .map_err(|_| i2c_fault(&place, "initialise"))?;
        Ok(Self { place, display })
    }
}

impl Panel for OneBitPanel {
    fn kind(&self) -> PanelKind {
        PanelKind::Ssd1306
    }

    fn show(&mut self, image: &PanelImage) -> Result<(), DeviceFault> {
        check_image(image, self.kind(), &self.place)?;
        for (y, row) in image.pixels.chunks(128).enumerate() {
            for (x, pixel) in row.iter().enumerate() {
                // Both fit: below 128 and 64 by the check above.
                self.display.set_pixel(x as u32, y as u32, *pixel != 0);
            }
        }
        self.display
            .flush()
            .map_err(|_| i2c_fault(&self.place, "show"))
    }
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
