//! What a technician can ask of the booth: a closed set. Nothing typed reaches a shell or a path; every argument is a word of a list, a
//! number within a range, or part of a session's id. [`super::grammar`] says how each is typed.

use crate::base::ids::SessionId;
use serde::{Deserialize, Serialize};

/// What a login allows; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look: status, counters, faults. The only one that may be used while a session runs.
    View,
    /// Test, calibrate, restart, fetch a bundle.
    Service,
    /// Change what stays when the technician has left.
    Reset,
}

impl Role {
    /// All roles, the smallest first.
    pub const ALL: [Self; 3] = [Self::View, Self::Service, Self::Reset];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Service => "service",
            Self::Reset => "reset",
        }
    }
}

/// When a command may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Always, also while a session runs: it changes nothing.
    Anytime,
    /// Only between `maintenance enter` and `maintenance leave`, when no session runs and none begins.
    Maintenance,
}

/// An enum whose values are words of a list: the words, their help, and all values.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $value:ident = $word:literal, $help:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $(#[doc = $help] #[serde(rename = $word)] $value,)+ }

        impl $name {
            /// All values.
            pub const ALL: &'static [Self] = &[$(Self::$value,)+];
            /// All words with their help, in the order of [`Self::ALL`].
            pub const WORDS: &'static [(&'static str, &'static str)] = &[$(($word, $help),)+];

            /// Its word.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$value => $word,)+ }
            }
        }
    };
}
pub(super) use words;

words! {
    /// What `show` tells, but for one session and the log. `show audit` is answered by the console itself, which has the audit log.
    Topic {
        Version = "version", "software, models, policy, board";
        Status = "status", "what the booth does now, and since when";
        Health = "health", "verdict of the newest self-test and of every device";
        Faults = "faults", "what is wrong, since when, who mends it and how";
        Sensors = "sensors", "temperature, supply, tamper switch";
        Network = "network", "link, address, names, wallet, as the uplink saw them";
        Outbox = "outbox", "outcomes that wait for the wallet, and room";
        Policy = "policy", "signed policy in force";
        Models = "models", "models with versions and hashes";
        Calibration = "calibration", "thresholds and where they come from, newest calibration of devices";
        Counters = "counters", "sessions, verdicts, reasons, restarts";
        Sessions = "sessions", "newest sessions: id, verdict, reason, no personal data";
        Trends = "trends", "figures of the booth over months, and what gets worse";
    }
}

words! {
    /// What `test` tests.
    TestWhat {
        All = "all", "everything, about two minutes";
        Quick = "quick", "what takes less than ten seconds";
        Camera = "camera", "frames, rate, noise, sharpness";
        Microphone = "microphone", "noise floor, offset";
        Speaker = "speaker", "a tone, heard by the microphone";
        Lights = "lights", "each side on and off, measured by the camera";
        Panel = "panel", "a picture on the panel";
        Buttons = "buttons", "levels, and a press of each";
        Storage = "storage", "write, sync, read back, room, wear";
        Network = "network", "link, address, names";
        Wallet = "wallet", "the wallet answers and is who it says";
        Models = "models", "hashes, and a known picture through each";
        Clock = "clock", "against the wallet's and against the floor";
    }
}

words! {
    /// What `calibrate` calibrates.
    CalibrateWhat {
        Lights = "lights", "level of each side against the camera";
        Camera = "camera", "exposure and white against the ring";
        Microphone = "microphone", "noise floor of this place";
    }
}

words! {
    /// Why the machine is started again; stands in the audit log.
    RebootReason {
        Hang = "hang", "something does not answer";
        Hardware = "hardware", "a part was replaced";
        Settings = "settings", "settings were changed";
        Test = "test", "to see that it comes back";
    }
}

words! {
    /// Part of the service whose log is made more or less talkative.
    LogModule {
        All = "all", "the whole service";
        App = "app", "threads of the service";
        Hal = "hal", "devices";
        Perception = "perception", "vision";
        Session = "session", "states of the session";
        Guidance = "guidance", "light, exposure, panel";
        Delivery = "delivery", "outbox and its socket";
        Technician = "technician", "faults, self-tests, console's socket";
    }
}

words! {
    /// How much is logged.
    LogLevel {
        Error = "error", "data lost or a human needed";
        Warn = "warn", "recovered";
        Info = "info", "the usual";
        Debug = "debug", "everything that is not told for each frame";
    }
}

words! {
    /// What was inspected.
    InspectItem {
        Routine = "routine", "the regular round";
        Lens = "lens", "camera lens and window";
        Camera = "camera", "camera and its cable";
        Microphone = "microphone", "microphone and its opening";
        Speaker = "speaker", "loudspeaker";
        Lights = "lights", "ring of lights";
        Panel = "panel", "panel";
        Buttons = "buttons", "buttons";
        Storage = "storage", "memory card";
        Network = "network", "port and cable";
        Housing = "housing", "housing, lock, tamper switch";
    }
}

words! {
    /// What came out of it.
    InspectResult {
        Good = "good", "as it should be";
        Cleaned = "cleaned", "was dirty, is clean";
        Replaced = "replaced", "was replaced";
        Defective = "defective", "is not as it should be, and stays so";
    }
}

words! {
    /// Language of the booth's idle screen, as a setting.
    IdleLanguage {
        Zh = "zh", "Chinese first";
        En = "en", "English first";
    }
}

/// A setting that can be changed by `config set`. Policies, keys and thresholds are not among them: they are signed elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Setting {
    /// Language of the idle screen.
    Language(IdleLanguage),
    /// Most of the ring's light, percent of what the board allows, 20..=100.
    LightPercent(u8),
    /// Loudness, percent, 0..=100.
    VolumePercent(u8),
}

/// Settings are changed in two steps: a candidate, and a commit that takes itself back if nobody confirms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ConfigCommand {
    /// Settings in force.
    Show,
    /// What the candidate would change.
    Diff,
    /// Changes the candidate.
    Set(Setting),
    /// Drops the candidate.
    Discard,
    /// The candidate comes into force, and goes again after so many minutes (1..=60) unless confirmed.
    CommitConfirmed {
        /// Minutes.
        minutes: u8,
    },
    /// What was committed stays.
    Confirm,
}

/// Part of a session's id: all 26 characters, or the last eight that stand on the panel as `XXXX-XXXX`. Upper case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionQuery(String);

impl SessionQuery {
    /// Whether this session is meant.
    pub fn matches(&self, id: &SessionId) -> bool {
        id.as_str().ends_with(&self.0)
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SessionQuery {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let plain = match text.as_bytes() {
            [_, _, _, _, b'-', _, _, _, _] => text.replace('-', ""),
            _ => text,
        };
        let upper = plain.to_ascii_uppercase();
        let good = |b: u8| b.is_ascii_digit() || b.is_ascii_uppercase() && !b"ILOU".contains(&b);
        if matches!(upper.len(), 8 | 26) && upper.bytes().all(good) {
            Ok(Self(upper))
        } else {
            Err("allowed are a session's 26 characters, or the reference XXXX-XXXX (digits, and letters but I, L, O, U)".to_owned())
        }
    }
}

impl From<SessionQuery> for String {
    fn from(query: SessionQuery) -> Self {
        query.0
    }
}

/// A command that the booth answers. What the console answers itself (login, terminal, help, audit) is not among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// `show ...`
    Show(Topic),
    /// `show session ID`
    Session(SessionQuery),
    /// `show log [LINES]`: newest lines, 1..=500.
    Log {
        /// How many.
        lines: u16,
    },
    /// `test ...`
    Test(TestWhat),
    /// `test camera --live`: once a second until stopped.
    CameraLive,
    /// `test microphone --vu`: level, until stopped.
    MicrophoneVu,
    /// `practice run`: a practice session; nothing is stored, nothing sent.
    Practice,
    /// `calibrate ...`
    Calibrate {
        /// What.
        what: CalibrateWhat,
        /// Measure and tell, change nothing.
        dry_run: bool,
    },
    /// `locate [SECONDS]`: the ring and the panel say "here", 5..=300 s. Within the flash limit.
    Locate {
        /// For so long.
        seconds: u16,
    },
    /// `camera reset`: the next rungs of the recovery ladder, but for the restart of the machine.
    CameraReset,
    /// `service restart`
    ServiceRestart,
    /// `reboot --reason WORD`
    Reboot {
        /// Why.
        reason: RebootReason,
    },
    /// `log level MODULE LEVEL for MINUTES`: goes back by itself, 1..=60 min.
    LogLevel {
        /// Which part.
        module: LogModule,
        /// How much.
        level: LogLevel,
        /// For so long.
        minutes: u8,
    },
    /// `bundle create`
    BundleCreate,
    /// `bundle send [from BLOCK]`: the newest bundle in blocks, from this one (0 is the first).
    BundleSend {
        /// The first block that is wanted.
        from_block: u32,
    },
    /// `outbox retry`: what waits is sent at once instead of after its back-off.
    OutboxRetry,
    /// `inspection record ITEM RESULT`
    Inspection {
        /// What was looked at.
        item: InspectItem,
        /// What came out.
        result: InspectResult,
    },
    /// `site accept`: the guided installation test; asks, and ends with a signed record.
    SiteAccept,
    /// `config ...`
    Config(ConfigCommand),
    /// `maintenance enter [wait SECONDS]`: no session begins until it is left. While one runs: refused, or waited for at most 600 s.
    MaintenanceEnter {
        /// Seconds to wait for the session's end; 0: refuse at once.
        wait_s: u16,
    },
    /// `maintenance leave`; also when the console's connection ends.
    MaintenanceLeave,
}

impl Command {
    /// The role that is needed.
    pub const fn role(&self) -> Role {
        use ConfigCommand as C;
        match self {
            Self::Show(_)
            | Self::Session(_)
            | Self::Log { .. }
            | Self::Config(C::Show | C::Diff) => Role::View,
            Self::Test(_)
            | Self::CameraLive
            | Self::MicrophoneVu
            | Self::Practice
            | Self::Calibrate { .. }
            | Self::Locate { .. }
            | Self::CameraReset
            | Self::ServiceRestart
            | Self::Reboot { .. }
            | Self::LogLevel { .. }
            | Self::BundleCreate
            | Self::BundleSend { .. }
            | Self::OutboxRetry
            | Self::Inspection { .. }
            | Self::SiteAccept
            | Self::MaintenanceEnter { .. }
            | Self::MaintenanceLeave => Role::Service,
            Self::Config(C::Set(_) | C::Discard | C::CommitConfirmed { .. } | C::Confirm) => {
                Role::Reset
            }
        }
    }

    /// When it may run: whatever is more than a look needs maintenance, so that no customer's session is disturbed.
    pub fn when(&self) -> When {
        match self {
            Self::MaintenanceEnter { .. } | Self::MaintenanceLeave => When::Anytime,
            other if other.role() == Role::View => When::Anytime,
            _ => When::Maintenance,
        }
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// Role of the login.
    pub role: Role,
    /// The work order that the login's code was made for.
    pub work_order: WorkOrder,
}

/// A work order's number: 1 to 16 letters, digits and hyphens, upper case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkOrder(String);

impl WorkOrder {
    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for WorkOrder {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let upper = text.to_ascii_uppercase();
        let good = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-';
        if (1..=16).contains(&upper.len()) && upper.bytes().all(good) {
            Ok(Self(upper))
        } else {
            Err("allowed are 1 to 16 letters, digits and hyphens, for example WO-1234".to_owned())
        }
    }
}

impl From<WorkOrder> for String {
    fn from(order: WorkOrder) -> Self {
        order.0
    }
}
