//! `boothd dispatch`: the desk that technicians call. It answers challenges, checks closing codes, and refuses the next work order of a
//! booth until the one before is closed. A reference desk, so that the whole can be tried; a company has its own, with people's names.

use crate::base::files::text_file;
use crate::base::ids::BoothId;
use crate::base::time::{SharedClock, WallTime};
use crate::technician::command::{Role, WorkOrder};
use crate::technician::console::{LOGIN_MINUTES, read_block_line};
use crate::trust::codes::{Challenge, ClosingClaims, Code, CodeKey, LoginClaims};
use crate::trust::{hex, sha256};
use anyhow::{Context, bail, ensure};
use clap::{Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// So many challenges of one work order are answered: codes are mistyped.
const MOST_ANSWERS: usize = 5;

/// What the desk does.
#[derive(Debug, Subcommand)]
pub enum DispatchVerb {
    /// Make the desk's folder with a new master key.
    Init {
        /// The folder.
        #[arg(long)]
        desk: PathBuf,
    },
    /// Write the key of a booth's codes, to be brought to the booth.
    DeviceKey {
        /// The desk's folder.
        #[arg(long)]
        desk: PathBuf,
        /// The booth's name.
        #[arg(long)]
        booth: String,
        /// The new file.
        #[arg(long)]
        out: PathBuf,
    },
    /// Answer a challenge with a code.
    Answer {
        /// The desk's folder.
        #[arg(long)]
        desk: PathBuf,
        /// What the console shows.
        #[arg(long)]
        booth: String,
        /// What the console shows.
        #[arg(long)]
        role: RoleWord,
        /// What the console shows.
        #[arg(long)]
        work_order: String,
        /// What the console shows.
        #[arg(long)]
        challenge: String,
        /// Why a work order before it is given up without its closing code; it is kept.
        #[arg(long)]
        give_up: Option<String>,
    },
    /// Check the closing code of a work order.
    Close {
        /// The desk's folder.
        #[arg(long)]
        desk: PathBuf,
        /// Which booth.
        #[arg(long)]
        booth: String,
        /// What the console shows at logout.
        #[arg(long)]
        work_order: String,
        /// The two words behind `audit`: lines, and the beginning of the head.
        #[arg(long, num_args = 2)]
        audit: Vec<String>,
        /// The closing code.
        #[arg(long)]
        code: String,
    },
    /// Put a bundle together from what the terminal recorded of `bundle send`.
    Bundle {
        /// Recordings of the terminal, one or more: blocks may be spread over them.
        #[arg(long, required = true, num_args = 1..)]
        from: Vec<PathBuf>,
        /// The new file.
        #[arg(long)]
        out: PathBuf,
    },
}

/// A role on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RoleWord {
    /// Look at everything.
    View,
    /// View, and test, calibrate, restart.
    Service,
    /// Service, and change settings.
    Reset,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::View => Self::View,
            RoleWord::Service => Self::Service,
            RoleWord::Reset => Self::Reset,
        }
    }
}

/// How a work order ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum End {
    /// With its closing code.
    Closed {
        at: String,
        audit_lines: u64,
        audit_head: String,
    },
    /// Without.
    GivenUp { at: String, why: String },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    booth: BoothId,
    work_order: WorkOrder,
    /// Time, role and challenge of each answer.
    answers: Vec<(String, Role, String)>,
    end: Option<End>,
}

/// The desk's book.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Book {
    orders: Vec<Order>,
}

impl Book {
    fn open_order(&mut self, booth: &BoothId) -> Option<&mut Order> {
        self.orders
            .iter_mut()
            .find(|o| o.booth == *booth && o.end.is_none())
    }

    /// Notes an answer, if it may be given.
    fn answer(
        &mut self,
        booth: &BoothId,
        order: &WorkOrder,
        role: Role,
        challenge: &Challenge,
        give_up: Option<&str>,
        at: WallTime,
    ) -> anyhow::Result<()> {
        let at = at.rfc3339();
        let seen = |o: &Order| {
            o.answers
                .iter()
                .any(|(_, _, c)| *c == challenge.to_string())
        };
        ensure!(
            !self.orders.iter().any(|o| o.booth == *booth && seen(o)),
            "challenge {challenge}: was answered before; mend: have the technician type `login` again"
        );
        if let Some(open) = self.open_order(booth) {
            if open.work_order == *order {
                ensure!(
                    open.answers.len() < MOST_ANSWERS,
                    "work order {}: {MOST_ANSWERS} challenges were answered; mend: a new work order, with --give-up",
                    order.as_str()
                );
                open.answers.push((at, role, challenge.to_string()));
                return Ok(());
            }
            let Some(why) = give_up else {
                bail!(
                    "work order {} of {} is not closed; mend: `boothd dispatch close` with the closing code that the console shows \
                     at logout and at the next start, or --give-up REASON",
                    open.work_order.as_str(),
                    booth.as_str()
                );
            };
            open.end = Some(End::GivenUp {
                at: at.clone(),
                why: why.to_owned(),
            });
        }
        self.orders.push(Order {
            booth: booth.clone(),
            work_order: order.clone(),
            answers: vec![(at, role, challenge.to_string())],
            end: None,
        });
        Ok(())
    }

    /// Closes the open work order, if the code is the one of one of its logins and the audit log has not become shorter. `audit` is
    /// its lines and the beginning of its head.
    fn close(
        &mut self,
        key: &CodeKey,
        booth: &BoothId,
        order: &WorkOrder,
        audit: (u64, &str),
        code: &Code,
        at: WallTime,
    ) -> anyhow::Result<()> {
        let (lines, head) = audit;
        let before = self
            .orders
            .iter()
            .filter(|o| o.booth == *booth)
            .filter_map(|o| match &o.end {
                Some(End::Closed { audit_lines, .. }) => Some(*audit_lines),
                _ => None,
            });
        let most = before.max().unwrap_or(0);
        let Some(open) = self.open_order(booth).filter(|o| o.work_order == *order) else {
            bail!(
                "work order {}: is not open for {}",
                order.as_str(),
                booth.as_str()
            );
        };
        let fits = open
            .answers
            .iter()
            .filter_map(|(_, _, c)| Challenge::typed(c))
            .any(|challenge| {
                let claims = ClosingClaims {
                    booth,
                    challenge: &challenge,
                    work_order: order.as_str(),
                    audit_lines: lines,
                    audit_head: head,
                };
                key.closing_code(&claims).is(code)
            });
        ensure!(
            fits,
            "closing code: does not fit to this work order, number and head; mend: have the line read out again"
        );
        ensure!(
            lines > most,
            "audit log of {}: has {lines} lines, and had {most} when an order before was closed: lines were cut off; mend: have the booth looked at",
            booth.as_str()
        );
        open.end = Some(End::Closed {
            at: at.rfc3339(),
            audit_lines: lines,
            audit_head: head.to_owned(),
        });
        Ok(())
    }
}

/// The desk's folder, locked while it is open.
struct Desk {
    folder: PathBuf,
    master: CodeKey,
    book: Book,
    _only: File,
}

impl Desk {
    fn open(folder: &Path) -> anyhow::Result<Self> {
        let master = CodeKey::read(&folder.join("master.key"))?;
        let only =
            File::create(folder.join("only-one")).with_context(|| folder.display().to_string())?;
        rustix::fs::flock(&only, rustix::fs::FlockOperation::LockExclusive).context("desk")?;
        let path = folder.join("orders.json");
        let book = match text_file(&path) {
            Ok(text) => serde_json::from_str(&text).with_context(|| path.display().to_string())?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Book::default(),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        Ok(Self {
            folder: folder.to_owned(),
            master,
            book,
            _only: only,
        })
    }

    fn save(&self) -> anyhow::Result<()> {
        let (half, path) = (
            self.folder.join("orders.half"),
            self.folder.join("orders.json"),
        );
        let mut file = File::create(&half).with_context(|| half.display().to_string())?;
        serde_json::to_writer_pretty(&mut file, &self.book)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&half, &path).with_context(|| path.display().to_string())
    }
}

fn booth(name: &str) -> anyhow::Result<BoothId> {
    Ok(BoothId::try_from(name.to_owned())?)
}

fn order(name: &str) -> anyhow::Result<WorkOrder> {
    WorkOrder::try_from(name.to_owned())
        .map_err(|why| anyhow::anyhow!("work order `{name}`: {why}"))
}

/// Does what the desk is asked for.
///
/// # Errors
/// What is refused, and the mend.
pub fn run(verb: DispatchVerb, clock: &SharedClock) -> anyhow::Result<()> {
    match verb {
        DispatchVerb::Init { desk } => {
            std::fs::create_dir_all(&desk).with_context(|| desk.display().to_string())?;
            CodeKey::random()?.write(&desk.join("master.key"))?;
            println!("made: {}", desk.join("master.key").display());
        }
        DispatchVerb::DeviceKey {
            desk,
            booth: name,
            out,
        } => {
            let key = CodeKey::read(&desk.join("master.key"))?.of_booth(&booth(&name)?);
            key.write(&out)?;
            println!("made: {} for {name}", out.display());
        }
        DispatchVerb::Answer {
            desk,
            booth: name,
            role,
            work_order,
            challenge,
            give_up,
        } => {
            let (booth, order, role) = (booth(&name)?, order(&work_order)?, Role::from(role));
            let Some(challenge) = Challenge::typed(&challenge) else {
                bail!(
                    "challenge `{challenge}`: allowed are eight digits and letters, as 7K3M-9QXD"
                );
            };
            let mut desk = Desk::open(&desk)?;
            desk.book.answer(
                &booth,
                &order,
                role,
                &challenge,
                give_up.as_deref(),
                clock.wall(),
            )?;
            desk.save()?;
            let claims = LoginClaims {
                booth: &booth,
                challenge: &challenge,
                role: role.word(),
                work_order: order.as_str(),
                minutes: LOGIN_MINUTES,
            };
            println!("code {}", desk.master.of_booth(&booth).login_code(&claims));
        }
        DispatchVerb::Close {
            desk,
            booth: name,
            work_order,
            audit,
            code,
        } => {
            let (booth, order) = (booth(&name)?, order(&work_order)?);
            let [lines, head] = &audit[..] else {
                bail!("--audit: allowed are a number and eight hexadecimal digits");
            };
            let lines = lines
                .parse()
                .with_context(|| format!("--audit: `{lines}` is no number"))?;
            let Some(code) = Code::typed(&code) else {
                bail!("--code: allowed are ten digits and letters, as 7K3M9-QXD21");
            };
            let mut desk = Desk::open(&desk)?;
            let key = desk.master.of_booth(&booth);
            desk.book.close(
                &key,
                &booth,
                &order,
                (lines, &head.to_ascii_lowercase()),
                &code,
                clock.wall(),
            )?;
            desk.save()?;
            println!("closed: {} of {}", order.as_str(), booth.as_str());
        }
        DispatchVerb::Bundle { from, out } => bundle(&from, &out)?,
    }
    Ok(())
}

/// What is known of a bundle while its lines are read.
#[derive(Default)]
struct Received {
    sha256: Option<String>,
    of: u32,
    blocks: BTreeMap<u32, Vec<u8>>,
    damaged: u32,
}

impl Received {
    fn line(&mut self, line: &str) -> anyhow::Result<()> {
        if let ["bundle", sha256, "blocks", of, "from", _] = line.split(' ').collect::<Vec<_>>()[..]
        {
            ensure!(
                self.sha256.as_deref().is_none_or(|known| known == sha256),
                "the recordings are of two bundles; mend: give those of one"
            );
            self.sha256 = Some(sha256.to_owned());
            self.of = of.parse().context("the number of blocks")?;
        } else if line.starts_with(':') {
            match read_block_line(line) {
                Some((number, block)) => {
                    self.blocks.insert(number, block);
                }
                None => self.damaged += 1,
            }
        }
        Ok(())
    }

    fn whole(&self) -> anyhow::Result<Vec<u8>> {
        let Some(sha256_text) = &self.sha256 else {
            bail!("no line `bundle HASH blocks N from M` in the recording");
        };
        if let Some(missing) = (0..self.of).find(|n| !self.blocks.contains_key(n)) {
            bail!(
                "block {missing} of {} is missing ({} lines came damaged); mend: on the console `bundle send from {missing}`, and give both recordings",
                self.of,
                self.damaged
            );
        }
        let bytes: Vec<u8> = self
            .blocks
            .range(..self.of)
            .flat_map(|(_, b)| b.iter().copied())
            .collect();
        ensure!(
            hex(&sha256(&bytes)) == *sha256_text,
            "the bundle has not the hash that was told; mend: send it again from 0"
        );
        Ok(bytes)
    }
}

fn bundle(from: &[PathBuf], out: &Path) -> anyhow::Result<()> {
    let mut received = Received::default();
    for path in from {
        let text = std::fs::read(path).with_context(|| path.display().to_string())?;
        for line in String::from_utf8_lossy(&text).split(['\r', '\n']) {
            received.line(line)?;
        }
    }
    let bytes = received.whole()?;
    let mut file = File::create_new(out).with_context(|| out.display().to_string())?;
    file.write_all(&bytes)?;
    println!(
        "{}: {} bytes, sha256 {}",
        out.display(),
        bytes.len(),
        hex(&sha256(&bytes))
    );
    Ok(())
}

#[cfg(test)]
mod tests;
