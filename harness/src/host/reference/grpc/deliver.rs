//! What comes from upstreams, as callbacks of the plugin that opened the call.
//!
//! Each is an event of its own, after the callback in which the call was made.

use crate::host::grpc::News;
use crate::host::reference::faults::Faults;
use crate::host::reference::player::Player;

/// DEADLINE_EXCEEDED: what a call ends with that was not answered in time. Silent: the text names no
/// status for it.
const LATE: u32 = 4;

impl Player {
    /// The next thing that has come on a call.
    pub(in crate::host::reference) fn grpc_news(&mut self, call: u32) {
        let faults = self.faults;
        let grpc = &mut self.world().grpc;
        let Some(open) = grpc.open.get_mut(&call) else {
            return;
        };
        let Some(news) = open.news.pop_front() else {
            return;
        };
        let (vm, context, second) = (open.vm, open.context, open.told);
        open.told |= matches!(news, News::Message(_));
        let (what, callback) = words(&news);
        if matches!(news, News::Closed { .. }) {
            // Once it is closed its id is unknown, in the callback too.
            grpc.open.remove(&call);
        }
        let lost = faults.planted()
            && (faults.made_of(&["grpc", what, "never_comes"])
                || second && what == "message" && faults.is("grpc_second_message_never_comes"));
        if !lost {
            self.grpc_tell(vm, context, call, news, what, callback);
        }
    }

    /// Nothing has ended the call in time.
    pub(in crate::host::reference) fn grpc_late(&mut self, call: u32) {
        let Some(open) = self.world().grpc.cut(call) else {
            return;
        };
        let news = News::Closed {
            code: LATE,
            message: b"timeout".to_vec(),
        };
        let (what, callback) = words(&news);
        self.grpc_tell(open.vm, open.context, call, news, what, callback);
    }

    fn grpc_tell(
        &mut self,
        vm: usize,
        context: u32,
        call: u32,
        mut news: News,
        what: &str,
        callback: &'static str,
    ) {
        let faults = self.faults;
        if self.world().context(vm, context).is_none() {
            return;
        }
        let mut size = match &news {
            News::Initial(all) | News::Trailing(all) => all.len() as u64,
            News::Message(bytes) => bytes.len() as u64,
            News::Closed { .. } => 0,
        };
        let mut shown = u64::from(call);
        if faults.planted() {
            if faults.made_of(&["grpc", what, "wrong_id"]) {
                shown += 7000;
            }
            size += u64::from(faults.made_of(&["grpc", what, "one_more"]));
            spoil(faults, &mut news);
        }
        let code = match &news {
            News::Closed { .. } if faults.is("grpc_close_status_is_zero") => 0,
            News::Closed { code, .. } => u64::from(*code),
            _ => 0,
        };
        let args = [
            ("plugin_context_id", u64::from(context)),
            ("call_id", shown),
            ("num_elements", size),
            ("message_size", size),
            ("status_code", code),
        ];
        self.world().grpc.current = Some(news);
        self.call(vm, callback, context, &args);
        self.world().grpc.current = None;
    }
}

/// The word that faults have for it, and its callback.
fn words(news: &News) -> (&'static str, &'static str) {
    match news {
        News::Initial(_) => ("initial_metadata", "proxy_on_grpc_receive_initial_metadata"),
        News::Message(_) => ("message", "proxy_on_grpc_receive"),
        News::Trailing(_) => (
            "trailing_metadata",
            "proxy_on_grpc_receive_trailing_metadata",
        ),
        News::Closed { .. } => ("close", "proxy_on_grpc_close"),
    }
}

/// Faults: what can be read is not what came.
fn spoil(faults: Faults, news: &mut News) {
    match news {
        News::Initial(all) if faults.is("grpc_initial_metadata_is_cut") => drop(all.pop()),
        News::Trailing(all) if faults.is("grpc_trailing_metadata_is_cut") => drop(all.pop()),
        News::Message(bytes) if faults.is("grpc_message_is_cut") => drop(bytes.pop()),
        _ => {}
    }
}
