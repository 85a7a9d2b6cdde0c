//! From a table file to a whole [`Abi`]: types from words, differences laid over the base.
//!
//! Does not check that the table agrees with itself: `check` does.

use crate::abi::entries::Entries;
use crate::abi::file::{CallbackRow, Dropped, FaultEntry, HostcallRow, RequirementRow, TableFile};
use crate::abi::problem::Problems;
use crate::abi::{
    Abi, Callback, EnumDef, ExportKind, FaultRow, Hostcall, Index, Level, Param, Requirement, Seat,
    words,
};

/// The whole version that `file` describes, over `base` where it extends one.
pub(super) fn version(file: TableFile, base: Option<&Abi>, problems: &mut Problems<'_>) -> Abi {
    let mut abi = base.cloned().unwrap_or_else(empty);
    abi.index = Index::default();
    abi.id = file.abi;
    abi.marker = file.marker;
    drop_from(&mut abi, &file.drop, problems);
    for (name, values) in file.enums.0 {
        let new = EnumDef {
            name,
            values: values.0,
            foreign: Vec::new(),
        };
        put(&mut abi.enums, new, None, base.is_none(), |e| &e.name);
    }
    for row in file.hostcalls {
        let after = row.after.clone();
        if let Some(after) = after.as_ref().filter(|after| abi.hostcall(after).is_none()) {
            problems.at(
                &[&row.name, after],
                format!("`after` names no hostcall: `{after}`"),
            );
        }
        let new = hostcall(row, problems);
        put(
            &mut abi.hostcalls,
            new,
            after.as_deref(),
            base.is_none(),
            |h| &h.name,
        );
    }
    for row in file.callbacks {
        let new = callback(row, problems);
        if base.is_some() && new.kind == ExportKind::Marker {
            abi.callbacks.retain(|c| c.kind != ExportKind::Marker);
            abi.callbacks.insert(0, new);
        } else {
            put(&mut abi.callbacks, new, None, base.is_none(), |c| &c.name);
        }
    }
    for row in file.requirements {
        let after = row.after.clone();
        if let Some(after) = after
            .as_ref()
            .filter(|after| abi.requirement(after).is_none())
        {
            problems.at(
                &[&row.id, after],
                format!("`after` names no requirement: `{after}`"),
            );
        }
        let new = requirement(row, &abi, problems);
        put(
            &mut abi.requirements,
            new,
            after.as_deref(),
            base.is_none(),
            |r| &r.id,
        );
    }
    for row in file.faults {
        let new = fault(row);
        put(&mut abi.faults, new, None, base.is_none(), |f| &f.fault);
    }
    abi
}

fn empty() -> Abi {
    Abi {
        id: String::new(),
        dialect_of: None,
        marker: String::new(),
        hostcalls: Vec::new(),
        callbacks: Vec::new(),
        enums: Vec::new(),
        requirements: Vec::new(),
        absent: Vec::new(),
        faults: Vec::new(),
        index: Index::default(),
    }
}

/// Replaces the row of the same name, or puts the new one behind `after` or at the end. In a file
/// that stands alone (`whole`) it is always appended, so that `check` finds a name that stands
/// twice.
fn put<T>(
    rows: &mut Vec<T>,
    new: T,
    after: Option<&str>,
    whole: bool,
    name: impl Fn(&T) -> &String,
) {
    let place = |wanted: &str| rows.iter().position(|row| name(row) == wanted);
    if whole {
        rows.push(new);
    } else if let Some(at) = place(name(&new)) {
        rows[at] = new;
    } else {
        let at = after.and_then(place).map_or(rows.len(), |at| at + 1);
        rows.insert(at, new);
    }
}

fn drop_from(abi: &mut Abi, dropped: &Dropped, problems: &mut Problems<'_>) {
    let gone = |id: &str| match id.split_once('/') {
        Some((owner, _)) => [&dropped.hostcalls, &dropped.callbacks]
            .iter()
            .any(|names| names.iter().any(|name| name == owner)),
        None => false,
    };
    abi.requirements.retain(|r| !gone(&r.id));
    for name in &dropped.hostcalls {
        without(&mut abi.hostcalls, |h| h.name == *name, name, problems);
    }
    for name in &dropped.callbacks {
        without(&mut abi.callbacks, |c| c.name == *name, name, problems);
    }
    for name in &dropped.enums {
        without(&mut abi.enums, |e| e.name == *name, name, problems);
    }
    for id in &dropped.requirements {
        let matches = |r: &Requirement| match id.strip_suffix('*') {
            Some(start) => r.id.starts_with(start),
            None => r.id == *id,
        };
        without(&mut abi.requirements, matches, id, problems);
    }
    let kept = |id: &String| abi.requirements.iter().any(|r| r.id == *id);
    abi.faults.retain(|f| kept(&f.req));
    for fault in &mut abi.faults {
        fault.also.retain(|(id, _)| kept(id));
    }
}

fn without<T>(
    rows: &mut Vec<T>,
    goes: impl Fn(&T) -> bool,
    name: &str,
    problems: &mut Problems<'_>,
) {
    let before = rows.len();
    rows.retain(|row| !goes(row));
    if rows.len() == before {
        problems.at(
            &["drop", name],
            format!("nothing to drop under the name `{name}`"),
        );
    }
}

/// The parameters of a function; a type that does not exist is a problem at its own place.
pub(super) fn params(
    owner: &str,
    rows: &[(String, String)],
    problems: &mut Problems<'_>,
) -> Vec<Param> {
    let mut list = Vec::with_capacity(rows.len());
    for (name, ty) in rows {
        match words::param(name, ty) {
            Ok(param) => list.push(param),
            Err(message) => problems.at(&[owner, name, ty], message),
        }
    }
    list
}

fn hostcall(row: HostcallRow, problems: &mut Problems<'_>) -> Hostcall {
    let params = params(&row.name, &row.params, problems);
    let returns = words::returns(row.returns.as_deref()).unwrap_or_else(|message| {
        problems.at(
            &[&row.name, row.returns.as_deref().unwrap_or_default()],
            message,
        );
        crate::abi::Returns::Nothing
    });
    let module = row.module.unwrap_or_else(|| "env".to_owned());
    // The text heads a WASI function with its module, all others with the bare name.
    let heading = if module == "env" {
        row.name.clone()
    } else {
        format!("{module}.{}", row.name)
    };
    Hostcall {
        section: format!("{}: {heading}", row.section),
        import: (module, row.name.clone()),
        name: row.name,
        params,
        returns,
        absent: None,
    }
}

fn callback(row: CallbackRow, problems: &mut Problems<'_>) -> Callback {
    let params = params(&row.name, &row.params, problems);
    let returns = words::returns(row.returns.as_deref()).unwrap_or_else(|message| {
        problems.at(
            &[&row.name, row.returns.as_deref().unwrap_or_default()],
            message,
        );
        crate::abi::Returns::Nothing
    });
    Callback {
        section: format!("{}: {}", row.section, row.name),
        kind: row.kind.unwrap_or(ExportKind::Callback),
        plugin_types: row.plugin_types,
        name: row.name,
        export: None,
        params,
        returns,
        absent: None,
    }
}

fn requirement(row: RequirementRow, abi: &Abi, problems: &mut Problems<'_>) -> Requirement {
    let owner = row.id.split('/').next().unwrap_or_default();
    let own = || {
        let hostcall = abi.hostcall(owner).map(|h| h.section.clone());
        hostcall.or_else(|| abi.callback(owner).map(|c| c.section.clone()))
    };
    let section = row.section.or_else(own).unwrap_or_else(|| {
        problems.at(
            &["requirements", &row.id],
            format!(
                "`{}` needs a section: `{owner}` is no function of this version",
                row.id
            ),
        );
        String::new()
    });
    Requirement {
        section,
        level: row.level.unwrap_or(Level::Must),
        seat: row.seat.unwrap_or(Seat::Boundary),
        id: row.id,
        text: row.text,
        ruling: row.ruling,
        excluded: row.excluded,
    }
}

fn fault(row: FaultEntry) -> FaultRow {
    let Entries(also) = row.also;
    FaultRow {
        fault: row.fault,
        req: row.req,
        says: row.says,
        also,
    }
}
