//! A scene with everything that it names, ready to be played.

use super::phone::Phone;
use super::pictures::{PersonPicture, Room, Texture};
use super::scene::{Scene, SceneError, Surface};
use super::sound::read_wav;
use std::path::Path;
use std::sync::Arc;

/// A loaded scene. Does not change any more; a new play is a new set.
pub(super) struct Set {
    pub(super) scene: Arc<Scene>,
    pub(super) room: Room,
    pub(super) person: Option<PersonPicture>,
    pub(super) bystander: Option<PersonPicture>,
    pub(super) document: Option<Texture>,
    pub(super) back: Option<Texture>,
    /// The document with a finger on it.
    pub(super) covered: Option<Texture>,
    pub(super) phone: Option<Phone>,
    pub(super) wav: Vec<i16>,
}

impl std::fmt::Debug for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Set({})", self.scene.name)
    }
}

impl Set {
    /// Loads `file` for a camera of `width` x `height`; `ticket` is what the phone shows, if the scene has a ticket.
    pub(super) fn load(
        file: &Path,
        ticket: Option<&str>,
        width: u32,
        height: u32,
    ) -> Result<Self, SceneError> {
        Self::of(Scene::read(file)?, ticket, width, height)
    }

    /// Loads what `scene` names.
    pub(super) fn of(
        scene: Scene,
        ticket: Option<&str>,
        width: u32,
        height: u32,
    ) -> Result<Self, SceneError> {
        let room = Room::load(&scene, width, height)?;
        let person = match &scene.person {
            Some(p) => Some(PersonPicture::load(&scene, &p.layers, p.surface)?),
            None => None,
        };
        let bystander = match &scene.bystander {
            Some(b) => Some(PersonPicture::load(&scene, &b.layers, Surface::Solid)?),
            None => None,
        };
        let (mut document, mut back, mut covered) = (None, None, None);
        if let Some(d) = &scene.document {
            let seen_px = d.width_px * width as f32 / 1280.0;
            let aspect = d.size_mm[0] / d.size_mm[1];
            document = Some(Texture::document(
                &scene,
                "document.picture",
                &d.picture,
                seen_px,
                aspect,
            )?);
            if let (Some(finger), Some(page)) = (d.finger, &document) {
                covered = Some(page.under_a_finger(finger, d.size_mm[0]));
            }
            if let Some(path) = &d.back {
                back = Some(Texture::document(
                    &scene,
                    "document.back",
                    path,
                    seen_px,
                    aspect,
                )?);
            }
        }
        let phone = match &scene.ticket {
            Some(_) => Some(Phone::load(&scene, &ticket_text(&scene, ticket)?)?),
            None => None,
        };
        let wav = match &scene.audio.wav {
            Some(path) => read_wav(&scene.path(path)).map_err(|e| e.in_scene(&scene))?,
            None => Vec::new(),
        };
        Ok(Self {
            scene: Arc::new(scene),
            room,
            person,
            bystander,
            document,
            back,
            covered,
            phone,
            wav,
        })
    }

    /// An empty booth with a plain wall.
    pub(super) fn empty(width: u32, height: u32) -> Result<Self, SceneError> {
        let scene = Scene::parse(
            Path::new("empty booth"),
            "name = \"empty\"\nlongest_s = 3600.0",
        )?;
        Self::of(scene, None, width, height)
    }
}

/// The ticket's text: given, or from the file that the scene names.
fn ticket_text(scene: &Scene, given: Option<&str>) -> Result<String, SceneError> {
    let file = scene.ticket.as_ref().and_then(|t| t.file.as_ref());
    match (given, file) {
        (Some(text), _) => Ok(text.trim().to_owned()),
        (None, Some(path)) => {
            let whole = scene.path(path);
            let text = std::fs::read_to_string(&whole).map_err(|source| SceneError::Read {
                file: scene.file.clone(),
                key: "ticket.file".to_owned(),
                path: whole,
                source,
            })?;
            Ok(text.trim().to_owned())
        }
        (None, None) => Err(SceneError::Value {
            file: scene.file.clone(),
            key: "ticket".to_owned(),
            found: "without `file`, and none was given with the play".to_owned(),
            allowed: "a `file` with a finished ticket, or `\"ticket\"` in the line to the stage"
                .to_owned(),
            mend: "let the reference wallet make a ticket of the scene, then play it with that"
                .to_owned(),
        }),
    }
}
