//! Terminal, HTML, and what machines read: records in, bytes out. Rendering twice gives the same bytes.
//!
//! Does not know how a run is made, and asks no clock, file system or network. Text of hosts is
//! hostile until [`safe`] or the HTML template's escaping has seen it.

pub mod adaptation;
mod again;
mod copies;
pub mod diff;
mod groups;
pub mod html;
pub mod json;
pub mod machine;
mod safe;
mod style;
pub mod terminal;
mod view;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;

pub use again::*;
pub use copies::copies;
pub use groups::*;
pub use safe::*;
pub use style::*;
pub use view::*;
