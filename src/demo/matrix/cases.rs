//! What is played: people (scenes of the main job) times cases (what is wrong), read from `board/matrix/cases.toml`.

use crate::base::files::text_file;
use crate::hal::virt::scene::Scene;
use anyhow::Context as _;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Who can put right what is wrong in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum MendedBy {
    /// Nothing is wrong.
    Nobody,
    /// The booth, by light and exposure.
    Booth,
    /// The person, when told.
    Person,
    /// Neither: the session has to end with one of the case's reasons.
    Neither,
}

/// The file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Matrix {
    /// Scenes of bona fide people, by name.
    pub(super) people: Vec<String>,
    /// What is wrong.
    #[serde(rename = "case")]
    pub(super) cases: Vec<Case>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// Letters, digits, hyphens.
    pub(super) name: String,
    /// For the report.
    pub(super) title_en: String,
    /// For the report.
    pub(super) title_zh: String,
    /// Who can put it right.
    pub(super) mended_by: MendedBy,
    /// Where neither can: the primary reasons of which one has to be found.
    #[serde(default)]
    pub(super) reasons: Vec<String>,
    /// What is laid over the person's scene.
    #[serde(default)]
    pub(super) scene: Table,
}

impl Matrix {
    /// Reads the file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let place = || file.display().to_string();
        let text = text_file(file).with_context(place)?;
        let matrix: Self = toml::from_str(&text).with_context(place)?;
        for case in &matrix.cases {
            anyhow::ensure!(
                case.reasons.is_empty() == (case.mended_by != MendedBy::Neither),
                "{}: case {:?}: `reasons`: found {:?}, allowed: reasons where `mended_by` is \"neither\", and only there",
                file.display(),
                case.name,
                case.reasons
            );
        }
        Ok(matrix)
    }

    /// Those whose names are in `wanted`, or all if nothing is wanted.
    ///
    /// # Errors
    /// If there is none of a name.
    pub(super) fn choose(mut self, cases: &[String], people: &[String]) -> anyhow::Result<Self> {
        let known: Vec<&str> = self.cases.iter().map(|c| c.name.as_str()).collect();
        for name in cases {
            anyhow::ensure!(
                known.contains(&name.as_str()),
                "--case: found {name:?}, allowed: {}",
                known.join(", ")
            );
        }
        for name in people {
            anyhow::ensure!(
                self.people.contains(name),
                "--person: found {name:?}, allowed: {}",
                self.people.join(", ")
            );
        }
        if !cases.is_empty() {
            self.cases.retain(|c| cases.contains(&c.name));
        }
        if !people.is_empty() {
            self.people = people.to_vec();
        }
        Ok(self)
    }
}

/// The file of a person's scene.
pub(super) fn scene_file(scenes: &Path, person: &str) -> PathBuf {
    scenes.join(format!("{person}.toml"))
}

impl Case {
    /// The scene of `person` with this case laid over it.
    ///
    /// # Errors
    /// If the scene cannot be read, or is none with the case in it.
    pub(super) fn of(&self, scenes: &Path, person: &str) -> anyhow::Result<Scene> {
        let file = scene_file(scenes, person);
        let text = text_file(&file).with_context(|| file.display().to_string())?;
        let mut table: Table = toml::from_str(&text).with_context(|| file.display().to_string())?;
        lay_over(&mut table, &self.scene);
        let name = Value::String(format!("{}-{person}", self.name));
        table.insert("name".to_owned(), name);
        // A mistake is in the case: the scene alone is played by the demonstration.
        Scene::parse(&file, &toml::to_string(&table)?)
            .with_context(|| format!("case {:?}: `scene`", self.name))
    }
}

/// Tables are merged, everything else is replaced.
fn lay_over(below: &mut Table, above: &Table) {
    for (key, value) in above {
        match (below.get_mut(key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            _ => {
                below.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_of_the_project_fits_every_person() {
        let matrix = Matrix::read(Path::new("board/matrix/cases.toml")).expect("readable");
        assert!(matrix.cases.len() >= 12);
        for case in &matrix.cases {
            for person in &matrix.people {
                let scene = case.of(Path::new("board/scenes"), person);
                if let Err(error) = scene {
                    panic!("{} {person}: {error:#}", case.name);
                }
            }
        }
    }

    #[test]
    fn a_case_is_laid_over_a_scene() {
        let check = |below: &str, above: &str, expected: &str| {
            let mut table: Table = toml::from_str(below).expect("toml");
            lay_over(&mut table, &toml::from_str(above).expect("toml"));
            let expected: Table = toml::from_str(expected).expect("toml");
            assert_eq!(table, expected);
        };
        check(
            "a = 1\n[t]\nx = 1\ny = 2",
            "[t]\ny = 3",
            "a = 1\n[t]\nx = 1\ny = 3",
        );
        check("a = [1, 2]", "a = [3]", "a = [3]");
        check("a = 1", "[t]\nx = 1", "a = 1\n[t]\nx = 1");
    }
}
