//! The disk or image that is worked on, opened for one at a time.
//!
//! Its size, block size and serial number come from the operating system, its partition table from itself.

use sekisho_abi::disk::{BlockSize, Disk, Shape, gpt};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Bytes before the serial number in a SCSI device's unit serial number page (SPC-4, section 7.8.17).
const PAGE_HEAD: usize = 4;

/// A disk or image that nobody else uses.
pub struct Target {
    /// Its bytes.
    pub file: File,
    /// What it is.
    pub disk: Disk,
}

/// What is to be done with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Only read.
    Read,
    /// Converted.
    Write,
}

/// Why it cannot be used.
#[derive(Debug)]
pub enum Error {
    /// The operating system refuses something.
    Io(io::Error),
    /// It is mounted, or somebody else works on it.
    InUse,
    /// It is a partition: its place on the disk, and the disk, have to be seen.
    Partition,
    /// It is neither a disk nor a file.
    Kind,
    /// Blocks of another size than 512 and 4,096 bytes, or not whole ones.
    Blocks,
    /// Its partition table.
    Table(gpt::Error<io::Error>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::InUse => f.write_str("it is in use: unmount what is on it, and end what else works on it"),
            Self::Partition => f.write_str("it is a partition: name the whole disk"),
            Self::Kind => f.write_str("it is neither a disk nor a file"),
            Self::Blocks => f.write_str("it does not consist of blocks of 512 or 4096 bytes"),
            Self::Table(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        // EBUSY answers O_EXCL.
        if error.kind() == io::ErrorKind::ResourceBusy {
            Self::InUse
        } else {
            Self::Io(error)
        }
    }
}

impl Target {
    /// Opens a disk or an image.
    ///
    /// # Errors
    /// [`Error`].
    pub fn open(path: &Path, access: Access) -> Result<Self, Error> {
        let kind = fs::metadata(path)?.file_type();
        let mut options = OpenOptions::new();
        options.read(true).write(access == Access::Write);
        if kind.is_block_device() {
            // For a disk, O_EXCL without O_CREAT fails while it or a partition of it is mounted (open(2)).
            let exclusive = if access == Access::Write { libc::O_EXCL } else { 0 };
            let file = options.custom_flags(exclusive).open(path)?;
            device(file)
        } else if kind.is_file() {
            image(options.open(path)?, access)
        } else {
            Err(Error::Kind)
        }
    }
}

fn device(mut file: File) -> Result<Target, Error> {
    let device = file.metadata()?.rdev();
    let number = format!("{}:{}", libc::major(device), libc::minor(device));
    let about = Path::new("/sys/dev/block").join(number);
    if about.join("partition").exists() {
        return Err(Error::Partition);
    }
    let size = fs::read_to_string(about.join("queue/logical_block_size"))?;
    let block_size = size
        .trim()
        .parse()
        .ok()
        .and_then(BlockSize::from_bytes)
        .ok_or(Error::Blocks)?;
    let shape = shape(&mut file, block_size)?;
    let gpt = table(&file, shape).map_err(Error::Table)?;
    let disk = Disk {
        serial: serial(&about.join("device")),
        port: None,
        shape,
        gpt,
    };
    Ok(Target { file, disk })
}

/// The serial number that IDENTIFY gives, as far as the kernel has kept it.
fn serial(about: &Path) -> Option<String> {
    let page = fs::read(about.join("vpd_pg80")).ok();
    let page = page.and_then(|page| String::from_utf8(page.get(PAGE_HEAD..)?.to_vec()).ok());
    let text = page.or_else(|| fs::read_to_string(about.join("serial")).ok())?;
    let serial = text.trim_matches([' ', '\n', '\0']);
    (!serial.is_empty()).then(|| serial.to_owned())
}

fn image(mut file: File, access: Access) -> Result<Target, Error> {
    let locked = match access {
        Access::Read => file.try_lock_shared(),
        Access::Write => file.try_lock(),
    };
    locked.map_err(|error| match error {
        fs::TryLockError::WouldBlock => Error::InUse,
        fs::TryLockError::Error(error) => Error::Io(error),
    })?;
    let mut small = shape(&mut file, BlockSize::B512)?;
    let mut gpt = table(&file, small);
    if !matches!(gpt, Ok(Some(_))) {
        // Nothing but its table tells the block size of an image.
        let large = shape(&mut file, BlockSize::B4096).ok();
        let found = large.and_then(|large| Some((large, table(&file, large).ok()??)));
        if let Some((large, table)) = found {
            (small, gpt) = (large, Ok(Some(table)));
        }
    }
    let disk = Disk {
        serial: None,
        port: None,
        shape: small,
        gpt: gpt.map_err(Error::Table)?,
    };
    Ok(Target { file, disk })
}

fn shape(file: &mut File, block_size: BlockSize) -> Result<Shape, Error> {
    let size = file.seek(SeekFrom::End(0))?;
    let bytes = u64::from(block_size.bytes());
    if size == 0 || !size.is_multiple_of(bytes) {
        return Err(Error::Blocks);
    }
    Ok(Shape {
        block_size,
        blocks: size / bytes,
    })
}

fn table(file: &File, shape: Shape) -> Result<Option<gpt::Gpt>, gpt::Error<io::Error>> {
    let bytes = u64::from(shape.block_size.bytes());
    gpt::read(shape, |number, block| {
        file.read_exact_at(block, number.saturating_mul(bytes))
    })
}
