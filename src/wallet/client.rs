//! What an operator can ask of the wallet: tickets, and what has come of them.

use super::server::TICKETS;
use super::{OutcomePage, StoredOutcome, TicketAnswer, TicketRequest};
use crate::base::time::SharedClock;
use crate::delivery::http::{Answer, HEALTH, HttpClient, HttpError, OUTCOMES};
use crate::trust::tls::{FlooredClock, TlsFiles};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// A wallet that does not do what the operator asks.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It cannot be reached.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// It refuses.
    #[error("wallet refuses with status {status}: {text}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its words, at most 300 characters.
        text: String,
    },
    /// Its answer is not of the form agreed upon.
    #[error("wallet's answer is not of the form agreed upon; client and wallet differ in version")]
    Form,
}

/// The operator's client.
#[derive(Clone, Debug)]
pub struct OperatorClient {
    http: HttpClient,
}

impl OperatorClient {
    /// A client of the wallet at `url` with the operator's certificates.
    ///
    /// # Errors
    /// [`HttpError::Url`], [`HttpError::Setup`].
    pub fn new(url: &str, files: &TlsFiles, clock: SharedClock) -> Result<Self, HttpError> {
        let time = Arc::new(FlooredClock::new(clock, 0));
        let http = HttpClient::new(url, files, time, Duration::from_secs(5))?;
        Ok(Self { http })
    }

    /// Whether the wallet answers.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn health(&self) -> Result<(), ClientError> {
        read::<serde_json::Value>(&self.http.get(HEALTH)?).map(drop)
    }

    /// Has a ticket issued.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn ticket(&self, request: &TicketRequest) -> Result<TicketAnswer, ClientError> {
        let body = serde_json::to_vec(request).map_err(|_| ClientError::Form)?;
        let body = zeroize::Zeroizing::new(body);
        read(&self.http.post(TICKETS, &body)?)
    }

    /// A page of outcomes after the one with the id `after`, 0 for the first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn page(&self, after: i64) -> Result<OutcomePage, ClientError> {
        read(&self.http.get(&format!("{OUTCOMES}?after={after}"))?)
    }

    /// All outcomes after the one with the id `after`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn outcomes(&self, mut after: i64) -> Result<Vec<StoredOutcome>, ClientError> {
        let mut all = Vec::new();
        loop {
            let page = self.page(after)?;
            match page.outcomes.last() {
                Some(last) if last.id > after => after = last.id,
                _ => return Ok(all),
            }
            all.extend(page.outcomes);
            if !page.more {
                return Ok(all);
            }
        }
    }
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, ClientError> {
    if answer.status != 200 {
        let text = String::from_utf8_lossy(&answer.body);
        return Err(ClientError::Refused {
            status: answer.status,
            text: text.chars().filter(|c| !c.is_control()).take(300).collect(),
        });
    }
    serde_json::from_slice(&answer.body).map_err(|_| ClientError::Form)
}
