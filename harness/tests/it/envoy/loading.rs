//! What a host takes, what it refuses, and what it says of a trap.

use std::sync::Arc;
use std::time::Instant;

use pwspec::case::{Act, Operand};
use pwspec::host::{Driver, Job};
use pwspec::trace::{Blob, End, Load};

use crate::envoy::{callbacks, envoy, play, response, show};
use crate::kit::{abi, get, job, log, on, whole};

#[test]
fn a_guest_that_logs_is_loaded_played_and_heard() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let handlers = vec![on(
        "proxy_on_request_headers",
        vec![log("hello '\n' %s {}")],
    )];
    let jobs = vec![job(0, &abi, handlers, whole(vec![get("/")]))];
    let attempt = play(&mut driver, jobs).remove(&0).unwrap();
    driver.close().unwrap();
    show(&attempt);
    assert_eq!(attempt.load, Load::Loaded);
    assert_eq!(attempt.end, End::Normal);
    assert_eq!(attempt.faults, []);
    assert_eq!(attempt.trace.instances.len(), 3);
}

#[test]
fn a_hundred_cases_share_their_processes() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let jobs: Vec<Job> = (0..100)
        .map(|n| {
            let handlers = vec![on(
                "proxy_on_request_headers",
                vec![log(&format!("case {n}"))],
            )];
            job(n, &abi, handlers, whole(vec![get(&format!("/{n}"))]))
        })
        .collect();
    let began = Instant::now();
    let all = play(&mut driver, jobs);
    println!("100 cases: {:?}", began.elapsed());
    let began = Instant::now();
    driver.close().unwrap();
    println!("close: {:?}", began.elapsed());
    assert_eq!(all.len(), 100);
    for (n, attempt) in &all {
        assert_eq!(attempt.faults, [], "{n}");
        assert_eq!(attempt.load, Load::Loaded);
        assert_eq!(attempt.trace.instances.len(), 3, "{n}");
        assert_eq!(
            attempt.logs[0].text,
            Blob::new(format!("case {n}").as_bytes())
        );
        assert_eq!(
            attempt.seen.upstream[0].request.path.as_deref(),
            Some(&*format!("/{n}"))
        );
        assert_eq!(callbacks(attempt).last().unwrap(), "delete 2", "{n}");
    }
    let mut times: Vec<u64> = all.values().map(|a| a.micros).collect();
    times.sort_unstable();
    println!("median {} µs, most {} µs", times[50], times[99]);
}

#[test]
fn modules_that_a_host_does_not_take_cost_nobody_else() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let plain = || whole(vec![get("/")]);
    let mut jobs: Vec<Job> = (0..6).map(|n| job(n, &abi, vec![], plain())).collect();
    jobs[1].vms[0].wasm = Arc::new(b"not wasm".to_vec());
    let missing = wat_with_import();
    jobs[2].vms[0].wasm = Arc::new(missing);
    let no = vec![on(
        "proxy_on_vm_start",
        vec![Act::Return(Operand::Const(0))],
    )];
    jobs[3] = job(3, &abi, no, plain());
    let trap = vec![on("proxy_on_vm_start", vec![Act::Trap])];
    jobs[4] = job(4, &abi, trap, plain());
    let all = play(&mut driver, jobs);
    driver.close().unwrap();
    for n in [0, 5] {
        assert_eq!(all[&n].load, Load::Loaded, "{n}");
        assert_eq!(response(&all[&n], 1).status, Some(200));
    }
    for n in 1..5 {
        println!(
            "{n}: {:?} {:?} {:?}",
            all[&n].load, all[&n].end, all[&n].faults
        );
        println!(
            "{}",
            String::from_utf8_lossy(all[&n].host_log.as_ref().unwrap().whole().unwrap())
        );
    }
    assert!(
        matches!(&all[&1].load, Load::Refused { text } if text.display().contains("corrupted"))
    );
    assert!(matches!(&all[&2].load, Load::Unlinked { import, .. } if import == "proxy_nope"));
    assert!(matches!(&all[&3].load, Load::Refused { .. }));
    assert!(matches!(&all[&4].load, Load::Refused { .. }));
    assert!(matches!(&all[&4].end, End::Trap(_)));
    assert_eq!(callbacks(&all[&3]), [] as [&str; 0]);
    assert!(!all[&3].trace.instances.is_empty());
}

/// A module that imports what no host has.
fn wat_with_import() -> Vec<u8> {
    use wasm_encoder::*;
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut imports = ImportSection::new();
    imports.import("env", "proxy_nope", EntityType::Function(0));
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut exports = ExportSection::new();
    exports.export("proxy_abi_version_0_2_1", ExportKind::Func, 1);
    let mut code = CodeSection::new();
    let mut body = Function::new([]);
    body.instructions().end();
    code.function(&body);
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&exports)
        .section(&code);
    module.finish()
}

#[test]
fn a_trap_is_told_in_the_hosts_words() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let trap = vec![on("proxy_on_request_headers", vec![Act::Trap])];
    let jobs = vec![
        job(0, &abi, trap, whole(vec![get("/")])),
        job(1, &abi, vec![], whole(vec![get("/")])),
    ];
    let all = play(&mut driver, jobs);
    driver.close().unwrap();
    println!("{:?}", all[&0].end);
    assert!(
        matches!(&all[&0].end, End::Trap(text) if text.display().contains("proxy_on_request_headers failed"))
    );
    assert_eq!(response(&all[&0], 1).status, Some(503));
    assert_eq!(all[&0].faults, []);
    assert_eq!(all[&1].end, End::Normal);
}
