//! Fields as messages of the protocol carry them.
//!
//! Does not know what they mean.

use crate::case::Fields;
use crate::host::stdio::protocol::{self, Bytes};

/// As the protocol carries them.
pub(super) fn sent(fields: &Fields) -> protocol::Fields {
    let both = fields.iter();
    both.map(|(k, v)| (Bytes::of(k), Bytes::of(v))).collect()
}

/// As they came over the protocol.
pub(super) fn came(fields: protocol::Fields) -> Fields {
    fields.into_iter().map(|(k, v)| (k.0, v.0)).collect()
}
