//! Tickets at the booth's counter: the real session and driver with the real outside (ticket check, outbox on disk), a clock that
//! the test sets, and codes as the camera would hand them over. What is not to be taken opens no session and uses nothing up.

use boothd::app::eye::Eye;
use boothd::app::maintenance::Desk;
use boothd::app::outside::BoothOutside;
use boothd::app::senses::Senses;
use boothd::app::sight::Order;
use boothd::base::frame::{Frame, PixelFormat};
use boothd::base::ids::{BoothId, Language, SessionId};
use boothd::base::latest::Latest;
use boothd::base::secret::Secret;
use boothd::base::standing::Standing;
use boothd::base::terms::{DocumentKind, Field, Purpose};
use boothd::base::time::{Clock as _, ManualClock, SharedClock, WallTime};
use boothd::delivery::outbox::{Entry, Outbox, OutboxConfig, OutboxStats};
use boothd::delivery::service::OutboxService;
use boothd::delivery::wire::{WireClient, WireConfig, WireServer};
use boothd::hal::{Button, ButtonAction, ButtonEvent};
use boothd::perception::code::CodeReader;
use boothd::perception::observation::{Observation, SceneLight, Seen};
use boothd::perception::pad::calibration::{PadThreshold, PresentationAttackSpecies};
use boothd::session::driver;
use boothd::session::event::Event;
use boothd::session::state::{Session, State};
use boothd::session::visit::House;
use boothd::technician::sessions::Sessions;
use boothd::trust::jws;
use boothd::trust::keys::{Signer as _, SoftwareKey, TrustedKeys};
use boothd::trust::ticket::{self, Bytes, TicketClaims};
use boothd::verdict::decision::ComparisonThreshold;
use boothd::verdict::outcome::PolicyStamp;
use boothd::verdict::policy::Policy;
use crossbeam_channel::{Receiver, unbounded};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// 2026-11-23T21:14:04Z.
const NOW_S: i64 = 1_795_468_444;

fn wallet_key() -> SoftwareKey {
    SoftwareKey::from_seed(&[21; 32])
}

fn house() -> House {
    let policy = Policy::parse(include_str!("../board/policies/utopia-standard.toml"));
    House {
        policy: policy.expect("the example is a policy"),
        policy_stamp: PolicyStamp {
            id: "utopia-standard".into(),
            version: 1,
            sha256: "0".repeat(64),
        },
        threshold: ComparisonThreshold {
            score: 0.5,
            false_match_rate: 1e-4,
            false_match_rate_lower95: 0.5e-4,
            false_match_rate_upper95: 2e-4,
            calibration: "test".into(),
        },
        pad: PadThreshold {
            score: 0.5,
            worst_species: PresentationAttackSpecies::Print,
            apcer: 0.0,
            apcer_lower95: 0.0,
            apcer_upper95: 0.03,
            bpcer: 0.0,
            bpcer_lower95: 0.0,
            bpcer_upper95: 0.04,
            calibration: "test".into(),
        },
        models: Vec::new(),
        document_limits: Default::default(),
        frame_size: (1280, 720),
        language: Language::Zh,
        consent_text_version: "consent-test",
        software: "0",
        board: "test".into(),
    }
}

/// A ticket that is good.
fn claims() -> TicketClaims {
    let mut claims = TicketClaims {
        version: 1,
        ticket_id: "T-0001".into(),
        session: SessionId::from_parts(NOW_S * 1000, [7; 10]),
        tenant: "utopia-wallet".into(),
        policy: "utopia-standard".into(),
        purpose: Purpose::Onboarding,
        language: Language::En,
        documents: vec![DocumentKind::Td3],
        salt: Bytes([1; 16]),
        fields: Default::default(),
        issued_s: NOW_S - 60,
        expires_s: NOW_S + 600,
        nonce: Bytes([2; 16]),
        booth: None,
        extended_time: false,
        reference: None,
    };
    claims.claim(Field::DocumentNumber, "L898902C3");
    claims
}

fn signed(change: impl FnOnce(&mut TicketClaims)) -> String {
    let mut claims = claims();
    change(&mut claims);
    ticket::issue(&claims, &wallet_key()).expect("a ticket")
}

/// What comes before the camera, or is pressed.
enum Deed {
    /// A code with this text.
    Show(String),
    /// A code that cannot be read, or none.
    Nothing,
    Press(Button),
    Wait(Duration),
}

fn show(text: impl Into<String>) -> Deed {
    Deed::Show(text.into())
}

/// A booth without devices. The folder outlives the processes that are played in it.
struct Counter {
    session: Session,
    outside: BoothOutside,
    clock: Arc<ManualClock>,
    service: OutboxService,
    _wire: WireServer,
    _orders: Receiver<Order>,
}

impl Counter {
    fn open(folder: &TempDir) -> Self {
        let clock = Arc::new(ManualClock::default());
        clock.set_wall(WallTime(NOW_S * 1000));
        let shared: SharedClock = Arc::clone(&clock) as _;
        let booth = BoothId::try_from("BOOTH-TEST".to_owned()).expect("a name");
        let wallet_keys: TrustedKeys = [wallet_key().public()].into_iter().collect();
        let config = OutboxConfig {
            state_dir: folder.path().join("state"),
            max_rows: 100,
            max_mib: 16,
        };
        let signer = Arc::new(SoftwareKey::from_seed(&[22; 32]));
        let (outbox, _) = Outbox::open(
            &config,
            booth.clone(),
            signer,
            wallet_keys.clone(),
            Arc::clone(&shared),
        )
        .expect("an outbox");
        let service = OutboxService::start(outbox).expect("a thread");
        let wire = WireConfig {
            socket: folder.path().join("uplink.sock"),
            allowed_uids: Vec::new(),
        };
        let wire = WireServer::start(&wire, service.handle(), Arc::clone(&shared));
        let wire = wire.expect("a socket");
        let (orders, sight) = unbounded();
        let outside = BoothOutside {
            booth,
            wallet_keys,
            outbox: service.handle(),
            space: 16 * 1024,
            reservation: None,
            hold: None,
            orders,
            ui: Latest::new(),
            eye: Eye::default(),
            senses: Senses::default(),
            net: wire.net(),
            sessions: Sessions::open(&folder.path().join("sessions.json"), shared.wall()),
            // Nobody asks for the booth: what is sent there is read by nobody.
            desk: Desk::new(unbounded().0, Arc::clone(&shared)),
            clock: Arc::clone(&shared),
        };
        let mut counter = Self {
            session: Session::new(house(), clock.now()),
            outside,
            clock,
            service,
            _wire: wire,
            _orders: sight,
        };
        counter.drive(vec![Event::Ready]);
        counter
    }

    /// Hands events to the driver, one a turn.
    fn drive(&mut self, events: Vec<Event>) {
        let (sender, inbox) = unbounded();
        let mut events = events.into_iter();
        let shared: SharedClock = Arc::clone(&self.clock) as _;
        driver::run(
            &mut self.session,
            &inbox,
            &shared,
            &mut self.outside,
            || {
                let next = events.next();
                let more = next.is_some();
                if let Some(event) = next {
                    sender.send(event).expect("the inbox is there");
                }
                more
            },
        );
    }

    fn does(&mut self, deed: Deed) -> &mut Self {
        // The next frame.
        self.clock.advance(Duration::from_millis(33));
        let at = self.clock.now();
        let seen = |code: Option<Secret>| {
            Event::Seen(Observation {
                at,
                sequence: 0,
                scene: SceneLight::default(),
                light: Default::default(),
                seen: Seen::Code(code),
                took_us: 0,
            })
        };
        let press = |button, action| Event::Button(ButtonEvent { button, action, at });
        match deed {
            // Time passes between frames, too.
            Deed::Show(text) => self.drive(vec![seen(Some(Secret::new(text))), Event::Tick]),
            Deed::Nothing => self.drive(vec![seen(None)]),
            Deed::Press(button) => self.drive(vec![
                press(button, ButtonAction::Pressed),
                press(button, ButtonAction::Released),
            ]),
            Deed::Wait(span) => {
                self.clock.advance(span);
                self.drive(vec![Event::Tick]);
            }
        }
        self
    }

    fn stats(&self) -> OutboxStats {
        self.service.handle().stats().expect("an outbox")
    }

    fn refused(&self) -> bool {
        matches!(self.session.state(), State::ShowTicket { refused: true })
    }

    fn taken(&self) -> bool {
        matches!(self.session.state(), State::Consent)
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn a_ticket_that_is_not_good_opens_no_session_and_uses_nothing_up() {
    let stranger = SoftwareKey::from_seed(&[99; 32]);
    let forged = ticket::issue(&claims(), &stranger).expect("a ticket of somebody else");
    // The stranger's signature under the wallet's name of the key.
    let good = signed(|_| ());
    let good_parts: Vec<&str> = good.split('.').collect();
    let forged_parts: Vec<&str> = forged.split('.').collect();
    let renamed = format!("{}.{}.{}", good_parts[0], good_parts[1], forged_parts[2]);
    let swapped = {
        let other = signed(|c| c.tenant = "another-wallet".into());
        let other: Vec<&str> = other.split('.').collect();
        format!("{}.{}.{}", good_parts[0], other[1], good_parts[2])
    };
    let other_kind = jws::sign(b"{}", "boothd-policy", Default::default(), &wallet_key());
    let no_claims = jws::sign(b"[1,2]", ticket::TYP, Default::default(), &wallet_key());
    let cases = [
        ("expired", signed(|c| c.expires_s = NOW_S - 1)),
        ("expires now", signed(|c| c.expires_s = NOW_S)),
        (
            "not yet valid",
            signed(|c| (c.issued_s, c.expires_s) = (NOW_S + 301, NOW_S + 900)),
        ),
        (
            "another tenant",
            signed(|c| c.tenant = "another-wallet".into()),
        ),
        (
            "another policy",
            signed(|c| c.policy = "utopia-lenient".into()),
        ),
        (
            "another booth",
            signed(|c| c.booth = BoothId::try_from("BOOTH-2".to_owned()).ok()),
        ),
        (
            "a purpose that is not built",
            signed(|c| c.purpose = Purpose::StepUp),
        ),
        (
            "reverification without a reference",
            signed(|c| c.purpose = Purpose::Reverification),
        ),
        ("forged", forged.clone()),
        ("forged under the wallet's name", renamed),
        ("another payload under the signature", swapped),
        ("cut off", good[..good.len() - 3].to_owned()),
        ("another kind", other_kind.expect("signed")),
        ("no claims", no_claims.expect("signed")),
        ("a web address", "https://example.com/?q=1".to_owned()),
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
        ("long", "A".repeat(4000)),
        ("not ASCII", "二维码.\u{0}.\u{1F600}".to_owned()),
    ];
    for (what, text) in cases {
        let folder = folder();
        let mut counter = Counter::open(&folder);
        counter.does(show(text));
        assert!(counter.refused(), "{what}: {:?}", counter.session.state());
        let stats = counter.stats();
        assert_eq!(
            (stats.last_seq, stats.reserved),
            (0, 0),
            "{what}: a place was reserved"
        );
        // The same person with a good one, at once.
        counter.does(show(good.clone()));
        assert!(counter.taken(), "{what}: {:?}", counter.session.state());
        assert_eq!(counter.stats().reserved, 1, "{what}");
    }
}

#[test]
fn a_ticket_at_the_edges_of_what_is_allowed_is_taken() {
    let here = || BoothId::try_from("BOOTH-TEST".to_owned()).ok();
    for (what, text) in [
        ("as it is", signed(|_| ())),
        ("blanks around it", format!(" {}\n", signed(|_| ()))),
        ("for this booth", signed(|c| c.booth = here())),
        ("one second left", signed(|c| c.expires_s = NOW_S + 1)),
        (
            "a wallet whose clock is ahead",
            signed(|c| c.issued_s = NOW_S + 300),
        ),
    ] {
        let folder = folder();
        let mut counter = Counter::open(&folder);
        counter.does(show(text));
        assert!(counter.taken(), "{what}: {:?}", counter.session.state());
    }
}

#[test]
fn a_ticket_works_once_also_after_a_restart_and_signed_anew() {
    let folder = folder();
    let good = signed(|_| ());
    let again = signed(|c| c.nonce = Bytes([3; 16]));
    assert_ne!(good, again);
    let mut counter = Counter::open(&folder);
    counter
        .does(show(good.clone()))
        .does(Deed::Press(Button::Cancel));
    let State::Result { .. } = counter.session.state() else {
        panic!("declined: {:?}", counter.session.state());
    };
    assert_eq!(
        counter.stats().pending,
        1,
        "a refused consent is an outcome, too"
    );
    counter.does(Deed::Press(Button::Confirm));
    for text in [&good, &again] {
        counter.does(show(text.clone()));
        assert!(counter.refused(), "{:?}", counter.session.state());
    }
    let stats = counter.stats();
    assert_eq!((stats.last_seq, stats.pending, stats.reserved), (1, 1, 0));
    drop(counter);

    let mut counter = Counter::open(&folder);
    for text in [&good, &again] {
        counter.does(show(text.clone()));
        assert!(counter.refused(), "{:?}", counter.session.state());
    }
    // Another ticket of the same wallet opens the next session.
    counter.does(show(signed(|c| c.ticket_id = "T-0002".into())));
    assert!(counter.taken(), "{:?}", counter.session.state());
    assert_eq!(counter.stats().last_seq, 2);
}

#[test]
fn a_session_that_the_power_ended_is_reported_once_and_its_ticket_is_used() {
    let folder = folder();
    let good = signed(|_| ());
    let mut counter = Counter::open(&folder);
    counter
        .does(show(good.clone()))
        .does(Deed::Press(Button::Confirm));
    assert_eq!((counter.stats().reserved, counter.stats().pending), (1, 0));
    drop(counter);
    let mut counter = Counter::open(&folder);
    assert_eq!((counter.stats().reserved, counter.stats().pending), (0, 1));
    counter.does(show(good));
    assert!(counter.refused(), "{:?}", counter.session.state());
    assert_eq!(counter.stats().last_seq, 1);
}

#[test]
fn a_refused_code_that_stays_in_view_is_checked_once() {
    let folder = folder();
    let mut counter = Counter::open(&folder);
    let poster = "https://example.com/a-poster-on-the-wall";
    // The booth goes back to idle after the time for a ticket, although the poster is seen 30 times a second.
    let limit = house().policy.times.ticket_s;
    for _ in 0..u32::from(limit) * 31 {
        counter.does(show(poster));
    }
    assert!(
        matches!(counter.session.state(), State::Idle),
        "{:?}",
        counter.session.state()
    );
    // Who presses the button is told again; so is who comes back with it.
    counter
        .does(Deed::Press(Button::Confirm))
        .does(show(poster));
    assert!(counter.refused());
    counter.does(Deed::Wait(Duration::from_secs(limit.into())));
    assert!(matches!(counter.session.state(), State::Idle));
    counter.does(show(poster));
    assert!(
        counter.refused(),
        "out of view for longer than three seconds"
    );
}

/// A QR code as the camera sees it, four pixels a module, maybe with a part of it covered.
fn frame_with_code(text: &str, covered: bool) -> Frame {
    let code = qrcode::QrCode::new(text.as_bytes()).expect("it fits");
    let (n, colors) = (code.width(), code.to_colors());
    let (px, margin) = (4, 48);
    let side = n * px + 2 * margin;
    let side_u32 = u32::try_from(side + side % 2).expect("small");
    let mut frame = Frame::new(side_u32, side_u32, PixelFormat::Rgb8);
    let stride = side_u32 as usize * 3;
    let data = frame.data_mut();
    data.fill(230);
    for (i, color) in colors.iter().enumerate() {
        let (x, y) = (i % n, i / n);
        // A thumb on the middle: the position patterns stay, a quarter is gone, more than the code can mend.
        let thumb = covered && (n / 4..n * 3 / 4).contains(&x) && (n / 4..n * 3 / 4).contains(&y);
        if thumb || *color == qrcode::Color::Dark {
            let value = if thumb { 150 } else { 20 };
            for row in 0..px {
                let start = (margin + y * px + row) * stride + (margin + x * px) * 3;
                data[start..start + px * 3].fill(value);
            }
        }
    }
    frame
}

#[test]
fn a_code_that_cannot_be_read_is_waited_for_and_not_refused() {
    let folder = folder();
    let good = signed(|_| ());
    let mut reader = CodeReader::new();
    let mut seen = |covered| {
        reader
            .read(frame_with_code(&good, covered).view())
            .content()
    };
    let mut counter = Counter::open(&folder);
    counter.does(Deed::Press(Button::Confirm));
    assert!(seen(true).is_none(), "a quarter of the code is gone");
    counter.does(Deed::Nothing);
    let waiting = matches!(
        counter.session.state(),
        State::ShowTicket { refused: false }
    );
    assert!(waiting, "{:?}", counter.session.state());
    let text = seen(false).expect("a clean code");
    counter.does(show(text.reveal()));
    assert!(counter.taken(), "{:?}", counter.session.state());
}

/// The subject of [`claims`].
fn subject() -> [u8; 32] {
    ticket::Ticket { claims: claims() }.subject()
}

#[test]
fn who_failed_too_often_waits_also_after_a_restart_and_the_ticket_stays_good() {
    let folder = folder();
    let counter = Counter::open(&folder);
    let outbox = counter.service.handle();
    let other = SessionId::from_parts(NOW_S * 1000, [9; 10]);
    let reservation = outbox.reserve(&other, [4; 32], b"{}", 64).expect("a place");
    let standing = Standing {
        failures: 5,
        last_failed_s: NOW_S,
    };
    let entry = Entry {
        subject: subject(),
        standing,
    };
    outbox
        .commit(&reservation, b"{}", Some(entry))
        .expect("stored");
    drop((outbox, counter));

    let mut counter = Counter::open(&folder);
    let good = signed(|_| ());
    counter.does(show(good.clone()));
    assert!(
        matches!(counter.session.state(), State::CoolDown { .. }),
        "{:?}",
        counter.session.state()
    );
    assert_eq!(counter.stats().last_seq, 1, "no place was reserved");
    let again_in = |c: &Counter| c.session.ui(c.clock.now()).again_in_s;
    assert_eq!(again_in(&counter), Some(30));
    counter.does(Deed::Wait(Duration::from_secs(12)));
    assert_eq!(again_in(&counter), Some(18));
    // Another process meanwhile: the wall clock says how long it still takes.
    drop(counter);
    let mut counter = Counter::open(&folder);
    counter.clock.set_wall(WallTime((NOW_S + 20) * 1000));
    counter.does(show(good.clone()));
    assert_eq!(again_in(&counter), Some(10));
    counter.does(Deed::Wait(Duration::from_secs(11)));
    counter.does(show(good));
    assert!(counter.taken(), "{:?}", counter.session.state());
}

#[test]
fn the_tickets_of_one_session_or_of_one_reference_are_one_subject() {
    let of = |change: &dyn Fn(&mut TicketClaims)| {
        let mut claims = claims();
        change(&mut claims);
        ticket::Ticket { claims }.subject()
    };
    let reference =
        |byte| move |c: &mut TicketClaims| c.reference = ticket::Reference::new(vec![byte; 512]);
    let session = |c: &mut TicketClaims| c.session = SessionId::from_parts(1, [1; 10]);
    assert_eq!(of(&|c| c.ticket_id = "T-0002".into()), subject());
    assert_eq!(of(&|c| c.salt = Bytes([9; 16])), subject());
    assert_ne!(of(&session), subject());
    assert_ne!(of(&|c| c.tenant = "another-wallet".into()), subject());
    assert_ne!(of(&reference(3)), subject());
    assert_ne!(of(&reference(3)), of(&reference(4)));
    assert_eq!(
        of(&|c| {
            reference(3)(c);
            session(c);
        }),
        of(&reference(3)),
        "whoever is compared with the same reference is the same person"
    );
}

#[test]
fn what_waits_is_not_sent_while_somebody_is_served() {
    let folder = folder();
    let mut counter = Counter::open(&folder);
    counter
        .does(show(signed(|_| ())))
        .does(Deed::Press(Button::Cancel));
    let mut uplink = WireClient::connect(&folder.path().join("uplink.sock")).expect("a socket");
    let mut offered = |what: &str, expected: (usize, bool)| {
        let (items, held) = uplink.pending(10, Duration::ZERO).expect("an answer");
        assert_eq!((items.len(), held), expected, "{what}");
    };
    offered("the result is shown", (1, false));
    counter.does(Deed::Press(Button::Confirm));
    offered("nobody there", (1, false));
    counter.does(Deed::Press(Button::Confirm));
    offered("a ticket is waited for", (0, true));
    counter.does(show(signed(|c| c.ticket_id = "T-0002".into())));
    assert!(counter.taken(), "{:?}", counter.session.state());
    offered("consent", (0, true));
    counter.does(Deed::Press(Button::Confirm));
    offered("the document", (0, true));
    counter.does(Deed::Press(Button::Cancel));
    offered("the result is shown", (2, false));
}
