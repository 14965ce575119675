//! One page of documentation a code: for a terminal, and in Markdown for `docs/reference.md`.

use std::fmt::Write;

/// What there is to say about a code.
pub(super) struct Page {
    pub(super) code: &'static str,
    pub(super) title: &'static str,
    /// Why, in sentences.
    pub(super) text: &'static str,
    /// A policy that has the problem.
    pub(super) example: String,
    /// Files that the example stands beside, with what they are.
    pub(super) beside: Vec<(&'static str, &'static str)>,
    /// The diagnostic, as people see it.
    pub(super) said: String,
    /// Replacements in the example that repair it.
    pub(super) repair: &'static [(&'static str, &'static str)],
}

/// For a terminal of 80 columns.
pub(super) fn plain(page: &Page) -> String {
    let title = format!("{}: {}", page.code, page.title);
    let mut text = format!(
        "{title}\n{}\n\n{}\n",
        "=".repeat(title.chars().count()),
        wrapped(page.text)
    );
    text.push_str("\nExample\n-------\n\n");
    text.push_str(&indented(&page.example));
    for (title, beside) in &page.beside {
        text.push_str(&format!("\nbeside this {title}:\n\n{}", indented(beside)));
    }
    text.push_str("\nWhat is said about it\n---------------------\n\n");
    text.push_str(&indented(&page.said));
    text.push_str("\nRepaired\n--------\n\n");
    text.push_str(&indented(&edits(page)));
    text
}

/// One section of the reference.
pub(super) fn markdown(page: &Page) -> String {
    let mut text = format!("### {}\n**{}**\n\n{}\n", page.code, page.title, page.text);
    text.push_str(&fenced("toml", &page.example));
    for (title, beside) in &page.beside {
        // Writing to a string cannot fail.
        let _ = write!(text, "\nbeside this {title}:\n{}", fenced("json", beside));
    }
    text.push_str(&fenced("text", &page.said));
    text.push_str(&fenced("diff", &edits(page)));
    text
}

/// What a code's first digits are about.
const CHAPTERS: [(&str, &str); 8] = [
    ("01", "The file and its values"),
    ("02", "Rules"),
    ("03", "Disks and volumes"),
    ("04", "Networks and the log"),
    ("05", "Services and unlocking"),
    ("06", "What this build can enforce"),
    ("07", "Fleets and expectations: `plan`"),
    ("08", "Weaker than before: `diff`"),
];

/// Every page, in chapters, with a table of contents.
pub(super) fn reference(pages: &[Page]) -> String {
    let mut text = String::from(
        "# Every diagnostic\n\n\
         Made by `sekisho explain --format markdown`. A code that begins with E refuses the policy, one with W warns.\n\
         Codes are stable, and none is given twice.\n",
    );
    let of_chapter = |digits: &'static str| {
        pages
            .iter()
            .filter(move |page| page.code.get(1..3) == Some(digits))
    };
    for (digits, title) in CHAPTERS {
        let _ = write!(text, "\n**{title}**\n\n");
        for page in of_chapter(digits) {
            let anchor = page.code.to_ascii_lowercase();
            let _ = writeln!(text, "- [{}](#{anchor}) {}", page.code, page.title);
        }
    }
    for (digits, title) in CHAPTERS {
        let _ = write!(text, "\n## {title}\n");
        for page in of_chapter(digits) {
            let _ = write!(text, "\n{}", markdown(page));
        }
    }
    text
}

/// What is taken out of the example and what is put there instead.
fn edits(page: &Page) -> String {
    let marked = |mark: char, text: &str| -> String {
        let lines = text
            .lines()
            .map(|line| format!("{mark} {line}").trim_end().to_owned() + "\n");
        lines.collect()
    };
    let edit = |(broken, repaired): &(&str, &str)| marked('-', broken) + &marked('+', repaired);
    page.repair.iter().map(edit).collect()
}

fn fenced(language: &str, text: &str) -> String {
    format!("\n```{language}\n{}\n```\n", text.trim_end())
}

/// Width of a line of prose, for terminals of 80 columns.
const WIDTH: usize = 78;

fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("    {line}").trim_end().to_owned() + "\n")
        .collect()
}
