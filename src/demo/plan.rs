//! A scene as the demonstration needs it: what is expected of it, and the ticket that the wallet is asked for.

use crate::app::replay::ModelArgs;
use crate::base::ids::Language;
use crate::base::terms::{DocumentKind, Field, Purpose};
use crate::hal::virt::scene::{Expect, Scene};
use crate::perception::face::calibration::template_of;
use crate::perception::face::pipeline::FacePipeline;
use crate::trust::ticket::Reference;
use crate::wallet::TicketRequest;
use anyhow::Context;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// A scene to be played.
#[derive(Clone, Debug)]
pub(super) struct PlannedScene {
    /// Its file.
    pub(super) file: PathBuf,
    /// Its name.
    pub(super) name: String,
    /// Its title.
    pub(super) title_en: String,
    /// Its title.
    pub(super) title_zh: String,
    /// What must come out.
    pub(super) expect: Expect,
    /// The ticket; practice has none.
    pub(super) ticket: Option<TicketRequest>,
    /// Whether the wallet is there.
    pub(super) wallet_reachable: bool,
}

/// How long the demonstration's tickets are valid.
const VALID_S: u32 = 1800;

/// Reads the scene `name` of a folder.
pub(super) fn read(folder: &Path, name: &str, models: &ModelArgs) -> anyhow::Result<PlannedScene> {
    let file = folder.join(format!("{name}.toml"));
    let scene = Scene::read(&file)?;
    let expect = scene.expect.clone().with_context(|| {
        format!(
            "{}: `[expect]`: not there, needed for the demo",
            file.display()
        )
    })?;
    let mut ticket = scene
        .ticket
        .as_ref()
        .map(|t| request(t, &file))
        .transpose()?;
    let picture = scene.ticket.as_ref().and_then(|t| t.reference.as_ref());
    if let (Some(request), Some(picture)) = (&mut ticket, picture) {
        request.reference = Some(reference(&folder.join(picture), models)?);
    }
    Ok(PlannedScene {
        // The booth is another process with another idea of the present folder.
        file: std::fs::canonicalize(&file)?,
        name: scene.name.clone(),
        title_en: scene.title_en.clone(),
        title_zh: scene.title_zh.clone(),
        expect,
        ticket,
        wallet_reachable: scene.wallet.reachable,
    })
}

/// The ticket of the scene in `file`.
pub(super) fn ticket_of(file: &Path) -> anyhow::Result<TicketRequest> {
    let scene = Scene::read(file)?;
    let ticket = scene.ticket.as_ref().with_context(|| {
        format!(
            "{}: `[ticket]`: not there; mend: name a scene whose person has a ticket",
            file.display()
        )
    })?;
    anyhow::ensure!(
        ticket.reference.is_none(),
        "{}: `ticket.reference`: tickets with a reference are made by `boothd demo` only; mend: name another scene",
        file.display()
    );
    request(ticket, file)
}

/// The template that a wallet would have kept of the person, as bytes of a ticket.
fn reference(picture: &Path, models: &ModelArgs) -> anyhow::Result<Reference> {
    let mut pipeline = FacePipeline::new(&models.catalogue()?)?;
    let template = template_of(picture, &mut pipeline).map_err(|e| anyhow::anyhow!("{e}"))?;
    let template = template.with_context(|| format!("{}: no face found", picture.display()))?;
    Reference::new(template.to_bytes()).context("a template of 512 bytes fits a ticket")
}

fn request(ticket: &crate::hal::virt::scene::Ticket, file: &Path) -> anyhow::Result<TicketRequest> {
    let claims = ticket.claims.iter();
    let fields = claims
        .map(|(name, value)| Ok((word::<Field>(name, "ticket.claims", file)?, value.clone())));
    let documents = ticket
        .documents
        .iter()
        .map(|d| word::<DocumentKind>(d, "ticket.documents", file));
    Ok(TicketRequest {
        purpose: word::<Purpose>(&ticket.purpose, "ticket.purpose", file)?,
        language: word::<Language>(&ticket.language, "ticket.language", file)?,
        documents: documents.collect::<anyhow::Result<_>>()?,
        fields: fields.collect::<anyhow::Result<_>>()?,
        ttl_s: VALID_S,
        booth: None,
        session_id: None,
        extended_time: false,
        reference: None,
    })
}

/// A word of a closed set.
fn word<T: DeserializeOwned>(text: &str, key: &str, file: &Path) -> anyhow::Result<T> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .with_context(|| format!("{}: `{key}`: found {text:?}", file.display()))
}
