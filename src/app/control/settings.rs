//! `config ...`: the few settings that may be changed at the booth. A candidate is made, comes into force for some minutes, and goes again
//! unless it is confirmed: a change that locks somebody out takes itself back.

use super::{Control, locked};
use crate::base::ids::Language;
use crate::base::time::Moment;
use crate::session::event::Event;
use crate::technician::command::{ConfigCommand, IdleLanguage, Setting};
use crate::technician::report::{Code, Report, Row};
use crate::technician::selftest::store::Kept;
use crossbeam_channel::Sender;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is in force. What is absent is as in `boothd.toml`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Values {
    /// Language of the idle screen.
    language: Option<IdleLanguage>,
}

#[derive(Debug)]
struct State {
    /// What was confirmed: on the disk.
    kept: Kept<Values>,
    in_force: Values,
    candidate: Option<Values>,
    /// When what is in force and not confirmed goes again.
    until: Option<Moment>,
}

/// The settings. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Settings {
    state: Arc<Mutex<State>>,
    events: Sender<Event>,
    /// Of `boothd.toml`.
    language: Language,
}

impl Settings {
    /// Reads what was confirmed, and brings it into force.
    pub fn open(path: &Path, language: Language, events: Sender<Event>) -> Self {
        let kept = Kept::<Values>::open(path);
        let state = State {
            in_force: kept.now,
            kept,
            candidate: None,
            until: None,
        };
        let settings = Self {
            state: Arc::new(Mutex::new(state)),
            events,
            language,
        };
        let values = locked(&settings.state).in_force;
        settings.apply(values);
        settings
    }

    fn language_of(&self, values: Values) -> Language {
        match values.language {
            None => self.language,
            Some(IdleLanguage::Zh) => Language::Zh,
            Some(IdleLanguage::En) => Language::En,
        }
    }

    fn apply(&self, values: Values) {
        let event = Event::Language(self.language_of(values));
        if self
            .events
            .send_timeout(event, Duration::from_secs(5))
            .is_err()
        {
            tracing::error!("the session takes no events");
        }
    }

    /// Takes back what was not confirmed in time. Called every second or so.
    pub fn tick(&self, now: Moment) {
        let mut state = locked(&self.state);
        if state.until.take_if(|until| now >= *until).is_some() {
            state.in_force = state.kept.now;
            let values = state.in_force;
            drop(state);
            tracing::warn!("settings were not confirmed: they are as before");
            self.apply(values);
        }
    }
}

fn word(language: Language) -> &'static str {
    match language {
        Language::Zh => "zh",
        Language::En => "en",
    }
}

impl Control {
    pub(super) fn config(&self, command: ConfigCommand) -> Report {
        let settings = &self.settings;
        let mut state = locked(&settings.state);
        let now = self.clock.now();
        let told = |values: Values| Row::told("language", word(settings.language_of(values)), "");
        match command {
            ConfigCommand::Show => {
                let mut rows = vec![
                    told(state.in_force),
                    Row::told("light, most", "100, cannot be changed in this version", "%"),
                    Row::told("volume", "100, cannot be changed in this version", "%"),
                ];
                if let Some(until) = state.until {
                    let left = super::for_people(until.since(now));
                    rows.push(Row::told("not confirmed, goes again in", left, ""));
                }
                Report::of_rows("settings in force", rows)
            }
            ConfigCommand::Diff => match state.candidate {
                Some(candidate) if candidate != state.in_force => {
                    let (from, to) = (
                        settings.language_of(state.in_force),
                        settings.language_of(candidate),
                    );
                    let rows = vec![Row::told(
                        "language",
                        format!("{} -> {}", word(from), word(to)),
                        "",
                    )];
                    Report::of_rows("the candidate would change", rows)
                }
                _ => Report::new("the candidate changes nothing", Code::Ok),
            },
            ConfigCommand::Set(Setting::Language(language)) => {
                let mut candidate = state.candidate.unwrap_or(state.in_force);
                candidate.language = Some(language);
                state.candidate = Some(candidate);
                let mut report = Report::of_rows("candidate", vec![told(candidate)]);
                report.next = "`config diff`, then `config commit confirmed 5`".to_owned();
                report
            }
            ConfigCommand::Set(Setting::LightPercent(_) | Setting::VolumePercent(_)) => {
                Report::refusal(
                    Code::NotBuilt,
                    "settings of light and volume: not built in this version",
                    "",
                )
            }
            ConfigCommand::Discard => {
                state.candidate = None;
                Report::new("the candidate is dropped", Code::Ok)
            }
            ConfigCommand::CommitConfirmed { minutes } => {
                let Some(candidate) = state.candidate.take() else {
                    return Report::refusal(
                        Code::Argument,
                        "there is no candidate",
                        "`config set ...` first",
                    );
                };
                state.in_force = candidate;
                state.until = Some(now.plus(Duration::from_secs(60 * u64::from(minutes))));
                drop(state);
                settings.apply(candidate);
                let mut report = Report::of_rows("in force, not confirmed", vec![told(candidate)]);
                report.next = format!("`config confirm` within {minutes} min, or it is as before");
                report
            }
            ConfigCommand::Confirm => {
                if state.until.take().is_none() {
                    return Report::refusal(
                        Code::Argument,
                        "nothing waits for confirmation",
                        "`config commit confirmed 5` first",
                    );
                }
                state.kept.now = state.in_force;
                match state.kept.write() {
                    Ok(()) => Report::new("confirmed: it stays", Code::Ok),
                    Err(error) => Report::refusal(
                        Code::Failed,
                        format!("not kept over a restart: {error}"),
                        "`test storage`",
                    ),
                }
            }
        }
    }
}
