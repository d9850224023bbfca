//! The claimed fields of the ticket against the document, one by one.

use super::document_step::ReadText;
use crate::base::terms::{Field, FieldMatch};
use crate::trust::ticket::{FieldMatch as ClaimMatch, Ticket};
use crate::verdict::evidence::number_birth_date;

/// Compares every field that the ticket claims with what was read. A field that is empty on the document is `not_read`.
pub fn compare_fields(ticket: &Ticket, text: &ReadText) -> Vec<(Field, FieldMatch)> {
    Field::ALL
        .into_iter()
        .filter_map(|field| {
            let read = read_field(text, field);
            match ticket.field_matches(field, read) {
                ClaimMatch::NotClaimed => None,
                _ if read.is_empty() => Some((field, FieldMatch::NotRead)),
                ClaimMatch::Match => Some((field, FieldMatch::Match)),
                ClaimMatch::Mismatch => Some((field, FieldMatch::Mismatch)),
            }
        })
        .collect()
}

/// What the document says. A resident identity card does not divide the name and does not print a nationality; birth and sex are
/// those of its number, which the printed ones are checked against.
fn read_field(text: &ReadText, field: Field) -> &str {
    match text {
        ReadText::Mrz(reading) => {
            let mrz = &reading.mrz;
            let secret = match field {
                Field::DocumentNumber => &mrz.document_number,
                Field::BirthDate => &mrz.birth_date,
                Field::ExpiryDate => &mrz.expiry_date,
                Field::PrimaryIdentifier => &mrz.primary_identifier,
                Field::SecondaryIdentifier => &mrz.secondary_identifier,
                Field::Nationality => &mrz.nationality,
                Field::Sex => &mrz.sex,
            };
            secret.reveal()
        }
        ReadText::Card(card) => {
            let number = card.front.as_ref().map_or("", |f| f.number.reveal());
            match field {
                Field::DocumentNumber => number,
                Field::BirthDate => number_birth_date(number),
                Field::ExpiryDate => card.back.as_ref().map_or("", |b| b.valid_until.reveal()),
                Field::PrimaryIdentifier => card.front.as_ref().map_or("", |f| f.name.reveal()),
                Field::Sex => number_sex(number),
                Field::SecondaryIdentifier | Field::Nationality => "",
            }
        }
    }
}

/// The sex in a citizen identification number (GB 11643): the 17th digit is odd for men.
fn number_sex(number: &str) -> &'static str {
    match number.as_bytes().get(16) {
        Some(digit) if digit.is_ascii_digit() => {
            if digit % 2 == 1 {
                "M"
            } else {
                "F"
            }
        }
        _ => "",
    }
}
