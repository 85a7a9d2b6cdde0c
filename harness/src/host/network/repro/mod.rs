//! One case as files with which it can be played by hand: modules, the host's configuration, what the
//! upstreams answer and what the client sends, with a script for each of them.
//!
//! Does not play it. Does not know what is expected.

mod scene;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::case::{Exchange, GRPC_UPSTREAMS, Play, Profile};
use crate::host::network::backend::BACKEND;
use crate::host::network::fence;
use crate::host::network::loopback::Ports;
use crate::host::network::repro::scene::Scene;
use crate::host::network::template::{CaseVars, FenceVars, Templates, UpstreamVars, Vars};
use crate::host::network::upstream::{NAMES, NOWHERE};
use crate::host::{Job, Trouble, TroubleKind};

/// The name of the case's listener.
const NAME: &str = "c1";

/// How the host is started with the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its arguments; it runs in the folder.
    pub args: Vec<String>,
    /// The socket at which the case's listener is.
    pub socket: String,
    /// The file names of the modules.
    pub modules: Vec<String>,
    /// The upstreams and their ports, where plugins name them by one.
    pub ports: Vec<(String, u16)>,
    /// What belongs to the case and the scripts do not play, in words.
    pub lacks: Vec<&'static str>,
}

/// What of an exchange the scripts do not play.
fn lacks(exchange: &Exchange) -> Vec<&'static str> {
    let mut out = Vec::new();
    if !exchange.grpc.is_empty() {
        out.push("upstream.py plays no gRPC upstream");
    }
    if exchange.streams.iter().any(|s| s.request.http2) {
        out.push("client.py speaks HTTP/1.1, and the case HTTP/2");
    }
    let by_hand = |p: &Play| matches!(p, Play::Reload | Play::Remove | Play::Shutdown);
    if exchange.play.iter().any(by_hand) {
        out.push("client.py waits where the plugin is reloaded or removed or the host shut down");
    }
    out
}

/// Writes the files of a case into `dir`, an empty folder. The configuration has the folder's path.
///
/// # Errors
/// The profile is not one of a network host, or a file can't be written.
pub fn write(profile: &Profile, job: &Job, dir: &Path) -> Result<Written, Trouble> {
    let io = |what: &str, e: std::io::Error| {
        Trouble::new(TroubleKind::DidNotStart, format!("{what}: {e}"))
    };
    let Some(start) = &profile.start else {
        let what = format!(
            "the profile {} does not say how it is started",
            profile.name
        );
        return Err(Trouble::new(TroubleKind::DidNotStart, what));
    };
    let templates = Templates::new(start)?;
    // The listeners are let go at once: whoever plays the upstreams takes their ports.
    let ports = match profile.upstreams_have_ports() {
        true => Some(Ports::open().map_err(|e| io("looking for ports", e))?.0),
        false => None,
    };
    let job = match &ports {
        Some(ports) => ports.job(job, profile),
        None => job.clone(),
    };
    let port = |name: &str| ports.as_ref().and_then(|p| p.of(name)).unwrap_or(0);
    let mut modules = Vec::new();
    for (n, vm) in job.vms.iter().enumerate() {
        let file = format!("{NAME}-{n}.wasm");
        std::fs::write(dir.join(&file), vm.wasm.as_slice())
            .map_err(|e| io("writing a module", e))?;
        modules.push(file);
    }
    std::fs::write(dir.join("fence.wasm"), fence::module())
        .map_err(|e| io("writing a module", e))?;
    let socket = format!("{NAME}.sock");
    let named = |name: &str| UpstreamVars {
        name: name.to_owned(),
        socket: format!("{name}.sock"),
        port: port(name),
    };
    let vars = Vars {
        dir: dir.to_string_lossy().into_owned(),
        version: 1,
        fence: FenceVars {
            socket: "fence.sock".to_owned(),
            vm_id: fence::VM.to_owned(),
            module: "fence.wasm".to_owned(),
        },
        upstreams: NAMES.map(named).to_vec(),
        grpc: GRPC_UPSTREAMS.map(named).to_vec(),
        nowhere: vec![named(NOWHERE)],
        backend: named(BACKEND),
        cases: vec![CaseVars::new(&job, NAME, &socket, &modules)],
    };
    templates.write_all(dir, &vars)?;
    let args = templates.args(&vars)?;
    let mut named: Vec<(String, u16)> = NAMES.map(|n| (n.to_owned(), port(n))).to_vec();
    if !job.exchange.connections.is_empty() {
        named.push((BACKEND.to_owned(), 0));
    }
    let scene = Scene::new(&job.exchange, &socket, &named);
    let scene = serde_json::to_string_pretty(&scene).unwrap_or_default();
    for (name, text) in [
        ("scene.json", scene.as_str()),
        ("upstream.py", include_str!("upstream.py")),
        ("client.py", include_str!("client.py")),
    ] {
        std::fs::write(dir.join(name), text).map_err(|e| io(&format!("writing {name}"), e))?;
    }
    Ok(Written {
        args,
        socket,
        modules,
        lacks: lacks(&job.exchange),
        ports: named.into_iter().filter(|(_, p)| *p > 0).collect(),
    })
}

/// Writes a script that can be started.
///
/// # Errors
/// The file can't be written.
pub fn script(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::write(path, text)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}
