//! What can be typed and what comes of it.

use super::*;
use crate::technician::command::{
    CalibrateWhat, ConfigCommand, LogLevel, LogModule, RebootReason, TestWhat, Topic,
};
use proptest::prelude::*;

fn booth(command: Command) -> Typed {
    Typed::Booth(command)
}

#[test]
fn lines_and_what_they_mean() {
    let check = |line: &str, expected: Typed| {
        let found = parse(line).unwrap_or_else(|e| panic!("{line}: {e:?}"));
        assert_eq!(found.expect("not empty").typed, expected, "{line}");
    };
    check("show version", booth(Command::Show(Topic::Version)));
    check("  sh   ver  ", booth(Command::Show(Topic::Version)));
    check("SHOW FAULTS", booth(Command::Show(Topic::Faults)));
    check("test camera", booth(Command::Test(TestWhat::Camera)));
    check("test camera --live", booth(Command::CameraLive));
    check("test mic --vu", booth(Command::MicrophoneVu));
    check("show log 20", booth(Command::Log { lines: 20 }));
    check("show log", booth(Command::Log { lines: 50 }));
    check("loc", booth(Command::Locate { seconds: 30 }));
    check(
        "reb --r hang",
        booth(Command::Reboot {
            reason: RebootReason::Hang,
        }),
    );
    check(
        "log level hal debug for 10m",
        booth(Command::LogLevel {
            module: LogModule::Hal,
            level: LogLevel::Debug,
            minutes: 10,
        }),
    );
    check(
        "log l al d f 5",
        booth(Command::LogLevel {
            module: LogModule::All,
            level: LogLevel::Debug,
            minutes: 5,
        }),
    );
    check(
        "calibrate lights --dry-run",
        booth(Command::Calibrate {
            what: CalibrateWhat::Lights,
            dry_run: true,
        }),
    );
    check(
        "config commit confirmed 5",
        booth(Command::Config(ConfigCommand::CommitConfirmed {
            minutes: 5,
        })),
    );
    check(
        "maint enter wait 300",
        booth(Command::MaintenanceEnter { wait_s: 300 }),
    );
    let query = SessionQuery::try_from("Q69G5FAV".to_owned()).expect("a reference");
    check("show session q69g-5fav", booth(Command::Session(query)));
    check("show audit", Typed::Local(Local::Audit));
    check(
        "term ch utf",
        Typed::Local(Local::Terminal(Terminal::Utf8(true))),
    );
}

#[test]
fn mistakes_name_the_word_and_what_is_allowed() {
    let check = |line: &str, code: Code, at: usize, allowed: &[&str]| {
        let mistake = parse(line).expect_err(line);
        assert_eq!(
            (mistake.code, mistake.at),
            (code, at),
            "{line}: {mistake:?}"
        );
        for word in allowed {
            assert!(
                mistake.allowed.iter().any(|a| a == word),
                "{line}: {word} of {:?}",
                mistake.allowed
            );
        }
    };
    check("sh sess", Code::Ambiguous, 3, &["session", "sessions"]);
    check("tes m", Code::Ambiguous, 4, &["microphone", "models"]);
    check("rm -rf /", Code::Syntax, 0, &["show", "test"]);
    check("show", Code::Syntax, 4, &["version", "session"]);
    check("show session", Code::Syntax, 12, &["<ID>"]);
    check("show session ../../etc", Code::Argument, 13, &["<ID>"]);
    check("show version now", Code::Syntax, 13, &[]);
    check("show log 501", Code::Argument, 9, &["<1..500>"]);
    check("show log 99999999999999", Code::Argument, 9, &[]);
    check("locate 4", Code::Argument, 7, &[]);
    check(
        "log level hal debug for 61m",
        Code::Argument,
        24,
        &["<1..60>m"],
    );
    check("reboot --reason because", Code::Syntax, 16, &["hang"]);
    check(
        "login root WO-1",
        Code::Syntax,
        6,
        &["view", "service", "reset"],
    );
    check("login view WO/1", Code::Argument, 11, &["<WORK-ORDER>"]);
    check(&"x".repeat(257), Code::TooLong, 256, &[]);
    check(&"a ".repeat(100), Code::Syntax, 32, &[]);
    assert_eq!(parse("   "), Ok(None));
}

#[test]
fn help_and_completion_come_from_the_same_table() {
    let names = |before: &str| -> Vec<String> {
        help(before)
            .expect(before)
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    };
    assert!(names("").len() > 15);
    assert_eq!(names("show se"), ["sensors", "sessions", "session"]);
    assert_eq!(names("show log "), ["<enter>", "<1..500>", "--json"]);
    assert_eq!(names("show log 5"), ["<1..500>"]);
    assert_eq!(names("test camera "), ["<enter>", "--live", "--json"]);
    for (before, added) in [
        ("sho", "w "),
        ("show ver", "sion "),
        ("show se", ""),
        ("show ses", "sion"),
        ("test camera --", ""),
        ("test camera --l", "ive "),
        ("nothing", ""),
        ("", ""),
        ("SHO", "w "),
    ] {
        assert_eq!(complete(before), added, "{before:?}");
    }
}

#[test]
fn the_matrix_of_commands_and_roles() {
    let mut text = String::new();
    for (form, _, typed) in all() {
        let allowed: Vec<&str> = std::iter::once((None, "nobody"))
            .chain(Role::ALL.map(|r| (Some(r), r.word())))
            .filter(|(role, _)| {
                typed
                    .role()
                    .is_none_or(|needed| role.is_some_and(|r| r >= needed))
            })
            .map(|(_, word)| word)
            .collect();
        let session = if typed.when() == When::Anytime {
            "also while a session runs"
        } else {
            "in maintenance"
        };
        text.push_str(&format!("{form} | {} | {session}\n", allowed.join(" ")));
    }
    let golden =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/console/commands.txt");
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    if text != expected {
        let found = golden.with_extension("txt.unmatched");
        std::fs::create_dir_all(golden.parent().expect("a folder")).expect("writable");
        std::fs::write(&found, &text).expect("writable");
        panic!("not as in {}; found: {}", golden.display(), found.display());
    }
}

/// Every command that changes anything needs more than a look, and none of those runs while a customer is there.
#[test]
fn nothing_but_looking_is_allowed_while_a_session_runs() {
    for (form, _, typed) in all() {
        if let Typed::Booth(command) = typed {
            let looks = form.starts_with("show ") || form == "config show" || form == "config diff";
            assert_eq!(command.role() == Role::View, looks, "{form}");
            let door = form.starts_with("maintenance ");
            assert_eq!(command.when() == When::Anytime, looks || door, "{form}");
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_typed_is_a_command_or_a_mistake_within_the_line(line in "[ -~]{0,80}|((sh|show|te|test|log|con|config|camera|l|--json|5|10m|ID) ?){0,8}") {
        match parse(&line) {
            Ok(Some(found)) => {
                if let Typed::Booth(command) = found.typed {
                    let json = serde_json::to_string(&command).expect("JSON");
                    prop_assert_eq!(serde_json::from_str::<Command>(&json).expect("the same"), command);
                }
            }
            Ok(None) => prop_assert!(line.split(' ').all(|w| w.is_empty() || w.eq_ignore_ascii_case("--json"))),
            Err(mistake) => prop_assert!(mistake.at <= line.len() && line.is_char_boundary(mistake.at)),
        }
        let added = complete(&line);
        let more = [line.as_str(), &added].concat();
        prop_assert!(added.is_empty() || help(&more).is_ok());
        let _ = help(&line);
    }

    #[test]
    fn every_unique_beginning_of_a_word_is_the_word(at in 0usize..60, cut in 1usize..12) {
        let forms = all();
        let (form, _, typed) = &forms[at % forms.len()];
        let only_words = form.split(' ').all(|w| !w.contains(|c: char| c.is_ascii_uppercase()));
        if only_words {
            let short: Vec<String> = form.split(' ').map(|w| w.chars().take(cut).collect()).collect();
            match parse(&short.join(" ")) {
                Ok(found) => {
                    // A beginning may be another word as a whole.
                    let found = found.expect("not empty").typed;
                    let whole = forms.iter().any(|(f, ..)| *f == short.join(" "));
                    prop_assert!(found == *typed || whole || short.iter().any(|w| w == "session"), "{short:?}");
                }
                Err(mistake) => {
                    // Or it is the whole of a word that goes on otherwise (`log`, `login`).
                    let word = forms.iter().any(|(f, ..)| short.iter().any(|s| f.split(' ').any(|w| w == s)));
                    prop_assert!(mistake.code == Code::Ambiguous || word, "{:?} {:?}", short, mistake);
                }
            }
        }
    }
}
