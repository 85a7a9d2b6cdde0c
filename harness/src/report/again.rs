//! The command that plays a case again, alone, on the host and with the cases of a run.
//!
//! Does not know whether they are still there.

use crate::record::Column;

/// The command that runs one case again, alone. `command` is that of the run, as the record has it: a
/// host that was named with a binary, a version or a file is named so again.
pub fn again(case: &str, column: &Column, command: &str) -> String {
    let mut out = format!("pwspec run {case}");
    let (typed, adapter) = match command.split_once(" -- ") {
        Some((typed, adapter)) => (typed, Some(adapter)),
        None => (command, None),
    };
    match (adapter, options(typed, "--host").is_empty()) {
        (Some(_), true) => {}
        _ => out.push_str(&format!(" --host {}", host_named(column, command))),
    }
    if let Some(folder) = options(typed, "--specs").last() {
        out.push_str(&format!(" --specs {folder}"));
    }
    out.push_str(" --isolation alone --trace all");
    if let Some(adapter) = adapter {
        out.push_str(&format!(" -- {adapter}"));
    }
    out
}

/// A column's host as `--host` took it in a run.
pub fn host_named(column: &Column, command: &str) -> String {
    let typed = command.split(" -- ").next().unwrap_or(command);
    let all = options(typed, "--host");
    let own = |h: &&String| bare(h).split(['=', '@']).next() == Some(&*column.host);
    match all.iter().find(own) {
        Some(h) if bare(h).contains('=') => h.clone(),
        Some(h) if bare(h).contains('@') => format!("{}@{}", column.host, column.host_version),
        Some(_) => column.host.clone(),
        // A profile's file does not say the host's name; where it is the only host it is this one.
        None => match &all[..] {
            [one] if bare(one).contains(['/', '.']) => one.clone(),
            _ => column.host.clone(),
        },
    }
}

/// The values of an option, as they were typed, with their quotes.
fn options(command: &str, name: &str) -> Vec<String> {
    let words = words(command);
    let mut out = Vec::new();
    for (n, word) in words.iter().enumerate() {
        let value = match word.strip_prefix(name) {
            Some("") => words.get(n + 1).cloned(),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        out.extend(value);
    }
    out
}

/// A word without its quotes.
fn bare(word: &str) -> String {
    word.replace('\'', "")
}

/// The words of a command; quotes stay, and hold their word together.
fn words(command: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in command.chars() {
        match c {
            ' ' if !quoted => out.extend(Some(std::mem::take(&mut word)).filter(|w| !w.is_empty())),
            c => {
                quoted ^= c == '\'';
                word.push(c);
            }
        }
    }
    out.extend(Some(word).filter(|w| !w.is_empty()));
    out
}

#[cfg(test)]
mod tests {
    use super::again;
    use crate::report::fixture::record;

    #[test]
    fn a_host_is_named_as_in_the_run() {
        let mut column = record().header.columns[1].clone();
        let says = |column: &_, command: &str| {
            let all = again("a/b", column, command);
            let rest = all.strip_prefix("pwspec run a/b").map(str::to_owned);
            let rest = rest.unwrap_or_else(|| panic!("{all}"));
            rest.replace(" --isolation alone --trace all", "")
        };
        for (command, expected) in [
            ("pwspec run --host envoy", " --host envoy"),
            ("pwspec run fields/", " --host envoy"),
            (
                "pwspec run --host reference --host=envoy=./envoy -j 1",
                " --host envoy=./envoy",
            ),
            (
                "pwspec run --host 'envoy=/a b/envoy'",
                " --host 'envoy=/a b/envoy'",
            ),
            ("pwspec run --host envoy@*", " --host envoy@1.40.0"),
            (
                "pwspec run --host pwspec/own.yaml",
                " --host pwspec/own.yaml",
            ),
            (
                "pwspec run --specs specs --host envoy",
                " --host envoy --specs specs",
            ),
            ("pwspec run -x -- ./adapter --loud", " -- ./adapter --loud"),
            (
                "pwspec run --host envoy -- ./adapter",
                " --host envoy -- ./adapter",
            ),
        ] {
            assert_eq!(says(&column, command), expected, "{command}");
        }
        column.host = "other".into();
        let two = "pwspec run --host envoy=./e --host a.yaml";
        assert_eq!(says(&column, two), " --host other");
    }
}
