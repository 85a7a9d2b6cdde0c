//! The work list as one static HTML page, opened from disk, without scripts and without network.
//!
//! Everything a host said goes through the template engine's escaping.

use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, context};

use crate::report::adaptation::{Answer, Step, Sums, Work};
use crate::report::safe_short;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// Words of a host are cut here.
const WORDS: usize = 300;

/// The page.
pub fn html(all: &[Work]) -> String {
    let mut env = Environment::new();
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    // The template is part of the program: a test renders every branch of it.
    env.add_template("page.html", TEMPLATE)
        .expect("the template of the work list is well formed");
    let template = env
        .get_template("page.html")
        .expect("the template was added");
    let works: Vec<Value> = all.iter().map(work).collect();
    template
        .render(context! { style => STYLE, works => works })
        .expect("the template of the work list names only what it is given")
}

fn work(w: &Work) -> Value {
    let steps = w.steps.iter().enumerate();
    context! {
        column => &w.column,
        line => &w.line,
        own => &w.own,
        sums => sums(&w.sums),
        areas => w.areas.iter().map(|a| context! {
            name => &a.name,
            sums => sums(&a.sums),
            topics => a.topics.iter().map(|t| context! {
                name => &t.name,
                sums => sums(&t.sums),
                links => t.links.state.word(),
                number => t.number.state.word(),
                step => &t.step,
            }).collect::<Vec<_>>(),
        }).collect::<Vec<_>>(),
        steps => steps.map(|(n, s)| step(w, n + 1, s)).collect::<Vec<_>>(),
        not_run => &w.not_run,
        numbers => w.numbers.iter().map(|n| context! {
            name => &n.name,
            rows => n.rows.iter().map(|(member, text, own)| context! {
                member => member,
                text => text,
                own => own,
            }).collect::<Vec<_>>(),
            foreign => n.foreign.iter().map(|(member, number)| context! {
                member => member,
                number => number,
            }).collect::<Vec<_>>(),
        }).collect::<Vec<_>>(),
    }
}

fn sums(s: &Sums) -> Value {
    context! {
        all => s.all,
        pass => s.pass,
        words => s.words,
        behaviour => s.behaviour,
        missing => s.missing,
        behind => s.behind,
        not_run => &s.not_run,
    }
}

fn step(w: &Work, n: usize, s: &Step) -> Value {
    let answer = |label: &str, a: &Answer| {
        context! {
            label => label,
            state => a.state.word(),
            words => safe_short(&a.words, WORDS),
            case => &a.case,
        }
    };
    context! {
        n => n,
        topic => &s.title,
        area => &s.area,
        unlocks => s.unlocks,
        waiting => s.unlocks - s.direct,
        own_pass => s.own_pass,
        elsewhere => s.elsewhere.as_ref().map(|(abi, n)| context! { abi => abi, n => n }),
        answers => [
            answer("links", &s.links),
            answer("name and number", &s.number),
            answer("behaviour", &s.behaviour),
        ].into_iter().collect::<Vec<_>>(),
        todo => s.todo.iter().map(|t| safe_short(t, WORDS)).collect::<Vec<_>>(),
        run => s.command(w),
        rows => s.rows.iter().map(|r| context! {
            req => &r.req,
            text => &r.text,
            got => safe_short(&r.got, WORDS),
            case => &r.case,
            more => r.cases - 1,
            own_passes => r.own_passes,
            seen_in_own => r.seen_in_own,
            why => r.why.as_deref().map(|w| safe_short(w, 2 * WORDS)),
        }).collect::<Vec<_>>(),
    }
}
