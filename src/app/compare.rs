//! `boothd compare`: the comparison scores of a list of pairs of pictures, by the face path that the booth uses.

use super::replay::ModelArgs;
use crate::perception::face::calibration::template_of;
use crate::perception::face::embedding::Template;
use crate::perception::face::pipeline::FacePipeline;
use anyhow::{Context as _, bail};
use clap::Args;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What was typed.
#[derive(Clone, Debug, Args)]
pub struct CompareArgs {
    /// The list: a heading line that names the columns a and b (pictures, paths relative to the list) and any others.
    pairs: PathBuf,
    /// Where the list is written with a column more: the score, nothing where one of the pictures has no face.
    #[arg(long)]
    scores: PathBuf,
    /// Models.
    #[command(flatten)]
    models: ModelArgs,
}

/// Compares and writes.
///
/// # Errors
/// The list's line or the picture that is wrong, or what cannot be written.
pub fn run(args: &CompareArgs) -> anyhow::Result<()> {
    let list = &args.pairs;
    let text = std::fs::read_to_string(list).with_context(|| list.display().to_string())?;
    let mut lines = text.lines().enumerate();
    let heading = lines.next().map_or("", |(_, l)| l.trim());
    let columns: Vec<&str> = heading.split(',').collect();
    let column = |name: &str| {
        columns.iter().position(|c| *c == name).with_context(|| {
            format!(
                "{}, line 1: no column `{name}`, allowed: a heading with the columns a and b; mend: put it above the pairs",
                list.display()
            )
        })
    };
    let (a, b) = (column("a")?, column("b")?);
    let mut pipeline = FacePipeline::new(&args.models.catalogue()?)?;
    let mut templates: HashMap<PathBuf, Option<Template>> = HashMap::new();
    let folder = list.parent().unwrap_or(Path::new("."));
    let mut out = format!("{heading},score\n");
    let (mut n, mut n_not_possible) = (0u64, 0u64);
    for (i, line) in lines.filter(|(_, l)| !l.trim().is_empty()) {
        let cells: Vec<&str> = line.trim().split(',').collect();
        let place = || format!("{}, line {}", list.display(), i + 1);
        if cells.len() != columns.len() {
            bail!(
                "{}: found {} columns, allowed: {} as in the heading; mend: correct the line",
                place(),
                cells.len(),
                columns.len()
            );
        }
        for file in [cells[a], cells[b]] {
            if let Entry::Vacant(vacant) = templates.entry(folder.join(file)) {
                let template = template_of(vacant.key(), &mut pipeline);
                vacant.insert(template.map_err(|detail| anyhow::anyhow!("{}: {detail}", place()))?);
            }
        }
        let of = |file: &str| templates.get(&folder.join(file)).and_then(Option::as_ref);
        match of(cells[a]).zip(of(cells[b])) {
            Some((a, b)) => {
                writeln!(out, "{},{:.6}", line.trim(), a.compare(b))?;
                n += 1;
            }
            None => {
                writeln!(out, "{},", line.trim())?;
                n_not_possible += 1;
            }
        }
    }
    std::fs::write(&args.scores, out).with_context(|| args.scores.display().to_string())?;
    println!(
        "{} pictures, {n} comparisons ({n_not_possible} more not possible); written: {}",
        templates.len(),
        args.scores.display()
    );
    Ok(())
}
