//! SSD1306: 128 x 64, one bit a pixel, on I2C.

use super::{I2C_MENDS, Ssd1306Config, check_image};
use crate::hal::pi::node::{fault, fault_of};
use crate::hal::{DeviceFault, DeviceKind, FaultKind, Panel, PanelImage, PanelKind};
use linux_embedded_hal::I2cdev;
use linux_embedded_hal::i2cdev::core::I2CDevice as _;
use linux_embedded_hal::i2cdev::linux::LinuxI2CDevice;
use ssd1306::mode::{BufferedGraphicsMode, DisplayConfig as _};
use ssd1306::prelude::{Brightness, DisplayRotation, DisplaySize128x64, I2CInterface};
use ssd1306::{I2CDisplayInterface, Ssd1306};
use std::io;

/// The panel.
pub(super) struct OneBitPanel {
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
    /// Tries the address, then initialises the controller.
    pub(super) fn open(config: &Ssd1306Config) -> Result<Self, DeviceFault> {
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
