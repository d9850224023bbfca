//! The uplink against servers that lie, stall and babble: whatever they do, the outcome stays.

use super::*;
use crate::base::ids::{BoothId, SessionId};
use crate::base::time::SystemClock;
use crate::delivery::outbox::{Outbox, OutboxConfig};
use crate::delivery::service::OutboxService;
use crate::delivery::wire::{WireConfig, WireServer};
use crate::trust::ack::{self, AckClaims, AckItem, AckStatus};
use crate::trust::keys::{Signer as _, SoftwareKey, TrustedKeys};
use crate::trust::pki::{KeyFolder, make_keys};
use rcgen::{
    BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read as _, Write};
use std::net::{TcpListener, TcpStream};

const LIMIT_MS: u64 = 400;

/// A folder in memory where there is one: fsync takes its time, and no test here cuts the power.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

fn booth() -> BoothId {
    BoothId::try_from("BOOTH-0001".to_owned()).unwrap()
}

fn wallet_key() -> SoftwareKey {
    SoftwareKey::from_seed(&[2; 32])
}

/// An authority of its own and a server certificate by it.
struct Authority {
    params: CertificateParams,
    key: KeyPair,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self {
            params,
            key: KeyPair::generate().unwrap(),
        }
    }

    fn pem(&self) -> String {
        self.params.self_signed(&self.key).unwrap().pem()
    }

    /// A server with a certificate for `name`, valid from the first year to the second.
    fn server(&self, name: &str, years: (i32, i32)) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.into()], der)
            .unwrap();
        Arc::new(config)
    }
}

type Tls = StreamOwned<ServerConnection, TcpStream>;

/// A `run` with one outcome, its socket, and an uplink to a server at `address`.
struct Bench {
    uplink: Uplink,
    _server: WireServer,
    service: OutboxService,
    place: (u64, u64, Digest),
    // Last, so that the socket is there until the server has gone.
    dir: tempfile::TempDir,
}

fn bench(authority: &Authority, url: &str) -> Bench {
    let dir = folder();
    let clock: SharedClock = Arc::new(SystemClock);
    make_keys(dir.path(), clock.wall()).unwrap();
    let mut tls = KeyFolder::new(dir.path()).tls("uplink");
    tls.ca = dir.path().join("server-ca.pem");
    std::fs::write(&tls.ca, authority.pem()).unwrap();
    let config = OutboxConfig {
        state_dir: dir.path().join("state"),
        max_rows: 100,
        max_mib: 16,
    };
    let keys = TrustedKeys::from_iter([wallet_key().public()]);
    let signer = Arc::new(SoftwareKey::from_seed(&[1; 32]));
    let (outbox, _) = Outbox::open(&config, booth(), signer, keys, clock.clone()).unwrap();
    let service = OutboxService::start(outbox).unwrap();
    let handle = service.handle();
    let session = SessionId::from_parts(0, [1; 10]);
    let reservation = handle.reserve(&session, [1; 32], b"f", 100).unwrap();
    let sha256 = handle
        .commit(&reservation, b"outcome", None)
        .unwrap()
        .sha256;
    let socket = dir.path().join("socket");
    let wire = WireConfig {
        socket: socket.clone(),
        allowed_uids: Vec::new(),
    };
    let server = WireServer::start(&wire, handle, clock.clone()).unwrap();
    let config = UplinkConfig {
        url: url.to_owned(),
        tls,
        socket,
        timeout_ms: LIMIT_MS,
        probe_every_s: 3600,
        backoff: BackoffConfig {
            min_ms: 1000,
            max_ms: 300_000,
        },
        state_dir: Some(dir.path().to_owned()),
    };
    let mut uplink = Uplink::new(&config, clock).unwrap();
    // The health of the wallet is not what is asked about here.
    uplink.probed = Some(Instant::now());
    Bench {
        dir,
        service,
        _server: server,
        uplink,
        place: (reservation.epoch, reservation.seq, sha256),
    }
}

/// Serves one connection with `behave` in a thread of its own.
fn listen(behave: impl FnOnce(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    std::thread::spawn(move || {
        // The client resolves to either family and tries until one takes it.
        if let Ok((stream, _)) = listener.accept() {
            behave(stream);
        }
    });
    url
}

fn speak(config: Arc<ServerConfig>, behave: impl FnOnce(&mut Tls) + Send + 'static) -> String {
    listen(move |stream| {
        let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
        let mut request = vec![0; 64 * 1024];
        // Up to the end of the small body; a client that refuses us ends it sooner.
        let mut got = 0;
        while !request[..got].windows(3).any(|w| w == b"\"]}") {
            match tls.read(&mut request[got..]) {
                Ok(n) if n > 0 => got += n,
                _ => return,
            }
        }
        behave(&mut tls);
        let _ = tls.flush();
        tls.conn.send_close_notify();
        let _ = tls.conn.complete_io(&mut tls.sock);
    })
}

fn http(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn say(text: String) -> impl FnOnce(&mut Tls) + Send + 'static {
    move |tls| {
        let _ = tls.write_all(text.as_bytes());
    }
}

struct Found {
    code: Option<NetCode>,
    delay: Duration,
    pending: u64,
    strikes: u32,
}

/// Lets the uplink make one attempt.
fn attempt(bench: &mut Bench) -> Found {
    bench.uplink.turn();
    let delay = bench.uplink.turn();
    let outbox = bench.service.handle();
    Found {
        code: bench.uplink.hysteresis.status().code,
        delay,
        pending: outbox.stats().unwrap().pending,
        strikes: outbox
            .pending(1, 1)
            .unwrap()
            .first()
            .map_or(0, |p| p.strikes),
    }
}

#[test]
fn no_hostile_server_makes_an_outcome_go_away() {
    let authority = Authority::new("bank");
    let good = authority.server("localhost", (2020, 2100));
    let stranger = Authority::new("stranger").server("localhost", (2020, 2100));
    let other_name = authority.server("elsewhere.example", (2020, 2100));
    let expired = authority.server("localhost", (2020, 2021));
    let future = authority.server("localhost", (2090, 2100));
    let answer = |text: String| speak(good.clone(), say(text));
    let minute = Duration::from_secs(60);
    let cases: Vec<(&str, String, NetCode, Duration)> = vec![
        (
            "no TLS",
            listen(|mut s| drop(s.write_all(b"220 mail.example ESMTP\r\n"))),
            NetCode::Tls,
            minute,
        ),
        (
            "hangs up",
            listen(drop),
            NetCode::BackendUnreachable,
            minute,
        ),
        (
            "unknown authority",
            speak(stranger, say(String::new())),
            NetCode::CaptivePortal,
            minute,
        ),
        (
            "another name",
            speak(other_name, say(String::new())),
            NetCode::Tls,
            minute,
        ),
        (
            "expired",
            speak(expired, say(String::new())),
            NetCode::Tls,
            minute,
        ),
        (
            "not yet valid",
            speak(future, say(String::new())),
            NetCode::ClockSkew,
            minute,
        ),
        (
            "garbage",
            answer("\u{1}\u{2}garbage\r\n\r\n".to_owned()),
            NetCode::Degraded,
            minute,
        ),
        (
            "redirect",
            answer(http(
                "302 Found",
                "location: https://localhost/login\r\n",
                "",
            )),
            NetCode::CaptivePortal,
            minute,
        ),
        (
            "empty 200",
            answer(http("200 OK", "", "")),
            NetCode::CaptivePortal,
            minute,
        ),
        (
            "log-in page",
            answer(http("200 OK", "", "<html>log in</html>")),
            NetCode::CaptivePortal,
            minute,
        ),
        (
            "500",
            answer(http("500 Oops", "", "")),
            NetCode::Degraded,
            minute,
        ),
        (
            "429",
            answer(http("429 Slow", "retry-after: 7200\r\n", "")),
            NetCode::RateLimited,
            Duration::from_secs(3600),
        ),
        (
            "401",
            answer(http("401 No", "", "")),
            NetCode::Rejected,
            Duration::from_secs(300),
        ),
        (
            "403",
            answer(http("403 No", "", "{}")),
            NetCode::Rejected,
            Duration::from_secs(300),
        ),
        (
            "ack that is none",
            answer(http("200 OK", "", r#"{"ack":"x.y.z"}"#)),
            NetCode::Degraded,
            minute,
        ),
        (
            "ack that is a number",
            answer(http("200 OK", "", r#"{"ack":1}"#)),
            NetCode::CaptivePortal,
            minute,
        ),
        (
            "200,000 headers",
            speak(good.clone(), |tls| {
                let _ = tls.write_all(b"HTTP/1.1 200 OK\r\n");
                for n in 0..200_000 {
                    if tls.write_all(format!("h{n}: x\r\n").as_bytes()).is_err() {
                        return;
                    }
                }
            }),
            NetCode::Degraded,
            minute,
        ),
        (
            "endless body",
            speak(good.clone(), |tls| {
                let _ = tls.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
                while tls.write_all(&[b'x'; 4096]).is_ok() {}
            }),
            NetCode::Degraded,
            minute,
        ),
        (
            "silent",
            speak(good.clone(), |tls| {
                // Until the client has had enough.
                while tls.read(&mut [0; 64]).is_ok_and(|n| n > 0) {}
            }),
            NetCode::Timeout,
            minute,
        ),
        (
            "drips",
            speak(good.clone(), |tls| {
                for byte in b"HTTP/1.1 200 OK\r\nx: "
                    .iter()
                    .chain(std::iter::repeat(&b'y'))
                {
                    if tls.write_all(&[*byte]).and_then(|()| tls.flush()).is_err() {
                        return;
                    }
                    std::thread::park_timeout(Duration::from_millis(5));
                }
            }),
            NetCode::Timeout,
            minute,
        ),
    ];
    for (name, url, code, longest) in cases {
        let mut bench = bench(&authority, &url);
        let began = Instant::now();
        let found = attempt(&mut bench);
        assert_eq!(found.code, Some(code), "{name}");
        assert_eq!(found.pending, 1, "{name}");
        assert!(
            found.delay >= Duration::from_secs(1) && found.delay <= longest,
            "{name}: {:?}",
            found.delay
        );
        // The limit is a promise, not a figure of this machine: ten times of it is failure.
        assert!(
            began.elapsed() < Duration::from_millis(LIMIT_MS) * 10,
            "{name}"
        );
    }
}

#[test]
fn nobody_there_and_no_such_name() {
    let authority = Authority::new("bank");
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for (url, code) in [
        (
            format!("https://127.0.0.1:{}", closed.port()),
            NetCode::BackendUnreachable,
        ),
        ("https://x.y-.invalid".to_owned(), NetCode::Dns),
    ] {
        let mut bench = bench(&authority, &url);
        assert_eq!(attempt(&mut bench).code, Some(code), "{url}");
    }
}

/// The wallet's word, altered in one way each.
#[test]
fn only_a_true_acknowledgement_settles() {
    let authority = Authority::new("bank");
    let good = authority.server("localhost", (2020, 2100));
    let stranger = SoftwareKey::from_seed(&[3; 32]);
    type Change = fn(&mut AckClaims);
    let cases: [(&str, Change, bool, bool); 7] = [
        ("true", |_| {}, false, true),
        (
            "true, 422",
            |c| c.items[0].status = AckStatus::Rejected,
            false,
            true,
        ),
        ("by a stranger", |_| {}, true, false),
        (
            "another hash",
            |c| c.items[0].sha256 = Digest([9; 32]),
            false,
            false,
        ),
        (
            "another booth",
            |c| c.dev = BoothId::try_from("BOOTH-0002".to_owned()).unwrap(),
            false,
            false,
        ),
        ("another number", |c| c.items[0].seq = 2, false, false),
        ("nothing", |c| c.items.clear(), false, false),
    ];
    for (name, change, by_stranger, settles) in cases {
        // The address is known only with the server, the claims only with the outbox: a channel brings them together.
        let (send, receive) = std::sync::mpsc::channel::<String>();
        let url = speak(good.clone(), move |tls| {
            let body = serde_json::to_string(&OutcomesAnswer {
                ack: receive.recv().unwrap(),
            })
            .unwrap();
            let status = if name.contains("422") {
                "422 Unprocessable"
            } else {
                "200 OK"
            };
            say(http(status, "", &body))(tls);
        });
        let mut bench = bench(&authority, &url);
        let (epoch, seq, sha256) = bench.place;
        let mut claims = AckClaims {
            v: 1,
            dev: booth(),
            epoch,
            through: 0,
            items: vec![AckItem {
                epoch,
                seq,
                sha256,
                status: AckStatus::Accepted,
                code: None,
            }],
            server_time: SystemClockSeconds::now() + 7200,
        };
        change(&mut claims);
        let signer = if by_stranger {
            &stranger
        } else {
            &wallet_key()
        };
        send.send(ack::issue(&claims, signer).unwrap()).unwrap();
        let found = attempt(&mut bench);
        assert_eq!(found.pending == 0, settles, "{name}");
        assert_eq!(
            found.code,
            (!settles).then_some(NetCode::Degraded),
            "{name}"
        );
        assert_eq!(found.delay.is_zero(), settles, "{name}");
        // The signed time becomes the floor of the clock, and survives a restart.
        if settles {
            let mut floor = FloorFile::new(bench.dir.path());
            assert_eq!(floor.read(), claims.server_time, "{name}");
        }
    }
}

struct SystemClockSeconds;

impl SystemClockSeconds {
    fn now() -> i64 {
        crate::base::time::Clock::wall(&SystemClock).unix_s()
    }
}

#[test]
fn a_refused_batch_is_taken_apart() {
    let authority = Authority::new("bank");
    let good = authority.server("localhost", (2020, 2100));
    for status in ["400 Bad", "409 Conflict", "413 Large", "422 Unprocessable"] {
        let url = speak(good.clone(), say(http(status, "", "{}")));
        let mut bench = bench(&authority, &url);
        let found = attempt(&mut bench);
        assert_eq!((found.pending, found.strikes), (1, 1), "{status}");
        assert_eq!(found.code, Some(NetCode::Rejected), "{status}");
    }
    let url = speak(good, say(http("400 Bad", "", "{}")));
    let mut bench = bench(&authority, &url);
    let handle = bench.service.handle();
    let session = SessionId::from_parts(0, [2; 10]);
    let second = handle.reserve(&session, [2; 32], b"f", 100).unwrap();
    handle.commit(&second, b"outcome", None).unwrap();
    let found = attempt(&mut bench);
    assert_eq!(
        (found.pending, found.strikes, bench.uplink.alone),
        (2, 0, ALONE)
    );
}
