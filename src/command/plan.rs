//! `sekisho plan`: the fate of every device of a fleet, and whether the policy covers it.

use super::fleet::{Files, unread};
use super::{CommandResult, Outcome, colour_of_stderr, print, read_file, report, report_policy};
use clap::ValueEnum;
use sekisho_policy::plan::{
    Expectations, Fleet, JsonPlan, Planner, Strictness, cover, for_people, markdown, story,
};
use sekisho_policy::{Diagnostic, Severity, Source, render_human};
use std::collections::HashSet;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Tell what becomes of every device of every machine, and what the policy does not cover.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The policy file; `-` reads standard input.
    policy: PathBuf,
    /// Inventories: files, folders of `.json`, `.jsonl` and `.ndjson` files, or `-` for standard input.
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    inventory: Vec<PathBuf>,
    /// Form of the result. What is wrong goes to stderr for `human`, else it is part of the result.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Fates that devices of these machines must have: the policy's tests, as docs/fleet.md describes them.
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// Take warnings for errors.
    #[arg(long)]
    strict: bool,
    /// The story of the device in this slot, once for each model: every rule tried, and which item failed.
    #[arg(long, value_name = "SLOT", conflicts_with_all = ["format", "expect"])]
    device: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for each hardware model.
    Human,
    /// Every machine, in the order of the inventory.
    Json,
    /// For a pull request.
    Markdown,
}

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let Some((source, policy)) = report_policy(&arguments.policy)? else {
        return Ok(Outcome::Refused);
    };
    let planner = Planner::new(&policy);
    let files = Files::of(&arguments.inventory)?;
    if let Some(slot) = &arguments.device {
        return tell_story(&planner, &files, slot);
    }
    let expectations = arguments.expect.as_deref().map(read_file).transpose()?;
    let expected = expectations.as_ref().map(Expectations::read).transpose();
    let mut expected = match (expected, &expectations) {
        (Ok(expected), _) => expected,
        (Err(wrong), source) => {
            source.iter().for_each(|source| tell(source, &wrong));
            return Ok(Outcome::Refused);
        }
    };
    let mut json = Json::new(arguments.format, &planner, &source)?;
    let mut written = Ok(());
    let fleet = Fleet::survey(&planner, files.open(), |machine, disks| {
        if let Some(expected) = &mut expected {
            expected.see(machine);
        }
        if let Some(json) = &mut json {
            written = json.out.write_all(json.plan.machine(machine, disks).as_bytes());
        }
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    files.done();
    written?;
    let fleet = match fleet {
        Ok(fleet) => fleet,
        Err(error) => return unread(error),
    };
    let strictness = match arguments.strict {
        true => Strictness::Strict,
        false => Strictness::Warn,
    };
    let uncovered = cover(&planner, &fleet, strictness);
    let unmet = expected.map(|expected| expected.unmet()).unwrap_or_default();
    let mut found = vec![(&source, uncovered.as_slice())];
    found.extend(expectations.iter().map(|source| (source, unmet.as_slice())));
    match (arguments.format, json) {
        (Format::Markdown, _) => print(&markdown(&planner, &fleet, &found))?,
        (_, Some(json)) => json.close(&found)?,
        (_, None) => {
            print(&for_people(&planner, &fleet))?;
            found.iter().for_each(|(source, found)| tell(source, found));
        }
    }
    let all = uncovered.iter().chain(&unmet);
    let refused = all
        .map(|found| found.severity)
        .any(|severity| severity == Severity::Error);
    Ok(if refused { Outcome::Refused } else { Outcome::Fine })
}

fn tell(source: &Source, found: &[Diagnostic]) {
    report(&render_human(source, found, colour_of_stderr()));
}

/// The JSON form, which is written while machines are read.
struct Json<'a> {
    plan: JsonPlan<'a>,
    out: BufWriter<io::StdoutLock<'static>>,
}

impl<'a> Json<'a> {
    fn new(format: Format, planner: &'a Planner<'a>, source: &Source) -> io::Result<Option<Self>> {
        if format != Format::Json {
            return Ok(None);
        }
        let plan = JsonPlan::new(planner);
        let mut out = BufWriter::new(io::stdout().lock());
        out.write_all(plan.open(source.name()).as_bytes())?;
        Ok(Some(Self { plan, out }))
    }

    fn close(mut self, found: &[(&Source, &[Diagnostic])]) -> io::Result<()> {
        self.out.write_all(self.plan.close(found).as_bytes())?;
        self.out.flush()
    }
}

fn tell_story(planner: &Planner<'_>, files: &Files, slot: &str) -> CommandResult {
    let slot = slot.parse()?;
    let mut told = HashSet::new();
    let mut stories = Vec::new();
    let read = Fleet::survey(planner, files.open(), |machine, _| {
        if told.insert(machine.model.id) {
            stories.extend(story(planner, machine, slot));
        }
        ControlFlow::Continue(())
    });
    files.done();
    if let Err(error) = read {
        return unread(error);
    }
    if stories.is_empty() {
        report(&format!(
            "error: no machine of the inventory has a device in slot {slot}\n"
        ));
        return Ok(Outcome::Refused);
    }
    print(&stories.join("\n"))?;
    Ok(Outcome::Fine)
}
