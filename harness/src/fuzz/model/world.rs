//! What exists at one moment of a program.
//!
//! Does not know which wishes change it.

use std::collections::BTreeMap;

use crate::abi::Abi;
use crate::fuzz::model::Limits;
use crate::fuzz::plan::{Buffer, Data, Field, Map, Metric, Place, Plan, Way};

/// A shared value.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared {
    /// It was set.
    pub(super) set: bool,
    /// The name under which its number was kept, and whether the value is still the one that was read.
    pub(super) cas: Option<(String, bool)>,
}

/// A queue.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    /// The name under which its id was kept.
    pub(super) id: String,
    /// How many items it has.
    pub(super) items: usize,
}

/// A metric.
#[derive(Debug, Clone)]
pub(super) struct Defined {
    /// The name under which its id was kept.
    pub(super) id: String,
    /// What kind.
    pub(super) kind: Metric,
    /// Its value, once it is known.
    pub(super) value: Option<i128>,
}

/// How a map is within reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// It passes here.
    Passing,
    /// Its message waits.
    Paused,
    /// It may be read for the log.
    Log,
    /// It is the answer to a call.
    Answer,
    /// It does not exist yet and may be added to.
    AddOnly,
}

/// Everything at one moment.
pub(super) struct World<'a> {
    pub(super) abi: &'a Abi,
    pub(super) limits: &'a Limits,
    /// The callback that runs.
    pub(super) place: Place,
    /// Fields by map; a map that does not exist is missing.
    pub(super) maps: BTreeMap<Map, Vec<Field>>,
    /// Bodies that are held whole, and their sizes.
    pub(super) bodies: BTreeMap<Way, u64>,
    /// Bodies whose message has passed whole or that never come.
    pub(super) answer: u64,
    /// The place in which the message waits, while it does.
    pub(super) held: Option<Place>,
    /// The place in which the stream is going to wait.
    pub(super) waits: Option<Place>,
    /// The plugin has answered itself.
    pub(super) local: Option<Way>,
    pub(super) shared: BTreeMap<&'static str, Shared>,
    pub(super) queues: BTreeMap<&'static str, Queue>,
    pub(super) metrics: BTreeMap<&'static str, Defined>,
    /// How many names were given out.
    pub(super) named: usize,
    pub(super) configs: (Data, Data),
}

impl<'a> World<'a> {
    pub(super) fn new(plan: &Plan, abi: &'a Abi, limits: &'a Limits) -> World<'a> {
        let mut maps = BTreeMap::new();
        for (way, message) in [
            (Way::Request, &plan.request),
            (Way::Response, &plan.response),
        ] {
            maps.insert(Map::Headers(way), message.fields.clone());
            if !message.trailers.is_empty() {
                maps.insert(Map::Trailers(way), message.trailers.clone());
            }
        }
        maps.insert(Map::CallHeaders, plan.answer.fields.clone());
        if !plan.answer.trailers.is_empty() {
            maps.insert(Map::CallTrailers, plan.answer.trailers.clone());
        }
        World {
            abi,
            limits,
            place: Place::VmStart,
            maps,
            bodies: BTreeMap::new(),
            answer: plan.answer.body.iter().map(|d| d.len()).sum(),
            held: None,
            waits: None,
            local: None,
            shared: BTreeMap::new(),
            queues: BTreeMap::new(),
            metrics: BTreeMap::new(),
            named: 0,
            configs: plan.configs,
        }
    }

    /// A name that was not given out yet.
    pub(super) fn fresh(&mut self) -> String {
        self.named += 1;
        format!("v{}", self.named)
    }

    /// The stage of the message that runs or waits.
    fn stage(&self) -> Option<(Place, Reach)> {
        match (self.place, self.held) {
            (Place::Answer, Some(held)) => Some((held, Reach::Paused)),
            (place, _) if place.way().is_some() => Some((place, Reach::Passing)),
            _ => None,
        }
    }

    /// How a map is within reach now; `None`: the text does not say that it is.
    pub(super) fn reach(&self, map: Map) -> Option<Reach> {
        let exists = self.maps.contains_key(&map);
        match map {
            Map::CallHeaders | Map::CallTrailers => {
                (self.place == Place::Answer && exists).then_some(Reach::Answer)
            }
            Map::Unknown(_) => None,
            Map::Headers(way) | Map::Trailers(way) => {
                if self.place == Place::Log {
                    let there = exists && self.local.is_none_or(|l| l > way);
                    return there.then_some(Reach::Log);
                }
                let (stage, reach) = self.stage()?;
                let wanted = match (map, way) {
                    (Map::Headers(_), Way::Request) => Place::RequestHeaders,
                    (Map::Headers(_), Way::Response) => Place::ResponseHeaders,
                    (_, Way::Request) => Place::RequestTrailers,
                    (_, Way::Response) => Place::ResponseTrailers,
                };
                let body = match way {
                    Way::Request => Place::RequestBody,
                    Way::Response => Place::ResponseBody,
                };
                // Added trailers are held back with their body.
                let resume = format!("proxy_on_{}/resume", body.callback());
                let stays = self.waits != Some(stage) || !self.limits.rows.contains(&resume);
                let adds = matches!(map, Map::Trailers(_)) && stage == body && stays;
                if stage == wanted && exists {
                    Some(reach)
                } else if adds && reach == Reach::Passing {
                    // The last of a body that has no trailers: the model runs body callbacks then only.
                    Some(Reach::AddOnly)
                } else {
                    None
                }
            }
        }
    }

    /// The size of a buffer within reach, and how; `Ok(None)`: the text says that it is not available.
    /// `Err`: the text leaves it free.
    pub(super) fn buffer(&self, buffer: Buffer) -> Result<Option<(u64, Reach)>, ()> {
        let start = self.place.starting();
        match buffer {
            Buffer::Configuration
                if start && self.abi.hostcall("proxy_get_configuration").is_none() =>
            {
                let (vm, plugin) = self.configs;
                let own = if self.place == Place::VmStart {
                    vm
                } else {
                    plugin
                };
                Ok(Some((own.len(), Reach::Passing)))
            }
            Buffer::Configuration | Buffer::Unknown(_) => Err(()),
            // What there is before the first stream the text says of no buffer.
            _ if start => Err(()),
            Buffer::CallBody if self.place == Place::Answer => {
                Ok(Some((self.answer, Reach::Answer)))
            }
            Buffer::CallBody | Buffer::GrpcMessage => Ok(None),
            Buffer::Body(way) => {
                let Some((stage, reach)) = self.stage() else {
                    return Err(());
                };
                let trailers = match way {
                    Way::Request => Place::RequestTrailers,
                    Way::Response => Place::ResponseTrailers,
                };
                let body = match way {
                    Way::Request => Place::RequestBody,
                    Way::Response => Place::ResponseBody,
                };
                let held = self.bodies.get(&way).copied();
                match held {
                    Some(size) if stage == body => Ok(Some((size, reach))),
                    Some(size) if stage == trailers && reach == Reach::Passing => {
                        Ok(Some((size, Reach::Paused)))
                    }
                    _ if stage.way() == Some(way) => Err(()),
                    // The other way's body does not pass here.
                    _ if reach == Reach::Passing => Ok(None),
                    _ => Err(()),
                }
            }
        }
    }
}

/// The text's name of a buffer.
pub(super) fn buffer_name(buffer: Buffer, place: Place) -> Option<&'static str> {
    Some(match buffer {
        Buffer::Body(Way::Request) => "HTTP_REQUEST_BODY",
        Buffer::Body(Way::Response) => "HTTP_RESPONSE_BODY",
        Buffer::CallBody => "HTTP_CALL_RESPONSE_BODY",
        Buffer::GrpcMessage => "GRPC_CALL_MESSAGE",
        Buffer::Configuration if place == Place::VmStart => "VM_CONFIGURATION",
        Buffer::Configuration => "PLUGIN_CONFIGURATION",
        Buffer::Unknown(_) => return None,
    })
}

/// The text's name of a map.
pub(in crate::fuzz) fn map_name(map: Map) -> Option<&'static str> {
    Some(match map {
        Map::Headers(Way::Request) => "HTTP_REQUEST_HEADERS",
        Map::Headers(Way::Response) => "HTTP_RESPONSE_HEADERS",
        Map::Trailers(Way::Request) => "HTTP_REQUEST_TRAILERS",
        Map::Trailers(Way::Response) => "HTTP_RESPONSE_TRAILERS",
        Map::CallHeaders => "HTTP_CALL_RESPONSE_HEADERS",
        Map::CallTrailers => "HTTP_CALL_RESPONSE_TRAILERS",
        Map::Unknown(_) => return None,
    })
}

/// What a wish may change.
pub(super) struct Changing {
    maps: BTreeMap<Map, Vec<Field>>,
    bodies: BTreeMap<Way, u64>,
    shared: BTreeMap<&'static str, Shared>,
    queues: BTreeMap<&'static str, Queue>,
    metrics: BTreeMap<&'static str, Defined>,
}

impl World<'_> {
    /// All that a wish may change, as it is now.
    pub(super) fn changing(&self) -> Changing {
        Changing {
            maps: self.maps.clone(),
            bodies: self.bodies.clone(),
            shared: self.shared.clone(),
            queues: self.queues.clone(),
            metrics: self.metrics.clone(),
        }
    }

    /// Takes a wish back.
    pub(super) fn restore(&mut self, before: Changing) {
        self.maps = before.maps;
        self.bodies = before.bodies;
        self.shared = before.shared;
        self.queues = before.queues;
        self.metrics = before.metrics;
    }
}
