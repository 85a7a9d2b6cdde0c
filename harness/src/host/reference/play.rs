//! One job from module bytes to the closed attempt.

use std::sync::Arc;
use std::time::Instant;

use wasmer::{FunctionEnv, Store};

use crate::abi::PluginType;
use crate::case::Play;
use crate::host::Job;
use crate::host::reference::engine::{Code, Compiler};
use crate::host::reference::faults::Faults;
use crate::host::reference::player::{PATIENCE, Player};
use crate::host::reference::watchdog::Watchdog;
use crate::host::reference::world::World;
use crate::host::wire;
use crate::trace::{Attempt, Blob, End, Isolation, Load, LogLine, Reader, Taken, line_sums};

/// Plays `job` with `faults` planted.
pub(super) fn play(code: &Code, watchdog: &Watchdog, job: &Job, faults: Faults) -> Attempt {
    let began = Instant::now();
    let compiler = code.compiler();
    let mut store = Store::new(compiler.engine().clone());
    let watch = watchdog.watch(&store);
    let world = World::new(job.abi.clone(), Arc::clone(&job.exchange), faults);
    let env = FunctionEnv::new(&mut store, world);
    let mut player = Player {
        store,
        env,
        faults,
        watch,
        deadline: began + job.deadline,
        allowed: job.deadline,
        end: End::Normal,
        halted: false,
    };
    let load = load_all(&mut player, &compiler, job, 0);
    // Silent: the text says what becomes of a plugin that is not taken, not of the listener that asks
    // for it. Here nobody listens where a plugin was not taken at the start: no client gets past it.
    let listens = load == Load::Loaded || job.plugin_type == PluginType::Service;
    for play in &job.exchange.play {
        if player.halted {
            break;
        }
        if listens || !matches!(play, Play::Head(_) | Play::Open(_)) {
            step(&mut player, &compiler, job, play);
        }
    }
    let mut attempt = Attempt::empty(Isolation::Shared);
    attempt.load = load;
    attempt.end = player.end.clone();
    close(player.world(), job, &mut attempt);
    attempt.micros = began.elapsed().as_micros() as u64;
    attempt
}

/// Loads all VMs of the job; the first that is not taken speaks for the attempt.
fn load_all(player: &mut Player, code: &Compiler, job: &Job, turn: u32) -> Load {
    let mut load = Load::Loaded;
    for (index, vm) in job.vms.iter().enumerate() {
        let one = player.load(code, index, vm, turn);
        if load == Load::Loaded {
            load = one;
        }
    }
    player.settle();
    load
}

fn step(player: &mut Player, code: &Compiler, job: &Job, play: &Play) {
    // Only HTTP plugins sit on streams.
    let script = |n: &u32| job.exchange.streams.get((*n as usize).checked_sub(1)?);
    match play {
        Play::Head(n) => {
            if let (Some(script), None) = (script(n), stream(player, *n)) {
                renew(player, code, job);
                player.open(*n, script, job.plugin_type == PluginType::Http);
            }
        }
        Play::Chunk(n) => {
            if let (Some(script), Some(stream)) = (script(n), stream(player, *n)) {
                player.send_chunk(stream, script);
            }
        }
        Play::Rest(n) => {
            if let (Some(script), Some(stream)) = (script(n), stream(player, *n)) {
                player.send_rest(stream, script);
            }
        }
        Play::Finish(n) => {
            if let Some(stream) = stream(player, *n) {
                if !job.exchange.connections.is_empty() {
                    return player.tcp_step(stream, play);
                }
                let until = player.world().now + PATIENCE;
                player.pass(until, &|w| w.streams[stream].over);
                player.reset(stream, "timed out");
                player.settle();
            }
        }
        Play::Abort(n) => {
            if let Some(stream) = stream(player, *n) {
                player.reset(stream, "aborted by the client");
                player.settle();
            }
        }
        Play::Go(upstream) => {
            player.world().grpc_go(upstream);
            player.settle();
        }
        Play::Wait {
            callback,
            times,
            within,
        } => {
            let until = player.world().now + within.as_nanos() as u64;
            let enough = |w: &World| {
                let counts = w.vms.iter().map(|vm| vm.entered.of(callback));
                counts.max().unwrap_or(0) >= *times
            };
            player.pass(until, &enough);
            let world = player.world();
            if !enough(world) {
                world.now = world.now.max(until);
            }
        }
        Play::Foreign {
            function,
            arguments,
        } => player.foreign(*function, arguments),
        Play::Reload => {
            let old = player.world().vms.len();
            let turn = player.world().vms.last().map_or(0, |vm| vm.turn + 1);
            load_all(player, code, job, turn);
            player.retire(old);
        }
        Play::Remove => {
            let all = player.world().vms.len();
            player.retire(all);
        }
        Play::Shutdown => player.shut_down(),
        Play::Open(n) => {
            if stream(player, *n).is_none() {
                renew(player, code, job);
                player.connect(*n);
            }
        }
        Play::Send(n, _) | Play::End(n, _) | Play::Close(n, _) | Play::Ended(n, _) => {
            if let Some(stream) = stream(player, *n) {
                player.tcp_step(stream, play);
            }
        }
    }
}

/// How often a VM that crashed is made anew in one job (the text, Plugin crashes, wants a limit).
const CRASHES: u32 = 3;

/// Makes VMs anew that have crashed since they were started, before a stream needs them.
fn renew(player: &mut Player, code: &Compiler, job: &Job) {
    for vm in 0..player.world().vms.len() {
        let never = player.faults.is("crashed_plugin_is_not_made_anew");
        let of = &mut player.world().vms[vm];
        if of.crashed && !of.retired && of.turn < CRASHES && !never {
            of.retired = true;
            let (index, turn) = (of.job, of.turn + 1);
            player.load(code, index, &job.vms[index], turn);
        }
    }
}

/// The place of the exchange's stream `number` among the streams that were opened.
fn stream(player: &mut Player, number: u32) -> Option<usize> {
    player
        .world()
        .streams
        .iter()
        .position(|s| s.number == number)
}

/// Writes down what was seen.
fn close(world: &mut World, job: &Job, attempt: &mut Attempt) {
    for stream in &mut world.streams {
        if let Some(at) = stream.upstream {
            world.upstream[at].request.body = stream.upstream_body.blob();
        }
        if let Some(response) = &mut stream.response {
            let mut sent = job.exchange.streams.iter().zip(1..);
            let sent = sent.find(|(_, number)| *number == stream.number);
            let method = sent.map_or("", |(s, _)| s.request.method.as_str());
            response.body = match wire::bodiless(method, response.status) {
                true => wire::body(b""),
                false => stream.response_body.blob(),
            };
        }
    }
    attempt.seen.upstream = std::mem::take(&mut world.upstream);
    attempt.seen.grpc = std::mem::take(&mut world.grpc.saw);
    attempt.seen.client = wire::clients(world.streams.iter_mut().map(|s| {
        let answered = s.answered();
        (s.number, s.response.take(), s.trouble.take(), answered)
    }));
    if !world.own_log.is_empty() {
        attempt.host_log = Some(Blob::with_limit(world.own_log.join("\n").as_bytes(), 2048));
    }

    let reader = |(n, vm): (usize, &crate::host::VmJob)| {
        vm.legend.clone().map(|l| Reader::shared(l).vm(n as u32))
    };
    let mut readers: Vec<Option<Reader>> = job.vms.iter().enumerate().map(reader).collect();
    let lines = std::mem::take(&mut world.lines);
    let texts: Vec<&[u8]> = lines.iter().map(|line| line.text.as_slice()).collect();
    let sums = line_sums(&texts);
    for (line, sum) in lines.into_iter().zip(sums) {
        let vm = &world.vms[line.vm];
        let frame = match (&mut readers[vm.job], std::str::from_utf8(&line.text)) {
            (Some(reader), Ok(text)) => reader.push_summed(&vm.label, text, sum),
            _ => Taken::NotAFrame,
        };
        if frame == Taken::NotAFrame {
            attempt.logs.push(LogLine {
                level: Some(line.level.into_owned()),
                text: Blob::new(&line.text),
            });
        }
    }
    for reader in readers.into_iter().flatten() {
        let (instances, faults) = reader.finish();
        attempt.trace.instances.extend(instances);
        attempt.faults.extend(faults);
    }
}
