//! An adapter in Rust: a Proxy-Wasm host library behind pwspec's adapter protocol.
//!
//! It begins with a toy host (toy.rs) and passes `pwspec doctor` as it stands. Your own host goes where
//! the toy is named; README.md says in which order. It calls what the library's users call, and repairs
//! nothing. It does not know cases. Messages and loop are in protocol.rs.

mod protocol;
mod toy;

use std::collections::HashMap;

use serde_json::{Value, json};

use protocol::{
    Adapter, Answer, Call, Done, Event, Finish, Forget, Kind, Load, Not, Open, PROTOCOL, Said,
    Start, State, fields, plain, serve,
};
use toy::{Host, REQUEST_HEADERS, RESPONSE_HEADERS, Stream, Trouble};

/// What there is behind the protocol.
struct Toys {
    said: Said,
    vms: HashMap<String, Vm>,
}

/// One VM, and what it was made of.
struct Vm {
    host: Host,
    load: Load,
}

fn main() {
    let said = Said::default();
    let mut adapter = Toys {
        said: said.clone(),
        vms: HashMap::new(),
    };
    serve(&mut adapter, &said);
}

impl Adapter for Toys {
    fn hello(&self) -> Value {
        json!({
            "protocol": PROTOCOL,
            "library": {"name": "toy", "version": "1"},
            // What modules may be of, and what `call` can have the library call.
            "abi": ["0.2.1"],
            "callbacks": ["proxy_on_request_headers", "proxy_on_response_headers"],
            // What the code that embeds the library decides, by the names of hostcalls, callbacks and
            // requirements: "embedder", or "none" where nobody does. It is not judged.
            "answers": {},
            // What cases may need and there is no way to.
            "lacks": {
                "tcp": "the toy knows HTTP only",
                "service": "the toy knows HTTP only",
                "grpc": "the toy makes no calls",
                "several_plugins": "the toy has one plugin a VM",
            },
            // How the library says that a function is missing.
            "unlinked": [r"cannot find definition for import \w+::(?P<import>\w+)"],
        })
    }

    /// Makes a VM of the module, as far as the library does that before a plugin starts.
    fn load(&mut self, load: Load) -> Answer {
        self.said.enter();
        let (said, vm) = (self.said.clone(), load.vm.clone());
        let log = move |level: &str, words: &[u8]| said.log(&vm, level, words);
        let host = Host::new(&load.module.0, Box::new(log)).map_err(not)?;
        self.vms.insert(load.vm.clone(), Vm { host, load });
        Ok(Done::default())
    }

    /// Starts the plugin of the VM.
    fn start(&mut self, start: Start) -> Answer {
        self.said.enter();
        let Vm { host, load } = self.vm(&start.vm)?;
        let config = &load.plugins[start.plugin as usize].config;
        let agreed = host.start(&load.vm_config.0, &config.0).map_err(not)?;
        Ok(Done {
            context: Some(toy::PLUGIN),
            accepted: Some(agreed),
            ..Done::default()
        })
    }

    /// A stream begins.
    fn open(&mut self, open: Open) -> Answer {
        if open.kind != Kind::Http {
            return Err(Not::Unsupported("the toy knows HTTP only".to_owned()));
        }
        self.said.enter();
        let context = self.vm(&open.vm)?.host.open().map_err(not)?;
        Ok(Done {
            context: Some(context),
            ..Done::default()
        })
    }

    /// Has the library call the plugin: hand over what has changed, call, hand back.
    fn call(&mut self, call: Call) -> Answer {
        let (map, end) = match call.event {
            Event::ProxyOnRequestHeaders { end_of_stream } => (REQUEST_HEADERS, end_of_stream),
            Event::ProxyOnResponseHeaders { end_of_stream } => (RESPONSE_HEADERS, end_of_stream),
            other => {
                let why = format!("the toy has no way to call this: {other:?}");
                return Err(Not::Unsupported(why));
            }
        };
        self.said.enter();
        let host = &mut self.vm(&call.vm)?.host;
        take(host.stream(call.context), call.state);
        let pause = host.headers(call.context, map, end).map_err(not)?;
        Ok(Done {
            action: Some(if pause { "pause" } else { "continue" }),
            state: state(host.stream(call.context)),
            ..Done::default()
        })
    }

    /// The world is done with a stream, or with the plugin.
    fn finish(&mut self, finish: Finish) -> Answer {
        self.said.enter();
        let host = &mut self.vm(&finish.vm)?.host;
        if finish.context != toy::PLUGIN {
            take(host.stream(finish.context), finish.state);
        }
        host.finish(finish.context).map_err(not)?;
        Ok(Done::default())
    }

    /// The VM is not needed any more.
    fn forget(&mut self, forget: Forget) -> Answer {
        self.vms.remove(&forget.vm);
        Ok(Done::default())
    }

    /// Be as after the start.
    fn reset(&mut self) -> Answer {
        self.vms.clear();
        Ok(Done::default())
    }
}

impl Toys {
    fn vm(&mut self, name: &str) -> Result<&mut Vm, Not> {
        let vm = self.vms.get_mut(name);
        vm.ok_or_else(|| Not::Failed(format!("there is no VM {name}")))
    }
}

fn not(trouble: Trouble) -> Not {
    match trouble {
        Trouble::NotTaken(error) => Not::Refused {
            words: error.to_string(),
            import: None,
        },
        Trouble::Trapped(error) => Not::Trapped(error.to_string()),
    }
}

/// Hands over the maps that have changed, and takes away what is gone.
fn take(stream: &mut Stream, state: State) {
    let changed = [
        (REQUEST_HEADERS, state.request_headers),
        (RESPONSE_HEADERS, state.response_headers),
    ];
    for (map, new) in changed {
        if let Some(new) = new {
            stream.insert(map, plain(&new));
        }
    }
    for gone in state.gone {
        match gone.as_str() {
            "request_headers" => stream.remove(&REQUEST_HEADERS),
            "response_headers" => stream.remove(&RESPONSE_HEADERS),
            _ => None,
        };
    }
}

/// Gives back the maps as they are now.
fn state(stream: &Stream) -> State {
    let given = |map| stream.get(&map).map(|headers| fields(headers.clone()));
    State {
        request_headers: given(REQUEST_HEADERS),
        response_headers: given(RESPONSE_HEADERS),
        ..State::default()
    }
}
