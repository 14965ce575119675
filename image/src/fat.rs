//! Writes and reads the FAT file system of an image.
//!
//! Reading trusts nothing: a damaged table can lead in circles, so the bytes that one inspection reads are bounded.

use crate::disk::{Error, File};
use fatfs::{Date, DateTime, FileSystem, FormatVolumeOptions, FsOptions, Time, TimeProvider};
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

/// A file as it was read: its path from the root, and its content.
pub(crate) type Content = (String, Vec<u8>);

/// Folders inside folders that are followed; the appliance's own are two deep.
const DEEPEST: usize = 8;

/// Largest partition that is built; guests of the tests need 100 MiB.
pub(crate) const LARGEST: u64 = 2 << 30;

/// Formats `partition` and writes `files`, all dated [`Epoch`].
pub(crate) fn write(
    partition: &mut [u8],
    label: &str,
    volume_id: u32,
    files: &[File<'_>],
) -> Result<(), Error> {
    let options = FormatVolumeOptions::new()
        .volume_id(volume_id)
        .volume_label(volume_label(label));
    fatfs::format_volume(Cursor::new(&mut *partition), options).map_err(Error::Format)?;
    write_each(partition, files, make_folders)?;
    remove_long_dots(partition);
    write_each(partition, files, write_file)
}

/// A file system inside a partition in memory.
type Volume<'partition> = FileSystem<Cursor<&'partition mut [u8]>>;

/// Opens the file system, does `step` for each file, and closes it.
fn write_each(
    partition: &mut [u8],
    files: &[File<'_>],
    step: impl Fn(&Volume<'_>, &File<'_>) -> io::Result<()>,
) -> Result<(), Error> {
    let options = FsOptions::new().time_provider(&Epoch);
    let volume = FileSystem::new(Cursor::new(partition), options).map_err(Error::Format)?;
    for file in files {
        step(&volume, file).map_err(|error| Error::File {
            path: file.path.to_owned(),
            error,
        })?;
    }
    volume.unmount().map_err(Error::Format)
}

/// The first day that FAT can say, for every file: when an image was built is nobody's business.
#[derive(Debug)]
struct Epoch;

impl TimeProvider for Epoch {
    fn get_current_date(&self) -> Date {
        Date {
            year: 1980,
            month: 1,
            day: 1,
        }
    }

    fn get_current_date_time(&self) -> DateTime {
        DateTime {
            date: self.get_current_date(),
            time: Time {
                hour: 0,
                min: 0,
                sec: 0,
                millis: 0,
            },
        }
    }
}

/// Makes the folders that lead to a file.
fn make_folders(volume: &Volume<'_>, file: &File<'_>) -> io::Result<()> {
    let folders = file
        .path
        .match_indices('/')
        .filter_map(|(end, _)| file.path.get(..end));
    folders
        .map(|folder| volume.root_dir().create_dir(folder))
        .try_for_each(|made| made.map(drop))
}

/// Writes a file into its folder.
fn write_file(volume: &Volume<'_>, file: &File<'_>) -> io::Result<()> {
    let mut written = volume.root_dir().create_file(file.path)?;
    written.write_all(file.bytes)?;
    written.flush()
}

/// A directory entry that is free, with used ones behind it (FAT specification, section 6, DIR_Name\[0\]).
const FREE: [u8; 32] = {
    let mut entry = [0; 32];
    entry[0] = 0xe5;
    entry
};

/// Removes the long names that `fatfs` 0.3 gives to `.` and `..`: the specification has none there (section 6.5,
/// directory creation), and checkers take such folders for damaged.
///
/// Must run while there are folders but no file contents, which could look the same.
fn remove_long_dots(partition: &mut [u8]) {
    for sector in partition.chunks_exact_mut(512) {
        let (entries, _) = sector.as_chunks_mut::<32>();
        if let [long_dot, dot, long_dots, dots, ..] = entries
            && dot.starts_with(b".          ")
            && dots.starts_with(b"..         ")
        {
            (*long_dot, *dot, *long_dots, *dots) = (*dot, *dots, FREE, FREE);
        }
    }
}

/// A FAT label: upper case, padded with blanks (FAT specification, BS_VolLab).
fn volume_label(label: &str) -> [u8; 11] {
    let mut padded = [b' '; 11];
    for (place, byte) in padded.iter_mut().zip(label.bytes()) {
        *place = byte.to_ascii_uppercase();
    }
    padded
}

/// Every file in `partition`, in the order of its folders.
pub(crate) fn read(partition: &[u8]) -> io::Result<Vec<Content>> {
    // Each byte is read once, folders and tables some times more; a circle ends here.
    let budget = partition.len().saturating_mul(4);
    let volume = FileSystem::new(
        Bounded {
            partition: Cursor::new(partition),
            budget,
        },
        FsOptions::new(),
    )?;
    let mut files = Vec::new();
    read_folder(&volume.root_dir(), "", DEEPEST, &mut files)?;
    Ok(files)
}

/// Reads the files of one folder and of those below it.
fn read_folder(
    folder: &fatfs::Dir<'_, Bounded<'_>>,
    path: &str,
    depth: usize,
    files: &mut Vec<Content>,
) -> io::Result<()> {
    let Some(below) = depth.checked_sub(1) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    for entry in folder.iter() {
        let entry = entry?;
        let name = entry.file_name();
        if name == "." || name == ".." {
            continue;
        }
        let path = format!("{path}/{name}");
        if entry.is_dir() {
            read_folder(&entry.to_dir(), &path, below, files)?;
        } else {
            let mut content = Vec::new();
            entry.to_file().read_to_end(&mut content)?;
            if content.len() as u64 != entry.len() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            files.push((path, content));
        }
    }
    Ok(())
}

/// A partition that can be read for so many bytes, and not written.
struct Bounded<'partition> {
    partition: Cursor<&'partition [u8]>,
    budget: usize,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.partition.read(buffer)?;
        self.budget = self
            .budget
            .checked_sub(read.max(1))
            .ok_or(io::ErrorKind::InvalidData)?;
        Ok(read)
    }
}

impl Write for Bounded<'_> {
    fn write(&mut self, _buffer: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Bounded<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.partition.seek(position)
    }
}
