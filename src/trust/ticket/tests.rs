//! Tickets, good and bad, and fields in all their spellings.

use super::*;
use crate::trust::keys::SoftwareKey;

const NOW: WallTime = WallTime(1_795_468_444_000);

fn booth() -> BoothId {
    BoothId::try_from("BOOTH-0001".to_owned()).unwrap()
}

/// The specimen of ICAO 9303 part 4, appendix B.
fn claims() -> TicketClaims {
    let mut claims = TicketClaims {
        version: 1,
        ticket_id: "T-01JDCW9M4N".to_owned(),
        session: SessionId::from_parts(NOW.0, [3; 10]),
        tenant: "bank".to_owned(),
        policy: "standard-1".to_owned(),
        purpose: Purpose::Onboarding,
        language: Language::En,
        documents: vec![DocumentKind::Td1, DocumentKind::Td3],
        salt: Bytes([5; 16]),
        fields: BTreeMap::new(),
        issued_s: NOW.unix_s(),
        expires_s: NOW.unix_s() + 120,
        nonce: Bytes([6; 16]),
        booth: Some(booth()),
        extended_time: false,
        reference: None,
    };
    for (field, value) in [
        (Field::DocumentNumber, "L898902C3"),
        (Field::BirthDate, "1974-08-12"),
        (Field::ExpiryDate, "2012-04-15"),
        (Field::PrimaryIdentifier, "Eriksson"),
        (Field::SecondaryIdentifier, "Anna Maria"),
    ] {
        claims.claim(field, value);
    }
    claims
}

fn keys() -> (SoftwareKey, TrustedKeys) {
    let key = SoftwareKey::from_seed(&[1; 32]);
    let trusted = TrustedKeys::from_iter([key.public()]);
    (key, trusted)
}

#[test]
fn a_ticket_is_small_and_says_nothing_plain() {
    let (key, trusted) = keys();
    let text = issue(&claims(), &key).unwrap();
    assert!(text.len() <= 900, "{} characters", text.len());
    let payload = unbase64url(text.split('.').nth(1).unwrap()).unwrap();
    let payload = String::from_utf8(payload).unwrap();
    for plain in ["L898902", "Eriksson", "ERIKSSON", "Anna", "740812", "1974"] {
        assert!(!payload.contains(plain), "{plain} in {payload}");
    }
    let ticket = check(&text, &trusted, NOW, &booth()).unwrap();
    assert_eq!(ticket.claims, claims());
}

#[test]
fn a_ticket_is_refused_for_a_reason() {
    let (key, trusted) = keys();
    let with = |change: fn(&mut serde_json::Value)| {
        let mut value = serde_json::to_value(claims()).unwrap();
        change(&mut value);
        jws::sign(
            value.to_string().as_bytes(),
            TYP,
            serde_json::Map::new(),
            &key,
        )
        .unwrap()
    };
    let good = issue(&claims(), &key).unwrap();
    let other_type = jws::sign(b"{}", "boothd-ack", serde_json::Map::new(), &key).unwrap();
    let stranger = issue(&claims(), &SoftwareKey::from_seed(&[2; 32])).unwrap();
    let mut altered = good.clone();
    let at = good.find('.').unwrap() + 20;
    altered.replace_range(at..at + 1, if &good[at..at + 1] == "A" { "B" } else { "A" });
    let cases: &[(&str, &str, i64)] = &[
        (&good, "ok", 0),
        (&format!("  {good}\n"), "ok", 0),
        (&good, "ok", 119_999),
        (&good, "Expired", 120_000),
        (&good, "ok", -300_000),
        (&good, "NotYetValid", -301_000),
        ("", "Malformed", 0),
        ("https://example.com/?t=1", "Malformed", 0),
        (&"x".repeat(3000), "TooLarge", 0),
        (&other_type, "WrongType", 0),
        (&stranger, "UnknownKey", 0),
        (&altered, "BadSignature", 0),
        (&with(|v| v["v"] = 2.into()), "UnknownVersion", 0),
        (&with(|v| v["v"] = "1".into()), "Malformed", 0),
        (&with(|v| v["pur"] = "joke".into()), "UnknownPurpose", 0),
        (&with(|v| v["pur"] = 5.into()), "Malformed", 0),
        (
            &with(|v| v["booth"] = "BOOTH-0002".into()),
            "ForAnotherBooth",
            0,
        ),
        (&with(|v| v["booth"] = "a b".into()), "Malformed", 0),
        (&with(|v| v["unknown"] = 1.into()), "Malformed", 0),
        (&with(|v| v["sid"] = "short".into()), "Malformed", 0),
        (&with(|v| v["jti"] = "a\nb".into()), "Malformed", 0),
        (&with(|v| v["docs"] = serde_json::json!([])), "Malformed", 0),
        (
            &with(|v| v["docs"] = serde_json::json!(["td3", "visa"])),
            "Malformed",
            0,
        ),
        (&with(|v| v["salt"] = "AAAA".into()), "Malformed", 0),
        (&with(|v| v["ref"] = "".into()), "Malformed", 0),
        (&with(|v| v["exp"] = i64::MAX.into()), "Malformed", 0),
        (&with(|v| v["iat"] = i64::MIN.into()), "Malformed", 0),
    ];
    for (text, expected, later_ms) in cases {
        let found = match check(text, &trusted, WallTime(NOW.0 + later_ms), &booth()) {
            Ok(_) => "ok".to_owned(),
            Err(e) => {
                let shown = e.to_string();
                assert!(shown.starts_with("ticket: "), "{shown}");
                format!("{e:?}")
            }
        };
        assert!(
            found.starts_with(expected),
            "{expected} at {later_ms}: {found}"
        );
    }
}

#[test]
fn fields_match_after_normalisation() {
    let mut claims = claims();
    claims.claim(Field::Sex, "<");
    claims.claim(Field::Nationality, "D<<");
    let ticket = Ticket { claims };
    for (field, value, expected) in [
        (Field::DocumentNumber, "L898902C3", FieldMatch::Match),
        (Field::DocumentNumber, "l 898902c3<", FieldMatch::Match),
        (Field::DocumentNumber, "L898902C4", FieldMatch::Mismatch),
        (Field::BirthDate, "740812", FieldMatch::Match),
        (Field::BirthDate, "19740812", FieldMatch::Match),
        (Field::BirthDate, "740813", FieldMatch::Mismatch),
        (Field::BirthDate, "", FieldMatch::Mismatch),
        (Field::PrimaryIdentifier, "ERIKSSON", FieldMatch::Match),
        (Field::PrimaryIdentifier, "ERIKSON", FieldMatch::Mismatch),
        (
            Field::SecondaryIdentifier,
            "ANNA<MARIA<<<<",
            FieldMatch::Match,
        ),
        (
            Field::SecondaryIdentifier,
            " anna-maria ",
            FieldMatch::Match,
        ),
        (Field::Nationality, "d", FieldMatch::Match),
        (Field::Sex, "X", FieldMatch::Match),
        (Field::Sex, "F", FieldMatch::Mismatch),
    ] {
        assert_eq!(
            ticket.field_matches(field, value),
            expected,
            "{field:?} {value}"
        );
    }
    let mut card = self::claims();
    card.claim(Field::DocumentNumber, "11010519491231002x");
    card.claim(Field::PrimaryIdentifier, "艾力·买买提");
    card.claim(Field::BirthDate, "1949-12-31");
    card.claim(Field::ExpiryDate, "长期");
    card.claim(Field::Sex, "女");
    let card = Ticket { claims: card };
    for (field, value, expected) in [
        (
            Field::DocumentNumber,
            "11010519491231002X",
            FieldMatch::Match,
        ),
        (
            Field::DocumentNumber,
            "１１０１０５１９４９１２３１００２Ｘ",
            FieldMatch::Match,
        ),
        (
            Field::DocumentNumber,
            "110105194912310021",
            FieldMatch::Mismatch,
        ),
        (Field::PrimaryIdentifier, "艾力买买提", FieldMatch::Match),
        (Field::PrimaryIdentifier, "艾力・买买提", FieldMatch::Match),
        (
            Field::PrimaryIdentifier,
            " 艾 力\u{3000}买买提",
            FieldMatch::Match,
        ),
        (Field::PrimaryIdentifier, "艾力买买堤", FieldMatch::Mismatch),
        (Field::BirthDate, "19491231", FieldMatch::Match),
        (Field::ExpiryDate, "长期", FieldMatch::Match),
        (Field::ExpiryDate, "20260101", FieldMatch::Mismatch),
        (Field::ExpiryDate, "", FieldMatch::Mismatch),
        (Field::Sex, "F", FieldMatch::Match),
        (Field::Sex, "男", FieldMatch::Mismatch),
    ] {
        assert_eq!(
            card.field_matches(field, value),
            expected,
            "{field:?} {value}"
        );
    }
    // A dot or a space between letters that are not Chinese is one space, not none.
    assert_eq!(
        Field::PrimaryIdentifier.normalise("anna·maria　李"),
        "ANNA MARIA 李"
    );
    let empty = Ticket {
        claims: TicketClaims {
            fields: BTreeMap::new(),
            ..self::claims()
        },
    };
    for field in Field::ALL {
        assert_eq!(empty.field_matches(field, "x"), FieldMatch::NotClaimed);
    }
}

#[test]
fn a_field_hash_does_not_fit_another_field() {
    let salt = [9; 16];
    let digests: std::collections::BTreeSet<_> =
        Field::ALL.iter().map(|f| f.digest(&salt, "1")).collect();
    assert_eq!(digests.len(), Field::ALL.len());
}

#[test]
fn single_use_depends_on_the_ticket_not_on_its_text() {
    let ticket = |change: fn(&mut TicketClaims)| {
        let mut claims = claims();
        change(&mut claims);
        Ticket { claims }.digest()
    };
    let first = ticket(|_| {});
    assert_eq!(first, ticket(|c| c.expires_s += 1));
    assert_ne!(first, ticket(|c| c.ticket_id.push('x')));
    assert_ne!(first, ticket(|c| c.tenant.push('x')));
}
