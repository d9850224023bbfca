//! Table: what is changed in a perfect session with a resident identity card -> what is decided and which checks say so.

use super::tests::{pad, perfect, policy, threshold};
use super::*;
use crate::base::secret::Secret;
use crate::base::terms::DocumentKind;
use crate::perception::document::field::FieldCheck;
use crate::perception::document::prc::{PrcBack, PrcChecks, PrcFront};
use crate::verdict::evidence::{DocumentEvidence, PortraitEvidence, SpecimenEvidence};

/// What is read of the card; each test changes some of it.
struct Card {
    front: PrcFront,
    back: PrcBack,
    specimen: SpecimenEvidence,
    allow_specimen: bool,
    accepted: bool,
}

impl Card {
    fn perfect() -> Self {
        let v = FieldCheck::Verified;
        Self {
            front: PrcFront {
                name: Secret::new("林若岚"),
                number: Secret::new("110105198703192846"),
                checks: PrcChecks {
                    check_character: v,
                    region: v,
                    birth_date: v,
                    sex: v,
                },
                confidence: 0.9,
                ..PrcFront::default()
            },
            back: PrcBack {
                valid_from: Secret::new("20210520"),
                valid_until: Secret::new("20410520"),
                ..PrcBack::default()
            },
            specimen: SpecimenEvidence::Specimen,
            allow_specimen: true,
            accepted: true,
        }
    }

    fn decide(&self) -> Decision {
        let mut policy = policy();
        policy.document.allow_specimen = self.allow_specimen;
        if !self.accepted {
            policy
                .document
                .accepted
                .retain(|k| *k != DocumentKind::PrcId);
        }
        let mut evidence = perfect();
        evidence.document = Some(DocumentEvidence::from_card(
            Some(&self.front),
            Some(&self.back),
            self.specimen,
            evidence.today,
            2,
            0.9,
            PortraitEvidence::Found { inter_eye_px: 60.0 },
        ));
        decide(&evidence, &policy, &threshold(), &pad())
    }
}

#[test]
fn each_check_of_a_card_by_itself() {
    use CheckOutcome::{Failed, NotPossible, Passed};
    use FieldCheck::{NotRead, Refuted};
    use SessionResult as R;
    let check = |change: fn(&mut Card), result, codes: &[&str], name: &str, outcome| {
        let mut card = Card::perfect();
        change(&mut card);
        let decision = card.decide();
        let found: Vec<String> = decision.reasons.iter().map(ReportedReason::code).collect();
        assert_eq!(
            (decision.result, found),
            (result, codes.iter().map(|c| (*c).to_owned()).collect())
        );
        let check = decision.checks.iter().find(|c| c.name == name);
        assert_eq!(check.map(|c| c.outcome), Some(outcome), "{name}");
    };
    let read = "document.reading";
    check(|_| {}, R::Verified, &[], read, Passed);
    let name = "document.prc.check_character";
    check(|_| {}, R::Verified, &[], name, Passed);
    check(
        |c| c.front.checks.check_character = Refuted,
        R::Review,
        &["doc.suspect.id_check_digit"],
        name,
        Failed,
    );
    let name = "document.prc.region";
    check(
        |c| c.front.checks.region = Refuted,
        R::Review,
        &["doc.suspect.region_code"],
        name,
        Failed,
    );
    let name = "document.prc.birth_date";
    check(
        |c| c.front.checks.birth_date = Refuted,
        R::Review,
        &["doc.suspect.mrz_vs_printed"],
        name,
        Failed,
    );
    // What cannot be read is not passed; it is nothing against the card either.
    check(
        |c| c.front.checks.birth_date = NotRead,
        R::Verified,
        &[],
        name,
        NotPossible,
    );
    let name = "document.prc.sex";
    check(
        |c| c.front.checks.sex = Refuted,
        R::Review,
        &["doc.suspect.mrz_vs_printed"],
        name,
        Failed,
    );
    let name = "document.dates.validity";
    check(
        |c| c.back.valid_until = Secret::new("长期"),
        R::Verified,
        &[],
        name,
        Passed,
    );
    check(
        |c| c.back.valid_until = Secret::new("20261122"),
        R::NotVerified,
        &["doc.expired"],
        name,
        Failed,
    );
    check(
        |c| {
            c.back.valid_from = Secret::new("20270101");
            c.back.valid_until = Secret::new("20470101");
        },
        R::NotVerified,
        &["doc.not_yet_valid"],
        name,
        Failed,
    );
    let name = "document.dates.logic";
    check(
        |c| c.back.valid_from = Secret::new("20420101"),
        R::Review,
        &["doc.suspect.date_logic", "doc.not_yet_valid"],
        name,
        Failed,
    );
    let name = "document.type";
    check(
        |c| c.accepted = false,
        R::NotVerified,
        &["policy.document_type_unsupported"],
        name,
        Failed,
    );
}

#[test]
fn a_specimen_is_one_that_says_so_and_covering_it_does_not_help() {
    use SpecimenEvidence as S;
    let check = |specimen, allowed, result, code: Option<&str>, outcome| {
        let decision = Card {
            specimen,
            allow_specimen: allowed,
            ..Card::perfect()
        }
        .decide();
        let found = decision.reasons.first().map(ReportedReason::code);
        let check = decision
            .checks
            .iter()
            .find(|c| c.name == "document.specimen");
        assert_eq!(
            (decision.result, found.as_deref(), check.map(|c| c.outcome)),
            (result, code, Some(outcome)),
            "{specimen:?} {allowed}"
        );
    };
    use CheckOutcome::{Failed, NotPossible, Passed};
    use SessionResult::{Inconclusive, Review, Verified};
    check(S::Specimen, true, Verified, None, Passed);
    check(S::Genuine, true, Verified, None, Passed);
    check(S::NotRead, true, Verified, None, NotPossible);
    let suspect = Some("doc.suspect.specimen");
    check(S::Specimen, false, Review, suspect, Failed);
    check(S::Genuine, false, Verified, None, Passed);
    let covered = Some("doc.covered");
    check(S::NotRead, false, Inconclusive, covered, NotPossible);
}

#[test]
fn mended_characters_are_noted() {
    let mut card = Card::perfect();
    card.front.repaired = 1;
    let decision = card.decide();
    let reading = &decision.checks[0];
    assert_eq!(
        (reading.name.as_str(), reading.note),
        ("document.reading", Some("repaired"))
    );
    assert_eq!(reading.measure.as_ref().map(|m| m.value), Some(1.0));
}
