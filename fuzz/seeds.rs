//! Writes the seeds of the fuzz targets: inputs that get past the first checks, all made up here (the zones are the specimens of
//! ICAO Doc 9303). `cargo run --example fuzz-seeds -- fuzz/corpus`; each is run through its target once.

#[expect(unreachable_pub, reason = "public in the crate of the fuzz targets")]
#[path = "src/lib.rs"]
mod targets;

use boothd::perception::document::mrz::MrzFormat;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _};
use std::path::PathBuf;

/// Specimen zones of ICAO Doc 9303, parts 4 to 7.
const ZONES: [(MrzFormat, &str); 4] = [
    (
        MrzFormat::Td3,
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
    ),
    (
        MrzFormat::Td1,
        "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<",
    ),
    (
        MrzFormat::Td2,
        "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6",
    ),
    (
        MrzFormat::MrvA,
        "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4XXX4009078F96121096ZE184226B<<<<<<",
    ),
];

type Seeds = Vec<(&'static str, String, Vec<u8>)>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let into = std::env::args_os().nth(1).map(PathBuf::from);
    let into = into.ok_or("usage: fuzz-seeds DIR, where a folder for each target is made")?;
    let mut seeds = Seeds::new();
    zones(&mut seeds);
    tickets(&mut seeds)?;
    texts(&mut seeds);
    print(&mut seeds);
    pictures(&mut seeds)?;
    technician(&mut seeds);
    for (target, name, bytes) in &seeds {
        let folder = into.join(target);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("seed-{name}")), bytes)?;
        let run = targets::TARGETS.iter().find(|(n, _)| n == target);
        run.ok_or("a seed of no target")?.1(bytes);
    }
    println!("{} seeds in {}", seeds.len(), into.display());
    Ok(())
}

/// A byte that says what the rest is, and the rest.
fn with(mode: u8, rest: &[u8]) -> Vec<u8> {
    [&[mode], rest].concat()
}

fn zones(seeds: &mut Seeds) {
    for (i, (format, zone)) in (0u8..).zip(ZONES) {
        let plain = zone.replace('\n', "");
        // The modes of the target that have this shape: as it stands, and with all check digits made right.
        let (shaped, mended) = match format {
            MrzFormat::Td1 => (1, 0xf9),
            MrzFormat::Td2 => (3, 0xfb),
            MrzFormat::Td3 => (5, 0xfd),
            MrzFormat::MrvA | MrzFormat::MrvB => (7, 0xff),
        };
        let mut add = |name: &str, bytes| seeds.push(("mrz", format!("{name}-{i}"), bytes));
        add("lines", with(0, zone.as_bytes()));
        add("shaped", with(shaped, plain.as_bytes()));
        let confused = plain.replace("D23", "O23").replace("898", "8O8");
        add("mended", with(mended, confused.as_bytes()));
        let mut read: Vec<u8> = Vec::new();
        for line in zone.lines() {
            read.push(0);
            // A reader needs a blank between equal characters.
            read.extend(line.bytes().flat_map(|b| [b, b' ']));
            read.push(0xff);
        }
        read.pop();
        seeds.push(("text", format!("zone-{i}"), read.clone()));
        // The last filler of the first line is lost.
        let at = read.iter().position(|b| *b == 0xff).unwrap_or(2);
        read.drain(at - 2..at);
        seeds.push(("text", format!("short-{i}"), read));
    }
    let logits: Vec<u8> = (0..38 * 4)
        .flat_map(|i| (i as f32 % 7.0).to_le_bytes())
        .collect();
    seeds.push(("text", "logits".to_owned(), with(1, &logits)));
}

/// A map with two lines of print that touch at a corner and one apart, and a line with some characters.
fn print(seeds: &mut Seeds) {
    let mut map = vec![0, 29, 0];
    for y in 0..12u32 {
        for x in 0..30u32 {
            let first = (2..14).contains(&x) && (1..4).contains(&y);
            let second = (14..28).contains(&x) && (4..7).contains(&y);
            let third = (3..26).contains(&x) && (9..11).contains(&y);
            map.push(if first || second || third { 220 } else { 5 });
        }
    }
    seeds.push(("print", "map".into(), map));
    for mode in [1u8, 3] {
        let mut line = vec![mode, 4];
        for class in [0usize, 3, 3, 0, 5, 7, 7, 1, 0, 12] {
            let step: [u8; 13] = std::array::from_fn(|i| if i == class { 230 } else { 1 });
            line.extend(step);
        }
        seeds.push(("print", format!("line-{mode}"), line));
    }
}

fn tickets(seeds: &mut Seeds) -> Result<(), Box<dyn std::error::Error>> {
    use boothd::trust::keys::SoftwareKey;
    use boothd::trust::ticket::{self, Field, Reference};
    let mut claims = targets::ticket::seed_claims();
    let mut add = |name: &str, bytes| seeds.push(("ticket", name.to_owned(), bytes));
    add("claims", with(2, &serde_json::to_vec(&claims)?));
    let key = SoftwareKey::from_seed(&[1; 32]);
    add("text", with(0, ticket::issue(&claims, &key)?.as_bytes()));
    claims.claim(Field::PrimaryIdentifier, "ERIKSSON");
    claims.claim(Field::BirthDate, "740812");
    claims.reference = Reference::new(vec![7; 40]);
    let full = serde_json::to_vec(&claims)?;
    add("full", with(2, &full));
    let header = br#"{"alg":"EdDSA","kid":"0123456789abcdef","typ":"boothd-ticket"}"#;
    let parts: [&[u8]; 3] = [header, &full, &[9; 64]];
    add("parts", with(1, &parts.join(&0xff)));
    for (i, value) in (0u8..).zip([
        "L898902C3",
        "1974-08-12",
        "2012-04-15",
        "O'Neill-Eriksson",
        "Anna Maria",
        "UTO",
        "F",
    ]) {
        add(&format!("field-{i}"), with(3, &with(i, value.as_bytes())));
    }
    Ok(())
}

fn texts(seeds: &mut Seeds) {
    let good = targets::manifest::GOOD;
    seeds.push(("manifest", "good".into(), with(0, good.as_bytes())));
    let edits = [
        (2u8, "\"face_landmarks\""),
        (4, "\"abc\""),
        (5, "-1"),
        (15, "[1, 0, 3]"),
        (16, "nan"),
        (17, "128"),
        (21, "[1, 2]"),
    ];
    for (i, (line, value)) in edits.into_iter().enumerate() {
        let edit = with(line, value.as_bytes());
        seeds.push(("manifest", format!("edit-{i}"), with(1, &edit)));
    }
    // Made up; the region is of a province, the sequence of nobody.
    let number = b"11010119900307000";
    seeds.push(("gb11643", "digits".into(), with(1, number)));
    seeds.push(("gb11643", "text".into(), with(0, b"110101199003070003")));
    for code in 0..20u8 {
        seeds.push(("qr", format!("whole-{code:02}"), vec![1, code, 0]));
    }
    let damaged = [&[1, 9, 4][..], &[1, 7, 0, 200, 1, 33, 0, 250], &[20, 0x81]].concat();
    seeds.push(("qr", "damaged".into(), damaged));
    seeds.push(("qr", "bits".into(), [&[0, 21][..], &[0x5a; 56]].concat()));
}

/// What a technician types, and what goes to his terminal.
fn technician(seeds: &mut Seeds) {
    for (i, (form, _, _)) in boothd::technician::grammar::all().into_iter().enumerate() {
        let typed = form
            .replace("WORK-ORDER", "WO-1234")
            .replace("ROLE", "service")
            .replace("SECONDS", "60")
            .replace("MINUTES", "5")
            .replace("LINES", "24")
            .replace("PERCENT", "50")
            .replace("BLOCK", "120")
            .replace("MODULE LEVEL", "hal debug")
            .replace("ITEM RESULT", "lens cleaned")
            .replace("REASON", "hang")
            .replace("CHARSET", "utf-8")
            .replace("LANGUAGE", "zh")
            .replace("SWITCH", "on")
            .replace(" ID", " Q69G-5FAV");
        seeds.push(("console", format!("line-{i:02}"), with(0, typed.as_bytes())));
    }
    let keys = b"sho\tver\r\x1b[A\x1b[D\x1b[Dx\x7f\x01\x0b?\x1bOH\x15noise\xff\x00\x80\r\n\x03\x04";
    seeds.push(("console", "keys".into(), with(1, keys)));
    seeds.push(("console", "long".into(), with(1, &[b'x'; 300])));
    let row = [
        "camera.fps",
        "29.87",
        "1/s",
        ">= 24",
        "clean the lens with a dry cloth",
        "self-test",
        "\u{706f}\u{5149}",
    ];
    for mode in 0..2 {
        let parts = row.map(|p| p.as_bytes().to_vec()).join(&0xff);
        seeds.push((
            "plain",
            format!("report-{mode}"),
            [&[mode | 4, 40][..], &parts].concat(),
        ));
        let tricks = "\u{1b}[2J\u{9b}31m\u{202e}x\u{200b}\u{2028}\u{feff}\r\n\u{7}";
        seeds.push((
            "plain",
            format!("tricks-{mode}"),
            [&[mode, 20][..], tricks.as_bytes()].concat(),
        ));
    }
}

fn pictures(seeds: &mut Seeds) -> Result<(), Box<dyn std::error::Error>> {
    for (i, (width, height)) in [(16u32, 16u32), (9, 17), (2, 2)].into_iter().enumerate() {
        let rgb: Vec<u8> = (0..width * height * 3)
            .map(|v| (v * 37 % 251) as u8)
            .collect();
        let grey = &rgb[..(width * height) as usize];
        for (kind, layout, pixels) in [
            ("rgb", ExtendedColorType::Rgb8, &rgb[..]),
            ("grey", ExtendedColorType::L8, grey),
        ] {
            let mut jpeg = Vec::new();
            JpegEncoder::new_with_quality(&mut jpeg, 60).encode(pixels, width, height, layout)?;
            let mut png = Vec::new();
            PngEncoder::new(&mut png).write_image(pixels, width, height, layout)?;
            let mut add = |name: &str, mode, bytes: &[u8]| {
                seeds.push(("jpeg", format!("{name}-{kind}-{i}"), with(mode, bytes)));
            };
            add("agreed", 0, &jpeg);
            add("other", 1, &jpeg);
            add("recording", 2, &jpeg);
            add("png", 2, &png);
        }
    }
    seeds.push((
        "jpeg",
        "rows".into(),
        [&[3, 4, 2, 10][..], &[5; 20]].concat(),
    ));
    // How, format, width, height, stride, missing, eight numbers of three bytes, size of the output, pixels.
    for how in 0..32u8 {
        let mut input = vec![how * 8 + how % 4, how % 3, 12, 9, how % 5 + 2, 0];
        for real in [1.0f32, 0.1, 2.0, -0.1, 1.0, 1.0, 8.0, 0.5] {
            input.push(0);
            input.extend(((real * 16.0) as i16).to_le_bytes());
        }
        input.extend([67, 2]);
        input.extend(0..64u8);
        seeds.push(("image", format!("frame-{how:02}"), input));
    }
    Ok(())
}
