//! A plugin that rewrites header fields by rules from its configuration, one a line:
//! `request set NAME VALUE`, `response add NAME VALUE`, `request remove NAME`. `set` replaces what is
//! there; `:path` can be set like any other field.
//!
//! Does not know pwspec: it is an ordinary plugin, as users write them.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root { rules: Rc::new(Vec::new()) }));
}}

#[derive(PartialEq)]
enum Side {
    Request,
    Response,
}

enum Act {
    Set(String),
    Add(String),
    Remove,
}

struct Rule {
    side: Side,
    name: String,
    act: Act,
}

impl Rule {
    fn parse(line: &str) -> Option<Rule> {
        let mut words = line.splitn(4, ' ');
        let side = match words.next()? {
            "request" => Side::Request,
            "response" => Side::Response,
            _ => return None,
        };
        let (verb, name) = (words.next()?, words.next()?.to_owned());
        let value = words.next().map(str::to_owned);
        let act = match (verb, value) {
            ("set", Some(value)) => Act::Set(value),
            ("add", Some(value)) => Act::Add(value),
            ("remove", None) => Act::Remove,
            _ => return None,
        };
        Some(Rule { side, name, act })
    }
}

struct Root {
    rules: Rc<Vec<Rule>>,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let text = self.get_plugin_configuration().unwrap_or_default();
        let Ok(text) = String::from_utf8(text) else {
            return false;
        };
        let rules: Option<Vec<Rule>> = text.lines().map(Rule::parse).collect();
        match rules {
            Some(rules) => {
                self.rules = Rc::new(rules);
                true
            }
            None => false,
        }
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        let rules = self.rules.clone();
        Some(Box::new(Stream { rules }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Stream {
    rules: Rc<Vec<Rule>>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        for rule in self.rules.iter().filter(|r| r.side == Side::Request) {
            match &rule.act {
                Act::Set(value) => self.set_http_request_header(&rule.name, Some(value)),
                Act::Add(value) => self.add_http_request_header(&rule.name, value),
                Act::Remove => self.remove_http_request_header(&rule.name),
            }
        }
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        for rule in self.rules.iter().filter(|r| r.side == Side::Response) {
            match &rule.act {
                Act::Set(value) => self.set_http_response_header(&rule.name, Some(value)),
                Act::Add(value) => self.add_http_response_header(&rule.name, value),
                Act::Remove => self.remove_http_response_header(&rule.name),
            }
        }
        Action::Continue
    }
}
