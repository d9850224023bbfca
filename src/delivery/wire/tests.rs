//! The local protocol over a real socket, with a client that keeps to it and with others that do not.

use super::*;
use crate::base::ids::{BoothId, SessionId};
use crate::base::time::{ManualClock, WallTime};
use crate::delivery::outbox::{Outbox, OutboxConfig};
use crate::delivery::service::OutboxService;
use crate::delivery::status::{NetCode, NetState};
use crate::trust::ack::{self, AckClaims, AckItem, AckStatus};
use crate::trust::keys::{Signer as _, SoftwareKey, TrustedKeys};
use std::io::{BufRead as _, BufReader};

struct Bench {
    server: WireServer,
    service: OutboxService,
    clock: Arc<ManualClock>,
    // Last, so that the socket is there until the server has gone.
    dir: tempfile::TempDir,
}

/// A folder in memory where there is one: fsync takes its time, and no test here cuts the power.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

fn booth() -> BoothId {
    BoothId::try_from("BOOTH-0001".to_owned()).unwrap()
}

fn bench() -> Bench {
    let dir = folder();
    let clock = Arc::new(ManualClock::new(Moment::ZERO, WallTime(1_795_468_444_000)));
    let config = OutboxConfig {
        state_dir: dir.path().join("state"),
        max_rows: 100,
        max_mib: 16,
    };
    let wallet = SoftwareKey::from_seed(&[2; 32]);
    let keys = TrustedKeys::from_iter([wallet.public()]);
    let signer = Arc::new(SoftwareKey::from_seed(&[1; 32]));
    let (outbox, _) = Outbox::open(&config, booth(), signer, keys, clock.clone()).unwrap();
    let service = OutboxService::start(outbox).unwrap();
    let wire = WireConfig {
        socket: dir.path().join("socket"),
        allowed_uids: Vec::new(),
    };
    let server = WireServer::start(&wire, service.handle(), clock.clone()).unwrap();
    Bench {
        dir,
        service,
        server,
        clock,
    }
}

impl Bench {
    fn socket(&self) -> PathBuf {
        self.dir.path().join("socket")
    }

    fn store(&self, n: u8) -> Digest {
        let outbox = self.service.handle();
        let session = SessionId::from_parts(0, [n; 10]);
        let reservation = outbox.reserve(&session, [n; 32], b"fallback", 100).unwrap();
        outbox
            .commit(&reservation, b"outcome", None)
            .unwrap()
            .sha256
    }
}

#[test]
fn an_outcome_goes_out_and_its_acknowledgement_comes_back() {
    let bench = bench();
    let mut client = WireClient::connect(&bench.socket()).unwrap();
    assert_eq!(
        client.pending(50, Duration::ZERO).unwrap(),
        (Vec::new(), false)
    );
    let sha256 = bench.store(1);
    let (items, _) = client.pending(50, Duration::ZERO).unwrap();
    assert_eq!(items[0].sha256, sha256);
    client.strike(sha256).unwrap();
    assert_eq!(client.pending(50, Duration::ZERO).unwrap().0[0].strikes, 1);
    let stats = client.stats().unwrap();
    assert_eq!((stats.pending, stats.last_seq), (1, 1));
    let ack = ack::issue(
        &AckClaims {
            v: 1,
            dev: booth(),
            epoch: stats.epoch,
            through: 1,
            items: vec![AckItem {
                epoch: stats.epoch,
                seq: 1,
                sha256,
                status: AckStatus::Accepted,
                code: None,
            }],
            server_time: 1_795_468_445,
        },
        &SoftwareKey::from_seed(&[2; 32]),
    )
    .unwrap();
    assert_eq!(client.acknowledge(ack).unwrap().accepted, 1);
    assert!(client.pending(50, Duration::ZERO).unwrap().0.is_empty());
    // What is not believed is refused, and the connection goes on.
    let refused = client.acknowledge("x".to_owned()).unwrap_err();
    assert!(matches!(refused, WireError::Refused { .. }), "{refused}");
    client.stats().unwrap();
}

#[test]
fn who_waits_is_woken_by_an_outcome() {
    let bench = bench();
    let mut client = WireClient::connect(&bench.socket()).unwrap();
    let waiting = std::thread::spawn(move || client.pending(50, MAX_WAIT).unwrap());
    bench.store(1);
    assert_eq!(waiting.join().unwrap().0.len(), 1);
}

#[test]
fn while_a_session_holds_nothing_is_given() {
    let bench = bench();
    let mut client = WireClient::connect(&bench.socket()).unwrap();
    bench.store(1);
    let outbox = bench.service.handle();
    let (first, second) = (outbox.hold(), outbox.hold());
    drop(first);
    assert_eq!(
        client.pending(50, Duration::ZERO).unwrap(),
        (Vec::new(), true)
    );
    let waiting = std::thread::spawn(move || client.pending(50, MAX_WAIT).unwrap());
    drop(second);
    let (items, held) = waiting.join().unwrap();
    assert_eq!((items.len(), held), (1, false));
}

#[test]
fn the_wallet_s_time_goes_on_and_the_booth_s_line_is_told() {
    let bench = bench();
    let net = bench.server.net();
    let mut client = WireClient::connect(&bench.socket()).unwrap();
    assert_eq!(client.heartbeat(None).unwrap(), (String::new(), 0));
    assert_eq!(
        (net.clock_off_s(), net.status()),
        (None, NetStatus::UNKNOWN)
    );
    net.tell("BOOTH-0001 faults=hw.mic.silent\r\nx: y");
    net.hurry();
    let told = client.heartbeat(Some(1_795_468_440)).unwrap();
    let line = "BOOTH-0001 faults=hw.mic.silentx: y".to_owned();
    assert_eq!(told, (line, 1));
    assert_eq!(net.clock_off_s(), Some(4));
    // What the wallet would say now goes on with the monotonic clock, whatever becomes of the other.
    bench.clock.advance(Duration::from_secs(600));
    assert_eq!(net.clock_off_s(), Some(4));
    bench
        .clock
        .set_wall(WallTime(1_795_468_444_000 - 172_800_000));
    assert_eq!(net.clock_off_s(), Some(4 - 172_800 - 600));
    assert_eq!(net.heard_ago(), Some(Duration::from_secs(600)));
}

#[test]
fn a_network_status_grows_old() {
    let bench = bench();
    let net = bench.server.net();
    assert_eq!(net.status(), NetStatus::UNKNOWN);
    let mut client = WireClient::connect(&bench.socket()).unwrap();
    let status = NetStatus {
        state: NetState::Limited,
        code: Some(NetCode::Degraded),
    };
    client.net_status(status).unwrap();
    assert_eq!(net.status(), status);
    bench.clock.advance(STALE);
    assert_eq!(net.status(), NetStatus::UNKNOWN);
    // Whatever the uplink says shows that it is there.
    client.stats().unwrap();
    assert_eq!(net.status(), status);
}

#[test]
fn what_is_not_in_the_protocol_is_answered_with_an_error() {
    let bench = bench();
    let hello = r#"{"hello":"boothd-outbox","version":1}"#;
    let long = "x".repeat(MAX_LINE + 20_000);
    let deep = "[".repeat(1000);
    let cases: &[(&[&str], &str)] = &[
        (&[hello, r#"{"cmd":"stats"}"#], "stats"),
        (&[r#"{"cmd":"stats"}"#], "hello"),
        (&[r#"{"hello":"boothd-outbox","version":2}"#], "hello"),
        (&[r#"{"hello":"boothd-outbox","version":1,"x":1}"#], "hello"),
        (&[""], "hello"),
        (&[hello, ""], "malformed"),
        (&[hello, "\u{0}\u{1b}[31m"], "malformed"),
        (&[hello, r#"{"cmd":"shell"}"#], "malformed"),
        (
            &[hello, r#"{"cmd":"pending","limit":-1,"wait_ms":0}"#],
            "malformed",
        ),
        (&[hello, r#"{"cmd":"stats","x":1}"#], "malformed"),
        (&[hello, r#"{"cmd":"strike","sha256":"00"}"#], "malformed"),
        (&[hello, &deep], "malformed"),
        (&[hello, &long], "too_long"),
        (&[hello, r#"{"cmd":"ack","ack":""}"#], "hw.storage.worn"),
    ];
    for (lines, expected) in cases {
        let mut stream = UnixStream::connect(bench.socket()).unwrap();
        let mut answers = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut last = String::new();
        for line in *lines {
            // The server may have hung up on a line that is too long before it has read all of it.
            let _ = stream.write_all(format!("{line}\n").as_bytes());
            last = answers.next().unwrap().unwrap();
        }
        let shown: String = lines.concat().chars().take(90).collect();
        assert!(last.contains(&format!("\"{expected}\"")), "{shown}: {last}");
    }
    // It still serves who keeps to the protocol.
    WireClient::connect(&bench.socket())
        .unwrap()
        .stats()
        .unwrap();
}

#[test]
fn nobody_at_the_socket_is_said_with_its_name() {
    let dir = folder();
    let error = WireClient::connect(&dir.path().join("no-socket")).unwrap_err();
    assert!(error.to_string().contains("no-socket"), "{error}");
}

#[test]
fn a_socket_left_behind_is_replaced_and_a_file_is_not() {
    let bench = bench();
    let handle = bench.service.handle();
    let socket = bench.dir.path().join("left");
    drop(UnixListener::bind(&socket).unwrap());
    let config = WireConfig {
        socket: socket.clone(),
        allowed_uids: Vec::new(),
    };
    let server = WireServer::start(&config, handle.clone(), bench.clock.clone()).unwrap();
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o660);
    drop(server);
    std::fs::write(&socket, "a file").unwrap();
    let error = WireServer::start(&config, handle, bench.clock.clone()).unwrap_err();
    assert!(error.to_string().contains("left"), "{error}");
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "a file");
}
