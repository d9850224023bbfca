//! Light recipes: what the board file calls `idle`, `document`, `face` and so on, as levels.
//!
//! ```toml
//! [light]
//! ramp_per_s = 6.0          # steepest change, full scales per second
//! mean_power = 0.35         # highest mean over a minute, share of full power
//!
//! [light.recipe.face]
//! left = { white = 0.45 }   # also red, green, blue; each 0..=1
//! right = { white = 0.45 }
//! least = 0.10              # the exposure loop may dim white to this ...
//! most = 0.90               # ... and brighten it to this
//! ```

use super::core::LightLimits;
use crate::hal::{LightLevels, SideLevel};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Name of the recipe that every board has without writing it down.
pub const OFF: &str = "off";

/// Recipes that every board file must have.
pub const REQUIRED: [&str; 3] = ["idle", "document", "face"];

/// The `[light]` table of the board file, as typed.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LightConfig {
    /// See [`LightLimits::ramp_per_s`].
    pub ramp_per_s: Option<f32>,
    /// See [`LightLimits::mean_power`].
    pub mean_power: Option<f32>,
    /// Recipes by name.
    #[serde(default)]
    pub recipe: BTreeMap<String, LightRecipe>,
}

/// One recipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LightRecipe {
    /// Left half of the frame.
    #[serde(default)]
    pub left: SideLevel,
    /// Right half of the frame.
    #[serde(default)]
    pub right: SideLevel,
    /// Lowest white level that the exposure loop may set, 0..=1; without it, the lower white of the two sides: the loop does not dim.
    pub least: Option<f32>,
    /// Highest white level that the exposure loop may set, 0..=1; without it, the higher white: the loop does not brighten.
    pub most: Option<f32>,
}

impl LightRecipe {
    /// The levels to begin with.
    pub const fn levels(&self) -> LightLevels {
        LightLevels {
            left: self.left,
            right: self.right,
        }
    }

    /// Lowest and highest white level for the exposure loop.
    pub fn white_range(&self) -> (f32, f32) {
        (
            self.least
                .unwrap_or_else(|| self.left.white.min(self.right.white)),
            self.most
                .unwrap_or_else(|| self.left.white.max(self.right.white)),
        )
    }
}

/// What is wrong with the `[light]` table.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LightConfigError {
    /// A number is outside its range.
    #[error("[light] {key} = {found}: must be {least} to {most}; {mend}")]
    OutOfRange {
        /// Dotted key below `[light]`.
        key: String,
        /// The value found.
        found: f32,
        /// Lowest allowed.
        least: f32,
        /// Highest allowed.
        most: f32,
        /// What to do.
        mend: &'static str,
    },
    /// A recipe that every board needs is not there.
    #[error(
        "[light.recipe] has no `{missing}` (found: {found}): add [light.recipe.{missing}] to the board file"
    )]
    Missing {
        /// Name of the recipe.
        missing: &'static str,
        /// Names that are there.
        found: String,
    },
    /// A recipe's name is not one.
    #[error(
        "[light.recipe.{found}]: a recipe's name has 1 to 32 small letters, digits or underscores, and `off` is built in: choose another name"
    )]
    Name {
        /// The name found, shortened to 40 characters.
        found: String,
    },
    /// `least` lies above `most`, or the levels to begin with outside of them.
    #[error(
        "[light.recipe.{recipe}]: least = {least}, white = {white}, most = {most}: must be in this order; correct the one that is out of it"
    )]
    Order {
        /// Name of the recipe.
        recipe: String,
        /// Lowest level for the loop.
        least: f32,
        /// The side's level that does not fit.
        white: f32,
        /// Highest level for the loop.
        most: f32,
    },
}

/// A recipe was asked for that the board file does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no light recipe `{wanted}`: the board file has {known}; add [light.recipe.{wanted}] or use one of these"
)]
pub struct UnknownRecipe {
    /// The name asked for.
    pub wanted: String,
    /// The names that are there.
    pub known: String,
}

/// A `[light]` table that was found good.
#[derive(Clone, Debug, PartialEq)]
pub struct LightTable {
    /// Limits for the driver.
    pub limits: LightLimits,
    recipes: BTreeMap<String, LightRecipe>,
}

impl LightConfig {
    /// Checks every value.
    ///
    /// # Errors
    /// The first thing that is wrong, in the order limits, names, levels, missing recipes.
    pub fn validate(self) -> Result<LightTable, LightConfigError> {
        let defaults = LightLimits::default();
        let limits = LightLimits {
            ramp_per_s: self.ramp_per_s.unwrap_or(defaults.ramp_per_s),
            mean_power: self.mean_power.unwrap_or(defaults.mean_power),
        };
        let slow = "a slower ramp keeps the thermal limit from acting, a faster one is a jump";
        in_range("ramp_per_s", limits.ramp_per_s, (1.0, 20.0), slow)?;
        let sheet = "take it from the data sheet of the light and its heat sink";
        in_range("mean_power", limits.mean_power, (0.05, 1.0), sheet)?;
        for (name, recipe) in &self.recipe {
            check_name(name)?;
            check_recipe(name, recipe)?;
        }
        let mut recipes = self.recipe;
        recipes.insert(OFF.to_owned(), LightRecipe::default());
        for missing in REQUIRED {
            if !recipes.contains_key(missing) {
                let found = names(&recipes);
                return Err(LightConfigError::Missing { missing, found });
            }
        }
        Ok(LightTable { limits, recipes })
    }
}

impl LightTable {
    /// The recipe of this name; `off` is always there.
    ///
    /// # Errors
    /// [`UnknownRecipe`] with the names that are there.
    pub fn recipe(&self, name: &str) -> Result<&LightRecipe, UnknownRecipe> {
        self.recipes.get(name).ok_or_else(|| UnknownRecipe {
            wanted: name.to_owned(),
            known: names(&self.recipes),
        })
    }

    /// The names of all recipes, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.recipes.keys().map(String::as_str)
    }
}

fn names(recipes: &BTreeMap<String, LightRecipe>) -> String {
    recipes.keys().cloned().collect::<Vec<_>>().join(", ")
}

fn check_name(name: &str) -> Result<(), LightConfigError> {
    let good = (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if good && name != OFF {
        return Ok(());
    }
    Err(LightConfigError::Name {
        found: name.chars().take(40).collect(),
    })
}

fn check_recipe(name: &str, recipe: &LightRecipe) -> Result<(), LightConfigError> {
    let mend = "levels are shares of full power";
    let range = (0.0, 1.0);
    for (side, level) in [("left", recipe.left), ("right", recipe.right)] {
        for (colour, value) in [
            ("white", level.white),
            ("red", level.red),
            ("green", level.green),
            ("blue", level.blue),
        ] {
            in_range(
                &format!("recipe.{name}.{side}.{colour}"),
                value,
                range,
                mend,
            )?;
        }
    }
    let (least, most) = recipe.white_range();
    in_range(&format!("recipe.{name}.least"), least, range, mend)?;
    in_range(&format!("recipe.{name}.most"), most, range, mend)?;
    for white in [recipe.left.white, recipe.right.white] {
        if !(least..=most).contains(&white) {
            return Err(LightConfigError::Order {
                recipe: name.to_owned(),
                least,
                white,
                most,
            });
        }
    }
    Ok(())
}

fn in_range(
    key: &str,
    found: f32,
    (least, most): (f32, f32),
    mend: &'static str,
) -> Result<(), LightConfigError> {
    // NaN is in no range.
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(LightConfigError::OutOfRange {
        key: key.to_owned(),
        found,
        least,
        most,
        mend,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
        ramp_per_s = 4.0
        [recipe.idle]
        left.white = 0.05
        right.white = 0.05
        [recipe.document]
        left = { white = 0.3 }
        right = { white = 0.3 }
        least = 0.05
        most = 0.6
        [recipe.face]
        left = { white = 0.45, blue = 0.1 }
        right = { white = 0.5 }
    ";

    fn load(text: &str) -> Result<LightTable, String> {
        let config: LightConfig = toml::from_str(text).map_err(|e| e.to_string())?;
        config.validate().map_err(|e| e.to_string())
    }

    #[test]
    fn a_good_table_gives_its_recipes_and_off() {
        let table = load(GOOD).expect("a good table");
        assert_eq!(table.limits.ramp_per_s, 4.0);
        assert_eq!(table.limits.mean_power, LightLimits::default().mean_power);
        assert_eq!(
            table.names().collect::<Vec<_>>(),
            ["document", "face", "idle", "off"]
        );
        let face = table.recipe("face").expect("face");
        assert_eq!(face.white_range(), (0.45, 0.5));
        assert_eq!(face.levels().left.blue, 0.1);
        assert_eq!(
            table.recipe("document").expect("document").white_range(),
            (0.05, 0.6)
        );
        assert_eq!(table.recipe("off").expect("off").levels(), LightLevels::OFF);
        let unknown = table.recipe("disco").expect_err("not there").to_string();
        assert!(unknown.contains("`disco`") && unknown.contains("document, face, idle, off"));
    }

    #[test]
    fn a_bad_table_is_refused_with_its_place_and_value() {
        let check = |was: &str, is: &str, said: &[&str]| {
            let text = GOOD.replace(was, is);
            assert_ne!(text, GOOD, "{was}");
            let error = load(&text).expect_err(is);
            for part in said {
                assert!(error.contains(part), "{error} does not say {part}");
            }
        };
        check(
            "ramp_per_s = 4.0",
            "ramp_per_s = 50.0",
            &["ramp_per_s = 50", "1 to 20"],
        );
        check(
            "ramp_per_s = 4.0",
            "mean_power = nan",
            &["mean_power = NaN"],
        );
        check("ramp_per_s", "ramp_per_m", &["unknown field `ramp_per_m`"]);
        check(
            "blue = 0.1",
            "blue = 1.5",
            &["recipe.face.left.blue = 1.5", "0 to 1"],
        );
        check("blue = 0.1", "violet = 0.1", &["unknown field `violet`"]);
        check(
            "least = 0.05",
            "least = 0.4",
            &["recipe.document", "least = 0.4", "white = 0.3"],
        );
        check("most = 0.6", "most = 0.2", &["most = 0.2"]);
        check("most = 0.6", "most = 1.2", &["recipe.document.most = 1.2"]);
        check(
            "[recipe.face]",
            "[recipe.visage]",
            &["no `face`", "document, idle, off, visage"],
        );
        check("[recipe.idle]", "[recipe.off]", &["recipe.off", "built in"]);
        check("[recipe.idle]", "[recipe.\"Idle 2\"]", &["Idle 2"]);
    }
}
