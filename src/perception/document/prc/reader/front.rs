//! The fields of the front, once its number is known.

use super::{Field, PrcReader, Tools};
use crate::base::geometry::Rect;
use crate::base::secret::Secret;
use crate::models::ModelError;
use crate::perception::document::field::FieldCheck;
use crate::perception::document::gb11643::{self, Gb11643Sex};
use crate::perception::document::page::Page;
use crate::perception::document::prc::rows::Rows;
use crate::perception::document::prc::{PrcChecks, PrcFront, fields, layout, number};
use crate::perception::document::text::ReadCharacter;

/// Least confidence in every character of a field; below, the field is not read. Chosen on cards of the generator.
pub(in crate::perception::document::prc) const LEAST_NAME: f32 = 0.75;
const LEAST_SEX: f32 = 0.6;
/// One of 56, so that less tells them apart.
const LEAST_ETHNICITY: f32 = 0.2;
pub(in crate::perception::document::prc) const LEAST_BIRTH: f32 = 0.5;
pub(in crate::perception::document::prc) const LEAST_ADDRESS: f32 = 0.3;
/// Rows that are read when labels are looked for; a front has seven.
const MOST_ROWS: usize = 8;

impl PrcReader {
    /// The fields of the front with this number.
    pub(super) fn front(
        &mut self,
        page: &Page,
        tools: &mut Tools<'_, '_>,
        number: number::Decided,
        confidence: f32,
    ) -> Result<PrcFront, ModelError> {
        self.found.clear();
        let mut front = PrcFront {
            number: Secret::new(number.digits.text()),
            confidence,
            repaired: number.repaired,
            ..PrcFront::default()
        };
        let name = self.first_line(page, tools, &layout::NAME, Field::Name)?;
        if name.least_confidence() >= LEAST_NAME
            && let Some(text) = fields::name(name.text().reveal())
        {
            front.name = Secret::new(text);
            front.name_confidence = name.least_confidence();
        }
        if let Some((sex, ethnicity)) = self.sex_and_ethnicity(page, tools)? {
            front.sex = Secret::new(sex);
            front.ethnicity = Secret::new(ethnicity);
        } else {
            self.sex_then_ethnicity(page, tools, &mut front)?;
        }
        let birth = self.first_line(page, tools, &layout::BIRTH, Field::BirthDate)?;
        if birth.least_confidence() >= LEAST_BIRTH
            && let Some(day) = fields::birth_date(birth.text().reveal())
        {
            front.birth_date = Secret::new(day);
        }
        let (address, least) = self.all_lines(page, tools, &layout::ADDRESS, Field::Address)?;
        if least >= LEAST_ADDRESS {
            front.address = Secret::new(fields::address(address.reveal()));
        }
        // The printed date of birth is the number's, or the rows do not stand where they should: corners are off sometimes.
        if front.birth_date.is_empty()
            || Some(front.birth_date.reveal()) != number.digits.text().get(6..14)
        {
            self.by_labels(page, tools, &mut front)?;
        }
        front.checks = self.checks(&front, number.check_character);
        Ok(front)
    }

    /// Sex and ethnicity, which stand in one row, in one reading with the label between them; `None` if that is not sure of all.
    fn sex_and_ethnicity(
        &mut self,
        page: &Page,
        tools: &mut Tools<'_, '_>,
    ) -> Result<Option<(char, &'static str)>, ModelError> {
        let (sex, ethnicity) = (layout::SEX.on_page(), layout::ETHNICITY.on_page());
        let both = Rect {
            w: ethnicity.x + ethnicity.w - sex.x,
            ..sex
        };
        let reading = self.only_line(page, tools, both, Field::SexAndEthnicity)?;
        Ok(reading.and_then(|r| fields::sex_and_ethnicity(r.text().reveal())))
    }

    /// Each of the two by itself.
    fn sex_then_ethnicity(
        &mut self,
        page: &Page,
        tools: &mut Tools<'_, '_>,
        front: &mut PrcFront,
    ) -> Result<(), ModelError> {
        let sex = self.first_line(page, tools, &layout::SEX, Field::Sex)?;
        if let [
            ReadCharacter {
                character,
                confidence,
                ..
            },
        ] = sex.characters.as_slice()
            && *confidence >= LEAST_SEX
        {
            front.sex = Secret::new(*character);
        }
        let people = self.first_line(page, tools, &layout::ETHNICITY, Field::Ethnicity)?;
        if people.least_confidence() >= LEAST_ETHNICITY
            && let Some(people) = fields::ethnicity(people.text().reveal())
        {
            front.ethnicity = Secret::new(people);
        }
        Ok(())
    }

    /// Reads whole rows and takes their fields by the printed labels; what stands in `front` gives way to it. Nothing is taken
    /// if no row has a date of birth: then these are no rows of a card.
    fn by_labels(
        &mut self,
        page: &Page,
        tools: &mut Tools<'_, '_>,
        front: &mut PrcFront,
    ) -> Result<(), ModelError> {
        let Some(map) = page.map() else {
            return Ok(());
        };
        self.find_once(page, tools)?;
        layout::rows(&self.found, layout::NUMBER.on_page().y, &mut self.lines);
        let mut rows = Rows::default();
        for quad in self.lines.iter().take(MOST_ROWS) {
            let reading = tools.reader.read(tools.frame, map, quad, None)?;
            rows.take(&reading);
        }
        if let Some(read) = rows.into_fields() {
            front.name_confidence = read.name_confidence;
            front.name = read.name;
            front.sex = read.sex;
            front.ethnicity = read.ethnicity;
            front.birth_date = read.birth_date;
            front.address = read.address;
        }
        Ok(())
    }

    fn checks(&self, front: &PrcFront, check_character: FieldCheck) -> PrcChecks {
        let digits = front.number.reveal();
        let printed = |field: &Secret, expected: Option<&str>| {
            let both = !field.is_empty() && expected.is_some();
            FieldCheck::of_option(both.then(|| Some(field.reveal()) == expected))
        };
        let region = digits.get(..6).and_then(|code| code.parse().ok());
        let sex = gb11643::sex(digits).map(|sex| match sex {
            Gb11643Sex::Male => "男",
            Gb11643Sex::Female => "女",
        });
        PrcChecks {
            check_character,
            region: region.map_or(FieldCheck::NotRead, |code| self.regions.check(code)),
            birth_date: printed(&front.birth_date, digits.get(6..14)),
            sex: printed(&front.sex, sex),
        }
    }
}
