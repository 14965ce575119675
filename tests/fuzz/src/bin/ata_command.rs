//! ATA commands: arbitrary IDENTIFY data of a disk, arbitrary registers of a guest, arbitrary logs and TRIM ranges.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use sekisho_abi::disk::BlockRange;
use sekisho_mediator::disk::command::table::{Fate, command};
use sekisho_mediator::disk::command::{
    After, FIS_BYTES, Identity, Kind, Known, LARGEST_BLOCKS, LONGEST_ANSWER, PAGE_BYTES, TaskFile, Verdict,
    amend_identify, amend_identify_packet, amend_log, clip_trim, judge, piece, queued_error,
};

/// Commands of one input at most.
const COMMANDS: usize = 64;
/// What `clip` lets through: blocks below this that are not in every second run of 16.
const TRIMMED_END: u64 = 1 << 20;

fuzz_target!(|data: &[u8]| {
    // Too short an input ends early; that is no finding.
    let _ = run(Unstructured::new(data));
});

fn run(mut input: Unstructured) -> Result<()> {
    let disk = disk(&mut input)?;
    for _ in 0..COMMANDS {
        let mut fis = <[u8; FIS_BYTES]>::arbitrary(&mut input)?;
        (fis[0], fis[1]) = (0x27, fis[1] | 0x80);
        let task = TaskFile::from_fis(&fis).expect("a FIS with a command");
        follow(&task, &disk, &mut input)?;
    }
    Ok(())
}

/// A disk as its IDENTIFY data says, or as arbitrary as can be.
fn disk(input: &mut Unstructured) -> Result<Known> {
    let mut page = [0; PAGE_BYTES];
    input.fill_buffer(&mut page)?;
    let discard = bool::arbitrary(input)?;
    if let Ok(identity) = Identity::of_disk(&page) {
        let known = identity.known();
        assert!((1..=1 << 48).contains(&known.blocks));
        assert!(matches!(known.block_bytes, 512 | 4096) && known.queue_depth <= 32);
        return Ok(Known { discard, ..known });
    }
    Ok(Known {
        kind: *input.choose(&[Kind::Disk, Kind::Packet])?,
        block_bytes: 512,
        blocks: u64::arbitrary(input)? >> 16,
        lba48: bool::arbitrary(input)?,
        queue_depth: u8::arbitrary(input)? % 33,
        multiple: u8::arbitrary(input)?,
        discard,
    })
}

/// Carries a verdict out as a mediator does.
fn follow(task: &TaskFile, disk: &Known, input: &mut Unstructured) -> Result<()> {
    let verdict = judge(task, disk);
    let fate = command(task.command).fate;
    match verdict {
        Verdict::Content(content) => {
            assert!(
                content.first + u64::from(content.blocks) <= disk.blocks,
                "on the disk"
            );
            assert!((1..=LARGEST_BLOCKS).contains(&content.blocks));
            let given = piece(task, content.first, content.blocks).expect("a command can be said again");
            assert_eq!(judge(&given, disk), verdict, "and means the same");
            let half = content.blocks.div_ceil(2);
            let given = piece(task, content.first, half).expect("a part can be said");
            let Verdict::Content(part) = judge(&given, disk) else {
                panic!("a part is content");
            };
            assert_eq!(
                (part.first, part.blocks, part.tag),
                (content.first, half, content.tag)
            );
        }
        Verdict::Pass { bytes, after, .. } => {
            assert!(!matches!(fate, Fate::Content { .. } | Fate::Refuse(_)));
            assert!(bytes <= LONGEST_ANSWER);
            answer(after, disk, input)?;
        }
        Verdict::Trim { bytes } => {
            assert!(disk.discard && bytes <= LONGEST_ANSWER);
            trim(input)?;
        }
        Verdict::Packet => assert_eq!(disk.kind, Kind::Packet),
        Verdict::Refuse(_) => {
            assert_eq!(
                queued_error(task)
                    .iter()
                    .fold(0, |sum: u8, byte| sum.wrapping_add(*byte)),
                0
            );
        }
    }
    Ok(())
}

/// What the device says is amended; twice is as once, and bits are only cleared.
fn answer(after: After, disk: &Known, input: &mut Unstructured) -> Result<()> {
    let mut data = [0; 2 * PAGE_BYTES];
    input.fill_buffer(&mut data)?;
    let before = data;
    let amend = |data: &mut [u8; 2 * PAGE_BYTES]| match after {
        After::Identify => amend_identify(data.first_chunk_mut().expect("a page"), disk),
        After::IdentifyPacket => amend_identify_packet(data.first_chunk_mut().expect("a page")),
        After::Log { address, page } => amend_log(address, page, data, disk),
        After::Nothing | After::Multiple(_) => {}
    };
    amend(&mut data);
    if matches!(after, After::Identify | After::IdentifyPacket) {
        // TRIM's number of blocks (word 105) may be a smaller one; the last byte may be a checksum.
        let bytes = data.iter().zip(&before).enumerate();
        let mut others = bytes.filter(|(index, _)| !matches!(index, 210 | 211 | 511));
        assert!(others.all(|(_, (now, was))| now & !was == 0));
    }
    let once = data;
    amend(&mut data);
    assert_eq!(data, once);
    Ok(())
}

fn trim(input: &mut Unstructured) -> Result<()> {
    let length = usize::from(u16::arbitrary(input)?) % (4 * PAGE_BYTES);
    let payload = input.bytes(length)?;
    let mut clipped = vec![0xff; length];
    let written = clip_trim(payload, &mut clipped, clip);
    for (index, entry) in clipped.as_chunks().0.iter().enumerate() {
        let entry = u64::from_le_bytes(*entry);
        let (first, blocks) = (entry & ((1 << 48) - 1), entry >> 48);
        assert_eq!(blocks != 0, index < written);
        assert!(blocks == 0 || first + blocks <= TRIMMED_END && first % 32 + blocks <= 16);
    }
    Ok(())
}

fn clip(asked: BlockRange) -> impl Iterator<Item = BlockRange> {
    let runs = asked.first() / 32..=asked.last().min(TRIMMED_END - 1) / 32;
    runs.filter_map(move |run| asked.common(BlockRange::of_length(run * 32, 16)?))
}
