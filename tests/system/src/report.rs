//! Reading what the guest's programs print: the agent's CPUs and counters, lspci's devices.

/// CPUID leaf 0x4000_0000 of a CPU that runs inside.
pub const SIGNATURE: &str = "SekishoVisor";

/// The CPUs of `agent cpus` that do not answer as the hypervisor's, or see SVM; empty where all are inside.
#[must_use]
pub fn outside(report: &str) -> Vec<&str> {
    let inside = |line: &&str| line.contains(SIGNATURE) && line.ends_with("svm=0");
    report
        .lines()
        .filter(|line| line.starts_with("cpu ") && !inside(line))
        .collect()
}

/// How many CPUs `agent cpus` told of.
#[must_use]
pub fn cpu_count(report: &str) -> usize {
    report.lines().filter(|line| line.starts_with("cpu ")).count()
}

/// The lines of `lspci -n` without those of the function with this `vendor:device`.
#[must_use]
pub fn without(devices: &str, identity: &str) -> Vec<String> {
    let kept = devices
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.contains(identity));
    kept.map(str::to_owned).collect()
}

/// The VM exits by reason in `agent counters`.
#[must_use]
pub fn exits(report: &str) -> Vec<(String, u64)> {
    counters(report)
        .into_iter()
        .filter(|(name, _)| !name.contains(' '))
        .collect()
}

/// Names and values of `agent counters`, in its order. A name of several words is no reason of a VM exit but an
/// attempt that one of them was found to be.
#[must_use]
pub fn counters(report: &str) -> Vec<(String, u64)> {
    let pair = |line: &str| {
        let (name, value) = line.trim().rsplit_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    report.lines().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cpu_that_answers_as_another_is_outside() {
        let report = "cpu 0: SekishoVisor 0x40000001 svm=0\ncpu 1: TCGTCGTCGTCG 0x40000001 svm=0\n";
        assert_eq!(outside(report), ["cpu 1: TCGTCGTCGTCG 0x40000001 svm=0"]);
        assert_eq!(cpu_count(report), 2);
        assert_eq!(outside("cpu 0: SekishoVisor 0x40000001 svm=1").len(), 1);
    }

    #[test]
    fn attempts_are_no_exits() {
        assert_eq!(
            exits("cpuid 12\nwrite to a conce 3\n"),
            [("cpuid".to_owned(), 12)]
        );
    }

    #[test]
    fn counters_are_read_in_order() {
        assert_eq!(
            counters("cpuid 12\nconfig-port 3\n\n"),
            [("cpuid".to_owned(), 12), ("config-port".to_owned(), 3)]
        );
    }
}
