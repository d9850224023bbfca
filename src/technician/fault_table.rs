//! The one table of everything that can be wrong with a booth, closed: what it is, how soon somebody has to come and who, whether it goes
//! away by itself, and what mends it. `docs/faults.md` has the same table; a test holds both together.

use serde::Serialize;

/// How soon somebody has to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// The booth serves nobody, or loses something, until it is mended.
    Now,
    /// It serves, but worse, or not for long.
    Soon,
}

impl Attention {
    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Soon => "soon",
        }
    }
}

/// Who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mender {
    /// A field technician, with tools or parts.
    Technician,
    /// Whoever is in the branch: take something away, plug something in.
    Staff,
    /// Who runs the branch's network or the wallet's backend.
    NetworkOperator,
    /// Nobody has to come: it passes.
    Nobody,
}

impl Mender {
    /// The words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Technician => "technician",
            Self::Staff => "branch staff",
            Self::NetworkOperator => "network operator",
            Self::Nobody => "nobody",
        }
    }
}

/// How a fault is known to be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Clears {
    /// The booth sees by itself that it is over.
    ByItself,
    /// The next self-test of its module says so.
    ByTest,
    /// The service has to be started again.
    ByRestart,
}

impl Clears {
    /// The words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ByItself => "by itself",
            Self::ByTest => "by a test",
            Self::ByRestart => "by a restart",
        }
    }
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FaultRow {
    /// Stable number, to say over the telephone: hundreds are modules; from 1001 on it is the place and not the booth.
    pub id: u16,
    /// Stable code, dotted; who does not know it uses its prefix.
    pub code: &'static str,
    /// The part of the booth.
    pub module: &'static str,
    /// What is wrong, in one sentence.
    pub description: &'static str,
    /// How soon.
    pub attention: Attention,
    /// Who.
    pub who: Mender,
    /// When it is over.
    pub clears: Clears,
    /// What mends it.
    pub mend: &'static str,
}

impl FaultRow {
    /// The row of a code.
    pub fn of(code: &str) -> Option<&'static Self> {
        TABLE.iter().find(|row| row.code == code)
    }
}

macro_rules! rows {
    ($($id:literal $code:literal $module:literal $attention:ident $who:ident $clears:ident $description:literal, $mend:literal;)*) => {
        &[$(FaultRow {
            id: $id, code: $code, module: $module, attention: Attention::$attention, who: Mender::$who, clears: Clears::$clears,
            description: $description, mend: $mend,
        }),*]
    };
}

/// All rows, in the order of their numbers. Numbers are never used again for something else.
pub const TABLE: &[FaultRow] = rows! {
    101 "hw.camera.absent" "camera" Now Technician ByItself
        "the camera is not there", "check plug and cable of the camera; `boothd check` tells its node";
    102 "hw.camera.busy" "camera" Now Technician ByItself
        "another program has the camera", "`fuser -v` on its node tells which; stop it";
    103 "hw.camera.permission" "camera" Now Technician ByItself
        "the service may not open the camera", "look at the udev rules (`ls -l` on its node), then restart";
    104 "hw.camera.no_frames" "camera" Now Technician ByItself
        "the camera is open and gives no pictures", "`camera reset`; then another cable, another socket, another camera";
    105 "hw.camera.frozen" "camera" Now Technician ByItself
        "the camera gives the same picture again and again", "`camera reset`; give the camera a USB socket of its own";
    106 "hw.camera.dark" "camera" Now Staff ByItself
        "no light reaches the camera", "take the cap off; see that the camera looks through its window and that the ring shines";
    107 "hw.camera.covered" "camera" Now Staff ByItself
        "something lies on or before the lens", "take it away, clean the window";
    108 "hw.camera.blurred" "camera" Now Staff ByItself
        "no picture is sharp", "clean lens and window; then set the focus with `test camera --live`";
    109 "hw.camera.overexposed" "camera" Now Staff ByItself
        "the picture is white", "keep sun and lamps out of the camera";
    110 "hw.camera.wrong_device" "camera" Now Technician ByItself
        "another camera is fitted than the board file names", "fit the right one, or correct the board file";
    111 "hw.camera.dropped_frames" "camera" Soon Technician ByItself
        "pictures of the camera are lost", "give the camera a USB socket of its own";
    112 "hw.camera.slow" "camera" Soon Technician ByTest
        "the camera gives fewer pictures than it should", "look at temperature and load (`show sensors`); give the camera a USB socket of its own";
    113 "hw.camera.dirty" "camera" Soon Staff ByItself
        "pictures have become less sharp over days", "clean lens and window, then `inspection record lens cleaned`; else set the focus with `test camera --live`";
    201 "hw.mic.absent" "microphone" Soon Technician ByItself
        "the microphone is not there", "check its plug; `arecord -l` lists the cards";
    202 "hw.mic.busy" "microphone" Soon Technician ByItself
        "another program has the microphone", "`fuser -v /dev/snd/*` tells which; stop it";
    203 "hw.mic.permission" "microphone" Soon Technician ByItself
        "the service may not open the microphone", "its user has to be in the group `audio`; then restart";
    204 "hw.mic.silent" "microphone" Soon Staff ByItself
        "the microphone hears nothing at all", "look for a switch on the microphone; `alsamixer` shows whether it is muted";
    205 "hw.mic.overrun" "microphone" Soon Technician ByItself
        "samples of the microphone are lost", "look at the load; give the sound card a USB socket of its own";
    206 "hw.mic.clipping" "microphone" Soon Technician ByTest
        "the microphone is set too loud", "set its gain lower in `alsamixer`";
    207 "hw.mic.noisy" "microphone" Soon Technician ByTest
        "the microphone has too much noise of its own, or the place is loud", "test again in silence; then another cable, another microphone";
    208 "hw.mic.dc_offset" "microphone" Soon Technician ByTest
        "the microphone's signal is off its zero", "another sound card: its input is damaged";
    209 "hw.mic.noise_risen" "microphone" Soon Technician ByItself
        "the noise floor of the microphone has risen over days", "look for what is new and hums (fan, cable, machine); `test microphone` in silence";
    301 "hw.speaker.fault" "speaker" Soon Technician ByItself
        "the speaker does not play", "check its plug; `aplay -l` lists the cards";
    302 "hw.speaker.silent" "speaker" Soon Technician ByTest
        "the microphone does not hear the speaker's tone", "check cable and volume (`alsamixer`) of the speaker; test the microphone first";
    401 "hw.light.absent" "lights" Soon Technician ByItself
        "the light ring does not answer", "check the ring's plug and its driver (`boothd check`)";
    402 "hw.light.stuck" "lights" Soon Technician ByItself
        "the light ring takes no levels", "check the ring's data line, then restart";
    403 "hw.light.left_dead" "lights" Soon Technician ByTest
        "the left side of the ring gives no light", "check the plug of the left side; else another ring";
    404 "hw.light.right_dead" "lights" Soon Technician ByTest
        "the right side of the ring gives no light", "check the plug of the right side; else another ring";
    405 "hw.light.dead" "lights" Soon Technician ByTest
        "neither side of the ring gives light", "check the ring's power supply";
    406 "hw.light.uneven" "lights" Soon Technician ByTest
        "one side of the ring gives much less light than the other", "clean both sides; see that nothing stands before one; else another ring";
    407 "hw.light.aged" "lights" Soon Technician ByTest
        "the ring gives much less light than when it was calibrated", "clean it; else another ring, and `calibrate lights`";
    408 "hw.light.left_aged" "lights" Soon Technician ByItself
        "the left side of the ring has given less light over days", "clean it, then `inspection record lights cleaned`; else bring another ring before it is too weak";
    409 "hw.light.right_aged" "lights" Soon Technician ByItself
        "the right side of the ring has given less light over days", "clean it, then `inspection record lights cleaned`; else bring another ring before it is too weak";
    501 "hw.panel.fault" "panel" Soon Technician ByItself
        "the panel does not answer", "check the panel's cable; `boothd check` tells its bus";
    502 "hw.buttons.fault" "buttons" Now Technician ByItself
        "the buttons do not answer", "check the buttons' plug; `gpiodetect` lists the chips";
    503 "hw.buttons.stuck" "buttons" Now Staff ByItself
        "a button is down all the time", "free the button; else its cable has a short circuit";
    504 "hw.serial.fault" "serial line" Soon Technician ByRestart
        "the technician's line cannot be opened", "see that no getty has it (`systemctl list-units 'serial-getty*'`)";
    505 "hw.sensors.fault" "sensors" Soon Technician ByItself
        "temperature and supply cannot be read", "`ls /sys/class/thermal /sys/class/hwmon`; correct [sensors] of the board file";
    506 "hw.watchdog.fault" "watchdog" Soon Technician ByRestart
        "the watchdog chip cannot be opened: a machine that hangs stays so", "`ls -l /dev/watchdog*`; `boothd check` tells which is named";
    601 "hw.thermal.hot" "sensors" Soon Technician ByItself
        "the processor is hot", "clean the air slits; look for a dead fan";
    602 "hw.thermal.throttled" "sensors" Soon Technician ByItself
        "the processor is slowed down for heat or supply", "clean the air slits; check the power supply";
    603 "hw.power.undervoltage" "sensors" Now Technician ByItself
        "the supply's voltage is too low", "another power supply or a shorter cable: 5.1 V at the board";
    604 "hw.tamper.open" "case" Now Staff ByItself
        "the case is open", "close it; ask who opened it";
    605 "hw.thermal.warm" "sensors" Soon Technician ByItself
        "the processor is nearly too hot on most days", "clean the air slits; look for a dead fan; keep sun off the case";
    606 "hw.power.dips" "sensors" Soon Technician ByItself
        "the supply's voltage is too low for moments on most days", "another power supply or a shorter cable, before it is too low for good";
    701 "hw.storage.full" "storage" Now Technician ByItself
        "the disk is full: no session can begin", "`bundle create`, then free space; outcomes are not deleted";
    702 "hw.storage.worn" "storage" Soon Technician ByRestart
        "the disk is near its end, or has damaged what was stored", "another disk or card; what is pending is sent first";
    703 "hw.storage.fault" "storage" Now Technician ByItself
        "the folder of the booth's state cannot be read", "see that its disk is mounted (`findmnt`)";
    704 "hw.storage.read_only" "storage" Now Technician ByItself
        "the disk takes no writes", "look at `dmesg` for errors of the disk; check it (`fsck`), or another disk or card";
    705 "hw.storage.wearing" "storage" Soon Technician ByItself
        "most of the disk's life is used", "bring another disk or card; what is pending is sent first";
    801 "net.preflight_failed" "network" Now Technician ByItself
        "the uplink says nothing", "`systemctl status boothd-uplink`";
    802 "net.backend_unreachable" "network" Soon NetworkOperator ByItself
        "nobody answers at the wallet's address; outcomes wait in the booth", "check cable and router; a firewall must let the wallet's port out";
    803 "net.dns" "network" Soon NetworkOperator ByItself
        "the wallet's name has no address", "check the branch's name server and the name in uplink.toml";
    804 "net.captive_portal" "network" Soon NetworkOperator ByItself
        "somebody else answers in the wallet's place", "have the booth let through without a log-in page";
    805 "net.tls" "wallet" Soon NetworkOperator ByItself
        "the connection is not the wallet's, or the wallet does not take the booth's certificate", "check the certificates in uplink.toml and their dates";
    806 "net.clock_skew" "clock" Now Technician ByItself
        "the wallet's certificate is not valid by the booth's clock", "set the clock; see 901";
    807 "net.degraded" "wallet" Soon NetworkOperator ByItself
        "the wallet answers with errors", "tell who runs the wallet's backend";
    808 "backend.rejected" "wallet" Now NetworkOperator ByItself
        "the wallet refuses what the booth sends", "the booth has to be enrolled again, or an outcome is not understood: `show outbox`";
    809 "backend.rate_limited" "wallet" Soon Nobody ByItself
        "the wallet asks for patience", "nothing: it is tried again";
    810 "backend.timeout" "wallet" Soon NetworkOperator ByItself
        "the wallet does not answer in time", "check the branch's network for load and loss; then tell who runs the wallet's backend";
    901 "hw.clock.wrong" "clock" Now Technician ByItself
        "the booth's clock is wrong: tickets are refused", "see that time comes from the network (`timedatectl`); else a new battery for the clock";
    902 "hw.model.corrupt" "models" Now Technician ByTest
        "a model or the runtime is not the one of the manifest", "install the package again";
    903 "hw.service.fault" "service" Now Technician ByRestart
        "the service ended again and again", "`bundle create`; look at the last errors of its log";
    904 "console.locked" "console" Soon Technician ByItself
        "the technician's console is locked after wrong codes", "wait until it opens by itself; ask the desk for a new code; somebody may have guessed";
    1001 "env.ambient_beats_light" "room" Soon Staff ByItself
        "at certain hours the room is brighter than the ring can answer", "shade the window or lamp at these hours, or turn the booth away from it";
    1002 "env.too_dark" "room" Soon Technician ByItself
        "faces have been darker than they were, over days", "`show trends`: lens and ring first; else more light in the room";
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::{DeviceFault, DeviceKind, FaultKind};
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn numbers_and_codes_are_in_order_and_there_once() {
        assert!(TABLE.windows(2).all(|w| w[0].id < w[1].id));
        let codes: BTreeSet<_> = TABLE.iter().map(|r| r.code).collect();
        assert_eq!(codes.len(), TABLE.len());
        for row in TABLE {
            let texts = [row.module, row.description, row.mend];
            assert!(
                texts.iter().all(|t| t.is_ascii() && !t.is_empty()),
                "{row:?}"
            );
            assert_eq!(FaultRow::of(row.code), Some(row));
        }
        assert_eq!(FaultRow::of("hw.camera"), None);
    }

    #[test]
    fn every_fault_of_a_device_has_a_row() {
        use DeviceKind as D;
        use FaultKind as F;
        for device in [
            D::Camera,
            D::Microphone,
            D::Speaker,
            D::Lights,
            D::Panel,
            D::Buttons,
            D::Serial,
            D::Sensors,
            D::Watchdog,
            D::Storage,
            D::Service,
        ] {
            for kind in [
                F::Absent,
                F::Busy,
                F::Permission,
                F::NoFrames,
                F::Frozen,
                F::Dark,
                F::Covered,
                F::Overexposed,
                F::Blurred,
                F::Overrun,
                F::WrongDevice,
                F::Io,
            ] {
                let text = String::new;
                let fault = DeviceFault {
                    device,
                    kind,
                    place: text(),
                    detail: text(),
                    mend: text(),
                };
                assert!(FaultRow::of(fault.code()).is_some(), "{}", fault.code());
                assert!(
                    DeviceFault::CODES.contains(&fault.code()),
                    "{}",
                    fault.code()
                );
            }
        }
    }

    #[test]
    fn the_documents_have_the_same_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md");
        let text = std::fs::read_to_string(path).expect("docs/faults.md");
        let line = |r: &FaultRow| {
            format!(
                "| {} | `{}` | {} | {} | {} | {} | {} | {} |",
                r.id,
                r.code,
                r.module,
                r.description,
                r.attention.word(),
                r.who.words(),
                r.clears.words(),
                r.mend
            )
        };
        let missing: Vec<String> = TABLE
            .iter()
            .map(line)
            .filter(|l| !text.contains(l.as_str()))
            .collect();
        assert!(
            missing.is_empty(),
            "docs/faults.md has not:\n{}",
            missing.join("\n")
        );
    }
}
