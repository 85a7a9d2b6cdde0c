//! A host of which nothing is known but the command of its adapter: what the adapter says of itself makes
//! its description.
//!
//! Starts the adapter once, to be greeted.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::abi::{Abi, ExportKind};
use crate::case::{NEEDS, Profile, load_profile};
use crate::host::stdio::protocol::Hello;
use crate::host::stdio::{Link, Program};
use crate::host::{Found, Trouble, TroubleKind};
use crate::runner::hosts::Wanted;

/// Callbacks that come with the start of a plugin and with the end of a context.
const WITHOUT_ASKING: [&str; 6] = [
    "proxy_on_context_create",
    "proxy_on_vm_start",
    "proxy_on_configure",
    "proxy_on_done",
    "proxy_on_log",
    "proxy_on_delete",
];

/// The host behind an adapter's command; with `profile` as that one describes it.
///
/// # Errors
/// The adapter cannot be started, or what it says of itself makes no sense.
pub fn behind(
    command: &[String],
    profile: Option<Profile>,
    abis: &[&Abi],
) -> Result<Wanted, Trouble> {
    let (path, args) = command.split_first().ok_or_else(|| {
        Trouble::new(
            TroubleKind::Missing,
            "there is no command behind `--`".to_owned(),
        )
    })?;
    let program = Program {
        path: PathBuf::from(path),
        args: args.to_vec(),
    };
    let link = Link::start(&program)?;
    let hello = link.hello().clone();
    drop(link);
    let profile = match profile {
        Some(profile) => profile,
        None => described(&hello, abis)?,
    };
    Ok(Wanted {
        profile,
        binary: Some(Found {
            version: hello.library.version,
            path: program.path,
        }),
        args: program.args,
    })
}

fn described(hello: &Hello, abis: &[&Abi]) -> Result<Profile, Trouble> {
    let mut offers = Map::new();
    for need in NEEDS {
        offers.insert(need.to_owned(), json!(true));
    }
    for (need, why) in [
        (
            "http2",
            "the stream engine has no protocol versions below HTTP semantics",
        ),
        ("environment", "the protocol hands over no environment"),
    ] {
        offers.insert(need.to_owned(), json!(why));
    }
    for (need, why) in &hello.lacks {
        offers.insert(need.clone(), json!(why));
    }
    let mut answers = Map::new();
    for abi in abis.iter().filter(|a| hello.abi.contains(&a.id)) {
        let callbacks = abi
            .callbacks
            .iter()
            .filter(|c| c.kind == ExportKind::Callback);
        for callback in callbacks.map(|c| c.name.as_str()) {
            let made = hello.callbacks.iter().any(|c| c == callback);
            if !made && !WITHOUT_ASKING.contains(&callback) {
                answers.insert(callback.to_owned(), json!("none"));
            }
        }
    }
    for (name, who) in &hello.answers {
        answers.insert(
            name.clone(),
            serde_json::to_value(who).unwrap_or(Value::Null),
        );
    }
    let text = json!({
        "version": 1,
        "name": hello.library.name,
        "about": format!("{} {}, as its adapter describes it.", hello.library.name, hello.library.version),
        "driver": "stdio",
        "abi": hello.abi,
        "says": {"unlinked": hello.unlinked},
        "over": "reply",
        "offers": offers,
        "answers": answers,
    });
    load_profile("the greeting", &text.to_string()).map_err(|problems| {
        let all: Vec<&str> = problems.iter().map(|p| p.message.as_str()).collect();
        let what = format!("what the adapter says of itself: {}", all.join("; "));
        Trouble::new(TroubleKind::Protocol, what)
    })
}
