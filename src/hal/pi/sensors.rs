//! Temperature, supply and tamper switch: files under `/sys`, and one GPIO line.
//!
//! The supply's flag comes from the `rpi_volt` driver (`hwmon`), throttling from the firmware's file of the Raspberry Pi kernel.
//! The firmware's mailbox would say more, but needs an ioctl and a device that also gives out keys (`/dev/vcio`); it stays shut.

use super::check::{ConfigError, PinUse, check_path, check_pin};
use super::gpio::{check_chip, gpio_fault};
use super::node::{fault, fault_of};
use crate::base::time::SharedClock;
use crate::hal::{DeviceFault, DeviceKind, FaultKind, SensorReadings, Sensors};
use gpiocdev::line::{Bias, Value};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// `[sensors]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensorsConfig {
    /// File with the processor's temperature in thousandths of a degree.
    pub thermal_path: String,
    /// Folder of the hardware monitors; the one named `rpi_volt` tells of low supply. Without it: not known.
    #[serde(default)]
    pub hwmon_dir: Option<String>,
    /// The firmware's file with the throttling flags (hexadecimal). Without it: not known.
    #[serde(default)]
    pub throttled_path: Option<String>,
    /// The switch of the case.
    #[serde(default)]
    pub tamper: Option<TamperConfig>,
}

/// `[sensors.tamper]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TamperConfig {
    /// The GPIO chip.
    pub chip: String,
    /// The chip's label; if given, another chip is refused.
    #[serde(default)]
    pub chip_label: Option<String>,
    /// BCM number of the line. The closed case connects it to ground; open, or cut, it is pulled up.
    pub gpio: u8,
}

const MENDS: [(FaultKind, &str); 2] = [
    (
        FaultKind::Absent,
        "`ls /sys/class/thermal /sys/class/hwmon` shows what this board has; put it in [sensors] of the board file",
    ),
    (
        FaultKind::Permission,
        "the service may not read it: look at ProtectKernelTunables and ReadOnlyPaths in boothd.service",
    ),
];

impl SensorsConfig {
    /// Checks all values.
    ///
    /// # Errors
    /// The first [`ConfigError`] found.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let sys = &["/sys/"];
        check_path("sensors.thermal_path", &self.thermal_path, sys)?;
        if let Some(path) = &self.hwmon_dir {
            check_path("sensors.hwmon_dir", path, sys)?;
        }
        if let Some(path) = &self.throttled_path {
            check_path("sensors.throttled_path", path, sys)?;
        }
        if let Some(tamper) = &self.tamper {
            check_path("sensors.tamper.chip", &tamper.chip, &["/dev/gpiochip"])?;
            check_pin("sensors.tamper.gpio", tamper.gpio)?;
        }
        Ok(())
    }

    /// The pins in use.
    pub fn pins(&self) -> Vec<PinUse> {
        self.tamper
            .iter()
            .map(|t| PinUse::own(t.gpio, "sensors.tamper.gpio"))
            .collect()
    }
}

#[derive(Debug)]
struct SysfsSensors {
    thermal: PathBuf,
    undervoltage: Option<PathBuf>,
    throttled: Option<PathBuf>,
    tamper: Option<(String, u32, gpiocdev::Request)>,
}

/// Finds the files and takes the tamper line. A supply monitor that is not there is left out; the temperature has to be.
///
/// # Errors
/// `Absent`, `Busy`, `Permission`, `WrongDevice` or `Io`.
pub fn open(config: &SensorsConfig, _clock: SharedClock) -> Result<Box<dyn Sensors>, DeviceFault> {
    let thermal = PathBuf::from(&config.thermal_path);
    read_celsius(&thermal)?;
    let tamper = match &config.tamper {
        None => None,
        Some(t) => {
            check_chip(DeviceKind::Sensors, &t.chip, t.chip_label.as_deref())?;
            let line = u32::from(t.gpio);
            let request = gpiocdev::Request::builder()
                .on_chip(&t.chip)
                .with_consumer("boothd tamper")
                .with_line(line)
                .as_input()
                .with_bias(Bias::PullUp)
                .request()
                .map_err(|e| gpio_fault(DeviceKind::Sensors, &t.chip, "take the line", &e))?;
            Some((t.chip.clone(), line, request))
        }
    };
    Ok(Box::new(SysfsSensors {
        thermal,
        undervoltage: config
            .hwmon_dir
            .as_deref()
            .and_then(|dir| find_hwmon(Path::new(dir), "rpi_volt"))
            .map(|dir| dir.join("in0_lcrit_alarm")),
        throttled: config.throttled_path.as_ref().map(PathBuf::from),
        tamper,
    }))
}

/// The folder of the hardware monitor with that name.
fn find_hwmon(dir: &Path, name: &str) -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(dir)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| std::fs::read_to_string(path.join("name")).is_ok_and(|n| n.trim() == name))
        .collect();
    found.sort();
    found.into_iter().next()
}

fn read_text(path: &Path) -> Result<String, DeviceFault> {
    std::fs::read_to_string(path).map_err(|e| {
        fault(
            DeviceKind::Sensors,
            &path.display().to_string(),
            "read",
            &e,
            &MENDS,
        )
    })
}

/// As [`read_text`]; a file that is not there is `None`.
fn read_if_there(path: Option<&Path>) -> Result<Option<String>, DeviceFault> {
    let Some(path) = path else { return Ok(None) };
    match read_text(path) {
        Err(fault) if fault.kind == FaultKind::Absent => Ok(None),
        other => other.map(Some),
    }
}

fn unreadable(path: &Path, text: &str, wanted: &str) -> DeviceFault {
    let shown: String = text.trim().chars().take(20).collect();
    fault_of(
        DeviceKind::Sensors,
        FaultKind::WrongDevice,
        &path.display().to_string(),
        format!("{shown:?} is not {wanted}"),
        "name the right file in [sensors] of the board file",
    )
}

/// Degrees Celsius from thousandths; a value outside -50..=150 is another file's.
fn read_celsius(path: &Path) -> Result<f32, DeviceFault> {
    let text = read_text(path)?;
    text.trim()
        .parse::<i32>()
        .ok()
        .filter(|v| (-50_000..=150_000).contains(v))
        .map(|v| v as f32 / 1000.0)
        .ok_or_else(|| unreadable(path, &text, "a temperature in thousandths of a degree"))
}

/// Undervoltage, and any slowing of the clock, in the firmware's flags: bit 0 is undervoltage now, bits 1 to 3 are a capped
/// clock, throttling and the soft temperature limit now. Bits 16 to 19 are the same since the start and would never clear.
/// Source: Raspberry Pi documentation, `vcgencmd get_throttled`.
fn throttled_flags(flags: u32) -> (bool, bool) {
    (flags & 0b0001 != 0, flags & 0b1110 != 0)
}

impl Sensors for SysfsSensors {
    fn read(&mut self) -> Result<SensorReadings, DeviceFault> {
        let soc_celsius = Some(read_celsius(&self.thermal)?);
        let mut undervoltage = match (
            read_if_there(self.undervoltage.as_deref())?,
            &self.undervoltage,
        ) {
            (Some(text), Some(path)) => Some(match text.trim() {
                "0" => false,
                "1" => true,
                _ => return Err(unreadable(path, &text, "0 or 1")),
            }),
            _ => None,
        };
        let throttled = match (read_if_there(self.throttled.as_deref())?, &self.throttled) {
            (Some(text), Some(path)) => {
                let digits = text.trim().trim_start_matches("0x");
                let flags = u32::from_str_radix(digits, 16)
                    .map_err(|_| unreadable(path, &text, "a hexadecimal number"))?;
                let (low, throttled) = throttled_flags(flags);
                undervoltage = Some(undervoltage.unwrap_or(false) || low);
                Some(throttled)
            }
            _ => None,
        };
        let tamper_open = match &self.tamper {
            None => None,
            Some((chip, line, request)) => Some(
                request
                    .value(*line)
                    .map_err(|e| gpio_fault(DeviceKind::Sensors, chip, "read the line", &e))?
                    == Value::Active,
            ),
        };
        Ok(SensorReadings {
            soc_celsius,
            undervoltage,
            throttled,
            tamper_open,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::SystemClock;
    use std::sync::Arc;

    /// A folder that looks like `/sys` of a Pi.
    fn sys(
        temperature: &str,
        alarm: Option<&str>,
        throttled: Option<&str>,
    ) -> (tempfile::TempDir, SensorsConfig) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| dir.path().join(name).display().to_string();
        let put = |name: &str, text: &str| {
            let file = dir.path().join(name);
            std::fs::create_dir_all(file.parent().expect("it has a folder")).expect("folder");
            std::fs::write(file, text).expect("file");
        };
        put("temp", temperature);
        put("hwmon/hwmon0/name", "cpu_thermal\n");
        if let Some(alarm) = alarm {
            put("hwmon/hwmon1/name", "rpi_volt\n");
            put("hwmon/hwmon1/in0_lcrit_alarm", alarm);
        }
        if let Some(throttled) = throttled {
            put("get_throttled", throttled);
        }
        let config = SensorsConfig {
            thermal_path: path("temp"),
            hwmon_dir: Some(path("hwmon")),
            throttled_path: Some(path("get_throttled")),
            tamper: None,
        };
        (dir, config)
    }

    #[test]
    fn files_become_readings() {
        let check = |temperature, alarm, throttled, expected: (f32, Option<bool>, Option<bool>)| {
            let (_dir, config) = sys(temperature, alarm, throttled);
            let mut sensors = open(&config, Arc::new(SystemClock)).expect("the files are there");
            let found = sensors.read().expect("the files are good");
            assert_eq!(
                (found.soc_celsius, found.undervoltage, found.throttled),
                (Some(expected.0), expected.1, expected.2)
            );
        };
        check("51234\n", Some("0\n"), None, (51.234, Some(false), None));
        check("-3000", Some("1\n"), None, (-3.0, Some(true), None));
        check("40000", None, None, (40.0, None, None));
        check(
            "40000",
            Some("0"),
            Some("50005\n"),
            (40.0, Some(true), Some(true)),
        );
        check(
            "40000",
            Some("0"),
            Some("0x50000\n"),
            (40.0, Some(false), Some(false)),
        );
    }

    #[test]
    fn files_that_are_no_readings_are_faults() {
        let check = |temperature, alarm, throttled, part: &str| {
            let (_dir, config) = sys(temperature, alarm, throttled);
            let fault = open(&config, Arc::new(SystemClock))
                .and_then(|mut s| s.read())
                .expect_err("no reading");
            assert_eq!(fault.kind, FaultKind::WrongDevice);
            assert!(fault.to_string().contains(part), "{fault}");
        };
        check("warm", None, None, "\"warm\" is not a temperature");
        check("999999", None, None, "thousandths");
        check("40000", Some("yes"), None, "0 or 1");
        check("40000", None, Some("zz"), "hexadecimal");
    }

    #[test]
    fn an_absent_file_is_absent() {
        let (dir, config) = sys("40000", None, None);
        drop(dir);
        let fault = open(&config, Arc::new(SystemClock)).expect_err("the folder is gone");
        assert_eq!(
            (fault.kind, fault.code()),
            (FaultKind::Absent, "hw.sensors.fault")
        );
    }
}
