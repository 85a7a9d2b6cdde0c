//! What is printed: everything passes here, and secrets of profiles are left out of it.
//!
//! Does not know what is printed, nor which values are secrets: it is told them.

use std::sync::{Mutex, PoisonError};

use crate::record::redact;

/// What no line may show.
static SECRETS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// From now on these values are left out.
pub(crate) fn hide(secrets: impl IntoIterator<Item = String>) {
    let mut all = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    all.extend(secrets);
    all.sort_by_key(|s| std::cmp::Reverse(s.len()));
    all.dedup();
}

/// A text without them.
pub(crate) fn hidden(text: &str) -> String {
    let all = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    redact(text, &all)
}

macro_rules! told {
    ($($text:tt)*) => { ::anstream::print!("{}", $crate::cli::out::hidden(&format!($($text)*))) };
}
macro_rules! told_line {
    () => { ::anstream::println!() };
    ($($text:tt)*) => { ::anstream::println!("{}", $crate::cli::out::hidden(&format!($($text)*))) };
}
macro_rules! warned {
    ($($text:tt)*) => { ::anstream::eprint!("{}", $crate::cli::out::hidden(&format!($($text)*))) };
}
macro_rules! warned_line {
    ($($text:tt)*) => { ::anstream::eprintln!("{}", $crate::cli::out::hidden(&format!($($text)*))) };
}

pub(crate) use {told as print, told_line as println, warned as eprint, warned_line as eprintln};
