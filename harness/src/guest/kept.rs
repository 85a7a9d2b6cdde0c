//! What of the prebuilt guest a module keeps: all that can be come to when the parts that its program
//! does not need are left out.
//!
//! Does not know why a program needs a part: see `layout`.

use std::collections::BTreeSet;

use crate::guest::base::{Base, Piece};
use crate::guest::{GuestError, GuestErrorKind};

/// Parts that come together: one brings the others along. Rare ones, so that the modules of a suite have
/// few different codes, each of which the reference host compiles.
const COMPANY: [&[&str]; 2] = [
    &[
        "act",
        "count",
        "from_slots",
        "new_counts",
        "operand",
        "repeat",
        "save",
        "when",
    ],
    &["area", "clear_areas", "given", "input", "number", "place"],
];

/// Which functions of the base are kept, and where among those each stands.
pub(super) struct Kept {
    places: Vec<Option<u32>>,
    /// How many.
    pub count: u32,
    /// Where `pwspec_on` stands.
    pub on: u32,
}

impl Kept {
    /// Keeps `parts`, their company and what else can be come to.
    ///
    /// # Errors
    /// The base has no such part.
    pub fn choose(base: &Base, parts: &BTreeSet<&'static str>) -> Result<Kept, GuestError> {
        let there = |part: &&&str| base.parts.iter().any(|(name, _)| name == *part);
        if let Some(part) = parts.iter().find(|part| !there(part)) {
            return Err(GuestError::new(
                GuestErrorKind::Module,
                format!("use the prebuilt guest: it has no part {part}; run `make guests`"),
            ));
        }
        let wanted = |name: &str| {
            let company = COMPANY.iter().find(|all| all.contains(&name));
            let company = company.is_some_and(|all| all.iter().any(|one| parts.contains(one)));
            company || parts.contains(name)
        };
        let left_out: Vec<u32> = base
            .parts
            .iter()
            .filter(|(name, _)| !wanted(name))
            .map(|(_, index)| *index)
            .collect();
        // Function 0 is the import.
        let mut kept = vec![false; base.bodies.len() + 1];
        let mut todo = vec![base.on];
        while let Some(index) = todo.pop() {
            if index == 0 || left_out.contains(&index) || kept[index as usize] {
                continue;
            }
            kept[index as usize] = true;
            for piece in &base.bodies[index as usize - 1] {
                if let Piece::Call(callee) = piece {
                    todo.push(*callee);
                }
            }
        }
        let mut count = 0;
        let places: Vec<Option<u32>> = kept
            .into_iter()
            .map(|kept| {
                let place = kept.then_some(count);
                count += u32::from(kept);
                place
            })
            .collect();
        let on = places[base.on as usize].unwrap_or(0);
        Ok(Kept { places, count, on })
    }

    /// The place of a function of the base, if it is kept.
    pub fn place(&self, index: u32) -> Option<u32> {
        self.places[index as usize]
    }
}
