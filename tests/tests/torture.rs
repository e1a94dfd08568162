//! Thirty kills at random instants. `cargo xtask torture --kills 1000` is the same for longer.

use tests::{
    random::Random,
    torture::{Options, run},
};

const KILLS: u64 = 30;

#[tokio::test]
async fn jobs_that_are_killed_again_and_again_end_as_if_nothing_had_happened() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        kills: KILLS,
        seed: Random::announced().below(u64::MAX),
        threads: 2,
        folder: folder.path().to_owned(),
    };
    let tally = run(&options).await;
    println!("{}", tally.table());
    assert_eq!(tally.mismatches(), &[] as &[String]);
    assert!(tally.kills() >= KILLS);
    for victim in ["trainer", "server"] {
        assert!(tally.struck(victim) > 0, "{victim}");
    }
}
