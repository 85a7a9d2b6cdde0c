//! `expect`: keeps the known failures of a host: which entries need a hand, and the edit that mends
//! them.

use std::collections::BTreeSet;
use std::path::Path;

use crate::case::{Known, KnownAs, Nothing, Profile, Suite, edit_known, load_profile_over};
use crate::cli::Failed;
use crate::cli::args::{AddArgs, CheckArgs, ExpectArgs, ExpectVerb, Global, PruneArgs};
use crate::cli::exit::Exit;
use crate::cli::out::{print, println};
use crate::cli::verbs;
use crate::cli::verbs::play::{Selection, play};
use crate::judge::{EntryState, Gate, Outcome};
use crate::record::{Record, ResultLine};
use crate::report::{Paint, safe, speaker, words};
use crate::runner::{self, EntryNote, Isolate, Specs, Wanted, clock, quoted};

/// What every part of the verb looks at.
struct Ground {
    specs: Specs,
    suite: Suite,
    wanted: Vec<Wanted>,
    /// As typed.
    host: String,
}

pub(crate) fn run(args: &ExpectArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let suite = verbs::suite(&specs)?;
    let profiles = verbs::profiles(&specs)?;
    let wanted = verbs::wanted(&args.host, &profiles)?;
    let ground = Ground {
        specs,
        suite,
        wanted,
        host: args.host.clone(),
    };
    match &args.what {
        None => check(&ground, &CheckArgs::default()),
        Some(ExpectVerb::Check(args)) => check(&ground, args),
        Some(ExpectVerb::Prune(args)) => prune(&ground, args),
        Some(ExpectVerb::Add(args)) => add(&ground, args),
    }
}

impl Ground {
    fn profile(&self) -> anyhow::Result<&Profile> {
        let first = self.wanted.first();
        first
            .map(|w| &w.profile)
            .ok_or_else(|| Failed::new(Exit::Usage, "no host is named").into())
    }

    /// The results of the cases that some entries name.
    fn results(&self, record: Option<&Path>, entries: &[&Known]) -> anyhow::Result<Record> {
        if let Some(path) = record {
            return verbs::open(path);
        }
        let ids: BTreeSet<&str> = entries.iter().flat_map(|k| self.named(k)).collect();
        let texts: Vec<String> = ids.iter().map(|id| format!("id:{id}")).collect();
        if texts.is_empty() {
            return Err(Failed::new(Exit::Nothing, "no entry names a case of the suite").into());
        }
        let filter = verbs::filter(&texts, &self.suite, &Nothing)?;
        let selection = Selection {
            filter: &filter,
            abis: &[],
            isolate: Isolate::Auto,
        };
        play(&self.specs, &self.suite, &self.wanted, &selection)
    }

    /// The cases of the suite that an entry names.
    fn named(&self, entry: &Known) -> Vec<&str> {
        let globs = entry
            .cases
            .iter()
            .filter_map(|c| crate::judge::case_glob(c).ok());
        let globs: Vec<_> = globs.collect();
        let ids = self.suite.cases.iter().map(|c| c.id.as_str());
        ids.filter(|id| globs.iter().any(|g| g.is_match(id)))
            .collect()
    }

    /// Writes the list into the profile, or shows what would change.
    fn write(&self, new: &[KnownAs], fix: bool, again: &str) -> anyhow::Result<()> {
        let profile = self.profile()?;
        let Some(file) = &profile.file else {
            let message = format!("the embedded profile of {} is read-only", profile.name);
            return Err(Failed::new(Exit::Usage, message)
                .help(format!("pwspec init {}", profile.name))
                .into());
        };
        let name = file.display().to_string();
        let bad = |e: String| Failed::new(Exit::Usage, format!("failed to edit {name}: {e}"));
        let text = std::fs::read_to_string(file).map_err(|e| bad(e.to_string()))?;
        let bases = self.specs.profiles().unwrap_or_default();
        let read = |text: &str| {
            let profile = load_profile_over(&name, text, &bases).ok()?;
            Some(Profile {
                file: Some(file.clone()),
                ..profile
            })
        };
        let edited = edit_known(&text, profile, new, &read).map_err(bad)?;
        if edited == text {
            println!("{name} stays as it is");
            return Ok(());
        }
        print!("{}", shown(&text, &edited));
        if fix {
            runner::write_atomically(file, edited.as_bytes()).map_err(bad)?;
            println!("edited {name}");
        } else {
            println!("{name} is not changed; {again}");
        }
        Ok(())
    }
}

/// The difference of two texts, painted.
fn shown(old: &str, new: &str) -> String {
    let diff = crate::trace::diff(old, new);
    let lines = diff.lines().skip(2).map(|line| {
        let paint = match line.as_bytes().first() {
            Some(b'+') => Paint::Green,
            Some(b'-') => Paint::Red,
            Some(b'@') => Paint::Cyan,
            _ => Paint::Plain,
        };
        format!("{}\n", paint.text(safe(line)))
    });
    lines.collect()
}

fn check(ground: &Ground, args: &CheckArgs) -> anyhow::Result<Exit> {
    let profile = ground.profile()?;
    let all: Vec<&Known> = profile.known.iter().collect();
    if all.is_empty() {
        println!("{} has no known failures", profile.name);
        println!(
            "pwspec expect {} add CASE --why 'the cause'   writes one down",
            quoted(&ground.host)
        );
        return Ok(Exit::Fine);
    }
    let record = ground.results(args.record.as_deref(), &all)?;
    let seen = runner::seen(&ground.suite, profile, &record).map_err(bad)?;
    let notes = notes(profile, &seen);
    for note in &notes {
        println!("{note}");
    }
    let n = profile.known.len();
    println!(
        "{n} known failures of {}: {} to mend",
        profile.name,
        notes.len()
    );
    if args.fix && !notes.is_empty() {
        let new = runner::prune_list(&ground.suite, profile, &seen, &|_| true).map_err(bad)?;
        ground.write(&new, true, "")?;
        let left = notes.iter().any(|n| {
            matches!(
                n.state,
                EntryState::ChangedReason(_) | EntryState::Expired(_)
            )
        });
        return Ok(if left { Exit::Unexpected } else { Exit::Fine });
    }
    Ok(match notes.is_empty() {
        true => Exit::Fine,
        false => Exit::Unexpected,
    })
}

fn bad(e: String) -> Failed {
    Failed::new(Exit::Usage, e)
}

/// The entries that need a hand.
fn notes(profile: &Profile, seen: &[runner::Seen]) -> Vec<EntryNote> {
    let all = seen.iter().enumerate();
    all.map(|(i, s)| EntryNote::new(profile, &profile.name, i, &s.state()))
        .filter(|n| n.state != EntryState::Fine)
        .collect()
}

fn prune(ground: &Ground, args: &PruneArgs) -> anyhow::Result<Exit> {
    let profile = ground.profile()?;
    let meant = |k: &Known| {
        args.cases.is_empty()
            || args.cases.iter().any(|c| {
                k.cases.contains(c)
                    || ground.named(k).iter().any(|id| {
                        let rest = id.strip_prefix(c.trim_end_matches('/'));
                        rest.is_some_and(|r| r.is_empty() || r.starts_with('/'))
                    })
            })
    };
    if profile.known.is_empty() {
        println!("{} has no known failures", profile.name);
        return Ok(Exit::Fine);
    }
    let chosen: Vec<bool> = profile.known.iter().map(meant).collect();
    let entries = profile.known.iter().zip(&chosen).filter(|(_, c)| **c);
    let entries: Vec<&Known> = entries.map(|(k, _)| k).collect();
    if entries.is_empty() {
        let message = format!("no known failure of {} names that", profile.name);
        return Err(Failed::new(Exit::Nothing, message).into());
    }
    let nothing = entries.iter().all(|k| ground.named(k).is_empty());
    let seen = if nothing {
        // Patterns that name nothing need no run.
        let unmatched = |k: &Known| runner::Seen {
            unmatched: k.cases.clone(),
            ..runner::Seen::default()
        };
        profile.known.iter().map(unmatched).collect()
    } else {
        let record = ground.results(args.record.as_deref(), &entries)?;
        runner::seen(&ground.suite, profile, &record).map_err(bad)?
    };
    let new = runner::prune_list(&ground.suite, profile, &seen, &|i| chosen[i]).map_err(bad)?;
    let cases: Vec<String> = args.cases.iter().map(|c| quoted(c)).collect();
    let again = [
        "pwspec expect",
        &quoted(&ground.host),
        "prune",
        &cases.join(" "),
        "--fix",
    ];
    let again: Vec<&str> = again.into_iter().filter(|w| !w.is_empty()).collect();
    ground.write(&new, args.fix, &again.join(" "))?;
    Ok(Exit::Fine)
}

fn add(ground: &Ground, args: &AddArgs) -> anyhow::Result<Exit> {
    let profile = ground.profile()?;
    let filter = verbs::filter(&args.filters, &ground.suite, &Nothing)?;
    if let (None, Some(day)) = (&args.why, &args.expires) {
        return renew(ground, args, &filter, day);
    }
    let selection = Selection {
        filter: &filter,
        abis: &[],
        isolate: Isolate::Alone,
    };
    let record = play(&ground.specs, &ground.suite, &ground.wanted, &selection)?;
    if record.results.is_empty() {
        return Err(Failed::new(Exit::Nothing, "nothing selected").into());
    }
    let new = |r: &&ResultLine| {
        matches!(r.gate, Gate::UnexpectedFailure | Gate::ChangedReason { .. }) && !r.added
    };
    let failing: Vec<&ResultLine> = record.results.iter().filter(new).collect();
    if failing.is_empty() {
        println!("nothing to add: no selected case fails unexpectedly");
        return Ok(Exit::Fine);
    }
    let fresh = entry(profile, &record, &failing, args);
    for line in fresh.seen.split("; ") {
        println!("{}", safe(line));
    }
    if args.why.is_none() {
        let typed: Vec<String> = args.filters.iter().map(|f| quoted(f)).collect();
        let message = "an entry says why the host fails";
        return Err(Failed::new(Exit::Usage, message)
            .help(format!(
                "pwspec expect {} add {} --why 'the cause' --fix",
                quoted(&ground.host),
                typed.join(" ")
            ))
            .into());
    }
    let list = runner::add_to_list(&ground.suite, profile, &fresh).map_err(bad)?;
    ground.write(&list, args.fix, "add --fix to edit it")?;
    Ok(Exit::Fine)
}

/// Gives the entries that name the selected cases a new last day.
fn renew(
    ground: &Ground,
    args: &AddArgs,
    filter: &crate::case::Filter,
    day: &str,
) -> anyhow::Result<Exit> {
    let profile = ground.profile()?;
    let selected = ground.suite.cases.iter().filter(|c| filter.matches(c));
    let selected: BTreeSet<&str> = selected.map(|c| c.id.as_str()).collect();
    let mut n = 0;
    let mut list = Vec::new();
    for (i, entry) in profile.known.iter().enumerate() {
        let mut entry = entry.clone();
        if ground.named(&entry).iter().any(|c| selected.contains(c)) {
            entry.expires = Some(day.to_owned());
            n += 1;
        }
        list.push(KnownAs {
            from: Some(i),
            entry,
        });
    }
    if n == 0 {
        let message = "no known failure names these cases, so there is no day to change";
        return Err(Failed::new(Exit::Nothing, message)
            .help("a new entry needs --why")
            .into());
    }
    ground.write(&list, args.fix, "add --fix to edit it")?;
    Ok(Exit::Fine)
}

/// One entry for everything that fails.
fn entry(profile: &Profile, record: &Record, failing: &[&ResultLine], args: &AddArgs) -> Known {
    let sorted = |all: BTreeSet<String>| all.into_iter().collect::<Vec<_>>();
    let column = |r: &ResultLine| record.header.columns.iter().find(|c| c.name == r.column);
    let abis: BTreeSet<&str> = failing
        .iter()
        .filter_map(|r| column(r))
        .map(|c| c.abi.as_str())
        .collect();
    let played: BTreeSet<&str> = record
        .results
        .iter()
        .filter_map(column)
        .map(|c| c.abi.as_str())
        .collect();
    let abi = match abis == played {
        true => Vec::new(),
        false => profile
            .abi
            .iter()
            .filter(|a| abis.contains(a.as_str()))
            .cloned()
            .collect(),
    };
    let failed = failing.iter().flat_map(|r| {
        let checks = r.judgement.checks.iter();
        checks.filter(|c| !c.control && c.outcome == Outcome::Fail)
    });
    let mut seen: Vec<String> = Vec::new();
    for text in failing.iter().map(|r| answer(r)) {
        if !text.is_empty() && !seen.contains(&text) {
            seen.push(text);
        }
    }
    let today = clock::rfc3339(std::time::SystemTime::now());
    Known {
        cases: sorted(failing.iter().map(|r| r.case.clone()).collect()),
        abi,
        versions: args.versions.clone(),
        verdicts: sorted(
            failing
                .iter()
                .map(|r| r.judgement.verdict.word().to_owned())
                .collect(),
        ),
        checks: sorted(failed.map(|c| c.req.clone()).collect()),
        class: args.class.map(crate::cli::args::ClassArg::class),
        seen: seen.join("; "),
        why: args.why.clone().unwrap_or_default(),
        source: args.source.clone(),
        link: args.link.clone(),
        since: today.split('T').next().map(str::to_owned),
        expires: args.expires.clone(),
    }
}

/// What the host answered, in its own words where it has some.
fn answer(r: &ResultLine) -> String {
    let check = speaker(r).filter(|c| c.outcome == Outcome::Fail);
    let text = match check {
        Some(c) if !c.got.is_empty() => c.got.clone(),
        Some(c) => format!("not {}", c.expected),
        None => words(r)
            .into_iter()
            .next()
            .unwrap_or_else(|| r.judgement.verdict.word().to_owned()),
    };
    crate::report::safe_short(&text, 160)
}
