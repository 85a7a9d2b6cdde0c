//! A plugin that asks another service (its configuration: the host's name of it) whether a request may
//! pass. The request waits meanwhile. Where the service answers 200, the request goes on and carries
//! the user that the service named; else the client gets 403 with what the service said.
//!
//! Does not know pwspec: it is an ordinary plugin, as users write them.

use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root { service: Rc::from("") }));
}}

/// Says what the body of an answer is.
const TEXT: (&str, &str) = ("content-type", "text/plain; charset=utf-8");

struct Root {
    service: Rc<str>,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let name = self.get_plugin_configuration().unwrap_or_default();
        self.service = String::from_utf8_lossy(&name).into();
        !self.service.is_empty()
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        let service = self.service.clone();
        Some(Box::new(Stream { service }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Stream {
    service: Rc<str>,
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let token = self
            .get_http_request_header("authorization")
            .unwrap_or_default();
        let headers = vec![
            (":method", "GET"),
            (":path", "/check"),
            (":authority", "auth.test"),
            ("x-token", &token),
        ];
        let asked =
            self.dispatch_http_call(&self.service, headers, None, vec![], Duration::from_secs(2));
        if asked.is_err() {
            self.send_http_response(503, vec![TEXT], Some(b"nobody to ask"));
        }
        Action::Pause
    }
}

impl Context for Stream {
    fn on_http_call_response(&mut self, _: u32, _: usize, body_size: usize, _: usize) {
        if self.get_http_call_response_header(":status").as_deref() == Some("200") {
            let user = self
                .get_http_call_response_header("x-user")
                .unwrap_or_default();
            self.set_http_request_header("x-user", Some(&user));
            self.remove_http_request_header("authorization");
            self.resume_http_request();
            return;
        }
        let why = self
            .get_http_call_response_body(0, body_size)
            .unwrap_or_default();
        let mut headers = vec![("x-refused-by", "auth")];
        if !why.is_empty() {
            headers.push(TEXT);
        }
        self.send_http_response(403, headers, Some(&why));
    }
}
