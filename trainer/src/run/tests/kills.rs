//! Runs in processes of their own, killed and starved.

use super::*;
use std::io::Read;

/// Not a test by itself: the child process of the two below.
#[test]
#[ignore = "run by other tests as their child"]
#[expect(
    clippy::disallowed_methods,
    reason = "the exit code is what the parent looks at, and a test returns none"
)]
fn child() {
    let run_dir = std::env::var_os("TRAINER_TEST_RUN_DIR").unwrap();
    std::process::exit(i32::from(main(Path::new(&run_dir), RunOptions::default())));
}

/// This test program as a trainer of its own, started by a shell so that limits can be set.
fn child_process(run_dir: &Path, before: &str) -> std::process::Child {
    let program = std::env::current_exe().unwrap();
    std::process::Command::new("sh")
        .arg("-c")
        .arg(format!(
            "{before} exec \"$0\" run::tests::kills::child --exact --ignored --nocapture"
        ))
        .arg(program)
        .env("TRAINER_TEST_RUN_DIR", run_dir)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

/// Starts a trainer of its own and kills it once it has written so much.
pub(super) fn kill_after(run_dir: &Path, bytes: usize) {
    let mut child = child_process(run_dir, "");
    let mut out = child.stdout.take().unwrap();
    // The run may be over before so much is written; then the kill comes late, which is an instant, too.
    drop(out.read_exact(&mut vec![0; bytes]));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_full_disk_fails_the_run_and_leaves_the_last_checkpoint() {
    let dir = run_dir(&spec());
    assert_eq!(
        go(dir.path(), Act::Send(3, vec![RunCommand::Pause])).0,
        exit_code::PAUSED
    );
    // Files may grow to 1024 bytes (or 512-byte blocks): enough for the metrics, not for tensors.
    let mut child = child_process(dir.path(), "trap '' XFSZ; ulimit -f 3;");
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    let code = child.wait().unwrap().code();
    assert_eq!(code, Some(i32::from(exit_code::STORAGE)), "{out}");
    assert!(out.contains("\"code\":\"disk_full\""), "{out}");
    assert!(crate::checkpoint::verify(dir.path(), 3).is_ok());
    let leftovers = fs::read_dir(dir.path().join("checkpoints"))
        .unwrap()
        .filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .starts_with('.')
        })
        .count();
    assert_eq!(leftovers, 0);
    assert_eq!(go(dir.path(), Act::Nothing).0, exit_code::DONE);
    assert_eq!(result(dir.path()), undisturbed().0);
}

#[test]
fn killed_in_the_midst_of_things_a_run_ends_with_the_same_bytes() {
    let (expected, _) = undisturbed();
    // Each length of output read before the kill is another instant.
    for (attempt, bytes) in [300, 700, 1500, 2500, 3500].into_iter().enumerate() {
        let dir = run_dir(&spec());
        kill_after(dir.path(), bytes);
        assert_eq!(
            go(dir.path(), Act::Nothing).0,
            exit_code::DONE,
            "attempt {attempt}"
        );
        assert_eq!(result(dir.path()), expected, "attempt {attempt}");
    }
}
