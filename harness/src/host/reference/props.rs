//! Properties: the well-known ones that this host has.
//!
//! A path is a series of names, each ended or divided by a NUL byte; the text writes `.` between them,
//! which is understood too. Numbers are 8 bytes, little-endian, as are times and durations in
//! nanoseconds. A plugin may overwrite a property for its own context.

use crate::host::reference::call::Call;
use crate::host::reference::maps::same;
use crate::host::reference::status::{Fail, Status};
use crate::host::reference::world::World;

/// `proxy_get_property`.
pub(super) fn get(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let path = c.check_out("value").and_then(|()| c.bytes("path"))?;
    let path = dotted(&path);
    let found = find(c.world(), &path);
    match found {
        Some(value) => c.out_bytes("value", &value),
        None => Err(Status::NotFound.into()),
    }
}

/// `proxy_set_property`.
pub(super) fn set(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let (path, value) = (c.bytes("path")?, c.bytes("value")?);
    let path = dotted(&path);
    let world = c.world();
    if find(world, &path).is_none() {
        return Err(Status::NotFound.into());
    }
    let (vm, id) = world.effective().ok_or(Status::NotFound)?;
    let context = world.vms[vm]
        .contexts
        .get_mut(&id)
        .ok_or(Status::NotFound)?;
    context.properties.insert(path, value);
    Ok(())
}

fn dotted(path: &[u8]) -> String {
    let path = path.strip_suffix(b"\0").unwrap_or(path);
    String::from_utf8_lossy(path).replace('\0', ".")
}

fn find(world: &World, path: &str) -> Option<Vec<u8>> {
    let (vm, id) = world.effective()?;
    let context = world.context(vm, id)?;
    if let Some(own) = context.properties.get(path) {
        return Some(own.clone());
    }
    let plugin = world.vms[vm].plugins.get(context.plugin)?;
    match path {
        "plugin_name" => return Some(plugin.name.clone().into_bytes()),
        "plugin_root_id" => return Some(plugin.root_id.clone().into_bytes()),
        "plugin_vm_id" => return Some(world.vms[vm].vm_id.clone().into_bytes()),
        _ => {}
    }
    of_stream(world, context.stage?, path)
}

/// Addresses of the loopback traffic that this host plays.
const CLIENT: &str = "127.0.0.1:40001";
const PROXY: &str = "127.0.0.1:10000";
const UPSTREAM: &str = "127.0.0.1:20000";
const PROXY_TO_UPSTREAM: &str = "127.0.0.1:40002";

fn of_stream(world: &World, at: (usize, usize), path: &str) -> Option<Vec<u8>> {
    let stream = world.streams.get(at.0)?;
    let stage = stream.stages.get(at.1)?;
    let (request, response) = (&stage.request, &stage.response);
    let number = |n: u64| Some(n.to_le_bytes().to_vec());
    let text = |t: &str| Some(t.as_bytes().to_vec());
    let field = |fields: &[(Vec<u8>, Vec<u8>)], name: &str| {
        let found = fields.iter().find(|(k, _)| same(k, name.as_bytes()));
        found.map(|(_, v)| v.clone())
    };
    let total = |h: &crate::host::reference::pipe::Half| {
        let fields = h.headers.iter().chain(&h.trailers);
        h.received + fields.map(|(k, v)| (k.len() + v.len()) as u64).sum::<u64>()
    };
    let http = path.starts_with("request.") || path.starts_with("response.");
    if http && stream.tcp.is_some() {
        return None;
    }
    match path {
        "connection.id" => number(u64::from(stream.number)),
        "connection.mtls" => Some(vec![0]),
        "source.address" => text(CLIENT),
        "source.port" => number(40001),
        "destination.address" => text(PROXY),
        "destination.port" => number(10000),
        "upstream.address" if stream.upstream.is_some() => text(UPSTREAM),
        "upstream.port" if stream.upstream.is_some() => number(20000),
        "upstream.local_address" if stream.upstream.is_some() => text(PROXY_TO_UPSTREAM),
        "upstream.local_port" if stream.upstream.is_some() => number(40002),
        "request.protocol" => text("HTTP/1.1"),
        "request.time" => number(world.realtime() - (world.now - stream.began)),
        "request.duration" => number(world.now - stream.began),
        "request.size" => number(request.received),
        "request.total_size" => number(total(request)),
        "request.path" => field(&request.headers, ":path"),
        "request.method" => field(&request.headers, ":method"),
        "request.host" => field(&request.headers, ":authority"),
        "request.scheme" => field(&request.headers, ":scheme"),
        "response.size" if response.headers_in => number(response.received),
        "response.total_size" if response.headers_in => number(total(response)),
        "response.code" => {
            let status = field(&response.headers, ":status")?;
            number(String::from_utf8(status).ok()?.parse().ok()?)
        }
        _ => None,
    }
}
