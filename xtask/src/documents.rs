//! What the documents say of the code is true, as far as a program can tell: a test that is named is there, in the file
//! that is named with it, and the commands that are listed are those that there are.

use crate::{arguments::USAGE, project};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Underscores of a word that can only be a test's name.
const TEST_UNDERSCORES: usize = 4;

/// Every document that people read.
fn documents() -> Vec<PathBuf> {
    let docs = project::root().join("docs");
    let mut found = vec![project::root().join("README.md")];
    for folder in [docs.clone(), docs.join("adr")] {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        found.extend(files.filter(|file| file.extension().is_some_and(|kind| kind == "md")));
    }
    found
}

/// The words of a line that stand in backticks.
fn in_backticks(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

fn is_test_name(word: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    word.bytes().all(is_plain) && word.matches('_').count() >= TEST_UNDERSCORES
}

/// The code of all files below a folder.
fn code_below(folder: &Path, code: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            code_below(&path, code);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            code.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

fn all_code() -> String {
    let mut code = String::new();
    for room in ["shared", "frontend", "bff", "engine", "trainer", "tests", "xtask"] {
        code_below(&project::root().join(room), &mut code);
    }
    code
}

fn has_test(code: &str, name: &str) -> bool {
    code.contains(&format!("fn {name}("))
}

#[test]
fn every_test_that_a_document_names_is_there() {
    let code = all_code();
    let mut named = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for name in text
            .lines()
            .flat_map(in_backticks)
            .filter(|word| is_test_name(word))
        {
            assert!(has_test(&code, name), "{}: `{name}`", document.display());
            named += 1;
        }
    }
    assert!(
        named > 80,
        "only {named} tests are named: is the form of the documents another?"
    );
}

#[test]
fn every_test_of_the_security_page_is_in_the_file_that_is_named_before_it() {
    let page = fs::read_to_string(project::root().join("docs/SECURITY.md")).unwrap();
    let mut checked = 0;
    for line in page.lines() {
        assert!(
            !line.contains("| same "),
            "name the test: a row may come to stand between: {line}"
        );
        let mut file = None;
        for word in in_backticks(line) {
            if word.ends_with(".rs") {
                let path = match word.strip_prefix('/') {
                    Some(path) => project::root().join(path),
                    None => project::root().join("bff").join(word),
                };
                let code = fs::read_to_string(&path);
                file = Some((
                    path.clone(),
                    code.unwrap_or_else(|_| panic!("there is no {}", path.display())),
                ));
            } else if let (true, Some((path, code))) = (is_test_name(word), &file) {
                assert!(has_test(code, word), "`{word}` isn't in {}", path.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 60, "only {checked} tests stand behind a file");
}

/// The words of a command, without what it takes: `bench lora` of `bench lora [--model DIR]`.
fn command(words: &str) -> String {
    let is_name = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let most = if words.starts_with("bench") { 2 } else { 1 };
    let names = words.split_whitespace().take_while(is_name).take(most);
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_readme_has_every_command_of_the_help_and_no_other() {
    let usage = USAGE.lines().filter_map(|line| line.strip_prefix("  "));
    let told: BTreeSet<String> = usage
        .filter(|line| !line.starts_with([' ', '[']))
        .map(command)
        .filter(|name| name != "help")
        .collect();
    let readme = fs::read_to_string(project::root().join("README.md")).unwrap();
    let named = readme.split("cargo xtask ").skip(1).map(command);
    let listed: BTreeSet<String> = named.filter(|name| !name.is_empty()).collect();
    assert_eq!(listed, told);
}

#[test]
fn the_readme_names_the_rust_that_is_needed() {
    let read = |file: &str| fs::read_to_string(project::root().join(file)).unwrap();
    let manifest = read("Cargo.toml");
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "));
    let needed = format!("Rust {}", version.unwrap().trim_matches('"'));
    assert!(read("README.md").contains(&needed), "{needed}");
}

#[test]
fn cargo_tells_how_far_it_is_while_it_compiles_this() {
    let config = fs::read_to_string(project::root().join(".cargo/config.toml")).unwrap();
    assert!(
        config.contains("xtask = ") && !config.contains("quiet"),
        "{config}"
    );
}
