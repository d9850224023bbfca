//! Disk, network, wallet, clock, models, sensors.

use super::{above, below, real};
use crate::hal::{SensorReadings, StorageReadings};
use crate::technician::report::Verdict;
use crate::technician::selftest::PartReport;
use std::time::Duration;

/// Free space below which no session begins, and below which somebody has to come soon, MiB.
pub const FREE_MIB: (f64, f64) = (128.0, 16.0);

/// What the disk said.
#[derive(Clone, Debug, PartialEq)]
pub struct StorageFigures {
    /// Its figures, or what it said instead.
    pub readings: Result<StorageReadings, String>,
    /// How long it took to write 64 KiB, have them on the disk, and read them back; or what the system said.
    pub write: Option<Result<Duration, String>>,
    /// Outcomes that wait, that were found damaged, and that are allowed; or what the outbox said.
    pub outbox: Result<(u64, u64, u64), String>,
}

/// The disk, and what lies on it.
pub fn storage(f: &StorageFigures) -> PartReport {
    let mut report = PartReport::new("storage");
    match &f.readings {
        Err(said) => report.missing("disk", said.clone()),
        Ok(r) => {
            const MIB: f64 = 1024.0 * 1024.0;
            let free = r.free_bytes as f64 / MIB;
            report.judged(
                "free",
                free,
                "MiB",
                format!(">= {:.0}", FREE_MIB.0),
                below(free, FREE_MIB.0, FREE_MIB.1),
                "hw.storage.full",
            );
            report.told("of", r.total_bytes as f64 / MIB, "MiB");
            let (value, verdict) = if r.read_only {
                ("read-only", Verdict::Fail)
            } else {
                ("read-write", Verdict::Ok)
            };
            report.judged(
                "takes writes",
                value,
                "",
                "read-write",
                verdict,
                "hw.storage.read_only",
            );
            match r.life_used_percent {
                Some(used) => {
                    let verdict = above(f64::from(used), 80.0, 99.0);
                    report.judged(
                        "life used",
                        i64::from(used),
                        "%",
                        "<= 80",
                        verdict,
                        "hw.storage.worn",
                    );
                }
                None => report.told("life used", "this disk does not say", ""),
            }
        }
    }
    match &f.write {
        Some(Ok(took)) => {
            let ms = took.as_secs_f64() * 1000.0;
            // A card that is cleaning up takes a second or two; the session's thread waits five.
            report.judged(
                "write, sync, read",
                ms,
                "ms",
                "<= 2000",
                above(ms, 2000.0, f64::MAX),
                "",
            );
        }
        Some(Err(said)) => report.judged(
            "write, sync, read",
            said.as_str(),
            "",
            "no error",
            Verdict::Fail,
            "hw.storage.fault",
        ),
        None => {}
    }
    match &f.outbox {
        Ok((pending, damaged, most)) => {
            let n = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
            let verdict = above(*pending as f64, 0.5 * *most as f64, 0.9 * *most as f64);
            report.judged(
                "outcomes that wait",
                n(*pending),
                "",
                format!("<= {}", most / 2),
                verdict,
                "",
            );
            let verdict = if *damaged > 0 {
                Verdict::Fail
            } else {
                Verdict::Ok
            };
            report.judged(
                "damaged outcomes",
                n(*damaged),
                "",
                "0",
                verdict,
                "hw.storage.worn",
            );
        }
        Err(said) => report.judged(
            "outbox",
            said.as_str(),
            "",
            "answers",
            Verdict::Fail,
            "hw.storage.fault",
        ),
    }
    report
}

/// What the uplink has told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UplinkFigures {
    /// The code of what is wrong; `None`: the wallet answers.
    pub code: Option<String>,
    /// Seconds since the uplink was heard of; `None`: never.
    pub heard_s: Option<u64>,
    /// The booth's clock less the wallet's, in seconds, by the newest answer; `None`: there was none.
    pub clock_off_s: Option<i64>,
    /// Seconds by which the booth's clock is behind the software's own date; 0 if it is not.
    pub behind_floor_s: i64,
}

/// Codes that are the network's; the others are the wallet's.
const OF_NETWORK: [&str; 4] = [
    "net.preflight_failed",
    "net.backend_unreachable",
    "net.dns",
    "net.captive_portal",
];
/// The wallet's.
const OF_WALLET: [&str; 5] = [
    "net.tls",
    "net.degraded",
    "backend.rejected",
    "backend.rate_limited",
    "backend.timeout",
];

fn by_code(report: &mut PartReport, item: &str, codes: &[&str], found: Option<&str>) {
    for code in codes {
        report.absent_unless_found(code);
    }
    match found {
        Some(code) => report.judged(item, code, "", "no fault", Verdict::Fail, code),
        None => report.judged(item, "no fault", "", "no fault", Verdict::Ok, ""),
    }
}

/// The network, as the uplink sees it.
pub fn network(f: &UplinkFigures) -> PartReport {
    let mut report = PartReport::new("network");
    match f.heard_s {
        Some(s) => report.told(
            "uplink heard",
            i64::try_from(s).unwrap_or(i64::MAX),
            "s ago",
        ),
        None => report.told("uplink heard", "never", ""),
    }
    let code = f.code.as_deref().filter(|c| OF_NETWORK.contains(c));
    by_code(&mut report, "network", &OF_NETWORK, code);
    report
}

/// The wallet, as the uplink sees it.
pub fn wallet(f: &UplinkFigures) -> PartReport {
    let code = f.code.as_deref();
    if let Some(code) = code.filter(|c| OF_NETWORK.contains(c)) {
        return PartReport::not_tested(
            "wallet",
            format!("the network does not reach it [{code}]: test the network first"),
        );
    }
    let mut report = PartReport::new("wallet");
    by_code(
        &mut report,
        "wallet",
        &OF_WALLET,
        code.filter(|c| OF_WALLET.contains(c)),
    );
    if code == Some("net.clock_skew") {
        report.missing(
            "certificate",
            "it is not valid by the booth's clock: test the clock",
        );
    }
    report
}

/// A clock that is wrong by more is a fault, seconds: tickets have times. The wallet's answers tell it to a second.
const CLOCK_S: (f64, f64) = (5.0, 30.0);

/// The clock.
pub fn clock(f: &UplinkFigures) -> PartReport {
    let mut report = PartReport::new("clock");
    let behind = f.behind_floor_s > 0;
    let verdict = if behind { Verdict::Fail } else { Verdict::Ok };
    report.judged(
        "behind the software's date",
        f.behind_floor_s,
        "s",
        "0",
        verdict,
        "hw.clock.wrong",
    );
    match f.clock_off_s {
        Some(off) => {
            let verdict = above(off.abs() as f64, CLOCK_S.0, CLOCK_S.1);
            report.judged(
                "booth less wallet",
                off,
                "s",
                format!("-{0} to {0}", CLOCK_S.0),
                verdict,
                "hw.clock.wrong",
            );
        }
        None if behind => {}
        None => {
            report.missing(
                "booth less wallet",
                "the wallet has not answered since the start",
            );
            // Nothing was compared: what is known stays.
            report.faults.clear();
        }
    }
    if f.code.as_deref() == Some("net.clock_skew") {
        report.judged(
            "wallet's certificate",
            "not valid by this clock",
            "",
            "valid",
            Verdict::Fail,
            "net.clock_skew",
        );
    } else {
        report.absent_unless_found("net.clock_skew");
    }
    report
}

/// The models: each file's name, and what is wrong with it.
pub fn models(files: &[(String, Result<String, String>)]) -> PartReport {
    let mut report = PartReport::new("models");
    for (name, result) in files {
        match result {
            Ok(version) => report.judged(
                name,
                version.as_str(),
                "",
                "hash as in the manifest",
                Verdict::Ok,
                "hw.model.corrupt",
            ),
            Err(said) => report.judged(
                name,
                said.as_str(),
                "",
                "hash as in the manifest",
                Verdict::Fail,
                "hw.model.corrupt",
            ),
        }
    }
    report
}

/// Temperature, supply, case.
pub fn sensors(readings: Result<SensorReadings, String>) -> PartReport {
    let mut report = PartReport::new("sensors");
    let r = match readings {
        Ok(readings) => readings,
        Err(said) => {
            report.missing("sensors", said);
            return report;
        }
    };
    match r.soc_celsius {
        // The processor slows down from 80 degrees on.
        Some(t) => report.judged(
            "processor",
            real(t),
            "degC",
            "<= 75",
            above(real(t), 75.0, 80.0),
            "hw.thermal.hot",
        ),
        None => report.missing("processor", "this board does not say"),
    }
    for (item, value, words, code) in [
        (
            "clock of processor",
            r.throttled,
            ("slowed down", "full"),
            "hw.thermal.throttled",
        ),
        (
            "supply",
            r.undervoltage,
            ("too low", "good"),
            "hw.power.undervoltage",
        ),
        ("case", r.tamper_open, ("open", "closed"), "hw.tamper.open"),
    ] {
        match value {
            Some(bad) => {
                let (word, verdict) = if bad {
                    (words.0, Verdict::Fail)
                } else {
                    (words.1, Verdict::Ok)
                };
                report.judged(item, word, "", words.1, verdict, code);
            }
            None => report.told(item, "this board does not say", ""),
        }
    }
    report
}
