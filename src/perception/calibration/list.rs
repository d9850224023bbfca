//! Lists of pictures: CSV with a heading line, columns in any order, paths relative to the list. Cells hold no commas and no quotes.

use super::CalibrationError;
use std::path::{Path, PathBuf};

/// A list that was read.
#[derive(Clone, Debug)]
pub struct List {
    path: PathBuf,
    rows: Vec<Row>,
}

/// One line of a list.
#[derive(Clone, Debug)]
pub struct Row {
    line: usize,
    /// Cells in the order of the columns that were asked for; an optional column that is not there is empty.
    cells: Vec<String>,
}

impl Row {
    /// A cell, by the place of its column among those that were asked for.
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }
}

impl List {
    /// Reads a list whose heading names all columns of `required` and maybe some of `optional`. Rows have the required columns
    /// first, then the optional ones.
    ///
    /// # Errors
    /// [`CalibrationError::File`] with file, line, what was found and what is allowed.
    pub fn read(
        path: &Path,
        required: &[&str],
        optional: &[&str],
    ) -> Result<Self, CalibrationError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|e| {
            CalibrationError::file(
                &shown,
                format!("{e}; mend: give the path of a list of pictures"),
            )
        })?;
        let allowed = if optional.is_empty() {
            format!("allowed: `{}`", required.join(","))
        } else {
            format!(
                "allowed: `{}`, beside them `{}`",
                required.join(","),
                optional.join("`, `")
            )
        };
        let at = |line: usize, detail: String| {
            CalibrationError::file(format!("{shown}, line {line}"), detail)
        };
        let mut lines = text.trim_start_matches('\u{feff}').lines().zip(1..);
        let heading: Vec<&str> = lines
            .next()
            .map(|(l, _)| l.split(',').map(str::trim).collect())
            .unwrap_or_default();
        let wrong = |what: String| {
            at(
                1,
                format!("{what}; {allowed}; mend: put such a heading line above the pictures"),
            )
        };
        for (i, name) in heading.iter().enumerate() {
            if !required.contains(name) && !optional.contains(name) {
                return Err(wrong(format!("found an unknown column `{name}`")));
            }
            if heading[..i].contains(name) {
                return Err(wrong(format!("found the column `{name}` twice")));
            }
        }
        let place = |name: &&str| heading.iter().position(|h| h == name);
        if let Some(missing) = required.iter().find(|name| place(name).is_none()) {
            return Err(wrong(format!("the column `{missing}` is missing")));
        }
        let places: Vec<Option<usize>> = required.iter().chain(optional).map(place).collect();
        let mut rows = Vec::new();
        for (text, line) in lines.filter(|(l, _)| !l.trim().is_empty()) {
            let cells: Vec<&str> = text.split(',').map(str::trim).collect();
            if cells.len() != heading.len() {
                return Err(at(
                    line,
                    format!(
                        "found {} cells, allowed: {} as in the heading; mend: correct the line",
                        cells.len(),
                        heading.len()
                    ),
                ));
            }
            rows.push(Row {
                line,
                cells: places
                    .iter()
                    .map(|p| p.map_or_else(String::new, |i| cells[i].to_owned()))
                    .collect(),
            });
        }
        if rows.is_empty() {
            return Err(CalibrationError::file(
                shown,
                "found no line below the heading, allowed: at least one; mend: list pictures",
            ));
        }
        Ok(Self {
            path: path.to_owned(),
            rows,
        })
    }

    /// Its rows.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Where a file of the list lies.
    pub fn resolve(&self, file: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(file)
    }

    /// An error of a line.
    pub fn error(&self, row: &Row, detail: impl Into<String>) -> CalibrationError {
        CalibrationError::file(
            format!("{}, line {}", self.path.display(), row.line),
            detail,
        )
    }

    /// An error of the whole list.
    pub fn error_of_all(&self, detail: impl Into<String>) -> CalibrationError {
        CalibrationError::file(self.path.display().to_string(), detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<List, CalibrationError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("list.csv");
        std::fs::write(&path, text).expect("written");
        List::read(&path, &["file", "label"], &["subject"])
    }

    #[test]
    fn columns_are_found_by_name() {
        let list = read("label,file\r\nprint,a.png\r\n\r\n bona_fide , b.png \n").expect("a list");
        let cells: Vec<_> = list
            .rows()
            .iter()
            .map(|r| [r.cell(0), r.cell(1), r.cell(2)])
            .collect();
        assert_eq!(cells, [["a.png", "print", ""], ["b.png", "bona_fide", ""]]);
        assert!(list.resolve("a.png").ends_with("a.png"));
        let error = list.error(&list.rows()[1], "wrong").to_string();
        assert!(error.contains("line 4: wrong"), "{error}");
        assert_eq!(
            read("\u{feff}file,label,subject\na,b,c\n")
                .expect("a list")
                .rows()[0]
                .cell(2),
            "c"
        );
    }

    #[test]
    fn mistakes_are_named() {
        let check = |text: &str, words: &[&str]| {
            let error = read(text).expect_err(text).to_string();
            assert!(words.iter().all(|w| error.contains(w)), "{text:?}: {error}");
        };
        check("", &["line 1", "`file` is missing", "mend:"]);
        check(
            "file\na\n",
            &["line 1", "`label` is missing", "`file,label`"],
        );
        check("file,label,size\n", &["unknown column `size`", "`subject`"]);
        check("file,label,file\n", &["`file` twice"]);
        check("file,label\n", &["found no line", "mend:"]);
        check("file,label\na\n", &["line 2", "found 1 cells, allowed: 2"]);
        check("file,label\na,b\na,b,c\n", &["line 3", "found 3 cells"]);
    }
}
