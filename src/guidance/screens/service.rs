//! When people take over, or the booth is out of service.

use super::motif::{person_at, spanner};
use super::pen::{Ink, Pen};
use super::theme::Tone;
use super::{Look, Screen};

/// The look of a screen of this group.
pub(super) fn look(screen: Screen) -> Look {
    match screen {
        Screen::HandOver => Look::new(Tone::Calm, hand_over),
        Screen::Maintenance => Look::new(Tone::Calm, spanner),
        _ => Look::new(Tone::Note, spanner),
    }
}

fn hand_over(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Main);
    person_at(pen, (12.0, 45.0), 0.95);
    pen.ink(Ink::Accent);
    person_at(pen, (36.0, 45.0), 0.95);
    // What the colleague says.
    pen.frame((19.0, 2.0), (26.0, 15.0), 3.0);
    pen.triangle((30.0, 16.0), (36.0, 16.0), (35.0, 21.0));
    for x in [26.0, 32.0, 38.0] {
        pen.disc((x, 9.5), 1.8);
    }
}
