//! Plans, plays, judges, compares with snapshots, and says what happened as record lines.
//!
//! Does not know how a run is shown, nor what was typed.

mod adapter;
mod campaign;
mod canaries;
mod canary;
pub mod clock;
mod drift;
mod duel;
mod entries;
mod gating;
pub mod health;
mod hosts;
mod mend;
mod plan;
mod play;
mod probe;
mod prove;
mod rejudge;
mod run;
mod seat;
mod slots;
mod snapshot;
mod specs;
mod varies;

pub use adapter::behind;
pub use campaign::{Found, Search, Searched, campaign};
pub use canaries::canaries;
pub use canary::Canary;
pub use drift::*;
pub use duel::{Duel, Opponent, Pair};
pub use entries::*;
pub use gating::lacks;
pub use hosts::*;
pub use mend::*;
pub use plan::*;
pub use play::*;
pub use probe::*;
pub use prove::*;
pub use rejudge::*;
pub use run::*;
pub use slots::judge_attempt;
pub use snapshot::*;
pub use specs::{OWN, Specs};
