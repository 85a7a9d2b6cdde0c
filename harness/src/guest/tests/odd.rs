//! Odd modules: what is asked for is there, and what is valid stays valid.

use wasmparser::Validator;

use crate::abi::Word;
use crate::case::{ModuleSpec, OddImport, Oddities, Section, Signature, StartFunction};
use crate::guest::tests::table::{abi, spec};
use crate::guest::{GuestErrorKind, Inspection, build, inspect};

fn odd(oddities: Oddities) -> ModuleSpec {
    ModuleSpec {
        oddities,
        ..spec(Vec::new())
    }
}

fn seen(oddities: Oddities) -> Inspection {
    let module = build(&odd(oddities), &abi()).unwrap();
    Validator::new().validate_all(&module.wasm).unwrap();
    inspect(&module.wasm).unwrap()
}

fn plain() -> Inspection {
    seen(Oddities::default())
}

#[test]
fn memory_is_as_large_and_as_visible_as_asked() {
    let large = seen(Oddities {
        pages: Some(65536),
        ..Oddities::default()
    });
    assert_eq!(large.pages, 65536);
    let small = seen(Oddities {
        pages: Some(1),
        ..Oddities::default()
    });
    assert_eq!(small.pages, plain().pages);
    let hidden = seen(Oddities {
        hidden_memory: true,
        ..Oddities::default()
    });
    assert!(!hidden.memory && plain().memory);
}

#[test]
fn sections_stand_where_they_were_asked_for() {
    let section = |name: &str, first| Section {
        name: name.to_owned(),
        bytes: vec![1, 2, 3],
        first,
    };
    let sections = vec![section("b", false), section("a", true), section("b", false)];
    let seen = seen(Oddities {
        sections,
        ..Oddities::default()
    });
    assert_eq!(seen.custom, ["a", "b", "b"]);
}

#[test]
fn imports_come_behind_those_that_are_called() {
    let import = OddImport {
        module: "env".to_owned(),
        name: "proxy_no_such_call".to_owned(),
        signature: Signature {
            params: vec![Word::I32, Word::I64],
            results: Vec::new(),
        },
    };
    let imports = seen(Oddities {
        imports: vec![import],
        ..Oddities::default()
    })
    .imports;
    assert_eq!(imports.len(), plain().imports.len() + 1);
    let last = imports.last().unwrap();
    assert_eq!(
        (last.name.as_str(), last.signature.as_str()),
        ("proxy_no_such_call", "(i32, i64)")
    );
}

#[test]
fn an_export_has_the_signature_that_was_asked_for() {
    let name = "proxy_on_request_headers";
    let signature = Signature {
        params: vec![Word::I64],
        results: vec![Word::I64],
    };
    let with = |name: &str| Oddities {
        signatures: vec![(name.to_owned(), signature.clone())],
        ..Oddities::default()
    };
    let exports = seen(with(name)).exports;
    let ours = exports.iter().find(|(n, _)| n == name).unwrap();
    assert_eq!(ours.1, "(i64) -> i64");
    let order = |exports: &[(String, String)]| -> Vec<String> {
        exports.iter().map(|(n, _)| n.clone()).collect()
    };
    assert_eq!(order(&exports), order(&plain().exports));
    let error = build(&odd(with("main")), &abi()).unwrap_err();
    assert_eq!(error.kind(), GuestErrorKind::NotExported);
}

#[test]
fn modules_with_a_start_function_share_no_code() {
    let with = |start| {
        let odd = odd(Oddities {
            start,
            ..Oddities::default()
        });
        let other = ModuleSpec {
            token: "another".to_owned(),
            ..odd.clone()
        };
        [odd, other].map(|spec| build(&spec, &abi()).unwrap().code_digest)
    };
    let [one, other] = with(None);
    assert_eq!(one, other);
    let [one, other] = with(Some(StartFunction::Nothing));
    assert_ne!(one, other);
    assert_ne!(one, with(Some(StartFunction::Trap))[0]);
}
