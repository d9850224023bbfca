//! What the panel shows: a closed set of screens and prompts. The session says which; drawing and texts are this module's.

use crate::base::ids::{Language, ReferenceNumber};

/// Everything that a screen needs. Equal models draw equal pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UiModel {
    /// Which screen.
    pub screen: Screen,
    /// Language of the texts.
    pub language: Language,
    /// Practice: nothing is stored and nothing is sent; said on every screen.
    pub practice: bool,
    /// Step and number of steps, for example (2, 3).
    pub progress: Option<(u8, u8)>,
    /// Seconds left of the step, if that should be shown.
    pub seconds_left: Option<u16>,
    /// Attempts left, if that should be shown.
    pub attempts_left: Option<u8>,
    /// Seconds until another attempt is taken, if that should be shown; then instead of attempts left.
    pub again_in_s: Option<u16>,
    /// Every step has twice the time.
    pub more_time: bool,
    /// Number to quote.
    pub reference: Option<ReferenceNumber>,
    /// The network as the person should know it.
    pub network: NetworkSign,
    /// Faults of the booth, for who looks after it: a small number in the corner, where nobody is being served. 0: none is shown.
    pub faults: u8,
}

impl UiModel {
    /// A screen without anything else on it.
    pub fn bare(screen: Screen, language: Language) -> Self {
        Self {
            screen,
            language,
            practice: false,
            progress: None,
            seconds_left: None,
            attempts_left: None,
            again_in_s: None,
            more_time: false,
            reference: None,
            network: NetworkSign::Ready,
            faults: 0,
        }
    }
}

/// The network as the person should know it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NetworkSign {
    /// Results are sent at once.
    #[default]
    Ready,
    /// Results are kept and sent later.
    Limited,
}

/// The screens. One per state of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Screen {
    /// The service starts.
    Starting,
    /// Nobody there: the steps are shown ("have your document at hand, open the wallet app").
    Idle,
    /// Show the ticket's QR code to the camera.
    ShowTicket(TicketHint),
    /// What is recorded, what is not kept; green button: agree, other button: decline.
    Consent,
    /// The booth checks itself.
    Preflight,
    /// Show the document.
    Document(DocumentPrompt),
    /// Look into the camera.
    Face(FacePrompt),
    /// Deciding and storing.
    Working,
    /// The result.
    Result(ResultSign),
    /// One step is repeated: what went wrong, what to do; green button: again.
    Retry(RetrySign),
    /// Help was asked for, or staff has to go on: please wait, with the reference number.
    HandOver,
    /// Out of service for a fault of the booth.
    OutOfService,
    /// The booth tests itself, or a technician works on it: please wait, or come again.
    Maintenance,
}

impl Screen {
    /// Every screen with each of its prompts.
    pub const ALL: [Self; 54] = {
        use {DocumentPrompt as D, FacePrompt as F, ResultSign as R, RetrySign as T};
        [
            Self::Starting,
            Self::Idle,
            Self::ShowTicket(TicketHint::Show),
            Self::ShowTicket(TicketHint::Refused),
            Self::Consent,
            Self::Preflight,
            Self::Document(D::Show),
            Self::Document(D::Closer),
            Self::Document(D::WholeDocument),
            Self::Document(D::Straight),
            Self::Document(D::Still),
            Self::Document(D::Glare),
            Self::Document(D::Dark),
            Self::Document(D::Uncover),
            Self::Document(D::OtherSide),
            Self::Document(D::TurnToBack),
            Self::Document(D::TurnToFront),
            Self::Document(D::Done),
            Self::Face(F::Look),
            Self::Face(F::Closer),
            Self::Face(F::Back),
            Self::Face(F::Centre),
            Self::Face(F::Straight),
            Self::Face(F::OpenEyes),
            Self::Face(F::CloseMouth),
            Self::Face(F::Still),
            Self::Face(F::Alone),
            Self::Face(F::Light),
            Self::Face(F::Done),
            Self::Working,
            Self::Result(R::Verified),
            Self::Result(R::NotVerified),
            Self::Result(R::InReview),
            Self::Result(R::Pending),
            Self::Result(R::SeeStaff),
            Self::Result(R::Declined),
            Self::Result(R::Ended),
            Self::Result(R::OtherDocument),
            Self::Result(R::TryLater),
            Self::Result(R::BoothFault),
            Self::Result(R::PracticeDone),
            Self::Retry(T::DocumentNotSeen),
            Self::Retry(T::DocumentUnclear),
            Self::Retry(T::BackNotSeen),
            Self::Retry(T::TwoDocuments),
            Self::Retry(T::FaceNotSeen),
            Self::Retry(T::FaceUnclear),
            Self::Retry(T::Light),
            Self::Retry(T::OtherLight),
            Self::Retry(T::OtherDocument),
            Self::Retry(T::AskStaff),
            Self::HandOver,
            Self::OutOfService,
            Self::Maintenance,
        ]
    };

    /// The screen's name: key of its texts, name of its golden picture, and what the panel's log says.
    pub const fn name(self) -> &'static str {
        use {DocumentPrompt as D, FacePrompt as F, ResultSign as R, RetrySign as T};
        match self {
            Self::Starting => "starting",
            Self::Idle => "idle",
            Self::ShowTicket(TicketHint::Show) => "show_ticket.show",
            Self::ShowTicket(TicketHint::Refused) => "show_ticket.refused",
            Self::Consent => "consent",
            Self::Preflight => "preflight",
            Self::Document(D::Show) => "document.show",
            Self::Document(D::Closer) => "document.closer",
            Self::Document(D::WholeDocument) => "document.whole_document",
            Self::Document(D::Straight) => "document.straight",
            Self::Document(D::Still) => "document.still",
            Self::Document(D::Glare) => "document.glare",
            Self::Document(D::Dark) => "document.dark",
            Self::Document(D::Uncover) => "document.uncover",
            Self::Document(D::OtherSide) => "document.other_side",
            Self::Document(D::TurnToBack) => "document.turn_to_back",
            Self::Document(D::TurnToFront) => "document.turn_to_front",
            Self::Document(D::Done) => "document.done",
            Self::Face(F::Look) => "face.look",
            Self::Face(F::Closer) => "face.closer",
            Self::Face(F::Back) => "face.back",
            Self::Face(F::Centre) => "face.centre",
            Self::Face(F::Straight) => "face.straight",
            Self::Face(F::OpenEyes) => "face.open_eyes",
            Self::Face(F::CloseMouth) => "face.close_mouth",
            Self::Face(F::Still) => "face.still",
            Self::Face(F::Alone) => "face.alone",
            Self::Face(F::Light) => "face.light",
            Self::Face(F::Done) => "face.done",
            Self::Working => "working",
            Self::Result(R::Verified) => "result.verified",
            Self::Result(R::NotVerified) => "result.not_verified",
            Self::Result(R::InReview) => "result.in_review",
            Self::Result(R::Pending) => "result.pending",
            Self::Result(R::SeeStaff) => "result.see_staff",
            Self::Result(R::Declined) => "result.declined",
            Self::Result(R::Ended) => "result.ended",
            Self::Result(R::OtherDocument) => "result.other_document",
            Self::Result(R::TryLater) => "result.try_later",
            Self::Result(R::BoothFault) => "result.booth_fault",
            Self::Result(R::PracticeDone) => "result.practice_done",
            Self::Retry(T::DocumentNotSeen) => "retry.document_not_seen",
            Self::Retry(T::DocumentUnclear) => "retry.document_unclear",
            Self::Retry(T::BackNotSeen) => "retry.back_not_seen",
            Self::Retry(T::TwoDocuments) => "retry.two_documents",
            Self::Retry(T::FaceNotSeen) => "retry.face_not_seen",
            Self::Retry(T::FaceUnclear) => "retry.face_unclear",
            Self::Retry(T::Light) => "retry.light",
            Self::Retry(T::OtherLight) => "retry.other_light",
            Self::Retry(T::OtherDocument) => "retry.other_document",
            Self::Retry(T::AskStaff) => "retry.ask_staff",
            Self::HandOver => "hand_over",
            Self::OutOfService => "out_of_service",
            Self::Maintenance => "maintenance",
        }
    }
}

/// What is said while a ticket is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TicketHint {
    /// Show the code.
    Show,
    /// The code was read, but is not valid (expired, used, foreign): ask the app for a new one.
    Refused,
}

/// One instruction for the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentPrompt {
    /// Show the page with the photo.
    Show,
    /// Come closer.
    Closer,
    /// The whole document must be seen.
    WholeDocument,
    /// Hold it straight.
    Straight,
    /// Hold it still.
    Still,
    /// Move it a little, there is glare.
    Glare,
    /// There is too little light on it (the booth makes more).
    Dark,
    /// A finger is in front of it: hold it by the edges.
    Uncover,
    /// Show the other side.
    OtherSide,
    /// The side with the photo is read: turn the card over.
    TurnToBack,
    /// The back is read: turn to the side with the photo.
    TurnToFront,
    /// Thank you, got it.
    Done,
}

/// One instruction for the face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FacePrompt {
    /// Look into the camera.
    Look,
    /// Come closer.
    Closer,
    /// Move back a little.
    Back,
    /// Move to the middle.
    Centre,
    /// Look straight ahead.
    Straight,
    /// Open your eyes.
    OpenEyes,
    /// Close your mouth.
    CloseMouth,
    /// Hold still.
    Still,
    /// One person only.
    Alone,
    /// The booth sets the light.
    Light,
    /// Thank you, got it.
    Done,
}

/// What the person is told of the result. Neutral where the reason is one of security or of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResultSign {
    /// Verified.
    Verified,
    /// Could not be verified; please contact support (neutral).
    NotVerified,
    /// A colleague looks at it.
    InReview,
    /// Kept, and sent as soon as the network is back.
    Pending,
    /// Please see the staff with your document.
    SeeStaff,
    /// The person declined; nothing was kept.
    Declined,
    /// Ended: time ran out or the person left or cancelled; no attempt was used.
    Ended,
    /// The document is of a kind, or of an age, that is not taken: another one, please.
    OtherDocument,
    /// Too many failures in a row: the next attempt is taken in a while, and this one was not used up.
    TryLater,
    /// Booth's fault: nothing the person did; no attempt was used.
    BoothFault,
    /// Practice is over.
    PracticeDone,
}

/// Why one step is repeated, as far as the person can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RetrySign {
    /// The document was not seen.
    DocumentNotSeen,
    /// The document could not be read clearly.
    DocumentUnclear,
    /// The side with the photo was read, the back was not.
    BackNotSeen,
    /// Two different documents were shown.
    TwoDocuments,
    /// No face was seen.
    FaceNotSeen,
    /// The face was not seen clearly.
    FaceUnclear,
    /// The light was not good; the booth has changed it.
    Light,
    /// The same failure came twice: the booth lights it otherwise.
    OtherLight,
    /// The same failure came twice: another document, if there is one.
    OtherDocument,
    /// The same failure came twice: staff can help.
    AskStaff,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_screen_is_listed_once_and_has_a_name_of_its_own() {
        let names: BTreeSet<_> = Screen::ALL.iter().map(|s| s.name()).collect();
        let screens: BTreeSet<_> = Screen::ALL.iter().map(|s| format!("{s:?}")).collect();
        assert_eq!(names.len(), Screen::ALL.len());
        assert_eq!(screens.len(), Screen::ALL.len());
    }
}
