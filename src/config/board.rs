//! The board file: which devices there are. `kind` says whether they are real; the rest is the drivers' own.

use super::{ConfigError, invalid, read};
use crate::guidance::exposure::ExposureConfig;
use crate::guidance::light::{LightConfig, LightTable};
use crate::hal::PanelKind;
use crate::hal::pi::panel::PanelConfig;
use crate::hal::pi::{ModelsConfig, PiConfig};
use crate::hal::virt::VirtConfig;
use serde::de::DeserializeOwned;
use std::path::Path;
use toml::{Table, Value};

/// The devices of a board.
#[derive(Clone, Debug)]
pub enum Devices {
    /// Real ones.
    Pi(Box<PiConfig>),
    /// The virtual booth.
    Virt(Box<VirtConfig>),
}

/// A board.
#[derive(Clone, Debug)]
pub struct Board {
    /// Its name.
    pub name: String,
    /// What the models may take.
    pub models: ModelsConfig,
    /// Recipes and limits of the light.
    pub light: LightTable,
    /// Targets of the exposure loop.
    pub exposure: ExposureConfig,
    /// Its devices.
    pub devices: Devices,
}

impl Board {
    /// Reads a board file.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, what was found and what is allowed.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = read(path)?;
        let mut table: Table = toml::from_str(&text).map_err(|e| invalid(path, e))?;
        let kind = table
            .get("kind")
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned();
        let name = table
            .get("board")
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned();
        if name.is_empty() {
            return Err(invalid(
                path,
                "`board`: not there, needed: the name of the board, as in `board = \"kiosk-a\"`",
            ));
        }
        let light: LightConfig = take(&mut table, "light", path)?.ok_or_else(|| {
            invalid(
                path,
                "`light`: not there, needed: `[light.recipe.idle]`, `document` and `face`",
            )
        })?;
        let light = light.validate().map_err(|e| invalid(path, e))?;
        let exposure: ExposureConfig = take(&mut table, "exposure", path)?.unwrap_or_default();
        exposure.validate().map_err(|e| invalid(path, e))?;
        let (models, devices) = match kind.as_str() {
            "virt" => {
                let models: ModelsConfig = take(&mut table, "models", path)?
                    .ok_or_else(|| invalid(path, "`models.threads`: not there, allowed: 1 to 4"))?;
                let virt: VirtConfig = take(&mut table, "virt", path)?.ok_or_else(|| {
                    invalid(path, "`virt`: not there, needed because `kind` is virt")
                })?;
                if let Some(key) = table
                    .keys()
                    .find(|k| !["board", "kind"].contains(&k.as_str()))
                {
                    let allowed = "board, kind, models, light, exposure, virt";
                    return Err(invalid(
                        path,
                        format!("unknown key `{key}`, allowed: {allowed}"),
                    ));
                }
                (models, Devices::Virt(Box::new(virt)))
            }
            "pi" => {
                // The drivers' parser sees the file without what is not theirs.
                let rest = toml::to_string(&table).map_err(|e| invalid(path, e))?;
                let pi = PiConfig::parse(&rest).map_err(|e| invalid(path, e))?;
                (pi.models, Devices::Pi(Box::new(pi)))
            }
            other => {
                return Err(invalid(
                    path,
                    format!("`kind`: found {other:?}, allowed: \"pi\", \"virt\""),
                ));
            }
        };
        models.validate().map_err(|e| {
            let (key, found, allowed) = (e.key, e.found, e.allowed);
            invalid(path, format!("`{key}`: found {found}, allowed: {allowed}"))
        })?;
        Ok(Self {
            name,
            models,
            light,
            exposure,
            devices,
        })
    }

    /// Which panel it has.
    pub fn panel_kind(&self) -> Option<PanelKind> {
        match &self.devices {
            Devices::Pi(config) => config.panel.as_ref().map(PanelConfig::kind),
            Devices::Virt(config) => Some(config.panel),
        }
    }

    /// Whether the devices are virtual.
    pub fn is_virtual(&self) -> bool {
        matches!(self.devices, Devices::Virt(_))
    }
}

/// Takes a table out and reads it.
fn take<T: DeserializeOwned>(
    table: &mut Table,
    key: &str,
    path: &Path,
) -> Result<Option<T>, ConfigError> {
    let Some(value) = table.remove(key) else {
        return Ok(None);
    };
    value
        .try_into()
        .map(Some)
        .map_err(|e: toml::de::Error| invalid(path, format!("`{key}`: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(String) -> String, expected: &str) {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("board/virtual.toml");
        let text =
            change(std::fs::read_to_string(source).expect("the board file of the virtual booth"));
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("board.toml");
        std::fs::write(&path, text).expect("written");
        let error = Board::read(&path).expect_err(expected).to_string();
        assert!(
            error.contains("board.toml") && error.contains(expected),
            "{error}"
        );
    }

    #[test]
    fn every_board_of_the_project_is_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("board");
        let mut n = 0;
        for entry in std::fs::read_dir(folder).expect("board/") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|e| e == "toml") {
                let board = Board::read(&path).unwrap_or_else(|e| panic!("{e}"));
                assert_eq!(
                    Some(board.name.as_str()),
                    path.file_stem().and_then(|s| s.to_str())
                );
                n += 1;
            }
        }
        assert!(n >= 3, "{n} board files");
    }

    #[test]
    fn mistakes_are_named() {
        check(
            |t| t.replace("kind = \"virt\"", "kind = \"vitr\""),
            "allowed: \"pi\", \"virt\"",
        );
        check(|t| t + "\n[surprise]\nx = 1\n", "surprise");
        check(
            |t| t.replace("threads = ", "threads = 9 # "),
            "allowed: 1 to 4",
        );
        check(|t| t.replace("threads = ", "treads = "), "treads");
        check(
            |t| t.replace("[light.recipe.face]", "[light.recipe.fase]"),
            "face",
        );
        check(|_| "board = ".to_owned(), "line 1");
    }
}
