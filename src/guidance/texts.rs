//! Every text that a person gets, per language: screens, button hints, consent, and the messages that the wallet app shows
//! for a reason code. The texts are part of the binary (`texts/*.toml`); the tests here hold the languages together.

use super::model::Screen;
use crate::base::ids::Language;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Version of the consent text. A record of consent names it; a changed text gets a new one (tested).
pub const CONSENT_VERSION: &str = "consent-2026-11-26";

/// Message that stands for every reason of security.
pub const NEUTRAL_SECURITY: &str = "neutral.security";

/// Message that stands for every reason about the person's data.
pub const NEUTRAL_DATA: &str = "neutral.data";

/// Reason codes (or families, ending in a dot) that a person is told only in neutral words.
const TOLD_NEUTRALLY: [(&str, &str); 13] = [
    ("data.", NEUTRAL_DATA),
    ("doc.suspect.", NEUTRAL_SECURITY),
    ("face.changed_midway", NEUTRAL_SECURITY),
    ("face.match_not_possible", NEUTRAL_SECURITY),
    ("face.mismatch", NEUTRAL_SECURITY),
    ("face.mismatch_reference", NEUTRAL_SECURITY),
    ("live.suspect.", NEUTRAL_SECURITY),
    ("risk.coercion_suspected", NEUTRAL_SECURITY),
    ("risk.suspicious_behaviour", NEUTRAL_SECURITY),
    ("risk.velocity_document", NEUTRAL_SECURITY),
    ("session.ticket_expired", NEUTRAL_SECURITY),
    ("session.ticket_invalid", NEUTRAL_SECURITY),
    ("session.ticket_used", NEUTRAL_SECURITY),
];

/// All texts of one language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// Labels that several screens share.
    pub label: Labels,
    /// What the two buttons do.
    pub hint: Hints,
    /// What the person agrees to.
    pub consent: Consent,
    /// By [`Screen::name`]; the consent screen has [`Texts::consent`] instead.
    screen: BTreeMap<String, ScreenText>,
    /// By reason code.
    message: BTreeMap<String, Message>,
}

/// Labels that several screens share. `{n}` stands for a number.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// Banner of practice.
    pub practice: String,
    /// The same for the one-bit panel.
    pub practice_small: String,
    /// Beside the sign of a limited network.
    pub network_limited: String,
    /// Seconds left.
    pub seconds: String,
    /// The same for the one-bit panel.
    pub seconds_small: String,
    /// Attempts left.
    pub attempts: String,
    /// The same for the one-bit panel.
    pub attempts_small: String,
    /// When another attempt is taken, in seconds.
    pub again_in: String,
    /// The same for the one-bit panel.
    pub again_in_small: String,
    /// That every step has twice the time.
    pub more_time: String,
    /// The same as a sign: where there is little room, on the one-bit panel behind the seconds.
    pub more_time_small: String,
    /// Above the reference number.
    pub reference: String,
}

/// What the two buttons do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hints {
    /// Start a session.
    pub start: Hint,
    /// Give consent.
    pub agree: Hint,
    /// Refuse consent.
    pub decline: Hint,
    /// Repeat the step.
    pub again: Hint,
    /// Leave the result.
    pub finish: Hint,
    /// Cancel, or ask for help by holding.
    pub cancel: Hint,
    /// Ask for help by holding.
    pub help: Hint,
}

/// One hint in two lengths.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hint {
    /// For the colour panel.
    pub full: String,
    /// For the one-bit panel.
    pub small: String,
}

/// What the person agrees to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Equal to [`CONSENT_VERSION`] in every language.
    pub version: String,
    /// The question.
    pub heading: String,
    /// What is recorded, and what for.
    pub recorded: String,
    /// What is kept.
    pub kept: String,
    /// What is not kept.
    pub not_kept: String,
    /// All of it in short, lines for the one-bit panel.
    pub small: String,
}

/// The texts of one screen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScreenText {
    /// The one instruction or statement; large on the colour panel.
    pub heading: String,
    /// One sentence or two that help with it.
    pub detail: String,
    /// One or two lines for the one-bit panel.
    pub small: String,
}

/// What the wallet app shows for a reason: what happened, why, what to do next.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// What happened, in a few words.
    pub title: String,
    /// Why.
    pub explain: String,
    /// What to do next.
    pub next: String,
}

impl Texts {
    /// The texts of `language`.
    pub fn of(language: Language) -> &'static Self {
        static ZH: OnceLock<Texts> = OnceLock::new();
        static EN: OnceLock<Texts> = OnceLock::new();
        let (place, source) = match language {
            Language::Zh => (&ZH, include_str!("texts/zh-CN.toml")),
            Language::En => (&EN, include_str!("texts/en.toml")),
        };
        place.get_or_init(|| {
            toml::from_str(source).expect("the texts are part of the binary and parsed by a test")
        })
    }

    /// The texts of a screen; `None` for [`Screen::Consent`], which has [`Texts::consent`].
    pub fn screen(&self, screen: Screen) -> Option<&ScreenText> {
        self.screen.get(screen.name())
    }
}

/// The id of the message that a person is told for a reason code: the code itself, or a neutral one where the reason is one
/// of security or of data. `None`: no such code.
pub fn message_id(code: &str) -> Option<&'static str> {
    let neutral = TOLD_NEUTRALLY.iter().find(|(known, _)| match *known {
        family if family.ends_with('.') => code.starts_with(family) && code.len() > family.len(),
        known => code == known,
    });
    if let Some((_, id)) = neutral {
        return Some(id);
    }
    let own = Texts::of(Language::En).message.get_key_value(code);
    own.map(|(id, _)| id.as_str())
}

/// The message for a reason code, or for a message id of [`message_id`]. `None`: no such code.
pub fn message(id: &str, language: Language) -> Option<&'static Message> {
    Texts::of(language).message.get(message_id(id)?)
}

/// All ids that have a message of their own, in alphabetical order.
pub fn message_ids() -> impl Iterator<Item = &'static str> {
    Texts::of(Language::En).message.keys().map(String::as_str)
}

#[cfg(test)]
mod tests;
