//! The policy file: any bytes are checked, every diagnostic has a place in the file and a remedy, in file order; a
//! policy without errors compiles to a selection string that reads back, and to bytes the hypervisor reads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sekisho_abi::compiled::CompiledPolicy;
use sekisho_abi::selection::parse;
use sekisho_policy::{Colour, Source, check, compile, lower, render_human, unsupported};

fuzz_target!(|bytes: &[u8]| {
    let source = Source::new("policy.toml".to_owned(), bytes.to_vec());
    let report = check(&source);
    let said = render_human(&source, &report.diagnostics, Colour::Plain);
    assert_eq!(said.is_empty(), report.diagnostics.is_empty());
    assert!(report.diagnostics.iter().all(|found| !found.help.is_empty()));
    assert!(
        report
            .diagnostics
            .is_sorted_by_key(|found| found.primary.span.start)
    );
    let Some(policy) = report.policy else { return };
    let compiled = lower(&policy);
    assert_eq!(
        CompiledPolicy::from_bytes(&compiled.to_bytes()).as_ref(),
        Ok(&compiled)
    );
    let printed = compile(&policy);
    let (_, string) = printed
        .keys
        .first()
        .expect("the selection string is the first key");
    // Escapes can make a string that just fits too long; an empty list has no text that reads back.
    if let Ok(selection) = parse(string) {
        assert_eq!(selection, compiled.selection);
    }
    let _ = unsupported(&policy);
});
