//! `test ...` and `calibrate ...`: the self-test as a technician asks for it, row by row.

use super::{Control, locked};
use crate::app::sight::Ask;
use crate::app::tester::Reach;
use crate::technician::command::{CalibrateWhat, TestWhat};
use crate::technician::control::{Answers, Go};
use crate::technician::report::{Body, Code, Report, Row, Section, Verdict};
use crate::technician::selftest::parts_of;
use crate::technician::selftest::store::Occasion;
use crossbeam_channel::bounded;
use std::time::{Duration, Instant};

/// Between two live pictures.
const LIVE_EVERY: Duration = Duration::from_secs(1);
/// A frame comes within this, or the camera is not well; a look for faces takes its time.
const LOOK_WITHIN: Duration = Duration::from_secs(20);
/// A live view ends by itself, so that a forgotten console does not keep the booth.
const LIVE_FOR: Duration = Duration::from_secs(30 * 60);

impl Control {
    pub(super) fn test(&self, what: TestWhat, answers: &mut dyn Answers) -> Report {
        let parts = parts_of(what);
        let mut tester = locked(&self.tester);
        let began = self.clock.now();
        let mut reports = Vec::new();
        let mut stopped = false;
        for (done, part) in (0u32..).zip(parts) {
            let of = u32::try_from(parts.len()).unwrap_or(u32::MAX);
            if answers.progress(&format!("{part} ..."), done, of) == Go::Stop {
                stopped = true;
                break;
            }
            let mut going = || answers.go() == Go::On;
            let report = tester.test(part, Reach::Full, &mut going);
            stopped = report.rows.iter().any(|row| answers.row(row) == Go::Stop);
            // What was given up half-way says nothing.
            if stopped {
                break;
            }
            reports.push(report);
        }
        tester.keep(&reports, Occasion::Asked, self.clock.now().since(began));
        drop(tester);
        let verdicts = reports.iter().map(|r| r.verdict());
        let code = if stopped {
            Code::Stopped
        } else {
            Code::of(verdicts)
        };
        let mut report = Report::new(format!("test {}", what.word()), code);
        let bad: Vec<&str> = reports
            .iter()
            .filter(|r| r.verdict() > Verdict::NotTested)
            .map(|r| r.part)
            .collect();
        if !bad.is_empty() {
            report.next = format!("to mend: {}; then test again", bad.join(", "));
        }
        for part in reports {
            report = report.with(part.part, Body::Rows(part.rows));
        }
        report
    }

    /// Once a second what the camera sees, to aim and to focus by.
    pub(super) fn camera_live(&self, answers: &mut dyn Answers) -> Report {
        let tester = locked(&self.tester);
        let until = Instant::now() + LIVE_FOR;
        loop {
            let began = Instant::now();
            let (answer, looked) = bounded(1);
            if tester
                .asks
                .send_timeout(Ask::Look(answer), LIVE_EVERY)
                .is_err()
            {
                return Report::refusal(Code::Failed, "vision takes no orders", "");
            }
            let look = loop {
                if answers.go() == Go::Stop {
                    return Report::new("live picture ended", Code::Ok);
                }
                match looked.recv_timeout(Duration::from_millis(100)) {
                    Ok(look) => break Some(look),
                    Err(_) if began.elapsed() < LOOK_WITHIN => {}
                    Err(_) => break None,
                }
            };
            let figures = tester.eye.figures(&tester.camera, self.clock.now());
            let Some(look) = look else {
                let why = figures.fault.unwrap_or_else(|| "no frame came".to_owned());
                return Report::refusal(Code::Fail, format!("no picture: {why}"), "`test camera`");
            };
            let mut rows = vec![
                Row::told("frames", f64::from(figures.fps), "1/s"),
                Row::told("luminance", f64::from(look.mean * 255.0), "of 255"),
            ];
            rows.push(match figures.sharpness {
                Some(s) => Row::told("sharpness", f64::from(s), ">= 0.16"),
                None => Row::told("sharpness", "no edge in the picture", ""),
            });
            rows.push(Row::told(
                "faces",
                i64::try_from(look.n_faces).unwrap_or(0),
                "",
            ));
            if let Some((eyes, [yaw, pitch, roll])) = look.face {
                rows.push(Row::told("between the eyes", f64::from(eyes), "px"));
                rows.push(Row::told(
                    "yaw, pitch, roll",
                    format!("{yaw:.0}, {pitch:.0}, {roll:.0}"),
                    "deg",
                ));
            }
            let section = |body| Section {
                title: String::new(),
                body,
            };
            let sections = [section(Body::Rows(rows)), section(Body::Lines(look.lines))];
            if answers.live(&sections) == Go::Stop || Instant::now() > until {
                return Report::new("live picture ended", Code::Ok);
            }
            while began.elapsed() < LIVE_EVERY && answers.go() == Go::On {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }

    /// The microphone's level, a few times a second.
    pub(super) fn microphone_vu(&self, answers: &mut dyn Answers) -> Report {
        let tester = locked(&self.tester);
        let until = Instant::now() + LIVE_FOR;
        while Instant::now() < until {
            let mut going = || answers.go() == Go::On;
            let Some(f) = tester.hear(crate::hal::SAMPLE_RATE_HZ as usize / 2, &mut going) else {
                if answers.go() == Go::Stop {
                    break;
                }
                return Report::refusal(
                    Code::Fail,
                    "the microphone gives no samples",
                    "`test microphone`",
                );
            };
            // One character for 1.5 dB, from -90 dBFS.
            let bar = ((f.rms_dbfs + 90.0) / 1.5).clamp(0.0, 60.0) as usize;
            let rows = vec![
                Row::told("level", f64::from(f.rms_dbfs), "dBFS"),
                Row::told("quietest 20 ms", f64::from(f.floor_dbfs), "dBFS"),
                Row::told(
                    "clipping",
                    i64::try_from(f.longest_clip).unwrap_or(i64::MAX),
                    "samples",
                ),
            ];
            let section = |body| Section {
                title: String::new(),
                body,
            };
            let lines = vec!["#".repeat(bar)];
            if answers.live(&[section(Body::Rows(rows)), section(Body::Lines(lines))]) == Go::Stop {
                break;
            }
        }
        Report::new("level ended", Code::Ok)
    }

    pub(super) fn calibrate(
        &self,
        what: CalibrateWhat,
        dry_run: bool,
        answers: &mut dyn Answers,
    ) -> Report {
        let mut tester = locked(&self.tester);
        let known = tester.references.now.clone();
        let mut going = || answers.go() == Go::On;
        let before = |text: Option<String>| {
            Row::told(
                "so far",
                text.unwrap_or_else(|| "not calibrated".to_owned()),
                "",
            )
        };
        let (part, mut rows) = match what {
            CalibrateWhat::Lights => {
                let report = tester.test("lights", Reach::Full, &mut going);
                (
                    report,
                    vec![before(
                        known
                            .lights
                            .map(|l| format!("{:.3} / {:.3}", l.left, l.right)),
                    )],
                )
            }
            CalibrateWhat::Microphone => {
                let report = tester.test("microphone", Reach::Full, &mut going);
                (
                    report,
                    vec![before(known.microphone.map(|l| format!("{:.1}", l.level)))],
                )
            }
            CalibrateWhat::Camera => {
                let report = tester.test("camera", Reach::Full, &mut going);
                (
                    report,
                    vec![before(known.camera.map(|l| format!("{:.1}", l.level)))],
                )
            }
        };
        // A device that is not well is no measure for later.
        if matches!(part.verdict(), Verdict::Fail | Verdict::NotTested)
            && part.rows.iter().any(|r| {
                r.item != "sharpness"
                    && matches!(r.verdict, Some(Verdict::Fail | Verdict::NotTested))
            })
        {
            let mut report =
                Report::of_rows("not calibrated: the test has to be good first", part.rows);
            report.next = format!("`test {}`", what.word());
            return report;
        }
        let kept = match what {
            CalibrateWhat::Lights => match tester.measure_lights(&mut going) {
                Ok(figures) => {
                    rows.push(Row::told(
                        "now, left / right",
                        format!(
                            "{:.3} / {:.3}",
                            figures.per_ms(figures.left),
                            figures.per_ms(figures.right)
                        ),
                        "%/ms",
                    ));
                    if dry_run {
                        Ok(())
                    } else {
                        tester.calibrate_lights(&figures)
                    }
                }
                Err(_) => {
                    return Report::refusal(
                        Code::NotTested,
                        "the camera gave no pictures to measure with",
                        "`test camera`",
                    );
                }
            },
            CalibrateWhat::Microphone => {
                match tester.hear(2 * crate::hal::SAMPLE_RATE_HZ as usize, &mut going) {
                    Some(figures) => {
                        rows.push(Row::told("now", f64::from(figures.floor_dbfs), "dBFS"));
                        if dry_run {
                            Ok(())
                        } else {
                            tester.calibrate_level(figures.floor_dbfs, |r| &mut r.microphone)
                        }
                    }
                    None => {
                        return Report::refusal(
                            Code::NotTested,
                            "the microphone gave no samples",
                            "`test microphone`",
                        );
                    }
                }
            }
            CalibrateWhat::Camera => {
                let now = tester
                    .eye
                    .figures(&tester.camera, self.clock.now())
                    .luminance;
                rows.push(Row::told("now", f64::from(now), "of 255"));
                if dry_run {
                    Ok(())
                } else {
                    tester.calibrate_level(now, |r| &mut r.camera)
                }
            }
        };
        if kept.is_ok() && !dry_run {
            self.trends.calibrated(what, self.clock.wall());
        }
        rows.extend(part.rows);
        let title = if dry_run {
            "measured, nothing kept (--dry-run)"
        } else {
            "calibrated"
        };
        match kept {
            Ok(()) => Report::of_rows(format!("{}: {title}", what.word()), rows),
            Err(error) => {
                Report::refusal(Code::Failed, format!("not kept: {error}"), "`test storage`")
            }
        }
    }
}
