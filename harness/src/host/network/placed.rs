//! The cases that are in a host: what was written for them and where they are reached.
//!
//! Does not know how a host takes them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::host::Job;
use crate::host::network::ear::Ear;
use crate::host::network::template::{CaseVars, Vars};

/// A case in the host.
pub struct Guest {
    /// What templates can name.
    pub vars: CaseVars,
    /// Where its listener is.
    pub socket: PathBuf,
}

/// The cases of a batch and what was written for them.
#[derive(Default)]
pub struct Placed {
    /// By the numbers of their jobs.
    pub guests: BTreeMap<usize, Guest>,
    /// The files of their modules.
    pub modules: Vec<PathBuf>,
    /// How many there were in all.
    made: u64,
}

impl Placed {
    /// Writes a case's modules into `dir` and its variables into `vars`; its lines are its own from now on.
    ///
    /// # Errors
    /// A file can't be written.
    pub fn add(
        &mut self,
        job: &Job,
        dir: &Path,
        ear: &Ear,
        vars: &mut Vars,
    ) -> std::io::Result<()> {
        self.made += 1;
        // As long for each, for what a host shows its plugins of a path.
        let name = format!("c{:04}", self.made);
        let mut modules = Vec::new();
        for (n, vm) in job.vms.iter().enumerate() {
            let file = format!("{name}-{n}.wasm");
            let path = dir.join(&file);
            std::fs::write(&path, vm.wasm.as_slice())?;
            self.modules.push(path);
            modules.push(file);
        }
        let socket = format!("{name}.sock");
        let own = CaseVars::new(job, &name, &socket, &modules);
        ear.expect(&name, job);
        vars.cases.push(own.clone());
        let socket = dir.join(socket);
        self.guests.insert(job.index, Guest { vars: own, socket });
        Ok(())
    }
}
