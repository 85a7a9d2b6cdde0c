//! What a dialect's table says of a function of the text: its own name, parameters and numbers.
//!
//! Does not know what the host did.

use crate::abi::{Abi, EnumDef, Param, Returns, Type};
use crate::report::adaptation::Numbers;
use crate::report::adaptation::roots::owner;

/// A function in the host's own names and numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Own {
    /// Its other name.
    pub name: Option<String>,
    /// The text's parameters and the host's own, where they differ.
    pub params: Option<(String, String)>,
    /// `NOT_FOUND is 2 and not 1`.
    pub numbers: Vec<String>,
    /// Why there is none.
    pub absent: Option<String>,
    /// Whether the table knows it at all.
    pub known: bool,
}

impl Own {
    /// Whether it is the same as the text's.
    pub fn same(&self) -> bool {
        self.name.is_none()
            && self.params.is_none()
            && self.numbers.is_empty()
            && self.absent.is_none()
    }

    /// In what it differs, in words.
    pub fn words(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.name.iter().map(|n| format!("its own name is {n}")));
        parts.extend(
            self.params
                .iter()
                .map(|(_, own)| format!("it takes ({own})")),
        );
        parts.extend(self.numbers.iter().cloned());
        parts.join("; ")
    }
}

/// What `dialect` makes of a function of `text`.
pub fn own(name: &str, text: &Abi, dialect: &Abi) -> Own {
    if let (Some(t), Some(d)) = (text.hostcall(name), dialect.hostcall(name)) {
        return Own {
            name: (t.import != d.import).then(|| d.import.1.clone()),
            params: params(&t.params, &d.params),
            numbers: numbers(name, &t.returns, &t.params, text, dialect),
            absent: d.absent.clone(),
            known: true,
        };
    }
    if let (Some(t), Some(d)) = (text.callback(name), dialect.callback(name)) {
        return Own {
            name: (t.exported() != d.exported()).then(|| d.exported().to_owned()),
            params: params(&t.params, &d.params),
            numbers: numbers(name, &t.returns, &t.params, text, dialect),
            absent: d.absent.clone(),
            known: true,
        };
    }
    Own::default()
}

fn params(text: &[Param], own: &[Param]) -> Option<(String, String)> {
    let same = text.len() == own.len()
        && text
            .iter()
            .zip(own)
            .all(|(a, b)| a.name == b.name && a.ty.words() == b.ty.words());
    let list = |all: &[Param]| {
        let names: Vec<&str> = all.iter().map(|p| p.name.as_str()).collect();
        names.join(", ")
    };
    (!same).then(|| (list(text), list(own)))
}

/// Members of the enums of a function whose numbers differ; of statuses only those that its rows name.
fn numbers(
    name: &str,
    returns: &Returns,
    params: &[Param],
    text: &Abi,
    dialect: &Abi,
) -> Vec<String> {
    let mut enums: Vec<&str> = Vec::new();
    if let Returns::Enum(e) = returns {
        enums.push(e);
    }
    for p in params {
        if let Type::Enum(e) | Type::OutEnum(e) = &p.ty
            && !enums.contains(&e.as_str())
        {
            enums.push(e);
        }
    }
    let rows = text.requirements.iter().filter(|r| owner(&r.id) == name);
    let words: Vec<&str> = rows
        .filter_map(|r| r.id.split('/').nth(1)?.split('.').next())
        .collect();
    let status = |e: &str| e.ends_with("_status_t") || e.ends_with("_errno_t");
    let mut out = Vec::new();
    for e in enums {
        let (Some(t), Some(d)) = (text.enumeration(e), dialect.enumeration(e)) else {
            continue;
        };
        let named = |member: &str| !status(e) || words.contains(&member);
        let differing: Vec<String> = differing(t, d)
            .filter(|(member, ..)| named(member))
            .map(|(member, theirs, own)| match own {
                Some(own) => format!("{member} is {own} and not {theirs}"),
                None => format!("{member} ({theirs}) has no number"),
            })
            .collect();
        out.extend(differing);
    }
    out
}

fn differing<'a>(
    text: &'a EnumDef,
    own: &'a EnumDef,
) -> impl Iterator<Item = (&'a str, u64, Option<u64>)> {
    let all = text.values.iter().map(move |(member, number)| {
        let theirs = own.number(member);
        (member.as_str(), *number, theirs)
    });
    all.filter(|(_, number, theirs)| *theirs != Some(*number))
}

/// Every enum in which the dialect differs from the text.
pub fn all_numbers(text: &Abi, dialect: &Abi) -> Vec<Numbers> {
    let both = text
        .enums
        .iter()
        .filter_map(|t| Some((t, dialect.enumeration(&t.name)?)));
    both.filter_map(|(t, d)| {
        let rows: Vec<_> = differing(t, d)
            .map(|(member, number, own)| (member.to_owned(), number, own))
            .collect();
        (!rows.is_empty() || !d.foreign.is_empty()).then(|| Numbers {
            name: t.name.clone(),
            rows,
            foreign: d.foreign.clone(),
        })
    })
    .collect()
}
