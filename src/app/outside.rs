//! What the session asks of the rest of the service, answered by the real parts.

use super::eye::{Eye, FRAME_TIMEOUT};
use super::maintenance::Desk;
use super::senses::Senses;
use super::sight::Order;
use crate::base::ids::BoothId;
use crate::base::latest::Latest;
use crate::base::secret::Secret;
use crate::base::standing::Standing;
use crate::base::time::{Moment, SharedClock, WallTime};
use crate::delivery::outbox::{Entry, OutboxError, Reservation};
use crate::delivery::service::{HoldGuard, OutboxHandle};
use crate::delivery::status::NetState;
use crate::delivery::wire::NetWatch;
use crate::guidance::model::UiModel;
use crate::perception::observation::VisionTask;
use crate::session::driver::Outside;
use crate::session::event::{Record, ReserveRefusal, StoreRefusal, TicketRefusal};
use crate::session::view::LightScene;
use crate::technician::sessions::Sessions;
use crate::trust::keys::TrustedKeys;
use crate::trust::random_bytes;
use crate::trust::ticket::{self, Ticket, TicketError};
use crate::verdict::outcome::PreflightRecord;
use crossbeam_channel::Sender;
use std::time::Duration;

/// How long the storage may take to answer the self-check, which has a second in all; everything else that it asks is in memory.
const STORAGE_CHECK: Duration = Duration::from_millis(700);
const _: () = assert!(STORAGE_CHECK.as_millis() < 1000);

/// The booth around the session.
#[derive(Debug)]
pub struct BoothOutside {
    /// Which booth this is.
    pub booth: BoothId,
    /// Whose tickets are taken.
    pub wallet_keys: TrustedKeys,
    /// The outbox.
    pub outbox: OutboxHandle,
    /// Bytes reserved for an outcome.
    pub space: usize,
    /// The place reserved for the present session.
    pub reservation: Option<Reservation>,
    /// Uploads wait while this is there.
    pub hold: Option<HoldGuard>,
    /// To the vision thread. Capacity 64; orders are never dropped, the thread takes them at every frame.
    pub orders: Sender<Order>,
    /// To the panel.
    pub ui: Latest<UiModel>,
    /// The camera's side.
    pub eye: Eye,
    /// What the devices say.
    pub senses: Senses,
    /// What the uplink says of the network.
    pub net: NetWatch,
    /// The memory of sessions.
    pub sessions: Sessions,
    /// Who asks for the booth, and what they know of the session.
    pub desk: Desk,
    /// The clock.
    pub clock: SharedClock,
}

impl BoothOutside {
    fn order(&self, order: Order) {
        if self
            .orders
            .send_timeout(order, Duration::from_millis(900))
            .is_err()
        {
            tracing::error!("vision takes no orders");
        }
    }
}

impl Outside for BoothOutside {
    fn check_ticket(
        &mut self,
        code: &Secret,
        wall: WallTime,
    ) -> Result<Box<Ticket>, TicketRefusal> {
        match ticket::check(code.reveal(), &self.wallet_keys, wall, &self.booth) {
            Ok(ticket) => Ok(Box::new(ticket)),
            Err(error) => {
                tracing::warn!(code = error.code(), %error, "ticket refused");
                Err(match error {
                    TicketError::Expired { .. } | TicketError::NotYetValid { .. } => {
                        TicketRefusal::Expired
                    }
                    TicketError::UnknownPurpose => TicketRefusal::Unsupported,
                    _ => TicketRefusal::Invalid,
                })
            }
        }
    }

    fn standing(&mut self, subject: [u8; 32]) -> Result<Standing, StoreRefusal> {
        self.outbox.standing(subject).map_err(|error| {
            tracing::error!(code = "hw.storage.full", %error, "attempts cannot be looked up");
            StoreRefusal::Storage
        })
    }

    fn reserve(&mut self, ticket: &Ticket, fallback: &[u8]) -> Result<(), ReserveRefusal> {
        match self
            .outbox
            .reserve(ticket.session(), ticket.digest(), fallback, self.space)
        {
            Ok(reservation) => {
                tracing::info!(session = %ticket.session(), seq = reservation.seq, "session begins");
                self.reservation = Some(reservation);
                Ok(())
            }
            Err(OutboxError::TicketUsed) => {
                tracing::warn!(code = "session.ticket_used", "ticket refused");
                Err(ReserveRefusal::TicketUsed)
            }
            Err(error) => {
                tracing::error!(code = "hw.storage.full", %error, "no place for an outcome");
                Err(ReserveRefusal::Storage)
            }
        }
    }

    fn preflight(&mut self) -> PreflightRecord {
        let start = self.clock.now();
        let mut record = PreflightRecord::default();
        let readings = self.senses.read();
        let ok = |code: Option<&'static str>| code.unwrap_or("ok").to_owned();
        let stale = start.since(self.eye.last_frame()) > FRAME_TIMEOUT;
        record
            .checks
            .insert("camera", ok(stale.then_some("hw.camera.no_frames")));
        record.checks.insert("lights", ok(readings.light_fault));
        record.checks.insert("panel", ok(readings.panel_fault));
        let deaf = readings
            .microphone_dbfs
            .is_none()
            .then_some("hw.mic.absent");
        record
            .checks
            .insert("microphone", ok(readings.microphone_fault.or(deaf)));
        let storage = self.outbox.with_limit(STORAGE_CHECK).stats().is_err();
        record
            .checks
            .insert("storage", ok(storage.then_some("hw.storage.full")));
        let net = self.net.status();
        let network = match (net.state, net.code) {
            (NetState::Ready, _) => None,
            (_, Some(code)) => Some(code.code()),
            (_, None) => Some("net.backend_unreachable"),
        };
        record.checks.insert("network", ok(network));
        record.took_ms =
            u64::try_from(self.clock.now().since(start).as_millis()).unwrap_or(u64::MAX);
        record
    }

    fn use_reference(&mut self, template: &[u8]) {
        self.order(Order::UseReference(template.to_vec()));
    }

    fn use_portrait(&mut self, number: &Secret) {
        self.order(Order::UsePortrait(number.clone()));
    }

    fn store(&mut self, record: &Record) -> Result<(), StoreRefusal> {
        let Some(reservation) = self.reservation else {
            tracing::error!("an outcome without a reserved place");
            return Err(StoreRefusal::Storage);
        };
        let entry = Entry {
            subject: record.subject,
            standing: record.standing,
        };
        let done = self
            .outbox
            .commit(&reservation, &record.payload, Some(entry));
        match done {
            Ok(_) => {
                tracing::info!(seq = reservation.seq, "outcome stored");
                self.sessions.note(&record.payload, self.clock.wall());
                self.reservation = None;
                Ok(())
            }
            Err(error) => {
                tracing::error!(code = "hw.storage.full", %error, "outcome not stored; it is tried again");
                Err(StoreRefusal::Storage)
            }
        }
    }

    fn keep(&mut self, number: &Secret) {
        self.order(Order::ForgetBut(number.clone()));
    }

    fn forget(&mut self) {
        self.order(Order::Forget);
    }

    fn look_for(&mut self, task: VisionTask, since: Moment) {
        self.order(Order::LookFor { task, since });
    }

    fn light(&mut self, scene: LightScene) {
        self.order(Order::Light(scene));
    }

    fn show(&mut self, ui: &UiModel) {
        self.desk.note_ui(ui);
        self.ui.put(ui.clone());
    }

    fn answer(&mut self, begun: bool) {
        self.desk.note_answer(begun);
    }

    fn serving(&mut self, serving: bool) {
        self.desk.note_serving(serving);
        self.senses.note_serving(serving);
        self.hold = serving.then(|| self.outbox.hold());
    }

    fn chance(&mut self) -> [u8; 10] {
        // Session ids of practice only; those of tickets come from the wallet.
        random_bytes().unwrap_or([0; 10])
    }
}
