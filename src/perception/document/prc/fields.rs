//! From the characters of a line to the value of a field. Pure.

use crate::perception::document::mrz::dates::CivilDate;

/// The 56 ethnic groups (GB/T 3304), as cards print them.
pub(super) const ETHNICITIES: [&str; 56] = [
    "汉",
    "蒙古",
    "回",
    "藏",
    "维吾尔",
    "苗",
    "彝",
    "壮",
    "布依",
    "朝鲜",
    "满",
    "侗",
    "瑶",
    "白",
    "土家",
    "哈尼",
    "哈萨克",
    "傣",
    "黎",
    "傈僳",
    "佤",
    "畲",
    "高山",
    "拉祜",
    "水",
    "东乡",
    "纳西",
    "景颇",
    "柯尔克孜",
    "土",
    "达斡尔",
    "仫佬",
    "羌",
    "布朗",
    "撒拉",
    "毛南",
    "仡佬",
    "锡伯",
    "阿昌",
    "普米",
    "塔吉克",
    "怒",
    "乌孜别克",
    "俄罗斯",
    "鄂温克",
    "德昂",
    "保安",
    "裕固",
    "京",
    "塔塔尔",
    "独龙",
    "鄂伦春",
    "赫哲",
    "门巴",
    "珞巴",
    "基诺",
];

/// The last day of a card without one.
pub(super) const WITHOUT_END: &str = "长期";

/// Whether a character is an ideograph, as names and addresses have them.
pub(super) fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{323af}')
}

/// Whether a character can stand in a name.
pub(super) fn is_of_names(c: char) -> bool {
    is_ideograph(c) || is_middle_dot(c)
}

/// The dots that readers take for the one of transcribed names.
fn is_middle_dot(c: char) -> bool {
    matches!(c, '·' | '•' | '・' | '．')
}

/// Whether a character can stand in an address.
pub(super) fn is_of_addresses(c: char) -> bool {
    is_ideograph(c)
        || c.is_ascii_alphanumeric()
        || matches!(c, '-' | '(' | ')' | '（' | '）' | '#' | '、' | '·' | '/')
}

/// Whether a character can stand in a printed date of birth.
pub(super) fn is_of_birth_dates(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '年' | '月' | '日')
}

/// Whether a character can stand in a term of validity.
pub(super) fn is_of_terms(c: char) -> bool {
    c.is_ascii_digit() || is_separator(c) || WITHOUT_END.contains(c)
}

fn is_separator(c: char) -> bool {
    matches!(c, '.' | '．' | '·' | '-' | '—' | '–')
}

/// What follows a label, or what is left of a label where the cut went through it: at least its last `least` characters.
pub(super) fn after_label<'a>(text: &'a str, label: &str, least: usize) -> &'a str {
    label
        .char_indices()
        .map(|(i, _)| &label[i..])
        .filter(|rest| rest.chars().count() >= least)
        .find_map(|rest| text.strip_prefix(rest))
        .unwrap_or(text)
}

/// An address without its label.
pub(super) fn address(text: &str) -> &str {
    // No address begins with the last character of the label.
    after_label(text, "住址", 1)
}

/// A name: two characters or more, every dot the same, none at an end.
pub(super) fn name(text: &str) -> Option<String> {
    let name: String = after_label(text, "姓名", 1)
        .chars()
        .filter(|c| is_of_names(*c))
        .map(|c| if is_middle_dot(c) { '·' } else { c })
        .collect();
    let n = name.chars().count();
    let dot = |c: Option<char>| c == Some('·');
    (n >= 2 && !dot(name.chars().next()) && !dot(name.chars().last())).then_some(name)
}

/// The characters of all ethnicities, and of their last word.
pub(super) fn is_of_ethnicities(c: char) -> bool {
    c == '族' || ETHNICITIES.iter().any(|e| e.contains(c))
}

/// Sex and ethnicity out of a row without its first label: `男民族汉`.
pub(super) fn sex_and_ethnicity(text: &str) -> Option<(char, &'static str)> {
    let (sex, people) = text.split_once("民族")?;
    let mut sex = sex.chars();
    match (sex.next()?, sex.next()) {
        (sex @ ('男' | '女'), None) => Some((sex, ethnicity(people)?)),
        _ => None,
    }
}

/// One of the 56, with or without 族.
pub(super) fn ethnicity(text: &str) -> Option<&'static str> {
    let bare = after_label(text, "民族", 1);
    let bare = bare.strip_suffix('族').unwrap_or(bare);
    ETHNICITIES.into_iter().find(|e| *e == bare)
}

/// `1990年1月2日` as YYYYMMDD.
pub(super) fn birth_date(text: &str) -> Option<String> {
    let (year, rest) = text.split_once('年')?;
    let (month, day) = rest.split_once('月')?;
    day_of(year, month, day.strip_suffix('日').unwrap_or(day))
}

/// `2015.01.02-2035.01.02` or `2015.01.02-长期` as first and last day, YYYYMMDD.
///
/// Separators are small, and readers lose them; the digits alone say everything, as a day has eight.
pub(super) fn term(text: &str) -> Option<(String, String)> {
    let without_end = text.contains('长') || text.contains('期');
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let day = |range: std::ops::Range<usize>| {
        let digits = digits.get(range)?;
        day_of(digits.get(..4)?, digits.get(4..6)?, digits.get(6..)?)
    };
    match (digits.len(), without_end) {
        (8, true) => Some((day(0..8)?, WITHOUT_END.to_owned())),
        (16, false) => {
            let (from, until) = (day(0..8)?, day(8..16)?);
            (from < until).then_some((from, until))
        }
        _ => None,
    }
}

/// An authority: ideographs, at least four of them.
pub(super) fn issuer(text: &str) -> Option<String> {
    let issuer: String = after_label(text, "签发机关", 2)
        .chars()
        .filter(|c| is_ideograph(*c))
        .collect();
    (issuer.chars().count() >= 4).then_some(issuer)
}

fn day_of(year: &str, month: &str, day: &str) -> Option<String> {
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if year.len() != 4 || ![year, month, day].into_iter().all(digits) {
        return None;
    }
    let (y, m, d) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let date = CivilDate::new(y, m, d).filter(|d| (1800..2200).contains(&d.year))?;
    Some(format!("{:04}{:02}{:02}", date.year, date.month, date.day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (text, expected) in [
            ("林若岚", Some("林若岚")),
            ("古丽娜尔・阿不都拉", Some("古丽娜尔·阿不都拉")),
            ("姓名林若岚", Some("林若岚")),
            ("名林若岚", Some("林若岚")),
            ("·林若岚", None),
            ("林", None),
            ("", None),
        ] {
            assert_eq!(name(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn ethnicities() {
        for (text, expected) in [
            ("汉", Some("汉")),
            ("维吾尔", Some("维吾尔")),
            ("土家族", Some("土家")),
            ("族汉", Some("汉")),
            ("汉汉", None),
            ("", None),
        ] {
            assert_eq!(ethnicity(text), expected, "{text}");
        }
    }

    #[test]
    fn sexes_with_ethnicities() {
        for (text, expected) in [
            ("男民族汉", Some(('男', "汉"))),
            ("女民族维吾尔", Some(('女', "维吾尔"))),
            ("男女民族汉", None),
            ("民族汉", None),
            ("男族汉", None),
            ("男民族", None),
            ("", None),
        ] {
            assert_eq!(sex_and_ethnicity(text), expected, "{text}");
        }
    }

    #[test]
    fn birth_dates() {
        for (text, expected) in [
            ("1987年3月19日", Some("19870319")),
            ("1987年12月1", Some("19871201")),
            ("1987年13月1日", None),
            ("1987年2月30日", None),
            ("987年2月3日", None),
            ("19873月19日", None),
            ("1987年月日", None),
            ("", None),
        ] {
            assert_eq!(birth_date(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn terms() {
        for (text, expected) in [
            ("2021.05.20-2041.05.20", Some(("20210520", "20410520"))),
            ("20210520-20410520", Some(("20210520", "20410520"))),
            ("2021.05.20-长期", Some(("20210520", "长期"))),
            ("2021.05.20长期", Some(("20210520", "长期"))),
            ("2041.05.20-2021.05.20", None),
            ("2021.05.20-2041.05.2", None),
            ("2021.05.20", None),
            ("2021.15.20-长期", None),
            ("长期", None),
            ("", None),
        ] {
            let found = term(text);
            assert_eq!(
                found.as_ref().map(|(a, b)| (a.as_str(), b.as_str())),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn authorities() {
        assert_eq!(
            issuer("样本市公安局 分局").as_deref(),
            Some("样本市公安局分局")
        );
        assert_eq!(
            issuer("发机关样本市公安局").as_deref(),
            Some("样本市公安局")
        );
        // A county whose name begins with the label's last character.
        assert_eq!(issuer("关岭县公安局").as_deref(), Some("关岭县公安局"));
        assert_eq!(issuer("公安局"), None);
    }

    #[test]
    fn addresses() {
        for text in ["样本路12号", "址样本路12号", "住址样本路12号"] {
            assert_eq!(address(text), "样本路12号");
        }
    }
}
