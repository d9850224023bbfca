//! What the network is like, as one word and one code, without flicker.

use serde::{Deserialize, Serialize};

/// How well the wallet can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetState {
    /// It answers.
    Ready,
    /// It answers some things, or has missed one.
    Limited,
    /// It cannot be reached.
    Down,
}

/// Why the wallet cannot be reached, or takes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NetCode {
    /// Nothing is known yet: the uplink has not reported.
    #[serde(rename = "net.preflight_failed")]
    PreflightFailed,
    /// It answers with errors of its own.
    #[serde(rename = "net.degraded")]
    Degraded,
    /// Nobody answers at its address.
    #[serde(rename = "net.backend_unreachable")]
    BackendUnreachable,
    /// The connection is not the wallet's, or the wallet does not accept ours.
    #[serde(rename = "net.tls")]
    Tls,
    /// Its name has no address.
    #[serde(rename = "net.dns")]
    Dns,
    /// A certificate is out of date by the booth's clock.
    #[serde(rename = "net.clock_skew")]
    ClockSkew,
    /// Somebody else answers, as in a network that wants a log-in first.
    #[serde(rename = "net.captive_portal")]
    CaptivePortal,
    /// The wallet refuses what the booth sends.
    #[serde(rename = "backend.rejected")]
    Rejected,
    /// The wallet asks for patience.
    #[serde(rename = "backend.rate_limited")]
    RateLimited,
    /// The wallet does not answer in time.
    #[serde(rename = "backend.timeout")]
    Timeout,
}

impl NetCode {
    /// The code as it stands in the table of reasons.
    pub const fn code(self) -> &'static str {
        match self {
            Self::PreflightFailed => "net.preflight_failed",
            Self::Degraded => "net.degraded",
            Self::BackendUnreachable => "net.backend_unreachable",
            Self::Tls => "net.tls",
            Self::Dns => "net.dns",
            Self::ClockSkew => "net.clock_skew",
            Self::CaptivePortal => "net.captive_portal",
            Self::Rejected => "backend.rejected",
            Self::RateLimited => "backend.rate_limited",
            Self::Timeout => "backend.timeout",
        }
    }

    /// Whether the wallet itself has answered.
    const fn wallet_answers(self) -> bool {
        matches!(self, Self::Degraded | Self::Rejected | Self::RateLimited)
    }
}

/// How the network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetStatus {
    /// In one word.
    pub state: NetState,
    /// Why, if it is not `Ready`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<NetCode>,
}

impl NetStatus {
    /// Before anything is known.
    pub const UNKNOWN: Self = Self {
        state: NetState::Down,
        code: Some(NetCode::PreflightFailed),
    };

    /// Whether a session may be begun as far as the network goes.
    pub fn allows_session(self) -> bool {
        self.state != NetState::Down
    }
}

/// Turns the results of attempts into a status: one miss makes `Limited`, two make `Down`, and after `Down` it takes two
/// successes to be `Ready` again. A wallet that answers with errors is `Limited`, however often.
#[derive(Clone, Debug)]
pub struct Hysteresis {
    status: NetStatus,
    misses: u32,
    successes: u32,
}

impl Default for Hysteresis {
    fn default() -> Self {
        Self {
            status: NetStatus::UNKNOWN,
            misses: 0,
            // The first success after the start counts at once: nothing has gone wrong yet.
            successes: 1,
        }
    }
}

impl Hysteresis {
    /// The status now.
    pub const fn status(&self) -> NetStatus {
        self.status
    }

    /// Takes the result of an attempt in, and gives the status if it has changed.
    pub fn note(&mut self, result: Result<(), NetCode>) -> Option<NetStatus> {
        let next = match result {
            Ok(()) => {
                self.misses = 0;
                self.successes = self.successes.saturating_add(1);
                if self.status.state == NetState::Down && self.successes < 2 {
                    self.status
                } else {
                    NetStatus {
                        state: NetState::Ready,
                        code: None,
                    }
                }
            }
            Err(code) => {
                self.successes = 0;
                let state = if code.wallet_answers() {
                    self.misses = 0;
                    NetState::Limited
                } else {
                    self.misses = self.misses.saturating_add(1);
                    match (self.status.state, self.misses) {
                        (NetState::Down, _) | (_, 2..) => NetState::Down,
                        _ => NetState::Limited,
                    }
                };
                NetStatus {
                    state,
                    code: Some(code),
                }
            }
        };
        (next != self.status).then(|| {
            self.status = next;
            next
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_follows_without_flicker() {
        let check = |results: &str, expected: &str| {
            let mut hysteresis = Hysteresis::default();
            let found: String = results
                .chars()
                .map(|c| {
                    hysteresis.note(match c {
                        '+' => Ok(()),
                        '-' => Err(NetCode::Dns),
                        _ => Err(NetCode::RateLimited),
                    });
                    match hysteresis.status().state {
                        NetState::Ready => 'R',
                        NetState::Limited => 'L',
                        NetState::Down => 'D',
                    }
                })
                .collect();
            assert_eq!(found, expected, "{results}");
        };
        check("+", "R");
        check("-+", "DD");
        check("-++", "DDR");
        check("+-+", "RLR");
        check("+--+-++", "RLDDDDR");
        check("+5555", "RLLLL");
        check("--5+", "DDLR");
    }

    #[test]
    fn codes_are_the_same_on_the_wire_and_in_the_table() {
        for code in [
            NetCode::PreflightFailed,
            NetCode::Degraded,
            NetCode::BackendUnreachable,
            NetCode::Tls,
            NetCode::Dns,
            NetCode::ClockSkew,
            NetCode::CaptivePortal,
            NetCode::Rejected,
            NetCode::RateLimited,
            NetCode::Timeout,
        ] {
            assert_eq!(serde_json::to_value(code).unwrap(), code.code());
        }
    }
}
