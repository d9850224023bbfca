//! What goes into the session and what comes out: two closed sets.

use crate::base::ids::Language;
use crate::base::secret::Secret;
use crate::base::standing::Standing;
use crate::base::time::{Moment, WallTime};
use crate::guidance::model::NetworkSign;
use crate::hal::{ButtonEvent, DeviceFault, DeviceKind};
use crate::perception::observation::Observation;
use crate::trust::ticket::Ticket;
use crate::verdict::outcome::PreflightRecord;

/// The time of an event, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Monotonic.
    pub at: Moment,
    /// Wall clock, for records.
    pub wall: WallTime,
    /// Chance, for session ids.
    pub chance: [u8; 10],
}

/// Everything that can happen to a session.
#[derive(Debug)]
pub enum Event {
    /// Time passed; comes at least ten times a second.
    Tick,
    /// The service is ready: models loaded, devices open.
    Ready,
    /// A button.
    Button(ButtonEvent),
    /// What one frame says.
    Seen(Observation),
    /// Answer to [`Effect::CheckTicket`].
    Ticket(Result<Box<Ticket>, TicketRefusal>),
    /// Answer to [`Effect::LookUp`].
    Standing(Result<Standing, StoreRefusal>),
    /// Answer to [`Effect::Reserve`].
    Reserved(Result<(), ReserveRefusal>),
    /// Answer to [`Effect::RunPreflight`].
    Preflight(PreflightRecord),
    /// Answer to [`Effect::Store`]: durable, or not (yet).
    Stored(Result<(), StoreRefusal>),
    /// A device failed.
    Fault(DeviceFault),
    /// A device works again.
    FaultCleared(DeviceKind),
    /// The network as the uplink sees it.
    Network(NetworkSign),
    /// The language of the idle screen and of practice.
    Language(Language),
    /// How many faults the booth has, for the corner of the panel.
    Faults(u8),
    /// Somebody wants to work on the booth: answered by [`Effect::Answer`]. Until [`Event::MaintenanceOver`] no session begins.
    Maintenance,
    /// Customers may come again.
    MaintenanceOver,
    /// A practice session shall begin, as with the other button: answered by [`Effect::Answer`].
    Practice,
}

/// Why a ticket is not taken. Nothing of this is shown to the person but "please get a new code".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketRefusal {
    /// Not a ticket, forged, of another wallet, or for another booth.
    Invalid,
    /// Its time is over, or has not come.
    Expired,
    /// It asks for something that policy or this version does not serve.
    Unsupported,
}

/// Why no place could be reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReserveRefusal {
    /// The ticket was used before.
    TicketUsed,
    /// The storage is full or broken.
    Storage,
}

/// Why an outcome could not be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreRefusal {
    /// The storage is full or broken; asking again may help.
    Storage,
}

/// Everything that a session asks of the outside.
pub enum Effect {
    /// Check a ticket: signature, time, addressee.
    CheckTicket(Secret),
    /// Find out how somebody stands after earlier sessions.
    LookUp {
        /// Who: [`Ticket::subject`].
        subject: [u8; 32],
    },
    /// Mark the ticket used and reserve a place in the outbox, with what is sent if the power fails before the outcome.
    Reserve {
        /// The ticket's session.
        ticket: Box<Ticket>,
        /// The outcome of an interrupted session, JSON.
        fallback: Vec<u8>,
    },
    /// Check the booth.
    RunPreflight,
    /// Give vision the reference template of a reverification.
    UseReference(Vec<u8>),
    /// The face is to be compared with the portrait of the document with this number, and with no other that was in view.
    UsePortrait(Secret),
    /// Store the outcome in the reserved place; nothing is shown before the answer.
    Store(Box<Record>),
    /// Wipe all of this session but the portrait of the document with this number: the next ticket of the session may go on with it.
    Keep(Secret),
    /// Wipe templates and pictures of this session.
    Forget,
    /// Whether maintenance or practice, which was asked for, has begun.
    Answer(bool),
}

/// What is stored when a session has ended, all of it or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The outcome, JSON.
    pub payload: Vec<u8>,
    /// Whose it is: [`Ticket::subject`].
    pub subject: [u8; 32],
    /// How they stand after it.
    pub standing: Standing,
}

impl std::fmt::Debug for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::CheckTicket(_) => "CheckTicket",
            Self::Reserve { .. } => "Reserve",
            Self::RunPreflight => "RunPreflight",
            Self::UseReference(_) => "UseReference",
            Self::UsePortrait(_) => "UsePortrait",
            Self::LookUp { .. } => "LookUp",
            Self::Store(_) => "Store",
            Self::Keep(_) => "Keep",
            Self::Forget => "Forget",
            Self::Answer(_) => "Answer",
        })
    }
}
