//! Reading a scene file, and what a value may be.

use super::{ActDeed, Scene, SceneError};
use crate::base::files::text_file;
use std::path::{Path, PathBuf};

impl Scene {
    /// Reads and checks a scene file; the pictures that it names are not opened.
    ///
    /// # Errors
    /// [`SceneError`]: which file, which key, what was found, what would do.
    pub fn read(file: &Path) -> Result<Self, SceneError> {
        let text = text_file(file).map_err(|source| SceneError::Read {
            file: file.to_owned(),
            key: "scene".to_owned(),
            path: file.to_owned(),
            source,
        })?;
        Self::parse(file, &text)
    }

    /// Checks the text of a scene file; `file` is for messages and for relative paths.
    ///
    /// # Errors
    /// As [`Scene::read`].
    pub fn parse(file: &Path, text: &str) -> Result<Self, SceneError> {
        let mut scene: Self = toml::from_str(text).map_err(|e| SceneError::Syntax {
            file: file.to_owned(),
            detail: e.to_string().trim().to_owned(),
        })?;
        file.clone_into(&mut scene.file);
        scene.check()?;
        Ok(scene)
    }

    /// A path of the scene file, made whole.
    pub(in crate::hal::virt) fn path(&self, path: &Path) -> PathBuf {
        self.file
            .parent()
            .unwrap_or_else(|| Path::new(""))
            .join(path)
    }

    fn refuse(&self, key: &str, found: String, allowed: &str, mend: &str) -> SceneError {
        SceneError::Value {
            file: self.file.clone(),
            key: key.to_owned(),
            found,
            allowed: allowed.to_owned(),
            mend: mend.to_owned(),
        }
    }

    fn check(&self) -> Result<(), SceneError> {
        let good_name = (1..=40).contains(&self.name.len())
            && self
                .name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !good_name {
            let found = format!("`{}`", self.name.chars().take(60).collect::<String>());
            let allowed = "1 to 40 letters, digits or hyphens";
            return Err(self.refuse("name", found, allowed, "choose such a name"));
        }
        for (key, value, low, high) in self.ranges() {
            if !(low..=high).contains(&value) {
                let (found, allowed) = (value.to_string(), format!("{low} to {high}"));
                return Err(self.refuse(&key, found, &allowed, "choose a value in the range"));
            }
        }
        for (i, act) in self.act.iter().enumerate() {
            self.check_screen(&format!("act[{i}].on"), &act.on)?;
            let lacks = match act.deed {
                ActDeed::ShowTicket => self.ticket.is_none().then_some("[ticket]"),
                ActDeed::ShowDocument => self.document.is_none().then_some("[document]"),
                _ => None,
            };
            if let Some(section) = lacks {
                let key = format!("act[{i}].do");
                let allowed = format!("this deed only with a {section}");
                let mend = format!("add {section} or choose another deed");
                return Err(self.refuse(&key, format!("{:?}", act.deed), &allowed, &mend));
            }
        }
        for (i, fault) in self.faults.iter().enumerate() {
            if let Some(screen) = &fault.after_screen {
                self.check_screen(&format!("faults[{i}].after_screen"), screen)?;
            }
        }
        Ok(())
    }

    fn check_screen(&self, key: &str, name: &str) -> Result<(), SceneError> {
        let known = match name.strip_suffix('*') {
            Some(start) => start.ends_with('.') && SCREENS.iter().any(|s| s.starts_with(start)),
            None => SCREENS.contains(&name),
        };
        if known {
            return Ok(());
        }
        let found = format!("`{}`", name.chars().take(60).collect::<String>());
        Err(self.refuse(
            key,
            found,
            &SCREENS.join(", "),
            "name one of them, or a group as `document.*`",
        ))
    }

    /// Every number with its limits: key, value, lowest, highest.
    fn ranges(&self) -> Vec<(String, f32, f32, f32)> {
        let mut all = Vec::new();
        let mut add = |key: &str, value: f32, low: f32, high: f32| {
            all.push((key.to_owned(), value, low, high));
        };
        add("pace", self.pace, 0.1, 20.0);
        add("longest_s", self.longest_s, 1.0, 3600.0);
        let (a, l, c) = (&self.ambient, &self.lamps, &self.camera);
        add("ambient.left_lux", a.left_lux, 0.0, 100_000.0);
        add("ambient.right_lux", a.right_lux, 0.0, 100_000.0);
        add("ambient.background_lux", a.background_lux, 0.0, 100_000.0);
        add("ambient.colour_k", a.colour_k, 2000.0, 12_000.0);
        add("ambient.flicker_hz", a.flicker_hz, 0.0, 1000.0);
        add("ambient.flicker_depth", a.flicker_depth, 0.0, 1.0);
        add("lamps.side_lux", l.side_lux, 0.0, 10_000.0);
        add("lamps.left_health", l.left_health, 0.0, 1.0);
        add("lamps.right_health", l.right_health, 0.0, 1.0);
        add("camera.sensitivity", c.sensitivity, 0.05, 20.0);
        add("camera.read_noise_e", c.read_noise_e, 0.0, 200.0);
        add("camera.full_well_e", c.full_well_e, 500.0, 100_000.0);
        add("camera.readout_ms", c.readout_ms, 0.0, 33.0);
        add(
            "audio.noise_floor_dbfs",
            self.audio.noise_floor_dbfs,
            -120.0,
            0.0,
        );
        add("room.clutter", self.room.clutter, 0.0, 1.0);
        add("board.soc_celsius", self.board.soc_celsius, -40.0, 125.0);
        if let Some(p) = &self.person {
            add("person.inter_eye_px", p.inter_eye_px, 20.0, 300.0);
            add("person.position[0]", p.position[0], -0.5, 1.5);
            add("person.position[1]", p.position[1], -0.5, 1.5);
            add("person.sway_px", p.sway_px, 0.0, 100.0);
            add("person.turn_deg", p.turn_deg, -40.0, 40.0);
        }
        if let Some(b) = &self.bystander {
            add("bystander.inter_eye_px", b.inter_eye_px, 20.0, 300.0);
            add("bystander.position[0]", b.position[0], -0.5, 1.5);
            add("bystander.position[1]", b.position[1], -0.5, 1.5);
        }
        if let Some(d) = &self.document {
            add("document.size_mm[0]", d.size_mm[0], 20.0, 400.0);
            add("document.size_mm[1]", d.size_mm[1], 20.0, 400.0);
            add("document.width_px", d.width_px, 100.0, 1400.0);
            add("document.position[0]", d.position[0], -0.5, 1.5);
            add("document.position[1]", d.position[1], -0.5, 1.5);
            for (i, tilt) in d.tilt_deg.iter().enumerate() {
                add(&format!("document.tilt_deg[{i}]"), *tilt, -60.0, 60.0);
            }
            add("document.jitter_px", d.jitter_px, 0.0, 100.0);
            add("document.gloss", d.gloss, 0.0, 1.0);
            for (i, share) in d.finger.iter().flatten().enumerate() {
                add(&format!("document.finger[{i}]"), *share, 0.0, 1.0);
            }
        }
        if let Some(t) = &self.ticket {
            add("ticket.width_px", t.width_px, 100.0, 1200.0);
            add("ticket.nits", t.nits, 1.0, 2000.0);
        }
        all
    }
}

/// The names that the panel's screens have, in the order of a session.
pub const SCREENS: [&str; 59] = [
    "starting",
    "idle",
    "show_ticket.show",
    "show_ticket.refused",
    "consent",
    "preflight",
    "document.show",
    "document.closer",
    "document.whole_document",
    "document.straight",
    "document.still",
    "document.glare",
    "document.dark",
    "document.uncover",
    "document.other_side",
    "document.turn_to_back",
    "document.turn_to_front",
    "document.done",
    "face.look",
    "face.closer",
    "face.back",
    "face.centre",
    "face.straight",
    "face.open_eyes",
    "face.close_mouth",
    "face.still",
    "face.alone",
    "face.light",
    "face.done",
    "working",
    "result.verified",
    "result.not_verified",
    "result.in_review",
    "result.pending",
    "result.see_staff",
    "result.declined",
    "result.ended",
    "result.other_document",
    "result.try_later",
    "result.booth_fault",
    "result.practice_done",
    "retry.document_not_seen",
    "retry.document_unclear",
    "retry.back_not_seen",
    "retry.two_documents",
    "retry.face_not_seen",
    "retry.face_unclear",
    "retry.light",
    "retry.other_light",
    "retry.other_document",
    "retry.ask_staff",
    "hand_over",
    "out_of_service",
    "maintenance",
    "show_ticket.*",
    "document.*",
    "face.*",
    "result.*",
    "retry.*",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, complaint: &str) {
        let error = Scene::parse(Path::new("scenes/x.toml"), text).expect_err(text);
        let said = error.to_string();
        assert!(
            said.contains("scenes/x.toml") && said.contains(complaint) && said.contains("mend:"),
            "{text}\n-> {said}"
        );
    }

    #[test]
    fn a_bad_scene_is_refused_with_file_key_value_and_limits() {
        check("", "name");
        check(
            "name = \"a b\"",
            "`name` is `a b`; allowed: 1 to 40 letters",
        );
        check(
            "name = \"x\"\npace = 0.0",
            "`pace` is 0; allowed: 0.1 to 20",
        );
        check(
            "name = \"x\"\npaec = 1.0",
            "unknown field `paec`, expected one of",
        );
        check(
            "name = \"x\"\n[ambient]\nleft_lux = \"bright\"",
            "invalid type: string \"bright\"",
        );
        check(
            "name = \"x\"\n[ambient]\nleft_lux = nan",
            "`ambient.left_lux` is NaN",
        );
        check(
            "name = \"x\"\n[[faults]]\nwhat = \"camera_lost\"",
            "unknown variant `camera_lost`",
        );
        check(
            "name = \"x\"\n[[act]]\non = \"idel\"\ndo = \"leave\"",
            "`act[0].on` is `idel`",
        );
        check(
            "name = \"x\"\n[[act]]\non = \"idle\"\ndo = \"show_document\"",
            "add [document]",
        );
        check(
            "name = \"x\"\n[person]\nlayers = \"p\"\ninter_eye_px = 5.0",
            "allowed: 20 to 300",
        );
    }

    #[test]
    fn a_missing_scene_is_named() {
        let error = Scene::read(Path::new("no/such.toml")).expect_err("it is not there");
        assert!(
            error.to_string().contains("cannot read no/such.toml"),
            "{error}"
        );
    }
}
