//! How long the steps of a run take, each by itself: `cargo bench`. Printed, never asserted.
//!
//! `bare_wasmer` makes the same instance and the same calls of its exports as `reference_run`, with
//! hostcalls that only answer OK: what is above it is the price of a host and of a record.

mod bare;
mod suite;

use std::time::Instant;

use divan::{Bencher, black_box};
use pwspec::guest;
use pwspec::host::reference::Reference;
use pwspec::judge::{Question, judge};
use pwspec::report::html;
use pwspec::runner::{Prepared, Specs};
use pwspec::trace::{Attempt, Reader};

use bare::Bare;
use suite::{BUSY, LARGE, SMALL, setup};

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// From the program of a case to the module.
#[divan::bench(args = [SMALL, LARGE])]
fn specialise(bencher: Bencher, case: &str) {
    let prepared = setup().prepared(case);
    let spec = &prepared.resolved.vms[0].module;
    let abi = &prepared.job.abi;
    bencher.bench(|| guest::build(black_box(spec), abi).unwrap());
}

/// Reading every table, case and profile of the copy inside the binary.
#[divan::bench(sample_count = 20)]
fn load_suite() -> usize {
    let specs = Specs::embedded();
    specs.suite().unwrap().cases.len() + specs.profiles().unwrap().len()
}

/// From module bytes to the closed attempt, the code being compiled already.
#[divan::bench(args = [SMALL, BUSY])]
fn reference_run(bencher: Bencher, case: &str) {
    let prepared = setup().prepared(case);
    let host = host();
    host.play_one(&prepared.job).unwrap();
    bencher.bench(|| host.play_one(black_box(&prepared.job)).unwrap());
}

/// The same instance and the same calls without a host.
#[divan::bench(args = [SMALL, BUSY])]
fn bare_wasmer(bencher: Bencher, case: &str) {
    let prepared = setup().prepared(case);
    let attempt = host().play_one(&prepared.job).unwrap();
    let bare = Bare::new(&prepared.job.vms[0].wasm, &attempt.trace.instances[0]);
    bencher.bench(|| bare.run(false));
}

/// [`reference_run`] for a tenth of the suite.
#[divan::bench(sample_count = 20)]
fn reference_many(bencher: Bencher) {
    let (host, all) = (host(), setup().plain());
    let play = |(prepared, _): &(Prepared, Attempt)| host.play_one(&prepared.job).unwrap().micros;
    bencher.bench(|| all.iter().map(play).sum::<u64>());
}

/// [`bare_wasmer`] for the same cases.
#[divan::bench(sample_count = 20)]
fn bare_many(bencher: Bencher) {
    let bare = |(prepared, attempt): &(Prepared, Attempt)| {
        Bare::new(&prepared.job.vms[0].wasm, &attempt.trace.instances[0])
    };
    let all: Vec<Bare> = setup().plain().iter().map(bare).collect();
    bencher.bench(|| all.iter().map(|bare| bare.run(false).len()).sum::<usize>());
}

/// [`reference_many`] over [`bare_many`], case by case and in turns, so that both find the same machine:
/// the best of many rounds each. Printed: both sums and their ratio, the median and the highest ratio.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn price_of_the_host() {
    const ROUNDS: u32 = 100;
    let host = host();
    let mut all: Vec<(f64, f64, String)> = Vec::new();
    for (prepared, attempt) in setup().plain() {
        let bare = Bare::new(&prepared.job.vms[0].wasm, &attempt.trace.instances[0]);
        let mut best = [f64::MAX; 2];
        for _ in 0..ROUNDS {
            let seconds = |run: &dyn Fn()| {
                let began = Instant::now();
                run();
                began.elapsed().as_secs_f64()
            };
            let reference = seconds(&|| drop(host.play_one(&prepared.job).unwrap()));
            let alone = seconds(&|| drop(bare.run(false)));
            best = [best[0].min(reference), best[1].min(alone)];
        }
        all.push((best[0], best[1], prepared.job.case_id.clone()));
    }
    all.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    let sum = |part: &dyn Fn(&(f64, f64, String)) -> f64| all.iter().map(part).sum::<f64>() * 1e3;
    let (reference, bare) = (sum(&|c| c.0), sum(&|c| c.1));
    let (median, highest) = (&all[all.len() / 2], &all[all.len() - 1]);
    println!(
        "reference {reference:.2} ms, bare {bare:.2} ms, ratio {:.2}; of {} cases: median {:.2}, highest {:.2} ({})",
        reference / bare,
        all.len(),
        median.0 / median.1,
        highest.0 / highest.1,
        highest.2,
    );
}

/// From an attempt to its verdict.
#[divan::bench(args = [SMALL, BUSY])]
fn judge_attempt(bencher: Bencher, case: &str) {
    let prepared = setup().prepared(case);
    let attempt = host().play_one(&prepared.job).unwrap();
    let question = Question {
        abi: &prepared.job.abi,
        checks: &prepared.resolved.checks,
        observations: &prepared.resolved.observations,
        attempt: &attempt,
    };
    bencher.bench(|| judge(black_box(&question)));
}

/// From a guest's lines to its instance.
#[divan::bench(args = [SMALL, BUSY])]
fn decode_frames(bencher: Bencher, case: &str) {
    let prepared = setup().prepared(case);
    let attempt = host().play_one(&prepared.job).unwrap();
    let vm = &prepared.job.vms[0];
    let lines = Bare::new(&vm.wasm, &attempt.trace.instances[0]).run(true);
    let legend = vm.legend.as_ref().unwrap();
    bencher.bench(|| {
        let mut reader = Reader::new(legend);
        for line in black_box(&lines) {
            reader.push("vm", line);
        }
        reader.finish()
    });
}

/// The report of the whole suite on the reference host, three ABI versions.
#[divan::bench(sample_count = 10)]
fn render_html(bencher: Bencher) {
    let record = setup().record();
    bencher.bench(|| html::render(std::slice::from_ref(black_box(&record))));
}

/// The whole suite on the reference host, with verdicts and record, the code being compiled already.
#[divan::bench(sample_count = 5)]
fn whole_suite(bencher: Bencher) {
    setup().record();
    bencher.bench(|| setup().record());
}

fn host() -> Reference {
    setup().host.clone()
}
