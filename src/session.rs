//! The session: one person's way from the ticket to the stored outcome.
//!
//! ```text
//!             code seen / green button            signature good, place in the outbox reserved
//!   Idle ------------------------> ShowTicket ------------------------------------------------> Consent
//!    ^ \--- other button: practice, without ticket, nothing stored -------------------------------^ |
//!    |                                                                        agreed (declined: end) |
//!    |                                                                                               v
//!    |                                    read, or time out: Retry <--> Document <------------- Preflight
//!    |                                                                     | (reverification: skipped)
//!    |                                    compared, or time out: Retry <--> Face
//!    |                                                                     |
//!    |      shown for a while                durable                      v
//!    +------------------------- Result <------------------------------- Storing
//!
//!   Document: one side with a machine readable zone, or front and back of a resident identity card in either order; the diagram
//!   of its own stands in [`document_step`]. A repeated try keeps what was read of a card.
//!
//!   Between ticket and consent it is looked up how the person stands after earlier sessions: too many failures in a row lead to
//!   CoolDown, a countdown after which the ticket is taken. A document that an earlier ticket of the session has read is kept for a
//!   while ([`kept`]): then Preflight leads to Face.
//!
//!   A camera fault in any of these ends the session as `aborted_equipment`, stored like any other outcome, and leads to
//!   OutOfService until the fault is gone. From Idle and OutOfService maintenance leads to Maintenance, where no session begins but
//!   practice; any other state refuses it. Holding the other button for two seconds hands over to the staff.
//! ```
//!
//! [`state::Session::step`] is pure: it takes one closed [`event::Event`] with the time, changes the state and returns
//! [`event::Effect`]s. What the panel shows, what vision looks for and how the light is set are functions of the state
//! ([`view`]), so they cannot be forgotten. One thread owns the state ([`driver`]).
//!
//! Freshness fence: a measurement whose frame was captured before the present step was entered is dropped.

mod admission;
pub mod best_portrait;
mod buttons;
pub mod calm;
pub mod card_votes;
pub mod document_problems;
pub mod document_step;
pub mod driver;
mod ending;
pub mod event;
pub mod face_problems;
pub mod face_step;
pub mod fields;
pub mod kept;
pub mod remedy;
mod sighting;
pub mod state;
pub mod view;
pub mod visit;
pub mod votes;

#[cfg(test)]
mod attempt_tests;
#[cfg(test)]
mod card_tests;
#[cfg(test)]
mod face_tests;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod remedy_tests;
#[cfg(test)]
mod tests;
