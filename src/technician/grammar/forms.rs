//! The table of all commands.

use super::{Form, Given, Local, Part, Terminal, Typed};
use crate::technician::command::{
    CalibrateWhat, Command, ConfigCommand, IdleLanguage, InspectItem, InspectResult, LogLevel,
    LogModule, RebootReason, Role, Setting, TestWhat, Topic,
};
use std::sync::LazyLock;

/// All forms, in the order of `help`.
pub(super) static FORMS: LazyLock<Vec<Form>> = LazyLock::new(forms);

const ROLES: &[(&str, &str)] = &[
    ("view", "look at everything"),
    ("service", "view, and test, calibrate, restart"),
    ("reset", "service, and change settings"),
];
const CHARSETS: &[(&str, &str)] = &[
    ("ascii", "7 bits; others as <hex>"),
    ("utf-8", "as the terminal shows it"),
];
const LANGUAGES: &[(&str, &str)] = &[
    ("en", "English"),
    ("zh", "Chinese; needs `terminal charset utf-8`"),
];
const SWITCH: &[(&str, &str)] = &[("off", "plain"), ("on", "verdicts in colour")];

const fn word(word: &'static str, help: &'static str) -> Part {
    Part::Word(word, help)
}

const fn number(
    name: &'static str,
    least: u32,
    most: u32,
    suffix: &'static str,
    help: &'static str,
) -> Part {
    Part::Number {
        name,
        least,
        most,
        suffix,
        help,
    }
}

/// A form of the booth's.
fn booth(
    parts: Vec<Part>,
    help: &'static str,
    make: impl Fn(&[Given]) -> Option<Command> + Send + Sync + 'static,
) -> Form {
    Form {
        parts,
        help,
        make: Box::new(move |given| make(given).map(Typed::Booth)),
    }
}

/// A form of the console's own.
fn local(
    parts: Vec<Part>,
    help: &'static str,
    make: impl Fn(&[Given]) -> Option<Local> + Send + Sync + 'static,
) -> Form {
    Form {
        parts,
        help,
        make: Box::new(move |given| make(given).map(Typed::Local)),
    }
}

fn choice<T: Copy>(given: &[Given], i: usize, all: &[T]) -> Option<T> {
    match given.get(i) {
        Some(Given::Choice(n)) => all.get(*n).copied(),
        _ => None,
    }
}

fn whole<T: TryFrom<u32>>(given: &[Given], i: usize) -> Option<T> {
    match given.get(i) {
        Some(Given::Number(n)) => T::try_from(*n).ok(),
        _ => None,
    }
}

fn forms() -> Vec<Form> {
    let mut forms = console_forms();
    let show = word("show", "tell what is");
    for (topic, (name, help)) in Topic::ALL.iter().zip(Topic::WORDS) {
        forms.push(booth(vec![show, word(name, help)], help, move |_| {
            Some(Command::Show(*topic))
        }));
    }
    let log = word("log", "newest lines of the service's log");
    forms.extend([
        booth(
            vec![show, word("session", "one session"), Part::Session],
            "one session: steps, verdict, reasons, no personal data",
            |g| match g.first() {
                Some(Given::Session(query)) => Some(Command::Session(query.clone())),
                _ => None,
            },
        ),
        local(
            vec![show, word("audit", "audit log of this console, verified")],
            "audit log of this console, verified",
            |_| Some(Local::Audit),
        ),
        booth(
            vec![show, log],
            "newest 50 lines of the service's log",
            |_| Some(Command::Log { lines: 50 }),
        ),
        booth(
            vec![show, log, number("LINES", 1, 500, "", "how many lines")],
            "newest lines of the service's log",
            |g| {
                Some(Command::Log {
                    lines: whole(g, 0)?,
                })
            },
        ),
    ]);
    forms.extend(test_forms());
    forms.extend(work_forms());
    forms.extend(config_forms());
    forms
}

fn console_forms() -> Vec<Form> {
    let terminal = word("terminal", "how this console writes");
    vec![
        local(vec![word("help", "all commands")], "all commands", |_| {
            Some(Local::Help)
        }),
        local(
            vec![
                word("login", "begin, with a code from the desk"),
                Part::OneOf("ROLE", ROLES),
                Part::Order,
            ],
            "shows a challenge, and asks for the desk's code",
            |g| match g.get(1) {
                Some(Given::Order(order)) => Some(Local::Login {
                    role: choice(g, 0, &Role::ALL)?,
                    work_order: order.clone(),
                }),
                _ => None,
            },
        ),
        local(
            vec![word("logout", "end, with a closing code for the desk")],
            "ends the login; shows the closing code for the desk",
            |_| Some(Local::Logout),
        ),
        local(
            vec![
                terminal,
                word("charset", "characters"),
                Part::OneOf("CHARSET", CHARSETS),
            ],
            "characters that this terminal shows",
            |g| {
                Some(Local::Terminal(Terminal::Utf8(choice(
                    g,
                    0,
                    &[false, true],
                )?)))
            },
        ),
        local(
            vec![
                terminal,
                word("language", "language"),
                Part::OneOf("LANGUAGE", LANGUAGES),
            ],
            "language of this console",
            |g| {
                Some(Local::Terminal(Terminal::Chinese(choice(
                    g,
                    0,
                    &[false, true],
                )?)))
            },
        ),
        local(
            vec![
                terminal,
                word("color", "colour"),
                Part::OneOf("SWITCH", SWITCH),
            ],
            "verdicts in colour",
            |g| {
                Some(Local::Terminal(Terminal::Color(choice(
                    g,
                    0,
                    &[false, true],
                )?)))
            },
        ),
        local(
            vec![
                terminal,
                word("length", "lines of a page"),
                number("LINES", 0, 200, "", "0: no pages; 24 is usual"),
            ],
            "lines of a page",
            |g| Some(Local::Terminal(Terminal::Length(whole(g, 0)?))),
        ),
    ]
}

fn test_forms() -> Vec<Form> {
    let test = word("test", "measure, and say what to do");
    let mut forms: Vec<Form> = TestWhat::ALL
        .iter()
        .zip(TestWhat::WORDS)
        .map(|(what, (name, help))| {
            booth(vec![test, word(name, help)], help, move |_| {
                Some(Command::Test(*what))
            })
        })
        .collect();
    let named = |what: TestWhat| {
        let (name, help) =
            TestWhat::WORDS[TestWhat::ALL.iter().position(|w| *w == what).unwrap_or(0)];
        word(name, help)
    };
    let live = word(
        "--live",
        "once a second until q: rate, light, sharpness, face, picture in characters",
    );
    let vu = word("--vu", "level, until q");
    forms.extend([
        booth(
            vec![test, named(TestWhat::Camera), live],
            "once a second until q: rate, light, sharpness, face, picture in characters",
            |_| Some(Command::CameraLive),
        ),
        booth(
            vec![test, named(TestWhat::Microphone), vu],
            "level of the microphone, until q",
            |_| Some(Command::MicrophoneVu),
        ),
        booth(
            vec![
                word("practice", "practice session"),
                word("run", "one practice session"),
            ],
            "a practice session: nothing stored, nothing sent",
            |_| Some(Command::Practice),
        ),
    ]);
    forms
}

fn work_forms() -> Vec<Form> {
    let maintenance = word("maintenance", "keep customers' sessions from beginning");
    let enter = word("enter", "no session begins until it is left");
    let calibrate = word("calibrate", "measure and set a device");
    let dry = word("--dry-run", "measure and tell, change nothing");
    let locate = word("locate", "light the booth up to find it");
    let bundle = word("bundle", "what the workshop needs to know, redacted");
    let send = word("send", "over this line, in blocks with checksums");
    let mut forms = vec![
        booth(
            vec![maintenance, enter],
            "refused while a session runs",
            |_| Some(Command::MaintenanceEnter { wait_s: 0 }),
        ),
        booth(
            vec![
                maintenance,
                enter,
                word("wait", "for the end of the session"),
                number("SECONDS", 1, 600, "", "at most so long"),
            ],
            "waits for the end of the session",
            |g| {
                Some(Command::MaintenanceEnter {
                    wait_s: whole(g, 0)?,
                })
            },
        ),
        booth(
            vec![maintenance, word("leave", "customers may come again")],
            "customers may come again",
            |_| Some(Command::MaintenanceLeave),
        ),
    ];
    for (what, (name, help)) in CalibrateWhat::ALL.iter().zip(CalibrateWhat::WORDS) {
        let part = word(name, help);
        let make = |dry_run| {
            move |_: &[Given]| {
                Some(Command::Calibrate {
                    what: *what,
                    dry_run,
                })
            }
        };
        forms.push(booth(vec![calibrate, part], help, make(false)));
        forms.push(booth(
            vec![calibrate, part, dry],
            "measure and tell, change nothing",
            make(true),
        ));
    }
    forms.extend([
        booth(
            vec![locate],
            "ring and panel say where the booth is, for 30 s",
            |_| Some(Command::Locate { seconds: 30 }),
        ),
        booth(
            vec![locate, number("SECONDS", 5, 300, "", "for so long")],
            "ring and panel say where the booth is",
            |g| {
                Some(Command::Locate {
                    seconds: whole(g, 0)?,
                })
            },
        ),
        booth(
            vec![
                word("camera", "the camera"),
                word("reset", "reopen, reset on the bus, power off and on"),
            ],
            "takes the camera through the recovery ladder",
            |_| Some(Command::CameraReset),
        ),
        booth(
            vec![
                word("service", "the booth's service"),
                word("restart", "end it; systemd starts it again"),
            ],
            "ends the service; systemd starts it again",
            |_| Some(Command::ServiceRestart),
        ),
        booth(
            vec![
                word("reboot", "start the machine again"),
                word("--reason", "why; stands in the audit log"),
                Part::OneOf("REASON", RebootReason::WORDS),
            ],
            "starts the machine again",
            |g| {
                Some(Command::Reboot {
                    reason: choice(g, 0, RebootReason::ALL)?,
                })
            },
        ),
        booth(
            vec![
                word("log", "how talkative the log is"),
                word("level", "for some minutes"),
                Part::OneOf("MODULE", LogModule::WORDS),
                Part::OneOf("LEVEL", LogLevel::WORDS),
                word("for", "goes back by itself"),
                number("MINUTES", 1, 60, "m", "minutes, as 10m"),
            ],
            "goes back by itself",
            |g| {
                Some(Command::LogLevel {
                    module: choice(g, 0, LogModule::ALL)?,
                    level: choice(g, 1, LogLevel::ALL)?,
                    minutes: whole(g, 2)?,
                })
            },
        ),
        booth(
            vec![bundle, word("create", "make one")],
            "makes a bundle, redacted, with a manifest",
            |_| Some(Command::BundleCreate),
        ),
        booth(
            vec![bundle, send],
            "sends the newest bundle over this line",
            |_| Some(Command::BundleSend { from_block: 0 }),
        ),
        booth(
            vec![
                bundle,
                send,
                word("from", "go on with this block"),
                number("BLOCK", 0, 99_999_999, "", "counted from 0"),
            ],
            "goes on where it broke off",
            |g| {
                Some(Command::BundleSend {
                    from_block: whole(g, 0)?,
                })
            },
        ),
        booth(
            vec![
                word("outbox", "outcomes that wait"),
                word("retry", "send now instead of later"),
            ],
            "sends what waits now instead of later",
            |_| Some(Command::OutboxRetry),
        ),
        booth(
            vec![
                word("inspection", "what was looked at"),
                word("record", "keep it"),
                Part::OneOf("ITEM", InspectItem::WORDS),
                Part::OneOf("RESULT", InspectResult::WORDS),
            ],
            "keeps what was inspected, and what came out",
            |g| {
                Some(Command::Inspection {
                    item: choice(g, 0, InspectItem::ALL)?,
                    result: choice(g, 1, InspectResult::ALL)?,
                })
            },
        ),
        booth(
            vec![
                word("site", "this place"),
                word("accept", "guided installation test"),
            ],
            "guided installation test; ends with a signed record",
            |_| Some(Command::SiteAccept),
        ),
    ]);
    forms
}

fn config_forms() -> Vec<Form> {
    let config = word("config", "settings");
    let set = word("set", "change the candidate");
    let plain = |word_: Part, help: &'static str, command: ConfigCommand| {
        booth(vec![config, word_], help, move |_| {
            Some(Command::Config(command))
        })
    };
    let percent = |given: &[Given], make: fn(u8) -> Setting| {
        Some(Command::Config(ConfigCommand::Set(make(whole(given, 0)?))))
    };
    vec![
        plain(
            word("show", "settings in force"),
            "settings in force",
            ConfigCommand::Show,
        ),
        plain(
            word("diff", "what the candidate would change"),
            "what the candidate would change",
            ConfigCommand::Diff,
        ),
        booth(
            vec![
                config,
                set,
                word("language", "of the idle screen"),
                Part::OneOf("LANGUAGE", IdleLanguage::WORDS),
            ],
            "language of the idle screen",
            |g| {
                let language = choice(g, 0, IdleLanguage::ALL)?;
                Some(Command::Config(ConfigCommand::Set(Setting::Language(
                    language,
                ))))
            },
        ),
        booth(
            vec![
                config,
                set,
                word("light", "most of the ring's light"),
                number("PERCENT", 20, 100, "", "of what the board allows"),
            ],
            "most of the ring's light",
            move |g| percent(g, Setting::LightPercent),
        ),
        booth(
            vec![
                config,
                set,
                word("volume", "loudness"),
                number("PERCENT", 0, 100, "", "of full scale"),
            ],
            "loudness",
            move |g| percent(g, Setting::VolumePercent),
        ),
        plain(
            word("discard", "drop the candidate"),
            "drops the candidate",
            ConfigCommand::Discard,
        ),
        booth(
            vec![
                config,
                word("commit", "put the candidate in force"),
                word("confirmed", "and back, unless confirmed"),
                number("MINUTES", 1, 60, "", "within so many minutes"),
            ],
            "in force now, and back by itself unless `config confirm` follows",
            |g| {
                Some(Command::Config(ConfigCommand::CommitConfirmed {
                    minutes: whole(g, 0)?,
                }))
            },
        ),
        plain(
            word("confirm", "what was committed stays"),
            "what was committed stays",
            ConfigCommand::Confirm,
        ),
    ]
}
