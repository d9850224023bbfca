//! Bad input at every door of the program: exit code, and a message that names the thing, the place, what was found, what is
//! allowed and the mend. Nothing here may panic.

use crate::furnished::{Ended, Furnished, Running, boothd, root};
use boothd::trust::keys::SoftwareKey;
use boothd::trust::{hex, sha256};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Every word must be in what was said.
fn check(what: &str, ended: &Ended, code: i32, words: &[&str]) {
    let said = &ended.said;
    assert_eq!(ended.code, Some(code), "{what}: {said}");
    for word in words {
        assert!(
            said.contains(word),
            "{what}: `{word}` is not said in:\n{said}"
        );
    }
    // What a person reads is one message, not a data structure.
    for sign in ["Some(", "RUST_BACKTRACE", "called `"] {
        assert!(!said.contains(sign), "{what}: {said}");
    }
}

/// A furnished folder, spoilt, then a verb: exit code 1.
fn spoilt(what: &str, verb: &str, spoil: impl FnOnce(&Furnished), words: &[&str]) {
    let furnished = Furnished::new();
    spoil(&furnished);
    check(what, &furnished.run(verb), 1, words);
}

fn change<'a>(file: &'a str, from: &'a str, to: &'a str) -> impl FnOnce(&Furnished) + 'a {
    move |f| f.change(file, from, to)
}

#[test]
fn unknown_keys_are_named_with_their_file_and_what_is_allowed() {
    let unknown = "unknown field `surprise`, expected";
    spoilt(
        "boothd.toml",
        "run",
        change("boothd.toml", "booth_id", "surprise = 1\nbooth_id"),
        &["boothd.toml", "line 1", unknown, "booth_id"],
    );
    spoilt(
        "boothd.toml, below",
        "run",
        change("boothd.toml", "[trust]", "[trust]\nsurprise = 1"),
        &["boothd.toml", "line 5", unknown, "signing_key"],
    );
    spoilt(
        "board.toml",
        "run",
        change("board.toml", "width = 1280", "width = 1280\nsurprise = 1"),
        &["board.toml", "virt", unknown, "frames_per_s"],
    );
    spoilt(
        "board.toml, a table",
        "run",
        change("board.toml", "[virt]", "[surprise]\n[virt]"),
        &["board.toml", "unknown key `surprise`, allowed: board, kind"],
    );
    spoilt(
        "uplink.toml",
        "uplink",
        change("uplink.toml", "url", "surprise = 1\nurl"),
        &["uplink.toml", "line 1", unknown, "probe_every_s"],
    );
    spoilt(
        "wallet.toml",
        "wallet",
        change("wallet.toml", "listen", "surprise = 1\nlisten"),
        &["wallet.toml", "line 1", unknown, "state_dir"],
    );
    spoilt(
        "scene",
        "run",
        |f| {
            f.own_scene();
            f.change("scenes/scene.toml", "[room]", "[room]\nsurprise = 1");
        },
        &["scene.toml", unknown, "picture"],
    );
}

#[test]
fn files_that_are_not_there_are_named_with_a_mend() {
    for verb in ["run", "uplink", "wallet"] {
        let ended = boothd(&[verb, "--config", "no/such/file.toml"]);
        check(
            verb,
            &ended,
            1,
            &["no/such/file.toml", "No such file", "mend:"],
        );
    }
    // A device has no end; it is not read until the memory is full.
    for verb in ["run", "uplink", "wallet"] {
        let ended = boothd(&[verb, "--config", "/dev/zero"]);
        check(verb, &ended, 1, &["/dev/zero", "longer than", "mend:"]);
    }
    spoilt(
        "endless scene",
        "run",
        |f| {
            let own = f.own_scene().join("scene.toml");
            f.change("board.toml", &format!("{own:?}"), "\"/dev/zero\"");
        },
        &["/dev/zero", "longer than", "mend:"],
    );
    spoilt(
        "board file",
        "run",
        change("boothd.toml", "\"board.toml\"", "\"other.toml\""),
        &["other.toml", "No such file", "mend:"],
    );
    spoilt(
        "calibration",
        "run",
        change("boothd.toml", "face_comparison.toml", "other.toml"),
        &["calibration", "other.toml", "No such file", "mend:"],
    );
    spoilt(
        "calibration of the attack detection",
        "run",
        change("boothd.toml", "face_pad.toml", "other.toml"),
        &[
            "calibration",
            "other.toml",
            "No such file",
            "boothd calibrate pad",
        ],
    );
    spoilt(
        "policy",
        "run",
        change("boothd.toml", "\"policy.jws\"", "\"other.jws\""),
        &["other.jws", "No such file", "mend:"],
    );
}

#[test]
fn values_out_of_range_are_named() {
    let check = |verb: &str, file: &str, from: &str, to: &str, words: &[&str]| {
        spoilt(to, verb, change(file, from, to), words);
    };
    check(
        "run",
        "boothd.toml",
        "BOOTH-TEST",
        "BOOTH TEST",
        &["boothd.toml", "line 1", "`BOOTH TEST`", "1 to 32 letters"],
    );
    check(
        "run",
        "boothd.toml",
        "wallet_keys = [\"keys/wallet-sign.pub.pem\"]",
        "wallet_keys = []",
        &["boothd.toml", "wallet_keys", "empty list", "at least one"],
    );
    check(
        "run",
        "board.toml",
        "kind = \"virt\"",
        "kind = \"real\"",
        &["board.toml", "`kind`", "found \"real\"", "\"pi\", \"virt\""],
    );
    check(
        "run",
        "board.toml",
        "width = 1280",
        "width = 1281",
        &["width", "1281", "allowed: even, 160 to 4096", "mend:"],
    );
    check(
        "run",
        "board.toml",
        "frames_per_s = 5.0",
        "frames_per_s = nan",
        &["frames_per_s", "NaN", "allowed: 1 to 120", "mend:"],
    );
    check(
        "run",
        "board.toml",
        "threads = 1",
        "threads = 0",
        &["board.toml", "models.threads", "found 0", "allowed: 1 to 4"],
    );
    check(
        "run",
        "board.toml",
        "mean_power = 0.5",
        "mean_power = 7.0",
        &[
            "board.toml",
            "mean_power = 7",
            "must be 0.05 to 1",
            "data sheet",
        ],
    );
    check(
        "run",
        "boothd.toml",
        "state_dir = \"state\"",
        "state_dir = \"state\"\nmax_rows = -1",
        &["boothd.toml", "-1", "u32"],
    );
    for (from, to) in [
        ("https://", "http://"),
        ("127.0.0.1:", ":"),
        ("127.0.0.1:", "a b:"),
        ("127.0.0.1:", "127.0.0.1:99999"),
        ("127.0.0.1:", "127.0.0.1:0\" #"),
        ("127.0.0.1:", "127.0.0.1:1/a"),
    ] {
        let words = [
            "url",
            "must be `https://HOST[:PORT]` without a path",
            "mend:",
        ];
        check("uplink", "uplink.toml", from, to, &words);
    }
    for (line, key, allowed) in [
        ("timeout_ms = 0", "timeout_ms", "100 to 60000"),
        ("probe_every_s = 0", "probe_every_s", "1 to 3600"),
        ("backoff.min_ms = 0", "backoff.min_ms", "1 to `max_ms`"),
        (
            "backoff.max_ms = 9000000000000000000",
            "backoff.max_ms",
            "10 to 3600000",
        ),
    ] {
        let to = format!("{line}\nurl");
        check(
            "uplink",
            "uplink.toml",
            "url",
            &to,
            &[key, "found", allowed, "mend:"],
        );
    }
    check(
        "wallet",
        "wallet.toml",
        "utopia-wallet",
        "utopia wallet",
        &["tenant", "found \"utopia wallet\"", "1 to 64 of", "mend:"],
    );
    let twice = "[[booths]]\nid = \"BOOTH-TEST\"\nkey = \"a\"\n\n[[booths]]";
    check(
        "wallet",
        "wallet.toml",
        "[[booths]]",
        twice,
        &["booths.id", "BOOTH-TEST", "each booth once", "mend:"],
    );
    check(
        "wallet",
        "wallet.toml",
        "127.0.0.1",
        "0.0.0.0",
        &["listen", "0.0.0.0", "loopback", "listen_any"],
    );
    check(
        "wallet",
        "wallet.toml",
        "127.0.0.1:",
        "here:",
        &["wallet.toml", "listen", "socket address"],
    );
}

#[test]
fn policies_below_a_floor_or_not_signed_by_who_may_are_refused() {
    let sign = |f: &Furnished, policy: &str, key: &str| {
        let out = f.text("out.jws");
        let ended = boothd(&[
            "policy",
            "sign",
            &f.text(policy),
            "--key",
            &f.text(key),
            "--out",
            &out,
        ]);
        (ended, f.path("out.jws").exists())
    };
    let f = Furnished::new();
    f.change(
        "policy.toml",
        "false_match_rate = 1e-4",
        "false_match_rate = 1e-3",
    );
    let (ended, written) = sign(&f, "policy.toml", "keys/policy-sign.key");
    let words = [
        "policy.toml",
        "face.false_match_rate",
        "found 0.001",
        "1e-6 to 1e-4",
        "mend:",
    ];
    check("below the floor", &ended, 1, &words);
    assert!(!written, "a policy below the floor was signed");

    let f = Furnished::new();
    f.change("policy.toml", "per_step = 3", "per_step = 3\nsurprise = 1");
    let (ended, written) = sign(&f, "policy.toml", "keys/policy-sign.key");
    check(
        "unknown key",
        &ended,
        1,
        &["policy.toml", "surprise", "per_step"],
    );
    assert!(!written);

    let f = Furnished::new();
    let (ended, _) = sign(&f, "policy.toml", "keys/none.key");
    check(
        "no key",
        &ended,
        1,
        &["keys/none.key", "No such file", "make the keys"],
    );
    let (ended, _) = sign(&f, "policy.toml", "keys/uplink.key");
    check(
        "TLS key",
        &ended,
        1,
        &["uplink.key", "is not an Ed25519 private key"],
    );
    let (ended, _) = sign(&f, "none.toml", "keys/policy-sign.key");
    check(
        "no policy",
        &ended,
        1,
        &["none.toml", "No such file", "mend:"],
    );
    let ended = boothd(&[
        "policy",
        "sign",
        &f.text("policy.toml"),
        "--key",
        &f.text("keys/policy-sign.key"),
        "--out",
        "/no/such/folder/p",
    ]);
    check(
        "nowhere to write",
        &ended,
        1,
        &["/no/such/folder/p", "No such file"],
    );

    spoilt(
        "not signed",
        "run",
        |f| {
            fs::copy(f.path("policy.toml"), f.path("policy.jws")).expect("copied");
        },
        &[
            "policy.jws",
            "policy bundle",
            "JWS",
            "mend: `boothd policy sign`",
        ],
    );
    spoilt(
        "signed by a stranger",
        "run",
        |f| {
            // The booth's own key is no policy key.
            let (ended, _) = sign(f, "policy.toml", "keys/booth-sign.key");
            check("signing", &ended, 0, &["signed"]);
            fs::copy(f.path("out.jws"), f.path("policy.jws")).expect("copied");
        },
        &[
            "policy.jws",
            "a key that is not trusted here",
            "mend: `boothd policy sign`",
        ],
    );
    spoilt(
        "altered",
        "run",
        |f| {
            let text = fs::read_to_string(f.path("policy.jws")).expect("the bundle");
            let (rest, signature) = text.rsplit_once('.').expect("a JWS");
            let other = if signature.starts_with('A') { "B" } else { "A" };
            fs::write(
                f.path("policy.jws"),
                format!("{rest}.{other}{}", &signature[1..]),
            )
            .expect("written");
        },
        &["policy.jws", "the signature does not fit", "mend:"],
    );
}

/// Spoils `face_detector.tflite` in a folder of models of the booth's own.
fn model(spoil: impl FnOnce(&Path)) -> impl FnOnce(&Furnished) {
    move |f| spoil(&f.own_models().join("face_detector.tflite"))
}

#[test]
fn models_that_are_not_those_of_the_manifest_are_refused() {
    let name = "face_detector.tflite";
    spoilt(
        "missing model",
        "run",
        model(|path| fs::remove_file(path).expect("removed")),
        &[
            "model face_detector",
            name,
            "No such file",
            "mend: reinstall",
        ],
    );
    spoilt(
        "truncated model",
        "run",
        model(|path| {
            let bytes = fs::read(path).expect("the model");
            fs::write(path, &bytes[..1000]).expect("written");
        }),
        &[
            "model face_detector",
            name,
            "size is 1000 bytes, must be",
            "mend: reinstall",
        ],
    );
    spoilt(
        "bit-flipped model",
        "run",
        model(|path| {
            let mut bytes = fs::read(path).expect("the model");
            bytes[70_000] ^= 0x10;
            fs::write(path, bytes).expect("written");
        }),
        &[
            "model face_detector",
            name,
            "sha256 is",
            "must be",
            "mend: reinstall",
        ],
    );
    spoilt(
        "another model of the same size",
        "run",
        model(|path| {
            let size =
                usize::try_from(fs::metadata(path).expect("the model").len()).expect("small");
            let mut other =
                fs::read(path.with_file_name("face_landmarks.tflite")).expect("a model");
            other.truncate(size);
            fs::write(path, other).expect("written");
        }),
        &[
            "model face_detector",
            name,
            "sha256 is",
            "must be",
            "mend: reinstall",
        ],
    );
    spoilt(
        "no manifest",
        "run",
        |f| fs::remove_file(f.own_models().join("manifest.toml")).expect("removed"),
        &[
            "model manifest",
            "manifest.toml",
            "No such file",
            "mend: reinstall",
        ],
    );
    spoilt(
        "another net than the calibration's",
        "run",
        |f| {
            let source = root().join("models/calibration/face_comparison.toml");
            fs::copy(&source, f.path("calibration.toml")).expect("copied");
            let net = fs::read(root().join("models/face_embedding.tflite")).expect("the net");
            f.change("calibration.toml", &hex(&sha256(&net)), &"ab".repeat(32));
            f.change(
                "boothd.toml",
                &source.to_string_lossy(),
                &f.text("calibration.toml"),
            );
        },
        &[
            "calibration.toml",
            "abababab",
            "is installed",
            "mend: `boothd calibrate faces",
        ],
    );
    spoilt(
        "another net than the attack detection's calibration",
        "run",
        |f| {
            let source = root().join("models/calibration/face_pad.toml");
            fs::copy(&source, f.path("pad.toml")).expect("copied");
            let net = fs::read(root().join("models/face_pad.tflite")).expect("the net");
            f.change("pad.toml", &hex(&sha256(&net)), &"ab".repeat(32));
            f.change(
                "boothd.toml",
                &source.to_string_lossy(),
                &f.text("pad.toml"),
            );
        },
        &["pad.toml", "abababab", "mend: `boothd calibrate pad"],
    );
    spoilt(
        "attacks that the net does not tell from people",
        "run",
        |f| {
            let source = root().join("models/calibration/face_pad.toml");
            let text = fs::read_to_string(&source).expect("the calibration");
            // At the highest threshold nine in a hundred pass, and so at all others.
            let n = "n = 126";
            assert!(text.contains(n), "{n}");
            let passed = text
                .lines()
                .map(|line| match line.strip_prefix("accepted = [") {
                    Some(_) => "accepted = [12]\n".to_owned(),
                    None => format!("{line}\n"),
                })
                .collect::<String>();
            fs::write(f.path("pad.toml"), passed).expect("written");
            f.change(
                "boothd.toml",
                &source.to_string_lossy(),
                &f.text("pad.toml"),
            );
        },
        &[
            "APCER of 9.52 %",
            "`print`",
            "allowed at most 0.07",
            "mend:",
        ],
    );
    spoilt(
        "half a calibration",
        "run",
        |f| {
            let source = root().join("models/calibration/face_comparison.toml");
            let text = fs::read_to_string(&source).expect("the calibration");
            fs::write(f.path("calibration.toml"), &text[..text.len() / 2 + 7]).expect("written");
            f.change(
                "boothd.toml",
                &source.to_string_lossy(),
                &f.text("calibration.toml"),
            );
        },
        &["calibration", "calibration.toml", "mend:"],
    );
}

#[test]
fn only_the_pinned_runtime_is_opened() {
    let runtime = crate::furnished::runtime();
    let runtime = runtime.to_str().expect("UTF-8");
    let elsewhere = |f: &Furnished| f.change("boothd.toml", runtime, &f.text("libLiteRt.so"));
    spoilt(
        "no runtime",
        "run",
        elsewhere,
        &[
            "TFLite runtime",
            "libLiteRt.so",
            "No such file",
            "mend: fetch the pinned runtime",
        ],
    );
    spoilt(
        "another library",
        "run",
        |f| {
            fs::write(f.path("libLiteRt.so"), b"\x7fELF, not really").expect("written");
            elsewhere(f);
        },
        &[
            "TFLite runtime",
            "sha256 is",
            "must be",
            "mend: fetch the pinned runtime",
        ],
    );
    let f = Furnished::new();
    let ended = boothd(&["replay", &f.text("."), "--runtime", "no/such/lib.so"]);
    check(
        "replay",
        &ended,
        1,
        &[
            "no/such/lib.so",
            "No such file",
            "mend: fetch the pinned runtime",
        ],
    );
}

#[test]
fn keys_that_cannot_be_used_are_named_and_not_shown() {
    spoilt(
        "open to others",
        "run",
        |f| {
            let mode = fs::Permissions::from_mode(0o644);
            fs::set_permissions(f.path("keys/booth-sign.key"), mode).expect("owner");
        },
        &[
            "booth-sign.key",
            "mode 0644",
            "allowed is 0600 or 0400",
            "chmod 600",
        ],
    );
    for (verb, key) in [
        ("run", "booth-sign.key"),
        ("run", "wallet-sign.pub.pem"),
        ("run", "policy-sign.pub.pem"),
        ("uplink", "uplink.key"),
        ("uplink", "ca.pem"),
        ("wallet", "wallet-sign.key"),
        ("wallet", "wallet.pem"),
        ("wallet", "booth-sign.pub.pem"),
    ] {
        spoilt(
            key,
            verb,
            |f| fs::remove_file(f.path("keys").join(key)).expect("removed"),
            &[key, "No such file", "make the keys or correct the path"],
        );
        spoilt(
            key,
            verb,
            |f| fs::write(f.path("keys").join(key), "-----BEGIN NONSENSE-----\n").expect("written"),
            &[key, "is not"],
        );
    }
    let f = Furnished::new();
    // A public key in the place of the private one; the message must not quote the file.
    let public = fs::read(f.path("keys/wallet-sign.pub.pem")).expect("a key");
    fs::write(f.path("keys/booth-sign.key"), public).expect("written");
    let ended = f.run("run");
    check(
        "public for private",
        &ended,
        1,
        &["booth-sign.key", "is not an Ed25519 private key"],
    );
    assert!(!ended.said.contains("BEGIN"), "{}", ended.said);
    // `boothd keys` keeps what is there and says what is unusable.
    let ended = boothd(&["keys", "--out", &f.text("keys")]);
    check("keys", &ended, 1, &["booth-sign.key", "is not"]);
}

#[test]
fn a_recording_says_which_picture_is_bad_and_goes_on_with_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let replay = || boothd(&["replay", folder.path().to_str().expect("UTF-8")]);
    check(
        "empty",
        &replay(),
        1,
        &["holds no picture", "allowed: .png, .jpg", "mend:"],
    );
    let ended = boothd(&["replay", "no/such/folder"]);
    check(
        "no folder",
        &ended,
        1,
        &["no/such/folder", "No such file", "mend:"],
    );

    let good = root().join("board/scenes/assets/passport-hopper.jpg");
    let picture = image::open(&good).expect("a picture of the project");
    fs::copy(&good, at("a-good.jpg")).expect("copied");
    fs::write(at("b-junk.jpg"), b"this is no picture").expect("written");
    picture
        .thumbnail_exact(101, 77)
        .save(at("c-odd.png"))
        .expect("saved");
    picture
        .thumbnail_exact(1, 1)
        .save(at("d-one.png"))
        .expect("saved");
    let whole = fs::read(root().join("board/scenes/assets/phone.png")).expect("a picture");
    fs::write(at("e-cut.png"), &whole[..whole.len() / 2]).expect("written");
    fs::write(at("f-empty.png"), b"").expect("written");
    fs::create_dir(at("g-folder.png")).expect("made");
    // A header that promises 60000 x 60000 pixels.
    let mut large = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xea\x60\0\0\xea\x60\x08\x02\0\0\0".to_vec();
    large.extend(crc(&large[12..]).to_be_bytes());
    fs::write(at("h-large.png"), large).expect("written");
    picture
        .thumbnail_exact(200, 3000)
        .save(at("i-tall.png"))
        .expect("saved");
    fs::copy(&good, at("z-good.jpg")).expect("copied");
    let ended = replay();
    check(
        "pictures",
        &ended,
        1,
        &["10 pictures", "of the pictures could not be looked at"],
    );
    let part = |name: &str| {
        let (_, rest) = ended.said.split_once(&format!("\n{name}")).expect(name);
        rest.split("\n\n").next().unwrap_or("").to_owned()
    };
    for bad in [
        "b-junk.jpg",
        "e-cut.png",
        "f-empty.png",
        "g-folder.png",
        "h-large.png",
    ] {
        assert!(part(bad).contains("ERROR"), "{bad}: {}", ended.said);
    }
    for good in ["a-good.jpg", "z-good.jpg"] {
        assert!(
            part(good).contains("MRZ          Td3"),
            "{good}: {}",
            ended.said
        );
    }
    for name in ["c-odd.png", "d-one.png", "i-tall.png"] {
        assert!(
            part(name).contains("ERROR") || part(name).contains("faces"),
            "{name}: {}",
            ended.said
        );
    }
    // Who somebody is is printed only when asked for.
    assert!(!ended.said.contains("HOPPER"), "{}", ended.said);

    fs::write(at("times.csv"), "name,ms\na-good.jpg,0\n../../secret,x\n").expect("written");
    check(
        "times",
        &replay(),
        1,
        &["times.csv", "line 3", "allowed: `name,ms`", "mend:"],
    );
}

/// CRC-32 as PNG has it (ISO 3309).
fn crc(bytes: &[u8]) -> u32 {
    let step = |c: u32, _| {
        if c & 1 == 1 {
            0xedb8_8320 ^ (c >> 1)
        } else {
            c >> 1
        }
    };
    !bytes
        .iter()
        .fold(u32::MAX, |c, b| (0..8).fold(c ^ u32::from(*b), step))
}

#[test]
fn scenes_with_spoilt_files_are_refused_at_the_start() {
    let with_wav = |bytes: &'static [u8]| {
        move |f: &Furnished| {
            let own = f.own_scene();
            fs::write(own.join("voice.wav"), bytes).expect("written");
            f.change(
                "scenes/scene.toml",
                "[room]",
                "[audio]\nwav = \"voice.wav\"\n\n[room]",
            );
        }
    };
    let wav: &[&str] = &[
        "scene.toml",
        "audio.wav",
        "voice.wav",
        "16 kHz, mono, 16 bit",
    ];
    spoilt("empty WAV", "run", with_wav(b""), wav);
    spoilt(
        "junk for WAV",
        "run",
        with_wav(b"junk junk junk junk junk"),
        wav,
    );
    spoilt(
        "truncated WAV",
        "run",
        with_wav(b"RIFF\x24\x08\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\0\x08\0\0\x01\x02\x03"),
        &["voice.wav", "cut off", "promises 1024 samples", "16 kHz, mono, 16 bit"],
    );
    spoilt(
        "a WAV of 44.1 kHz",
        "run",
        with_wav(b"RIFF\x26\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x44\xac\0\0\x88\x58\x01\0\x02\0\x10\0data\x02\0\0\0\x01\x02"),
        &["voice.wav", "is 44100 Hz", "16 kHz, mono, 16 bit"],
    );
    spoilt(
        "no picture",
        "run",
        |f| fs::remove_file(f.own_scene().join("assets/room-plain.jpg")).expect("removed"),
        &[
            "scene.toml",
            "room.picture",
            "room-plain.jpg",
            "No such file",
        ],
    );
    spoilt(
        "cut picture",
        "run",
        |f| {
            let path = f.own_scene().join("assets/person-collins.png");
            let bytes = fs::read(&path).expect("the layer");
            fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
        },
        &["scene.toml", "person.layers", "person-collins.png", "PNG"],
    );
    spoilt(
        "1 x 1",
        "run",
        |f| {
            let own = f.own_scene().join("assets/passport-collins.jpg");
            let picture = image::open(&own).expect("a picture");
            picture.thumbnail_exact(1, 1).save(&own).expect("saved");
        },
        &[
            "scene.toml",
            "document.picture",
            "is 1 x 1 pixels",
            "allowed: 16 to 8192",
        ],
    );
    spoilt(
        "a value",
        "run",
        |f| {
            f.own_scene();
            f.change(
                "scenes/scene.toml",
                "inter_eye_px = 95.0",
                "inter_eye_px = -3.0",
            );
        },
        &["scene.toml", "person.inter_eye_px", "-3", "allowed"],
    );
}

#[test]
fn places_that_cannot_be_used_are_named() {
    spoilt(
        "state below a file",
        "run",
        change("boothd.toml", "\"state\"", "\"board.toml/state\""),
        &[
            "outbox folder",
            "board.toml/state",
            "Not a directory",
            "must be a folder that the service may write",
        ],
    );
    spoilt(
        "wallet's state below a file",
        "wallet",
        |f| {
            f.change(
                "wallet.toml",
                &f.text("wallet"),
                &f.text("board.toml/state"),
            )
        },
        &[
            "wallet database",
            "board.toml/state",
            "Not a directory",
            "mend:",
        ],
    );
    spoilt(
        "a wallet's database that is none",
        "wallet",
        |f| {
            fs::create_dir(f.path("wallet")).expect("made");
            fs::write(f.path("wallet/wallet.db"), vec![7; 9000]).expect("written");
        },
        &["wallet database", "not a database", "mend:"],
    );
    let long = "x".repeat(120);
    spoilt(
        "long socket",
        "run",
        change(
            "boothd.toml",
            "\"uplink.sock\"",
            &format!("\"{long}.sock\""),
        ),
        &["socket", &long, "at most 107 bytes", "mend:"],
    );
    spoilt(
        "a file in the socket's place",
        "run",
        |f| fs::write(f.path("uplink.sock"), "a file").expect("written"),
        &["socket", "uplink.sock", "mend:"],
    );
    spoilt(
        "no folder for the socket",
        "run",
        change("boothd.toml", "\"uplink.sock\"", "\"none/uplink.sock\""),
        &["socket", "none/uplink.sock", "No such file", "mend:"],
    );
}

#[test]
fn a_second_process_in_the_same_place_is_refused_and_the_first_goes_on() {
    let f = Furnished::new();
    let mut first = Running::start(&["run", "--config", &f.config("run")]);
    first.wait_for(" ready ");
    let words = [
        "outbox folder",
        "in use by another process",
        "stop the other one",
    ];
    check("second booth", &f.run("run"), 1, &words);

    let mut wallet = Running::start(&["wallet", "--config", &f.config("wallet")]);
    let mut uplink = Running::start(&["uplink", "--config", &f.config("uplink")]);
    wallet.wait_for("starts");
    uplink.wait_for("starts");
    drop((first, uplink, wallet));

    let listen = fs::read_to_string(f.path("wallet.toml")).expect("text");
    let address = listen.split('"').nth(1).expect("the address").to_owned();
    let taken = std::net::TcpListener::bind(&address).expect("free again");
    check(
        "port in use",
        &f.run("wallet"),
        1,
        &["wallet `listen`", &address, "Address already in use"],
    );
    drop(taken);
}

#[test]
fn every_board_and_example_of_the_project_starts_as_it_is() {
    let f = Furnished::new();
    fs::copy(root().join("board/virtual.toml"), f.path("board.toml")).expect("copied");
    let mut booth = Running::start(&["run", "--config", &f.config("run")]);
    booth.wait_for(" ready ");
}

#[test]
fn what_is_typed_wrongly_exits_with_2() {
    for (args, word) in [
        (&[][..], "Usage"),
        (&["rum"], "unrecognized subcommand 'rum'"),
        (&["run"], "--config"),
        (&["run", "--config"], "a value is required"),
        (&["run", "--config", "a", "b"], "unexpected argument 'b'"),
        (&["replay"], "<FOLDER>"),
        (
            &["replay", ".", "--threads", "many"],
            "invalid value 'many'",
        ),
        (&["replay", ".", "--threads", "0"], "1..=4"),
        (&["replay", ".", "--threads", "200"], "1..=4"),
        (&["policy"], "Usage"),
        (&["policy", "sign"], "<POLICY>"),
        (&["calibrate"], "Usage"),
        (&["calibrate", "faces"], "--out"),
        (&["calibrate", "pad", "a.csv"], "--out"),
        (
            &["calibrate", "pad", "a.csv", "--out", "b", "--apcer", "nan"],
            "allowed: 0.0001 to 1",
        ),
        (&["demo", "--kills", "many"], "--kills"),
        (&["keys"], "--out"),
    ] {
        check(&format!("{args:?}"), &boothd(args), 2, &[word]);
    }
    for args in [&["--help"][..], &["--version"], &["demo", "--help"]] {
        check(&format!("{args:?}"), &boothd(args), 0, &["boothd"]);
    }
}

#[test]
fn the_demonstration_empties_no_folder_of_somebody_else_and_names_a_scene_that_is_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let mine = folder.path().join("mine.txt");
    fs::write(&mine, "precious").expect("written");
    let out = folder.path().to_str().expect("UTF-8");
    let ended = boothd(&["demo", "--out", out]);
    check(
        "foreign folder",
        &ended,
        1,
        &["holds files that are not of a demonstration", "--out"],
    );
    assert_eq!(fs::read_to_string(&mine).expect("still there"), "precious");

    let ended = boothd(&["demo", "--out", mine.to_str().expect("UTF-8")]);
    check("a file", &ended, 1, &["mine.txt", "is no folder", "mend:"]);

    let new = folder.path().join("new");
    let new = new.to_str().expect("UTF-8");
    let ended = boothd(&["demo", "--out", new, "--scene", "nobody"]);
    check(
        "no such scene",
        &ended,
        1,
        &["board/scenes/nobody.toml", "No such file"],
    );
    let ended = boothd(&["demo", "--out", new, "--board", "board/kiosk-a.toml"]);
    check(
        "a real board",
        &ended,
        1,
        &["kiosk-a.toml", "virtual board"],
    );
    let ended = boothd(&["demo", "--out", new, "--policy", "no.toml"]);
    check(
        "no policy",
        &ended,
        1,
        &["no.toml", "No such file", "mend:"],
    );
}

#[test]
fn a_list_to_compare_that_is_wrong_is_named_and_a_right_one_gets_its_scores() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("pairs.csv");
    let scores = folder.path().join("scores.csv");
    let compare = || {
        let (list, scores) = (list.to_str().expect("UTF-8"), scores.to_str());
        boothd(&["compare", list, "--scores", scores.expect("UTF-8")])
    };
    check("no list", &compare(), 1, &["pairs.csv", "No such file"]);
    for (text, words) in [
        ("", &["pairs.csv", "line 1", "no column `a`", "mend:"][..]),
        ("a,c\nx.png,y.png\n", &["line 1", "no column `b`", "mend:"]),
        (
            "a,b\nx.png\n",
            &["line 2", "found 1 columns", "allowed: 2", "mend:"],
        ),
        ("a,b\nx.png,y.png\n", &["line 2", "x.png", "No such file"]),
    ] {
        fs::write(&list, text).expect("written");
        check(&format!("{text:?}"), &compare(), 1, words);
        assert!(!scores.exists(), "{text:?} made scores");
    }
    let assets = root().join("board/scenes/assets");
    let passport = assets.join("passport-hopper.jpg");
    let (face, none) = (passport.display(), assets.join("phone.png"));
    let text = format!(
        "who,b,a\none,{face},{face}\nnobody,{},{face}\n",
        none.display()
    );
    fs::write(&list, text).expect("written");
    check(
        "a list",
        &compare(),
        0,
        &["2 pictures", "1 more not possible"],
    );
    let written = fs::read_to_string(&scores).expect("scores");
    let last = |i: usize| written.lines().nth(i).and_then(|l| l.rsplit(',').next());
    let score: f32 = last(1).expect("a line").parse().expect("a score");
    assert_eq!((last(0), last(2)), (Some("score"), Some("")));
    assert!(score > 0.999, "{score}");
}

#[test]
fn what_replay_says_to_a_program_has_times_and_shows_fields_only_when_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = root().join("board/scenes/assets/passport-hopper.jpg");
    fs::copy(&from, folder.path().join("a.jpg")).expect("copied");
    let place = folder.path().to_str().expect("UTF-8");
    let ended = boothd(&["replay", place, "--rounds", "2"]);
    check("rounds without json", &ended, 2, &["--json"]);
    let said = |more: &[&str]| {
        let ended = boothd(&[&["replay", place, "--json"], more].concat());
        let line = ended.said.lines().find(|l| l.starts_with('{'));
        serde_json::from_str::<serde_json::Value>(line.expect("an object")).expect("JSON")
    };
    let seen = said(&["--look", "document", "--rounds", "2"]);
    assert_eq!(seen["ms"]["document"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&seen["reading"]["kind"], seen.get("faces")),
        (&"mrz".into(), None)
    );
    assert!(!seen.to_string().contains("HOPPER"), "{seen}");
    let shown = said(&["--look", "document", "--show-fields"]);
    let line = shown["reading"]["fields"]["line_1"].as_str();
    assert!(line.is_some_and(|l| l.len() == 44), "{shown}");
    // A picture that is none is an object with an error, and the verb fails.
    fs::write(folder.path().join("b.jpg"), b"none").expect("written");
    let ended = boothd(&["replay", place, "--json", "--look", "code"]);
    check("a bad picture", &ended, 1, &["\"error\":", "b.jpg"]);
}

#[test]
fn a_list_to_calibrate_on_that_is_wrong_is_named_by_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("list.csv");
    let out = folder.path().join("out.toml");
    let (list, out) = (list.to_str().expect("UTF-8"), out.to_str().expect("UTF-8"));
    let calibrate = |what| boothd(&["calibrate", what, list, "--out", out]);
    for what in ["faces", "pad"] {
        let words = ["list.csv", "No such file", "mend:"];
        check(&format!("{what}, no list"), &calibrate(what), 1, &words);
    }
    image::GrayImage::new(64, 64)
        .save(folder.path().join("wall.png"))
        .expect("written");
    fs::write(folder.path().join("words.png"), "no picture").expect("written");
    let pairs = [
        ("", &["line 1", "`a` is missing", "allowed: `a,b,same`"][..]),
        ("x.png,y.png,1\n", &["line 1", "`x.png`", "`a,b,same`"]),
        ("a,same\nx.png,1\n", &["line 1", "`b` is missing"]),
        ("a,b,same\n", &["found no line"]),
        ("a,b,same\nx.png\n", &["line 2", "found 1 cells"]),
        (
            "a,b,same\nx.png,y.png,NaN\n",
            &["line 2", "`NaN`", "same 1 or 0"],
        ),
        (
            "a,b,same\nx.png,y.png,1\n",
            &["line 2", "x.png", "No such file"],
        ),
        (
            "a,b,same\nwords.png,y.png,1\n",
            &["line 2", "words.png", "PNG or JPEG"],
        ),
        (
            "a,b,same\nwall.png,wall.png,1\n",
            &[
                "found 0 comparisons of one person",
                "1 more not possible",
                "at least 20 of each",
            ],
        ),
    ];
    let frames = [
        (
            "",
            &["line 1", "`file` is missing", "allowed: `file,label`"][..],
        ),
        ("file,subject\nx.png,1\n", &["line 1", "`label` is missing"]),
        ("file,label,mood\n", &["line 1", "`mood`", "`subject`"]),
        ("label,file\n", &["found no line"]),
        (
            "file,label\nx.png,live\n",
            &["line 2", "`live`", "bona_fide or print"],
        ),
        ("file,label\nx.png,NaN\n", &["line 2", "`NaN`"]),
        (
            "file,label\nx.png,print\n",
            &["line 2", "x.png", "No such file"],
        ),
        (
            "file,label\nwords.png,print\n",
            &["line 2", "words.png", "PNG or JPEG"],
        ),
        (
            "file,label\nwall.png,bona_fide\n",
            &["found only pictures of `bona_fide`"],
        ),
        (
            "file,label\nwall.png,print\n",
            &["found 0 pictures of `bona_fide`", "at least 20"],
        ),
        (
            "file,label\nwall.png,print\nwall.png,bona_fide\n",
            &["found 0 pictures of `bona_fide` with a face (1 more without)"],
        ),
    ];
    let both = [("faces", &pairs[..]), ("pad", &frames[..])];
    for (what, cases) in both {
        for (text, words) in cases {
            fs::write(list, text).expect("written");
            let name = format!("{what}: {text:?}");
            let mut all = vec!["list.csv", "mend:"];
            all.extend_from_slice(words);
            check(&name, &calibrate(what), 1, &all);
            assert!(!Path::new(out).exists(), "{name} made a calibration");
        }
    }
    let named = boothd(&[
        "calibrate",
        "pad",
        list,
        "--out",
        out,
        "--name",
        "a",
        "--name",
        "b",
    ]);
    check("names", &named, 1, &["found 2 names for 1 lists", "mend:"]);
}

#[test]
fn keys_are_made_once_and_private() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("keys");
    let make = || boothd(&["keys", "--out", out.to_str().expect("UTF-8")]);
    check("first", &make(), 0, &["made", "booth-sign.key"]);
    let before = fs::read(out.join("booth-sign.key")).expect("a key");
    check("second", &make(), 0, &["kept", "booth-sign.key"]);
    assert_eq!(fs::read(out.join("booth-sign.key")).expect("a key"), before);
    for entry in fs::read_dir(&out).expect("keys") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|e| e == "key") {
            let mode = fs::metadata(&path).expect("a file").permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", path.display());
        }
    }
    SoftwareKey::read(&out.join("booth-sign.key")).expect("it can be used");
    check(
        "below a file",
        &boothd(&[
            "keys",
            "--out",
            out.join("ca.pem/x").to_str().expect("UTF-8"),
        ]),
        1,
        &["ca.pem/x", "cannot be written", "Not a directory"],
    );
}
