//! The digest of bytes, and the digests of large bytes that passed lately: the same large body passes
//! many times in a run, and to compare bytes takes much less time than to digest them.
//!
//! Does not know what the bytes are.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The digest of nothing.
pub(super) const START: u64 = 0xcbf2_9ce4_8422_2325;

/// The prime of 64-bit FNV.
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// Shorter bytes are summed each time.
const LARGE: usize = 64 * 1024;
/// So many large bytes are remembered, the latest.
const REMEMBERED: usize = 4;
/// Longer ones are not.
const LARGEST: usize = 1024 * 1024;
/// So many sums are remembered of each: a body of ten mebibytes may be ten times the same bytes.
const SUMS: usize = 16;

/// Large bytes, and for the digest of what stood before them the digest with them.
struct Known {
    bytes: Arc<[u8]>,
    sums: Vec<(u64, u64)>,
}

/// What passed lately, the latest first.
#[derive(Default)]
struct Lately(Mutex<Vec<Known>>);

static LATELY: Lately = Lately(Mutex::new(Vec::new()));

/// The digest of what has the digest `so_far` with `bytes` behind it.
pub(super) fn digest_on(so_far: u64, bytes: &[u8]) -> u64 {
    LATELY.digest_on(so_far, bytes)
}

/// One byte more.
fn step(so_far: u64, byte: u8) -> u64 {
    (so_far ^ u64::from(byte)).wrapping_mul(PRIME)
}

fn summed(so_far: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(so_far, |sum, b| step(sum, *b))
}

/// The digests of all these bytes. Each step of a digest waits for the one before, so four are made beside
/// each other.
pub(super) fn digests(all: &[&[u8]]) -> Vec<u64> {
    let mut sums = vec![START; all.len()];
    // Of like length beside each other.
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_unstable_by_key(|i| all[*i].len());
    let (fours, rest) = order.as_chunks::<4>();
    for four in fours {
        let of = four.map(|i| all[i]);
        let made = four_digests(of);
        for (i, sum) in four.iter().zip(made) {
            sums[*i] = sum;
        }
    }
    for i in rest {
        sums[*i] = summed(START, all[*i]);
    }
    sums
}

/// The first is the shortest.
fn four_digests([a, b, c, d]: [&[u8]; 4]) -> [u64; 4] {
    let mut sums = [START; 4];
    for (((a, b), c), d) in a.iter().zip(b).zip(c).zip(d) {
        let [h, i, j, k] = sums;
        sums = [step(h, *a), step(i, *b), step(j, *c), step(k, *d)];
    }
    let rest = |sum: u64, of: &[u8]| summed(sum, of.get(a.len()..).unwrap_or_default());
    let [h, i, j, k] = sums;
    [h, rest(i, b), rest(j, c), rest(k, d)]
}

impl Lately {
    fn digest_on(&self, so_far: u64, bytes: &[u8]) -> u64 {
        if !(LARGE..=LARGEST).contains(&bytes.len()) {
            return summed(so_far, bytes);
        }
        if let Some(sum) = self.remembered(so_far, bytes) {
            return sum;
        }
        let sum = summed(so_far, bytes);
        self.remember(so_far, bytes, sum);
        sum
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remembered(&self, so_far: u64, bytes: &[u8]) -> Option<u64> {
        // Compared without the lock: others pass meanwhile.
        let candidates: Vec<(Arc<[u8]>, u64)> = {
            let known = self.lock();
            let same_length = known.iter().filter(|k| k.bytes.len() == bytes.len());
            let sum = |k: &Known| {
                let found = k.sums.iter().find(|(before, _)| *before == so_far);
                found.map(|(_, sum)| (Arc::clone(&k.bytes), *sum))
            };
            same_length.filter_map(sum).collect()
        };
        let same = candidates.into_iter().find(|(known, _)| **known == *bytes);
        same.map(|(_, sum)| sum)
    }

    fn remember(&self, so_far: u64, bytes: &[u8], sum: u64) {
        let mut known = self.lock();
        match known.iter_mut().find(|k| *k.bytes == *bytes) {
            Some(of) => {
                of.sums.truncate(SUMS - 1);
                of.sums.insert(0, (so_far, sum));
            }
            None => {
                known.truncate(REMEMBERED - 1);
                let sums = vec![(so_far, sum)];
                let bytes = bytes.into();
                known.insert(0, Known { bytes, sums });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remembered_sum_is_the_sum() {
        let lately = Lately::default();
        let pattern = |seed: u8, len: usize| -> Vec<u8> {
            let byte = |i: usize| (i as u8).wrapping_mul(31).wrapping_add(seed);
            (0..len).map(byte).collect()
        };
        // More different bytes than are remembered, each behind more different beginnings.
        for seed in 0..2 * REMEMBERED as u8 {
            let bytes = pattern(seed, LARGE + usize::from(seed % 3));
            for before in 0..2 * SUMS as u64 {
                let want = summed(before, &bytes);
                assert_eq!(lately.digest_on(before, &bytes), want);
                assert_eq!(lately.remembered(before, &bytes), Some(want));
                assert_eq!(lately.digest_on(before, &bytes), want, "again");
            }
        }
        let mut bytes = pattern(7, LARGE);
        let before = lately.digest_on(START, &bytes);
        bytes[LARGE / 2] ^= 1;
        assert_ne!(
            lately.digest_on(START, &bytes),
            before,
            "one bit is another"
        );
    }

    #[test]
    fn digests_made_beside_each_other_are_those_made_alone() {
        let texts: Vec<Vec<u8>> = (0..23u8)
            .map(|n| vec![n; usize::from(n * 7 % 11)])
            .collect();
        for count in 0..texts.len() {
            let all: Vec<&[u8]> = texts[..count].iter().map(Vec::as_slice).collect();
            let alone: Vec<u64> = all.iter().map(|b| summed(START, b)).collect();
            assert_eq!(digests(&all), alone);
        }
    }

    #[test]
    fn bytes_that_are_too_small_or_too_large_are_not_remembered() {
        let lately = Lately::default();
        for len in [LARGE - 1, LARGEST + 1] {
            let bytes = vec![b'n'; len];
            assert_eq!(lately.digest_on(5, &bytes), summed(5, &bytes));
            assert_eq!(lately.remembered(5, &bytes), None);
        }
    }
}
