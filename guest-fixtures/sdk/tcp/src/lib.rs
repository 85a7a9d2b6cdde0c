//! A plugin for TCP connections: what the client sends goes on in upper case, what the upstream sends
//! in lower case, and at the end it logs how many bytes came from each side.
//!
//! Does not know pwspec: it is an ordinary plugin, as users write them.

use proxy_wasm::traits::{Context, RootContext, StreamContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root));
}}

struct Root;

impl Context for Root {}

impl RootContext for Root {
    fn create_stream_context(&self, _: u32) -> Option<Box<dyn StreamContext>> {
        Some(Box::new(Connection::default()))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::StreamContext)
    }
}

#[derive(Default)]
struct Connection {
    from_client: usize,
    from_upstream: usize,
}

impl Context for Connection {}

impl StreamContext for Connection {
    fn on_downstream_data(&mut self, size: usize, _: bool) -> Action {
        if let Some(data) = self.get_downstream_data(0, size) {
            self.from_client += data.len();
            self.set_downstream_data(0, size, &data.to_ascii_uppercase());
        }
        Action::Continue
    }

    fn on_upstream_data(&mut self, size: usize, _: bool) -> Action {
        if let Some(data) = self.get_upstream_data(0, size) {
            self.from_upstream += data.len();
            self.set_upstream_data(0, size, &data.to_ascii_lowercase());
        }
        Action::Continue
    }

    fn on_log(&mut self) {
        log::info!(
            "{} bytes from the client, {} from the upstream",
            self.from_client,
            self.from_upstream
        );
    }
}
