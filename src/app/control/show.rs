//! `show ...`: looks, changes nothing, may run while a customer's session does.

use super::{Control, for_people, locked};
use crate::base::time::WallTime;
use crate::delivery::status::NetState;
use crate::guidance::model::Screen;
use crate::technician::command::{SessionQuery, Topic};
use crate::technician::fault_table::{Attention, FaultRow};
use crate::technician::report::{Body, Code, Report, Row, Verdict};
use crate::technician::selftest::parts;
use crate::technician::sessions::SessionLine;
use crate::technician::trends;
use std::time::Duration;

/// Sessions that `show sessions` tells of.
const NEWEST: usize = 20;

/// A moment of the wall clock to the second: `2026-11-23 21:14:04Z`.
pub(super) fn at(ms: i64) -> String {
    let text = WallTime(ms).rfc3339();
    format!("{} {}Z", &text[..10], &text[11..19])
}

fn table(columns: &[&str], rows: Vec<Vec<String>>) -> Body {
    Body::Table {
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        rows,
    }
}

fn whole(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl Control {
    pub(super) fn show(&self, topic: Topic) -> Report {
        match topic {
            Topic::Version => self.show_version(),
            Topic::Status => self.show_status(),
            Topic::Health => self.show_health(),
            Topic::Faults => self.show_faults(),
            Topic::Sensors => self.show_sensors(),
            Topic::Network => self.show_network(),
            Topic::Outbox => self.show_outbox(),
            Topic::Policy => self.show_policy(),
            Topic::Models => self.show_models(),
            Topic::Calibration => self.show_calibration(),
            Topic::Counters => self.show_counters(),
            Topic::Sessions => self.show_sessions(),
            Topic::Trends => trends::report(&self.trends.judged(self.clock.wall())),
        }
    }

    fn show_version(&self) -> Report {
        let policy = &self.house.policy_stamp;
        let rows = vec![
            Row::told("booth", self.booth.as_str(), ""),
            Row::told("software", self.house.software, ""),
            Row::told("board", self.house.board.as_str(), ""),
            Row::told("policy", format!("{} {}", policy.id, policy.version), ""),
            Row::told("models", whole(self.house.models.len() as u64), ""),
        ];
        Report::of_rows("version", rows)
    }

    fn show_status(&self) -> Report {
        let standing = self.desk.standing();
        let now = self.clock.now();
        let screen = standing.ui.as_ref().map_or("none", |ui| ui.screen.name());
        let does = match (standing.serving, standing.ui.as_ref().map(|ui| ui.screen)) {
            (true, _) => "serves a customer",
            (false, Some(Screen::Maintenance)) => "is in maintenance",
            (false, Some(Screen::OutOfService)) => "is out of service",
            (false, Some(Screen::Idle)) => "waits for a customer",
            (false, Some(Screen::Starting) | None) => "starts",
            (false, Some(_)) => "shows a result",
        };
        let active = self.faults.active();
        let mut rows = vec![
            Row::told("booth", does, ""),
            Row::told("panel", screen, ""),
            Row::told("since", for_people(now.since(standing.since)), ""),
            Row::told("service runs for", for_people(now.since(self.started)), ""),
            Row::told("time", at(self.clock.wall().0), ""),
            Row::told("sessions since start", whole(standing.n_served), ""),
        ];
        let verdict = match active
            .iter()
            .filter_map(|f| FaultRow::of(&f.code))
            .map(|r| r.attention)
            .max_by_key(|a| *a == Attention::Now)
        {
            None => Verdict::Ok,
            Some(Attention::Soon) => Verdict::Warn,
            Some(Attention::Now) => Verdict::Fail,
        };
        let mend = if active.is_empty() {
            ""
        } else {
            "`show faults`"
        };
        rows.push(Row::measured(
            "faults",
            whole(active.len() as u64),
            "",
            "0",
            verdict,
            mend,
        ));
        let console = locked(&self.console).clone();
        if let Some((role, order)) = &console.login {
            rows.push(Row::told(
                "console",
                format!("{} {}", role.word(), order.as_str()),
                "",
            ));
        }
        Report::of_rows("status", rows)
    }

    fn show_faults(&self) -> Report {
        let active = self.faults.active();
        let past: Vec<_> = self
            .faults
            .all()
            .into_iter()
            .filter(|f| !f.active)
            .collect();
        let code = if active
            .iter()
            .any(|f| FaultRow::of(&f.code).is_none_or(|r| r.attention == Attention::Now))
        {
            Code::Fail
        } else if active.is_empty() {
            Code::Ok
        } else {
            Code::Warn
        };
        let mut report = Report::new(format!("{} faults", active.len()), code);
        for fault in &active {
            let row = FaultRow::of(&fault.code);
            let title = format!("{} {}", row.map_or(0, |r| r.id), fault.code);
            let about = row.map_or_else(String::new, |r| {
                let (how_soon, who) = (r.attention.word(), r.who.words());
                format!("{how_soon}; mended by: {who}; over: {}", r.clears.words())
            });
            let times = format!(
                "{}, {}, {}",
                fault.count,
                at(fault.first_ms),
                at(fault.last_ms)
            );
            let mut rows = vec![
                Row::told(
                    "what",
                    row.map_or("not in the table", |r| r.description),
                    "",
                ),
                Row::told("attention", about, ""),
                Row::told("seen", fault.detail.as_str(), ""),
                Row::told("times, first, last", times, ""),
            ];
            if let Some(rung) = fault.rungs.back() {
                rows.push(Row::told(
                    "tried",
                    format!("{}, {}", rung.rung, at(rung.at_ms)),
                    "",
                ));
            }
            rows.push(Row::told("mend", fault.mend.as_str(), ""));
            report = report.with(title, Body::Rows(rows));
        }
        if !past.is_empty() {
            let mut past = past;
            past.sort_by_key(|f| std::cmp::Reverse(f.last_ms));
            let rows = past
                .iter()
                .take(10)
                .map(|f| {
                    vec![
                        f.code.clone(),
                        f.count.to_string(),
                        at(f.first_ms),
                        at(f.last_ms),
                    ]
                })
                .collect();
            report = report.with("over", table(&["code", "times", "first", "last"], rows));
        }
        report
    }

    fn show_sensors(&self) -> Report {
        let readings = match self.tester_now() {
            Ok(mut tester) => tester.read_sensors(),
            Err(busy) => return busy,
        };
        Report::of_rows("sensors", parts::sensors(readings).rows)
    }

    fn show_network(&self) -> Report {
        let status = self.net.status();
        let (word, verdict) = match status.state {
            NetState::Ready => ("ready", Verdict::Ok),
            NetState::Limited => ("limited", Verdict::Warn),
            NetState::Down => ("down", Verdict::Fail),
        };
        let row = status.code.and_then(|c| FaultRow::of(c.code()));
        let mend = row.map_or("", |r| r.mend);
        let mut rows = vec![Row::measured("wallet", word, "", "ready", verdict, mend)];
        if let Some(code) = status.code {
            rows.push(Row::told("code", code.code(), ""));
            rows.push(Row::told("meaning", row.map_or("", |r| r.description), ""));
        }
        match self.net.heard_ago() {
            Some(ago) => rows.push(Row::told(
                "uplink heard",
                format!("{} ago", for_people(ago)),
                "",
            )),
            None => rows.push(Row::not_tested("uplink heard", "never")),
        }
        match self.net.clock_off_s() {
            Some(off) => rows.push(Row::told("clock less wallet's", off, "s")),
            None => rows.push(Row::told("clock less wallet's", "not known yet", "")),
        }
        rows.push(Row::told(
            "link, address, loss",
            "not built in this version",
            "",
        ));
        Report::of_rows("network, as the uplink sees it", rows)
    }

    fn show_outbox(&self) -> Report {
        let stats = match self.outbox.stats() {
            Ok(stats) => stats,
            Err(error) => return Report::refusal(Code::Fail, error.to_string(), "`test storage`"),
        };
        let held = if self.outbox.is_held() {
            "yes, a session runs"
        } else {
            "no"
        };
        let waits = if stats.pending * 2 > stats.max_rows {
            Verdict::Warn
        } else {
            Verdict::Ok
        };
        let damaged = if stats.damaged > 0 {
            Verdict::Fail
        } else {
            Verdict::Ok
        };
        let mend = |verdict, mend| if verdict == Verdict::Ok { "" } else { mend };
        let rows = vec![
            Row::measured(
                "waiting",
                whole(stats.pending),
                "",
                format!("<= {}", stats.max_rows / 2),
                waits,
                mend(waits, "`show network`"),
            ),
            Row::told(
                "oldest waits for",
                for_people(Duration::from_secs(stats.oldest_s)),
                "",
            ),
            Row::told("sending held", held, ""),
            Row::told("reserved", whole(stats.reserved), ""),
            Row::told("refused by the wallet", whole(stats.rejected), ""),
            Row::measured(
                "damaged",
                whole(stats.damaged),
                "",
                "0",
                damaged,
                mend(damaged, "another disk or card"),
            ),
            Row::told("last number", whole(stats.last_seq), ""),
            Row::told("acknowledged to", whole(stats.acknowledged_seq), ""),
            Row::told("size", stats.bytes as f64 / 1_048_576.0, "MiB"),
        ];
        Report::of_rows("outbox", rows)
    }

    fn show_policy(&self) -> Report {
        let (policy, stamp) = (&self.house.policy, &self.house.policy_stamp);
        let t = &policy.times;
        let rows = vec![
            Row::told("id", stamp.id.as_str(), ""),
            Row::told("version", i64::from(stamp.version), ""),
            Row::told("sha256", stamp.sha256.as_str(), ""),
            Row::told("tenant", policy.tenant.as_str(), ""),
            Row::told("attempts a step", i64::from(policy.attempts.per_step), ""),
            Row::told(
                "times: consent, document, face",
                format!("{}, {}, {}", t.consent_s, t.document_s, t.face_s),
                "s",
            ),
        ];
        Report::of_rows("policy", rows)
    }

    fn show_models(&self) -> Report {
        let rows = self
            .house
            .models
            .iter()
            .map(|m| {
                vec![
                    m.task.to_string(),
                    m.version.clone(),
                    m.sha256.chars().take(16).collect(),
                ]
            })
            .collect();
        Report::new("models", Code::Ok).with("", table(&["task", "version", "sha256 (16)"], rows))
    }

    fn show_calibration(&self) -> Report {
        let (threshold, pad) = (&self.house.threshold, &self.house.pad);
        let mut rows = vec![
            Row::told("face comparison, threshold", threshold.score, ""),
            Row::told(
                "false match rate",
                format!(
                    "{:.2e}, 95 % up to {:.2e}",
                    threshold.false_match_rate, threshold.false_match_rate_upper95
                ),
                "",
            ),
            Row::told("attack detection, threshold", pad.score, ""),
            Row::told(
                "APCER, BPCER up to (95 %)",
                format!("{:.3}, {:.3}", pad.apcer_upper95, pad.bpcer_upper95),
                "",
            ),
        ];
        let tester = match self.tester_now() {
            Ok(tester) => tester,
            Err(busy) => return busy,
        };
        let known = &tester.references.now;
        rows.push(match known.lights {
            Some(l) => Row::told(
                "lights, left / right",
                format!("{:.3} / {:.3}, {}", l.left, l.right, at(l.at_ms)),
                "%/ms",
            ),
            None => Row::not_tested("lights", "not calibrated: `calibrate lights`"),
        });
        for (item, unit, level) in [
            ("microphone floor", "dBFS", known.microphone),
            ("camera luminance", "of 255", known.camera),
        ] {
            rows.push(match level {
                Some(l) => Row::told(item, format!("{:.1}, {}", l.level, at(l.at_ms)), unit),
                None => Row::not_tested(item, "not calibrated"),
            });
        }
        Report {
            code: Code::Ok,
            ..Report::of_rows("calibration", rows)
        }
    }

    fn show_counters(&self) -> Report {
        let memory = self.sessions.read();
        let counted = |map: &std::collections::BTreeMap<String, u64>| {
            map.iter()
                .map(|(k, n)| vec![k.clone(), n.to_string()])
                .collect()
        };
        let rows = vec![
            Row::told("counted since", at(memory.since_ms), ""),
            Row::told("starts of the service", whole(memory.starts), ""),
            Row::told("sessions", whole(memory.results.values().sum()), ""),
        ];
        Report::of_rows("counters", rows)
            .with("results", table(&["result", "n"], counted(&memory.results)))
            .with(
                "first reasons",
                table(&["reason", "n"], counted(&memory.reasons)),
            )
    }

    fn show_sessions(&self) -> Report {
        let memory = self.sessions.read();
        let line = |s: &SessionLine| {
            let reason = if s.reason.is_empty() {
                "-"
            } else {
                s.reason.as_str()
            };
            vec![
                at(s.at_ms),
                s.session.as_str().to_owned(),
                s.result.clone(),
                reason.to_owned(),
            ]
        };
        let rows: Vec<_> = memory.newest.iter().rev().take(NEWEST).map(line).collect();
        if rows.is_empty() {
            return Report::new("no session has ended yet", Code::Ok);
        }
        Report::new("newest sessions", Code::Ok)
            .with("", table(&["ended", "session", "result", "reason"], rows))
    }

    pub(super) fn show_session(&self, query: &SessionQuery) -> Report {
        let memory = self.sessions.read();
        let Some(s) = memory
            .newest
            .iter()
            .rev()
            .find(|s| query.matches(&s.session))
        else {
            return Report::refusal(
                Code::NotFound,
                format!("no session {} is remembered", query.as_str()),
                "`show sessions` lists the newest",
            );
        };
        let all = if s.reasons.is_empty() {
            "none".to_owned()
        } else {
            s.reasons.join(", ")
        };
        let rows = vec![
            Row::told("session", s.session.as_str(), ""),
            Row::told("ended", at(s.at_ms), ""),
            Row::told("result", s.result.as_str(), ""),
            Row::told("disposition", s.disposition.as_str(), ""),
            Row::told("reasons", all, ""),
            Row::told("preflight", s.preflight.join(", "), ""),
        ];
        Report::of_rows("session", rows)
    }

    pub(super) fn show_log(&self, lines: u16) -> Report {
        let newest = self.log.newest(usize::from(lines));
        if newest.is_empty() {
            return Report::refusal(
                Code::NotTested,
                "no lines are kept: the log was not started by this service",
                "",
            );
        }
        Report::new(format!("newest {} lines", newest.len()), Code::Ok)
            .with("", Body::Lines(newest))
    }
}
