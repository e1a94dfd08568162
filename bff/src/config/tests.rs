use super::*;

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Reads a configuration; what isn't the test's concern is filled in.
fn read(file: &str, pairs: &[(&str, &str)], listen: Option<&str>) -> Result<Loaded, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("attune.toml");
    std::fs::write(&path, file).expect("writes");
    let mut all = vec![
        ("ATTUNE_UPSTREAM__KIND", "job-training-api"),
        ("ATTUNE_UPSTREAM__BASE_URL", "https://jobs.example/api/"),
        ("ATTUNE_UPSTREAM__API_KEY", "a-key"),
        ("ATTUNE_DATA_DIR", "/data"),
    ];
    all.retain(|(name, _)| pairs.iter().all(|(other, _)| other != name));
    all.extend_from_slice(pairs);
    let flags = Flags {
        config: Some(path.clone()),
        listen: listen.map(str::to_owned),
        data_dir: None,
    };
    Config::load(&flags, &variables(&all)).map_err(|error| {
        error
            .to_string()
            .replace(&path.display().to_string(), "attune.toml")
    })
}

fn refusal(file: &str, pairs: &[(&str, &str)]) -> String {
    read(file, pairs, None).expect_err("is refused")
}

#[test]
fn flags_go_before_the_environment_and_the_environment_before_the_file() {
    let file = "listen = \"127.0.0.1:1\"\nshutdown_ms = 5\n[engine]\nmax_running = 7\n";
    let from_file = read(file, &[], None).expect("good").config;
    assert_eq!((from_file.listen.port(), from_file.engine.max_running), (1, 7));
    let from_env = read(
        file,
        &[
            ("ATTUNE_LISTEN", "127.0.0.1:2"),
            ("ATTUNE_ENGINE__MAX_RUNNING", "3"),
        ],
        None,
    );
    let from_env = from_env.expect("good").config;
    assert_eq!((from_env.listen.port(), from_env.engine.max_running), (2, 3));
    assert_eq!(from_env.shutdown, Duration::from_millis(5));
    let from_flag = read(file, &[("ATTUNE_LISTEN", "127.0.0.1:2")], Some("localhost:3"))
        .expect("good")
        .config;
    assert_eq!(from_flag.listen, "127.0.0.1:3".parse().expect("an address"));
}

#[test]
fn folders_lead_from_the_root_on_wherever_a_trainer_works() {
    let relative = [("ATTUNE_DATA_DIR", "data"), ("ATTUNE_MODELS_DIR", "models")];
    let config = read("", &relative, None).expect("good").config;
    let here = std::env::current_dir().expect("a folder");
    assert_eq!(config.data_dir, here.join("data"));
    assert_eq!(config.models_dir, Some(here.join("models")));
}

#[test]
fn a_price_is_read_and_none_is_set_unless_told() {
    let price = |pairs: &[_]| read("", pairs, None).expect("good").config.price;
    let set = price(&[("ATTUNE_PRICE_PER_1000_TOKENS", "0.008 USD")]).expect("a price");
    assert_eq!((set.micros, set.currency.as_str()), (8_000, "USD"));
    assert_eq!(price(&[]), None);
    assert_eq!(price(&[("ATTUNE_PRICE_PER_1000_TOKENS", "")]), None);
}

#[test]
fn a_token_of_digits_stays_a_text() {
    let token = "01234567890123456789";
    let loaded = read("", &[("ATTUNE_LOCAL_TOKEN", token)], None).expect("good");
    assert!(loaded.config.local_token.expect("a token").matches(token));
}

#[test]
fn a_bad_value_names_its_setting_and_where_it_came_from() {
    insta::assert_snapshot!(refusal("", &[("ATTUNE_ENGINE__MAX_RUNNING", "many")]), @r#"setting `engine.max_running` (from environment variable `ATTUNE_ENGINE__MAX_RUNNING`): must be a whole number from 0 to 4294967295, not the text "many""#);
    insta::assert_snapshot!(refusal("", &[("ATTUNE_ENGINE__MAX_RUNNING", "0")]), @"setting `engine.max_running` (from environment variable `ATTUNE_ENGINE__MAX_RUNNING`): must be at least 1");
    insta::assert_snapshot!(refusal("", &[("ATTUNE_ENGINE__LEASE_MS", "999")]), @"setting `engine.lease_ms` (from environment variable `ATTUNE_ENGINE__LEASE_MS`): must be at least 1000");
    insta::assert_snapshot!(refusal("", &[("ATTUNE_INFERENCE__NICENESS", "20")]), @"setting `inference.niceness` (from environment variable `ATTUNE_INFERENCE__NICENESS`): must be at most 19");
    insta::assert_snapshot!(refusal("[inference]\nqueue = 10001\n", &[]), @"setting `inference.queue` (from `attune.toml`): must be at most 10000");
    insta::assert_snapshot!(refusal("[engine]\nmax_running = \"many\"\n", &[]), @r#"setting `engine.max_running` (from `attune.toml`): must be a whole number from 0 to 4294967295, not the text "many""#);
    insta::assert_snapshot!(refusal("engine = 3\n", &[]), @"setting `engine` (from `attune.toml`): must be a table of settings, not 3");
    insta::assert_snapshot!(refusal("listen = 5\n", &[]), @"setting `listen` (from `attune.toml`): must be a text, not 5");
    insta::assert_snapshot!(refusal("allowed_origins = \"x\"\n", &[]), @r#"setting `allowed_origins` (from `attune.toml`): must be a list, not the text "x""#);
    insta::assert_snapshot!(refusal("browser_metrics = \"yes\"\n", &[]), @r#"setting `browser_metrics` (from `attune.toml`): must be `true` or `false`, not the text "yes""#);
    insta::assert_snapshot!(refusal("[engine]\nthreads = -1\n", &[]), @"setting `engine.threads` (from `attune.toml`): must be a whole number from 0 to 4294967295, not -1");
    insta::assert_snapshot!(refusal("listen = \"here\"\n", &[]), @"setting `listen` (from `attune.toml`): is no address with a port; write for example `127.0.0.1:8080`");
    insta::assert_snapshot!(refusal("", &[("ATTUNE_PUBLIC_URL", "tune.example.com")]), @"setting `public_url` (from environment variable `ATTUNE_PUBLIC_URL`): is no web address: relative URL without a base");
    insta::assert_snapshot!(refusal("", &[("ATTUNE_ALLOWED_ORIGINS", "https://a.example, https://b.example/path")]), @"setting `allowed_origins` (from environment variable `ATTUNE_ALLOWED_ORIGINS`): takes origins without a path, such as `https://app.example.com`");
    insta::assert_snapshot!(refusal("", &[("ATTUNE_UPSTREAM__KIND", "magic")]), @"setting `upstream.kind` (from environment variable `ATTUNE_UPSTREAM__KIND`): must be `engine`, `openai` or `job-training-api`");
    insta::assert_snapshot!(refusal("", &[("ATTUNE_UPSTREAM__BASE_URL", "https://user:pass@jobs.example")]), @"setting `upstream.base_url` (from environment variable `ATTUNE_UPSTREAM__BASE_URL`): must not contain a user name or password");
    insta::assert_snapshot!(read("", &[], Some("nowhere")).expect_err("is refused"), @"setting `listen` (from `--listen`): is no address with a port; write for example `127.0.0.1:8080`");
    insta::assert_snapshot!(refusal("", &[("ATTUNE_PRICE_PER_1000_TOKENS", "0.008")]), @"setting `price_per_1000_tokens` (from environment variable `ATTUNE_PRICE_PER_1000_TOKENS`): must be an amount with at most six digits after the point and a currency's code, such as `0.008 USD`");
    insta::assert_snapshot!(refusal("[log]\nformat = \"xml\"\n", &[]), @"setting `log.format` (from `attune.toml`): must be `text` or `json`");
}

#[test]
fn a_missing_value_says_what_to_set() {
    insta::assert_snapshot!(refusal("", &[("ATTUNE_UPSTREAM__API_KEY", "")]), @"setting `upstream.api_key` is missing: set `ATTUNE_UPSTREAM__API_KEY`, or `ATTUNE_UPSTREAM__API_KEY_FILE` to a file that holds it");
    insta::assert_snapshot!(refusal("", &[("ATTUNE_UPSTREAM__BASE_URL", "")]), @"setting `upstream.base_url` is missing: set `ATTUNE_UPSTREAM__BASE_URL` to the upstream's address, such as `https://example.com/v1`");
    insta::assert_snapshot!(refusal("", &[("ATTUNE_UPSTREAM__API_KEY_FILE", "/no/such/file")]), @"setting `upstream.api_key_file` (from environment variable `ATTUNE_UPSTREAM__API_KEY_FILE`): is set beside `upstream.api_key`; keep one of them");
    let file_only = [
        ("ATTUNE_UPSTREAM__API_KEY", ""),
        ("ATTUNE_UPSTREAM__API_KEY_FILE", "/no/such/file"),
    ];
    insta::assert_snapshot!(refusal("", &file_only), @"setting `upstream.api_key_file` (from environment variable `ATTUNE_UPSTREAM__API_KEY_FILE`): can't read `/no/such/file`: No such file or directory (os error 2)");
}

#[test]
fn an_unknown_key_in_the_file_is_refused_and_an_unknown_variable_is_a_warning() {
    insta::assert_snapshot!(refusal("listn = \"127.0.0.1:1\"\n", &[]), @"unknown key `listn` in `attune.toml`: known here: `listen`, `data_dir`, `models_dir`, `local_token`, `public_url`, `allowed_origins`, `price_per_1000_tokens`, `shutdown_ms`, `browser_metrics`, `upstream`, `engine`, `inference`, `limits`, `metrics`, `webhooks`, `log`");
    insta::assert_snapshot!(refusal("[upstream]\nurl = \"x\"\n", &[]), @"unknown key `upstream.url` in `attune.toml`: known here: `kind`, `base_url`, `api_key`, `api_key_file`, `connect_timeout_ms`, `timeout_ms`, `max_answer_bytes`, `cache_ms`");
    insta::assert_snapshot!(refusal("listen = \n", &[]), @"configuration file `attune.toml`: TOML parse error at line 1, column 10");
    let loaded = read("", &[("ATTUNE_SERVICE_PORT", "1"), ("OTHER", "2")], None).expect("good");
    insta::assert_snapshot!(loaded.warnings.join("\n"), @"environment variable `ATTUNE_SERVICE_PORT` is no setting and is ignored");
}

#[test]
fn no_complaint_tells_a_secret() {
    for complaint in [
        refusal("local_token = 123456789\n", &[]),
        refusal("", &[("ATTUNE_LOCAL_TOKEN", "short-secret")]),
        refusal(
            "[upstream]\napi_key = [\"hidden-key\"]\n",
            &[("ATTUNE_UPSTREAM__API_KEY", "")],
        ),
        refusal("", &[("ATTUNE_METRICS__TOKEN", "short-secret")]),
        refusal("[metrics]\ntoken = 123456789\n", &[]),
        refusal("", &[("ATTUNE_UPSTREAM__API_KEY", "hidden key")]),
        refusal("[upstream]\napi_key = \"hidden-key\n", &[]),
    ] {
        for secret in ["123456789", "short-secret", "hidden"] {
            assert!(!complaint.contains(secret), "{complaint}");
        }
    }
    let loaded = read("", &[("ATTUNE_LOCAL_TOKEN", "a-very-secret-token")], None).expect("good");
    let printed = format!("{loaded:?}");
    assert!(
        !printed.contains("a-very-secret-token") && !printed.contains("a-key"),
        "{printed}"
    );
}

#[test]
fn beyond_loopback_a_strong_token_and_an_encrypted_address_are_needed() {
    let strong = ("ATTUNE_LOCAL_TOKEN", "0123456789abcdef0123456789abcdef");
    let weak = ("ATTUNE_LOCAL_TOKEN", "0123456789abcdef");
    let encrypted = ("ATTUNE_PUBLIC_URL", "https://tune.example.com");
    let plain = ("ATTUNE_PUBLIC_URL", "http://tune.example.com");
    for listen in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:8080"] {
        assert!(read("", &[strong, encrypted], Some(listen)).is_ok(), "{listen}");
        for pairs in [
            vec![],
            vec![strong],
            vec![encrypted],
            vec![weak, encrypted],
            vec![strong, plain],
        ] {
            let complaint = read("", &pairs, Some(listen)).expect_err("is refused");
            assert!(
                complaint.contains("ATTUNE_LOCAL_TOKEN") && complaint.contains("https://"),
                "{complaint}"
            );
        }
    }
    assert!(read("", &[], Some("[::1]:8080")).is_ok());
}

#[test]
fn a_key_can_come_from_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    std::fs::write(&path, "from-the-file\n").expect("writes");
    let path = path.display().to_string();
    let pairs = [
        ("ATTUNE_UPSTREAM__API_KEY", ""),
        ("ATTUNE_UPSTREAM__API_KEY_FILE", path.as_str()),
    ];
    let config = read("", &pairs, None).expect("good").config;
    let UpstreamConfig::Remote(RemoteApi::JobTrainingApi, remote) = config.upstream else {
        panic!("a remote upstream")
    };
    assert!(remote.api_key.matches("from-the-file"));
    assert_eq!(remote.base_url.as_str(), "https://jobs.example/api");
}

#[test]
fn the_counters_are_open_only_where_nobody_else_can_ask() {
    use crate::probes::MetricsDoor;
    let strong = ("ATTUNE_LOCAL_TOKEN", "0123456789abcdef0123456789abcdef");
    let public = ("ATTUNE_PUBLIC_URL", "https://tune.example.com");
    let token = ("ATTUNE_METRICS__TOKEN", "a-token-for-the-scraper");
    let door = |pairs: &[(&str, &str)], listen: &str| {
        MetricsDoor::new(&read("", pairs, Some(listen)).expect("good").config)
    };
    assert!(matches!(door(&[], "127.0.0.1:1"), MetricsDoor::Open));
    assert!(
        matches!(door(&[public], "127.0.0.1:1"), MetricsDoor::Shut),
        "behind a reverse proxy"
    );
    assert!(matches!(door(&[strong, public], "0.0.0.0:1"), MetricsDoor::Shut));
    assert!(matches!(door(&[token], "127.0.0.1:1"), MetricsDoor::Token(_)));
    assert!(matches!(
        door(&[strong, public, token], "0.0.0.0:1"),
        MetricsDoor::Token(_)
    ));
}

#[test]
fn what_the_decoder_may_take_is_set_by_name() {
    let pairs = [
        ("ATTUNE_INFERENCE__THREADS", "3"),
        ("ATTUNE_INFERENCE__NICENESS", "19"),
        ("ATTUNE_INFERENCE__IDLE_MS", "1000"),
        ("ATTUNE_INFERENCE__QUEUE", "0"),
    ];
    let set = read("", &pairs, None).expect("good").config.inference;
    assert_eq!((set.threads, set.niceness, set.queue), (3, 19, 0));
    assert_eq!((set.idle.as_millis(), set.memory_bytes), (1000, None));
    let unset = read("", &[], None).expect("good").config;
    assert_eq!((unset.inference.threads, unset.inference.queue), (0, 16));
    assert!(
        unset.inference.niceness > unset.engine.niceness,
        "training was there before"
    );
}

#[test]
fn browsers_report_unless_the_operator_says_no() {
    let set = |text| {
        read("", &[("ATTUNE_BROWSER_METRICS", text)], None).map(|loaded| loaded.config.browser_metrics)
    };
    assert!(set("").expect("good"), "an empty variable is an unset one");
    assert!(!set("false").expect("good"));
    let complaint = set("no").expect_err("bad").to_string();
    assert!(
        complaint.contains("browser_metrics") && complaint.contains("ATTUNE_BROWSER_METRICS"),
        "{complaint}"
    );
}
