//! Words that are counted.

/// Words with how often they come, most often first.
pub fn tally<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for word in words.filter(|w| !w.is_empty()) {
        match counts.iter_mut().find(|(w, _)| *w == word) {
            Some((_, n)) => *n += 1,
            None => counts.push((word, 1)),
        }
    }
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let words: Vec<String> = counts
        .iter()
        .map(|(w, n)| {
            if *n > 1 {
                format!("{w} x{n}")
            } else {
                (*w).to_owned()
            }
        })
        .collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_most_often_comes_first() {
        let check = |words: &str, expected: &str| {
            assert_eq!(tally(words.split(' ')), expected, "{words}");
        };
        check("", "");
        check("a", "a");
        check("a b b", "b x2, a");
        check("a b", "a, b");
    }
}
