//! What of a profile is a secret, in each of the ways in which it is written; and what is none.

use crate::case::{load_profile, secrets_in};

#[test]
fn values_of_such_fields_and_of_the_environment_are() {
    for (text, all) in [
        (
            "authorization: Bearer abc.def",
            &["Bearer abc.def", "abc.def"][..],
        ),
        (
            "  - {key: authorization, value: Basic dTpw}",
            &["Basic dTpw", "dTpw"],
        ),
        ("  - {value: s3cret-1, name: x-api-key}", &["s3cret-1"]),
        (
            "- header:\n    key: Proxy-Authorization\n    value: \"a, b \\\"c\\\"\"\n",
            &["a, b \"c\""],
        ),
        (
            "- header:\n    value: 'a # b'\n    key: \"cookie\"\n",
            &["a # b"],
        ),
        ("cookie: a=1, b=2   # ours", &["a=1, b=2"]),
        ("[authorization, s3cret-2]", &["s3cret-2"]),
        ("--token=s3cret-3", &["s3cret-3"]),
        ("\"client_secret\": \"s3cret-4\"", &["s3cret-4"]),
        ("MY_ENV: value-of-it", &["value-of-it"]),
        (
            "environment_variables: {key_values: {LEVEL: info, own: s3cret-5}}",
            &["s3cret-5", "info"],
        ),
        (
            "env:\n  - FOO=s3cret-6\n  - {name: BAR, value: s3cret-7}\nlevel: debug\n",
            &["s3cret-6", "s3cret-7"],
        ),
        (
            "key_values:\n  lower: s3cret-8\n\n  other.one: s3cret-9\nnext: stays\n",
            &["s3cret-8", "s3cret-9"],
        ),
        ("argv: [\"--env\", \"FOO=s3cret-a\"]", &["s3cret-a"]),
    ] {
        assert_eq!(secrets_in(text), all, "{text}");
    }
}

#[test]
fn what_every_profile_says_is_none() {
    for text in [
        "level: info\nname: envoy\n",
        "token: {{ c.token }}\nMY_ENV: \"{{ dir }}\"\n",
        "max_tokens: 1000\nmy_cookies: some\nDEBUG: true\nPORT: 8080\nABC: abc\n",
        "%START_TIME% %REQ(AUTHORITY)%",
    ] {
        assert_eq!(secrets_in(text), [""; 0], "{text}");
    }
    for name in ["envoy", "mosn"] {
        let path = format!("{}/../specs/hosts/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).expect("it is committed");
        let profile = load_profile(&path, &text).expect("it is fine");
        assert_eq!(profile.secrets(), [""; 0], "{name}");
    }
}

#[test]
fn an_argument_may_name_the_one_after_it() {
    let text = include_str!("../../../../specs/hosts/envoy.yaml");
    let mut own = load_profile("envoy.yaml", text).expect("it is fine");
    let start = own.start.as_mut().expect("it is started");
    start
        .args
        .extend(["--token", "t0ken-value"].map(str::to_owned));
    assert_eq!(own.secrets(), ["t0ken-value"]);
}
