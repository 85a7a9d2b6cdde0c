//! A badge, as shields.io's endpoint takes it.
//!
//! Does not know where it is served from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::judge::HostVerdict;
use crate::record::Record;
use crate::report::{ColumnView, befell, safe};

/// The JSON of a badge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Badge {
    /// The version of the endpoint's format: 1.
    pub schema_version: u32,
    /// The left half.
    pub label: String,
    /// The right half.
    pub message: String,
    /// `brightgreen`, `red`, `yellow`, `lightgrey`.
    pub color: String,
    /// Whether it says that there is trouble, which no override of the colour may hide.
    pub is_error: bool,
}

/// The badge of some records. Columns that say the same share their words:
/// `0.1.0, 0.2.0: conformant; 0.2.1: 3 must cases fail`. Dialects say nothing.
pub fn badge(records: &[Record]) -> Badge {
    let views: Vec<ColumnView<'_>> = records.iter().flat_map(ColumnView::all).collect();
    let views: Vec<&ColumnView<'_>> = views.iter().filter(|v| !v.column.dialect).collect();
    let host = |v: &&ColumnView<'_>| format!("{} {}", v.column.host, v.column.host_version);
    let mut hosts: Vec<String> = views.iter().map(host).collect();
    hosts.dedup();
    let (label, one) = match &hosts[..] {
        [one] => (format!("Proxy-Wasm · {}", safe(one)), true),
        _ => ("Proxy-Wasm".to_owned(), false),
    };
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for v in &views {
        let name = match one {
            true => safe(&v.column.abi),
            false => safe(&v.column.name),
        };
        let said = said(v);
        match groups.iter_mut().find(|(s, _)| *s == said) {
            Some((_, names)) => names.push(name),
            None => groups.push((said, vec![name])),
        }
    }
    let message = match &groups[..] {
        [] => "no result".to_owned(),
        all => {
            let each = all
                .iter()
                .map(|(said, names)| format!("{}: {said}", names.join(", ")));
            each.collect::<Vec<_>>().join("; ")
        }
    };
    let befallen = records.iter().flat_map(befell).map(|(kind, _)| kind).next();
    let message = match befallen {
        Some("interrupted") => format!("{message} (interrupted)"),
        Some("nothing") => "nothing was selected".to_owned(),
        Some(_) => format!("{message} (trouble with the host)"),
        None => message,
    };
    let has = |v: HostVerdict| views.iter().any(|c| c.tally.verdict() == Some(v));
    let color = if has(HostVerdict::NotConformant) {
        "red"
    } else if has(HostVerdict::Incomplete) {
        "yellow"
    } else if has(HostVerdict::Conformant) && befallen.is_none() {
        "brightgreen"
    } else {
        "lightgrey"
    };
    Badge {
        schema_version: 1,
        label,
        message,
        color: color.to_owned(),
        is_error: befallen.is_some() || color == "lightgrey",
    }
}

fn said(v: &ColumnView<'_>) -> String {
    let n = v.tally.must_failed;
    match v.tally.verdict() {
        None => "no verdict".to_owned(),
        Some(HostVerdict::NotConformant) if n == 1 => "1 must case fails".to_owned(),
        Some(HostVerdict::NotConformant) => format!("{n} must cases fail"),
        Some(HostVerdict::Incomplete) => "incomplete".to_owned(),
        Some(HostVerdict::Conformant) if !v.column.not_offered.is_empty() => {
            "conformant in scope".to_owned()
        }
        Some(HostVerdict::Conformant) => "conformant".to_owned(),
    }
}
