//! Wishes that need nothing but the place: logs, clocks, callouts to nobody, numbers that there are not.

use crate::fuzz::model::world::World;
use crate::fuzz::plan::{Data, Op, Place};
use crate::fuzz::program::{Arg, Call};

impl World<'_> {
    /// The call for a wish of this kind, if it has one right answer.
    pub(super) fn plain_op(&self, op: &Op) -> Option<Call> {
        let stream = self.place.way().is_some();
        Some(match op {
            Op::Log(level, message) => {
                let with = vec![
                    ("log_level", Arg::Word((*level).to_owned())),
                    ("message", Arg::Data(*message)),
                ];
                Call::new("proxy_log", with, "proxy_log/message").and("proxy_log/OK")
            }
            Op::LogUnknown(level) => {
                let with = vec![
                    ("log_level", Arg::Number((*level).into())),
                    ("message", Arg::Data(Data::Text("at no level"))),
                ];
                Call::new("proxy_log", with, "proxy_log/BAD_ARGUMENT")
            }
            Op::FdWrite(fd, pieces) => {
                let known = matches!(fd, 1 | 2);
                let row = if known { "SUCCESS" } else { "BADF" };
                let with = vec![
                    ("fd_id", Arg::Number((*fd).into())),
                    ("iovec", Arg::Pieces(pieces.clone())),
                ];
                let call = Call::new("fd_write", with, format!("fd_write/{row}"));
                if known {
                    call.and("fd_write/joined")
                } else {
                    call
                }
            }
            Op::Foreign(arguments) => {
                let with = vec![
                    ("name", Arg::Data(Data::Text("pwspec_no_such_function"))),
                    ("arguments", Arg::Data(*arguments)),
                ];
                Call::new(
                    "proxy_call_foreign_function",
                    with,
                    "proxy_call_foreign_function/NOT_FOUND",
                )
            }
            Op::Here => {
                let here = if stream { Arg::Stream } else { Arg::Plugin };
                if !stream && !self.place.starting() {
                    return None;
                }
                let with = vec![("context_id", here)];
                let row = "proxy_set_effective_context/OK";
                Call::new("proxy_set_effective_context", with, row)
            }
            Op::Nowhere(id) => {
                let with = vec![("context_id", Arg::Number((*id).into()))];
                let row = "proxy_set_effective_context/BAD_ARGUMENT";
                Call::new("proxy_set_effective_context", with, row)
            }
            Op::Done if stream => Call::new("proxy_done", Vec::new(), "proxy_done/NOT_FOUND"),
            Op::Stream(hostcall, number) if stream => {
                let with = vec![("stream_type", Arg::Number((*number).into()))];
                Call::new(hostcall, with, format!("{hostcall}/BAD_ARGUMENT"))
            }
            Op::CallNobody(name) if stream => {
                let row = "proxy_http_call/BAD_ARGUMENT.upstream";
                Call::new("proxy_http_call", callout(Arg::Data(*name), ""), row)
            }
            Op::CallWithout(field) if stream => {
                let row = "proxy_http_call/BAD_ARGUMENT.headers";
                Call::new("proxy_http_call", callout(Arg::Upstream, field), row)
            }
            Op::GrpcNobody(name) if stream => {
                let with = vec![
                    ("upstream", Arg::Data(*name)),
                    ("service", Arg::Data(Data::Text("pwspec.Service"))),
                    ("method", Arg::Data(Data::Text("Method"))),
                    ("message", Arg::Data(Data::Text("message"))),
                    ("timeout", Arg::Number(1000)),
                ];
                Call::new("proxy_grpc_call", with, "proxy_grpc_call/PARSE_FAILURE")
            }
            Op::Clock(id) => {
                let with = vec![("clock_id", Arg::Number((*id).into()))];
                Call::new("clock_time_get", with, "clock_time_get/NOTSUP")
            }
            Op::Environment => {
                Call::new("environ_sizes_get", Vec::new(), "environ_sizes_get/SUCCESS")
            }
            Op::Arguments => Call::new("args_sizes_get", Vec::new(), "args_sizes_get/SUCCESS"),
            Op::CallStatus if self.place == Place::Answer => {
                Call::new("proxy_get_status", Vec::new(), "proxy_get_status/OK").blind()
            }
            Op::NoTicks if self.place == Place::Configure => {
                let with = vec![("tick_period", Arg::Number(0))];
                let row = "proxy_set_tick_period_milliseconds/OK";
                Call::new("proxy_set_tick_period_milliseconds", with, row)
            }
            _ => return None,
        })
    }
}

/// The arguments of an HTTP call, but for one of the fields that it needs.
pub(super) fn callout(upstream: Arg, without: &str) -> Vec<(&'static str, Arg)> {
    let head = [(":method", "GET"), (":path", "/ask"), (":authority", "a")];
    let head = head.into_iter().filter(|(name, _)| *name != without);
    let head = head.map(|(name, value)| (name.to_owned(), Data::Text(value)));
    vec![
        ("upstream", upstream),
        ("headers", Arg::Pairs(head.collect())),
        ("timeout", Arg::Number(2000)),
    ]
}
