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
    /// Number to quote.
    pub reference: Option<ReferenceNumber>,
    /// The network as the person should know it.
    pub network: NetworkSign,
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
            reference: None,
            network: NetworkSign::Ready,
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
    /// Show the other side.
    OtherSide,
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
    /// No face was seen.
    FaceNotSeen,
    /// The face was not seen clearly.
    FaceUnclear,
    /// The light was not good; the booth has changed it.
    Light,
}
