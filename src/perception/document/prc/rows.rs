//! Fields of the front by their printed labels, out of whole rows as they were read. Pure.

use super::PrcFront;
use super::fields;
use super::reader::{LEAST_ADDRESS, LEAST_BIRTH, LEAST_NAME};
use crate::base::secret::Secret;
use crate::perception::document::text::LineReading;

/// Rows are taken from the top down.
#[derive(Debug, Default)]
pub(super) struct Rows {
    fields: PrcFront,
    address: String,
    address_least: f32,
    in_address: bool,
}

impl Rows {
    /// Takes the next row.
    pub(super) fn take(&mut self, row: &LineReading) {
        let text: String = row
            .characters
            .iter()
            .map(|c| c.character)
            .filter(|c| *c != ' ')
            .collect();
        self.take_text(&text, row.least_confidence());
    }

    fn take_text(&mut self, text: &str, least: f32) {
        if let Some((_, address)) = text.split_once("住址") {
            self.in_address = true;
            self.address = address.to_owned();
            self.address_least = least;
        } else if self.in_address {
            self.address.push_str(text);
            self.address_least = self.address_least.min(least);
        } else if let Some((_, name)) = text.split_once("姓名") {
            if let Some(name) = fields::name(name).filter(|_| least >= LEAST_NAME) {
                self.fields.name = Secret::new(name);
                self.fields.name_confidence = least;
            }
        } else if let Some((_, sex)) = text.split_once("性别") {
            if let Some(sex @ ('男' | '女')) = sex.chars().next() {
                self.fields.sex = Secret::new(sex);
            }
            let people = text
                .split_once("民族")
                .and_then(|(_, p)| fields::ethnicity(p));
            self.fields.ethnicity = people.map(Secret::new).unwrap_or_default();
        } else if let Some((_, date)) = text.split_once("出生")
            && let Some(day) = fields::birth_date(date).filter(|_| least >= LEAST_BIRTH)
        {
            self.fields.birth_date = Secret::new(day);
        }
    }

    /// What was found, if the date of birth was.
    pub(super) fn into_fields(mut self) -> Option<PrcFront> {
        if self.fields.birth_date.is_empty() {
            return None;
        }
        let address: String = self
            .address
            .chars()
            .filter(|c| fields::is_of_addresses(*c))
            .collect();
        if self.address_least >= LEAST_ADDRESS {
            self.fields.address = Secret::new(address);
        }
        self.address.clear();
        Some(self.fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected: name, sex, ethnicity, date of birth, address.
    fn check(rows: &[(&str, f32)], expected: Option<[&str; 5]>) {
        let mut all = Rows::default();
        for (row, least) in rows {
            all.take_text(row, *least);
        }
        let found = all.into_fields().map(|f| {
            [f.name, f.sex, f.ethnicity, f.birth_date, f.address].map(|s| s.reveal().to_owned())
        });
        assert_eq!(found, expected.map(|e| e.map(str::to_owned)));
    }

    #[test]
    fn labels_say_what_a_row_is() {
        let rows = [
            ("姓名林若岚", 0.9),
            ("性别女民族汉", 0.9),
            ("出生1987年3月19日", 0.9),
            ("住址北京市朝阳区样本路", 0.9),
            ("12号3号楼1单元402室", 0.8),
        ];
        let all = [
            "林若岚",
            "女",
            "汉",
            "19870319",
            "北京市朝阳区样本路12号3号楼1单元402室",
        ];
        check(&rows, Some(all));
        // Without its label a row is nothing, before the address.
        check(
            &[("林若岚", 0.9), rows[2]],
            Some(["", "", "", "19870319", ""]),
        );
        // Unsure rows are not read.
        let unsure: Vec<_> = rows
            .iter()
            .map(|(t, _)| (*t, if t.starts_with('出') { 0.9 } else { 0.2 }))
            .collect();
        check(&unsure, Some(["", "女", "汉", "19870319", ""]));
    }

    #[test]
    fn without_a_date_of_birth_it_is_no_card() {
        check(&[], None);
        check(&[("姓名林若岚", 0.9), ("出生地样本市", 0.9)], None);
    }
}
