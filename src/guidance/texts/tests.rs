//! Both languages have the same texts, none is empty, and none says what a person must not be told.

use super::*;
use sha2::{Digest, Sha256};

const SOURCES: [(Language, &str); 2] = [
    (Language::Zh, include_str!("zh-CN.toml")),
    (Language::En, include_str!("en.toml")),
];

/// Every leaf of the file as (dotted place, text).
fn leaves(source: &str) -> Vec<(String, String)> {
    fn walk(place: &str, value: &toml::Value, into: &mut Vec<(String, String)>) {
        match value {
            toml::Value::Table(table) => {
                for (key, value) in table {
                    walk(&format!("{place}/{key}"), value, into);
                }
            }
            toml::Value::String(text) => into.push((place.to_owned(), text.clone())),
            other => panic!("{place}: {other} is not a text"),
        }
    }
    let mut into = Vec::new();
    let table: toml::Table = source.parse().expect("TOML");
    walk("", &toml::Value::Table(table), &mut into);
    into
}

#[test]
fn the_languages_have_the_same_keys_and_no_empty_text() {
    let [zh, en] = SOURCES.map(|(_, source)| leaves(source));
    let keys = |of: &[(String, String)]| of.iter().map(|(k, _)| k.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&zh), keys(&en));
    for (place, text) in zh.iter().chain(&en) {
        assert!(!text.trim().is_empty(), "{place} is empty");
        assert_eq!(text.trim(), text, "{place} has blanks around it");
    }
}

#[test]
fn the_files_parse_and_every_screen_has_its_texts_and_no_text_is_without_a_screen() {
    for (language, source) in SOURCES {
        let parsed: Texts = toml::from_str(source).expect("the texts have the right form");
        let with_text: Vec<_> = Screen::ALL
            .into_iter()
            .filter(|s| *s != Screen::Consent)
            .collect();
        for screen in &with_text {
            assert!(parsed.screen(*screen).is_some(), "{language:?} {screen:?}");
        }
        assert_eq!(parsed.screen.len(), with_text.len(), "{language:?}");
        assert_eq!(parsed.screen(Screen::Consent).map(|_| ()), None);
    }
}

/// Words of decision-making, and names of data fields. English is compared by whole words, Chinese by substring.
const NEVER_SAID: [&str; 47] = [
    "spoof",
    "spoofing",
    "fake",
    "fraud",
    "forged",
    "forgery",
    "score",
    "threshold",
    "attack",
    "liveness",
    "suspect",
    "suspected",
    "suspicious",
    "risk",
    "injection",
    "replay",
    "mismatch",
    "tampered",
    "coercion",
    "name",
    "surname",
    "birth",
    "birthday",
    "sex",
    "gender",
    "nationality",
    "address",
    "ethnicity",
    "document number",
    "mrz",
    "伪造",
    "欺诈",
    "假冒",
    "造假",
    "攻击",
    "分数",
    "得分",
    "阈值",
    "活体",
    "翻拍",
    "可疑",
    "风险",
    "姓名",
    "出生",
    "性别",
    "民族",
    "住址",
];

#[test]
fn no_text_says_what_a_person_must_not_be_told() {
    for (language, source) in SOURCES {
        for (place, text) in leaves(source) {
            let words: Vec<String> = text
                .to_lowercase()
                .split(|c: char| !c.is_alphanumeric())
                .map(str::to_owned)
                .collect();
            let spaced = format!(" {} ", words.join(" "));
            for never in NEVER_SAID {
                let said = if never.is_ascii() {
                    spaced.contains(&format!(" {never} "))
                } else {
                    text.contains(never)
                };
                assert!(!said, "{language:?} {place} says `{never}`: {text}");
            }
        }
    }
}

#[test]
fn a_changed_consent_text_has_a_new_version() {
    let mut hash = Sha256::new();
    for language in Language::ALL {
        let c = &Texts::of(language).consent;
        assert_eq!(c.version, CONSENT_VERSION);
        for text in [&c.heading, &c.recorded, &c.kept, &c.not_kept, &c.small] {
            hash.update(text.as_bytes());
            hash.update([0]);
        }
    }
    let found: String = hash.finalize()[..8]
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let known = ("consent-2026-11-26", "fa56cf47df8d2ec0");
    assert_eq!(
        (CONSENT_VERSION, found.as_str()),
        known,
        "the consent text changed: give it a new version in both languages, then note the new hash here"
    );
}

#[test]
fn security_and_data_are_told_in_neutral_words() {
    let check = |code: &str, id: Option<&str>| {
        assert_eq!(message_id(code), id, "{code}");
        for language in Language::ALL {
            assert_eq!(
                message(code, language),
                id.and_then(|id| message(id, language)),
                "{code}"
            );
        }
    };
    check("doc.suspect.specimen", Some(NEUTRAL_SECURITY));
    check("live.suspect.two_persons", Some(NEUTRAL_SECURITY));
    check("face.mismatch", Some(NEUTRAL_SECURITY));
    check("face.mismatch_reference", Some(NEUTRAL_SECURITY));
    check("risk.velocity_document", Some(NEUTRAL_SECURITY));
    check("session.ticket_used", Some(NEUTRAL_SECURITY));
    check("data.mismatch.family_name", Some(NEUTRAL_DATA));
    check("data.not_read.expiry", Some(NEUTRAL_DATA));
    check("neutral.data", Some(NEUTRAL_DATA));
    check("doc.expired", Some("doc.expired"));
    check("doc.copy.paper", Some("doc.copy.paper"));
    check("data.", None);
    check("doc", None);
    check("", None);
    for id in message_ids() {
        let neutral = TOLD_NEUTRALLY
            .iter()
            .any(|(known, _)| id.starts_with(known.trim_end_matches('.')));
        assert!(
            !neutral,
            "{id} has a text of its own, which nobody would see"
        );
    }
}

/// Every code that has a message of its own, family by family, and the results without a reason. That the table of reasons has
/// the same codes is compared in tests/texts.rs.
const CODES: &str = "
consent: declined withdrawn guardian_required
session: abandoned timeout cancelled left_view interrupted_power attempts_exhausted cooldown
policy: document_type_unsupported age_below_minimum language_unsupported purpose_unsupported
net: preflight_failed degraded backend_unreachable tls dns clock_skew captive_portal
backend: rejected rate_limited check_unavailable timeout
hw.camera: absent busy permission no_frames frozen dark covered blurred overexposed wrong_device dropped_frames
hw.mic: absent busy permission silent clipping overrun noisy
hw.light: absent stuck uneven aged overheat
hw: panel.fault speaker.fault buttons.fault serial.fault sensors.fault watchdog.fault tamper.open power.undervoltage
hw: thermal.throttled storage.full storage.worn model.missing model.corrupt service.fault
env: backlit too_dark too_bright side_lit ambient_beats_light flicker background_busy other_faces too_noisy
face: not_found multiple too_far too_close off_centre pose eyes_closed eyes_hidden mouth_open mask headwear occluded
face: moving blurred low_resolution
live: challenge_not_followed timeout light_no_response no_voice wrong_words inconclusive
doc: not_found cut_off too_small tilted moving blurred glare too_dark covered wrong_side missing_back two_documents
doc: damaged expired expires_soon not_yet_valid portrait_unusable type_unrecognised
doc.copy: paper screen black_white
staff: override_verified override_refused assisted maintenance
practice: completed
result: verified pending
neutral: security data";

#[test]
fn every_reason_code_has_a_message() {
    let mut wanted: Vec<String> = CODES
        .lines()
        .filter_map(|line| line.split_once(": "))
        .flat_map(|(family, codes)| codes.split(' ').map(move |c| format!("{family}.{c}")))
        .collect();
    wanted.sort();
    assert_eq!(message_ids().collect::<Vec<_>>(), wanted);
}
