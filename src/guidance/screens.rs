//! Draws a [`UiModel`] for one of the two panels: pure, the same model gives the same pixels.
//!
//! | file | what |
//! |---|---|
//! | `canvas` | pixels, and a record of where texts were put, so that tests find what is cut off or overlaps |
//! | `font` | GNU Unifont glyphs, measuring, line breaking |
//! | `theme` | the colours, with their contrast tested |
//! | `pen`, `motif` | pictograms: primitives on a grid of 48 x 48 units, and the things that several pictograms show |
//! | `welcome`, `document`, `face`, `outcome`, `service` | what each group of screens looks like |
//! | `colour`, `mono` | the layout on the colour and on the one-bit panel |

mod canvas;
mod colour;
mod document;
mod face;
mod font;
mod mono;
mod motif;
mod outcome;
mod pen;
mod service;
mod theme;
mod welcome;

use super::model::{DocumentPrompt, FacePrompt, ResultSign, Screen, UiModel};
use super::texts::{Hint, Hints, Texts};
use crate::hal::{PanelImage, PanelKind};
use canvas::Canvas;
use pen::Pen;
use theme::Tone;

/// What a group of screens says of one screen; the layouts do the rest.
struct Look {
    /// Draws the pictogram on 48 x 48 units.
    pictogram: fn(&mut Pen<'_, '_>),
    /// A wider pictogram (144 x 48 units) for the colour panel, if there is one.
    wide: Option<fn(&mut Pen<'_, '_>)>,
    /// Mood, as a colour.
    tone: Tone,
}

impl Look {
    fn new(tone: Tone, pictogram: fn(&mut Pen<'_, '_>)) -> Self {
        Self {
            pictogram,
            wide: None,
            tone,
        }
    }

    fn of(screen: Screen) -> Self {
        match screen {
            Screen::Starting
            | Screen::Idle
            | Screen::ShowTicket(_)
            | Screen::Consent
            | Screen::Preflight => welcome::look(screen),
            Screen::Document(prompt) => document::look(prompt),
            Screen::Face(prompt) => face::look(prompt),
            Screen::Working | Screen::Result(_) | Screen::Retry(_) => outcome::look(screen),
            Screen::HandOver | Screen::OutOfService | Screen::Maintenance => service::look(screen),
        }
    }
}

/// What a button does on a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ButtonHint {
    /// Start a session.
    Start,
    /// Give consent.
    Agree,
    /// Refuse consent.
    Decline,
    /// Repeat the step.
    Again,
    /// Leave the result.
    Finish,
    /// Cancel; held: help.
    Cancel,
    /// Held: help.
    Help,
}

impl ButtonHint {
    fn text(self, hints: &Hints) -> &Hint {
        match self {
            Self::Start => &hints.start,
            Self::Agree => &hints.agree,
            Self::Decline => &hints.decline,
            Self::Again => &hints.again,
            Self::Finish => &hints.finish,
            Self::Cancel => &hints.cancel,
            Self::Help => &hints.help,
        }
    }
}

/// What the screen says of the two buttons: (the other one, at the left; the green one, at the right).
/// A button without a hint does nothing that the person has to know of.
pub fn button_hints(screen: Screen) -> (Option<ButtonHint>, Option<ButtonHint>) {
    use ButtonHint as B;
    match screen {
        Screen::Starting
        | Screen::Working
        | Screen::HandOver
        | Screen::OutOfService
        | Screen::Maintenance => (None, None),
        Screen::Idle => (None, Some(B::Start)),
        Screen::ShowTicket(_) | Screen::Preflight => (Some(B::Cancel), None),
        Screen::Consent => (Some(B::Decline), Some(B::Agree)),
        Screen::Document(DocumentPrompt::Done) | Screen::Face(FacePrompt::Done) => (None, None),
        Screen::Document(_) | Screen::Face(_) => (Some(B::Cancel), None),
        Screen::Retry(_) => (Some(B::Cancel), Some(B::Again)),
        Screen::Result(ResultSign::Verified | ResultSign::PracticeDone | ResultSign::TryLater) => {
            (None, Some(B::Finish))
        }
        Screen::Result(_) => (Some(B::Help), Some(B::Finish)),
    }
}

/// Draws `model` for a panel of `kind` into `image`, whose pixels are reshaped as needed and all written.
pub fn draw(model: &UiModel, kind: PanelKind, image: &mut PanelImage) {
    paint(model, kind, image);
}

/// As [`draw`]; returns the canvas's record of what was placed where.
fn paint(model: &UiModel, kind: PanelKind, image: &mut PanelImage) -> canvas::Record {
    let (width, height) = kind.size();
    image.kind = kind;
    image.screen = model.screen.name();
    image.pixels.clear();
    image.pixels.resize((width * height) as usize, 0);
    let mut canvas = Canvas::new(&mut image.pixels, width, height);
    let texts = Texts::of(model.language);
    match kind {
        PanelKind::St7789 => colour::draw(model, texts, &mut canvas),
        PanelKind::Ssd1306 => mono::draw(model, texts, &mut canvas),
    }
    canvas.into_record()
}

/// When another attempt is taken, or how many are left.
fn attempts(model: &UiModel, again_in: &str, left: &str) -> Option<String> {
    let again = model.again_in_s.map(|n| with_number(again_in, n));
    again.or(model.attempts_left.map(|n| with_number(left, n)))
}

/// `{n}` of a label replaced by a number.
fn with_number(label: &str, n: impl std::fmt::Display) -> String {
    label.replace("{n}", &n.to_string())
}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
