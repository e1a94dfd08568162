use super::*;

const START: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);

/// Runs one test on every store.
async fn on_every_store<F: Future<Output = ()>>(test: impl Fn(Sessions, Clock) -> F) {
    let clock = Clock::manual(START);
    test(Sessions::in_memory(clock.clone()), clock).await;
    #[cfg(feature = "embedded")]
    {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Clock::manual(START);
        let store = Sessions::in_file(&folder.path().join("sessions.db"), clock.clone())
            .await
            .expect("opens");
        test(store, clock).await;
    }
}

async fn begin(sessions: &Sessions) -> SessionHash {
    sessions
        .begin(Subject::from("local"), "local")
        .await
        .expect("begins")
        .0
        .hash()
}

async fn is_good(sessions: &Sessions, hash: SessionHash) -> bool {
    sessions.find(hash).await.expect("the store answers").is_some()
}

#[tokio::test]
async fn a_session_is_found_until_it_is_ended() {
    on_every_store(async |sessions, _| {
        let (one, other) = (begin(&sessions).await, begin(&sessions).await);
        assert!(is_good(&sessions, one).await);
        sessions.end(one).await.expect("ends");
        assert!(!is_good(&sessions, one).await);
        assert!(is_good(&sessions, other).await);
    })
    .await;
}

#[tokio::test]
async fn an_idle_session_ends_and_a_used_one_goes_on() {
    on_every_store(async |sessions, clock| {
        let (used, idle) = (begin(&sessions).await, begin(&sessions).await);
        clock.advance_ms(IDLE_MS - 1);
        assert!(is_good(&sessions, used).await);
        clock.advance_ms(1);
        assert!(is_good(&sessions, used).await);
        assert!(!is_good(&sessions, idle).await);
    })
    .await;
}

#[tokio::test]
async fn a_session_in_daily_use_ends_by_its_age() {
    on_every_store(async |sessions, clock| {
        let hash = begin(&sessions).await;
        let day = 24 * 3_600_000;
        for _ in 0..29 {
            clock.advance_ms(day);
            assert!(is_good(&sessions, hash).await);
        }
        clock.advance_ms(day);
        assert!(!is_good(&sessions, hash).await);
    })
    .await;
}

#[tokio::test]
async fn cookies_hold_256_bits_and_differ() {
    let sessions = Sessions::in_memory(Clock::system());
    let (one, _) = sessions
        .begin(Subject::from("local"), "local")
        .await
        .expect("begins");
    let (other, _) = sessions
        .begin(Subject::from("local"), "local")
        .await
        .expect("begins");
    assert_ne!(one.expose(), other.expose());
    assert_eq!(
        BASE64_URL_SAFE_NO_PAD
            .decode(one.expose())
            .expect("decodes")
            .len(),
        32
    );
}

#[cfg(feature = "embedded")]
#[tokio::test]
async fn sessions_survive_a_restart_and_the_file_does_not_hold_the_cookie() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sessions.db");
    let clock = Clock::manual(START);
    let sessions = Sessions::in_file(&path, clock.clone()).await.expect("opens");
    let (token, _) = sessions
        .begin(Subject::from("local"), "local")
        .await
        .expect("begins");
    drop(sessions);
    let sessions = Sessions::in_file(&path, clock).await.expect("opens again");
    assert!(is_good(&sessions, token.hash()).await);
    for file in std::fs::read_dir(folder.path()).expect("lists") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("reads");
        assert!(
            !bytes
                .windows(43)
                .any(|window| window == token.expose().as_bytes())
        );
    }
}

#[cfg(feature = "embedded")]
#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sessions.db");
    drop(Sessions::in_file(&path, Clock::system()).await.expect("opens"));
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let pool = sqlx::SqlitePool::connect_with(options).await.expect("opens");
    sqlx::query("pragma user_version = 99")
        .execute(&pool)
        .await
        .expect("sets");
    pool.close().await;
    let refused = Sessions::in_file(&path, Clock::system())
        .await
        .err()
        .expect("is refused");
    assert!(refused.to_string().contains("newer version"), "{refused}");
}
