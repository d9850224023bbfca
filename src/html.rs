//! Pages for people, one file each, without script and network: head and style, escaping, numbers as people read them, pictures as
//! `data:` URIs; plots are in [`svg`].

pub mod svg;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::{self, Display, Write};

/// Style of the larger pages.
const STYLE: &str = include_str!("html/page.css");

/// Begins a page, up to its `body`. `style` is added to that of all pages.
///
/// # Errors
/// None but those of `out`.
pub fn begin(out: &mut String, title: &str, style: &str) -> fmt::Result {
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>\n{STYLE}{style}</style></head><body>",
        Safe(title)
    )
}

/// A picture as the `data:` URI of a JPEG, made smaller to at most `widest` pixels across.
///
/// # Errors
/// If it cannot be encoded.
pub fn picture(picture: &image::RgbImage, widest: u32) -> image::ImageResult<String> {
    let (width, height) = picture.dimensions();
    let mut jpeg = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 75);
    if width > widest {
        let height = (height * widest / width).max(1);
        encoder.encode_image(&image::imageops::thumbnail(picture, widest, height))?;
    } else {
        encoder.encode_image(picture)?;
    }
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(&jpeg)))
}

/// Text that is escaped while it is written: safe between tags and inside quoted attributes.
#[derive(Clone, Copy, Debug)]
pub struct Safe<T>(
    /// The text.
    pub T,
);

impl<T: Display> Display for Safe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaper(f), "{}", self.0)
    }
}

struct Escaper<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escaper<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.write_str("&amp;")?,
                '<' => self.0.write_str("&lt;")?,
                '>' => self.0.write_str("&gt;")?,
                '"' => self.0.write_str("&quot;")?,
                '\'' => self.0.write_str("&#39;")?,
                // HTML allows no other control characters.
                c if c.is_control() && !matches!(c, '\n' | '\t') => {
                    self.0.write_char('\u{fffd}')?
                }
                c => self.0.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// A dotted code, escaped, that a line may be broken in behind dots and underscores.
pub fn code(text: &str) -> String {
    let safe = Safe(text).to_string();
    format!(
        "<code>{}</code>",
        safe.replace('.', ".<wbr>").replace('_', "_<wbr>")
    )
}

/// A measured number with about three digits that say something; whole numbers stay whole.
pub fn number(value: f64) -> String {
    let size = value.abs();
    let digits = match size {
        _ if !value.is_finite() => return "–".to_owned(),
        _ if value == value.trunc() && size < 1e9 => 0,
        s if s >= 100.0 => 0,
        s if s >= 10.0 => 1,
        s if s >= 1.0 => 2,
        s if s >= 0.001 => 3,
        _ => return format!("{value:.1e}"),
    };
    format!("{value:.digits$}")
}

/// A number that was chosen, not measured (an axis' mark, a limit): without trailing zeros.
pub fn chosen(value: f64) -> String {
    let text = number((value * 1e6).round() / 1e6);
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A heading in both languages.
///
/// # Errors
/// None but those of `out`.
pub fn heading(out: &mut String, level: u8, en: &str, zh: &str) -> fmt::Result {
    writeln!(
        out,
        "<h{level}>{} <span class=\"zh\" lang=\"zh-Hans\">{}</span></h{level}>",
        Safe(en),
        Safe(zh)
    )
}

/// The head of a table: titles in both languages.
///
/// # Errors
/// None but those of `out`.
pub fn table_head(out: &mut String, titles: &[(&str, &str)]) -> fmt::Result {
    out.push_str("<thead><tr>");
    for (en, zh) in titles {
        write!(
            out,
            "<th scope=\"col\">{} <span class=\"zh\" lang=\"zh-Hans\">{}</span></th>",
            Safe(en),
            Safe(zh)
        )?;
    }
    out.write_str("</tr></thead>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_html_would_take_for_its_own() {
        let check = |input: &str, expected: &str| assert_eq!(Safe(input).to_string(), expected);
        check("a<b>&\"c'", "a&lt;b&gt;&amp;&quot;c&#39;");
        check("护照 ok\n", "护照 ok\n");
        check("x\u{0}\u{1b}y", "x\u{fffd}\u{fffd}y");
    }

    #[test]
    fn numbers_are_short() {
        let check = |input: f64, expected: &str| assert_eq!(number(input), expected);
        check(0.0, "0");
        check(42.0, "42");
        check(-3.0, "-3");
        check(1234.56, "1235");
        check(12.345, "12.3");
        check(1.2345, "1.23");
        check(0.41234, "0.412");
        check(1e-4, "1.0e-4");
        check(f64::NAN, "–");
    }

    #[test]
    fn chosen_numbers_have_no_trailing_zeros() {
        let check = |input: f64, expected: &str| assert_eq!(chosen(input), expected);
        check(0.1 + 0.2, "0.3");
        check(f64::from(0.58_f32), "0.58");
        check(100.0, "100");
        check(1e-4, "1.0e-4");
    }
}
