//! A client that opens one stream over HTTP/2 and sends it piece by piece.
//!
//! The last piece of a body ends the stream, where no trailers follow. Does not know the exchange's
//! order: see [`crate::host::network::play`].

use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::mpsc;

use crate::case::{Fields, Request};
use crate::host::network::client::{ClientSide, Progress, saw};
use crate::host::network::ear::Ear;
use crate::host::network::h2::WINDOW;
use crate::host::network::wirelog::WireLog;
use crate::trace::{Blob, ClientSaw, Message};

/// What is sent next.
enum Order {
    /// Bytes of the body; whether they are the last.
    Data(Bytes, bool),
    /// Trailers, which end the stream.
    Trailers(Fields),
}

/// One open stream.
pub struct Client {
    number: u32,
    socket: UnixStream,
    orders: Option<mpsc::UnboundedSender<Order>>,
    thread: Option<JoinHandle<()>>,
    progress: Arc<Mutex<Progress>>,
    request: Request,
    sent: usize,
    ended: bool,
    wire: WireLog,
}

impl Client {
    /// Sends the head over a connection; what comes back is read from now on. `extra`: fields behind
    /// the request's own.
    ///
    /// # Errors
    /// The system's own.
    pub fn open(
        number: u32,
        socket: UnixStream,
        request: &Request,
        extra: Fields,
        ear: Arc<Ear>,
        wire: WireLog,
    ) -> io::Result<Client> {
        let ours = socket.try_clone()?;
        let (orders, taken) = mpsc::unbounded_channel();
        let progress: Arc<Mutex<Progress>> = Arc::default();
        let ended = request.body.is_empty() && request.trailers.is_empty();
        let head = head(request, &extra);
        let talk = Talk {
            label: format!("client {number}"),
            progress: progress.clone(),
            ear,
            wire: wire.clone(),
        };
        talk.note(&format!("> HTTP/2 {} {}", request.method, request.path));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let thread = std::thread::spawn(move || {
            let end = runtime.block_on(talk.run(socket, head, ended, taken));
            talk.over(end);
        });
        Ok(Client {
            number,
            socket: ours,
            orders: Some(orders),
            thread: Some(thread),
            progress,
            request: request.clone(),
            sent: 0,
            ended,
            wire,
        })
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            orders.send(order).ok();
        }
    }
}

impl ClientSide for Client {
    fn has_more(&self) -> bool {
        !self.ended
    }

    fn pieces_left(&self) -> usize {
        self.request.body.len() - self.sent
    }

    fn send_piece(&mut self) -> bool {
        let Some(part) = self.request.body.get(self.sent) else {
            return false;
        };
        self.sent += 1;
        let last = self.sent == self.request.body.len() && self.request.trailers.is_empty();
        self.ended = last;
        self.order(Order::Data(Bytes::copy_from_slice(part), last));
        true
    }

    fn send_end(&mut self) {
        if !std::mem::replace(&mut self.ended, true) {
            self.order(Order::Trailers(self.request.trailers.clone()));
        }
    }

    fn progress(&self) -> &Mutex<Progress> {
        &self.progress
    }

    fn close(mut self: Box<Self>, why: &str) -> ClientSaw {
        self.give_up(why);
        self.wire.note(&format!("client {} = closes", self.number));
        self.orders = None;
        self.socket.shutdown(Shutdown::Both).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
        saw(self.number, &self.progress)
    }
}

/// What the thread of a stream needs.
struct Talk {
    label: String,
    progress: Arc<Mutex<Progress>>,
    ear: Arc<Ear>,
    wire: WireLog,
}

impl Talk {
    fn note(&self, what: &str) {
        self.wire.note(&format!("{} {what}", self.label));
    }

    fn with(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner));
        self.ear.nudge();
    }

    /// Sends and reads until the response has ended; an error says why it did not.
    async fn run(
        &self,
        socket: UnixStream,
        head: http::Request<()>,
        ended: bool,
        mut orders: mpsc::UnboundedReceiver<Order>,
    ) -> Result<(), String> {
        let io = |e: io::Error| e.kind().to_string();
        socket.set_nonblocking(true).map_err(io)?;
        let socket = tokio::net::UnixStream::from_std(socket).map_err(io)?;
        let mut builder = h2::client::Builder::new();
        builder
            .initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_header_list_size(8 << 20)
            .enable_push(false);
        let handshake = builder.handshake::<_, Bytes>(socket).await;
        let (requests, connection) = handshake.map_err(words)?;
        tokio::spawn(connection);
        let mut requests = requests.ready().await.map_err(words)?;
        let (response, mut send) = requests.send_request(head, ended).map_err(words)?;
        let read = self.read(response);
        tokio::pin!(read);
        let mut open = !ended;
        loop {
            tokio::select! {
                end = &mut read => return end,
                order = orders.recv(), if open => match order {
                    // The client closes: what has not come by then does not come any more.
                    None => return Err("closed".to_owned()),
                    Some(order) => open = self.send(&mut send, order),
                },
            }
        }
    }

    /// Sends a piece; whether more may follow. What went wrong shows where the response is read.
    fn send(&self, send: &mut h2::SendStream<Bytes>, order: Order) -> bool {
        let (sent, open) = match order {
            Order::Data(bytes, last) => {
                self.wire.bytes(&format!("{} > DATA", self.label), &bytes);
                (send.send_data(bytes, last), !last)
            }
            Order::Trailers(all) => {
                self.note("> trailers");
                let mut trailers = HeaderMap::new();
                put(&mut trailers, &all);
                (send.send_trailers(trailers), false)
            }
        };
        if let Err(error) = sent {
            self.note(&format!("> {error}"));
        }
        open
    }

    async fn read(&self, response: h2::client::ResponseFuture) -> Result<(), String> {
        let (head, mut body) = response.await.map_err(words)?.into_parts();
        self.note(&format!("< {}", head.status));
        let message = Message {
            status: Some(head.status.as_u16()),
            headers: fields(&head.headers),
            ..Message::default()
        };
        self.with(|p| p.response = Some(message));
        while let Some(bytes) = body.data().await {
            let bytes = bytes.map_err(words)?;
            body.flow_control().release_capacity(bytes.len()).ok();
            self.wire.bytes(&format!("{} <", self.label), &bytes);
            self.with(|p| p.body.extend_from_slice(&bytes));
        }
        let trailers = body.trailers().await.map_err(words)?;
        self.with(|p| {
            if let Some(response) = &mut p.response {
                response.trailers = trailers.as_ref().map(fields).unwrap_or_default();
                response.complete = true;
            }
        });
        Ok(())
    }

    fn over(&self, end: Result<(), String>) {
        let trouble = end.err();
        if let Some(trouble) = &trouble {
            self.note(&format!("< {trouble}"));
        }
        self.with(|p| {
            p.over = true;
            if p.trouble.is_none() {
                p.trouble = trouble;
            }
        });
    }
}

fn words(error: h2::Error) -> String {
    error.to_string()
}

fn head(request: &Request, extra: &Fields) -> http::Request<()> {
    let uri = http::Uri::builder()
        .scheme("http")
        .authority(request.authority.as_str())
        .path_and_query(request.path.as_str())
        .build();
    let mut head = http::Request::new(());
    *head.uri_mut() = uri.unwrap_or_default();
    *head.method_mut() = request.method.parse().unwrap_or_default();
    put(head.headers_mut(), &request.headers);
    put(head.headers_mut(), extra);
    head
}

/// Fields that HTTP/2 can have; names are lower case there.
fn put(into: &mut HeaderMap, all: &Fields) {
    for (name, value) in all {
        let name = HeaderName::from_bytes(&name.to_ascii_lowercase());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            into.append(name, value);
        }
    }
}

fn fields(all: &HeaderMap) -> Vec<(Blob, Blob)> {
    all.iter()
        .map(|(name, value)| {
            (
                Blob::new(name.as_str().as_bytes()),
                Blob::new(value.as_bytes()),
            )
        })
        .collect()
}
