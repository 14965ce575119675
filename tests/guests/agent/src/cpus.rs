//! Who answers CPUID on each online CPU: the hypervisor's leaf, read by a thread pinned there.

use core::arch::x86_64::__cpuid;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use std::fmt::Write;

/// The leaf where a hypervisor says who it is.
const HYPERVISOR_LEAF: u32 = 0x4000_0000;

/// One line for each online CPU: `cpu N: SIGNATURE MAXIMUM-LEAF SVM`, the signature `-` where nobody answers.
pub fn report() -> Result<String, String> {
    let mut report = String::new();
    for cpu in online()? {
        pin(cpu)?;
        let leaf = __cpuid(HYPERVISOR_LEAF);
        let svm = __cpuid(0x8000_0001).ecx >> 2 & 1;
        let _ = writeln!(
            report,
            "cpu {cpu}: {} {:#x} svm={svm}",
            signature([leaf.ebx, leaf.ecx, leaf.edx]),
            leaf.eax
        );
    }
    Ok(report)
}

/// The CPUs that are online.
pub fn online() -> Result<Vec<usize>, String> {
    let online = std::fs::read_to_string("/sys/devices/system/cpu/online").map_err(|e| e.to_string())?;
    parse_list(online.trim()).ok_or_else(|| "unreadable list of CPUs".to_owned())
}

/// The calling thread runs on this CPU from now on.
pub fn pin(cpu: usize) -> Result<(), String> {
    let mut set = CpuSet::new();
    set.set(cpu).map_err(|e| e.to_string())?;
    sched_setaffinity(Pid::from_raw(0), &set).map_err(|e| format!("cpu {cpu}: {e}"))
}

/// The twelve bytes as text if they are printable.
fn signature(registers: [u32; 3]) -> String {
    let bytes: Vec<u8> = registers
        .iter()
        .flat_map(|register| register.to_le_bytes())
        .collect();
    if bytes.iter().all(u8::is_ascii_graphic) {
        bytes.into_iter().map(char::from).collect()
    } else {
        "-".to_owned()
    }
}

/// The kernel's list form: `0-1,3`.
fn parse_list(text: &str) -> Option<Vec<usize>> {
    let mut cpus = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        cpus.extend(first.parse::<usize>().ok()?..=last.parse().ok()?);
    }
    Some(cpus)
}

#[cfg(test)]
mod tests {
    use super::parse_list;

    #[test]
    fn the_kernels_list_form_is_read() {
        assert_eq!(parse_list("0-1,3"), Some(vec![0, 1, 3]));
        assert_eq!(parse_list("0"), Some(vec![0]));
        assert_eq!(parse_list("0-x"), None);
    }
}
