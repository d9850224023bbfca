//! From a decided outcome to the wallet's signed word that it is stored.
//!
//! ```text
//! session --reserve, commit--> service (thread) --> outbox (SQLite)          process `run`: no network
//!                                  ^   |
//!                        wire: unix socket, newline JSON
//!                                  |   v
//!                               uplink --HTTPS, mutual TLS--> wallet         process `uplink`: no outcomes at rest
//! ```
//! The promises, each with its test:
//! 1. What `commit` returned for is sent until the wallet has signed for exactly those bytes; a bare 2xx deletes nothing.
//! 2. A session that was begun and not finished, for whatever reason, leaves an outcome too: the fallback.
//! 3. The wallet sees every outcome once: the same bytes are sent again, and it keeps one of them.
//! 4. A gap in the numbers means a loss, and is seen: `epoch`, `seq` without gaps, `prev` chained.
//! 5. A ticket opens one session.
//!
//! The payload is opaque here: this module does not know what an outcome says.

pub mod backoff;
pub mod http;
pub mod outbox;
pub mod service;
pub mod status;
pub mod uplink;
pub mod wire;
