//! What the tests need: the tables, programs in few words, jobs, and ways to look at an attempt.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::abi::{Abi, PluginType, load};
use crate::case::{
    Act, Answer, ArgValue, Call, Exchange, Exports, Handler, ModuleSpec, Operand, Play, Request,
    Select, Step, Stream,
};
use crate::guest::build;
use crate::host::reference::{Options, Reference};
use crate::host::{Job, PluginJob, VmJob};
use crate::trace::{Attempt, Event, Value};

/// A table by its id.
pub(super) fn abi(id: &str) -> Arc<Abi> {
    static ALL: OnceLock<Vec<Arc<Abi>>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../specs/abi");
        let mut files = Vec::new();
        for file in std::fs::read_dir(root).expect("specs/abi") {
            let path = file.expect("file").path();
            if path.is_file() {
                let name = path
                    .file_name()
                    .expect("name")
                    .to_string_lossy()
                    .into_owned();
                let text = std::fs::read_to_string(&path).expect("text");
                if name.starts_with('v') {
                    files.push((format!("abi/{name}"), text));
                }
            }
        }
        let all = load(&files).unwrap_or_else(|p| panic!("{p:?}"));
        all.into_iter().map(Arc::new).collect()
    });
    let found = all.iter().find(|a| a.id == id);
    Arc::clone(found.expect("a known version"))
}

/// One handler of plugin 0.
pub(super) fn on(callback: &str, steps: Vec<Act>) -> Handler {
    on_when(callback, Select::default(), steps)
}

/// One handler of plugin 0 in selected calls.
pub(super) fn on_when(callback: &str, select: Select, steps: Vec<Act>) -> Handler {
    Handler {
        plugin: 0,
        callback: callback.to_owned(),
        select,
        steps: steps
            .into_iter()
            .map(|act| Step { when: None, act })
            .collect(),
    }
}

/// A hostcall.
pub(super) fn call(name: &str, args: Vec<ArgValue>) -> Act {
    Act::Call(Call {
        hostcall: name.to_owned(),
        args,
        saves: Vec::new(),
        repeat: 1,
    })
}

/// A number.
pub(super) fn n(value: u64) -> ArgValue {
    ArgValue::Word(Operand::Const(value))
}

/// Bytes.
pub(super) fn b(bytes: &[u8]) -> ArgValue {
    ArgValue::Data(bytes.to_vec())
}

/// PAUSE.
pub(super) const PAUSE: Act = Act::Return(Operand::Const(1));
/// `false`.
pub(super) const FALSE: Act = Act::Return(Operand::Const(0));

/// A job with one plugin.
pub(super) fn job(version: &str, handlers: Vec<Handler>, exchange: Exchange) -> Job {
    job_with(version, handlers, Exports::default(), exchange)
}

/// A job with one plugin and its own exports.
pub(super) fn job_with(
    version: &str,
    handlers: Vec<Handler>,
    exports: Exports,
    exchange: Exchange,
) -> Job {
    job_of(PluginType::Http, version, handlers, exports, exchange)
}

/// A job with one plugin of some kind.
pub(super) fn job_of(
    plugin_type: PluginType,
    version: &str,
    handlers: Vec<Handler>,
    exports: Exports,
    exchange: Exchange,
) -> Job {
    let abi = abi(version);
    let spec = ModuleSpec {
        token: "t0k3n".to_owned(),
        plugin_type,
        exports,
        handlers,
        slots: 8,
        ..ModuleSpec::default()
    };
    let module = build(&spec, &abi).expect("a program that fits");
    Job {
        index: 0,
        case_id: "unit".to_owned(),
        token: spec.token,
        abi,
        vms: vec![VmJob {
            vm_id: "vm".to_owned(),
            wasm: Arc::new(module.wasm),
            code_key: Some(module.code_digest),
            legend: Some(Arc::new(module.legend)),
            config: b"of the vm".to_vec(),
            environment: Vec::new(),
            plugins: vec![PluginJob {
                name: "main".to_owned(),
                root_id: "root".to_owned(),
                config: b"of the plugin".to_vec(),
            }],
        }],
        plugin_type,
        exchange: exchange.into(),
        deadline: Duration::from_secs(5),
        alone: false,
    }
}

/// Fields.
pub(super) fn fields(pairs: &[(&str, &str)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let own = |(k, v): &(&str, &str)| (k.as_bytes().to_vec(), v.as_bytes().to_vec());
    pairs.iter().map(own).collect()
}

/// A GET with one field, answered with 200, a field and a body.
pub(super) fn get() -> Exchange {
    exchange("GET", &[], &[])
}

/// One stream, sent and finished.
pub(super) fn exchange(method: &str, chunks: &[&str], trailers: &[(&str, &str)]) -> Exchange {
    let stream = Stream {
        request: Request {
            http2: false,
            method: method.to_owned(),
            path: "/p".to_owned(),
            authority: "a.test".to_owned(),
            headers: fields(&[("x-here", "1")]),
            body: chunks.iter().map(|c| c.as_bytes().into()).collect(),
            trailers: fields(trailers),
        },
        answer: Answer {
            headers: fields(&[("x-up", "2")]),
            body: vec![b"an"[..].into(), b"swer"[..].into()],
            ..Answer::default()
        },
    };
    Exchange {
        streams: vec![stream],
        play: vec![Play::Head(1), Play::Rest(1), Play::Finish(1)],
        ..Exchange::default()
    }
}

/// The host that all tests share, so that code is compiled once.
pub(super) fn host() -> &'static Reference {
    static HOST: OnceLock<Reference> = OnceLock::new();
    HOST.get_or_init(|| Reference::new(Options::default()))
}

/// Plays a job.
pub(super) fn play(job: &Job) -> Attempt {
    let attempt = host().play_one(job).expect("no trouble");
    assert_eq!(attempt.faults, [], "{attempt:#?}");
    attempt
}

/// Plays a job with a fault planted.
pub(super) fn play_wrong(job: &Job, fault: &str) -> Attempt {
    host()
        .play_with_fault(job, fault)
        .expect("a fault that exists")
}

/// All events in order.
pub(super) fn events(attempt: &Attempt) -> Vec<&Event> {
    attempt
        .trace
        .instances
        .iter()
        .flat_map(|i| i.walk())
        .collect()
}

/// The `proxy_on_*` callbacks, without that prefix, with their arguments behind the context.
pub(super) fn callbacks(attempt: &Attempt) -> Vec<String> {
    let all = attempt.trace.instances.iter().flat_map(|i| i.callbacks());
    all.map(|e| {
        let args = e.args.iter().skip(1).map(|f| match &f.value {
            Value::Number(n) => n.to_string(),
            Value::Bool(b) => b.to_string(),
            Value::Id(_, n) => format!("#{n}"),
            other => format!("{other:?}"),
        });
        let name = e.name.trim_start_matches("proxy_on_");
        std::iter::once(name.to_owned())
            .chain(args)
            .collect::<Vec<_>>()
            .join(" ")
    })
    .collect()
}

/// The name of the status that the nth hostcall (from 0) of this name returned.
pub(super) fn status(attempt: &Attempt, hostcall: &str, nth: usize) -> String {
    let all = events(attempt).into_iter().filter(|e| e.name == hostcall);
    let Some(event) = all.into_iter().nth(nth) else {
        panic!("no call {nth} of {hostcall}: {attempt:#?}")
    };
    match &event.end {
        crate::trace::Returned::Value(Value::Enum(Some(name), _)) => name.to_string(),
        other => format!("{other:?}"),
    }
}

/// An output of the nth hostcall of this name.
pub(super) fn out<'a>(attempt: &'a Attempt, hostcall: &str, nth: usize, name: &str) -> &'a Value {
    let all = events(attempt).into_iter().filter(|e| e.name == hostcall);
    let event = all.into_iter().nth(nth).expect("that call");
    event.out(name).expect("that output")
}
