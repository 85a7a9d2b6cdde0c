//! The harness's own upstreams: one unix socket a name, and where the host needs it a loopback port; a
//! thread a connection.
//!
//! Does not know the proxy. Answers follow the exchange: the main upstream's belong to streams, a
//! named upstream's to its requests in order of arrival.

use std::borrow::Cow;
use std::io::{self, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::case::{Answer, AnswerKind, Exchange, Fields, GRPC_UPSTREAMS, Profile};
use crate::host::Job;
use crate::host::network::backend::Backend;
use crate::host::network::ear::Hearing;
use crate::host::network::h2::GrpcUpstreams;
use crate::host::network::http1::{Coding, Piece, Side, Wire, coding, ending, head, piece};
use crate::host::network::line::{Line, Lines, is_bell, ring};
use crate::host::network::loopback::{Door, Listener, Ports};
use crate::host::network::settle::{SILENCE, Settle};
use crate::host::network::wirelog::{WireLog, fields};
use crate::trace::{Blob, Message, Seen, UpstreamSaw};

/// The upstreams that listen.
pub const NAMES: [&str; 3] = ["main", "a", "b"];
/// The upstream at which nobody listens.
pub const NOWHERE: &str = "nowhere";
/// Tells the streams of a case apart where nothing else does; never recorded.
pub const TAG: &str = "x-pwspec-stream";
/// Between two pieces of a body whose arrival can't be seen.
pub const PAUSE: Duration = Duration::from_millis(5);
/// What the proxy has sent is read out within this long.
const READ_WITHIN: Duration = Duration::from_millis(500);
/// A piece of a body is seen within this long as a rule: only then fences are asked.
const SOON: Duration = Duration::from_millis(10);
/// Fences may take this long.
const SETTLED: Duration = Duration::from_secs(4);

/// What the upstreams do now and what they saw.
#[derive(Default)]
struct Script {
    /// Which case: requests of earlier ones are not recorded.
    case: u64,
    /// Its listener's name.
    name: String,
    exchange: Exchange,
    tagged: bool,
    /// Streams that were opened, and whether their request has come.
    open: Vec<(u32, bool)>,
    /// How many requests came at each named upstream.
    counts: Vec<u32>,
    seen: Vec<UpstreamSaw>,
    /// Requests that came and are not answered yet.
    busy: u32,
}

/// What all threads share.
struct Shared {
    script: Mutex<Script>,
    settle: Settle,
    wire: WireLog,
    over: AtomicBool,
    lines: Lines,
    ports: Option<Ports>,
}

/// All upstreams of one host.
pub struct Upstreams {
    shared: Arc<Shared>,
    grpc: Arc<GrpcUpstreams>,
    doors: Vec<Door>,
    threads: Vec<JoinHandle<()>>,
    backend: Backend,
}

/// Whether the streams must be told apart by a field: their answers differ, their requests do not.
pub fn needs_tag(exchange: &Exchange) -> bool {
    let streams = &exchange.streams;
    let same_answer = streams.windows(2).all(|w| w[0].answer == w[1].answer);
    let mut keys: Vec<(&str, &str)> = streams
        .iter()
        .map(|s| (s.request.method.as_str(), s.request.path.as_str()))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    !same_answer && keys.len() < streams.len()
}

impl Upstreams {
    /// Listens on `<name>.sock` in `dir` for each of [`NAMES`], and where `ports` says so on a port of
    /// the loopback interface for each of them.
    ///
    /// # Errors
    /// A socket can't be made.
    pub fn start(dir: &Path, ports: bool, settle: Settle, wire: WireLog) -> io::Result<Upstreams> {
        let (ports, listeners) = match ports {
            true => Ports::open().map(|(ports, all)| (Some(ports), all))?,
            false => (None, Vec::new()),
        };
        let mut doors = Vec::new();
        for (which, listener) in listeners.into_iter().enumerate() {
            let door = Door::Port(listener.local_addr()?.port());
            doors.push((which, door, Listener::Port(listener)));
        }
        for (which, name) in NAMES.iter().enumerate() {
            let socket = dir.join(format!("{name}.sock"));
            let listener = UnixListener::bind(&socket)?;
            doors.push((which, Door::Unix(socket), Listener::Unix(listener)));
        }
        let mut grpc = Vec::new();
        for name in GRPC_UPSTREAMS {
            let socket = dir.join(format!("{name}.sock"));
            let listener = UnixListener::bind(&socket)?;
            grpc.push((name, Door::Unix(socket), Listener::Unix(listener)));
        }
        let backend = Backend::start(dir, settle.ear().clone(), wire.clone())?;
        let mut all = Upstreams {
            backend,
            shared: Arc::new(Shared {
                script: Mutex::default(),
                settle,
                wire: wire.clone(),
                over: AtomicBool::new(false),
                lines: Lines::default(),
                ports,
            }),
            grpc: Arc::new(GrpcUpstreams::start(wire)?),
            doors: Vec::new(),
            threads: Vec::new(),
        };
        for (which, door, listener) in doors {
            all.doors.push(door);
            let shared = all.shared.clone();
            let serve = {
                let shared = shared.clone();
                move |connection, line: &Arc<Line>| {
                    serve(&shared, which, connection, line);
                    shared.lines.remove(line);
                }
            };
            let listens = move || listen(&shared, &listener, Arc::new(serve));
            all.threads.push(std::thread::spawn(listens));
        }
        for (name, door, listener) in grpc {
            all.doors.push(door);
            let (shared, grpc) = (all.shared.clone(), all.grpc.clone());
            let serve = {
                let shared = shared.clone();
                move |connection, line: &Arc<Line>| {
                    let (shared, line) = (shared.clone(), line.clone());
                    grpc.serve(name, connection, move || shared.lines.remove(&line));
                }
            };
            let listens = move || listen(&shared, &listener, Arc::new(serve));
            all.threads.push(std::thread::spawn(listens));
        }
        Ok(all)
    }

    /// The port of an upstream; 0 where they have none.
    pub fn port(&self, name: &str) -> u16 {
        let ports = self.shared.ports.as_ref();
        ports.and_then(|p| p.of(name)).unwrap_or(0)
    }

    /// The job with the ports of these upstreams in place of what stands for them.
    pub fn known_to<'j>(&self, job: &'j Job, profile: &Profile) -> Cow<'j, Job> {
        match &self.shared.ports {
            Some(ports) => Cow::Owned(ports.job(job, profile)),
            None => Cow::Borrowed(job),
        }
    }

    /// A case begins.
    pub fn begin(&self, name: &str, exchange: &Exchange) {
        self.grpc.begin(exchange);
        self.backend.begin(!exchange.connections.is_empty());
        let mut script = self.shared.script();
        *script = Script {
            case: script.case + 1,
            name: name.to_owned(),
            tagged: needs_tag(exchange),
            exchange: exchange.clone(),
            counts: vec![0; NAMES.len()],
            ..Script::default()
        };
    }

    /// The upstream of TCP streams.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// A stream of the case is opened.
    pub fn open(&self, stream: u32) {
        self.shared.script().open.push((stream, false));
    }

    /// The exchange lets a gRPC upstream go on.
    pub fn go(&self, upstream: &str) {
        self.grpc.go(upstream);
    }

    /// How much came so far, and how many requests wait for what comes of them.
    pub fn traffic(&self) -> (u64, u32) {
        let (steps, going) = self.grpc.traffic();
        let news = self.backend.news() + steps as u64;
        let script = self.shared.script();
        (script.seen.len() as u64 + news, script.busy + going)
    }

    /// The case is over: what was seen. What the proxy has sent so far is read before.
    pub fn end(&self, seen: &mut Seen) {
        for door in &self.doors {
            ring(door, READ_WITHIN);
        }
        self.shared.lines.read_out(READ_WITHIN);
        seen.grpc = self.grpc.end(READ_WITHIN);
        let mut script = self.shared.script();
        script.case += 1;
        seen.upstream = std::mem::take(&mut script.seen);
        drop(script);
        seen.upstream.extend(self.backend.end());
    }
}

impl Drop for Upstreams {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        for door in &self.doors {
            door.connect().ok();
        }
        for thread in self.threads.drain(..) {
            thread.join().ok();
        }
    }
}

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Script {
    /// The answer to a request whose head has come.
    fn answer(&mut self, which: usize, request: &mut Message) -> Answer {
        if which > 0 {
            // Before the first case nobody is to be answered in a certain way.
            let Some(count) = self.counts.get_mut(which) else {
                return Answer::default();
            };
            let nth = *count as usize;
            *count += 1;
            let answers = self.exchange.upstreams.get(NAMES[which]);
            let answer = answers.and_then(|a| a.get(nth).or(a.last()));
            return answer.cloned().unwrap_or_default();
        }
        let mut tag = None;
        if self.tagged {
            request.headers.retain(|(name, value)| {
                let ours = name
                    .whole()
                    .is_some_and(|n| n.eq_ignore_ascii_case(TAG.as_bytes()));
                if ours {
                    let text = value.whole().and_then(|v| std::str::from_utf8(v).ok());
                    tag = text.and_then(|t| t.parse::<u32>().ok());
                }
                !ours
            });
        }
        let stream = tag.or_else(|| {
            let waiting = || self.open.iter().filter(|(_, came)| !came).map(|(n, _)| *n);
            let same = |n: &u32| {
                let stream = &self.exchange.streams[*n as usize - 1];
                request.method.as_deref() == Some(&stream.request.method)
                    && request.path.as_deref() == Some(&stream.request.path)
            };
            waiting().find(same).or_else(|| waiting().next())
        });
        let Some(stream) = stream else {
            return Answer::default();
        };
        for (n, came) in &mut self.open {
            *came |= *n == stream;
        }
        let stream = self.exchange.streams.get((stream as usize).wrapping_sub(1));
        stream.map(|s| s.answer.clone()).unwrap_or_default()
    }
}

/// Takes connections in until all is over; `serve` gets each that is no bell.
fn listen<S>(shared: &Arc<Shared>, listener: &Listener, serve: Arc<S>)
where
    S: Fn(UnixStream, &Arc<Line>) + Send + Sync + 'static,
{
    loop {
        let connection = listener.accept();
        if shared.over.load(Ordering::SeqCst) {
            return;
        }
        let Ok(connection) = connection else { continue };
        let Ok(line) = shared.lines.add(&connection) else {
            continue;
        };
        let (shared, serve) = (shared.clone(), serve.clone());
        std::thread::spawn(move || {
            if is_bell(&connection, &line) {
                shared.lines.remove(&line);
            } else {
                serve(connection, &line);
            }
        });
    }
}

/// Serves one connection until either side closes it.
fn serve(shared: &Shared, which: usize, connection: UnixStream, line: &Arc<Line>) {
    let upstream = NAMES[which];
    let mut wire = Wire::new(line.reader());
    loop {
        let mut case = 0;
        let mut at = None;
        let mut answer = Answer::default();
        let mut body = Vec::new();
        let mut to_head = false;
        let mut begun = Ok(());
        let result = wire.message(Side::Request, &mut |part| match part {
            Piece::Head { start, fields: all } => {
                let mut request = Message {
                    method: Some(String::from_utf8_lossy(&start[0]).into_owned()),
                    path: Some(String::from_utf8_lossy(&start[1]).into_owned()),
                    headers: shared.fields(&all),
                    ..Message::default()
                };
                to_head = start[0] == b"HEAD";
                shared
                    .wire
                    .head(&format!("upstream {upstream} <"), &start, &all);
                let mut script = shared.script();
                case = script.case;
                answer = script.answer(which, &mut request);
                script.busy += 1;
                at = Some(script.seen.len());
                script.seen.push(UpstreamSaw {
                    upstream: upstream.to_owned(),
                    request,
                });
                drop(script);
                if answer.early {
                    begun = begin(shared, upstream, &connection, &answer, to_head);
                }
            }
            Piece::Data(bytes) => {
                shared.wire.bytes(&format!("upstream {upstream} <"), &bytes);
                body.extend_from_slice(&bytes);
            }
            Piece::Trailers(all) => {
                shared
                    .wire
                    .trailers(&format!("upstream {upstream} <"), &all);
                shared.edit(case, at, |m| m.trailers = fields(&all));
            }
            Piece::End => shared.edit(case, at, |m| m.complete = true),
        });
        shared.edit(case, at, |m| m.body = Blob::new(&body));
        if at.is_none() {
            return;
        }
        let goes_on = result.is_ok()
            && begun.is_ok()
            && match answer.kind {
                AnswerKind::Reply => reply(shared, upstream, &connection, &answer, to_head).is_ok(),
                AnswerKind::Hang => {
                    shared
                        .wire
                        .note(&format!("upstream {upstream} = never answers"));
                    true
                }
                AnswerKind::Close => false,
            };
        let mut script = shared.script();
        if script.case == case {
            script.busy -= 1;
        }
        drop(script);
        if !goes_on {
            shared.wire.note(&format!("upstream {upstream} = closed"));
            connection.shutdown(std::net::Shutdown::Both).ok();
            return;
        }
    }
}

impl Shared {
    /// The fields of a request; a port of ours in its authority is its stand-in again.
    fn fields(&self, all: &Fields) -> Vec<(Blob, Blob)> {
        let mut out = fields(all);
        for ((name, value), (_, shown)) in all.iter().zip(&mut out) {
            let ports = self.ports.as_ref();
            let ports = ports.filter(|_| name.eq_ignore_ascii_case(b"host"));
            let value = std::str::from_utf8(value).unwrap_or_default();
            if let Some(stand_in) = ports.and_then(|p| p.out_of(value)) {
                *shown = Blob::new(stand_in.as_bytes());
            }
        }
        out
    }

    /// Changes what was recorded of a request, unless its case is over.
    fn edit(&self, case: u64, at: Option<usize>, change: impl FnOnce(&mut Message)) {
        let mut script = self.script();
        if script.case == case
            && let Some(saw) = at.and_then(|at| script.seen.get_mut(at))
        {
            change(&mut saw.request);
        }
    }
}

/// The head of an answer, and how its body is written.
fn head_of(answer: &Answer, to_head: bool) -> (Vec<u8>, Coding) {
    let bodiless = to_head || matches!(answer.status, 204 | 304);
    let code = if bodiless {
        Coding::Nothing
    } else {
        coding(&answer.headers, &answer.body, &answer.trailers)
    };
    let first = format!("HTTP/1.1 {} {}", answer.status, reason(answer.status));
    let whole = head(&first, &answer.headers, &answer.body, code, !bodiless);
    (whole, code)
}

/// An answer that is early begins.
fn begin(
    shared: &Shared,
    upstream: &str,
    mut to: &UnixStream,
    answer: &Answer,
    to_head: bool,
) -> io::Result<()> {
    let (head, _) = head_of(answer, to_head);
    shared.wire.bytes(&format!("upstream {upstream} >"), &head);
    to.write_all(&head)
}

/// Writes an answer, or what is left of one that is early.
fn reply(
    shared: &Shared,
    upstream: &str,
    mut to: &UnixStream,
    answer: &Answer,
    to_head: bool,
) -> io::Result<()> {
    let (mut whole, code) = head_of(answer, to_head);
    if answer.early {
        whole.clear();
    }
    let label = format!("upstream {upstream} >");
    if !whole.is_empty() {
        shared.wire.bytes(&label, &whole);
    }
    if code == Coding::Nothing {
        return to.write_all(&whole);
    }
    // A body of one piece goes out with its head, others piece by piece, so that the host reads
    // them one by one.
    let name = shared.script().name.clone();
    let mut before = shared
        .settle
        .ear()
        .heard()
        .cases
        .get(&name)
        .map_or(0, |c| c.entered(RESPONSE_BODY));
    let mut out = whole;
    for (n, part) in answer.body.iter().enumerate() {
        if n > 0 {
            before = seen_before(&shared.settle, &name, RESPONSE_BODY, before);
        }
        let bytes = piece(part, code);
        shared.wire.bytes(&label, &bytes);
        out.extend_from_slice(&bytes);
        to.write_all(&out)?;
        out.clear();
    }
    if answer.body.len() > 1 {
        seen_before(&shared.settle, &name, RESPONSE_BODY, before);
    }
    let end = ending(&answer.trailers, code);
    shared.wire.bytes(&label, &end);
    out.extend_from_slice(&end);
    to.write_all(&out)
}

const RESPONSE_BODY: &str = "proxy_on_response_body";

/// Waits until a callback was entered more often than `before`, or the host has done all that it does
/// about the piece that was sent: the next one is then a piece of its own. How often it was entered then.
/// Where there is no telling, a guest that says nothing gets a short pause.
pub fn seen_before(settle: &Settle, name: &str, callback: &str, before: u32) -> u32 {
    let mut now = before;
    let mut speaks = false;
    let ordered = settle.is_ordered();
    let within = if ordered { SOON } else { SILENCE };
    let seen = settle.ear().wait(within, |heard| {
        let Some(case) = heard.cases.get(name) else {
            return true;
        };
        speaks = case.speaks();
        now = case.entered(callback);
        !speaks || now > before
    });
    if ordered && now == before {
        let case = |of: &dyn Fn(&Hearing) -> u64| {
            let heard = settle.ear().heard();
            heard.cases.get(name).map_or(u64::MAX, of)
        };
        let entered = || case(&|c| u64::from(c.entered(callback)));
        settle.until(SETTLED, &|| case(&|c| c.lines), &|| {
            entered() > u64::from(before)
        });
        return u32::try_from(entered()).unwrap_or(before);
    }
    if seen && !speaks {
        std::thread::sleep(PAUSE);
    }
    now
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Other",
    }
}
