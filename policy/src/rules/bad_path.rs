//! E0117: not a path on an EFI system partition.

use crate::findings::Rule;
use crate::read::Malformed;

/// Characters that a name on FAT cannot have (Microsoft FAT Specification, section 7).
const FORBIDDEN: &[char] = &['"', '*', ':', '<', '>', '?', '|'];
/// The longest path that firmware must take (MAX_PATH of FAT long names).
const LONGEST: usize = 260;

pub(crate) static RULE: Rule = Rule {
    code: "E0117",
    title: "not a path on an EFI system partition",
    text: "Firmware writes paths with backslashes from the root of the partition: \
           '\\EFI\\debian\\grubx64.efi'. Between single quotes TOML leaves backslashes alone; between double \
           quotes each must be doubled. For Secure Boot name the distribution's shim: \
           '\\EFI\\debian\\shimx64.efi'.",
    example: example!("bad-path"),
    repair: &[(
        "\"/boot/efi/EFI/debian/grubx64.efi\"",
        "'\\EFI\\debian\\grubx64.efi'",
    )],
    check: None,
};

pub(crate) fn check(text: &str) -> Result<(), Malformed> {
    let parts: Vec<&str> = text.strip_prefix('\\').unwrap_or_default().split('\\').collect();
    let remark = if text.contains('/') {
        "firmware separates folders by backslashes".to_owned()
    } else if !text.starts_with('\\') {
        "a path begins with a backslash".to_owned()
    } else if parts
        .iter()
        .any(|part| part.is_empty() || part.chars().all(|c| c == '.'))
    {
        "a folder's name is missing".to_owned()
    } else if let Some(bad) = text.chars().find(|c| c.is_control() || FORBIDDEN.contains(c)) {
        format!("`{}` cannot be in a file name", bad.escape_debug())
    } else if text.len() > LONGEST || !text.is_ascii() {
        "firmware takes up to 260 ASCII characters".to_owned()
    } else if !text.to_ascii_lowercase().ends_with(".efi") {
        "a boot loader's name ends in .efi".to_owned()
    } else {
        return Ok(());
    };
    Err(Malformed::new(
        remark,
        format!(
            "write it from the root of the partition: `next = '{}'`",
            repaired(text)
        ),
    ))
}

fn repaired(text: &str) -> String {
    let path = text.replace('/', "\\");
    // `/boot/efi` is where Linux mounts the partition.
    let path = match path.find("\\EFI\\") {
        Some(at) => path.get(at..).unwrap_or_default(),
        None => path.as_str(),
    };
    let plain = path
        .trim_matches('\\')
        .chars()
        .all(|c| !c.is_control() && !FORBIDDEN.contains(&c));
    if plain && path.is_ascii() && path.to_ascii_lowercase().ends_with(".efi") {
        format!("\\{}", path.trim_start_matches('\\'))
    } else {
        "\\EFI\\debian\\grubx64.efi".to_owned()
    }
}
