//! `README.md` of a case that is played by hand.

use std::path::{Path, PathBuf};

use crate::abi::Abi;
use crate::case::{Case, Exchange};
use crate::host::network::repro::Written;
use crate::judge::Outcome;
use crate::record::{Record, ResultLine};
use crate::report::{safe, words};
use crate::runner::quoted;

/// How it is played.
pub(super) enum Way {
    /// A proxy.
    Network {
        written: Written,
        binary: String,
        /// The client in one line, where that is enough.
        curl: Option<String>,
    },
    /// A library behind an adapter.
    Stdio { binary: String },
    /// Inside pwspec.
    Embedded,
}

/// The request as a command line: one stream without trailers whose body is short text.
pub(super) fn curl(exchange: &Exchange, dir: &Path) -> Option<String> {
    let [stream] = &exchange.streams[..] else {
        return None;
    };
    let r = &stream.request;
    let plain = |b: &[u8]| std::str::from_utf8(b).ok().map(str::to_owned);
    if !r.trailers.is_empty() || r.body.len() > 1 {
        return None;
    }
    let mut out = format!(
        "curl -sS -i --path-as-is --unix-socket {} -X {}",
        quoted(&dir.join("c1.sock").display().to_string()),
        quoted(&r.method)
    );
    for (key, value) in &r.headers {
        let (key, value) = (plain(key)?, plain(value)?);
        out.push_str(&format!(" -H {}", quoted(&format!("{key}: {value}"))));
    }
    if let Some(body) = r.body.first() {
        let body = plain(body).filter(|b| b.len() <= 200)?;
        out.push_str(&format!(" --data-binary {}", quoted(&body)));
    }
    out.push_str(&format!(
        " {}",
        quoted(&format!("http://{}{}", r.authority, r.path))
    ));
    Some(out)
}

pub(super) fn readme(
    case: &Case,
    abi: &Abi,
    record: &Record,
    result: &ResultLine,
    way: &Way,
    reference: bool,
) -> String {
    let column = record
        .header
        .columns
        .iter()
        .find(|c| c.name == result.column);
    let (host, version) = column.map_or(("", ""), |c| (c.host.as_str(), c.host_version.as_str()));
    let mut out = format!(
        "# {} on {host} {version}, ABI {}\n\n{}: {}.\n\n## What the text asks\n\n",
        case.id,
        abi.id,
        case.id,
        case.about.trim_end_matches('.')
    );
    for row in case.covers.iter().filter_map(|id| abi.requirement(id)) {
        out.push_str(&format!(
            "- `{}` ({}): {} — ABI {}, {}\n",
            row.id,
            row.level,
            row.text,
            abi.text_version(),
            row.section
        ));
        if let Some(ruling) = &row.ruling {
            out.push_str(&format!("  Where the text is silent or wrong: {ruling}\n"));
        }
    }
    out.push_str(&format!(
        "\n## What happened here\n\nVerdict: **{}**.\n",
        result.judgement.verdict
    ));
    for c in result
        .judgement
        .checks
        .iter()
        .filter(|c| c.outcome != Outcome::Pass)
    {
        let word = match c.outcome {
            Outcome::Fail => "failed",
            _ => "not reached",
        };
        out.push_str(&format!(
            "\n- {word}: {}, `{}`: expected {}",
            c.name,
            c.req,
            safe(&c.expected)
        ));
        if !c.got.is_empty() {
            out.push_str(&format!(", got {}", safe(&c.got)));
        }
    }
    for word in words(result) {
        out.push_str(&format!("\n- {}", safe(&word)));
    }
    out.push_str(
        "\n\n`trace.txt` is what passed between host and plugin, call by call, and what client and upstream saw",
    );
    out.push_str(match reference {
        true => "; `reference-trace.txt` is the same case on pwspec's reference host, which is no norm.\n",
        false => ".\n",
    });
    out.push_str("`host.log` and `wire.txt`, where they are, are what the host logged and what went through its sockets.\n");
    out.push_str("`case.yaml` is the case as it is written.\n\n## Play it without pwspec\n\n");
    out.push_str(&match way {
        Way::Network { written, binary, curl } => network(written, binary, curl.as_deref()),
        Way::Stdio { binary } => format!(
            "`to-adapter.jsonl` is every message that the adapter got, `from-adapter.jsonl` what it answered:\n\n\
             ```sh\n{} < to-adapter.jsonl\n```\n\n`c1-*.wasm` are the modules in it.\n",
            quoted(binary)
        ),
        Way::Embedded => format!(
            "The reference host is inside pwspec; `c1-*.wasm` are the modules that it loads.\n\n\
             ```sh\npwspec run {} --host reference --abi {} --trace all\n```\n",
            case.id, abi.id
        ),
    });
    out.push_str(
        "\nThe plugin tells what it sees through `proxy_log`, in lines that begin with `PWF1`: letters and\n\
         digits that pwspec reads. Statuses and values are in `trace.txt`; what the host does on the wire is\n\
         seen by client and upstream.\n",
    );
    out
}

/// What is said of files from which secrets are left out.
pub(super) fn left_out(files: &[PathBuf]) -> String {
    let name = |p: &PathBuf| p.file_name().map(|n| format!("`{}`", n.to_string_lossy()));
    let names: Vec<String> = files.iter().filter_map(name).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!(
            "\nSecrets of the profile are left out of {}: before the host is started, put them where\n\
             `‹redacted›` stands.\n",
            names.join(", ")
        ),
    }
}

fn network(written: &Written, binary: &str, curl: Option<&str>) -> String {
    let modules: Vec<String> = written.modules.iter().map(|m| format!("`{m}`")).collect();
    let mut out = String::from(
        "In three terminals, in this folder:\n\n\
         ```sh\npython3 upstream.py    # the upstreams: answers, and prints what comes in\n\
         ./start.sh             # the host; HOST=/path/to/another/build ./start.sh takes that one\n\
         python3 client.py      # the client: sends, and prints what comes back\n```\n\n",
    );
    if let Some(curl) = curl {
        out.push_str(&format!(
            "The client in one line:\n\n```sh\n{curl}\n```\n\n"
        ));
    }
    out.push_str(&format!(
        "- {}: the plugin, as a module for each VM; `fence.wasm` is a plugin of pwspec's own that does nothing here.\n\
         - The configuration has the path of this folder in it, and `{}` is where the client connects.\n\
         - `scene.json`: what client and upstreams do, with bytes in base64.\n\
         - The host was `{binary}`.\n",
        modules.join(", "),
        written.socket
    ));
    for lack in &written.lacks {
        out.push_str(&format!("- **Not the whole case:** {lack}.\n"));
    }
    for (name, port) in &written.ports {
        out.push_str(&format!(
            "- The plugin reaches the upstream `{name}` at 127.0.0.1:{port}.\n"
        ));
    }
    out
}
