//! Records in, bytes out: terminal, JSON, HTML.

pub mod json;
