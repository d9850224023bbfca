//! The buttons: two lines of a GPIO chip, debounced by the kernel, edges stamped by the kernel.

use super::check::{ConfigError, PinUse, check_path, check_pin, check_range};
use super::gpio::{check_chip, gpio_fault};
use super::node::moment_of_stamp;
use crate::base::time::SharedClock;
use crate::hal::{Button, ButtonAction, ButtonEvent, Buttons, DeviceFault, DeviceKind};
use gpiocdev::line::{Bias, EdgeDetection, EdgeKind, EventClock, Value};
use serde::Deserialize;
use std::time::Duration;

/// `[buttons]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ButtonsConfig {
    /// The chip, as `/dev/gpiochip0`.
    pub chip: String,
    /// The chip's label, as `pinctrl-bcm2711`; if given, another chip is refused.
    #[serde(default)]
    pub chip_label: Option<String>,
    /// BCM number of the green button's line.
    pub confirm_gpio: u8,
    /// BCM number of the other button's line.
    pub cancel_gpio: u8,
    /// True: the button pulls the line to ground, with the chip's pull-up. False: to 3.3 V, with the pull-down.
    pub active_low: bool,
    /// Time for which a line has to be still, 1..=100 ms.
    pub debounce_ms: u32,
}

impl ButtonsConfig {
    /// Checks all values.
    ///
    /// # Errors
    /// The first [`ConfigError`] found.
    pub fn validate(&self) -> Result<(), ConfigError> {
        check_path("buttons.chip", &self.chip, &["/dev/gpiochip"])?;
        check_pin("buttons.confirm_gpio", self.confirm_gpio)?;
        check_pin("buttons.cancel_gpio", self.cancel_gpio)?;
        check_range("buttons.debounce_ms", self.debounce_ms, 1..=100)
    }

    /// The pins in use.
    pub fn pins(&self) -> Vec<PinUse> {
        vec![
            PinUse::own(self.confirm_gpio, "buttons.confirm_gpio"),
            PinUse::own(self.cancel_gpio, "buttons.cancel_gpio"),
        ]
    }
}

#[derive(Debug)]
struct GpioButtons {
    config: ButtonsConfig,
    clock: SharedClock,
    lines: gpiocdev::Request,
}

/// Takes both lines.
///
/// # Errors
/// `Absent`, `Busy`, `Permission`, `WrongDevice` (another chip) or `Io`.
pub fn open(config: &ButtonsConfig, clock: SharedClock) -> Result<Box<dyn Buttons>, DeviceFault> {
    check_chip(
        DeviceKind::Buttons,
        &config.chip,
        config.chip_label.as_deref(),
    )?;
    let mut builder = gpiocdev::Request::builder();
    builder
        .on_chip(&config.chip)
        .with_consumer("boothd buttons")
        .with_lines(&[
            u32::from(config.confirm_gpio),
            u32::from(config.cancel_gpio),
        ])
        .as_input()
        .with_edge_detection(EdgeDetection::BothEdges)
        .with_event_clock(EventClock::Monotonic)
        .with_debounce_period(Duration::from_millis(u64::from(config.debounce_ms)));
    if config.active_low {
        builder.as_active_low().with_bias(Bias::PullUp);
    } else {
        builder.as_active_high().with_bias(Bias::PullDown);
    }
    let lines = builder
        .request()
        .map_err(|e| gpio_fault(DeviceKind::Buttons, &config.chip, "take the lines", &e))?;
    Ok(Box::new(GpioButtons {
        config: config.clone(),
        clock,
        lines,
    }))
}

impl Buttons for GpioButtons {
    fn next(&mut self, timeout: Duration) -> Result<Option<ButtonEvent>, DeviceFault> {
        let fault = |action, e| gpio_fault(DeviceKind::Buttons, &self.config.chip, action, &e);
        let ready = self
            .lines
            .wait_edge_event(timeout.min(Duration::from_secs(3600)))
            .map_err(|e| fault("wait", e))?;
        if !ready {
            return Ok(None);
        }
        let edge = self.lines.read_edge_event().map_err(|e| fault("read", e))?;
        let button = if edge.offset == u32::from(self.config.confirm_gpio) {
            Button::Confirm
        } else {
            Button::Cancel
        };
        // The kernel counts active-low in: rising means pressed on both kinds of wiring.
        let action = match edge.kind {
            EdgeKind::Rising => ButtonAction::Pressed,
            EdgeKind::Falling => ButtonAction::Released,
        };
        Ok(Some(ButtonEvent {
            button,
            action,
            at: moment_of_stamp(&*self.clock, edge.timestamp_ns),
        }))
    }

    fn down(&mut self) -> Result<Vec<Button>, DeviceFault> {
        let mut down = Vec::new();
        for (button, line) in [
            (Button::Confirm, self.config.confirm_gpio),
            (Button::Cancel, self.config.cancel_gpio),
        ] {
            let value = self.lines.value(u32::from(line)).map_err(|e| {
                gpio_fault(DeviceKind::Buttons, &self.config.chip, "read the line", &e)
            })?;
            if value == Value::Active {
                down.push(button);
            }
        }
        Ok(down)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::SystemClock;
    use crate::hal::FaultKind;
    use std::sync::Arc;

    #[test]
    fn an_absent_chip_is_absent() {
        let config = ButtonsConfig {
            chip: "/dev/gpiochip-none".to_owned(),
            chip_label: None,
            confirm_gpio: 5,
            cancel_gpio: 6,
            active_low: true,
            debounce_ms: 20,
        };
        let fault = open(&config, Arc::new(SystemClock)).expect_err("no such chip");
        assert_eq!(
            (fault.kind, fault.code()),
            (FaultKind::Absent, "hw.buttons.fault")
        );
        assert!(fault.mend.contains("gpiodetect"), "{fault}");
    }
}
