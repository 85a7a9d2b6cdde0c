//! Upstreams on loopback ports, for hosts that take no unix socket where a plugin names an upstream.
//!
//! A plugin names its upstream in its module, and ports are only known when a process is started, so
//! the module is built with a stand-in of the same length, which gives way to the port when the
//! module is put in. Traces keep the stand-in: they are the same from run to run. Does not know what
//! is said on a connection.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;

use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};

use crate::case::{Profile, port_stand_in};
use crate::host::Job;
use crate::host::network::upstream::{NAMES, NOWHERE};

/// Where the harness listens.
#[derive(Debug, Clone)]
pub enum Door {
    /// A unix socket.
    Unix(PathBuf),
    /// A port of the loopback interface.
    Port(u16),
}

/// A listener at a door.
#[derive(Debug)]
pub enum Listener {
    /// See [`Door::Unix`].
    Unix(UnixListener),
    /// See [`Door::Port`].
    Port(TcpListener),
}

impl Door {
    /// Connects to it.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn connect(&self) -> io::Result<UnixStream> {
        match self {
            Door::Unix(path) => UnixStream::connect(path),
            Door::Port(port) => TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).map(stream),
        }
    }
}

impl Listener {
    /// The next connection.
    ///
    /// # Errors
    /// The system's own.
    pub fn accept(&self) -> io::Result<UnixStream> {
        match self {
            Listener::Unix(listener) => listener.accept().map(|(s, _)| s),
            Listener::Port(listener) => listener.accept().map(|(s, _)| stream(s)),
        }
    }
}

/// A stream socket is used the same way whatever its family; only its addresses differ, and nobody
/// asks for them.
fn stream(tcp: TcpStream) -> UnixStream {
    // A piece of a body that waits for more is a piece that the host does not see.
    tcp.set_nodelay(true).ok();
    UnixStream::from(OwnedFd::from(tcp))
}

/// Ports with five digits, one for each upstream, and one at which nobody listens.
#[derive(Debug)]
pub struct Ports {
    names: Vec<(String, u16)>,
    /// Bound, so that nobody else gets it, and not listening, so that it refuses.
    _refuses: OwnedFd,
}

impl Ports {
    /// Listens on a free port for each of the upstreams.
    ///
    /// # Errors
    /// There is none.
    pub fn open() -> io::Result<(Ports, Vec<TcpListener>)> {
        let listen = || {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let port = listener.local_addr()?.port();
            Ok((port, listener))
        };
        let mut names = Vec::new();
        let mut listeners = Vec::new();
        for name in NAMES {
            let (port, listener) = five_digits(listen)?;
            names.push((name.to_owned(), port));
            listeners.push(listener);
        }
        let (port, refuses) = five_digits(reserve)?;
        names.push((NOWHERE.to_owned(), port));
        let ports = Ports {
            names,
            _refuses: refuses,
        };
        Ok((ports, listeners))
    }

    /// The port of an upstream.
    pub fn of(&self, name: &str) -> Option<u16> {
        let found = self.names.iter().find(|(n, _)| n == name);
        found.map(|(_, port)| *port)
    }

    /// The job with ports in place of their stand-ins, in modules and configurations.
    pub fn job(&self, job: &Job, profile: &Profile) -> Job {
        let mut job = job.clone();
        for vm in &mut job.vms {
            let wasm: &mut Vec<u8> = Arc::make_mut(&mut vm.wasm);
            self.put_into(wasm, profile);
            self.put_into(&mut vm.config, profile);
            for plugin in &mut vm.plugins {
                self.put_into(&mut plugin.config, profile);
            }
        }
        job
    }

    /// Ports in place of their stand-ins, wherever `profile` has a plugin name an upstream by one.
    fn put_into(&self, bytes: &mut [u8], profile: &Profile) {
        for (name, port) in &self.names {
            let before = profile.upstream(name);
            let after = before.replace(&port_stand_in(name), &port.to_string());
            let (before, after) = (before.as_bytes(), after.as_bytes());
            let mut at = 0;
            while let Some(found) = bytes[at..].windows(before.len()).position(|w| w == before) {
                bytes[at + found..at + found + before.len()].copy_from_slice(after);
                at += found + before.len();
            }
        }
    }

    /// An authority that names a port, with the stand-in in its place.
    pub fn out_of(&self, authority: &str) -> Option<String> {
        self.names.iter().find_map(|(name, port)| {
            let before = authority.strip_suffix(&port.to_string())?;
            before
                .ends_with(':')
                .then(|| format!("{before}{}", port_stand_in(name)))
        })
    }
}

/// Tries until the port is as long as a stand-in; those that are not stay taken meanwhile.
fn five_digits<T>(take: impl Fn() -> io::Result<(u16, T)>) -> io::Result<(u16, T)> {
    let mut short = Vec::new();
    for _ in 0..64 {
        let (port, taken) = take()?;
        if port >= 10_000 {
            return Ok((port, taken));
        }
        short.push(taken);
    }
    Err(io::Error::other("no free port with five digits"))
}

fn reserve() -> io::Result<(u16, OwnedFd)> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
    let address = SocketAddrV4::try_from(getsockname(&socket)?)?;
    Ok((address.port(), socket))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::load_profile;

    fn profile() -> Profile {
        let text = "version: 1\nname: p\ndriver: reference\nabi: [0.2.1]\nupstream: 'http://127.0.0.1:{port}'\n";
        load_profile("p.yaml", text).expect("a profile")
    }

    #[test]
    fn a_module_gets_the_ports_of_its_process() {
        let (ports, listeners) = Ports::open().expect("ports");
        assert_eq!(listeners.len(), NAMES.len());
        let profile = profile();
        let mut bytes = format!(
            "x{}y{}z{}",
            profile.upstream("a"),
            profile.upstream("b"),
            profile.upstream("a")
        )
        .into_bytes();
        let before = bytes.len();
        ports.put_into(&mut bytes, &profile);
        let (a, b) = (ports.of("a").expect("a"), ports.of("b").expect("b"));
        let text = String::from_utf8(bytes).expect("text");
        assert_eq!(
            text,
            format!("xhttp://127.0.0.1:{a}yhttp://127.0.0.1:{b}zhttp://127.0.0.1:{a}")
        );
        assert_eq!(text.len(), before);
        let shown = ports
            .out_of(&format!("127.0.0.1:{b}"))
            .expect("a port of ours");
        assert_eq!(format!("http://{shown}"), profile.upstream("b"));
        assert_eq!(ports.out_of("127.0.0.1"), None);
    }

    #[test]
    fn nobody_listens_nowhere_and_somebody_elsewhere() {
        let (ports, _listeners) = Ports::open().expect("ports");
        let door = |name| Door::Port(ports.of(name).expect("a port"));
        assert!(door("a").connect().is_ok());
        let refused = door(NOWHERE).connect().expect_err("nobody");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }
}
