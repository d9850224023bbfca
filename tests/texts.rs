//! Between the decision, which names messages by id, and the texts: rooms that must not know each other. Every id that an
//! outcome can carry resolves in both languages, and no neutral reason finds a text of its own by another way.

use boothd::base::ids::Language;
use boothd::guidance::texts::{message, message_id, message_ids};
use boothd::verdict::decision::{Decision, ReportedReason, SessionResult};
use boothd::verdict::outcome::message_of;
use boothd::verdict::reasons::{ALL, AttemptUse, Audience, Disposition, Reason};
use std::collections::BTreeSet;

const RESULTS: [SessionResult; 9] = [
    SessionResult::Verified,
    SessionResult::NotVerified,
    SessionResult::Review,
    SessionResult::Inconclusive,
    SessionResult::Pending,
    SessionResult::Abandoned,
    SessionResult::DeclinedBySubject,
    SessionResult::AbortedEquipment,
    SessionResult::Practice,
];

fn decision(result: SessionResult, reason: Option<Reason>) -> Decision {
    let reasons = reason.map(|reason| ReportedReason {
        reason,
        field: None,
        measure: None,
    });
    Decision {
        result,
        disposition: Disposition::None,
        attribution: None,
        reasons: reasons.into_iter().collect(),
        checks: Vec::new(),
        uses_attempt: false,
    }
}

fn resolves(id: &str) -> bool {
    Language::ALL
        .into_iter()
        .all(|language| message(id, language).is_some())
}

#[test]
fn every_reason_has_its_message_in_both_languages() {
    let missing: Vec<String> = ALL
        .iter()
        .filter(|r| !resolves(r.code()) || !resolves(r.row().message))
        .map(|r| format!("{r} (message `{}`)", r.row().message))
        .collect();
    assert!(missing.is_empty(), "without a message: {missing:#?}");
}

#[test]
fn the_table_and_the_texts_agree_on_what_is_told_neutrally() {
    for reason in ALL {
        assert_eq!(
            message_id(reason.code()),
            Some(reason.row().message),
            "{reason}: texts and table name different messages"
        );
        // With the field's name behind it, as the backend gets it, it stays neutral.
        let with_field = format!("{reason}.birth_date");
        if reason.row().message.starts_with("neutral.") && reason.code().starts_with("data.") {
            assert_eq!(
                message_id(&with_field),
                Some("neutral.data"),
                "{with_field}"
            );
        }
    }
}

#[test]
fn every_message_that_an_outcome_can_name_resolves() {
    for result in RESULTS {
        for reason in ALL.iter().copied().map(Some).chain([None]) {
            let id = message_of(&decision(result, reason));
            assert!(resolves(id), "{result:?} with {reason:?} names `{id}`");
            if reason.is_some_and(|r| matches!(r.row().audience, Audience::B)) {
                assert!(
                    id.starts_with("neutral."),
                    "{reason:?} would be told as `{id}`"
                );
            }
        }
    }
}

#[test]
fn no_text_is_left_without_a_reason_or_a_result() {
    let mut used: BTreeSet<&str> = ALL.iter().map(|r| r.row().message).collect();
    used.extend(RESULTS.map(|result| message_of(&decision(result, None))));
    let orphans: Vec<&str> = message_ids().filter(|id| !used.contains(id)).collect();
    assert!(orphans.is_empty(), "nobody names {orphans:?}");
}

/// `No attempt was used` is a promise: it stands only where the reason keeps it.
#[test]
fn texts_promise_no_attempt_only_where_none_is_used() {
    for reason in ALL {
        let row = reason.row();
        let text = message(row.message, Language::En).expect("another test says that it is there");
        let promised = text.next.contains("No attempt was used");
        assert!(
            !promised || !matches!(row.attempt, AttemptUse::Yes | AttemptUse::AfterTimeout),
            "{reason} uses up an attempt, its text says that it does not"
        );
    }
}
