//! Wishes about maps of fields.
//!
//! A field that is there several times, or without a value, has no one right answer by the text: wishes
//! that would show it are left out.

use crate::fuzz::model::world::{Reach, World, map_name};
use crate::fuzz::plan::{Data, Field, Map, Op};
use crate::fuzz::program::{Arg, Call, Effect};

/// No message has more fields of ours.
const MOST: usize = 12;

impl World<'_> {
    /// The call for a wish about a map, if it has one right answer.
    pub(super) fn field_op(&mut self, op: &Op) -> Option<Call> {
        match op {
            Op::Get(map, key) => self.get(*map, key),
            Op::Pairs(map) => self.pairs(*map),
            Op::Size(map) => {
                let call = self.whole("proxy_get_header_map_size", *map)?;
                Some(call.blind())
            }
            Op::SetPairs(map, fields) => self.set_pairs(*map, fields),
            Op::Add(map, key, value) => self.add(*map, key, *value),
            Op::Replace(map, key, value) => self.replace(*map, key, *value),
            Op::Remove(map, key) => self.remove(*map, key),
            _ => None,
        }
    }

    /// A call on a map that there is not.
    fn unknown(
        &self,
        hostcall: &'static str,
        map: Map,
        mut with: Vec<(&'static str, Arg)>,
    ) -> Option<Call> {
        let Map::Unknown(number) = map else {
            return None;
        };
        with.insert(0, ("map_id", Arg::Number(number.into())));
        Some(Call::new(
            hostcall,
            with,
            format!("{hostcall}/BAD_ARGUMENT"),
        ))
    }

    fn arg(map: Map) -> Option<(&'static str, Arg)> {
        Some(("map_id", Arg::Word(map_name(map)?.to_owned())))
    }

    /// The requirement that lets the plugin at a map here.
    fn row(map: Map, reach: Reach, writes: bool) -> Option<String> {
        let verb = if writes { "write" } else { "read" };
        let how = match reach {
            Reach::Passing => verb.to_owned(),
            Reach::Paused => format!("{verb}_paused"),
            Reach::Log if !writes => "log".to_owned(),
            Reach::Answer if !writes => "read".to_owned(),
            Reach::AddOnly if writes => "add_in_body".to_owned(),
            // The text calls these readable only.
            _ => return None,
        };
        Some(format!("maps/{}.{how}", map_name(map)?))
    }

    fn values(&self, map: Map, key: &str) -> Vec<Data> {
        let fields = self.maps.get(&map).map(Vec::as_slice).unwrap_or_default();
        let own = fields.iter().filter(|(k, _)| *k == key);
        own.map(|(_, v)| *v).collect()
    }

    /// A call on all of a map.
    fn whole(&self, hostcall: &'static str, map: Map) -> Option<Call> {
        if let Some(call) = self.unknown(hostcall, map, Vec::new()) {
            return Some(call);
        }
        let reach = self.reach(map).filter(|r| *r != Reach::AddOnly)?;
        let call = Call::new(hostcall, vec![Self::arg(map)?], format!("{hostcall}/OK"));
        Some(call.and(Self::row(map, reach, false)?))
    }

    fn get(&self, map: Map, key: &'static str) -> Option<Call> {
        const NAME: &str = "proxy_get_header_map_value";
        let key_arg = ("key", Arg::Data(Data::Text(key)));
        if let Some(call) = self.unknown(NAME, map, vec![key_arg.clone()]) {
            return Some(call);
        }
        let reach = self.reach(map).filter(|r| *r != Reach::AddOnly)?;
        let row = match self.values(map, key)[..] {
            [] => format!("{NAME}/NOT_FOUND"),
            [one] if !one.is_empty() => format!("{NAME}/OK"),
            _ => return None,
        };
        let call = Call::new(NAME, vec![Self::arg(map)?, key_arg], row);
        Some(call.and(Self::row(map, reach, false)?))
    }

    fn pairs(&self, map: Map) -> Option<Call> {
        let call = self.whole("proxy_get_header_map_pairs", map)?;
        let fields = self.maps.get(&map).map(Vec::as_slice).unwrap_or_default();
        // What becomes of a field without a value is not said.
        fields.iter().all(|(_, v)| !v.is_empty()).then_some(call)
    }

    /// Whether a map may be changed here, and by which requirement.
    fn writable(&self, map: Map) -> Option<String> {
        Self::row(map, self.reach(map)?, true)
    }

    fn set_pairs(&mut self, map: Map, fields: &[Field]) -> Option<Call> {
        const NAME: &str = "proxy_set_header_map_pairs";
        let pair = |(k, v): &Field| ((*k).to_owned(), *v);
        let own: Vec<(String, Data)> = fields.iter().map(pair).collect();
        let pairs_arg = |pairs| ("pairs", Arg::Pairs(pairs));
        if let Some(call) = self.unknown(NAME, map, vec![pairs_arg(own.clone())]) {
            return Some(call);
        }
        // Heads hold what a message needs beside these fields, and that is the proxy's own business.
        let trailers = matches!(map, Map::Trailers(_)) && self.reach(map) != Some(Reach::AddOnly);
        let valued = fields.iter().all(|(_, v)| !v.is_empty());
        if !trailers || !valued || fields.is_empty() {
            return None;
        }
        let row = self.writable(map)?;
        self.maps.insert(map, fields.to_vec());
        let call = Call::new(
            NAME,
            vec![Self::arg(map)?, pairs_arg(own)],
            format!("{NAME}/effect"),
        );
        Some(
            call.and(format!("{NAME}/replaces_all"))
                .and(row)
                .doing(Effect::Fields(map)),
        )
    }

    fn add(&mut self, map: Map, key: &'static str, value: Data) -> Option<Call> {
        const NAME: &str = "proxy_add_header_map_value";
        let with = vec![
            ("key", Arg::Data(Data::Text(key))),
            ("value", Arg::Data(value)),
        ];
        if let Some(call) = self.unknown(NAME, map, with.clone()) {
            return Some(call);
        }
        let row = self.writable(map)?;
        let fields = self.maps.entry(map).or_default();
        if value.is_empty() || fields.len() >= MOST {
            return None;
        }
        let old = fields.iter().any(|(k, _)| *k == key);
        fields.push((key, value));
        let what = if old { "keeps_old" } else { "effect" };
        let with = [vec![Self::arg(map)?], with].concat();
        let call = Call::new(NAME, with, format!("{NAME}/{what}"));
        Some(call.and(row).doing(Effect::Field(map, key)))
    }

    fn replace(&mut self, map: Map, key: &'static str, value: Data) -> Option<Call> {
        const NAME: &str = "proxy_replace_header_map_value";
        let with = vec![
            ("key", Arg::Data(Data::Text(key))),
            ("value", Arg::Data(value)),
        ];
        if let Some(call) = self.unknown(NAME, map, with.clone()) {
            return Some(call);
        }
        let row = self.writable(map)?;
        let there = self.values(map, key).len();
        if value.is_empty() || there > 1 || self.reach(map) == Some(Reach::AddOnly) {
            return None;
        }
        let fields = self.maps.entry(map).or_default();
        fields.retain(|(k, _)| *k != key);
        fields.push((key, value));
        let what = if there == 1 { "effect" } else { "adds" };
        let with = [vec![Self::arg(map)?], with].concat();
        let call = Call::new(NAME, with, format!("{NAME}/{what}"));
        Some(call.and(row).doing(Effect::Field(map, key)))
    }

    fn remove(&mut self, map: Map, key: &'static str) -> Option<Call> {
        const NAME: &str = "proxy_remove_header_map_value";
        let with = vec![("key", Arg::Data(Data::Text(key)))];
        if let Some(call) = self.unknown(NAME, map, with.clone()) {
            return Some(call);
        }
        let row = self.writable(map)?;
        let fields = self.maps.get_mut(&map)?;
        // Whether trailers without a field are trailers is not said.
        let left = fields.iter().filter(|(k, _)| *k != key).count();
        if matches!(map, Map::Trailers(_)) && left == 0 {
            return None;
        }
        let what = match fields.len() - left {
            0 => "OK.absent",
            1 => "effect",
            _ => "all_values",
        };
        fields.retain(|(k, _)| *k != key);
        let with = [vec![Self::arg(map)?], with].concat();
        let call = Call::new(NAME, with, format!("{NAME}/{what}"));
        Some(call.and(row).doing(Effect::Field(map, key)))
    }
}
