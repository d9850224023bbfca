//! Letters in the form that zones have them (ICAO Doc 9303-3, section 6). Pure.

use zeroize::Zeroizing;

/// Letters and digits in capitals without accents. `expanded`: as Doc 9303-3 writes umlauts with two letters.
pub(super) fn folded(text: &str, expanded: bool) -> Zeroizing<String> {
    // A letter with a mark, of two bytes, becomes three letters at most.
    let mut out = Zeroizing::new(String::with_capacity(2 * text.len()));
    for c in text.chars().flat_map(char::to_uppercase) {
        match plain(c, expanded) {
            Some(letters) => out.push_str(letters),
            None if c.is_ascii_alphanumeric() => out.push(c),
            None => {}
        }
    }
    out
}

/// The letters of [`folded`] text.
pub(super) fn letters(text: &str, expanded: bool) -> Zeroizing<String> {
    let mut folded = folded(text, expanded);
    folded.retain(|c| c.is_ascii_uppercase());
    folded
}

/// Doc 9303-3, section 6: Latin letters with marks.
pub(super) fn plain(c: char, expanded: bool) -> Option<&'static str> {
    Some(match c {
        'Ä' => ["A", "AE"][usize::from(expanded)],
        'Ö' | 'Ø' | 'Ő' => ["O", "OE"][usize::from(expanded)],
        'Ü' | 'Ű' => ["U", "UE"][usize::from(expanded)],
        'Å' => ["A", "AA"][usize::from(expanded)],
        'Ñ' => ["N", "NXX"][usize::from(expanded)],
        'Æ' => "AE",
        'Œ' => "OE",
        'Þ' => "TH",
        'À' | 'Á' | 'Â' | 'Ã' | 'Ā' | 'Ă' | 'Ą' => "A",
        'Ç' | 'Ć' | 'Ĉ' | 'Ċ' | 'Č' => "C",
        'Ď' | 'Đ' | 'Ð' => "D",
        'È' | 'É' | 'Ê' | 'Ë' | 'Ē' | 'Ĕ' | 'Ė' | 'Ę' | 'Ě' => "E",
        'Ĝ' | 'Ğ' | 'Ġ' | 'Ģ' => "G",
        'Ĥ' | 'Ħ' => "H",
        'Ì' | 'Í' | 'Î' | 'Ï' | 'Ĩ' | 'Ī' | 'Ĭ' | 'Į' | 'İ' => "I",
        'Ĵ' => "J",
        'Ķ' => "K",
        'Ĺ' | 'Ļ' | 'Ľ' | 'Ŀ' | 'Ł' => "L",
        'Ń' | 'Ņ' | 'Ň' | 'Ŋ' => "N",
        'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ō' | 'Ŏ' => "O",
        'Ŕ' | 'Ŗ' | 'Ř' => "R",
        'Ś' | 'Ŝ' | 'Ş' | 'Š' => "S",
        'Ţ' | 'Ť' | 'Ŧ' => "T",
        'Ù' | 'Ú' | 'Û' | 'Ũ' | 'Ū' | 'Ŭ' | 'Ů' | 'Ų' => "U",
        'Ŵ' => "W",
        'Ý' | 'Ŷ' | 'Ÿ' => "Y",
        'Ź' | 'Ż' | 'Ž' => "Z",
        _ => return None,
    })
}
