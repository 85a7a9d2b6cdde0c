//! A small ABI made by hand: what the guest and specialiser must cope with, no more.

use crate::abi::{
    Abi, Callback, EnumDef, ExportKind, Hostcall, IdKind, Param, PluginType, Returns, Type,
};
use crate::case::{Act, ArgValue, Call, Exports, Handler, ModuleSpec, Operand, Select, Step};

pub(crate) fn param(name: &str, ty: Type) -> Param {
    Param {
        name: name.into(),
        ty,
        volatile: false,
        default: None,
    }
}

fn status() -> Returns {
    Returns::Enum("proxy_status_t".to_owned())
}

fn hostcall(name: &str, params: Vec<Param>, returns: Returns) -> Hostcall {
    Hostcall {
        name: name.to_owned(),
        import: ("env".to_owned(), name.to_owned()),
        params,
        returns,
        section: String::new(),
        absent: None,
    }
}

fn export(name: &str, kind: ExportKind, params: Vec<Param>, returns: Returns) -> Callback {
    Callback {
        name: name.to_owned(),
        export: None,
        kind,
        plugin_types: Vec::new(),
        params,
        returns,
        section: String::new(),
        absent: None,
    }
}

fn enumeration(name: &str, values: &[&str]) -> EnumDef {
    let numbered = (0..).zip(values).map(|(n, v)| ((*v).to_owned(), n));
    EnumDef {
        name: name.to_owned(),
        values: numbered.collect(),
        foreign: Vec::new(),
    }
}

/// The table.
pub(crate) fn abi() -> Abi {
    let level = || param("level", Type::Enum("proxy_log_level_t".to_owned()));
    let map = || param("map_id", Type::Enum("proxy_map_type_t".to_owned()));
    let context = || param("context_id", Type::Id(IdKind::Context));
    let action = || Returns::Enum("proxy_action_t".to_owned());
    let size = || vec![param("memory_size", Type::Size)];
    let headers = |name: &str| {
        let mut callback = export(
            name,
            ExportKind::Callback,
            vec![
                context(),
                param("num_headers", Type::Size),
                param("end_of_stream", Type::Bool),
            ],
            action(),
        );
        callback.plugin_types = vec![PluginType::Http];
        callback
    };
    let mut tcp = export(
        "proxy_on_new_connection",
        ExportKind::Callback,
        vec![context()],
        action(),
    );
    tcp.plugin_types = vec![PluginType::Tcp];
    let mut missing = hostcall("proxy_missing", Vec::new(), status());
    missing.absent = Some("it was never there".to_owned());
    let mut wasi = hostcall(
        "random_get",
        vec![param("buf", Type::Fill)],
        Returns::Enum("wasi_errno_t".to_owned()),
    );
    wasi.import.0 = "wasi_snapshot_preview1".to_owned();
    Abi {
        id: "0.2.1".to_owned(),
        dialect_of: None,
        marker: "proxy_abi_version_0_2_1".to_owned(),
        hostcalls: vec![
            hostcall(
                "proxy_log",
                vec![level(), param("message", Type::Bytes)],
                status(),
            ),
            hostcall(
                "proxy_get_header_map_value",
                vec![
                    map(),
                    param("key", Type::Bytes),
                    param("value", Type::OutBytes),
                ],
                status(),
            ),
            hostcall(
                "proxy_get_header_map_pairs",
                vec![map(), param("pairs", Type::OutPairs)],
                status(),
            ),
            hostcall(
                "proxy_set_header_map_pairs",
                vec![map(), param("pairs", Type::Pairs)],
                status(),
            ),
            hostcall(
                "proxy_http_call",
                vec![
                    param("upstream", Type::Bytes),
                    param("timeout", Type::U32),
                    param("call_id", Type::OutId(IdKind::Call)),
                ],
                status(),
            ),
            hostcall(
                "proxy_increment_metric",
                vec![
                    param("metric_id", Type::Id(IdKind::Metric)),
                    param("delta", Type::I64),
                ],
                status(),
            ),
            hostcall(
                "proxy_get_metric",
                vec![
                    param("metric_id", Type::Id(IdKind::Metric)),
                    param("value", Type::OutU64),
                ],
                status(),
            ),
            hostcall(
                "fd_write",
                vec![
                    param("fd", Type::U32),
                    param("iovec", Type::Iovec),
                    param("written", Type::OutU32),
                ],
                Returns::Enum("wasi_errno_t".to_owned()),
            ),
            wasi,
            hostcall(
                "environ_get",
                vec![param("array", Type::OutArray)],
                Returns::Enum("wasi_errno_t".to_owned()),
            ),
            hostcall(
                "proc_exit",
                vec![param("code", Type::U32)],
                Returns::Nothing,
            ),
            missing,
        ],
        callbacks: vec![
            export(
                "proxy_abi_version_0_2_1",
                ExportKind::Marker,
                Vec::new(),
                Returns::Nothing,
            ),
            export(
                "_initialize",
                ExportKind::Entry,
                Vec::new(),
                Returns::Nothing,
            ),
            export("_start", ExportKind::Entry, Vec::new(), Returns::Nothing),
            export(
                "proxy_on_memory_allocate",
                ExportKind::Allocator,
                size(),
                Returns::Pointer,
            ),
            export("malloc", ExportKind::Allocator, size(), Returns::Pointer),
            export(
                "proxy_on_context_create",
                ExportKind::Callback,
                vec![
                    context(),
                    param("parent_context_id", Type::Id(IdKind::Context)),
                ],
                Returns::Nothing,
            ),
            export(
                "proxy_on_vm_start",
                ExportKind::Callback,
                vec![
                    param("unused", Type::Id(IdKind::Context)),
                    param("vm_configuration_size", Type::Size),
                ],
                Returns::Bool,
            ),
            headers("proxy_on_request_headers"),
            tcp,
            export(
                "proxy_on_http_call_response",
                ExportKind::Callback,
                vec![
                    context(),
                    param("call_id", Type::Id(IdKind::Call)),
                    param("num_headers", Type::Size),
                ],
                Returns::Nothing,
            ),
        ],
        enums: vec![
            enumeration("proxy_log_level_t", &["TRACE", "DEBUG", "INFO", "WARN"]),
            enumeration("proxy_status_t", &["OK", "NOT_FOUND", "BAD_ARGUMENT"]),
            enumeration("proxy_map_type_t", &["HTTP_REQUEST_HEADERS"]),
            enumeration("proxy_action_t", &["CONTINUE", "PAUSE"]),
            enumeration("wasi_errno_t", &["SUCCESS"]),
        ],
        requirements: Vec::new(),
        absent: Vec::new(),
        faults: Vec::new(),
        index: crate::abi::Index::default(),
    }
}

/// A module with these handlers.
pub(crate) fn spec(handlers: Vec<Handler>) -> ModuleSpec {
    ModuleSpec {
        token: "case7a1".to_owned(),
        plugin_type: PluginType::Http,
        exports: Exports::default(),
        handlers,
        slots: 4,
        ..ModuleSpec::default()
    }
}

/// A handler of plugin 0 in every call.
pub(crate) fn on(callback: &str, acts: Vec<Act>) -> Handler {
    let step = |act| Step { when: None, act };
    Handler {
        plugin: 0,
        callback: callback.to_owned(),
        select: Select::default(),
        steps: acts.into_iter().map(step).collect(),
    }
}

/// A call.
pub(crate) fn call(hostcall: &str, args: Vec<ArgValue>) -> Act {
    Act::Call(Call {
        hostcall: hostcall.to_owned(),
        args,
        saves: Vec::new(),
        repeat: 1,
    })
}

/// A constant.
pub(crate) fn number(n: u64) -> ArgValue {
    ArgValue::Word(Operand::Const(n))
}

/// Bytes.
pub(crate) fn data(bytes: &str) -> ArgValue {
    ArgValue::Data(bytes.into())
}

/// `proxy_get_header_map_value` of a key.
pub(crate) fn get(key: &str) -> Act {
    call(
        "proxy_get_header_map_value",
        vec![number(0), data(key), ArgValue::Out],
    )
}
