//! The examination of an adapter: what no case shows of it.
//!
//! It is greeted, asked for something that there is not, started and stopped again and again. Says nothing
//! of the library behind it.

use std::time::{Duration, Instant};

use crate::host::stdio::link::{Link, Peer, Program};
use crate::host::stdio::protocol::{Answer, Ask, Hello, Load, PROTOCOL, Plugin, Reset};
use crate::host::{Finding, Trouble};

/// An adapter answers each question of the examination within this time.
const SOON: Duration = Duration::from_secs(5);
/// It is started and stopped this often.
const STARTS: u32 = 3;

/// Examines the adapter that `program` starts.
///
/// # Errors
/// It cannot be started, or does not speak the protocol.
pub(super) fn examine(program: &Program) -> Result<Vec<Finding>, Trouble> {
    let mut out = Vec::new();
    let mut link = Link::start(program)?;
    out.push(greeting(link.hello()));
    out.push(unknown(&mut link));
    out.push(rubbish(&mut link));
    drop(link);
    out.push(starts(program)?);
    Ok(out)
}

fn soon() -> Instant {
    Instant::now() + SOON
}

fn greeting(hello: &Hello) -> Finding {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let name = &hello.library.name;
    let wrong = if name.is_empty() || !name.chars().all(plain) {
        Some(format!("`{name}` is no name of a library"))
    } else if hello.abi.is_empty() {
        Some("it names no ABI version".to_owned())
    } else if hello.callbacks.is_empty() {
        Some("it names no callback".to_owned())
    } else {
        None
    };
    let what = format!(
        "{name} {}, ABI {}, {} callbacks, protocol {PROTOCOL}",
        hello.library.version,
        hello.abi.join(" "),
        hello.callbacks.len()
    );
    Finding {
        name: "greeting".to_owned(),
        wrong,
        what,
    }
}

/// An operation that there is not has to be refused, and the next one answered.
fn unknown(link: &mut Link) -> Finding {
    let said = link.ask_raw(r#"{"no_such_operation":{}}"#, soon());
    let wrong = match said.map(|r| r.answer) {
        Ok(Answer::Unsupported { reason }) if reason.trim().is_empty() => {
            Some("`unsupported` without a reason".to_owned())
        }
        Ok(Answer::Unsupported { .. }) => match link.ask(Ask::Reset(Reset {}), soon()) {
            Ok(_) => None,
            Err(silence) => Some(format!("no answer to what came after it: {silence:?}")),
        },
        Ok(other) => Some(format!("`unsupported` was due, not {other:?}")),
        Err(silence) => Some(format!("no answer: {silence:?}")),
    };
    Finding {
        name: "unknown operation".to_owned(),
        wrong,
        what: "answered with `unsupported`, and the next one is answered".to_owned(),
    }
}

/// A module that is none has to be refused by the library, which has to be entered for that.
fn rubbish(link: &mut Link) -> Finding {
    let abi = link.hello().abi.first().cloned().unwrap_or_default();
    let load = Ask::Load(Load {
        vm: "vm 1.1".to_owned(),
        vm_id: "doctor".to_owned(),
        abi,
        module: crate::host::stdio::protocol::Bytes::of(b"no module"),
        vm_config: Default::default(),
        plugins: vec![Plugin {
            name: "main".to_owned(),
            root_id: "main".to_owned(),
            config: Default::default(),
        }],
        upstreams: Vec::new(),
        functions: Vec::new(),
    });
    let said = link.ask(load, soon()).map(|r| r.answer);
    let entered = link.entered();
    let said = match said {
        // Some libraries look at a module only when it is started.
        Ok(Answer::Done(_)) => {
            let start = crate::host::stdio::protocol::Start {
                vm: "vm 1.1".to_owned(),
                plugin: 0,
            };
            link.ask(Ask::Start(start), soon()).map(|r| r.answer)
        }
        said => said,
    };
    let wrong = match said {
        Ok(Answer::Refused { .. } | Answer::Trapped { .. } | Answer::Failed { .. })
            if entered || link.entered() =>
        {
            None
        }
        Ok(Answer::Refused { .. } | Answer::Trapped { .. } | Answer::Failed { .. }) => Some(
            "it does not say when the library has control (`entered`): an endless loop would be its own"
                .to_owned(),
        ),
        Ok(other) => Some(format!("`refused` was due, not {other:?}")),
        Err(silence) => Some(format!("no answer: {silence:?}")),
    };
    Finding {
        name: "no module".to_owned(),
        wrong,
        what: "refused, by the library".to_owned(),
    }
}

/// Started and stopped, it ends with its input and leaves nothing behind.
fn starts(program: &Program) -> Result<Finding, Trouble> {
    let mut slow = 0;
    let mut left = 0;
    let mut longest = Duration::ZERO;
    for _ in 0..STARTS {
        let began = Instant::now();
        let link = Link::start(program)?;
        longest = longest.max(began.elapsed());
        let group = link.id();
        slow += u32::from(!link.stop());
        left += group_of(group);
    }
    let wrong = match (slow, left) {
        (0, 0) => None,
        (0, n) => Some(format!("{n} processes were left behind")),
        (n, _) => Some(format!(
            "{n} of {STARTS} times it did not end with its input and was killed"
        )),
    };
    Ok(Finding {
        name: "start and stop".to_owned(),
        wrong,
        what: format!(
            "{STARTS} times, ready after {} ms at most, nothing left behind",
            longest.as_millis()
        ),
    })
}

/// How many processes of this group are alive, where the system says so.
pub(super) fn group_of(group: u32) -> usize {
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let alive = all.filter(|p| {
        let stat = std::fs::read_to_string(p.path().join("stat")).unwrap_or_default();
        // After the name, which may hold anything: state, parent, group.
        let after = stat.rsplit(')').next().unwrap_or_default();
        let fields: Vec<&str> = after.split_whitespace().collect();
        fields.first() != Some(&"Z") && fields.get(2) == Some(&group.to_string().as_str())
    });
    alive.count()
}
