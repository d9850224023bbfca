//! The real thing from end to end: wallet, uplink and booth as three processes, people who come with tickets, and what is in the
//! wallet's database afterwards, looked at from outside: the signatures with an implementation that is not ours, the records
//! member by member, and all that was written down for anything that a person has claimed.

use crate::furnished::{boothd, root, turn};
use base64::Engine as _;
use boothd::models::ModelTask;
use boothd::trust::{hex, sha256, unbase64url};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const SCENES: [&str; 3] = ["passport", "badcheck", "network-down"];

/// A row of the wallet's table of outcomes.
struct Row {
    seq: i64,
    ticket: String,
    result: String,
    sha256: Vec<u8>,
    jws: String,
}

fn rows(out: &Path) -> Vec<Row> {
    let file = out.join("wallet/wallet.db");
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .expect("the wallet's database");
    let sql = "SELECT booth, seq, ticket, result, sha256, jws FROM outcome ORDER BY epoch, seq";
    let mut statement = db.prepare(sql).expect("the table of outcomes");
    let rows = statement.query_map([], |r| {
        assert_eq!(r.get::<_, String>(0)?, "BOOTH-DEMO");
        Ok(Row {
            seq: r.get(1)?,
            ticket: r.get(2)?,
            result: r.get(3)?,
            sha256: r.get(4)?,
            jws: r.get(5)?,
        })
    });
    rows.expect("rows").map(|r| r.expect("a row")).collect()
}

/// The payload of a JWS whose signature `jsonwebtoken` (on ring) finds good for a public key file of ours.
fn verified_elsewhere(jws: &str, key: &Path) -> Result<Value, jsonwebtoken::errors::Error> {
    let pem = fs::read_to_string(key).expect("a public key");
    let der: String = pem.lines().filter(|l| !l.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(der);
    let der = der.expect("PEM");
    // SubjectPublicKeyInfo of Ed25519 (RFC 8410): 12 bytes, then the 32 of the key.
    assert_eq!(der.len(), 44);
    let x = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&der[12..]);
    let key = DecodingKey::from_ed_components(&x)?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    // An outcome is a record, not a token: it does not expire and is for nobody in particular.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    Ok(jsonwebtoken::decode::<Value>(jws, &key, &validation)?.claims)
}

fn header(jws: &str) -> Value {
    let head = unbase64url(jws.split('.').next().expect("a header")).expect("base64url");
    serde_json::from_slice(&head).expect("JSON")
}

/// Copies the scenes with quicker people and absolute paths.
fn quick_scenes(to: &Path) {
    let from = root().join("board/scenes");
    let assets = format!("\"{}/", from.join("assets").display());
    for name in SCENES {
        let text = fs::read_to_string(from.join(format!("{name}.toml"))).expect("a scene");
        let quick = text
            .replace("\"assets/", &assets)
            .replace("seed = ", "pace = 3.0\nseed = ");
        assert!(quick.contains("pace = 3.0") && quick.contains(&assets));
        fs::write(to.join(format!("{name}.toml")), quick).expect("written");
    }
}

/// All claimed values of the scenes, and dates also as a machine readable zone has them.
fn claimed() -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    for name in SCENES {
        let path = root().join(format!("board/scenes/{name}.toml"));
        let scene: toml::Table =
            toml::from_str(&fs::read_to_string(path).expect("a scene")).expect("TOML");
        let claims = scene["ticket"]["claims"].as_table().expect("claims");
        for (field, value) in claims {
            let value = value.as_str().expect("a text");
            // One letter and a state's code stand everywhere.
            if !["sex", "nationality"].contains(&field.as_str()) {
                values.insert(value.to_owned());
                values.insert(value.replace(' ', "<"));
                if field.ends_with("_date") {
                    values.insert(value[2..].replace('-', ""));
                    values.insert(value.replace('-', ""));
                }
            }
        }
    }
    assert!(
        values.contains("870319") && values.contains("MARA<ELENA"),
        "{values:?}"
    );
    values
}

fn files_below(folder: &Path, into: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files_below(&path, into);
        } else if path.is_file() {
            into.push(path);
        }
    }
}

/// Says where one of the values stands in some bytes, large or small letters.
fn assert_silent(place: &str, bytes: &[u8], values: &BTreeSet<String>) {
    let text = String::from_utf8_lossy(bytes).to_uppercase();
    for value in values {
        assert!(
            !text.contains(&value.to_uppercase()),
            "{place} says `{value}`"
        );
    }
}

/// The trace without its measurements: they have digits enough to hold a date's by chance. Texts and whole numbers stay.
fn without_measurements(bytes: &[u8]) -> Vec<u8> {
    fn strip(value: &mut Value) {
        match value {
            Value::Number(n) if n.is_f64() => *value = Value::Null,
            Value::Array(all) => all.iter_mut().for_each(strip),
            Value::Object(all) => all.values_mut().for_each(strip),
            _ => {}
        }
    }
    let mut out = String::new();
    for line in String::from_utf8_lossy(bytes).lines() {
        // The last line may be cut off where the process ended: it is looked at as it is.
        match serde_json::from_str::<Value>(line) {
            Ok(mut value) => {
                strip(&mut value);
                out.push_str(&value.to_string());
            }
            Err(_) => out.push_str(line),
        }
        out.push('\n');
    }
    out.into_bytes()
}

#[test]
fn only_measurements_are_taken_out_of_a_trace() {
    for (line, expected) in [
        ("{\"x\":0.340814}", "{\"x\":null}\n"),
        (
            "{\"x\":[340814,\"0.340814\"]}",
            "{\"x\":[340814,\"0.340814\"]}\n",
        ),
        ("{\"340814\":{\"a\":1.5}}", "{\"340814\":{\"a\":null}}\n"),
        ("{\"x\":0.340814", "{\"x\":0.340814\n"),
    ] {
        let found = without_measurements(line.as_bytes());
        assert_eq!(String::from_utf8_lossy(&found), expected);
    }
}

#[test]
fn three_people_three_processes_three_outcomes() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let (out, scenes) = (folder.path().join("out"), folder.path().join("scenes"));
    fs::create_dir(&scenes).expect("a folder");
    quick_scenes(&scenes);
    let board = fs::read_to_string(root().join("board/virtual.toml")).expect("a board");
    let slow = board.replace("frames_per_s = 30.0", "frames_per_s = 10.0");
    assert_ne!(board, slow);
    let board = folder.path().join("board.toml");
    fs::write(&board, slow).expect("written");
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let (out_text, scenes_text, board_text) = (text(&out), text(&scenes), text(&board));
    let mut args = vec![
        "demo",
        "--out",
        &out_text,
        "--scenes",
        &scenes_text,
        "--board",
        &board_text,
    ];
    for name in SCENES {
        args.extend(["--scene", name]);
    }
    let ended = boothd(&args);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    // Decided without the wallet, and sent when it was there again.
    let waited = "in the outbox while the wallet was down; arrived once";
    assert!(ended.said.contains(waited), "{}", ended.said);

    let rows = rows(&out);
    let results: Vec<&str> = rows.iter().map(|r| r.result.as_str()).collect();
    assert_eq!(results, ["verified", "review", "verified"]);
    let tickets: BTreeSet<&str> = rows.iter().map(|r| r.ticket.as_str()).collect();
    assert_eq!(tickets.len(), 3, "an outcome is there twice");
    let records = check_signatures(&out, &rows);
    for (row, record) in rows.iter().zip(&records) {
        check_record(&out, row, record);
    }
    check_decisions(&records);
    check_privacy(&out, &records);
}

/// Every signature is good for the booth's key and for no other, and each outcome names the one before.
fn check_signatures(out: &Path, rows: &[Row]) -> Vec<Value> {
    let key = |name: &str| out.join(format!("keys/{name}.pub.pem"));
    let mut before = "0".repeat(64);
    let mut records = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let record = verified_elsewhere(&row.jws, &key("booth-sign"));
        records.push(record.expect("a good signature"));
        verified_elsewhere(&row.jws, &key("wallet-sign")).expect_err("another key");
        let (rest, signature) = row.jws.rsplit_once('.').expect("a JWS");
        let other = if signature.starts_with('A') { "B" } else { "A" };
        let changed = format!("{rest}.{other}{}", &signature[1..]);
        verified_elsewhere(&changed, &key("booth-sign")).expect_err("another signature");

        let header = header(&row.jws);
        assert_eq!(header["alg"], "EdDSA");
        assert_eq!(header["typ"], "boothd-outcome");
        assert_eq!(header["dev"], "BOOTH-DEMO");
        assert_eq!(header["seq"], i + 1);
        assert_eq!(
            header["prev"],
            before.as_str(),
            "the chain is broken at {}",
            row.seq
        );
        before = hex(&sha256(row.jws.as_bytes()));
        assert_eq!(hex(&row.sha256), before);
    }
    records
}

/// What every record must say, whatever came out.
fn check_record(out: &Path, row: &Row, record: &Value) {
    assert_eq!(record["v"], 1);
    assert_eq!(record["result"], row.result.as_str());
    assert_eq!(record["ticket"], row.ticket.as_str());
    let session = record["session"].as_str().expect("a session");
    let reference = format!("{}-{}", &session[18..22], &session[22..]);
    assert_eq!(record["reference"], reference.as_str());
    assert_eq!(record["purpose"], "onboarding");
    let policy = fs::read(out.join("policy.jws")).expect("the policy");
    assert_eq!(record["policy"]["id"], "utopia-standard");
    assert_eq!(record["policy"]["sha256"], hex(&sha256(&policy)).as_str());
    assert_eq!(record["consent"]["given"], true);
    assert_eq!(record["specimen"], true);

    let models = record["models"].as_array().expect("models");
    let mut tasks = BTreeSet::new();
    for model in models {
        let task = model["task"].as_str().expect("a task");
        let file = fs::read(root().join(format!("models/{task}.tflite"))).expect("the model");
        assert_eq!(model["sha256"], hex(&sha256(&file)).as_str(), "{task}");
        tasks.insert(task);
    }
    assert_eq!(tasks.len(), ModelTask::ALL.len());

    let checks: BTreeMap<&str, &Value> = record["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .map(|c| (c["name"].as_str().expect("a name"), c))
        .collect();
    for (name, check) in &checks {
        let outcome = check["outcome"].as_str().expect("an outcome");
        let known = ["passed", "failed", "not_tested", "not_possible"];
        assert!(known.contains(&outcome), "{name}: {outcome}");
        if let Some(model) = check["model"].as_str() {
            assert!(
                tasks.contains(model),
                "{name} rests on `{model}`, which is not listed"
            );
        }
    }
    let comparison = checks["face.comparison"];
    let (score, limit) = (
        &comparison["measure"]["value"],
        &comparison["measure"]["limit"],
    );
    assert_eq!(limit, &record["threshold"]["score"]);
    assert!(
        score.as_f64() >= limit.as_f64() && score.as_f64() <= Some(1.0),
        "{comparison}"
    );
    assert_eq!(comparison["model"], "face_embedding");
    // What is not built is not said to have passed.
    for name in ["document.copy", "document.portrait_tampering"] {
        assert_eq!(checks[name]["outcome"], "not_tested", "{name}");
        assert_eq!(checks[name]["note"], "not_built", "{name}");
    }
    let rate = |end: &str| record["threshold"][end].as_f64().expect("a rate");
    let (lower, at, upper) = (
        rate("false_match_rate_lower95"),
        rate("false_match_rate"),
        rate("false_match_rate_upper95"),
    );
    assert!(0.0 < lower && lower < at && at < upper && upper <= 1e-4);
    // Attack detection says what it is, what it rests on, and whether anybody acts on it.
    let pad = &record["pad"];
    assert_eq!(pad["method"], "passive_single_frame_net");
    assert_eq!(pad["iso_30107_conformance"], "not_claimed");
    let check = checks["face.pad"];
    assert_eq!(check["model"], "face_pad");
    assert_eq!(check["measure"]["limit"], pad["threshold"]["score"]);
    assert!(pad["n_frames"].as_u64() >= Some(5), "{pad}");
    assert_eq!(pad["threshold"]["worst_species"], "print");
    assert!(
        pad["threshold"]["apcer_upper95"].as_f64() > Some(0.0),
        "{pad}"
    );
    let caution = pad["threshold"]["calibration"].as_str().expect("a text");
    assert!(caution.contains("paper masks"), "{caution}");
}

/// What the three scenes are about.
fn check_decisions(records: &[Value]) {
    let [passport, badcheck, network] = records else {
        panic!("{} records", records.len());
    };
    for good in [passport, network] {
        assert_eq!(good["disposition"], "none");
        assert_eq!(good["attribution"], Value::Null);
        assert_eq!(good["reasons"], Value::Array(Vec::new()));
        assert_eq!(good["message"], "result.verified");
        assert_eq!(good["uses_attempt"], false);
        let fields = good["fields"].as_object().expect("fields");
        assert_eq!(fields.len(), 7);
        assert!(fields.values().all(|f| f == "match"), "{fields:?}");
    }
    assert_eq!(passport["preflight"]["checks"]["network"], "ok");

    let reason = &badcheck["reasons"][0];
    assert_eq!(reason["code"], "doc.suspect.mrz_check_digit");
    assert_eq!(badcheck["disposition"], "retry_attended");
    assert_eq!(badcheck["attribution"], "security");
    assert_eq!(badcheck["message"], "neutral.security");
    let limit = reason["measure"]["limit"].as_f64().expect("a limit");
    assert!(
        reason["measure"]["value"].as_f64() > Some(limit),
        "{reason}"
    );
}

/// Neither outcomes nor logs nor databases say anything of what was claimed. (The virtual booth's own record of its rendered
/// scenes is not looked at: it is the stage's, a real booth has none.)
fn check_privacy(out: &Path, records: &[Value]) {
    let mut values = claimed();
    for record in records {
        // In the records also single names, which in other places could stand by chance.
        values.extend(["MARA".to_owned(), "ELENA".to_owned()]);
        assert_silent("an outcome", record.to_string().as_bytes(), &values);
    }
    let values = claimed();
    let mut files = Vec::new();
    for folder in ["logs", "wallet", "booth", "uplink"] {
        files_below(&out.join(folder), &mut files);
    }
    files.push(out.join("trace.jsonl"));
    let looked_at = |name: &str| files.iter().any(|f| f.ends_with(name));
    for name in [
        "booth.log",
        "uplink.log",
        "wallet.log",
        "wallet.db",
        "outbox.db",
    ] {
        assert!(looked_at(name), "{name} is not there: {files:?}");
    }
    for file in &files {
        let mut bytes = fs::read(file).expect("a file");
        if file.ends_with("trace.jsonl") {
            bytes = without_measurements(&bytes);
        }
        assert_silent(&file.display().to_string(), &bytes, &values);
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("panicked at"), "{}", file.display());
    }
    // All was acknowledged: nothing of an outcome is left in the booth.
    let db = Connection::open_with_flags(
        out.join("booth/outbox.db"),
        OpenFlags::SQLITE_OPEN_READ_ONLY,
    );
    let left: i64 = db
        .expect("the outbox")
        .query_row("SELECT count(*) FROM outcome", [], |r| r.get(0))
        .expect("a count");
    assert_eq!(left, 0);
}
