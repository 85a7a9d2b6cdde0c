//! A plugin that counts requests in a metric and keeps each one until its timer runs. The timer also
//! notes in a gauge that it ran. Its configuration is the prefix of the metrics' names. The response
//! tells both values.
//!
//! Does not know pwspec: it is an ordinary plugin, as users write them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MetricType};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root { shared: Rc::default() }));
}}

/// What the plugin and its streams share.
#[derive(Default)]
struct Shared {
    requests: Cell<u32>,
    ticked: Cell<u32>,
    /// The streams that wait for the timer.
    waiting: RefCell<Vec<u32>>,
}

struct Root {
    shared: Rc<Shared>,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let prefix = self.get_plugin_configuration().unwrap_or_default();
        let prefix = String::from_utf8_lossy(&prefix);
        let define = |ty, name| hostcalls::define_metric(ty, &format!("{prefix}_{name}"));
        let (Ok(requests), Ok(ticked)) = (
            define(MetricType::Counter, "requests"),
            define(MetricType::Gauge, "ticked"),
        ) else {
            return false;
        };
        self.shared.requests.set(requests);
        self.shared.ticked.set(ticked);
        self.set_tick_period(Duration::from_millis(20));
        true
    }

    fn on_tick(&mut self) {
        let noted = hostcalls::record_metric(self.shared.ticked.get(), 1);
        for id in self.shared.waiting.take() {
            // A stream that is gone cannot be made the effective one.
            if noted.is_ok() && hostcalls::set_effective_context(id).is_ok() {
                let _ = hostcalls::resume_http_request();
            }
        }
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        let shared = self.shared.clone();
        Some(Box::new(Stream { id, shared }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Stream {
    id: u32,
    shared: Rc<Shared>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let counted = hostcalls::increment_metric(self.shared.requests.get(), 1);
        if counted.is_err() {
            return Action::Continue;
        }
        self.shared.waiting.borrow_mut().push(self.id);
        Action::Pause
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        for (field, metric) in [
            ("x-requests", self.shared.requests.get()),
            ("x-ticked", self.shared.ticked.get()),
        ] {
            let value = hostcalls::get_metric(metric);
            let value = value.map_or_else(|_| "none".to_owned(), |v| v.to_string());
            self.add_http_response_header(field, &value);
        }
        Action::Continue
    }
}
