//! Metrics of a job.
//!
//! Silent (S18): a counter can be set; a histogram's value is what was recorded last, and it cannot be
//! incremented. Silent (S19): a name that is defined again with its type keeps its id; with another
//! type it is `BAD_ARGUMENT`.

use crate::host::reference::call::Call;
use crate::host::reference::status::{Fail, Status};

/// All metrics of a job; the id is the place, from 1.
#[derive(Debug, Default)]
pub(super) struct Metrics(Vec<Metric>);

#[derive(Debug)]
struct Metric {
    /// The text's name of its type.
    kind: String,
    name: Vec<u8>,
    value: u64,
}

impl Metrics {
    fn get(&mut self, id: u32) -> Option<&mut Metric> {
        self.0.get_mut((id as usize).checked_sub(1)?)
    }
}

/// `proxy_define_metric`.
pub(super) fn define(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let name = match c.check_out("metric_id").and_then(|()| c.bytes("name")) {
        Err(_) if c.wrong("define_metric_bad_pointer_is_ok") => return Ok(()),
        name => name?,
    };
    let Some(kind) = c.member("metric_type") else {
        return if c.wrong("define_metric_unknown_type_is_ok") {
            Ok(())
        } else {
            Err(Status::BadArgument.into())
        };
    };
    let metrics = &mut c.world().metrics;
    let known = metrics.0.iter().position(|m| m.name == name);
    let at = match known {
        Some(at) if metrics.0[at].kind != kind => return Err(Status::BadArgument.into()),
        Some(at) => at,
        None => {
            metrics.0.push(Metric {
                kind: kind.to_owned(),
                name,
                value: 0,
            });
            metrics.0.len() - 1
        }
    };
    if c.wrong("define_metric_writes_nothing") {
        return Ok(());
    }
    let equal = c.wrong("define_metric_ids_are_equal");
    let id = if equal { 1 } else { at as u32 + 1 };
    Ok(c.out_u32("metric_id", id)?)
}

/// `proxy_record_metric`.
pub(super) fn record(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let (id, value, faults) = (c.u32("metric_id"), c.word("value"), c.faults());
    let Some(metric) = c.world().metrics.get(id) else {
        return unknown(c, "record_metric_unknown_is_ok");
    };
    if faults.is("record_metric_adds") {
        metric.value = metric.value.wrapping_add(value);
    } else if faults.is("record_metric_is_cut") {
        metric.value = u64::from(value as u32);
    } else {
        metric.value = value;
    }
    Ok(())
}

/// `proxy_increment_metric`: a counter never falls, nothing falls below 0 or rises beyond 64 bits.
pub(super) fn increment(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    let (id, faults) = (c.u32("metric_id"), c.faults());
    let delta = c.word("delta").cast_signed();
    let Some(metric) = c.world().metrics.get(id) else {
        return unknown(c, "increment_metric_unknown_is_ok");
    };
    let applies = match metric.kind.as_str() {
        "COUNTER" => delta >= 0,
        "GAUGE" => true,
        _ => false,
    };
    let sum = metric.value.checked_add_signed(delta);
    match sum {
        Some(sum) if applies => {
            let kept = match metric.kind.as_str() {
                "COUNTER" => faults.is("increment_counter_has_no_effect"),
                _ if delta < 0 => faults.is("decrement_gauge_has_no_effect"),
                _ => faults.is("increment_gauge_has_no_effect"),
            };
            if !kept {
                metric.value = sum;
            }
            Ok(())
        }
        _ if faults.is("increment_counter_down_is_ok") => Ok(()),
        _ => Err(Status::BadArgument.into()),
    }
}

/// `proxy_get_metric`.
pub(super) fn get(c: &mut Call<'_, '_>) -> Result<(), Fail> {
    match c.check_out("value") {
        Err(_) if c.wrong("get_metric_bad_pointer_is_ok") => return Ok(()),
        checked => checked?,
    }
    let id = c.u32("metric_id");
    let Some(metric) = c.world().metrics.get(id) else {
        return unknown(c, "get_metric_unknown_is_ok");
    };
    let value = metric.value;
    if c.wrong("get_metric_writes_nothing") {
        return Ok(());
    }
    Ok(c.out_u64("value", value)?)
}

fn unknown(c: &Call<'_, '_>, fault: &str) -> Result<(), Fail> {
    if c.wrong(fault) {
        return Ok(());
    }
    Err(Status::NotFound.into())
}
