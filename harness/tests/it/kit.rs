//! What integration tests share: tables, profiles, jobs made of handlers.
//!
//! Does not know any case file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use pwspec::abi::{Abi, PluginType, load};
use pwspec::case::{
    Act, Answer, ArgValue, Call, Exchange, Exports, Handler, ModuleSpec, Operand, Play, Profile,
    Request, Select, Step, Stream, load_profile,
};
use pwspec::guest::build_with_line;
use pwspec::host::{Job, PluginJob, VmJob};

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The table of one version.
pub fn abi(version: &str) -> Arc<Abi> {
    let dir = root().join("specs/abi");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&dir).unwrap().flatten() {
        if entry.path().is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            files.push((
                format!("abi/{name}"),
                std::fs::read_to_string(entry.path()).unwrap(),
            ));
        }
    }
    files.sort();
    let all = load(&files).unwrap();
    Arc::new(all.into_iter().find(|a| a.id == version).unwrap())
}

/// A profile of `specs/hosts`.
pub fn profile(name: &str) -> Profile {
    let path = root().join(format!("specs/hosts/{name}.yaml"));
    let text = std::fs::read_to_string(&path).unwrap();
    load_profile(&path.to_string_lossy(), &text).unwrap()
}

/// A handler for each call of a callback.
pub fn on(callback: &str, acts: Vec<Act>) -> Handler {
    let steps = acts.into_iter().map(|act| Step { when: None, act });
    Handler {
        plugin: 0,
        callback: callback.to_owned(),
        select: Select::default(),
        steps: steps.collect(),
    }
}

/// A hostcall.
pub fn call(hostcall: &str, args: Vec<ArgValue>) -> Act {
    Act::Call(Call {
        hostcall: hostcall.to_owned(),
        args,
        saves: Vec::new(),
        repeat: 1,
    })
}

/// `proxy_log` at INFO.
pub fn log(text: &str) -> Act {
    call("proxy_log", vec![number(2), text_arg(text)])
}

/// A constant.
pub fn number(n: u64) -> ArgValue {
    ArgValue::Word(Operand::Const(n))
}

/// Bytes.
pub fn text_arg(text: &str) -> ArgValue {
    ArgValue::Data(text.as_bytes().to_vec())
}

/// A request without a body.
pub fn get(path: &str) -> Stream {
    Stream {
        request: Request {
            http2: false,
            method: "GET".to_owned(),
            path: path.to_owned(),
            authority: "example.test".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            trailers: Vec::new(),
        },
        answer: Answer::default(),
    }
}

/// One stream after the other, each played to its end.
pub fn whole(streams: Vec<Stream>) -> Exchange {
    let numbers = 1..=streams.len() as u32;
    Exchange {
        streams,
        play: numbers
            .flat_map(|n| [Play::Head(n), Play::Rest(n), Play::Finish(n)])
            .collect(),
        ..Exchange::default()
    }
}

/// A job with one HTTP plugin; ids and tokens are unique in the process.
pub fn job(index: usize, abi: &Arc<Abi>, handlers: Vec<Handler>, exchange: Exchange) -> Job {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let token = format!("t{}", MADE.fetch_add(1, Ordering::SeqCst));
    let spec = ModuleSpec {
        token: token.clone(),
        plugin_type: PluginType::Http,
        exports: Exports::default(),
        handlers,
        slots: 4,
        ..ModuleSpec::default()
    };
    let module = build_with_line(&spec, abi, 4000).unwrap();
    Job {
        index,
        case_id: format!("test/{index}"),
        token: token.clone(),
        abi: abi.clone(),
        vms: vec![VmJob {
            vm_id: format!("vm-{token}"),
            wasm: Arc::new(module.wasm),
            code_key: Some(module.code_digest),
            legend: Some(Arc::new(module.legend)),
            config: Vec::new(),
            environment: Vec::new(),
            plugins: vec![PluginJob {
                name: "main".to_owned(),
                root_id: "main".to_owned(),
                config: Vec::new(),
            }],
        }],
        plugin_type: PluginType::Http,
        exchange: exchange.into(),
        deadline: Duration::from_secs(5),
        alone: false,
    }
}
