//! `sekisho image`: what is built can be inspected, what cannot be enforced is refused, and nothing is left half.

use super::{sekisho, text};
use std::fs;
use std::path::{Path, PathBuf};

/// What no hypervisor enforces yet.
const UNSUPPORTED: &str = "policy/tests/golden/unsupported.toml";

/// A policy that this build enforces whole.
const ENFORCED: &str = "examples/first-light.toml";

/// A path for one test's image, where nothing is yet.
fn fresh(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("image").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder.join("sekisho.img")
}

fn build(policy: &str, image: &Path) -> std::process::Output {
    sekisho(&["image", "build", policy, "-o", image.to_str().unwrap()])
}

#[test]
fn an_image_is_built_in_silence_and_tells_its_policy() {
    let image = fresh("built");
    let built = build(ENFORCED, &image);
    assert_eq!(built.status.code(), Some(0), "{}", text(&built.stderr));
    assert_eq!((text(&built.stdout), text(&built.stderr)), ("", ""));
    let told = sekisho(&["image", "inspect", image.to_str().unwrap()]);
    assert_eq!(told.status.code(), Some(0));
    assert!(
        text(&told.stdout).contains("policy       first-light\n"),
        "{}",
        text(&told.stdout)
    );
    assert!(
        text(&told.stdout).contains("driver=conceal\n  by         first-light.toml:10 second-nic\n"),
        "{}",
        text(&told.stdout)
    );
}

#[test]
fn the_same_policy_gives_the_same_image() {
    let [one, other] = ["one", "other"].map(|name| fresh(&format!("same-{name}")));
    for image in [&one, &other] {
        assert_eq!(build(ENFORCED, image).status.code(), Some(0));
    }
    assert!(fs::read(one).unwrap() == fs::read(other).unwrap());
}

#[test]
fn a_policy_of_two_files_gives_the_same_image_in_every_folder_and_names_both() {
    let base = fs::read(ENFORCED).unwrap();
    let images = ["here", "there"].map(|name| {
        let image = fresh(&format!("two-files-{name}"));
        let folder = image.parent().unwrap();
        fs::create_dir(folder.join("site")).unwrap();
        fs::write(folder.join("company.toml"), &base).unwrap();
        let policy = folder.join("site").join("kiosk.toml");
        let own = "policy = 1\nextends = \"../company.toml\"\n\n[defaults]\nother = \"conceal\"\n";
        fs::write(&policy, own).unwrap();
        let built = build(policy.to_str().unwrap(), &image);
        assert_eq!(built.status.code(), Some(0), "{}", text(&built.stderr));
        image
    });
    let told = sekisho(&["image", "inspect", images[0].to_str().unwrap()]);
    assert!(
        text(&told.stdout)
            .contains("  by         ../company.toml:10 second-nic\n  by         kiosk.toml:5 defaults\n"),
        "{}",
        text(&told.stdout)
    );
    assert!(fs::read(&images[0]).unwrap() == fs::read(&images[1]).unwrap());
}

#[test]
fn the_json_form_names_every_section_with_its_digest() {
    let image = fresh("json");
    build(ENFORCED, &image);
    let told = sekisho(&["image", "inspect", "--format", "json", image.to_str().unwrap()]);
    let report: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(report["policy"]["name"], "first-light");
    let sections = report["sections"].as_array().unwrap();
    assert_eq!(sections.last().unwrap()["name"], ".seal");
    assert!(
        sections
            .iter()
            .all(|section| section["sha256"].as_str().unwrap().len() == 64)
    );
}

#[test]
fn what_cannot_be_enforced_is_refused_by_name_and_nothing_is_written() {
    let image = fresh("unsupported");
    let built = build(UNSUPPORTED, &image);
    assert_eq!(built.status.code(), Some(1));
    assert!(
        text(&built.stderr).contains("`[shell]`"),
        "{}",
        text(&built.stderr)
    );
    assert_eq!(fs::read_dir(image.parent().unwrap()).unwrap().count(), 0);
}

#[test]
fn a_damaged_image_is_exit_code_1_with_the_reason() {
    let image = fresh("damaged");
    build(ENFORCED, &image);
    let mut bytes = fs::read(&image).unwrap();
    bytes.truncate(5 << 20);
    fs::write(&image, bytes).unwrap();
    let told = sekisho(&["image", "inspect", image.to_str().unwrap()]);
    assert_eq!(told.status.code(), Some(1));
    assert!(
        text(&told.stderr).contains("the partition table"),
        "{}",
        text(&told.stderr)
    );
    assert_eq!(text(&told.stdout), "");
}

#[test]
fn a_place_that_cannot_be_written_is_exit_code_2_and_named() {
    let image = fresh("nowhere").with_file_name("missing").join("sekisho.img");
    let built = build(ENFORCED, &image);
    assert_eq!(built.status.code(), Some(2));
    assert!(
        text(&built.stderr).contains("missing/sekisho.img"),
        "{}",
        text(&built.stderr)
    );
}

#[test]
fn a_key_store_that_is_not_there_is_exit_code_2_and_named() {
    let image = fresh("keys");
    let built = sekisho(&[
        "image",
        "build",
        ENFORCED,
        "--keys",
        "no-such-keys",
        "-o",
        image.to_str().unwrap(),
    ]);
    assert_eq!(built.status.code(), Some(2));
    assert!(
        text(&built.stderr).contains("no-such-keys"),
        "{}",
        text(&built.stderr)
    );
}

/// A policy with a volume.
const WITH_VOLUME: &str = "examples/encrypted-disk.toml";

#[test]
fn a_policy_with_volumes_and_no_key_store_is_exit_code_2_and_says_what_to_add() {
    let image = fresh("no-keys");
    let built = build(WITH_VOLUME, &image);
    assert_eq!(built.status.code(), Some(2));
    assert!(
        text(&built.stderr).contains("add `--keys DIR`"),
        "{}",
        text(&built.stderr)
    );
    assert!(!image.exists());
}

#[test]
fn a_key_store_without_a_file_that_the_policy_needs_is_refused_by_its_name() {
    let image = fresh("empty-keys");
    let keys = image.parent().unwrap().to_str().unwrap();
    let path = image.to_str().unwrap();
    let built = sekisho(&["image", "build", WITH_VOLUME, "--keys", keys, "-o", path]);
    assert_eq!(built.status.code(), Some(1));
    for part in ["secrets.sealed cannot be read", "sekisho keys init"] {
        assert!(text(&built.stderr).contains(part), "{}", text(&built.stderr));
    }
    assert!(!image.exists());
}
