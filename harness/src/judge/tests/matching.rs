//! Every matcher against values of every kind.

use super::build::*;
use crate::abi::IdKind;
use crate::case::Matcher;
use crate::judge::matching::{Answer, Got, Scope};
use crate::judge::view::View;
use crate::trace::{Blob, Value, digest};

use Answer::{No, Unknown, Yes};

fn answer(m: &Matcher, got: Got<'_>) -> Answer {
    let a = attempt(vec![instance(0, stream(vec![]))]);
    let view = View::new(&a);
    Scope {
        view: &view,
        at: Some((0, 4)),
    }
    .matches(m, got)
}

fn value(m: &Matcher, v: Value) -> Answer {
    answer(m, Got::Value(&v))
}

fn cut(all: &[u8]) -> Blob {
    let b = Blob::with_limit(all, 64);
    assert!(b.whole().is_none());
    b
}

#[test]
fn numbers_of_all_kinds_compare_as_numbers() {
    let five = [
        Value::Number(5),
        Value::Signed(5),
        Value::Enum(None, 5),
        Value::Id(IdKind::Queue, 5),
        Value::Pointer(5),
    ];
    for v in five {
        assert_eq!(value(&Matcher::Number(5), v.clone()), Yes, "{v:?}");
        assert_eq!(value(&Matcher::Number(6), v.clone()), No);
        assert_eq!(value(&Matcher::Signed(5), v.clone()), Yes);
        assert_eq!(value(&Matcher::Signed(-5), v.clone()), No);
        assert_eq!(value(&Matcher::Enum("X".into(), 5), v.clone()), Yes);
        assert_eq!(value(&Matcher::Enum("X".into(), 4), v.clone()), No);
        assert_eq!(value(&Matcher::Bytes(b"5".to_vec()), v), No);
    }
    assert_eq!(value(&Matcher::Signed(-1), Value::Signed(-1)), Yes);
    assert_eq!(value(&Matcher::Number(u64::MAX), Value::Signed(-1)), No);
    assert_eq!(value(&Matcher::Bool(true), Value::Bool(true)), Yes);
    assert_eq!(value(&Matcher::Bool(true), Value::Bool(false)), No);
    assert_eq!(value(&Matcher::Bool(true), Value::Number(7)), No);
    assert_eq!(value(&Matcher::Number(1), Value::Bool(true)), Yes);
    assert_eq!(answer(&Matcher::Number(200), Got::Number(200)), Yes);
    assert_eq!(answer(&Matcher::Number(200), Got::Number(201)), No);
    assert_eq!(answer(&Matcher::Number(0), Got::Missing), No);
    assert_eq!(value(&Matcher::Number(0), Value::Untouched), No);
}

#[test]
fn between_holds_both_ends() {
    let m = Matcher::Between(2, 4);
    let answers: Vec<Answer> = (1..=5).map(|n| value(&m, Value::Number(n))).collect();
    assert_eq!(answers, [No, Yes, Yes, Yes, No]);
    assert_eq!(value(&m, bytes("3")), No);
}

#[test]
fn bytes_whole_and_cut() {
    assert_eq!(value(&is("ab"), bytes("ab")), Yes);
    assert_eq!(value(&is("ab"), bytes("aB")), No);
    assert_eq!(answer(&is("ab"), Got::Bytes(&whole("ab"))), Yes);
    assert_eq!(answer(&is("ab"), Got::Bytes(&whole("b"))), No);
    let long = vec![b'x'; 100];
    let other = [vec![b'x'; 99], vec![b'y']].concat();
    assert_eq!(
        value(&Matcher::Bytes(long.clone()), Value::Bytes(cut(&long))),
        Yes
    );
    assert_eq!(value(&Matcher::Bytes(other), Value::Bytes(cut(&long))), No);
}

#[test]
fn prefix_of_whole_and_cut() {
    let p = |t: &str| Matcher::Prefix(t.as_bytes().to_vec());
    assert_eq!(value(&p("ab"), bytes("abc")), Yes);
    assert_eq!(value(&p("bc"), bytes("abc")), No);
    assert_eq!(value(&p("ab"), Value::Number(1)), No);
    let all: Vec<u8> = (0..100).collect();
    let c = || Value::Bytes(cut(&all));
    assert_eq!(value(&Matcher::Prefix(all[..32].to_vec()), c()), Yes);
    assert_eq!(value(&Matcher::Prefix(all[..33].to_vec()), c()), Unknown);
    assert_eq!(value(&Matcher::Prefix(all.clone()), c()), Unknown);
    assert_eq!(value(&Matcher::Prefix([&all[..], b"x"].concat()), c()), No);
    assert_eq!(value(&Matcher::Prefix(vec![9; 33]), c()), No);
    assert_eq!(value(&Matcher::Prefix(vec![9]), c()), No);
}

#[test]
fn contains_in_whole_and_cut() {
    let m = |b: &[u8]| Matcher::Contains(b.to_vec());
    assert_eq!(value(&m(b"b"), bytes("abc")), Yes);
    assert_eq!(value(&m(b""), bytes("")), Yes);
    assert_eq!(value(&m(b"ac"), bytes("abc")), No);
    assert_eq!(value(&m(b"b"), Value::Untouched), No);
    let all: Vec<u8> = (0..100).collect();
    let c = || Value::Bytes(cut(&all));
    assert_eq!(value(&m(&[3, 4]), c()), Yes);
    assert_eq!(value(&m(&[98, 99]), c()), Yes);
    assert_eq!(value(&m(&[50]), c()), Unknown);
    assert_eq!(value(&m(&all), c()), Unknown);
    assert_eq!(value(&m(&[0; 101]), c()), No);
}

#[test]
fn fill_by_bytes_and_by_digest() {
    let fill = |p: &str, len| Matcher::Fill {
        pattern: p.as_bytes().to_vec(),
        len,
    };
    assert_eq!(value(&fill("ab", 5), bytes("ababa")), Yes);
    assert_eq!(value(&fill("ab", 5), bytes("ababb")), No);
    assert_eq!(value(&fill("ab", 4), bytes("ababa")), No);
    let long = "ab".repeat(200).into_bytes();
    assert_eq!(value(&fill("ab", 400), Value::Bytes(cut(&long))), Yes);
    assert_eq!(value(&fill("ab", 400), Value::Bytes(cut(&long))), Yes);
    assert_eq!(value(&fill("ba", 400), Value::Bytes(cut(&long))), No);
    assert_eq!(value(&fill("ab", 401), Value::Bytes(cut(&long))), No);
    assert_eq!(value(&fill("", 0), bytes("")), Yes);
    assert_eq!(value(&fill("", 3), bytes("abc")), No);
    let odd = Blob::Cut {
        len: 400,
        digest: digest(&long) ^ 1,
        head: long[..32].to_vec(),
        tail: long[..32].to_vec(),
    };
    assert_eq!(value(&fill("ab", 400), Value::Bytes(odd)), No);
}

fn map(all: &[(&str, &str)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pair = |(k, v): &(&str, &str)| (k.as_bytes().to_vec(), v.as_bytes().to_vec());
    all.iter().map(pair).collect()
}

#[test]
fn maps_whole_and_in_part() {
    let got = || Value::Pairs(fields(&[("A", "1"), ("b", "2"), ("b", "2")]));
    let whole = |all: &[(&str, &str)]| value(&Matcher::Pairs(map(all)), got());
    assert_eq!(whole(&[("a", "1"), ("B", "2"), ("b", "2")]), Yes);
    assert_eq!(whole(&[("b", "2"), ("a", "1"), ("b", "2")]), No);
    assert_eq!(whole(&[("a", "1"), ("b", "2")]), No);
    assert_eq!(whole(&[("a", "1"), ("b", "2"), ("b", "X")]), No);
    assert_eq!(whole(&[("a", "1"), ("b", "2"), ("c", "2")]), No);
    let has = |all: &[(&str, &str)]| value(&Matcher::HasPairs(map(all)), got());
    assert_eq!(has(&[]), Yes);
    assert_eq!(has(&[("B", "2"), ("a", "1")]), Yes);
    assert_eq!(has(&[("b", "2"), ("b", "2")]), Yes);
    assert_eq!(has(&[("b", "2"), ("b", "2"), ("b", "2")]), No);
    assert_eq!(has(&[("b", "1")]), No);
    assert_eq!(value(&Matcher::HasPairs(vec![]), bytes("")), No);
    let name = vec![b'n'; 100];
    let long = Value::Pairs(vec![(cut(&name), whole_blob("1"))]);
    let want = vec![(name, b"1".to_vec())];
    assert_eq!(value(&Matcher::Pairs(want), long), Yes);
}

fn whole_blob(t: &str) -> Blob {
    super::build::whole(t)
}

#[test]
fn absent_present_untouched() {
    for m in [Matcher::Absent, Matcher::Untouched] {
        assert_eq!(answer(&m, Got::Missing), Yes);
        assert_eq!(value(&m, Value::Untouched), Yes);
        assert_eq!(value(&m, bytes("")), No);
        assert_eq!(value(&m, Value::Unreadable("x".into())), No);
    }
    assert_eq!(answer(&Matcher::Present, Got::Missing), No);
    assert_eq!(value(&Matcher::Present, Value::Untouched), No);
    assert_eq!(value(&Matcher::Present, bytes("")), Yes);
    assert_eq!(answer(&Matcher::Present, Got::Number(0)), Yes);
}

#[test]
fn logic_keeps_what_cannot_be_said() {
    let all: Vec<u8> = (0..100).collect();
    let c = || Value::Bytes(cut(&all));
    let open = || Matcher::Contains(vec![50]);
    let not = |m: Matcher| Matcher::Not(Box::new(m));
    assert_eq!(value(&not(is("a")), bytes("b")), Yes);
    assert_eq!(value(&not(is("a")), bytes("a")), No);
    assert_eq!(value(&not(open()), c()), Unknown);
    let any = |all: Vec<Matcher>| Matcher::AnyOf(all);
    assert_eq!(value(&any(vec![is("a"), is("b")]), bytes("b")), Yes);
    assert_eq!(value(&any(vec![is("a"), is("b")]), bytes("c")), No);
    assert_eq!(value(&any(vec![]), bytes("c")), No);
    assert_eq!(value(&any(vec![is("a"), open()]), c()), Unknown);
    assert_eq!(
        value(&any(vec![open(), Matcher::Prefix(vec![0])]), c()),
        Yes
    );
}

#[test]
fn contexts_are_looked_up_where_the_event_stands() {
    let ids = |root: u64| {
        let mut all = vec![create(root, 0), create(root + 1, 0), create(root + 2, root)];
        all.push(cb(HEADERS, root + 2, &[]));
        all
    };
    let a = attempt(vec![instance(0, start(vec![])), instance(0, ids(10))]);
    let view = View::new(&a);
    let at = |at, m: &Matcher, n| Scope { view: &view, at }.matches(m, Got::Value(&ctx(n)));
    let second = Some((1, 0));
    assert_eq!(at(second, &Matcher::PluginContext(1), 10), Yes);
    assert_eq!(at(second, &Matcher::PluginContext(2), 11), Yes);
    assert_eq!(at(second, &Matcher::PluginContext(2), 10), No);
    assert_eq!(at(second, &Matcher::PluginContext(3), 12), Unknown);
    assert_eq!(at(second, &Matcher::PluginContext(0), 10), Unknown);
    assert_eq!(at(second, &Matcher::StreamContext(1), 12), Yes);
    assert_eq!(at(second, &Matcher::StreamContext(2), 12), Unknown);
    assert_eq!(at(Some((0, 0)), &Matcher::PluginContext(1), 1), Yes);
    assert_eq!(at(None, &Matcher::StreamContext(1), 12), Yes);
    let none = attempt(vec![]);
    let view = View::new(&none);
    let scope = Scope {
        view: &view,
        at: None,
    };
    assert_eq!(
        scope.matches(&Matcher::PluginContext(1), Got::Number(1)),
        Unknown
    );
}

#[test]
fn without_a_stream_the_wire_asks_the_last_instance() {
    let a = attempt(vec![
        instance(0, vec![create(4, 0)]),
        instance(0, vec![create(9, 0)]),
    ]);
    let view = View::new(&a);
    let scope = Scope {
        view: &view,
        at: None,
    };
    assert_eq!(
        scope.matches(&Matcher::PluginContext(1), Got::Number(9)),
        Yes
    );
}

#[test]
fn saved_is_the_last_out_before() {
    let get = |n, v: Value| call(n, "proxy_get", 0, &[("value", v)]);
    let calls = vec![
        get(0, bytes("one")),
        get(1, bytes("one")),
        get(0, bytes("two")),
        get(1, bytes("two")),
        get(2, Value::Untouched),
        get(3, Value::Number(7)),
        get(4, Value::Pairs(fields(&[("a", "1")]))),
        get(5, Value::Bytes(Blob::Whole(vec![b'z'; 100]))),
        get(6, Value::Bytes(cut(&[b'z'; 100]))),
    ];
    let other = instance(
        1,
        vec![holds(
            cb("proxy_on_vm_start", 1, &[]),
            vec![get(0, bytes("far"))],
        )],
    );
    let a = attempt(vec![instance(0, stream(calls)), other]);
    let view = View::new(&a);
    let ask = |at, s: u32, v: Value| {
        let m = Matcher::Saved {
            step: step(s, HEADERS),
            out: "value".to_owned(),
        };
        Scope { view: &view, at }.matches(&m, Got::Value(&v))
    };
    let at = |n: usize| Some((0, 5 + n));
    assert_eq!(ask(at(1), 0, bytes("one")), Yes);
    assert_eq!(ask(at(1), 0, bytes("two")), No);
    assert_eq!(ask(at(3), 0, bytes("two")), Yes);
    assert_eq!(ask(at(3), 0, bytes("one")), No);
    assert_eq!(
        ask(at(0), 0, bytes("one")),
        Unknown,
        "nothing before itself"
    );
    assert_eq!(ask(at(5), 2, bytes("")), Unknown, "untouched");
    assert_eq!(ask(at(7), 3, Value::Number(7)), Yes);
    assert_eq!(ask(at(7), 3, Value::Number(8)), No);
    assert_eq!(ask(at(7), 3, bytes("7")), No);
    assert_eq!(ask(at(7), 4, Value::Pairs(fields(&[("a", "1")]))), Yes);
    assert_eq!(ask(at(7), 4, Value::Pairs(fields(&[("a", "2")]))), No);
    assert_eq!(ask(None, 5, Value::Bytes(cut(&[b'z'; 100]))), Yes);
    assert_eq!(ask(None, 5, Value::Bytes(cut(&[b'y'; 100]))), No);
    assert_eq!(ask(None, 6, Value::Bytes(cut(&[b'z'; 100]))), Yes);
    assert_eq!(ask(None, 6, Value::Bytes(cut(&[b'y'; 100]))), No);
    let whole = |b: u8| Value::Bytes(Blob::Whole(vec![b; 100]));
    assert_eq!(ask(None, 6, whole(b'z')), Yes);
    assert_eq!(ask(None, 6, whole(b'y')), No);
    assert_eq!(
        ask(Some((1, 1)), 0, bytes("two")),
        Yes,
        "the other VM's last"
    );
    assert_eq!(ask(None, 0, bytes("two")), Yes);
}

#[test]
fn at_least_compares_with_the_last_out_before() {
    let get = |n, v: Value| call(n, "proxy_get", 0, &[("value", v)]);
    let calls = vec![
        get(0, Value::Number(7)),
        get(1, Value::Number(7)),
        get(2, bytes("seven")),
    ];
    let a = attempt(vec![instance(0, stream(calls))]);
    let view = View::new(&a);
    let ask = |n: usize, s: u32, v: Value| {
        let m = Matcher::AtLeast {
            step: step(s, HEADERS),
            out: "value".to_owned(),
        };
        let at = Some((0, 5 + n));
        Scope { view: &view, at }.matches(&m, Got::Value(&v))
    };
    assert_eq!(ask(1, 0, Value::Number(7)), Yes);
    assert_eq!(ask(1, 0, Value::Number(8)), Yes);
    assert_eq!(ask(1, 0, Value::Number(6)), No);
    assert_eq!(ask(1, 0, Value::Untouched), No);
    assert_eq!(
        ask(0, 0, Value::Number(7)),
        Unknown,
        "nothing before itself"
    );
    assert_eq!(ask(3, 2, Value::Number(7)), Unknown, "no number was kept");
}

#[test]
fn count_is_what_an_argument_of_the_callback_says() {
    let get = |v: Value| call(0, "proxy_get", 0, &[("pairs", v)]);
    let args = [("num_headers", Value::Number(2))];
    let two = Value::Pairs(fields(&[("a", "1"), ("b", "2")]));
    let inside = holds(cb(HEADERS, 2, &args), vec![get(two.clone())]);
    let a = attempt(vec![instance(0, vec![inside])]);
    let view = View::new(&a);
    let ask = |arg: &str, at, v: &Value| {
        let m = Matcher::CountIs(arg.to_owned());
        Scope { view: &view, at }.matches(&m, Got::Value(v))
    };
    let one = Value::Pairs(fields(&[("a", "1")]));
    assert_eq!(ask("num_headers", Some((0, 1)), &two), Yes);
    assert_eq!(ask("num_headers", Some((0, 1)), &one), No);
    assert_eq!(ask("num_headers", Some((0, 1)), &Value::Number(2)), No);
    assert_eq!(ask("body_size", Some((0, 1)), &two), Unknown);
    assert_eq!(ask("num_headers", Some((0, 0)), &two), Unknown, "no call");
    assert_eq!(ask("num_headers", None, &two), Unknown);
}
