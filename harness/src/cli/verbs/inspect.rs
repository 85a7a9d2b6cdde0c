//! `inspect`: what a plugin imports and exports, for which ABI it is, and which known host would
//! refuse it, and why. Starts nothing.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::abi::Abi;
use crate::cli::Failed;
use crate::cli::args::{Format, Global, InspectArgs};
use crate::cli::exit::Exit;
use crate::cli::out::print;
use crate::cli::verbs;
use crate::guest::{ExportRole, HostSeen, ImportKind, Loads, Looked, look, taken};
use crate::report::{Cell, Paint, Table, json, safe_short};
use crate::runner;

/// No plugin is larger; what is, is not read.
const MOST: u64 = 64 << 20;
/// How much of a name is shown.
const NAME: usize = 100;

pub(crate) fn run(args: &InspectArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let profiles = specs.profiles().map_err(|p| verbs::bad(p, &specs))?;
    let abis = specs.abis().map_err(|p| verbs::bad(p, &specs))?;
    let abis: Vec<&Abi> = abis.iter().map(AsRef::as_ref).collect();
    let mut hosts = Vec::new();
    for text in &args.hosts {
        hosts.push(runner::described(text, &profiles).map_err(verbs::bad_host)?);
    }
    if hosts.is_empty() {
        hosts.extend(profiles.iter().map(|p| (p.clone(), runner::usual(p))));
    }
    let wasm = read(&args.file)?;
    let mut looked = look(&wasm, &abis);
    let each = hosts.iter();
    looked.hosts = each
        .map(|(p, version)| taken(&looked, p, version, &abis))
        .collect();
    match args.format {
        Format::Json => print!("{}", json::text(&looked)),
        Format::Pretty => print!("{}", pretty(&args.file, &looked)),
    }
    let refused = looked.hosts.iter().any(|h| h.loads == Loads::No);
    let named = !args.hosts.is_empty() && refused;
    Ok(if named || looked.invalid.is_some() {
        Exit::Unexpected
    } else {
        Exit::Fine
    })
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let failed = |e: std::io::Error| {
        Failed::new(
            Exit::Usage,
            format!("failed to read {}: {e}", path.display()),
        )
    };
    let mut wasm = Vec::new();
    // What is no plain file may have no end.
    let file = File::open(path).map_err(failed)?;
    file.take(MOST + 1).read_to_end(&mut wasm).map_err(failed)?;
    if wasm.len() as u64 > MOST {
        let what = format!(
            "failed to read {}: it has more than {} MiB",
            path.display(),
            MOST >> 20
        );
        return Err(Failed::new(Exit::Usage, what).into());
    }
    Ok(wasm)
}

fn pretty(path: &Path, looked: &Looked) -> String {
    let name = safe_short(&path.display().to_string(), NAME);
    let mut out = format!("{}  {} bytes\n", Paint::Bold.text(name), looked.bytes);
    if let Some(why) = &looked.invalid {
        let why = safe_short(why, 400);
        out.push_str(&format!(
            "  {} {why}\n",
            Paint::Red.text("no valid module:")
        ));
    } else {
        out.push_str(&outside(looked));
    }
    if !looked.findings.is_empty() {
        out.push_str("\nfindings\n");
        for finding in &looked.findings {
            let mark = Paint::Yellow.text("!");
            out.push_str(&format!("  {mark} {}\n", safe_short(finding, 400)));
        }
    }
    out.push_str(&format!(
        "\nhosts (by their profiles)\n{}",
        hosts(&looked.hosts)
    ));
    out
}

fn outside(looked: &Looked) -> String {
    let list = |names: Vec<String>| match names.as_slice() {
        [] => "none".to_owned(),
        names => names
            .iter()
            .map(|n| safe_short(n, NAME))
            .collect::<Vec<_>>()
            .join(" "),
    };
    let imports = |kind: ImportKind, with_module: bool| {
        let of = looked.imports.iter().filter(|i| i.kind == kind);
        let name = |i: &crate::guest::ImportSeen| match with_module {
            true => format!("{}.{}", i.module, i.name),
            false => i.name.clone(),
        };
        list(of.map(name).collect())
    };
    let exports = |kind: ExportRole| {
        let of = looked.exports.iter().filter(|e| e.kind == kind);
        list(of.map(|e| e.name.clone()).collect())
    };
    let memory = match (looked.memory.pages, looked.memory.exported) {
        (0, false) => "none".to_owned(),
        (pages, exported) => {
            let how = if exported { "exported" } else { "not exported" };
            format!("{pages} pages of 64 KiB, {how}")
        }
    };
    let rows = [
        (
            "for ABI",
            looked
                .abi
                .clone()
                .unwrap_or_else(|| "none that is known".to_owned()),
        ),
        ("markers", list(looked.markers.clone())),
        ("needs", list(looked.features.clone())),
        ("hostcalls", imports(ImportKind::Hostcall, false)),
        ("WASI", imports(ImportKind::Wasi, false)),
        ("beyond the text", imports(ImportKind::Foreign, true)),
        ("entry points", exports(ExportRole::EntryPoint)),
        ("allocators", exports(ExportRole::Allocator)),
        ("callbacks", exports(ExportRole::Callback)),
        ("other exports", exports(ExportRole::Other)),
        ("not exported", list(looked.not_exported.clone())),
        ("memory", memory),
        ("custom sections", list(looked.custom_sections.clone())),
    ];
    let mut out = String::new();
    for (name, what) in rows {
        out.push_str(&format!(
            "  {}  {what}\n",
            Paint::Dim.text(format!("{name:<15}"))
        ));
    }
    out
}

fn hosts(all: &[HostSeen]) -> String {
    let mut table = Table::new();
    for host in all {
        let (glyph, paint, word) = match host.loads {
            Loads::Yes => ("✓", Paint::Green, "loads"),
            Loads::No => ("✗", Paint::Red, "refuses"),
            Loads::Unknown => ("?", Paint::Yellow, "not known"),
        };
        let mut why: Vec<String> = host.reasons.iter().chain(&host.doubts).cloned().collect();
        if !host.never_calls.is_empty() {
            why.push(format!("it never calls {}", host.never_calls.join(", ")));
        }
        if why.is_empty() {
            why.push(String::new());
        }
        for (n, why) in why.iter().enumerate() {
            let why = Cell::new(safe_short(why, 300));
            table.row(if n == 0 {
                let abi = host.abi.clone().unwrap_or_default();
                [
                    Cell::new(glyph).paint(paint),
                    Cell::new(&host.name),
                    Cell::new(word).paint(paint),
                    Cell::new(abi),
                    why,
                ]
            } else {
                [
                    Cell::new(""),
                    Cell::new(""),
                    Cell::new(""),
                    Cell::new(""),
                    why,
                ]
            });
        }
    }
    table.text(2)
}
