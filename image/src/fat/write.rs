//! Writes a FAT file system, with `fatfs`.

use crate::disk::{Error, File};
use fatfs::{Date, DateTime, FileSystem, FormatVolumeOptions, FsOptions, Time, TimeProvider};
use std::io::{self, Cursor, Write};

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
