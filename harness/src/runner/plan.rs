//! What will be run: columns, and in each column its cases, resolved or out of scope with a reason.
//!
//! Starts nothing. Does not know verdicts.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::abi::{Abi, Level};
use crate::case::{Case, DriverKind, Env, Filter, Profile, Resolved, Suite, Unavailable, in_suite};
use crate::guest;
use crate::host::{Identity, Job, PluginJob, VmJob};
use crate::record::{Column, Shard};
use crate::runner::health;
use crate::runner::seat::judged;

/// A host that will be driven, with the ABIs to run on it.
#[derive(Debug, Clone)]
pub struct HostPlan {
    /// Its description.
    pub profile: Profile,
    /// Who answers.
    pub identity: Identity,
    /// One per ABI version or dialect.
    pub columns: Vec<ColumnPlan>,
}

/// One column.
#[derive(Debug, Clone)]
pub struct ColumnPlan {
    /// How it is called.
    pub column: Column,
    /// Its ABI.
    pub abi: Arc<Abi>,
    /// Its selected cases.
    pub cases: Vec<Planned>,
}

/// One case in one column.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The case.
    pub case: Arc<Case>,
    /// SHA-256 of what is done in the case here, 16 digits, the same for every attempt; or why it is
    /// out of scope.
    pub program: Result<String, String>,
}

/// The token of program digests; no attempt uses it.
const FIXED_TOKEN: &str = "0";

/// What of the suite is run.
#[derive(Debug, Clone, Copy)]
pub struct Selected<'a> {
    /// Which cases.
    pub filter: &'a Filter,
    /// Which ABI versions and dialects; empty: all of the profile.
    pub abis: &'a [String],
    /// Only cases of this level or above.
    pub level: Option<Level>,
    /// Only cases of this suite version: `0.2`.
    pub pin: Option<&'a str>,
    /// Only this part of them.
    pub shard: Option<Shard>,
}

impl Selected<'_> {
    /// Whether a case is selected on a host, whatever its suite version and the shard.
    pub fn means(&self, case: &Case, host: &str) -> bool {
        self.filter.matches_on(case, host) && self.level.is_none_or(|l| case.level >= l)
    }

    /// The selected cases that are newer than the suite version.
    pub fn newer(&self, suite: &Suite, host: &str) -> Vec<String> {
        let Some(pin) = self.pin else {
            return Vec::new();
        };
        let newer = |c: &&Case| self.means(c, host) && !in_suite(&c.since, pin);
        let all = suite.cases.iter().filter(newer);
        all.map(|c| c.id.clone()).collect()
    }

    /// The cases to run on a host. A shard takes every nth of the selection, whatever the ABI, so that
    /// the shards together are the selection and each is about as long as the others.
    fn cases<'s>(&self, suite: &'s Suite, host: &str) -> Vec<&'s Case> {
        let pinned = |c: &Case| self.pin.is_none_or(|pin| in_suite(&c.since, pin));
        let all = suite
            .cases
            .iter()
            .filter(|c| self.means(c, host) && pinned(c));
        let own = |n: usize| self.shard.is_none_or(|s| n as u32 % s.of == s.index - 1);
        let all = all.enumerate().filter(|(n, _)| own(*n));
        all.map(|(_, c)| c).collect()
    }
}

/// [`plan_selected`] by filter, ABIs and level only.
pub fn plan_host(
    suite: &Suite,
    filter: &Filter,
    profile: &Profile,
    identity: &Identity,
    abis: &[String],
    level: Option<Level>,
) -> HostPlan {
    let selected = Selected {
        filter,
        abis,
        level,
        pin: None,
        shard: None,
    };
    plan_selected(suite, &selected, profile, identity)
}

/// The columns of one host and the selected cases in each.
pub fn plan_selected(
    suite: &Suite,
    selected: &Selected<'_>,
    profile: &Profile,
    identity: &Identity,
) -> HostPlan {
    let abis = selected.abis;
    let chosen = selected.cases(suite, &profile.name).into_iter();
    let chosen: Vec<Arc<Case>> = chosen.map(|case| Arc::new(Case::clone(case))).collect();
    let mut columns = Vec::new();
    for id in profile
        .abi
        .iter()
        .filter(|id| abis.is_empty() || abis.contains(id))
    {
        let Some(abi) = suite.abi(id) else { continue };
        let plan = |case: &Arc<Case>| {
            let program = scope(suite, case, abi, profile)?;
            let case = case.clone();
            Some(Planned { case, program })
        };
        let cases = chosen.par_iter().filter_map(plan).collect();
        columns.push(ColumnPlan {
            column: column(profile, identity, abi),
            abi: abi.clone(),
            cases,
        });
    }
    HostPlan {
        profile: profile.clone(),
        identity: identity.clone(),
        columns,
    }
}

/// The column of a host and an ABI.
pub fn column(profile: &Profile, identity: &Identity, abi: &Abi) -> Column {
    Column {
        name: format!("{}-{}-{}", identity.name, identity.version, abi.id),
        host: identity.name.clone(),
        host_version: identity.version.clone(),
        host_digest: identity.digest.clone(),
        abi: abi.id.clone(),
        dialect: abi.dialect_of.is_some(),
        driver: profile.driver.word().to_owned(),
        not_offered: profile.not_offered(),
        unverified: profile.driver == DriverKind::Stdio && !health::passed(identity),
    }
}

/// The digest of the case's program in a column ([`Planned::program`]): `None` when the version of the
/// text has no such case, `Err` with the reason when it is out of scope on this host.
pub fn scope(
    suite: &Suite,
    case: &Case,
    abi: &Abi,
    profile: &Profile,
) -> Option<Result<String, String>> {
    let upstream = |name: &str| profile.upstream(name);
    let function = |name: &str| profile.function(name);
    let env = Env {
        token: FIXED_TOKEN,
        upstream: &upstream,
        function: &function,
    };
    let resolved = match suite.resolve(case, abi, &env) {
        Ok(resolved) => resolved,
        Err(Unavailable::NotInVersion(_)) => return None,
        Err(Unavailable::NoCounterpart(why)) => return Some(Err(why)),
    };
    if case.tags.iter().any(|t| t == "crasher") && !profile.is_reference() {
        return None;
    }
    for need in &case.needs {
        if let Err(why) = profile.offers(&need.word()) {
            return Some(Err(format!("not offered: {} ({why})", need.word())));
        }
    }
    if let Some(why) = profile.beyond_limits(&resolved) {
        return Some(Err(why));
    }
    Some(judged(resolved, abi, profile).map(|r| program_digest(&r)))
}

/// What the guest and the world do, in short.
fn program_digest(resolved: &Resolved) -> String {
    let mut hash = Hashing::default();
    // Hashing cannot fail.
    let _ = write!(hash, "{:?}{:?}", resolved.vms, resolved.exchange);
    hash.hash.update(&hash.text);
    short_hex(&hash.hash.finalize())
}

/// Text that is hashed, a few pages at a time, and not kept.
#[derive(Default)]
struct Hashing {
    hash: Sha256,
    text: String,
}

impl fmt::Write for Hashing {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text.push_str(text);
        if self.text.len() > 8192 {
            self.hash.update(&self.text);
            self.text.clear();
        }
        Ok(())
    }
}

/// An attempt, ready to be played, with what is needed to judge it.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// For the driver.
    pub job: Job,
    /// The case with this attempt's token.
    pub resolved: Arc<Resolved>,
    /// SHA-256 of the modules, 16 digits.
    pub module_digest: String,
}

/// Builds the modules of one attempt.
///
/// # Errors
/// A module that cannot be built: the case asks for something that the guest cannot do.
pub fn prepare(
    suite: &Suite,
    planned: &Planned,
    abi: &Arc<Abi>,
    profile: &Profile,
    token: &str,
    index: usize,
    options: &Deadlines,
) -> Result<Prepared, String> {
    let upstream = |name: &str| profile.upstream(name);
    let function = |name: &str| profile.function(name);
    let env = Env {
        token,
        upstream: &upstream,
        function: &function,
    };
    let resolved = suite
        .resolve(&planned.case, abi, &env)
        .map_err(|e| format!("{e:?}"))?;
    let resolved = judged(resolved, abi, profile)?;
    let mut vms = Vec::new();
    let mut hash = Sha256::new();
    for vm in &resolved.vms {
        let (wasm, code_key, legend) = match &vm.module.guest {
            Some(fixed) => (guest::fixed(fixed).map_err(|e| e.to_string())?, None, None),
            None => {
                let module = guest::build(&vm.module, abi).map_err(|e| e.to_string())?;
                (module.wasm, Some(module.code_digest), Some(module.legend))
            }
        };
        hash.update(&wasm);
        vms.push(VmJob {
            vm_id: format!("{}-{token}", vm.name),
            code_key,
            wasm: Arc::new(wasm),
            legend: legend.map(Arc::new),
            config: vm.config.clone(),
            environment: vm.environment.clone(),
            plugins: vm
                .plugins
                .iter()
                .map(|p| PluginJob {
                    name: p.name.clone(),
                    root_id: p.root.clone(),
                    config: p.config.clone(),
                })
                .collect(),
        });
    }
    let module_digest = short_hex(&hash.finalize());
    let deadline = resolved.deadline_ms.map_or(
        if resolved.alone {
            options.alone
        } else {
            options.shared
        },
        std::time::Duration::from_millis,
    );
    let job = Job {
        index,
        case_id: planned.case.id.clone(),
        token: token.to_owned(),
        abi: abi.clone(),
        vms,
        plugin_type: resolved.plugin_type,
        exchange: resolved.exchange.clone(),
        deadline,
        alone: resolved.alone || profile.apart.iter().any(|a| a.names(&planned.case.id)),
    };
    Ok(Prepared {
        job,
        resolved: Arc::new(resolved),
        module_digest,
    })
}

/// Deadlines of attempts.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// In company.
    pub shared: std::time::Duration,
    /// For cases that loop or grow on purpose.
    pub alone: std::time::Duration,
}

fn short_hex(bytes: &[u8]) -> String {
    bytes.iter().take(8).map(|b| format!("{b:02x}")).collect()
}

/// The token of a case's attempt in a column: eight letters and digits.
pub fn token(seed: u64, column: &str, case: &str, attempt: u32) -> String {
    let digest = Sha256::digest(format!("{seed} {column} {case} {attempt}"));
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    digest
        .iter()
        .take(8)
        .map(|b| LETTERS[usize::from(b & 31)] as char)
        .collect()
}
