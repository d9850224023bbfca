//! Citizen identification numbers.

use boothd::perception::document::gb11643::parse;

/// The first byte chooses: any text, or seventeen digits with the check character that belongs to them.
pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else {
        return;
    };
    if mode % 2 == 0 {
        if let Ok(text) = std::str::from_utf8(rest) {
            check(text);
        }
        return;
    }
    let mut number = [b'0'; 18];
    for (to, b) in number[..17].iter_mut().zip(rest) {
        *to = if b.is_ascii_digit() {
            *b
        } else {
            b'0' + b % 10
        };
    }
    // ISO 7064 MOD 11-2, by doubling.
    let remainder = number[..17]
        .iter()
        .fold(0u32, |p, d| (p + u32::from(d - b'0')) * 2 % 11);
    number[17] = b"10X98765432"[remainder as usize];
    let text = std::str::from_utf8(&number).unwrap_or_default();
    check(text);
}

fn check(text: &str) {
    if let Ok(number) = parse(text) {
        let date = number.birth_date;
        let written = format!("{:04}{:02}{:02}", date.year, date.month, date.day);
        assert_eq!(text.get(6..14), Some(written.as_str()));
        assert_eq!(
            text.get(..6),
            Some(format!("{:06}", number.region).as_str())
        );
    }
}
