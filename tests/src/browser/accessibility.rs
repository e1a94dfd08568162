//! Whether the page can be used by everybody, as far as a program can tell: axe-core, run in the page.

use super::Browser;
use crate::installed;
use serde_json::Value;
use std::{env, fs, path::PathBuf};

/// Runs every rule of WCAG 2.2 A and AA and of good practice, and keeps of each violation what to look for.
const SCAN: &str = "const done = arguments[arguments.length - 1];
    axe.run(document, {resultTypes: ['violations']}).then(
        ({violations}) => done(violations.map(({id, help, nodes}) => ({
            id, help,
            nodes: nodes.slice(0, 5).map(({html, failureSummary}) => [html.slice(0, 300), failureSummary]),
        }))),
        error => done(String(error)),
    );";

impl Browser {
    /// Fails where axe-core finds a violation in the page as it is.
    pub async fn is_accessible(&self, name: &str) {
        // The page is a new document after every visit; within one, the script stays.
        if self.script("return typeof axe === 'undefined'").await == true {
            let script = fs::read_to_string(axe()).expect("axe-core's script");
            self.script(&script).await;
        }
        let scan = self.web.execute_async(SCAN, Vec::new()).await;
        let violations: Value = scan.expect("a scan").json().clone();
        assert_eq!(
            violations,
            Value::Array(Vec::new()),
            "{name} at {}: {violations:#}",
            self.path().await
        );
    }
}

/// axe-core: `ATTUNE_TEST_AXE`, else where `cargo xtask test` puts it.
fn axe() -> PathBuf {
    let told = env::var_os("ATTUNE_TEST_AXE").map(PathBuf::from);
    told.unwrap_or_else(|| installed("tools/node_modules/axe-core/axe.min.js"))
}
