//! The claimed fields of the ticket against the document, one by one.

use crate::base::terms::{Field, FieldMatch};
use crate::perception::document::mrz::Mrz;
use crate::trust::ticket::{FieldMatch as ClaimMatch, Ticket};

/// Compares every field that the ticket claims with what was read. A field that is empty on the document is `not_read`.
pub fn compare_fields(ticket: &Ticket, mrz: &Mrz) -> Vec<(Field, FieldMatch)> {
    Field::ALL
        .into_iter()
        .filter_map(|field| {
            let read = match field {
                Field::DocumentNumber => mrz.document_number.reveal(),
                Field::BirthDate => mrz.birth_date.reveal(),
                Field::ExpiryDate => mrz.expiry_date.reveal(),
                Field::PrimaryIdentifier => mrz.primary_identifier.reveal(),
                Field::SecondaryIdentifier => mrz.secondary_identifier.reveal(),
                Field::Nationality => mrz.nationality.reveal(),
                Field::Sex => mrz.sex.reveal(),
            };
            match ticket.field_matches(field, read) {
                ClaimMatch::NotClaimed => None,
                _ if read.is_empty() => Some((field, FieldMatch::NotRead)),
                ClaimMatch::Match => Some((field, FieldMatch::Match)),
                ClaimMatch::Mismatch => Some((field, FieldMatch::Mismatch)),
            }
        })
        .collect()
}
