//! The wallet over real TLS, and from ticket to exactly one stored outcome over every part of the delivery.

use super::client::{ClientError, OperatorClient};
use super::*;
use crate::base::time::{SharedClock, SystemClock};
use crate::delivery::backoff::BackoffConfig;
use crate::delivery::http::{
    Answer, HttpClient, HttpError, OUTCOMES, OutcomesAnswer, OutcomesRequest,
};
use crate::delivery::outbox::{Outbox, OutboxConfig, Reservation};
use crate::delivery::service::{OutboxHandle, OutboxService};
use crate::delivery::status::{NetState, NetStatus};
use crate::delivery::uplink::{self, UplinkConfig};
use crate::delivery::wire::{WireConfig, WireServer};
use crate::trust::ack::{self, AckItem, AckStatus, OUTCOME_TYP, OutcomeHeader};
use crate::trust::keys::{PublicKey, SoftwareKey, TrustedKeys};
use crate::trust::pki::{KeyFolder, make_keys};
use crate::trust::ticket::{self, FieldMatch};
use crate::trust::tls::FlooredClock;
use crate::trust::{jws, unbase64url};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

fn clock() -> SharedClock {
    Arc::new(SystemClock)
}

/// A folder in memory where there is one: fsync takes its time, and no test here cuts the power.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

fn booth() -> BoothId {
    BoothId::try_from("BOOTH-0001".to_owned()).unwrap()
}

/// Something that runs in a thread until it is dropped.
struct Running {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn new(work: impl FnOnce(&AtomicBool) + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || work(&seen));
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking());
    }
}

struct Bench {
    dir: tempfile::TempDir,
    keys: KeyFolder,
    config: WalletConfig,
    wallet: Option<Running>,
}

impl Bench {
    fn new() -> Self {
        let dir = folder();
        make_keys(dir.path(), clock().wall()).unwrap();
        let keys = KeyFolder::new(dir.path());
        let config = WalletConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            listen_any: false,
            state_dir: dir.path().join("wallet"),
            tls: keys.tls("wallet"),
            signing_key: keys.private("wallet-sign"),
            tenant: "bank".to_owned(),
            policy: "standard-1".to_owned(),
            booths: vec![EnrolledBooth {
                id: booth(),
                key: keys.public("booth-sign"),
            }],
        };
        let mut bench = Self {
            dir,
            keys,
            config,
            wallet: None,
        };
        bench.start_wallet();
        bench
    }

    fn start_wallet(&mut self) {
        let wallet = Wallet::bind(&self.config, clock()).unwrap();
        // The same address after a restart.
        self.config.listen = wallet.address();
        self.wallet = Some(Running::new(move |stop| wallet.serve(stop).unwrap()));
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.config.listen.port())
    }

    fn operator(&self) -> OperatorClient {
        OperatorClient::new(&self.url(), &self.keys.tls("operator"), clock()).unwrap()
    }

    fn http(&self, name: &str) -> HttpClient {
        let time = Arc::new(FlooredClock::new(clock(), 0));
        HttpClient::new(
            &self.url(),
            &self.keys.tls(name),
            time,
            Duration::from_secs(5),
        )
        .unwrap()
    }

    fn ticket(&self) -> TicketAnswer {
        self.operator().ticket(&request()).unwrap()
    }

    fn signer(&self) -> SoftwareKey {
        SoftwareKey::read(&self.keys.private("booth-sign")).unwrap()
    }

    fn wallet_keys(&self) -> TrustedKeys {
        TrustedKeys::read(&[self.keys.public("wallet-sign")]).unwrap()
    }

    /// An outcome as the booth signs it.
    fn outcome(&self, epoch: u64, seq: u64, payload: &str) -> String {
        signed(&self.signer(), &booth(), epoch, seq, payload)
    }

    /// Sends outcomes as an uplink does.
    fn send(&self, items: &[String]) -> (u16, Vec<AckItem>, u64) {
        let answer = self.post(
            OUTCOMES,
            &OutcomesRequest {
                items: items.to_vec(),
            },
        );
        let Ok(body) = serde_json::from_slice::<OutcomesAnswer>(&answer.body) else {
            return (answer.status, Vec::new(), 0);
        };
        let claims = ack::check(&body.ack, &self.wallet_keys(), &booth()).unwrap();
        (answer.status, claims.items, claims.through)
    }

    fn post(&self, path: &str, body: &impl Serialize) -> Answer {
        self.http("uplink")
            .post(path, &serde_json::to_vec(body).unwrap())
            .unwrap()
    }
}

fn request() -> TicketRequest {
    TicketRequest {
        purpose: Purpose::Onboarding,
        language: Language::En,
        documents: vec![DocumentKind::Td3],
        fields: BTreeMap::from([(Field::PrimaryIdentifier, "Eriksson".to_owned())]),
        ttl_s: 120,
        booth: Some(booth()),
        session_id: None,
        extended_time: false,
        reference: None,
    }
}

fn signed(key: &SoftwareKey, dev: &BoothId, epoch: u64, seq: u64, payload: &str) -> String {
    let header = OutcomeHeader {
        dev: dev.clone(),
        epoch,
        seq,
        prev: Digest([0; 32]),
        iat: 0,
    };
    let extra = serde_json::to_value(header)
        .unwrap()
        .as_object()
        .unwrap()
        .clone();
    jws::sign(payload.as_bytes(), OUTCOME_TYP, extra, key).unwrap()
}

fn payload(ticket: &str, result: &str) -> String {
    serde_json::json!({"ticket": ticket, "session": "s", "result": result, "more": [1, 2]})
        .to_string()
}

#[test]
fn a_ticket_is_good_at_the_booth_and_leaves_nothing_of_the_person_behind() {
    let bench = Bench::new();
    let answer = bench.ticket();
    let ticket = ticket::check(
        &answer.ticket,
        &bench.wallet_keys(),
        clock().wall(),
        &booth(),
    )
    .unwrap();
    assert_eq!(ticket.claims.ticket_id, answer.ticket_id);
    assert_eq!(ticket.claims.session, answer.session_id);
    assert_eq!(
        ticket.field_matches(Field::PrimaryIdentifier, "ERIKSSON"),
        FieldMatch::Match
    );
    for file in std::fs::read_dir(&bench.config.state_dir).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let found = bytes
            .windows(8)
            .any(|w| w.eq_ignore_ascii_case(b"eriksson"));
        assert!(!found);
    }
}

#[test]
fn each_outcome_is_decided_on_once() {
    let bench = Bench::new();
    let (first, second) = (bench.ticket().ticket_id, bench.ticket().ticket_id);
    let verified = bench.outcome(7, 1, &payload(&first, "verified"));
    let altered = {
        let mut text = bench.outcome(7, 9, &payload(&second, "review"));
        let last = text.len() - 20;
        text.replace_range(
            last..=last,
            if &text[last..=last] == "A" { "B" } else { "A" },
        );
        text
    };
    let other_booth = {
        let mut elsewhere = request();
        elsewhere.booth = Some(BoothId::try_from("BOOTH-0002".to_owned()).unwrap());
        bench.operator().ticket(&elsewhere).unwrap().ticket_id
    };
    let one = |text: &str, http: u16, status: AckStatus, code: Option<&str>, through: u64| {
        let (found_http, items, found_through) = bench.send(&[text.to_owned()]);
        let found = (
            found_http,
            items[0].status,
            items[0].code.clone(),
            found_through,
        );
        assert_eq!(
            found,
            (http, status, code.map(str::to_owned), through),
            "{text}"
        );
        assert_eq!(items[0].sha256, Digest::of(text.as_bytes()));
    };
    use AckStatus::{Accepted, Duplicate, Rejected};
    let of = |seq, ticket: &str, result| bench.outcome(7, seq, &payload(ticket, result));
    one(&verified, 200, Accepted, None, 1);
    one(&verified, 200, Duplicate, None, 1);
    one(&of(1, &first, "review"), 409, Rejected, Some("conflict"), 1);
    one(&of(3, &second, "abandoned"), 200, Accepted, None, 1);
    one(
        &of(2, &first, "not_verified"),
        422,
        Rejected,
        Some("ticket_used"),
        3,
    );
    one(
        &of(2, &first, "not_verified"),
        422,
        Rejected,
        Some("ticket_used"),
        3,
    );
    one(&of(4, &second, "verified"), 200, Accepted, None, 4);
    one(
        &of(5, "unknown", "verified"),
        422,
        Rejected,
        Some("ticket_unknown"),
        5,
    );
    one(
        &of(6, &other_booth, "verified"),
        422,
        Rejected,
        Some("ticket_unknown"),
        6,
    );
    one(
        &of(7, &second, "practice"),
        422,
        Rejected,
        Some("practice"),
        7,
    );
    one(
        &bench.outcome(7, 8, "no JSON"),
        422,
        Rejected,
        Some("malformed"),
        8,
    );
    one(&altered, 422, Rejected, Some("signature"), 8);
    // Another life of the booth counts from the beginning.
    one(
        &bench.outcome(8, 1, &payload(&second, "abandoned")),
        200,
        Accepted,
        None,
        1,
    );

    let found = bench.operator().outcomes(0).unwrap();
    let seen: Vec<_> = found
        .iter()
        .map(|o| (o.epoch, o.seq, o.result.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            (7, 1, "verified"),
            (7, 3, "abandoned"),
            (7, 4, "verified"),
            (8, 1, "abandoned")
        ]
    );
    assert_eq!(found[0].payload.as_ref().unwrap()["more"][1], 2);
    let kinds: Vec<_> = bench
        .operator()
        .page(0)
        .unwrap()
        .alarms
        .into_iter()
        .map(|a| a.kind)
        .collect();
    assert_eq!(kinds, ["ticket_used", "conflict"]);
}

#[test]
fn whole_requests_are_refused_without_an_effect() {
    let bench = Bench::new();
    let ticket = bench.ticket().ticket_id;
    let good = bench.outcome(1, 1, &payload(&ticket, "verified"));
    let stranger = signed(&SoftwareKey::from_seed(&[9; 32]), &booth(), 1, 2, "{}");
    let other = BoothId::try_from("BOOTH-0002".to_owned()).unwrap();
    let pretender = signed(&bench.signer(), &other, 1, 2, "{}");
    let large = bench.outcome(1, 2, &"x".repeat(250_000));
    let cases: Vec<(Vec<String>, u16)> = vec![
        (vec![], 400),
        (vec![good.clone(); 51], 400),
        (vec![good.clone(), stranger], 403),
        (vec![good.clone(), pretender], 403),
        (vec![good.clone(), "a.b.c".to_owned()], 400),
        (vec![good.clone(), large], 413),
    ];
    for (items, expected) in cases {
        let (status, answered, _) = bench.send(&items);
        assert_eq!((status, answered.len()), (expected, 0));
    }
    assert_eq!(bench.operator().outcomes(0).unwrap(), []);
    let raw = |body: &str| {
        bench
            .http("uplink")
            .post(OUTCOMES, body.as_bytes())
            .unwrap()
            .status
    };
    assert_eq!(raw(&"[".repeat(100_000)), 400);
    assert_eq!(raw(r#"{"items":"x"}"#), 400);
    assert_eq!(raw(""), 400);
}

#[test]
fn a_role_is_what_the_certificate_says() {
    let bench = Bench::new();
    let uplink = bench.http("uplink");
    let operator = bench.http("operator");
    let ticket = serde_json::to_vec(&request()).unwrap();
    for (found, expected) in [
        (uplink.get("/v1/health"), 200),
        (operator.get("/v1/health"), 200),
        (uplink.post("/v1/tickets", &ticket), 403),
        (operator.post("/v1/tickets", &ticket), 200),
        (uplink.get("/v1/outcomes"), 403),
        (operator.get("/v1/outcomes?after=x"), 400),
        (operator.post("/v1/outcomes", b"{}"), 403),
        (operator.post("/v1/tickets", b"{\"purpose\":\"joke\"}"), 400),
        (operator.get("/v1/other"), 404),
    ] {
        assert_eq!(found.unwrap().status, expected);
    }
    // A certificate of the authority without a client's name or purpose, and one of another authority.
    let stranger = folder();
    make_keys(stranger.path(), clock().wall()).unwrap();
    let mut files = KeyFolder::new(stranger.path()).tls("operator");
    files.ca = bench.keys.tls("operator").ca;
    let time = Arc::new(FlooredClock::new(clock(), 0));
    for files in [files, bench.keys.tls("wallet")] {
        let client =
            HttpClient::new(&bench.url(), &files, time.clone(), Duration::from_secs(5)).unwrap();
        let error = client.get("/v1/health").unwrap_err();
        assert!(
            matches!(error, HttpError::Tls { .. } | HttpError::Connect { .. }),
            "{error}"
        );
    }
    let refused = bench
        .operator()
        .ticket(&TicketRequest {
            ttl_s: 0,
            ..request()
        })
        .unwrap_err();
    assert!(
        matches!(refused, ClientError::Refused { status: 400, .. }),
        "{refused}"
    );
}

#[test]
fn only_loopback_is_listened_on_unasked() {
    let bench = Bench::new();
    let mut config = bench.config.clone();
    config.listen = SocketAddr::from(([0, 0, 0, 0], 0));
    config.state_dir = bench.dir.path().join("other");
    assert!(matches!(
        Wallet::bind(&config, clock()),
        Err(WalletError::NotLoopback { .. })
    ));
    config.listen_any = true;
    Wallet::bind(&config, clock()).unwrap();
}

#[test]
fn a_configuration_is_read_strictly() {
    let text = r#"
        state_dir = "w"
        signing_key = "k"
        tenant = "bank"
        policy = "p"
        booths = [{ id = "BOOTH-0001", key = "b" }]
        [tls]
        ca = "a"
        certificate = "c"
        key = "k"
    "#;
    let config: WalletConfig = toml::from_str(text).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8443");
    let error = toml::from_str::<WalletConfig>(&format!("port = 1\n{text}")).unwrap_err();
    assert!(error.to_string().contains("port"), "{error}");
}

/// `run` and `uplink` beside the wallet.
struct Booth {
    _uplink: Running,
    server: WireServer,
    service: OutboxService,
}

impl Booth {
    fn new(bench: &Bench, url: String) -> Self {
        let config = OutboxConfig {
            state_dir: bench.dir.path().join("run"),
            max_rows: 100,
            max_mib: 16,
        };
        let signer = Arc::new(bench.signer());
        let (outbox, _) =
            Outbox::open(&config, booth(), signer, bench.wallet_keys(), clock()).unwrap();
        let service = OutboxService::start(outbox).unwrap();
        let socket = bench.dir.path().join("socket");
        let wire = WireConfig {
            socket: socket.clone(),
            allowed_uids: Vec::new(),
        };
        let server = WireServer::start(&wire, service.handle(), clock()).unwrap();
        let config = UplinkConfig {
            url,
            tls: bench.keys.tls("uplink"),
            socket,
            timeout_ms: 2000,
            probe_every_s: 1,
            backoff: BackoffConfig {
                min_ms: 5,
                max_ms: 20,
            },
            state_dir: None,
        };
        let uplink = Running::new(move |stop| uplink::run(&config, clock(), stop).unwrap());
        Self {
            _uplink: uplink,
            server,
            service,
        }
    }

    fn outbox(&self) -> OutboxHandle {
        self.service.handle()
    }

    /// A session from its ticket to its outcome.
    fn session(&self, bench: &Bench, text: &str) -> (Reservation, String) {
        let ticket = ticket::check(text, &bench.wallet_keys(), clock().wall(), &booth()).unwrap();
        let id = &ticket.claims.ticket_id;
        let fallback = payload(id, "aborted_equipment");
        let outbox = self.outbox();
        let reservation = outbox
            .reserve(
                &ticket.claims.session,
                ticket.digest(),
                fallback.as_bytes(),
                8192,
            )
            .unwrap();
        let verified = serde_json::json!({
            "ticket": id, "session": ticket.claims.session, "result": "verified", "padding": "x".repeat(6000)
        });
        outbox
            .commit(&reservation, verified.to_string().as_bytes(), None)
            .unwrap();
        (reservation, id.clone())
    }

    /// Waits until all is acknowledged; the thread is woken by nothing here, so it looks again and again.
    fn drained(&self) {
        until(|| self.outbox().stats().unwrap().pending == 0);
    }
}

fn until(done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "it never happened"
        );
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

#[test]
fn from_ticket_to_stored_outcome() {
    let bench = Bench::new();
    let booth = Booth::new(&bench, bench.url());
    let tickets: Vec<_> = (0..5).map(|_| bench.ticket()).collect();
    for ticket in &tickets {
        booth.session(&bench, &ticket.ticket);
    }
    booth.drained();
    let found = bench.operator().outcomes(0).unwrap();
    let seen: Vec<_> = found
        .iter()
        .map(|o| (o.seq, o.ticket.clone(), o.session.clone()))
        .collect();
    let expected: Vec<_> = (1..)
        .zip(&tickets)
        .map(|(seq, t)| (seq, t.ticket_id.clone(), t.session_id.to_string()))
        .collect();
    assert_eq!(seen, expected);
    let ready = NetStatus {
        state: NetState::Ready,
        code: None,
    };
    let net = booth.server.net();
    until(|| net.status() == ready);
}

#[test]
fn a_wallet_that_was_away_gets_everything_once() {
    let mut bench = Bench::new();
    let tickets: Vec<_> = (0..3).map(|_| bench.ticket()).collect();
    let booth = Booth::new(&bench, bench.url());
    booth.session(&bench, &tickets[0].ticket);
    booth.drained();
    bench.wallet = None;
    booth.session(&bench, &tickets[1].ticket);
    let net = booth.server.net();
    until(|| net.status().state == NetState::Down);
    booth.session(&bench, &tickets[2].ticket);
    assert_eq!(booth.outbox().stats().unwrap().pending, 2);
    bench.start_wallet();
    booth.drained();
    let found: Vec<_> = bench
        .operator()
        .outcomes(0)
        .unwrap()
        .iter()
        .map(|o| o.seq)
        .collect();
    assert_eq!(found, [1, 2, 3]);
}

/// Sits between uplink and wallet and swallows the answer to the first `losses` requests, after the wallet has stored
/// what was in them.
fn lossy(
    wallet: SocketAddr,
    losses: u32,
    is_stored: impl Fn() -> bool + Send + Sync + 'static,
) -> (u16, Running, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let swallowed = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&swallowed);
    let is_stored = Arc::new(is_stored);
    listener.set_nonblocking(true).unwrap();
    let running = Running::new(move |stop| {
        while !stop.load(Ordering::SeqCst) {
            let Ok((client, _)) = listener.accept() else {
                std::thread::park_timeout(Duration::from_millis(1));
                continue;
            };
            client.set_nonblocking(false).unwrap();
            let server = TcpStream::connect(wallet).unwrap();
            let (counted, is_stored) = (Arc::clone(&counted), Arc::clone(&is_stored));
            let up = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let full = Arc::new(AtomicBool::new(false));
            let seen = Arc::clone(&full);
            // Up: once more has gone up than a handshake and a question need, the request with the outcome is there.
            std::thread::spawn(move || {
                let (mut from, mut to) = up;
                let mut total = 0;
                let mut part = [0; 4096];
                while let Ok(n @ 1..) = from.read(&mut part) {
                    total += n;
                    if total > 6000 {
                        seen.store(true, Ordering::SeqCst);
                    }
                    if to.write_all(&part[..n]).is_err() {
                        break;
                    }
                }
                let _ = to.shutdown(Shutdown::Both);
            });
            std::thread::spawn(move || {
                let (mut from, mut to) = (server, client);
                let mut part = [0; 4096];
                while let Ok(n @ 1..) = from.read(&mut part) {
                    if full.load(Ordering::SeqCst) && counted.load(Ordering::SeqCst) < losses {
                        until(|| is_stored());
                        counted.fetch_add(1, Ordering::SeqCst);
                        break;
                    }
                    if to.write_all(&part[..n]).is_err() {
                        break;
                    }
                }
                let _ = to.shutdown(Shutdown::Both);
                let _ = from.shutdown(Shutdown::Both);
            });
        }
    });
    (port, running, swallowed)
}

#[test]
fn an_answer_that_is_lost_doubles_nothing() {
    let bench = Bench::new();
    let operator = bench.operator();
    let (port, _proxy, swallowed) = lossy(bench.config.listen, 3, move || {
        operator.outcomes(0).is_ok_and(|found| !found.is_empty())
    });
    let booth = Booth::new(&bench, format!("https://localhost:{port}"));
    let ticket = bench.ticket();
    let (reservation, id) = booth.session(&bench, &ticket.ticket);
    booth.drained();
    assert_eq!(swallowed.load(Ordering::SeqCst), 3);
    let found = bench.operator().outcomes(0).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].epoch, found[0].seq, &found[0].ticket),
        (reservation.epoch, reservation.seq, &id)
    );
    assert_eq!(bench.operator().page(0).unwrap().alarms, []);
}

#[test]
fn what_the_wallet_keeps_can_be_verified_where_it_is_stored() {
    let bench = Bench::new();
    let ticket = bench.ticket().ticket_id;
    bench.send(&[bench.outcome(1, 1, &payload(&ticket, "verified"))]);
    let dir = bench.config.state_dir.clone();
    drop(bench.wallet);
    let db = rusqlite::Connection::open(dir.join("wallet.db")).unwrap();
    let jws: String = db
        .query_row("SELECT jws FROM outcome", [], |r| r.get(0))
        .unwrap();
    let keys = TrustedKeys::from_iter([PublicKey::read(&bench.keys.public("booth-sign")).unwrap()]);
    jws::verify(&jws, OUTCOME_TYP, &keys, ack::MAX_OUTCOME).unwrap();
    assert!(unbase64url(jws.split('.').nth(1).unwrap()).is_some());
    assert!(Path::new(&dir).join("wallet.db").exists());
}
