//! A file of fixed size that is written in place: what has its room cannot be refused it by a full disk. Behind a trait, so that a test
//! can cut the power between any two steps.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Fixed room that outlives the process. What is written is only sure to stay once it is synced; until then any part of it may be lost.
pub trait Store {
    /// All bytes.
    ///
    /// # Errors
    /// What the system says.
    fn read(&self) -> io::Result<Vec<u8>>;
    /// Writes within the room.
    ///
    /// # Errors
    /// What the system says; `InvalidInput` beyond the room.
    fn write(&mut self, at: usize, bytes: &[u8]) -> io::Result<()>;
    /// Returns when all that was written stays.
    ///
    /// # Errors
    /// What the system says.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file of a fixed size, readable by its owner only.
#[derive(Debug)]
pub struct FileStore {
    file: File,
    size: usize,
}

impl FileStore {
    /// Opens the file, or makes it full of zeros. A file that is shorter is filled up.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path, size: usize) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        let there = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        if there < size {
            // Zeros are written, not left out: the room has to be the file's.
            file.write_all_at(&vec![0; size - there], there as u64)?;
            file.sync_all()?;
            if let Some(folder) = path.parent() {
                File::open(folder)?.sync_all()?;
            }
        }
        Ok(Self { file, size })
    }
}

impl Store for FileStore {
    fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; self.size];
        self.file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    fn write(&mut self, at: usize, bytes: &[u8]) -> io::Result<()> {
        if at
            .checked_add(bytes.len())
            .is_none_or(|end| end > self.size)
        {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.file.write_all_at(bytes, at as u64)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}
