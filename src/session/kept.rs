//! A document that was read, kept for the next ticket of the same session when the face step did not come to an end. In memory
//! only, for the policy's time, of one session at most; the portrait's template waits in vision, under the document's number.

use super::document_step::ReadDocument;
use super::visit::Visit;
use crate::base::ids::SessionId;
use crate::base::time::Moment;
use crate::trust::ticket::Ticket;
use crate::verdict::decision::{Decision, SessionResult};
use crate::verdict::evidence::DocumentEvidence;
use crate::verdict::reasons::Attribution;
use std::time::Duration;

/// A passed document step.
#[derive(Debug)]
pub struct Kept {
    tenant: String,
    session: SessionId,
    /// What was read; secrets wipe themselves when dropped.
    pub read: Box<ReadDocument>,
    /// What it says for the decision.
    pub document: DocumentEvidence,
    until: Moment,
}

impl Kept {
    /// The document of a visit that ended as decided, if the next ticket may go on with it: nothing speaks against the document or
    /// what it says, and only the face is missing.
    pub fn of(visit: &Visit, decision: &Decision, now: Moment, keep_s: u16) -> Option<Self> {
        let open = matches!(
            decision.result,
            SessionResult::Inconclusive
                | SessionResult::Abandoned
                | SessionResult::AbortedEquipment
        );
        let against = decision.reasons.iter().any(|r| {
            matches!(
                r.reason.row().attribution,
                Attribution::Security
                    | Attribution::Data
                    | Attribution::Document
                    | Attribution::Policy
            )
        });
        if !open || against || keep_s == 0 || visit.face.is_some() {
            return None;
        }
        let ticket = visit.ticket.as_deref()?;
        Some(Self {
            tenant: ticket.tenant().to_owned(),
            session: ticket.session().clone(),
            read: visit.read.clone()?,
            document: visit.document.clone()?,
            until: now.plus(Duration::from_secs(keep_s.into())),
        })
    }

    /// Whether this ticket goes on with the session, in time and with a document that it accepts.
    pub fn is_for(&self, ticket: &Ticket, now: Moment) -> bool {
        self.session == *ticket.session()
            && self.tenant == ticket.tenant()
            && ticket.accepts(self.document.kind)
            && !self.is_over(now)
    }

    /// Whether its time is over.
    pub fn is_over(&self, now: Moment) -> bool {
        now >= self.until
    }
}
