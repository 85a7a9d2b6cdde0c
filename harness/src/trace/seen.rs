//! What client and upstream saw on the wire.
//!
//! Does not know callbacks or hostcalls.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::trace::Blob;

/// Both ends of the proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// By stream of the exchange, in its order; a stream that was never opened is missing.
    pub client: Vec<ClientSaw>,
    /// Requests that arrived at upstreams, in order of arrival.
    pub upstream: Vec<UpstreamSaw>,
    /// Calls that arrived at gRPC upstreams, in order of arrival.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grpc: Vec<GrpcSaw>,
}

/// What the client of one stream saw. On a TCP stream the bytes that came to it are a [`Message`] with
/// nothing but `body` and `complete`, from the moment when it was connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientSaw {
    /// Stream number, from 1.
    pub stream: u32,
    /// The response, as far as it came.
    pub response: Option<Message>,
    /// Why there is no whole response: closed, reset, timed out, aborted by the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// A request, or a TCP connection, that arrived at an upstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpstreamSaw {
    /// `main` for proxied requests, else the name of the callout's upstream.
    pub upstream: String,
    /// The request, or what came on the connection, as far as it came.
    pub request: Message,
}

/// A gRPC call or stream that arrived at an upstream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrpcSaw {
    /// The upstream's name.
    pub upstream: String,
    /// The service that was asked for.
    pub service: String,
    /// The method that was asked for.
    pub method: String,
    /// Initial metadata in order of arrival, without what belongs to gRPC and HTTP.
    pub metadata: Vec<(Blob, Blob)>,
    /// Messages in order of arrival.
    pub messages: Vec<Blob>,
    /// The host has ended its side in good order.
    pub ended: bool,
    /// The host has cut the call off.
    pub cancelled: bool,
}

/// An HTTP message, or all that came one way on a TCP connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Responses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Fields in order of arrival, without pseudo-fields; names as they came.
    pub headers: Vec<(Blob, Blob)>,
    /// All body bytes, joined.
    pub body: Blob,
    /// Trailer fields in order of arrival.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trailers: Vec<(Blob, Blob)>,
    /// Whether the message ended properly. TCP: whether the host ended or closed the connection before
    /// its peer did.
    pub complete: bool,
}

impl Message {
    /// What came on a TCP connection.
    pub fn tcp(body: Blob, closed: bool) -> Message {
        Message {
            body,
            complete: closed,
            ..Message::default()
        }
    }

    /// Whether this is what came on a TCP connection: HTTP messages have a method or a status.
    pub fn is_tcp(&self) -> bool {
        self.method.is_none() && self.path.is_none() && self.status.is_none()
    }

    /// All values of a field, compared without regard to case (RFC 9110, 5.1).
    pub fn values<'a>(fields: &'a [(Blob, Blob)], name: &str) -> Vec<&'a Blob> {
        let same = |b: &Blob| {
            b.whole()
                .is_some_and(|b| b.eq_ignore_ascii_case(name.as_bytes()))
        };
        fields
            .iter()
            .filter(|(k, _)| same(k))
            .map(|(_, v)| v)
            .collect()
    }
}

#[cfg(test)]
mod tests;
