//! The wallet's HTTPS side.

use super::store::{Enrolled, Refused, Store};
use super::{TicketAnswer, TicketRequest, WalletConfig, WalletError};
use crate::base::ids::SessionId;
use crate::base::time::SharedClock;
use crate::delivery::http::{HEALTH, OUTCOMES, OutcomesAnswer, OutcomesRequest, STATUS_HEADER};
use crate::trust::ack::{self, AckStatus, MAX_BATCH, MAX_REQUEST};
use crate::trust::keys::{KeyId, PublicKey, Signer as _, SoftwareKey};
use crate::trust::random_bytes;
use crate::trust::ticket::{self, Bytes, TicketClaims};
use crate::trust::tls::{FlooredClock, Role, server_config};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes as Body, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroize as _;

/// Where tickets come from.
pub(super) const TICKETS: &str = "/v1/tickets";
/// Bytes of a body that are taken at most, kept or not.
const MOST_TAKEN: usize = 8 * MAX_REQUEST;
const MAX_CONNECTIONS: usize = 64;
const MAX_STATUSES: usize = 256;
/// For the handshake, for a header, and for a body each.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a connection looks whether the wallet is to stop.
const LOOK: Duration = Duration::from_millis(100);
/// After being told to stop, requests that are being answered have so long.
const LAST_CALL: Duration = Duration::from_secs(3);

/// A wallet that listens.
#[derive(Debug)]
pub struct Wallet {
    listener: std::net::TcpListener,
    address: SocketAddr,
    tls: Arc<rustls::ServerConfig>,
    desk: Arc<Desk>,
}

/// What all connections share.
#[derive(Debug)]
struct Desk {
    store: Mutex<Store>,
    enrolled: Enrolled,
    signer: SoftwareKey,
    tenant: String,
    policy: String,
    clock: SharedClock,
    /// What each booth has last told of itself, by the first word. Bounded: [`MAX_STATUSES`].
    statuses: Mutex<BTreeMap<String, String>>,
}

impl Desk {
    /// A booth's uplink tells how it is; what is new is in the log.
    fn heard_of_booth(&self, status: &str) {
        let booth = status.split(' ').next().unwrap_or_default();
        let mut known = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = known.get(booth).is_none_or(|last| last != status);
        if is_new && (known.contains_key(booth) || known.len() < MAX_STATUSES) {
            tracing::info!(status, "a booth tells how it is");
            known.insert(booth.to_owned(), status.to_owned());
        }
    }
}

/// Listens and serves until `stop` is set.
///
/// # Errors
/// [`WalletError`].
pub fn serve(
    config: &WalletConfig,
    clock: SharedClock,
    stop: &AtomicBool,
) -> Result<(), WalletError> {
    Wallet::bind(config, clock)?.serve(stop)
}

/// What would only be noticed at the first ticket, or never.
fn check_names(config: &WalletConfig) -> Result<(), WalletError> {
    let setting = |key, found: &str, allowed| WalletError::Setting {
        key,
        found: format!("{found:?}"),
        allowed,
    };
    for (key, name) in [("tenant", &config.tenant), ("policy", &config.policy)] {
        if !ticket::is_name(name) {
            return Err(setting(key, name, "1 to 64 of A-Z a-z 0-9 - _ ."));
        }
    }
    for (i, booth) in config.booths.iter().enumerate() {
        if config.booths[..i].iter().any(|b| b.id == booth.id) {
            return Err(setting("booths.id", booth.id.as_str(), "each booth once"));
        }
    }
    Ok(())
}

impl Wallet {
    /// Reads the keys, opens the database and listens.
    ///
    /// # Errors
    /// [`WalletError`].
    pub fn bind(config: &WalletConfig, clock: SharedClock) -> Result<Self, WalletError> {
        if !config.listen.ip().is_loopback() && !config.listen_any {
            return Err(WalletError::NotLoopback {
                found: config.listen,
            });
        }
        check_names(config)?;
        let booths = config
            .booths
            .iter()
            .map(|booth| Ok((booth.id.clone(), PublicKey::read(&booth.key)?)))
            .collect::<Result<Vec<_>, WalletError>>()?;
        let desk = Desk {
            enrolled: Enrolled::new(booths),
            signer: SoftwareKey::read(&config.signing_key)?,
            store: Mutex::new(Store::open(&config.state_dir)?),
            tenant: config.tenant.clone(),
            policy: config.policy.clone(),
            clock: Arc::clone(&clock),
            statuses: Mutex::default(),
        };
        let time = Arc::new(FlooredClock::new(clock, 0));
        let tls = server_config(&config.tls, time)?;
        let failed = |reason| WalletError::Listen {
            address: config.listen,
            reason,
        };
        let listener = std::net::TcpListener::bind(config.listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            listener,
            address,
            tls,
            desk: Arc::new(desk),
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The name of the key that signs tickets and acknowledgements, which a booth must trust.
    pub fn signing_kid(&self) -> &KeyId {
        self.desk.signer.kid()
    }

    /// Serves until `stop` is set, then ends what is being answered.
    ///
    /// # Errors
    /// [`WalletError::Server`] if the system gives no event loop.
    pub fn serve(self, stop: &AtomicBool) -> Result<(), WalletError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(WalletError::Server)?;
        runtime.block_on(self.accept(stop))
    }

    async fn accept(self, stop: &AtomicBool) -> Result<(), WalletError> {
        let listener =
            tokio::net::TcpListener::from_std(self.listener).map_err(WalletError::Server)?;
        let acceptor = TlsAcceptor::from(self.tls);
        let open = Arc::new(AtomicUsize::new(0));
        let closing = Arc::new(AtomicBool::new(false));
        while !stop.load(Ordering::SeqCst) {
            let Ok(accepted) = timeout(LOOK, listener.accept()).await else {
                continue;
            };
            let Ok((stream, _)) = accepted else {
                // Out of file descriptors, as a rule: connections that end will give some back.
                tokio::time::sleep(LOOK).await;
                continue;
            };
            if open.fetch_add(1, Ordering::SeqCst) >= MAX_CONNECTIONS {
                open.fetch_sub(1, Ordering::SeqCst);
                continue;
            }
            let (acceptor, desk) = (acceptor.clone(), Arc::clone(&self.desk));
            let (open, closing) = (Arc::clone(&open), Arc::clone(&closing));
            tokio::spawn(async move {
                connection(stream, acceptor, desk, &closing).await;
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
        closing.store(true, Ordering::SeqCst);
        let last_call = async {
            while open.load(Ordering::SeqCst) > 0 {
                tokio::time::sleep(LOOK / 4).await;
            }
        };
        // Whoever has not finished by then is cut off; a booth sends again.
        let _ = timeout(LAST_CALL, last_call).await;
        Ok(())
    }
}

async fn connection(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    desk: Arc<Desk>,
    closing: &AtomicBool,
) {
    let tls = match timeout(PATIENCE, acceptor.accept(stream)).await {
        Ok(Ok(tls)) => tls,
        Ok(Err(error)) => {
            tracing::debug!(%error, "a connection was refused");
            return;
        }
        Err(_) => return,
    };
    let role = tls
        .get_ref()
        .1
        .peer_certificates()
        .and_then(|chain| Role::of(chain.first()?));
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, std::convert::Infallible>(answer(request, role, &desk).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE * 12)
        .max_headers(32)
        .max_buf_size(32 * 1024)
        .serve_connection(TokioIo::new(tls), service);
    let mut served = std::pin::pin!(served);
    let mut told = false;
    loop {
        match timeout(LOOK, served.as_mut()).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => {
                tracing::debug!(%error, "a connection ended");
                return;
            }
            Err(_) if closing.load(Ordering::SeqCst) && !told => {
                served.as_mut().graceful_shutdown();
                told = true;
            }
            Err(_) => {}
        }
    }
}

/// An answer that is not a success: what was wrong, and what is allowed.
#[derive(Debug, Serialize)]
struct Problem {
    error: &'static str,
    text: String,
}

type Answer = Response<Full<Body>>;

fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let mut answer = Response::new(Full::new(Body::from(bytes)));
    *answer.status_mut() = status;
    let value = hyper::header::HeaderValue::from_static("application/json");
    answer
        .headers_mut()
        .insert(hyper::header::CONTENT_TYPE, value);
    answer
}

fn problem(status: StatusCode, error: &'static str, text: impl Into<String>) -> Answer {
    let text = text.into();
    json(status, &Problem { error, text })
}

async fn answer(request: Request<Incoming>, role: Option<Role>, desk: &Desk) -> Answer {
    let path = request.uri().path().to_owned();
    match (request.method().clone(), path.as_str(), role) {
        (Method::GET, HEALTH, Some(_)) => {
            if let Some(status) = request.headers().get(STATUS_HEADER) {
                desk.heard_of_booth(status.to_str().unwrap_or("not readable"));
            }
            json(StatusCode::OK, &serde_json::json!({ "status": "ok" }))
        }
        (Method::POST, OUTCOMES, Some(Role::Uplink)) => match read(request).await {
            Ok(body) => outcomes(body, desk),
            Err(answer) => answer,
        },
        (Method::POST, TICKETS, Some(Role::Operator)) => match read(request).await {
            Ok(body) => tickets(body, desk),
            Err(answer) => answer,
        },
        (Method::GET, OUTCOMES, Some(Role::Operator)) => list(request.uri().query(), desk),
        (_, HEALTH | OUTCOMES | TICKETS, _) => problem(
            StatusCode::FORBIDDEN,
            "role",
            "the certificate's name gives no right to this call; names are `uplink` and `operator`",
        ),
        _ => problem(
            StatusCode::NOT_FOUND,
            "path",
            "calls are /v1/tickets, /v1/outcomes, /v1/health",
        ),
    }
}

/// Reads a body of JSON within the limits of size and time. Depth is limited to 128 by the parser.
async fn read<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T, Answer> {
    let body = match timeout(PATIENCE, collect(request.into_body())).await {
        Ok(Some(body)) => body,
        Ok(None) => {
            return Err(problem(
                StatusCode::PAYLOAD_TOO_LARGE,
                "size",
                "a body may have 262144 bytes",
            ));
        }
        Err(_) => {
            return Err(problem(
                StatusCode::REQUEST_TIMEOUT,
                "time",
                "the body took too long",
            ));
        }
    };
    serde_json::from_slice(&body).map_err(|e| {
        // Place and kind of the fault, not the parser's words, which can quote values.
        let text = format!(
            "JSON is not as agreed at line {} column {}",
            e.line(),
            e.column()
        );
        problem(StatusCode::BAD_REQUEST, "json", text)
    })
}

/// The whole body; `None` if it is too large or was broken off. What is too large is still taken from the line, within reason: a client
/// that is answered while it sends finds a closed line instead of the answer.
async fn collect(mut body: Incoming) -> Option<Vec<u8>> {
    let (mut kept, mut n) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else {
            continue;
        };
        n += data.len();
        if n <= MAX_REQUEST {
            kept.extend_from_slice(&data);
        } else if n > MOST_TAKEN {
            return None;
        }
    }
    (n <= MAX_REQUEST).then_some(kept)
}

fn refuse(refused: Refused) -> Answer {
    match refused {
        Refused::Booth => problem(
            StatusCode::FORBIDDEN,
            "booth",
            "the booth's key is not enrolled, or is another booth's",
        ),
        Refused::Form(allowed) => problem(
            StatusCode::BAD_REQUEST,
            "form",
            format!("allowed are {allowed}"),
        ),
        Refused::Database(reason) => {
            tracing::error!(reason, "the database does not work");
            problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "database",
                "try again later",
            )
        }
    }
}

fn outcomes(request: OutcomesRequest<String>, desk: &Desk) -> Answer {
    if !(1..=MAX_BATCH).contains(&request.items.len()) {
        return refuse(Refused::Form("1 to 50 items"));
    }
    let now_s = desk.clock.wall().unix_s();
    let taken = desk
        .store
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take(&request.items, &desk.enrolled, now_s);
    let claims = match taken {
        Ok(claims) => claims,
        Err(refused) => return refuse(refused),
    };
    let rejected = |code: Option<&str>| {
        claims.items.iter().all(|i| {
            i.status == AckStatus::Rejected && (code.is_none() || i.code.as_deref() == code)
        })
    };
    let status = if rejected(Some("conflict")) {
        StatusCode::CONFLICT
    } else if rejected(None) {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    match ack::issue(&claims, &desk.signer) {
        Ok(ack) => json(status, &OutcomesAnswer { ack }),
        Err(e) => refuse(Refused::Database(e.to_string())),
    }
}

fn tickets(mut request: TicketRequest, desk: &Desk) -> Answer {
    let answer = issue(&request, desk);
    for value in request.fields.values_mut() {
        value.zeroize();
    }
    answer
}

fn issue(request: &TicketRequest, desk: &Desk) -> Answer {
    let now = desk.clock.wall();
    // 80 bits each for the two ids, 128 each for salt and nonce.
    let Ok(chance) = random_bytes::<52>() else {
        return refuse(Refused::Database("no random bytes".to_owned()));
    };
    let mut chance = chance.into_iter();
    let (ticket_id, session) = (draw(&mut chance), draw(&mut chance));
    let (salt, nonce) = (draw(&mut chance), draw(&mut chance));
    let mut claims = TicketClaims {
        version: 1,
        ticket_id: SessionId::from_parts(now.unix_ms(), ticket_id).to_string(),
        session: request
            .session_id
            .clone()
            .unwrap_or_else(|| SessionId::from_parts(now.unix_ms(), session)),
        tenant: desk.tenant.clone(),
        policy: desk.policy.clone(),
        purpose: request.purpose,
        language: request.language,
        documents: request.documents.clone(),
        salt: Bytes(salt),
        fields: Default::default(),
        issued_s: now.unix_s(),
        expires_s: now.unix_s() + i64::from(request.ttl_s),
        nonce: Bytes(nonce),
        booth: request.booth.clone(),
        extended_time: request.extended_time,
        reference: request.reference.clone(),
    };
    for (field, value) in &request.fields {
        claims.claim(*field, value);
    }
    let text = match ticket::issue(&claims, &desk.signer) {
        Ok(text) => text,
        Err(e) => return problem(StatusCode::BAD_REQUEST, "ticket", e.to_string()),
    };
    let stored = desk
        .store
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .add_ticket(&claims);
    match stored {
        Ok(()) => json(
            StatusCode::OK,
            &TicketAnswer {
                ticket: text,
                ticket_id: claims.ticket_id,
                session_id: claims.session,
            },
        ),
        Err(refused) => refuse(refused),
    }
}

/// The next `N` bytes.
fn draw<const N: usize>(chance: &mut impl Iterator<Item = u8>) -> [u8; N] {
    std::array::from_fn(|_| chance.next().unwrap_or_default())
}

fn list(query: Option<&str>, desk: &Desk) -> Answer {
    let after = query.map_or(Some(0), |q| q.strip_prefix("after=")?.parse::<i64>().ok());
    let Some(after) = after else {
        return problem(
            StatusCode::BAD_REQUEST,
            "query",
            "allowed is `after=NUMBER`",
        );
    };
    let page = desk
        .store
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .page(after);
    match page {
        Ok(page) => json(StatusCode::OK, &page),
        Err(refused) => refuse(refused),
    }
}
