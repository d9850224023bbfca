//! Tickets: the signed text, its header, its claims.
//!
//! An Ed25519 signature takes longer than all the rest together. So most inputs are given to the checks behind the signature, and
//! one in sixty-four is signed and goes through all of it.

use boothd::base::ids::BoothId;
use boothd::base::time::WallTime;
use boothd::trust::keys::{Signer as _, SoftwareKey, TrustedKeys};
use boothd::trust::ticket::{self, Field, FieldMatch};
use boothd::trust::{base64url, jws};
use std::sync::LazyLock;

struct Bench {
    key: SoftwareKey,
    trusted: TrustedKeys,
    booth: BoothId,
}

static BENCH: LazyLock<Bench> = LazyLock::new(|| {
    let key = SoftwareKey::from_seed(&[1; 32]);
    Bench {
        trusted: TrustedKeys::from_iter([key.public()]),
        key,
        booth: BoothId::try_from("BOOTH-0001".to_owned()).expect("a good name"),
    }
});

/// The instant that the booth's clock shows.
pub const NOW: WallTime = WallTime(1_795_468_444_000);

/// The first byte chooses: a whole ticket, its three parts before they are encoded, a payload, or a value of a field.
pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else {
        return;
    };
    let bench = &*BENCH;
    match mode % 4 {
        0 => {
            if let Ok(text) = std::str::from_utf8(rest) {
                let _ = ticket::check(text, &bench.trusted, NOW, &bench.booth);
            }
        }
        1 => parts(bench, rest),
        2 => payload(bench, rest),
        _ => field(rest),
    }
}

/// Parts separated by 0xff, which no UTF-8 has.
fn parts(bench: &Bench, rest: &[u8]) {
    let encoded: Vec<String> = rest.split(|b| *b == 0xff).take(4).map(base64url).collect();
    let text = encoded.join(".");
    let checked = ticket::check(&text, &bench.trusted, NOW, &bench.booth);
    assert!(checked.is_err(), "nobody has signed it");
}

fn payload(bench: &Bench, rest: &[u8]) {
    let checked = ticket::check_payload(rest, NOW, &bench.booth);
    if let Ok(ticket) = &checked {
        assert!(ticket.claims.expires_s > NOW.unix_s());
        let again = serde_json::to_vec(&ticket.claims).expect("claims are JSON");
        let again = ticket::check_payload(&again, NOW, &bench.booth).expect("as good as before");
        assert_eq!(ticket.claims, again.claims);
        assert_eq!(ticket.digest(), again.digest());
    }
    let sum: u32 = rest.iter().map(|b| u32::from(*b)).sum();
    if !sum.is_multiple_of(64) {
        return;
    }
    let extra = serde_json::Map::new();
    let signed = jws::sign(rest, ticket::TYP, extra, &bench.key).expect("a small header");
    let whole = ticket::check(&signed, &bench.trusted, NOW, &bench.booth);
    let fits = signed.len() <= ticket::MAX_CHARACTERS;
    assert_eq!(whole.is_ok(), checked.is_ok() && fits);
}

/// A value of a document against the claim of the same value, and of another spelling.
fn field(rest: &[u8]) {
    let Some((which, value)) = rest.split_first() else {
        return;
    };
    let fields = [
        Field::DocumentNumber,
        Field::BirthDate,
        Field::ExpiryDate,
        Field::PrimaryIdentifier,
        Field::SecondaryIdentifier,
        Field::Nationality,
        Field::Sex,
    ];
    let field = fields[usize::from(*which) % fields.len()];
    let value = String::from_utf8_lossy(value);
    let normal = field.normalise(&value);
    assert_eq!(normal, field.normalise(&normal), "normal forms stay");
    let mut claims = seed_claims();
    claims.claim(field, &value);
    let ticket = ticket::Ticket { claims };
    assert_eq!(ticket.field_matches(field, &normal), FieldMatch::Match);
}

/// Claims of a good ticket with made-up values.
pub fn seed_claims() -> ticket::TicketClaims {
    use boothd::base::ids::{Language, SessionId};
    ticket::TicketClaims {
        version: 1,
        ticket_id: "T-01JDCW9M4N".to_owned(),
        session: SessionId::from_parts(NOW.0, [3; 10]),
        tenant: "bank".to_owned(),
        policy: "standard-1".to_owned(),
        purpose: ticket::Purpose::Onboarding,
        language: Language::En,
        documents: vec![ticket::DocumentKind::Td1, ticket::DocumentKind::Td3],
        salt: ticket::Bytes([5; 16]),
        fields: std::collections::BTreeMap::new(),
        issued_s: NOW.unix_s(),
        expires_s: NOW.unix_s() + 120,
        nonce: ticket::Bytes([6; 16]),
        booth: None,
        extended_time: false,
        reference: None,
    }
}
