//! ST7789: 320 x 240, colour, over four wires of SPI and a GPIO chip.

use super::{SPI_MENDS, St7789Config, check_image};
use crate::hal::pi::gpio::{check_chip, gpio_fault};
use crate::hal::pi::node::{fault, fault_of};
use crate::hal::{DeviceFault, DeviceKind, FaultKind, Panel, PanelImage, PanelKind};
use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::pixelcolor::raw::RawU16;
use gpiocdev::line::Value;
use linux_embedded_hal::Delay;
use linux_embedded_hal::spidev::{SpiModeFlags, Spidev, SpidevOptions};
use mipidsi::interface::{Interface, InterfaceKind};
use mipidsi::models::ST7789;
use mipidsi::options::{ColorInversion, Orientation, Rotation};
use mipidsi::{Display, NoResetPin};
use std::io::{self, Write as _};
use std::time::Duration;

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

/// The panel.
pub(super) struct ColourPanel {
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
    /// Opens bus and lines, resets and initialises the controller.
    pub(super) fn open(config: &St7789Config) -> Result<Self, DeviceFault> {
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
