//! The catalogue is whole, of good characters, and has nothing that nobody says any more.

use super::*;
use crate::hal::Rung;
use crate::technician::fault_table::{Attention, Clears, Mender, TABLE};
use crate::technician::grammar;
use crate::technician::page::{Style, WIDTH, report_lines};
use crate::technician::plain::{Charset, columns, is_shown};
use crate::technician::report::{Body, Report, Row, Verdict};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use unicode_width::UnicodeWidthStr as _;

/// Section, English, Chinese.
fn entries() -> Vec<(String, String, String)> {
    let sections: BTreeMap<String, BTreeMap<String, String>> =
        toml::from_str(ZH).expect("sections of texts");
    let entry = |section: &str, (english, chinese)| (section.to_owned(), english, chinese);
    sections
        .into_iter()
        .flat_map(|(section, texts)| texts.into_iter().map(move |text| entry(&section, text)))
        .collect()
}

fn nothing(of: &str, texts: impl IntoIterator<Item = String>) {
    let texts: BTreeSet<String> = texts.into_iter().collect();
    let texts: Vec<String> = texts.into_iter().collect();
    assert!(
        texts.is_empty(),
        "texts/zh.toml: {of}:\n{}",
        texts.join("\n")
    );
}

#[test]
fn whatever_the_tables_say_has_chinese() {
    let mut texts: Vec<&str> = grammar::explanations();
    for row in TABLE {
        texts.extend([row.module, row.description, row.mend]);
    }
    let verdicts = [
        Verdict::Ok,
        Verdict::NotTested,
        Verdict::Warn,
        Verdict::Fail,
    ];
    texts.extend(verdicts.map(Verdict::word));
    let who = [
        Mender::Technician,
        Mender::Staff,
        Mender::NetworkOperator,
        Mender::Nobody,
    ];
    texts.extend(who.map(Mender::words));
    texts.extend([Clears::ByItself, Clears::ByTest, Clears::ByRestart].map(Clears::words));
    let rungs = [
        Rung::Reopen,
        Rung::Reset,
        Rung::PowerCycle,
        Rung::Reboot,
        Rung::OutOfService,
    ];
    let rungs = rungs.map(|rung| rung.to_string());
    texts.extend(rungs.iter().map(String::as_str));
    let missing = texts
        .into_iter()
        .filter(|text| chinese_word(text).is_none());
    nothing("without Chinese", missing.map(str::to_owned));
    let about = [Attention::Now, Attention::Soon]
        .map(|a| format!("{}; mended by: nobody; over: by itself", a.word()));
    let missing = about.iter().filter(|about| chinese(about).is_none());
    nothing("without Chinese", missing.cloned());
    // In the table of `help` a command is a cell.
    let commands = grammar::all().into_iter().map(|(form, ..)| form);
    nothing(
        "a command",
        commands.filter(|form| chinese_word(form).is_some()),
    );
    let missing = Code::ALL
        .iter()
        .filter(|code| chinese_result(**code).is_none());
    nothing(
        "[result] has not",
        missing.map(|code| code.word().to_owned()),
    );
}

#[test]
fn texts_that_are_put_together_are_put_together_in_chinese() {
    let check = |english: &str, expected: Option<&str>| {
        assert_eq!(chinese(english).as_deref(), expected, "{english}");
    };
    check(
        "soon; mended by: branch staff; over: by itself",
        Some("尽快；处理人：网点人员；自动解除"),
    );
    check(
        "network: net.preflight_failed (limit no fault)",
        Some("网络：net.preflight_failed（限值 无故障）"),
    );
    check(
        "the microphone hears nothing at all [hw.mic.silent]",
        Some("麦克风完全没有声音 [hw.mic.silent]"),
    );
    check(
        "to mend: camera, lights; then test again",
        Some("待处理：摄像头、灯环；然后重测"),
    );
    check(
        "challenge 7K3M-9QXD  good for 30 minutes and one try",
        Some("质询码 7K3M-9QXD  30 分钟内有效，只能用一次"),
    );
    check(
        "LINES: allowed are whole numbers 1 to 500 (at character 10)",
        Some("LINES：只允许 1 到 500 的整数（第 10 个字符处）"),
    );
    check(
        "reopen, 2026-11-26 19:12:23Z",
        Some("重新打开、2026-11-26 19:12:23Z"),
    );
    check("20 to 235", Some("20 到 235"));
    check("test camera", Some("测试：摄像头"));
    check("12 min 5 s", Some("12 分 5 秒"));
    // Words to be typed are not translated, and what is not known stays as it is.
    check(
        "allowed there: camera, lights",
        Some("此处可用：camera, lights"),
    );
    for english in [
        "",
        "test something",
        "VIDIOC_DQBUF: no such device",
        "1, 2026-11-26 19:12:23Z",
        "go to bed",
        "-1, 2, 3",
        "camera, and more",
    ] {
        check(english, None);
    }
}

#[test]
fn chinese_is_shown_as_it_is_and_as_wide_as_it_seems() {
    let bad = entries().into_iter().filter(|(_, _, chinese)| {
        let shown = chinese.chars().all(|c| is_shown(c, Charset::Utf8));
        // Some terminals give two columns to quotation marks, dots and arrows.
        !shown || chinese.width() != chinese.width_cjk() || chinese.is_empty()
    });
    nothing(
        "characters that not every terminal shows",
        bad.map(|(_, _, chinese)| chinese),
    );
}

#[test]
fn each_gap_is_filled_in_both_languages() {
    let bad = entries().into_iter().filter(|(_, english, chinese)| {
        let ((_, gaps), (_, filled)) = (pieces(english), pieces(chinese));
        let known = |name: &String| ["", "n", "text", "word"].contains(&name.as_str());
        let places: BTreeSet<usize> = filled
            .iter()
            .enumerate()
            .map(|(i, name)| name.parse().map_or(i + 1, |n: usize| n))
            .collect();
        !gaps.iter().all(known)
            || places != (1..=gaps.len()).collect()
            || filled.len() != gaps.len()
    });
    nothing(
        "gaps differ",
        bad.map(|(_, english, chinese)| format!("{english} = {chinese}")),
    );
}

#[test]
fn one_text_has_one_chinese() {
    let mut seen = BTreeSet::new();
    let others = entries()
        .into_iter()
        .filter(|(section, ..)| section != RESULTS);
    let twice = others.filter(|(_, english, _)| !seen.insert(english.clone()));
    nothing("twice", twice.map(|(_, english, _)| english));
}

#[test]
fn every_line_fits_the_terminal() {
    let style = Style {
        charset: Charset::Utf8,
        color: false,
        chinese: true,
    };
    let mut report = Report::new("", Code::Fail);
    for (_, english, _) in entries() {
        let value = english.as_str();
        let row = |limit: &str| Row::measured(value, value, "s ago", limit, Verdict::Fail, value);
        let cells = vec!["camera".to_owned(), english.clone()];
        report = report
            .with(value, Body::Rows(vec![row(value), row("no fault")]))
            .with(
                "",
                Body::Table {
                    columns: cells.clone(),
                    rows: vec![cells],
                },
            );
        report.title.clone_from(&english);
        report.next.clone_from(&english);
        let last = report_lines(
            &Report {
                sections: Vec::new(),
                ..report.clone()
            },
            &[],
            style,
        );
        nothing(
            "too wide",
            last.into_iter().filter(|line| columns(line) > WIDTH),
        );
    }
    let lines = report_lines(&report, &[], style);
    nothing(
        "too wide",
        lines.into_iter().filter(|line| columns(line) > WIDTH),
    );
}

// --- what the sources say ---

fn sources(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("src can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            into.push(path);
        }
    }
}

/// The string literals of a source, without its tests and comments; what is between braces is left out (`{}`). With each, the names of the calls
/// that it stands in, the innermost last.
fn literals(path: &Path) -> Vec<(String, Vec<String>)> {
    let text = std::fs::read_to_string(path).expect("UTF-8");
    let text = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    let (mut found, mut calls, mut name) = (Vec::new(), Vec::new(), String::new());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => while chars.next().is_some_and(|c| c != '\n') {},
            '\'' => {
                // A character; a lifetime has no second quote.
                let mut ahead = chars.clone();
                let escaped = ahead.next() == Some('\\');
                if escaped {
                    ahead.next();
                }
                if ahead.next() == Some('\'') {
                    chars = ahead;
                }
            }
            '"' => found.push((literal(&mut chars), calls.clone())),
            '(' => calls.push(std::mem::take(&mut name)),
            ')' => drop(calls.pop()),
            c if c.is_alphanumeric() || matches!(c, '_' | ':' | '!') => name.push(c),
            _ => name.clear(),
        }
    }
    found
}

fn literal(chars: &mut impl Iterator<Item = char>) -> String {
    let mut text = String::new();
    let mut in_gap = false;
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                // Goes on in the next line, behind its blanks.
                Some('\n') => {
                    if let Some(c) = chars.find(|c| *c != ' ') {
                        text.push(c);
                    }
                }
                Some(c) => text.extend(['\\', c]),
                None => {}
            },
            '{' => {
                in_gap = true;
                text.push('{');
            }
            '}' => {
                in_gap = false;
                text.push('}');
            }
            c if !in_gap => text.push(c),
            _ => {}
        }
    }
    text
}

fn src(below: &str) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src")
        .join(below);
    let mut paths = Vec::new();
    if path.is_dir() {
        sources(&path, &mut paths);
    } else {
        paths.push(path);
    }
    paths
}

#[test]
fn nothing_is_translated_that_nobody_says() {
    let mut said: BTreeSet<String> = src("")
        .iter()
        .flat_map(|p| literals(p))
        .map(|(t, _)| t)
        .collect();
    // Words of closed lists that go by their serde name.
    for reported in [
        "verified not_verified review inconclusive pending abandoned declined_by_subject aborted_equipment practice",
        "carry damage start challenge login wrong_code typed result",
    ] {
        said.extend(reported.split(' ').map(str::to_owned));
    }
    let unused = entries().into_iter().filter(|(section, english, _)| {
        let (literals, _) = pieces(english);
        ![RESULTS, "composed"].contains(&section.as_str()) && !said.contains(&literals.join("{}"))
    });
    nothing("nobody says", unused.map(|(_, english, _)| english));
}

/// Calls whose texts a technician reads.
const SAID: [&str; 17] = [
    "Row::told",
    "Row::measured",
    "Row::not_tested",
    "Report::new",
    "Report::refusal",
    "Report::of_rows",
    "PartReport::not_tested",
    "told",
    "missing",
    "judged",
    "standing",
    "progress",
    "choose",
    "table",
    "with",
    "say",
    "refusal",
];

/// Units and names that are the same in both languages.
const THE_SAME: [&str; 9] = [
    "dBFS",
    "dB",
    "Hz",
    "MiB",
    "ms",
    "px",
    "deg",
    "sha256",
    "sha256 (16)",
];

#[test]
fn whatever_a_report_is_made_of_has_chinese() {
    let mut missing = Vec::new();
    let files = [
        "app/control",
        "app/control.rs",
        "app/tester.rs",
        "technician/console",
        "technician/console.rs",
    ]
    .into_iter()
    .chain(["technician/control/server.rs", "technician/selftest/parts"]);
    for path in files.flat_map(src) {
        for (text, calls) in literals(&path) {
            let is_said = calls
                .iter()
                .any(|call| SAID.contains(&call.trim_start_matches(':')));
            let words = text
                .split(|c: char| !c.is_ascii_alphabetic())
                .any(|w| w.len() > 1);
            let is_code = !text.contains(' ') && text.contains(['.', '_', '/']);
            let is_command = text.starts_with('`') && !text.contains("` ") && text.ends_with('`');
            let same = is_command || THE_SAME.contains(&text.as_str());
            // What stands in a gap is a number here, a part's name there.
            let known = ["7", "camera"]
                .iter()
                .any(|filled| chinese(&text.replace("{}", filled)).is_some());
            if is_said && words && !is_code && !same && !known {
                missing.push(format!("{text}    ({})", path.display()));
            }
        }
    }
    nothing("without Chinese", missing);
}
