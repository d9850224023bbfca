//! The memory of sessions: how many ended how, and of the newest the id, the verdict and the reasons. Nothing else of an outcome is taken:
//! the outcome itself leaves the booth when the wallet has it.

use super::selftest::store::Kept;
use crate::base::ids::SessionId;
use crate::base::time::WallTime;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Sessions that are remembered, the newest.
const MOST: usize = 100;
/// Different words that are counted of a kind; the tables of results and reasons have fewer.
const MOST_WORDS: usize = 200;

/// What is remembered of one session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionLine {
    /// When its outcome was stored, in milliseconds since 1970.
    pub at_ms: i64,
    /// Its id.
    pub session: SessionId,
    /// `verified`, `review`, ...
    pub result: String,
    /// What is to be done next.
    pub disposition: String,
    /// Code of the first reason; empty: none.
    pub reason: String,
    /// Codes of all reasons.
    pub reasons: Vec<String>,
    /// Checks before it that were not good, as `microphone: hw.mic.silent`.
    pub preflight: Vec<String>,
}

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Since when it is counted, in milliseconds since 1970.
    pub since_ms: i64,
    /// How often the service has started.
    pub starts: u64,
    /// Sessions by result.
    pub results: BTreeMap<String, u64>,
    /// Sessions by the code of their first reason.
    pub reasons: BTreeMap<String, u64>,
    /// The newest sessions, the oldest first.
    pub newest: VecDeque<SessionLine>,
}

/// The memory of sessions. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sessions(Arc<Mutex<Kept<Memory>>>);

impl Sessions {
    /// Opens the memory and counts a start.
    pub fn open(path: &Path, at: WallTime) -> Self {
        let mut kept = Kept::<Memory>::open(path);
        if kept.now.starts == 0 {
            kept.now.since_ms = at.0;
        }
        kept.now.starts += 1;
        let sessions = Self(Arc::new(Mutex::new(kept)));
        sessions.write();
        sessions
    }

    fn lock(&self) -> MutexGuard<'_, Kept<Memory>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) {
        if let Err(error) = self.lock().write() {
            tracing::warn!(%error, "the memory of sessions is not written");
        }
    }

    /// What is remembered.
    pub fn read(&self) -> Memory {
        self.lock().now.clone()
    }

    /// An outcome (JSON) was stored. What is no outcome is not counted.
    pub fn note(&self, outcome: &[u8], at: WallTime) {
        let Some(line) = serde_json::from_slice(outcome)
            .ok()
            .and_then(|value| line_of(&value, at))
        else {
            tracing::warn!("an outcome that is none was not counted");
            return;
        };
        let mut kept = self.lock();
        let memory = &mut kept.now;
        count(&mut memory.results, &line.result);
        if !line.reason.is_empty() {
            count(&mut memory.reasons, &line.reason);
        }
        if memory.newest.len() == MOST {
            memory.newest.pop_front();
        }
        memory.newest.push_back(line);
        drop(kept);
        self.write();
    }
}

fn count(words: &mut BTreeMap<String, u64>, word: &str) {
    if words.len() < MOST_WORDS || words.contains_key(word) {
        *words.entry(word.to_owned()).or_default() += 1;
    }
}

/// Only words of closed lists are taken, and the id.
fn line_of(outcome: &serde_json::Value, at: WallTime) -> Option<SessionLine> {
    let text = |key: &str| outcome[key].as_str().map(str::to_owned);
    let reasons = outcome["reasons"].as_array()?;
    let codes = reasons.iter().filter_map(|r| r["code"].as_str());
    let reasons: Vec<String> = codes.map(str::to_owned).collect();
    let checks = outcome["preflight"]["checks"].as_object();
    let preflight = checks.into_iter().flatten().filter_map(|(name, code)| {
        let code = code.as_str().filter(|c| *c != "ok")?;
        Some(format!("{name}: {code}"))
    });
    Some(SessionLine {
        at_ms: at.0,
        session: serde_json::from_value(outcome["session"].clone()).ok()?,
        result: text("result")?,
        disposition: text("disposition")?,
        reason: reasons.first().cloned().unwrap_or_default(),
        reasons,
        preflight: preflight.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_words_and_nothing_else_of_an_outcome_are_kept() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let path = dir.path().join("sessions.json");
        let sessions = Sessions::open(&path, WallTime(5));
        let id = SessionId::from_parts(1, [7; 10]);
        let outcome = serde_json::json!({
            "session": id.as_str(), "result": "review", "disposition": "retry_attended", "ticket": "T-99",
            "reasons": [{"code": "doc.suspect.mrz_check_digit", "measure": {"value": 1}}, {"code": "env.too_dark"}],
            "preflight": {"checks": {"camera": "ok", "microphone": "hw.mic.silent"}},
            "fields": {"birth_date": "match"},
        });
        for i in 0..130 {
            sessions.note(outcome.to_string().as_bytes(), WallTime(i));
        }
        for bad in ["", "{}", "{\"result\":3}", "[1]"] {
            sessions.note(bad.as_bytes(), WallTime(0));
        }
        drop(sessions);
        let memory = Sessions::open(&path, WallTime(9)).read();
        assert_eq!(
            (memory.since_ms, memory.starts, memory.newest.len()),
            (5, 2, MOST)
        );
        assert_eq!(memory.results["review"], 130);
        assert_eq!(memory.reasons["doc.suspect.mrz_check_digit"], 130);
        let last = memory.newest.back().expect("a session");
        assert_eq!(last.preflight, ["microphone: hw.mic.silent"]);
        assert_eq!(last.reasons.len(), 2);
        let text = std::fs::read_to_string(&path).expect("it is there");
        assert!(!text.contains("T-99") && !text.contains("birth_date"));
    }
}
