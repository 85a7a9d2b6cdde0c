//! Programs that are no adapters, and adapters that misbehave.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::host::stdio::link::{Link, Peer, Program, Silence};
use crate::host::stdio::protocol::{Ask, Reset};
use crate::host::{Trouble, TroubleKind};

const HELLO: &str = r#"read -r line
echo '{"id":1,"answer":{"hello":{"protocol":1,"library":{"name":"x","version":"1"},"abi":[],"callbacks":[]}}}'
"#;

/// An adapter that greets and then does this.
fn script(then: &str) -> Program {
    Program {
        path: "/bin/sh".into(),
        args: vec!["-c".to_owned(), format!("{HELLO}{then}")],
    }
}

fn start(program: &Program) -> Result<Link, Trouble> {
    Link::start(program)
}

fn silence(then: &str) -> Silence {
    let mut link = start(&script(then)).unwrap();
    let until = Instant::now() + Duration::from_millis(500);
    link.ask(Ask::Reset(Reset {}), until).unwrap_err()
}

#[test]
fn a_program_that_is_no_adapter_is_trouble() {
    let kind = |path: &str| match start(&Program::plain(Path::new(path))) {
        Ok(_) => panic!("{path} greeted"),
        Err(trouble) => trouble.kind,
    };
    assert_eq!(kind("/bin/false"), TroubleKind::DidNotStart);
    assert_eq!(kind("/bin/cat"), TroubleKind::Protocol);
    assert_eq!(kind("/no/such/program"), TroubleKind::DidNotStart);
    let old = r#"read -r line
echo '{"id":1,"answer":{"hello":{"protocol":99,"library":{"name":"x","version":"1"},"abi":[],"callbacks":[]}}}'
read -r line"#;
    let args = vec!["-c".to_owned(), old.to_owned()];
    let path = "/bin/sh".into();
    let trouble = start(&Program { path, args }).err().unwrap();
    assert_eq!(trouble.kind, TroubleKind::Protocol);
    assert!(trouble.what.contains("version 99"), "{}", trouble.what);
}

#[test]
fn silence_inside_the_library_is_told_from_silence_outside() {
    let enter = r#"read -r line; echo '{"id":2,"answer":{"entered":{}}}';"#;
    assert_eq!(
        silence(&format!("{enter} sleep 60")),
        Silence::Late { entered: true }
    );
    assert_eq!(silence("sleep 60"), Silence::Late { entered: false });
    assert!(matches!(
        silence(&format!("{enter} exit 3")),
        Silence::Gone { entered: true, killed: false, story } if story.contains("3")
    ));
    assert!(matches!(
        silence("read -r line; exit 0"),
        Silence::Gone {
            entered: false,
            killed: false,
            ..
        }
    ));
    assert!(matches!(
        silence(&format!("{enter} kill -9 $$")),
        Silence::Gone { killed: true, .. }
    ));
}

#[test]
fn what_the_library_takes_counts_from_when_it_is_entered() {
    let then = r#"read -r line; sleep 0.3; echo '{"id":2,"answer":{"entered":{}}}'; sleep 0.4
        echo '{"id":2,"answer":{"done":{}}}'; read -r line"#;
    let mut link = start(&script(then)).unwrap();
    let until = Instant::now() + Duration::from_millis(100);
    let said = link.ask(Ask::Reset(Reset {}), until);
    assert!(said.is_ok(), "{said:?}");
}

#[test]
fn what_is_no_answer_is_nonsense() {
    for line in [
        "hello",
        r#"{"id":3,"answer":{"done":{}}}"#,
        r#"{"id":2,"answer":{"done":{},"failed":{"words":"x"}}}"#,
        r#"{"id":2,"answer":{"perhaps":{}}}"#,
    ] {
        let said = silence(&format!("read -r line; echo '{line}'; read -r line"));
        assert!(matches!(said, Silence::Nonsense(_)), "{line}: {said:?}");
    }
}

#[test]
fn what_it_says_aside_is_kept_and_nothing_is_left() {
    let then = r#"echo aside >&2; read -r line; echo '{"id":2,"answer":{"done":{}}}'; sleep 60 & read -r line; wait"#;
    let mut link = start(&script(then)).unwrap();
    let until = Instant::now() + Duration::from_secs(5);
    link.ask(Ask::Reset(Reset {}), until).unwrap();
    // Another thread reads it.
    let mut aside = Vec::new();
    while aside.len() < 6 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
        aside.extend(link.aside());
    }
    assert_eq!(aside, b"aside\n");
    let group = link.id();
    // It does not end with its input: killed, and what it started with it.
    assert!(!link.stop());
    let of_group = |p: &std::fs::DirEntry| {
        let stat = std::fs::read_to_string(p.path().join("stat")).unwrap_or_default();
        let after = stat.rsplit(')').next().unwrap_or_default();
        let fields: Vec<&str> = after.split_whitespace().collect();
        fields.first() != Some(&"Z") && fields.get(2) == Some(&group.to_string().as_str())
    };
    let left = || {
        let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        all.filter(of_group).count()
    };
    // What was killed may take a moment to die on a busy machine.
    let until = Instant::now() + Duration::from_secs(5);
    while left() > 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(left(), 0);
}
