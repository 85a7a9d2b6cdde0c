//! Suite files named on the command line: `pwspec run pwspec-fuzz/buffers_1.yaml`.
//!
//! Such a file joins the suite for this run, wherever it lies. Does not know what is in it beyond its name.

use std::path::Path;

use crate::cli::Failed;
use crate::cli::exit::Exit;
use crate::runner::Specs;

/// Takes the files among the filters into `specs`; the filters, each file as what it holds.
pub(super) fn take(filters: &[String], specs: &mut Specs) -> anyhow::Result<Vec<String>> {
    let mut out = Vec::new();
    for filter in filters {
        if !is_file(filter) {
            out.push(filter.clone());
            continue;
        }
        let text = std::fs::read_to_string(filter)
            .map_err(|e| Failed::new(Exit::Usage, format!("failed to read {filter}: {e}")))?;
        let mut lines = text.lines();
        let suite = lines.find_map(|line| line.strip_prefix("suite:").map(str::trim));
        let suite = suite
            .filter(|s| s.contains('/') && !s.contains(".."))
            .ok_or_else(|| {
                let message =
                    format!("{filter} is no suite file: it has no line `suite: area/name`");
                Failed::new(Exit::Usage, message)
            })?;
        let path = format!("cases/{suite}.yaml");
        out.push(format!("{suite}/"));
        specs.files.retain(|(known, _)| *known != path);
        specs.files.push((path, text));
    }
    Ok(out)
}

/// Whether a filter is the name of a file that is there.
pub(super) fn is_file(filter: &str) -> bool {
    filter.ends_with(".yaml") && Path::new(filter).is_file()
}
