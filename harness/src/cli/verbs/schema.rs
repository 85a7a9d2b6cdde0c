//! `schema`: the JSON Schemas of the formats, made from the types.

use crate::abi::{DialectFile, TableFile, TextMapFile};
use crate::case::{Profile, SuiteFile};
use crate::cli::Failed;
use crate::cli::args::SchemaArgs;
use crate::cli::exit::Exit;
use crate::cli::out::{print, println};
use crate::record::Line;
use crate::report::json;
use crate::runner;

/// Every schema by name.
pub(crate) fn all() -> Vec<(&'static str, serde_json::Value)> {
    let mut out = json::schemas();
    out.push(("case", schemars::schema_for!(SuiteFile).to_value()));
    out.push(("profile", profile()));
    out.push(("record", schemars::schema_for!(Line).to_value()));
    out.push(("abi", schemars::schema_for!(TableFile).to_value()));
    out.push(("text-map", schemars::schema_for!(TextMapFile).to_value()));
    out.push(("adapter", crate::host::stdio::protocol::schema()));
    out.push((
        "inspect",
        schemars::schema_for!(crate::guest::Looked).to_value(),
    ));
    out.push(("dialect", schemars::schema_for!(DialectFile).to_value()));
    out.sort_by_key(|(name, _)| *name);
    out
}

/// A profile says how its host is reached, or which profile it extends.
fn profile() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Profile).to_value();
    let own = ["driver", "abi"];
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|r| !own.iter().any(|o| r == o));
    }
    schema["anyOf"] = serde_json::json!([{"required": own}, {"required": ["extends"]}]);
    schema["$defs"]["Binary"]["required"] = serde_json::json!([]);
    schema
}

pub(crate) fn run(args: &SchemaArgs) -> anyhow::Result<Exit> {
    if let Some(dir) = &args.write {
        for (name, schema) in all() {
            let path = dir.join(format!("{name}.json"));
            runner::write_atomically(&path, json::text(&schema).as_bytes())
                .map_err(|e| Failed::new(Exit::Usage, e))?;
            println!("{}", path.display());
        }
        return Ok(Exit::Fine);
    }
    let Some(name) = &args.name else {
        all().iter().for_each(|(name, _)| println!("{name}"));
        return Ok(Exit::Fine);
    };
    let all = all();
    match all.iter().find(|(n, _)| n == name) {
        Some((_, schema)) => print!("{}", json::text(schema)),
        None => {
            let names: Vec<&str> = all.iter().map(|(n, _)| *n).collect();
            let failed = Failed::new(Exit::Usage, format!("unknown schema `{name}`"));
            return Err(failed.help(format!("one of {}", names.join(", "))).into());
        }
    }
    Ok(Exit::Fine)
}
