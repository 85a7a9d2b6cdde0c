//! The JSON Schema of a line in either direction.
//!
//! Does not know where it is kept.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::host::stdio::protocol::{PROTOCOL, Reply, Request};

/// One line: a request of the harness or a reply of the adapter.
pub fn schema() -> Value {
    let mut generator: SchemaGenerator = SchemaSettings::draft2020_12().into_generator();
    let request = generator.subschema_for::<Request>();
    let reply = generator.subschema_for::<Reply>();
    let definitions = generator.take_definitions(true);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("Adapter protocol, version {PROTOCOL}: one line"),
        "oneOf": [request, reply],
        "$defs": definitions,
    })
}
