//! Tells the outer cargo which files the nested build read.

use std::path::Path;

/// Run the build script again when `path` changes.
pub(crate) fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}

/// Watches every source named in a dep-info file, and the manifest of the crate each belongs to.
pub(crate) fn watch_all(dep_info: &str) {
    let mut manifests = Vec::new();
    for source in parse(dep_info) {
        watch(source.as_ref());
        let folders = Path::new(&source).ancestors().skip(1);
        if let Some(manifest) = folders
            .map(|folder| folder.join("Cargo.toml"))
            .find(|file| file.exists())
            && !manifests.contains(&manifest)
        {
            watch(&manifest);
            manifests.push(manifest);
        }
    }
}

/// The prerequisites of the rules in a dep-info file: `target: source source`, blanks in names as `\ `.
fn parse(dep_info: &str) -> Vec<String> {
    let rules = dep_info.lines().filter_map(|line| line.split_once(": "));
    rules.flat_map(|(_, sources)| split(sources)).collect()
}

/// Splits at blanks that no backslash escapes.
fn split(sources: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut characters = sources.chars();
    while let Some(character) = characters.next() {
        match (character, names.last_mut()) {
            ('\\', Some(name)) => name.extend(characters.next()),
            (' ', _) => names.push(String::new()),
            (other, Some(name)) => name.push(other),
            (_, None) => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn names_with_blanks_stay_whole() {
        let listed = parse("/t/loader: /s/a\\ b/main.rs /s/lib.rs\n\n");
        assert_eq!(listed, ["/s/a b/main.rs", "/s/lib.rs"]);
    }
}
