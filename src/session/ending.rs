//! Failed tries, the end of a session, and faults of the booth.

use super::event::{Effect, Now, StoreRefusal};
use super::kept::Kept;
use super::state::{Session, State};
use super::view::{result_sign, retry_sign};
use super::visit::stopped;
use crate::hal::{DeviceFault, DeviceKind};
use crate::verdict::evidence::{Ending, FailedTry, Measure, Step};
use crate::verdict::reasons::{AttemptUse, Reason};

impl Session {
    /// A step has failed: once more, or the end.
    pub(super) fn failed(
        &mut self,
        step: Step,
        reason: Reason,
        measure: Option<Measure>,
        now: Now,
    ) -> Vec<Effect> {
        let row = reason.row();
        let uses_attempt = row.attribution.may_use_attempt() && row.attempt != AttemptUse::No;
        let allowed = self.house.policy.attempts.per_step;
        let entered = self.entered;
        let Some(visit) = self.visit.as_mut() else {
            return Vec::new();
        };
        visit.spent(step, entered, now.at);
        let failure = FailedTry {
            step,
            reason,
            at_ms: visit.ms_at(now.at),
            measure: measure.clone(),
        };
        let (again, answer) = visit.failed(failure, uses_attempt, allowed);
        if again {
            self.enter(
                State::Retry {
                    step,
                    reason,
                    measure,
                    sign: retry_sign(reason, answer),
                },
                now,
            );
            return Vec::new();
        }
        self.end(stopped(reason, step, measure), now)
    }

    /// Decides and has it stored; practice is only shown.
    pub(super) fn end(&mut self, ending: Ending, now: Now) -> Vec<Effect> {
        let Some(visit) = self.visit.as_deref() else {
            return Vec::new();
        };
        let (decision, record) = visit.conclude(ending, now, &self.house);
        let sign = result_sign(&decision);
        let handed_over = false;
        if visit.is_practice() {
            self.enter(State::Result { sign, handed_over }, now);
            return vec![Effect::Forget];
        }
        let keep_s = self.house.policy.attempts.keep_steps_s;
        self.kept = Kept::of(visit, &decision, now.at, keep_s);
        let wipe = match &self.kept {
            Some(kept) => Effect::Keep(kept.read.number()),
            None => Effect::Forget,
        };
        if let Some(visit) = self.visit.as_mut() {
            visit.attempt_used = decision.uses_attempt;
            visit.standing = record.standing;
        }
        let record = Box::new(record);
        let effect = Effect::Store(record.clone());
        self.enter(
            State::Storing {
                sign,
                record,
                asked: now.at,
                handed_over,
            },
            now,
        );
        vec![effect, wipe]
    }

    pub(super) fn stored(&mut self, answer: Result<(), StoreRefusal>, now: Now) -> Vec<Effect> {
        if let (
            State::Storing {
                sign, handed_over, ..
            },
            Ok(()),
        ) = (&self.state, answer)
        {
            let (sign, handed_over) = (*sign, *handed_over);
            self.enter(State::Result { sign, handed_over }, now);
        }
        // Not stored: nothing is shown; a tick asks again. The reserved place holds what is sent if the power fails meanwhile.
        Vec::new()
    }

    pub(super) fn fault(&mut self, fault: &DeviceFault, now: Now) -> Vec<Effect> {
        if fault.device != DeviceKind::Camera {
            return Vec::new();
        }
        let code = fault.code();
        self.camera_fault = Some(code);
        match &self.state {
            State::Idle | State::ShowTicket { .. } => {
                self.go_idle(now);
                Vec::new()
            }
            _ if self.may_cancel() => {
                let reason = Reason::from_code(code).unwrap_or(Reason::HwCameraNoFrames);
                let step = self.current_step();
                self.end(stopped(reason, step, None), now)
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn fault_cleared(&mut self, device: DeviceKind, now: Now) -> Vec<Effect> {
        if device == DeviceKind::Camera {
            self.camera_fault = None;
            if matches!(self.state, State::OutOfService { .. }) {
                self.go_idle(now);
            }
        }
        Vec::new()
    }
}
