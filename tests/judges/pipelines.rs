//! The files of `examples/ci/`: valid for the servers that read them, and every command in them does what is said.

use crate::{content, debian, judge, root, scratch};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const GITHUB: &str = "examples/ci/github-actions.yml";
const GITLAB: &str = "examples/ci/gitlab-ci.yml";
const HOOKS: &str = "examples/ci/pre-commit-config.yaml";

#[test]
fn the_servers_schemas_take_the_files() {
    let builtin = |schema: &str, file: &str| {
        content(judge("check-jsonschema").args(["--builtin-schema", schema, file]));
    };
    builtin("vendor.github-workflows", GITHUB);
    builtin("vendor.gitlab-ci", GITLAB);
}

#[test]
fn yamllint_has_nothing_to_say() {
    let rules = "{extends: default, rules: {line-length: {max: 128}, document-start: disable}}";
    let files = [GITHUB, GITLAB, HOOKS, ".pre-commit-hooks.yaml"];
    assert_eq!(
        content(debian("yamllint").args(["--strict", "-d", rules]).args(files)),
        ""
    );
}

/// A YAML file as somebody else's parser reads it.
fn read(file: &str) -> Value {
    let program = "import json, sys; from ruamel.yaml import YAML; \
                   json.dump(YAML(typ='safe', pure=True).load(open(sys.argv[1])), sys.stdout)";
    serde_json::from_str(&content(judge("python").args(["-c", program, file]))).unwrap()
}

/// A repository with the examples, of which the second commit weakens the policy.
struct Repository {
    folder: PathBuf,
    before: String,
}

impl Repository {
    fn new(name: &str) -> Self {
        let folder = scratch(name);
        content(
            Command::new("cp")
                .args(["-r", "examples"])
                .arg(&folder)
                .current_dir(root()),
        );
        let repository = Self {
            folder,
            before: String::new(),
        };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit();
        let before = repository.git(&["rev-parse", "HEAD"]).trim().to_owned();
        repository.git(&["update-ref", "refs/remotes/origin/main", &before]);
        let policy = repository.folder.join("examples/field-laptop.toml");
        let text = fs::read_to_string(&policy).unwrap();
        let weaker = text.replacen("network = \"conceal\"", "network = \"pass\"", 1);
        assert_ne!(text, weaker);
        fs::write(policy, weaker).unwrap();
        repository.commit();
        Self { before, ..repository }
    }

    fn git(&self, arguments: &[&str]) -> String {
        content(Command::new("git").args(arguments).current_dir(&self.folder))
    }

    fn commit(&self) {
        self.git(&["add", "examples"]);
        let author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"];
        self.git(&[&author[..], &["commit", "--quiet", "-m", "policy"]].concat());
    }

    /// Runs lines of a pipeline as its server does, with `variables`.
    fn run(&self, lines: &str, variables: &Value) -> Output {
        let sekisho = Path::new(env!("CARGO_BIN_EXE_sekisho")).parent().unwrap();
        let path = format!("{}:{}", sekisho.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("bash");
        shell
            .args(["-e", "-o", "pipefail", "-c", lines])
            .current_dir(&self.folder);
        shell.env("PATH", path).env("GITHUB_BASE_REF", "main");
        shell.env("CI_MERGE_REQUEST_DIFF_BASE_SHA", &self.before);
        for (name, value) in variables.as_object().unwrap() {
            shell.env(name, value.as_str().unwrap_or_default());
        }
        shell.output().unwrap()
    }

    fn written(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).unwrap()
    }
}

/// What shells misunderstand is found before a server runs it.
fn shellcheck(lines: &str) {
    let file = scratch(&format!("shell-{}", lines.len())).join("step.sh");
    fs::write(&file, format!("#!/bin/bash\n{lines}\n")).unwrap();
    content(debian("shellcheck").arg(file));
}

/// What both pipelines do, told by the names of their steps.
fn exit_code_of(name: &str) -> Option<i32> {
    match name {
        "Check" | "policy-check" => Some(0),
        // A machine of the fleet has its disk on NVMe, where the policy's volume is on none.
        "Plan" | "policy-plan" => Some(1),
        "Compare" | "policy-diff" => Some(3),
        // These need the server, or a source of Sekisho.
        "Install" | "Annotate" | "Comment" => None,
        other => panic!("what is the exit code of {other}?"),
    }
}

fn judge_step(repository: &Repository, name: &str, lines: &str, variables: &Value) {
    shellcheck(lines);
    let Some(expected) = exit_code_of(name) else {
        return;
    };
    let output = repository.run(lines, variables);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(expected), "{name}: {said}");
}

fn judge_written(repository: &Repository) {
    assert!(repository.written("plan.md").contains("encrypt"));
    assert!(repository.written("diff.md").contains("E0802") || repository.written("diff.md").contains("E08"));
}

#[test]
fn every_step_of_the_workflow_runs_and_the_weaker_policy_fails_it() {
    let (workflow, repository) = (read(GITHUB), Repository::new("github"));
    let steps = workflow["jobs"]["policy"]["steps"].as_array().unwrap();
    for step in steps.iter().filter(|step| step["run"].is_string()) {
        let (name, lines) = (step["name"].as_str().unwrap(), step["run"].as_str().unwrap());
        judge_step(&repository, name, lines, &workflow["env"]);
    }
    let report: Value = serde_json::from_str(&repository.written("check.sarif")).unwrap();
    assert_eq!(report["version"], "2.1.0");
    judge_written(&repository);
}

#[test]
fn every_job_for_gitlab_runs_and_the_weaker_policy_fails_it() {
    let (pipeline, repository) = (read(GITLAB), Repository::new("gitlab"));
    let mut run = 0;
    for (name, job) in pipeline.as_object().unwrap() {
        let Some(script) = job["script"].as_array() else {
            continue;
        };
        let lines: Vec<&str> = script.iter().map(|line| line.as_str().unwrap()).collect();
        judge_step(&repository, name, &lines.join("\n"), &pipeline["variables"]);
        run += 1;
    }
    assert_eq!(run, 3);
    assert!(repository.written("check.xml").contains("<testsuites"));
    assert_eq!(repository.written("quality.json"), "[]\n");
    judge_written(&repository);
}

#[test]
fn each_hook_passes_a_right_policy_and_refuses_a_broken_one() {
    let repository = Repository::new("hook");
    let nothing = Value::Object(serde_json::Map::new());
    let hooks = &read(HOOKS)["repos"][0]["hooks"];
    let published = &read(".pre-commit-hooks.yaml");
    let entries: Vec<&str> = [hooks, published]
        .into_iter()
        .flat_map(|hooks| hooks.as_array().unwrap())
        .map(|hook| hook["entry"].as_str().unwrap())
        .collect();
    assert_eq!(entries.len(), 4);
    for entry in entries {
        let run = |file: &str| repository.run(&format!("{entry} {file}"), &nothing).status.code();
        assert_eq!(run("examples/field-laptop.toml"), Some(0));
        fs::write(repository.folder.join("broken.toml"), "policy=1\n").unwrap();
        assert_eq!(run("broken.toml"), Some(1));
    }
}
