//! An HTTPS client that expects the worst: one authority, both sides with certificates, one time limit for everything,
//! small bodies, no redirects, no proxy.
//!
//! ureq's own TLS connector takes neither a key in hardware nor a clock, so the TLS part is a connector of our own.
//! That interface of ureq is not covered by its promise of stability; hence the exact version in Cargo.toml.

use super::status::NetCode;
use crate::trust::tls::{FlooredClock, TlsError, TlsFiles, client_config};
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, ClientConnection, StreamOwned};
use serde::{Deserialize, Serialize};
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, TcpConnector, Transport,
    TransportAdapter,
};

/// Where the outcomes go to.
pub const OUTCOMES: &str = "/v1/outcomes";
/// Where the wallet says how it is.
pub const HEALTH: &str = "/v1/health";
/// The header in which the uplink tells the wallet how the booth is: its name, and the codes of its faults.
pub const STATUS_HEADER: &str = "boothd-status";
/// An answer is at most so many bytes.
pub const MAX_ANSWER: u64 = 64 * 1024;

/// The body of a request with outcomes.
#[derive(Debug, Serialize, Deserialize)]
pub struct OutcomesRequest<T> {
    /// The outcomes, each a compact JWS.
    pub items: Vec<T>,
}

/// The body of the answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct OutcomesAnswer {
    /// The acknowledgement, a compact JWS.
    pub ack: String,
}

/// A request that was not answered as agreed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address in the configuration is not one.
    #[error(
        "url `{found}`: must be `https://HOST[:PORT]` without a path; mend: correct it in uplink.toml"
    )]
    Url {
        /// What it is.
        found: String,
    },
    /// A value of the configuration.
    #[error("`{key}`: found {found}, allowed: {allowed}; mend: correct it in uplink.toml")]
    Setting {
        /// The key.
        key: &'static str,
        /// What it is.
        found: u64,
        /// What it may be.
        allowed: &'static str,
    },
    /// TLS cannot be set up.
    #[error(transparent)]
    Setup(#[from] TlsError),
    /// The host has no address.
    #[error("wallet's name has no address; check the name server and the name in `url`")]
    Dns,
    /// Nobody answers there, or the connection broke.
    #[error("wallet does not answer ({reason}); check the network and the port in `url`")]
    Connect {
        /// What the system said.
        reason: String,
    },
    /// TLS failed.
    #[error(
        "wallet's TLS is not accepted, or it does not accept ours ({reason}); check the certificates"
    )]
    Tls {
        /// What rustls said.
        reason: String,
    },
    /// The certificate lies in the future.
    #[error("wallet's certificate is not valid yet; check the booth's clock")]
    NotValidYet,
    /// The certificate is by another authority.
    #[error(
        "somebody else answers in the wallet's place: certificate by an unknown authority; a log-in page or `ca` is wrong"
    )]
    UnknownIssuer,
    /// No answer in time.
    #[error("wallet does not answer in time")]
    Timeout,
    /// The answer is too long.
    #[error("wallet's answer is longer than 65536 bytes")]
    TooLarge,
    /// The answer is no HTTP.
    #[error("what answers does not speak HTTP ({reason})")]
    Nonsense {
        /// What ureq said.
        reason: String,
    },
}

impl HttpError {
    /// The reason code.
    pub const fn code(&self) -> NetCode {
        match self {
            Self::Dns => NetCode::Dns,
            Self::Connect { .. } => NetCode::BackendUnreachable,
            Self::Url { .. } | Self::Setting { .. } | Self::Setup(_) | Self::Tls { .. } => {
                NetCode::Tls
            }
            Self::NotValidYet => NetCode::ClockSkew,
            Self::UnknownIssuer => NetCode::CaptivePortal,
            Self::Timeout => NetCode::Timeout,
            Self::TooLarge | Self::Nonsense { .. } => NetCode::Degraded,
        }
    }

    fn from_tls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
            ) => Self::NotValidYet,
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                Self::UnknownIssuer
            }
            other => Self::Tls {
                reason: other.to_string(),
            },
        }
    }
}

impl From<ureq::Error> for HttpError {
    fn from(error: ureq::Error) -> Self {
        match error {
            ureq::Error::HostNotFound => Self::Dns,
            ureq::Error::Timeout(_) => Self::Timeout,
            ureq::Error::BodyExceedsLimit(_) | ureq::Error::LargeResponseHeader(..) => {
                Self::TooLarge
            }
            ureq::Error::Rustls(e) => Self::from_tls(&e),
            ureq::Error::Tls(reason) => Self::Tls {
                reason: reason.to_owned(),
            },
            ureq::Error::Io(e) => {
                let inner = e.get_ref().and_then(|i| i.downcast_ref::<rustls::Error>());
                match (inner, e.kind()) {
                    (Some(tls), _) => Self::from_tls(tls),
                    (None, std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock) => {
                        Self::Timeout
                    }
                    (None, kind) => Self::Connect {
                        reason: kind.to_string(),
                    },
                }
            }
            ureq::Error::ConnectionFailed => Self::Connect {
                reason: "connection failed".to_owned(),
            },
            other => Self::Nonsense {
                reason: other.to_string(),
            },
        }
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// What `Retry-After` asks for, if it is there and in seconds.
    pub retry_after: Option<Duration>,
    /// The server's time (`Date`, RFC 9110 6.6.1), Unix seconds.
    pub date_s: Option<i64>,
    /// The body, at most [`MAX_ANSWER`] bytes.
    pub body: Vec<u8>,
}

/// The client.
#[derive(Clone, Debug)]
pub struct HttpClient {
    agent: ureq::Agent,
    base: String,
}

impl HttpClient {
    /// A client of the server at `url`, with `limit` for each request from name to last byte.
    ///
    /// # Errors
    /// [`HttpError::Url`], [`HttpError::Setup`].
    pub fn new(
        url: &str,
        files: &TlsFiles,
        time: Arc<FlooredClock>,
        limit: Duration,
    ) -> Result<Self, HttpError> {
        let base = check_url(url)?;
        let tls = TlsConnector {
            config: client_config(files, time)?,
        };
        let config = ureq::Agent::config_builder()
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("boothd/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(limit))
            .max_response_header_size(16 * 1024)
            .max_idle_connections(1)
            .build();
        let connector = TcpConnector::default().chain(tls);
        Ok(Self {
            agent: ureq::Agent::with_parts(config, connector, Names::default()),
            base,
        })
    }

    /// `GET path`.
    ///
    /// # Errors
    /// [`HttpError`]; an HTTP status is no error.
    pub fn get(&self, path: &str) -> Result<Answer, HttpError> {
        let request = self.agent.get(format!("{}{path}", self.base));
        read(request.header("boothd-api", "1").call()?)
    }

    /// Asks how the server is ([`HEALTH`]), and tells it how the booth is, in a line.
    ///
    /// # Errors
    /// [`HttpError`]; an HTTP status is no error.
    pub fn health(&self, status: &str) -> Result<Answer, HttpError> {
        let request = self.agent.get(format!("{}{HEALTH}", self.base));
        let request = request.header("boothd-api", "1");
        read(request.header(STATUS_HEADER, status).call()?)
    }

    /// `POST path` with a JSON body.
    ///
    /// # Errors
    /// [`HttpError`]; an HTTP status is no error.
    pub fn post(&self, path: &str, json: &[u8]) -> Result<Answer, HttpError> {
        let request = self.agent.post(format!("{}{path}", self.base));
        let request = request
            .header("boothd-api", "1")
            .header("content-type", "application/json");
        read(request.send(json)?)
    }
}

/// A host, and no port at all or one from 1 to 65535.
fn is_good(authority: &ureq::http::uri::Authority) -> bool {
    if authority.host().is_empty() {
        return false;
    }
    let after_host = authority.as_str().strip_prefix(authority.host());
    match after_host {
        Some("") => true,
        Some(_) => authority.port_u16().is_some_and(|port| port > 0),
        None => false,
    }
}

fn check_url(url: &str) -> Result<String, HttpError> {
    let base = url.strip_suffix('/').unwrap_or(url);
    let host = base.strip_prefix("https://").unwrap_or_default();
    let good = !host.is_empty()
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b))
        && base
            .parse::<ureq::http::Uri>()
            .is_ok_and(|uri| uri.authority().is_some_and(is_good));
    if good {
        Ok(base.to_owned())
    } else {
        Err(HttpError::Url {
            found: url.chars().take(200).collect(),
        })
    }
}

fn read(mut answer: ureq::http::Response<ureq::Body>) -> Result<Answer, HttpError> {
    let retry_after = answer
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    let body = answer
        .body_mut()
        .with_config()
        .limit(MAX_ANSWER)
        .read_to_vec()?;
    let date = answer.headers().get("date").and_then(|v| v.to_str().ok());
    let date_s = date
        .and_then(|text| httpdate::parse_http_date(text).ok())
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_secs()).ok());
    Ok(Answer {
        date_s,
        status: answer.status().as_u16(),
        retry_after,
        body,
    })
}

/// The system's name service, with every failure of it named as one: a name server that cannot be reached is told from
/// a wallet that cannot be reached.
#[derive(Debug, Default)]
struct Names(DefaultResolver);

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &ureq::http::Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        self.0.resolve(uri, config, timeout).map_err(|e| match e {
            ureq::Error::Io(_) => ureq::Error::HostNotFound,
            other => other,
        })
    }
}

/// TLS with our own configuration on top of a TCP connection.
#[derive(Debug)]
struct TlsConnector {
    config: Arc<ClientConfig>,
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = TlsTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        // `https_only` has refused everything that is not to be TLS before a connection is made.
        let (Some(tcp), true) = (chained, details.needs_tls()) else {
            return Err(ureq::Error::TlsRequired);
        };
        let host = details.uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| ureq::Error::Tls("the host is no name that a certificate can have"))?;
        let mut conn = ClientConnection::new(Arc::clone(&self.config), name)?;
        let mut sock = TransportAdapter::new(tcp.boxed(), details.current_time.clone());
        sock.set_timeout(details.timeout);
        conn.complete_io(&mut sock)?;
        Ok(Some(TlsTransport {
            buffers: LazyBuffers::new(
                details.config.input_buffer_size(),
                details.config.output_buffer_size(),
            ),
            stream: StreamOwned { conn, sock },
        }))
    }
}

struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl std::fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsTransport")
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = &self.buffers.output()[..amount];
        Ok(self.stream.write_all(output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let input = self.buffers.input_append_buf();
        let amount = self.stream.read(input)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_addresses_are_taken() {
        for (url, expected) in [
            ("https://localhost:8443", Some("https://localhost:8443")),
            ("https://wallet.example/", Some("https://wallet.example")),
            ("https://[::1]:1", Some("https://[::1]:1")),
            ("http://localhost", None),
            ("https://", None),
            ("https://user@host", None),
            ("https://host/path", None),
            ("localhost:8443", None),
            ("https://a b", None),
        ] {
            assert_eq!(check_url(url).ok().as_deref(), expected, "{url}");
        }
    }
}
