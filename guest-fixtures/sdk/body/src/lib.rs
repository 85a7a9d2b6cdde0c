//! A plugin that changes bodies. Of a request it keeps the whole body back, and replaces one word by
//! another (its configuration: `OLD NEW`). Of a response it turns each piece to upper case as it passes.
//!
//! Does not know pwspec: it is an ordinary plugin, as users write them.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root { words: Rc::new((String::new(), String::new())) }));
}}

struct Root {
    words: Rc<(String, String)>,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let text = self.get_plugin_configuration().unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let Some((old, new)) = text.split_once(' ') else {
            return false;
        };
        self.words = Rc::new((old.to_owned(), new.to_owned()));
        true
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        let words = self.words.clone();
        Some(Box::new(Stream { words }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Stream {
    words: Rc<(String, String)>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        // The new body has another length.
        if !end_of_stream {
            self.remove_http_request_header("content-length");
        }
        Action::Continue
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if !end_of_stream {
            return Action::Pause;
        }
        if let Some(body) = self.get_http_request_body(0, size) {
            let (old, new) = &*self.words;
            let changed = String::from_utf8_lossy(&body).replace(old, new);
            self.set_http_request_body(0, size, changed.as_bytes());
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, _: bool) -> Action {
        if let Some(body) = self.get_http_response_body(0, size) {
            self.set_http_response_body(0, size, &body.to_ascii_uppercase());
        }
        Action::Continue
    }
}
