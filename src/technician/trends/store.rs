//! `trends.db`: a row for each measure and hour, kept for five weeks, a row for each measure and day, kept for over a year, and how each
//! measure stands. A database of its own: whatever happens to it, the outbox has nothing of it.
//!
//! | table | columns |
//! |---|---|
//! | `hour` | measure, hour (since 1970, UTC), n, mid, low, high |
//! | `day` | measure, day (since 1970, UTC), n, mid, low, high; of sessions without extremes |
//! | `standing` | measure, since_day, reference, raised |
//!
//! Rows are bounded by their number in the order in which they were written, not by their time: a clock that was wrong for a while
//! must not throw a year away.

use super::judge::Standing;
use super::measure::Measure;
use super::tally::Summary;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, params};
use std::path::{Path, PathBuf};

/// `BTHT`, so that the file is known for what it is.
const APPLICATION_ID: i64 = 0x4254_4854;
/// The form of the tables.
const SCHEMA_VERSION: i64 = 1;
/// Pages of 4 KiB: three MiB. Full tables of all measures need less than two.
const MOST_PAGES: u32 = 768;
/// Hours that are kept of each measure: five weeks.
pub(super) const MOST_HOURS: u32 = 5 * 7 * 24;
/// Days that are kept of each measure.
pub(super) const MOST_DAYS: u32 = 400;

const SCHEMA: &str = "
CREATE TABLE hour(
  id INTEGER PRIMARY KEY, measure TEXT NOT NULL, hour INTEGER NOT NULL,
  n INTEGER NOT NULL, mid REAL NOT NULL, low REAL, high REAL, UNIQUE(measure, hour));
CREATE TABLE day(
  id INTEGER PRIMARY KEY, measure TEXT NOT NULL, day INTEGER NOT NULL,
  n INTEGER NOT NULL, mid REAL NOT NULL, low REAL, high REAL, UNIQUE(measure, day));
CREATE TABLE standing(
  measure TEXT PRIMARY KEY, since_day INTEGER NOT NULL, reference REAL, raised INTEGER NOT NULL) WITHOUT ROWID;
";

/// The database. Without one (a disk that is full or away) nothing is kept, and it is tried again with the next hour.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    db: Option<Connection>,
    /// It was said that nothing is kept.
    told: bool,
}

type Answer<T> = Result<T, rusqlite::Error>;

impl Store {
    /// Opens it, or begins a new one.
    pub(super) fn open(path: &Path) -> Self {
        let mut store = Self {
            path: path.to_owned(),
            db: None,
            told: false,
        };
        store.with((), |_| Ok(()));
        store
    }

    /// Works with the database; `otherwise` if there is none now. What is damaged is put aside and begun again.
    pub(super) fn with<T>(
        &mut self,
        otherwise: T,
        work: impl Fn(&mut Connection) -> Answer<T>,
    ) -> T {
        let mut result = self.try_with(&work);
        if let Err(error) = &result
            && is_damaged(error)
        {
            self.db = None;
            set_aside(&self.path, error);
            result = self.try_with(&work);
        }
        match result {
            Ok(value) => {
                self.told = false;
                value
            }
            Err(error) => {
                if !self.told {
                    tracing::warn!(%error, file = %self.path.display(), "trends are not kept for now");
                }
                self.told = true;
                otherwise
            }
        }
    }

    fn try_with<T>(&mut self, work: impl Fn(&mut Connection) -> Answer<T>) -> Answer<T> {
        let db = match &mut self.db {
            Some(db) => db,
            none => none.insert(open_checked(&self.path)?),
        };
        work(db)
    }
}

fn is_damaged(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    ) || matches!(
        error,
        // A column that does not hold what it should.
        rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::FromSqlConversionFailure(..)
    )
}

/// Keeps the newest damaged one as `trends.damaged`.
fn set_aside(path: &Path, error: &rusqlite::Error) {
    let kept = std::fs::rename(path, path.with_extension("damaged")).is_ok();
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    // It belongs to the file that is away.
    let _ = std::fs::remove_file(wal);
    tracing::warn!(%error, file = %path.display(), kept, "trends cannot be read; they begin anew");
}

fn open_checked(path: &Path) -> Answer<Connection> {
    let mut db = Connection::open(path)?;
    db.execute_batch(&format!(
        "PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = NORMAL;
         PRAGMA wal_autocheckpoint = 64;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA max_page_count = {MOST_PAGES};"
    ))?;
    let pragma = |db: &Connection, name: &str| {
        db.query_row(&format!("PRAGMA {name}"), [], |r| r.get::<_, i64>(0))
    };
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
    if tables == 0 {
        let tx = db.transaction()?;
        tx.execute_batch(SCHEMA)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        tx.commit()?;
        return Ok(db);
    }
    let sound: String = db.query_row("PRAGMA integrity_check(1)", [], |r| r.get(0))?;
    let form = (pragma(&db, "application_id")?, pragma(&db, "user_version")?);
    if sound != "ok" || form != (APPLICATION_ID, SCHEMA_VERSION) {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        let what = format!("{sound}; application and version {form:?}");
        return Err(rusqlite::Error::SqliteFailure(code, Some(what)));
    }
    Ok(db)
}

/// Of sessions no extremes are kept: each is one session's.
type Extremes = Option<(f64, f64)>;

fn put(
    db: &Connection,
    table: &str,
    measure: Measure,
    at: i64,
    (n, mid): (u32, f64),
    extremes: Extremes,
    most: u32,
) -> Answer<()> {
    let name = measure.spec().name;
    let (low, high) = extremes.unzip();
    // A row of less than what is there comes of hours that were forgotten, or of a clock that went back.
    db.prepare_cached(
        &format!(
            "INSERT INTO {table}(measure, {table}, n, mid, low, high) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT(measure, {table}) DO UPDATE SET n = excluded.n, mid = excluded.mid, low = excluded.low, high = excluded.high
             WHERE excluded.n >= n"
        ),
    )?
    .execute(params![name, at, n, mid, low, high])?;
    db.prepare_cached(&format!(
        "DELETE FROM {table} WHERE measure = ?1 AND id <=
             (SELECT id FROM {table} WHERE measure = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)"
    ))?
    .execute(params![name, most])?;
    Ok(())
}

fn summary_of(row: &Row<'_>) -> Answer<(i64, Summary)> {
    let mid = row.get(2)?;
    let extreme = |column| row.get::<_, Option<f64>>(column).map(|x| x.unwrap_or(mid));
    Ok((
        row.get(0)?,
        Summary {
            n: row.get(1)?,
            mid,
            low: extreme(3)?,
            high: extreme(4)?,
        },
    ))
}

fn read(
    db: &Connection,
    table: &str,
    measure: Measure,
    within: (i64, i64),
) -> Answer<Vec<(i64, Summary)>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {table}, n, mid, low, high FROM {table} WHERE measure = ?1 AND {table} BETWEEN ?2 AND ?3 ORDER BY {table}"
    ))?;
    let rows = statement.query_map(params![measure.spec().name, within.0, within.1], summary_of)?;
    rows.collect()
}

/// The row of an hour, and the one of its day.
pub(super) fn put_hour(db: &Connection, measure: Measure, hour: i64, s: &Summary) -> Answer<()> {
    put(
        db,
        "hour",
        measure,
        hour,
        (s.n, s.mid),
        Some((s.low, s.high)),
        MOST_HOURS,
    )?;
    let day = hour.div_euclid(24);
    let hours: Vec<Summary> = read(db, "hour", measure, (24 * day, 24 * day + 23))?
        .into_iter()
        .map(|(_, summary)| summary)
        .collect();
    match Summary::of_hours(&hours, measure.spec().day) {
        Some(s) => put_day(db, measure, day, (s.n, s.mid), Some((s.low, s.high))),
        None => Ok(()),
    }
}

/// The row of a day.
pub(super) fn put_day(
    db: &Connection,
    measure: Measure,
    day: i64,
    figure: (u32, f64),
    extremes: Extremes,
) -> Answer<()> {
    put(db, "day", measure, day, figure, extremes, MOST_DAYS)
}

/// Rows of the hours within, in order.
pub(super) fn hours(
    db: &Connection,
    measure: Measure,
    within: (i64, i64),
) -> Answer<Vec<(i64, Summary)>> {
    read(db, "hour", measure, within)
}

/// Rows of the days within, in order.
pub(super) fn days(
    db: &Connection,
    measure: Measure,
    within: (i64, i64),
) -> Answer<Vec<(i64, Summary)>> {
    read(db, "day", measure, within)
}

/// How a measure stands; as at the beginning if nothing is known.
pub(super) fn standing(db: &Connection, measure: Measure) -> Answer<Standing> {
    let row = db
        .prepare_cached("SELECT since_day, reference, raised FROM standing WHERE measure = ?1")?
        .query_row([measure.spec().name], |r| {
            Ok(Standing {
                since_day: r.get(0)?,
                reference: r.get(1)?,
                raised: r.get(2)?,
            })
        });
    row.optional().map(Option::unwrap_or_default)
}

/// Keeps how a measure stands.
pub(super) fn put_standing(db: &Connection, measure: Measure, s: &Standing) -> Answer<()> {
    db.execute(
        "INSERT OR REPLACE INTO standing(measure, since_day, reference, raised) VALUES (?1, ?2, ?3, ?4)",
        params![measure.spec().name, s.since_day, s.reference, s.raised],
    )?;
    Ok(())
}
