//! The fate of every register that `mod.rs` does not judge itself.
//!
//! A register passes when it moves no frame and reaches no memory. What could is not the guest's: buffer memory and its
//! pointers, captured wake-up frames, what answers or sends by itself, non-volatile memory. What is not known is refused.

use super::identity::Family;

/// What becomes of an access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// The hardware's own.
    Pass,
    /// Reads are the hardware's own; writes do nothing.
    Look,
    /// Reads zero, writes do nothing, and nobody need know: what the register would do is not done here.
    Hollow,
    /// Reads zero, writes do nothing, counted.
    Refuse,
}

/// Registers from the first to the last offset, of some families.
struct Row(u32, u32, Whose, Fate);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Every,
    Pci,
    /// PCI Express and chipset.
    Newer,
    Chipset,
}

use Fate::{Hollow, Look, Pass, Refuse};
use Whose::{Chipset, Every, Newer, Pci};

/// In ascending order of offsets; the first that fits decides. Names are the manuals'.
const ROWS: &[Row] = &[
    // FLA: the flash by hand.
    Row(0x001c, 0x001c, Every, Look),
    // SCTL.
    Row(0x0024, 0x0024, Newer, Pass),
    // FCAL, FCAH; FEXTNVM and FEXT in a chipset.
    Row(0x0028, 0x002c, Every, Pass),
    // FCT.
    Row(0x0030, 0x0030, Every, Pass),
    // KUMCTRLSTA: the bus between controller and PHY.
    Row(0x0034, 0x0034, Newer, Pass),
    // VET; FEXTNVM3, FEXTNVM4 and others.
    Row(0x0038, 0x0038, Every, Pass),
    Row(0x003c, 0x003c, Chipset, Pass),
    // ITR.
    Row(0x00c4, 0x00c4, Every, Pass),
    // EIAC, IVAR, EITR: of MSI-X, which is hidden.
    Row(0x00dc, 0x00dc, Newer, Hollow),
    Row(0x00e0, 0x00e0, Newer, Pass),
    Row(0x00e4, 0x00f8, Newer, Hollow),
    // FCTTV.
    Row(0x0170, 0x0170, Every, Pass),
    // TXCW, RXCW.
    Row(0x0178, 0x0178, Every, Pass),
    Row(0x0180, 0x0180, Every, Look),
    // TCTL_EXT.
    Row(0x0404, 0x0404, Newer, Pass),
    // TIPG, and AIT or TBT.
    Row(0x0410, 0x0410, Every, Pass),
    Row(0x0448, 0x0448, Every, Pass),
    Row(0x0458, 0x0458, Every, Pass),
    // LEDCTL.
    Row(0x0e00, 0x0e00, Every, Pass),
    // EXTCNF_CTRL, EXTCNF_SIZE, PHY_CTRL, PCIEANACFG.
    Row(0x0f00, 0x0f18, Newer, Pass),
    // PBA, PBS.
    Row(0x1000, 0x1000, Every, Pass),
    Row(0x1008, 0x1008, Newer, Look),
    // PBECCSTS, PBA_ECC.
    Row(0x100c, 0x100c, Chipset, Pass),
    Row(0x1100, 0x1100, Newer, Pass),
    // EEMNGCTL, EEARBC, FLASHT, EEWR, FLSWCTL, FLSWDATA, FLSWCNT, FLOP: what writes the non-volatile memory.
    Row(0x1010, 0x1010, Newer, Look),
    Row(0x1024, 0x1028, Newer, Look),
    Row(0x102c, 0x103c, Newer, Look),
    // ERT: descriptors are written back when the frame is whole.
    Row(0x2008, 0x2008, Every, Hollow),
    // FCRTL, FCRTH.
    Row(0x2160, 0x2160, Every, Pass),
    Row(0x2168, 0x2168, Every, Pass),
    // RDFH, RDFT, RDFHS, RDFTS, RDFPC: pointers into the packet buffer.
    Row(0x2410, 0x2430, Every, Refuse),
    // RDTR, RXDCTL, RADV.
    Row(0x2820, 0x2820, Every, Pass),
    Row(0x282c, 0x282c, Every, Pass),
    // The second receive queue: nothing is sorted into it.
    Row(0x2900, 0x292c, Newer, Hollow),
    // RSRPD, RAID.
    Row(0x2c00, 0x2c08, Every, Hollow),
    // TXDMAC, KABGTXD.
    Row(0x3000, 0x3000, Pci, Look),
    Row(0x3004, 0x3004, Newer, Pass),
    // TDFH, TDFT, TDFHS, TDFTS, TDFPC.
    Row(0x3410, 0x3430, Every, Refuse),
    // TIDV, TADV, TSPMT, TARC.
    Row(0x3820, 0x3820, Every, Pass),
    Row(0x382c, 0x382c, Every, Pass),
    Row(0x3830, 0x3830, Pci, Hollow),
    Row(0x3840, 0x3840, Newer, Pass),
    // The second transmit queue: what is put there is not sent.
    Row(0x3900, 0x392c, Newer, Hollow),
    Row(0x3940, 0x3940, Newer, Pass),
    // Statistics.
    Row(0x4000, 0x4124, Every, Look),
    // PCS and others of SerDes.
    Row(0x4200, 0x4218, Newer, Pass),
    // VFTA.
    Row(0x5600, 0x57fc, Every, Pass),
    // WUC, WUFC, WUS.
    Row(0x5800, 0x5800, Every, Pass),
    Row(0x5808, 0x5808, Every, Pass),
    Row(0x5810, 0x5810, Every, Pass),
    // MRQC: no hashes.
    Row(0x5818, 0x5818, Every, Hollow),
    // MANC, MANC2H: what answers and is told to a management controller.
    Row(0x5820, 0x5820, Every, Look),
    Row(0x5860, 0x5860, Every, Look),
    // IPAV, IP4AT, IP6AT: whose ARP requests are answered.
    Row(0x5838, 0x5858, Every, Look),
    Row(0x5880, 0x588c, Every, Look),
    // WUPL, WUPM: the frame that woke the machine.
    Row(0x5900, 0x5900, Every, Refuse),
    Row(0x5a00, 0x5a7c, Every, Refuse),
    // GCR, FUNCTAG, GSCL and GSCN: PCI Express.
    Row(0x5b00, 0x5b00, Newer, Pass),
    Row(0x5b04, 0x5b2c, Newer, Look),
    // FACTPS.
    Row(0x5b30, 0x5b30, Newer, Look),
    // SWSM, FWSM, SWSM2, SW_FW_SYNC: who has the PHY and the non-volatile memory.
    Row(0x5b50, 0x5b5c, Newer, Pass),
    // GCR2.
    Row(0x5b64, 0x5b64, Newer, Pass),
    // PBACLR: of MSI-X.
    Row(0x5b68, 0x5b68, Newer, Hollow),
    // FEXTNVM5 to 11.
    Row(0x5bb0, 0x5bbc, Chipset, Pass),
    // RETA, RSSRK.
    Row(0x5c00, 0x5ca4, Newer, Hollow),
    // FCRTV, CRC_OFFSET.
    Row(0x5f40, 0x5f40, Chipset, Pass),
    Row(0x5f50, 0x5f50, Chipset, Pass),
    // FFLT, FFMT, FFVT: filters of wake-up frames.
    Row(0x5f00, 0x5f18, Every, Refuse),
    // HICR and the memory of the host interface.
    Row(0x8800, 0x8fff, Newer, Refuse),
    Row(0x9000, 0x9ffc, Every, Refuse),
    // TSYNCRXCTL, TSYNCTXCTL, SYSTIM, TIMINCA and kin: a clock. No frame is marked with it.
    Row(0xb600, 0xb63c, Newer, Pass),
    // PBM: the packet buffer.
    Row(0x1_0000, 0x1_fffc, Every, Refuse),
];

/// The fate of the register at `offset`, which [`canonical`] has seen.
pub(super) fn fate(offset: u32, family: Family) -> Fate {
    let fits = |Row(first, last, whose, _): &&Row| {
        let is_its = match whose {
            Every => true,
            Pci => family == Family::Pci,
            Newer => family != Family::Pci,
            Chipset => family == Family::Chipset,
        };
        is_its && (*first..=*last).contains(&offset)
    };
    ROWS.iter().find(fits).map_or(Refuse, |Row(_, _, _, fate)| *fate)
}

/// First and last of the old addresses of registers, and where those are now (SDM 13.2, table 13-3).
const ALIASES: [(u32, u32, u32); 10] = [
    (0x0040, 0x00bc, 0x5400),
    (0x0108, 0x0108, 0x2820),
    (0x0110, 0x0118, 0x2800),
    (0x0120, 0x0128, 0x2810),
    (0x0160, 0x0160, 0x2168),
    (0x0168, 0x0168, 0x2160),
    (0x0200, 0x03fc, 0x5200),
    (0x0420, 0x0428, 0x3800),
    (0x0430, 0x0440, 0x3810),
    (0x0600, 0x07fc, 0x5600),
];

/// The one offset of a register that has several.
pub(super) fn canonical(offset: u32, family: Family) -> u32 {
    if family == Family::Chipset {
        return offset;
    }
    let alias = ALIASES
        .iter()
        .find(|(first, last, _)| (*first..=*last).contains(&offset));
    alias.map_or(offset, |(first, _, now)| now + (offset - first))
}
