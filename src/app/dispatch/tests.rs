//! What the desk allows, and bundles that come over a noisy line.

use super::*;
use crate::technician::console::block_line;

fn wall() -> WallTime {
    WallTime(1_795_468_444_000)
}

#[test]
fn the_next_work_order_waits_for_the_closing_code() {
    let key = CodeKey::from_bytes([1; 32]);
    let (a, b) = (
        booth("BOOTH-0001").expect("good"),
        booth("BOOTH-0002").expect("good"),
    );
    let (one, two) = (order("WO-1").expect("good"), order("WO-2").expect("good"));
    let challenge = |n| Challenge::from_bits([n; 5]);
    let mut book = Book::default();
    let answer = |book: &mut Book, booth, order, n, give_up| {
        book.answer(booth, order, Role::View, &challenge(n), give_up, wall())
            .map_err(|e| e.to_string())
    };
    assert_eq!(answer(&mut book, &a, &one, 1, None), Ok(()));
    assert!(
        answer(&mut book, &a, &one, 1, None)
            .expect_err("twice")
            .contains("answered before")
    );
    assert_eq!(
        answer(&mut book, &a, &one, 2, None),
        Ok(()),
        "a mistyped code"
    );
    assert!(
        answer(&mut book, &a, &two, 3, None)
            .expect_err("open")
            .contains("WO-1")
    );
    assert_eq!(
        answer(&mut book, &b, &two, 3, None),
        Ok(()),
        "another booth"
    );

    let code = |n, lines, head: &str| {
        let challenge = challenge(n);
        key.closing_code(&ClosingClaims {
            booth: &a,
            challenge: &challenge,
            work_order: "WO-1",
            audit_lines: lines,
            audit_head: head,
        })
    };
    let close = |book: &mut Book, lines, head, code: &Code| {
        book.close(&key, &a, &one, (lines, head), code, wall())
            .map_err(|e| e.to_string())
    };
    assert!(
        close(&mut book, 12, "0123abcd", &code(9, 12, "0123abcd"))
            .expect_err("another challenge")
            .contains("does not fit")
    );
    assert!(
        close(&mut book, 13, "0123abcd", &code(2, 12, "0123abcd"))
            .expect_err("another number")
            .contains("does not fit")
    );
    assert_eq!(
        close(&mut book, 12, "0123abcd", &code(2, 12, "0123abcd")),
        Ok(())
    );
    assert!(
        close(&mut book, 12, "0123abcd", &code(2, 12, "0123abcd"))
            .expect_err("closed")
            .contains("not open")
    );

    // The same order again, and a log that has become shorter.
    assert_eq!(answer(&mut book, &a, &one, 4, None), Ok(()));
    assert!(
        close(&mut book, 11, "0123abcd", &code(4, 11, "0123abcd"))
            .expect_err("shorter")
            .contains("cut off")
    );
    assert_eq!(
        answer(&mut book, &a, &two, 5, Some("cable was pulled")),
        Ok(())
    );
    let again: Book =
        serde_json::from_str(&serde_json::to_string(&book).expect("JSON")).expect("the same");
    assert_eq!(again, book);
}

#[test]
fn a_bundle_comes_whole_over_a_line_that_loses_and_changes() {
    let bytes: Vec<u8> = (0..1000u32).map(|i| (i * 7 % 251) as u8).collect();
    let blocks: Vec<String> = (0..)
        .zip(bytes.chunks(45))
        .map(|(n, b)| block_line(n, b))
        .collect();
    let head = format!(
        "bundle {} blocks {} from 0",
        hex(&sha256(&bytes)),
        blocks.len()
    );
    assert!(blocks.iter().all(|line| line.len() <= 79));
    let mut received = Received::default();
    received
        .line("BOOTH-0001 service> bundle send")
        .expect("not a bundle's line");
    received.line(&head).expect("good");
    for (i, line) in blocks.iter().enumerate() {
        match i {
            3 => {}
            7 => received
                .line(&line.replace(line.chars().nth(20).expect("long"), "#"))
                .expect("damaged"),
            _ => received.line(line).expect("good"),
        }
    }
    assert!(
        received
            .whole()
            .expect_err("block 3")
            .to_string()
            .contains("from 3")
    );
    received
        .line(&head.replace("from 0", "from 3"))
        .expect("the same bundle");
    blocks[3..]
        .iter()
        .for_each(|line| received.line(line).expect("good"));
    assert_eq!(received.whole().expect("whole"), bytes);
    assert!(
        received
            .line(&format!("bundle {} blocks 2 from 0", hex(&sha256(b"x"))))
            .is_err()
    );
}

#[test]
fn no_change_of_a_block_s_line_goes_unseen() {
    let line = block_line(5, b"some bytes of a bundle");
    assert_eq!(
        read_block_line(&line),
        Some((5, b"some bytes of a bundle".to_vec()))
    );
    for at in 0..line.len() {
        for change in 1..=127u8 {
            let mut changed = line.clone().into_bytes();
            changed[at] ^= change;
            let text = String::from_utf8(changed).expect("ASCII");
            assert_eq!(read_block_line(&text), None, "{text}");
        }
    }
}
