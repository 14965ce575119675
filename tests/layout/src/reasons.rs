//! Each dependency says in its manifest why it is there: behind it, or above it or the group it opens.

use crate::tree;

/// Whether a line's dependency has its reason elsewhere: in the workspace's line, or in being ours.
fn is_explained_elsewhere(line: &str) -> bool {
    line.contains("workspace = true") || line.contains("path = ")
}

/// The dependencies of a manifest without a reason, by name.
fn without_reason(manifest: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut in_dependencies = false;
    let mut reason_above = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_dependencies = line.trim_end_matches(']').ends_with("dependencies");
            reason_above = false;
        } else if line.trim().is_empty() {
            reason_above = false;
        } else if line.starts_with('#') {
            reason_above = true;
        } else if in_dependencies
            && let Some((name, rest)) = line.split_once([' ', '.'])
            && !(reason_above || rest.contains('#') || is_explained_elsewhere(line))
        {
            found.push(name);
        }
    }
    found
}

#[test]
fn every_dependency_says_why_it_is_there() {
    for file in tree::files()
        .iter()
        .filter(|file| file.path.ends_with("Cargo.toml"))
    {
        let found = without_reason(&file.text);
        assert!(found.is_empty(), "{}: {found:?}", file.path);
    }
}

#[test]
fn a_dependency_without_a_reason_is_recognised() {
    let text = "[package]\nname = \"x\"\n[dev-dependencies]\n# Why.\na = \"1\"\nb = { version = \"1\" }\n\nc = \"1\"\n\
                d = \"1\" # why\ne.workspace = true\n[workspace.dependencies]\nf = \"1\"\n[lints]\nworkspace = true\n";
    assert_eq!(without_reason(text), ["c", "f"]);
}
