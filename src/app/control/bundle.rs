//! The bundle: what helps somebody far away to understand the booth, as a `tar.gz` with a manifest of hashes. Nothing of a person is in it,
//! and by default not even sessions; each item has a time limit, so that a disk that hangs costs its own item only.

use super::{Control, locked};
use crate::technician::command::Topic;
use crate::technician::control::{Answers, Go};
use crate::technician::report::{Code, Report, Row};
use crate::trust::{hex, sha256};
use crossbeam_channel::bounded;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

/// For each item.
const ITEM_WITHIN: Duration = Duration::from_secs(5);
/// An item is cut off here.
const MOST_BYTES: usize = 256 * 1024;

/// Bytes, or why there are none.
type Item = Result<Vec<u8>, String>;

/// Does it on a thread of its own and gives up waiting after the limit.
fn within(work: impl FnOnce() -> Item + Send + 'static) -> Item {
    let (done, result) = bounded(1);
    let spawned = std::thread::Builder::new()
        .name("bundle-item".to_owned())
        .spawn(move || {
            // Nobody waits for what came too late.
            let _ = done.try_send(work());
        });
    if let Err(error) = spawned {
        return Err(error.to_string());
    }
    result
        .recv_timeout(ITEM_WITHIN)
        .unwrap_or_else(|_| Err(format!("not there within {} s", ITEM_WITHIN.as_secs())))
}

fn file(path: PathBuf) -> Item {
    within(move || std::fs::read(&path).map_err(|e| e.to_string()))
}

fn report_item(report: &Report) -> Item {
    serde_json::to_vec_pretty(report).map_err(|e| e.to_string())
}

/// Packs items and a manifest of them; what could not be had is in the manifest with its reason.
fn pack(booth: &str, at: &str, items: Vec<(&str, Item)>) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, format!("boothd-bundle/{name}"), bytes)
    };
    let mut listed = Vec::new();
    for (name, item) in items {
        match item {
            Ok(mut bytes) => {
                let cut = bytes.len() > MOST_BYTES;
                bytes.truncate(MOST_BYTES);
                listed.push(json!({"name": name, "bytes": bytes.len(), "sha256": hex(&sha256(&bytes)), "cut": cut}));
                add(name, &bytes)?;
            }
            Err(why) => listed.push(json!({"name": name, "missing": why})),
        }
    }
    let manifest = json!({
        "booth": booth, "made": at, "software": env!("CARGO_PKG_VERSION"), "redacted": true, "items": listed,
    });
    add("manifest.json", &serde_json::to_vec_pretty(&manifest)?)?;
    archive.into_inner()?.finish()
}

impl Control {
    pub(super) fn bundle_create(&self, answers: &mut dyn Answers) -> Report {
        let state = |name: &str| self.config.outbox.state_dir.join(name);
        let topics = [
            ("version.json", Topic::Version),
            ("status.json", Topic::Status),
            ("sensors.json", Topic::Sensors),
            ("network.json", Topic::Network),
            ("outbox.json", Topic::Outbox),
            ("policy.json", Topic::Policy),
            ("models.json", Topic::Models),
            ("calibration.json", Topic::Calibration),
            ("counters.json", Topic::Counters),
            ("trends.json", Topic::Trends),
        ];
        let files = [
            ("faults.json", state("faults.json")),
            ("selftest.json", state("selftest.json")),
            ("devices.json", state("devices.json")),
            ("inspections.json", state("inspections.json")),
            ("site.jws", state("site.jws")),
            // Paths and numbers; keys are in files of their own.
            ("boothd.toml", self.config_path.clone()),
            ("board.toml", self.config.board.clone()),
        ];
        let of = u32::try_from(topics.len() + files.len() + 2).unwrap_or(0);
        let mut items: Vec<(&str, Item)> = Vec::new();
        for (name, topic) in topics {
            let done = u32::try_from(items.len()).unwrap_or(0);
            if answers.progress(name, done, of) == Go::Stop {
                return Report::new("no bundle was made", Code::Stopped);
            }
            items.push((name, report_item(&self.show(topic))));
        }
        for (name, path) in files {
            items.push((name, file(path)));
        }
        items.push(("trends.csv", Ok(self.trends.days_as_csv().into_bytes())));
        let log = self.log.newest(500).join("\n");
        items.push(("log.txt", Ok(log.into_bytes())));
        let missing: Vec<String> = items
            .iter()
            .filter_map(|(name, item)| Some(format!("{name}: {}", item.as_ref().err()?)))
            .collect();
        let n = items.len() - missing.len();
        let made = super::show::at(self.clock.wall().0);
        let bytes = match pack(self.booth.as_str(), &made, items) {
            Ok(bytes) => bytes,
            Err(error) => {
                return Report::refusal(Code::Failed, format!("not packed: {error}"), "try again");
            }
        };
        let whole = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let blocks = bytes.len().div_ceil(crate::technician::control::BLOCK);
        let mut rows = vec![
            Row::told("items", whole(n), ""),
            Row::told("bytes", whole(bytes.len()), ""),
            Row::told("blocks", whole(blocks), ""),
            Row::told("sha256", hex(&sha256(&bytes)), ""),
        ];
        rows.extend(missing.into_iter().map(|why| Row::told("missing", why, "")));
        *locked(&self.bundle) = Some(bytes);
        let mut report = Report::of_rows("bundle: tar.gz, redacted", rows);
        report.next = "`bundle send` brings it over this line".to_owned();
        report
    }

    pub(super) fn bundle_send(&self, from_block: u32, answers: &mut dyn Answers) -> Report {
        let Some(bytes) = locked(&self.bundle).clone() else {
            return Report::refusal(
                Code::NotFound,
                "no bundle was made since the service started",
                "`bundle create`",
            );
        };
        let blocks = u32::try_from(bytes.len().div_ceil(crate::technician::control::BLOCK))
            .unwrap_or(u32::MAX);
        if from_block >= blocks {
            return Report::refusal(
                Code::Argument,
                format!(
                    "block {from_block}: the bundle has blocks 0 to {}",
                    blocks - 1
                ),
                "name one of them",
            );
        }
        if answers.bundle(&bytes, from_block) == Go::Stop {
            return Report::new("stopped: `bundle send from BLOCK` goes on", Code::Stopped);
        }
        let rows = vec![
            Row::told("blocks", i64::from(blocks), ""),
            Row::told("sha256", hex(&sha256(&bytes)), ""),
        ];
        Report::of_rows("bundle sent", rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn a_bundle_has_its_items_and_a_manifest_with_their_hashes() {
        let items = vec![
            ("a.txt", Ok(b"hello".to_vec())),
            ("b.txt", Err("not there within 5 s".to_owned())),
            ("c.txt", Ok(vec![7; MOST_BYTES + 9])),
        ];
        let bytes = pack("BOOTH-1", "now", items).expect("packed");
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..]));
        let mut found = std::collections::BTreeMap::new();
        for entry in archive.entries().expect("an archive") {
            let mut entry = entry.expect("an entry");
            let name = entry.path().expect("a name").display().to_string();
            let mut text = Vec::new();
            entry.read_to_end(&mut text).expect("bytes");
            found.insert(name, text);
        }
        assert_eq!(found.len(), 3);
        let manifest: serde_json::Value =
            serde_json::from_slice(&found["boothd-bundle/manifest.json"]).expect("JSON");
        assert_eq!(
            manifest["items"][0]["sha256"],
            hex(&sha256(b"hello")).as_str()
        );
        assert_eq!(manifest["items"][1]["missing"], "not there within 5 s");
        assert_eq!(
            (&manifest["items"][2]["bytes"], &manifest["items"][2]["cut"]),
            (&json!(MOST_BYTES), &json!(true))
        );
    }
}
