//! Reads a FAT16 file system, of which nothing is trusted: every cluster belongs to one file or folder at most, so
//! reading ends, and whatever leads elsewhere is refused.
//!
//! Source: Microsoft FAT specification (2005), sections 3 (boot sector), 4 (FAT), 6 (directory structure).

use super::long_name::LongName;
use std::fmt;

/// Bytes in a sector; the only size that is written here.
const SECTOR: usize = 512;

/// Bytes in a directory entry.
pub(super) const ENTRY: usize = 32;

/// Folders inside folders that are followed; the appliance's own are two deep.
const DEEPEST: usize = 8;

/// The numbers of clusters that make a file system FAT16 (section 3.5).
const CLUSTERS: std::ops::Range<usize> = 4085..65525;

/// Table entries from here on end a chain (section 4).
const END_OF_CHAIN: u16 = 0xfff8;

/// `DIR_Attr` bits (section 6).
const VOLUME_LABEL: u8 = 0x08;
const FOLDER: u8 = 0x10;
const LONG_NAME: u8 = 0x0f;

/// First byte of an entry that is not in use.
const FREE: u8 = 0xe5;

/// A file: its path from the root, and its content.
pub(crate) type Content = (String, Vec<u8>);

/// Why a file system cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// The boot sector does not describe a FAT16 file system in this partition.
    BootSector,
    /// The two copies of the file allocation table differ.
    TablesDiffer,
    /// The clusters of a file or folder lead outside the file system, in a circle, into another file's, or are not
    /// as many as its size says.
    Chain {
        /// Its path.
        path: String,
    },
    /// A name is not printable ASCII, or folders are nested too deep.
    Folder {
        /// The folder's path.
        path: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BootSector => write!(f, "the boot sector does not describe a FAT16 file system"),
            Self::TablesDiffer => write!(f, "the two file allocation tables differ"),
            Self::Chain { path } => write!(f, "the clusters of {path} are not a chain of its size"),
            Self::Folder { path } => write!(f, "the folder {path} is damaged"),
        }
    }
}

impl std::error::Error for Error {}

/// Every file in `partition`, in the order of its folders.
pub(crate) fn read(partition: &[u8]) -> Result<Vec<Content>, Error> {
    let mut volume = Volume::open(partition).ok_or(Error::BootSector)?;
    let (first, second) = volume.tables.split_at(volume.tables.len() / 2);
    if first != second {
        return Err(Error::TablesDiffer);
    }
    let mut files = Vec::new();
    volume.read_folder(volume.root, "", DEEPEST, &mut files)?;
    Ok(files)
}

/// The regions of a file system, and which clusters were read already.
struct Volume<'partition> {
    tables: &'partition [u8],
    root: &'partition [u8],
    clusters: Vec<&'partition [u8]>,
    taken: Vec<bool>,
}

/// One directory entry that names a file or a folder.
struct Entry {
    name: String,
    is_folder: bool,
    first: u16,
    size: usize,
}

impl<'partition> Volume<'partition> {
    /// The regions that the boot sector describes (section 3.1), if all of them are inside the partition.
    fn open(partition: &'partition [u8]) -> Option<Self> {
        let boot = partition
            .get(..SECTOR)
            .filter(|boot| boot.ends_with(&[0x55, 0xaa]))?;
        let [per_cluster, tables] = [13, 16].map(|offset| boot.get(offset).copied().unwrap_or(0));
        if word(boot, 11)? != 512 || tables != 2 || !per_cluster.is_power_of_two() {
            return None;
        }
        let table_size = usize::from(word(boot, 22)?) * SECTOR;
        let root_size = usize::from(word(boot, 17)?) * ENTRY;
        let (_, behind) = partition.split_at_checked(usize::from(word(boot, 14)?) * SECTOR)?;
        let (tables, behind) = behind.split_at_checked(2 * table_size)?;
        let (root, data) = behind.split_at_checked(root_size.next_multiple_of(SECTOR))?;
        let clusters: Vec<_> = data.chunks_exact(usize::from(per_cluster) * SECTOR).collect();
        // The table has an entry for each cluster, and two before them.
        let fits = CLUSTERS.contains(&clusters.len()) && (clusters.len() + 2) * 2 <= table_size;
        let taken = vec![false; clusters.len()];
        fits.then_some(Self {
            tables,
            root,
            clusters,
            taken,
        })
    }

    /// Reads the files named in `entries`, and those of the folders below.
    fn read_folder(
        &mut self,
        entries: &[u8],
        path: &str,
        depth: usize,
        files: &mut Vec<Content>,
    ) -> Result<(), Error> {
        let damaged = || Error::Folder {
            path: path.to_owned(),
        };
        let below = depth.checked_sub(1).ok_or_else(damaged)?;
        let (entries, _) = entries.as_chunks::<ENTRY>();
        let mut long_name = LongName::default();
        for raw in entries.iter().take_while(|raw| raw.first() != Some(&0)) {
            if is_long_name(raw) {
                long_name.take_part(raw).ok_or_else(damaged)?;
                continue;
            }
            let long_name = std::mem::take(&mut long_name);
            if is_skipped(raw) {
                continue;
            }
            let name = long_name.finish(raw).ok_or_else(damaged)?;
            let entry = parse_entry(raw, name).ok_or_else(damaged)?;
            let path = format!("{path}/{}", entry.name);
            let content = self
                .content(&entry)
                .ok_or_else(|| Error::Chain { path: path.clone() })?;
            if entry.is_folder {
                self.read_folder(&content, &path, below, files)?;
            } else {
                files.push((path, content));
            }
        }
        Ok(())
    }

    /// All of a folder's bytes, or as many of a file's as its size says.
    fn content(&mut self, entry: &Entry) -> Option<Vec<u8>> {
        if !entry.is_folder && entry.size == 0 {
            // An empty file has no cluster.
            return (entry.first == 0).then(Vec::new);
        }
        let mut content = self.chain(entry.first)?;
        if !entry.is_folder {
            let unused = content.len().checked_sub(entry.size)?;
            if self
                .clusters
                .first()
                .is_some_and(|cluster| unused >= cluster.len())
            {
                return None;
            }
            content.truncate(entry.size);
        }
        Some(content)
    }

    /// The bytes of the chain that begins with cluster `first`.
    fn chain(&mut self, first: u16) -> Option<Vec<u8>> {
        let mut content = Vec::new();
        let mut next = first;
        while next < END_OF_CHAIN {
            let index = usize::from(next.checked_sub(2)?);
            if std::mem::replace(self.taken.get_mut(index)?, true) {
                return None;
            }
            content.extend_from_slice(self.clusters.get(index)?);
            next = word(self.tables, usize::from(next) * 2)?;
        }
        (!content.is_empty()).then_some(content)
    }
}

/// A part of a long name that is in use.
fn is_long_name(raw: &[u8; ENTRY]) -> bool {
    let attributes = raw.get(11).copied().unwrap_or(0);
    raw.first() != Some(&FREE) && attributes & LONG_NAME == LONG_NAME
}

/// Free entries, the volume's label, and the folder's own two entries.
fn is_skipped(raw: &[u8; ENTRY]) -> bool {
    let attributes = raw.get(11).copied().unwrap_or(0);
    let is_dot = raw.starts_with(b".          ") || raw.starts_with(b"..         ");
    raw.first() == Some(&FREE) || attributes & VOLUME_LABEL != 0 || is_dot
}

/// A file's or folder's entry, if its name, the long one where there is one, is printable.
fn parse_entry(raw: &[u8; ENTRY], long_name: Option<String>) -> Option<Entry> {
    let (name, extension) = raw.get(..11)?.split_at_checked(8)?;
    let [name, extension] = [name, extension].map(|part| str::from_utf8(part.trim_ascii_end()).ok());
    let (name, extension) = (name?, extension?);
    let short_name = if extension.is_empty() {
        name.to_owned()
    } else {
        format!("{name}.{extension}")
    };
    let name = long_name.unwrap_or(short_name);
    let printable = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    let size = raw
        .get(28..)?
        .first_chunk()
        .map(|size| u32::from_le_bytes(*size))?;
    printable.then_some(Entry {
        name,
        is_folder: raw.get(11)? & FOLDER != 0,
        first: word(raw, 26)?,
        size: usize::try_from(size).ok()?,
    })
}

/// The 16-bit word at `offset`.
pub(super) fn word(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes
        .get(offset..)?
        .first_chunk()
        .map(|word| u16::from_le_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::File;
    use crate::fat::write;

    /// Offsets in the partition that these tests write: one reserved sector, two tables of 32 sectors, 32 sectors
    /// of root directory, then clusters of 1 KiB.
    const TABLE: usize = 512;
    const OTHER_TABLE: usize = TABLE + 32 * 512;
    const ROOT: usize = OTHER_TABLE + 32 * 512;

    /// Two files, `/A` in clusters 2 to 4 and `/B` in cluster 5. Entry 0 of the root is the label, entries 1 and 3
    /// hold long names, which the short ones must fit.
    fn volume() -> Vec<u8> {
        let mut partition = vec![0; 8 << 20];
        let files = [
            File {
                path: "A",
                bytes: &[0xa5; 3000],
            },
            File {
                path: "B",
                bytes: b"b",
            },
        ];
        write(&mut partition, "test", 1, &files).unwrap();
        partition
    }

    /// The volume with `entry` of both tables leading to `next`.
    fn leading(entry: usize, next: u16) -> Vec<u8> {
        let mut partition = volume();
        for table in [TABLE, OTHER_TABLE] {
            partition[table + 2 * entry..table + 2 * entry + 2].copy_from_slice(&next.to_le_bytes());
        }
        partition
    }

    /// The volume with `bytes` at `offset` of the root's entry of `/A`.
    fn with_entry(offset: usize, bytes: &[u8]) -> Vec<u8> {
        let mut partition = volume();
        let start = ROOT + 2 * ENTRY + offset;
        partition[start..start + bytes.len()].copy_from_slice(bytes);
        partition
    }

    fn chain_refused() -> Result<Vec<Content>, Error> {
        Err(Error::Chain {
            path: "/A".to_owned(),
        })
    }

    #[test]
    fn what_was_written_is_read() {
        let expected = [
            ("/A".to_owned(), vec![0xa5; 3000]),
            ("/B".to_owned(), b"b".to_vec()),
        ];
        assert_eq!(read(&volume()).unwrap(), expected);
    }

    #[test]
    fn a_chain_in_a_circle_is_refused() {
        assert_eq!(read(&leading(4, 2)), chain_refused());
    }

    #[test]
    fn a_cluster_of_two_files_is_refused() {
        let mut partition = volume();
        partition[ROOT + 4 * ENTRY + 26] = 4;
        assert_eq!(
            read(&partition),
            Err(Error::Chain {
                path: "/B".to_owned()
            })
        );
    }

    #[test]
    fn a_chain_out_of_the_table_is_refused() {
        for next in [0, 1, 0xfff0] {
            assert_eq!(read(&leading(3, next)), chain_refused(), "{next:#x}");
        }
    }

    #[test]
    fn a_chain_shorter_or_longer_than_the_size_is_refused() {
        assert_eq!(read(&leading(3, END_OF_CHAIN)), chain_refused());
        assert_eq!(read(&leading(4, 6)), chain_refused());
        assert_eq!(read(&with_entry(28, &u32::MAX.to_le_bytes())), chain_refused());
        assert_eq!(read(&with_entry(28, &[0; 4])), chain_refused());
    }

    #[test]
    fn an_entry_without_a_cluster_is_refused() {
        for first in [0u16, 1, 0xffff] {
            assert_eq!(
                read(&with_entry(26, &first.to_le_bytes())),
                chain_refused(),
                "{first:#x}"
            );
        }
    }

    #[test]
    fn a_name_that_is_not_printable_is_refused() {
        for name in [b"\x07", b"\xc3", b" "] {
            assert_eq!(
                read(&with_entry(0, name)),
                Err(Error::Folder { path: String::new() }),
                "{name:?}"
            );
        }
    }

    #[test]
    fn tables_that_differ_are_refused() {
        let mut partition = volume();
        partition[OTHER_TABLE + 8] ^= 1;
        assert_eq!(read(&partition), Err(Error::TablesDiffer));
    }

    #[test]
    fn a_boot_sector_of_another_file_system_is_refused() {
        // Bytes per sector, sectors per cluster, number of tables, table size, signature.
        for (offset, byte) in [(12, 4), (13, 0), (13, 3), (13, 128), (16, 1), (22, 8), (510, 0)] {
            let mut partition = volume();
            partition[offset] = byte;
            assert_eq!(read(&partition), Err(Error::BootSector), "{offset}");
        }
    }

    #[test]
    fn folders_that_are_too_deep_are_refused() {
        let mut partition = vec![0; 8 << 20];
        write(
            &mut partition,
            "test",
            1,
            &[File {
                path: "1/2/3/4/5/6/7/8/9",
                bytes: b"deep",
            }],
        )
        .unwrap();
        assert_eq!(
            read(&partition),
            Err(Error::Folder {
                path: "/1/2/3/4/5/6/7/8".to_owned()
            })
        );
    }
}
