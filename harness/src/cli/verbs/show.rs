//! `show`: what a case asks, the text behind it, its YAML, its guest, its last results.

use crate::case::Env;
use crate::cli::Failed;
use crate::cli::args::{Global, ShowArgs};
use crate::cli::exit::Exit;
use crate::cli::out::print;
use crate::cli::verbs;
use crate::guest;
use crate::report::{Cell, Paint, Table, mark};

pub(crate) fn run(args: &ShowArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let suite = verbs::suite(&specs)?;
    let Some(case) = suite.case(&args.case) else {
        let ids = suite.cases.iter().map(|c| c.id.as_str());
        let failed = Failed::new(Exit::Usage, format!("unknown case `{}`", args.case));
        let help =
            crate::case::nearest(&args.case, ids).unwrap_or_else(|| "pwspec list".to_owned());
        return Err(failed.help(help).into());
    };
    let newest = case.abi.last().map_or("0.2.1", String::as_str);
    let abi = verbs::abi(&suite, args.abi.as_deref().unwrap_or(newest))?;
    let mut out = format!("{}  {}\n", Paint::Bold.text(&case.id), case.about);
    out.push_str(&format!(
        "{}:{} · {} · since {}\n",
        case.file, case.line, case.level, case.since
    ));
    out.push_str(&format!("runs in {}\n", case.abi.join(", ")));
    if !case.needs.is_empty() {
        let needs: Vec<String> = case.needs.iter().map(|n| n.word()).collect();
        out.push_str(&format!("needs {}\n", needs.join(", ")));
    }
    out.push_str("\nthe text asks\n");
    for row in case.covers.iter().filter_map(|id| abi.requirement(id)) {
        let head = Paint::Cyan.text(format!("{} · {} · {}", row.id, row.level, row.seat));
        out.push_str(&format!(
            "  {head}\n    {} ({}, {})\n",
            row.text,
            abi.text_version(),
            row.section
        ));
        if let Some(ruling) = &row.ruling {
            out.push_str(&format!("    ruling: {ruling}\n"));
        }
    }
    out.push_str(&format!("\n{}", crate::report::safe_lines(&case.yaml)));
    let env = Env {
        token: "0",
        upstream: &|name| name.to_owned(),
        function: &|name| name.to_owned(),
    };
    match suite.resolve(case, abi, &env) {
        Err(why) => out.push_str(&format!("\nnot in {}: {why:?}\n", abi.id)),
        Ok(resolved) => {
            for vm in &resolved.vms {
                let wasm = match &vm.module.guest {
                    Some(fixed) => guest::fixed(fixed),
                    None => guest::build(&vm.module, abi).map(|m| m.wasm),
                };
                let wasm = wasm.map_err(|e| Failed::new(Exit::Bug, e.to_string()))?;
                // A guest may be no module at all: then it has no outside.
                let seen = guest::inspect(&wasm).unwrap_or_default();
                let imports: Vec<String> = seen
                    .imports
                    .iter()
                    .map(|i| format!("{}.{}", i.module, i.name))
                    .collect();
                let exports: Vec<&str> =
                    seen.exports.iter().map(|(name, _)| name.as_str()).collect();
                out.push_str(&format!(
                    "\nguest of VM {} in {}: {} bytes\n",
                    vm.name,
                    abi.id,
                    wasm.len()
                ));
                out.push_str(&format!(
                    "  imports {}\n  exports {}\n",
                    imports.join(" "),
                    exports.join(" ")
                ));
            }
        }
    }
    out.push_str(&last_results(&case.id));
    print!("{out}");
    Ok(Exit::Fine)
}

/// How the case ended in the latest run, column by column.
fn last_results(case: &str) -> String {
    let Some(record) = verbs::last_run(&[]) else {
        return String::new();
    };
    let mut table = Table::new();
    for r in record.results.iter().filter(|r| r.case == case) {
        let m = mark(r.judgement.verdict);
        table.row([
            Cell::new(m.glyph.to_string()).paint(m.paint),
            Cell::new(r.judgement.verdict.word()),
            Cell::new(&r.column),
            Cell::new(r.judgement.reason.clone().unwrap_or_default()),
        ]);
    }
    if table.is_empty() {
        String::new()
    } else {
        format!("\nlast run\n{}", table.text(2))
    }
}
