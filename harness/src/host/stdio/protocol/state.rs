//! The state of one stream: its maps and buffers.
//!
//! What does not stand in a [`State`] is as it was. Does not know which side changed it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::stdio::protocol::{Bytes, Fields};

/// Maps and buffers of a stream, as far as they have changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct State {
    /// HTTP_REQUEST_HEADERS, pseudo-fields first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_headers: Option<Fields>,
    /// HTTP_REQUEST_BODY: what the host holds of it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_body: Option<Bytes>,
    /// HTTP_REQUEST_TRAILERS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_trailers: Option<Fields>,
    /// HTTP_RESPONSE_HEADERS, `:status` first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_headers: Option<Fields>,
    /// HTTP_RESPONSE_BODY: what the host holds of it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_body: Option<Bytes>,
    /// HTTP_RESPONSE_TRAILERS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_trailers: Option<Fields>,
    /// DOWNSTREAM_DATA: what the host holds of it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downstream_data: Option<Bytes>,
    /// UPSTREAM_DATA: what the host holds of it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_data: Option<Bytes>,
    /// What is no longer there: it was forwarded, or the stream is over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<Part>,
}

/// A map or buffer of a stream.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// HTTP_REQUEST_HEADERS.
    RequestHeaders,
    /// HTTP_REQUEST_BODY.
    RequestBody,
    /// HTTP_REQUEST_TRAILERS.
    RequestTrailers,
    /// HTTP_RESPONSE_HEADERS.
    ResponseHeaders,
    /// HTTP_RESPONSE_BODY.
    ResponseBody,
    /// HTTP_RESPONSE_TRAILERS.
    ResponseTrailers,
    /// DOWNSTREAM_DATA.
    DownstreamData,
    /// UPSTREAM_DATA.
    UpstreamData,
}
