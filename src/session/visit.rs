//! One person's visit: what has been found out so far, and the record that is made of it.

use super::document_step::ReadDocument;
use super::kept::Kept;
use super::remedy::{Answer, RemedyLog, answer};
use super::view::LightScene;
use crate::base::ids::{Language, SessionId};
use crate::base::standing::Standing;
use crate::base::terms::{Field, FieldMatch, Purpose};
use crate::base::time::Moment;
use crate::perception::document::limits::DocumentLimits;
use crate::perception::pad::calibration::PadThreshold;
use crate::session::card_votes::CardVotes;
use crate::session::event::{Now, Record};
use crate::session::fields::compare_fields;
use crate::trust::ticket::Ticket;
use crate::verdict::attempts::{AttemptLimits, Counted};
use crate::verdict::decision::{ComparisonThreshold, Decision, SessionResult, decide};
use crate::verdict::evidence::{
    DocumentEvidence, Ending, Evidence, FaceEvidence, FailedTry, Measure, Step,
};
use crate::verdict::outcome::{
    ConsentRecord, ModelStamp, Outcome, OutcomeContext, PolicyStamp, PreflightRecord, SessionTimes,
};
use crate::verdict::policy::Policy;
use crate::verdict::reasons::{Disposition, Reason, Remedy};
use std::collections::BTreeMap;

/// What every session of this booth has in common.
#[derive(Clone, Debug)]
pub struct House {
    /// The wallet's rules.
    pub policy: Policy,
    /// Their name, version and hash.
    pub policy_stamp: PolicyStamp,
    /// The comparison's threshold for the policy's false match rate.
    pub threshold: ComparisonThreshold,
    /// The attack detection's threshold for the policy's rates.
    pub pad: PadThreshold,
    /// The models that are loaded.
    pub models: Vec<ModelStamp>,
    /// What a document in a frame has to fulfil.
    pub document_limits: DocumentLimits,
    /// Width and height of the camera's frames.
    pub frame_size: (u32, u32),
    /// Language of the idle screen and of practice.
    pub language: Language,
    /// Version of the consent text.
    pub consent_text_version: &'static str,
    /// Version of this software.
    pub software: &'static str,
    /// Name of the board file.
    pub board: String,
}

/// One visit.
#[derive(Debug)]
pub struct Visit {
    /// The session's id.
    pub session: SessionId,
    /// The ticket; practice has none.
    pub ticket: Option<Box<Ticket>>,
    /// Language of the texts.
    pub language: Language,
    started: Now,
    /// Consent, once asked.
    pub consent: Option<ConsentRecord>,
    /// The self-check, once done.
    pub preflight: Option<PreflightRecord>,
    /// The document, once believed.
    pub document: Option<DocumentEvidence>,
    /// What was read of it.
    pub read: Option<Box<ReadDocument>>,
    /// Claimed fields against the document.
    pub fields: Vec<(Field, FieldMatch)>,
    /// What a try that failed has read of a resident identity card.
    pub card: Option<CardVotes>,
    /// The face, once compared.
    pub face: Option<FaceEvidence>,
    /// Remedies tried.
    pub remedies: RemedyLog,
    /// How the person stood before this visit; when it has ended, how they stand after it.
    pub standing: Standing,
    /// This visit has ended and used up an attempt; `standing` counts it.
    pub attempt_used: bool,
    /// Every step has twice as long.
    pub extended_time: bool,
    /// What comes next where failures repeated themselves.
    pub next: Option<Disposition>,
    failed_tries: Vec<FailedTry>,
    light: BTreeMap<Step, LightScene>,
    resumed: Vec<Step>,
    attempts: BTreeMap<Step, u8>,
    n_tries: BTreeMap<Step, u8>,
    steps_ms: BTreeMap<&'static str, u64>,
}

impl Visit {
    /// A visit that begins now, with a ticket or as practice.
    pub fn new(now: Now, ticket: Option<Box<Ticket>>, house: &House) -> Self {
        let session = match &ticket {
            Some(ticket) => ticket.session().clone(),
            None => SessionId::from_parts(now.wall.unix_ms(), now.chance),
        };
        let extended_time = ticket.as_ref().is_some_and(|t| t.claims.extended_time);
        let language = ticket.as_ref().map_or(house.language, |t| t.language());
        Self {
            session,
            ticket,
            language,
            started: now,
            consent: None,
            preflight: None,
            document: None,
            read: None,
            fields: Vec::new(),
            card: None,
            face: None,
            remedies: RemedyLog::default(),
            standing: Standing::default(),
            attempt_used: false,
            extended_time,
            next: None,
            failed_tries: Vec::new(),
            light: BTreeMap::new(),
            resumed: Vec::new(),
            attempts: BTreeMap::new(),
            n_tries: BTreeMap::new(),
            steps_ms: BTreeMap::new(),
        }
    }

    /// Whether this is practice.
    pub fn is_practice(&self) -> bool {
        self.ticket.is_none()
    }

    /// What the session is for; practice goes through the steps of an onboarding.
    pub fn purpose(&self) -> Purpose {
        self.ticket
            .as_ref()
            .map_or(Purpose::Onboarding, |t| t.purpose())
    }

    /// Adds the time of a step.
    pub fn spent(&mut self, step: Step, since: Moment, now: Moment) {
        let ms = u64::try_from(now.since(since).as_millis()).unwrap_or(u64::MAX);
        *self.steps_ms.entry(step_name(step)).or_default() += ms;
    }

    /// Milliseconds since the visit began.
    pub fn ms_at(&self, now: Moment) -> u64 {
        u64::try_from(now.since(self.started.at).as_millis()).unwrap_or(u64::MAX)
    }

    /// A try of a step has failed; `uses_attempt` as the reason says. Gives whether it may be tried again and what is done
    /// otherwise then. Attempts are limited by policy; tries that use up none (light, glare) are limited too, so that a session ends.
    pub fn failed(
        &mut self,
        failure: FailedTry,
        uses_attempt: bool,
        allowed: u8,
    ) -> (bool, Answer) {
        let FailedTry {
            step,
            reason,
            at_ms,
            measure,
        } = failure.clone();
        self.remedies.end_try();
        self.failed_tries.push(failure);
        let attempts = self.attempts.entry(step).or_default();
        *attempts += u8::from(uses_attempt);
        let attempts = *attempts;
        let tries = self.n_tries.entry(step).or_default();
        *tries += 1;
        let again = attempts < allowed && *tries < allowed.saturating_add(EXTRA_TRIES);
        let equal = |t: &&FailedTry| t.step == step && t.reason == reason;
        let n_equal = self.failed_tries.iter().filter(equal).count();
        let answer = answer(step, reason, u8::try_from(n_equal).unwrap_or(u8::MAX));
        self.next = answer.next();
        if again {
            match answer {
                Answer::Again => {}
                Answer::OtherLight(scene) => {
                    self.light.insert(step, scene);
                    self.remedies
                        .other_light(step, reason, at_ms, measure.as_ref(), scene);
                }
                Answer::OtherDocument => {
                    self.remedies
                        .asked(step, reason, at_ms, Remedy::OtherDocument)
                }
                Answer::Staff => self.remedies.asked(step, reason, at_ms, Remedy::AskStaff),
            }
        }
        (again, answer)
    }

    /// The light that a step is made under: another one after failures that it may mend.
    pub fn light_for(&self, step: Step) -> Option<LightScene> {
        self.light.get(&step).copied()
    }

    /// A document is believed.
    pub fn document_read(&mut self, read: &ReadDocument, now: Now) {
        self.document = Some(read.evidence(now.wall.civil_date()));
        self.compare_claims(read);
        self.read = Some(Box::new(read.clone()));
    }

    /// Goes on with the document of an earlier ticket of the session.
    pub fn resume(&mut self, kept: Kept) {
        self.compare_claims(&kept.read);
        self.document = Some(kept.document);
        self.read = Some(kept.read);
        self.resumed.push(Step::Document);
    }

    fn compare_claims(&mut self, read: &ReadDocument) {
        self.fields = self
            .ticket
            .as_ref()
            .map(|ticket| compare_fields(ticket, &read.text))
            .unwrap_or_default();
    }

    /// Attempts left in a step.
    pub fn attempts_left(&self, step: Step, allowed: u8) -> u8 {
        allowed.saturating_sub(self.attempts.get(&step).copied().unwrap_or(0))
    }

    fn evidence(&self, ending: Ending, now: Now) -> Evidence {
        Evidence {
            purpose: self.purpose(),
            practice: self.is_practice(),
            ending,
            document: self.document.clone(),
            fields: self.fields.clone(),
            face: self.face.clone(),
            today: now.wall.civil_date(),
            remedies: self.remedies.tried(),
            next: self.next,
        }
    }

    /// Decides, and makes the record.
    pub fn conclude(&self, ending: Ending, now: Now, house: &House) -> (Decision, Record) {
        let evidence = self.evidence(ending, now);
        let decision = decide(&evidence, &house.policy, &house.threshold, &house.pad);
        let (rules, now_s) = (&house.policy.attempts, now.wall.unix_s());
        let standing = rules.after(self.standing, counted(&decision), now_s);
        let context = OutcomeContext {
            session: self.session.clone(),
            ticket: self
                .ticket
                .as_ref()
                .map(|t| t.id().to_owned())
                .unwrap_or_default(),
            nonce: self.ticket.as_ref().map(|t| t.nonce()).unwrap_or_default(),
            language: self.language,
            policy: house.policy_stamp.clone(),
            models: house.models.clone(),
            threshold: house.threshold.clone(),
            pad: house.pad.clone(),
            pad_acted_on: house.policy.pad.required,
            consent: self.consent.clone(),
            preflight: self.preflight.clone(),
            times: SessionTimes {
                started: self.started.wall.rfc3339(),
                decided: now.wall.rfc3339(),
                started_boot_ms: self.started.at.as_millis(),
                steps_ms: self.steps_ms.clone(),
            },
            attempts: self
                .attempts
                .iter()
                .map(|(step, n)| (step_name(*step), *n))
                .collect(),
            attempt_limits: AttemptLimits::new(rules, standing, now_s),
            failed_tries: self.failed_tries.clone(),
            resumed: self.resumed.clone(),
            extended_time: self.extended_time,
            software: house.software,
            board: house.board.clone(),
        };
        let record = Record {
            payload: Outcome::new(&context, &evidence, &decision).to_json(),
            subject: self
                .ticket
                .as_ref()
                .map(|t| t.subject())
                .unwrap_or_default(),
            standing,
        };
        (decision, record)
    }

    /// The record that is sent if the booth loses power before there is another.
    pub fn interrupted(&self, now: Now, house: &House) -> Vec<u8> {
        let ending = stopped(Reason::SessionInterruptedPower, Step::Decision, None);
        self.conclude(ending, now, house).1.payload
    }
}

/// A stopped session.
pub fn stopped(reason: Reason, step: Step, measure: Option<Measure>) -> Ending {
    Ending::Stopped {
        reason,
        step,
        measure,
    }
}

/// What a decision does to the person's standing.
fn counted(decision: &Decision) -> Counted {
    match decision.result {
        SessionResult::Verified | SessionResult::Pending => Counted::Passed,
        _ if decision.uses_attempt => Counted::Failed,
        _ => Counted::Nothing,
    }
}

/// How often a step may fail for reasons that use up no attempt, beyond the attempts that policy allows.
const EXTRA_TRIES: u8 = 2;

fn step_name(step: Step) -> &'static str {
    match step {
        Step::Ticket => "ticket",
        Step::Consent => "consent",
        Step::Preflight => "preflight",
        Step::Document => "document",
        Step::Face => "face",
        Step::Decision => "decision",
    }
}
