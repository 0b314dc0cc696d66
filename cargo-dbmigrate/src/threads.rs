//! Computing on two threads at once.

use std::thread;

/// As much as the main thread usually has, since SQL of any depth is parsed.
pub const STACK: usize = 8 << 20;

/// With fewer items a thread costs more than it saves.
const FEW: usize = 64;

/// The results of two computations; the second runs on another thread meanwhile.
pub fn both<A, B: Send>(here: impl FnOnce() -> A, beside: &(impl Fn() -> B + Sync)) -> (A, B) {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, beside);
        let first = here();
        let second = thread.ok().and_then(|thread| thread.join().ok()).unwrap_or_else(beside);
        (first, second)
    })
}

/// Maps all items and keeps their order. If there are many, another thread maps half of them.
pub fn mapped<'a, T: Sync, R: Send>(items: &'a [T], map: impl Fn(&'a T) -> R + Sync) -> Vec<R> {
    let of = |items: &'a [T]| -> Vec<R> { items.iter().map(&map).collect() };
    if items.len() < FEW {
        return of(items);
    }
    let (here, beside) = items.split_at(items.len() / 2);
    let (mut results, others) = both(|| of(here), &|| of(beside));
    results.extend(others);
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mapped_stays_in_order() {
        for n in [0, 1, FEW - 1, FEW, 2 * FEW + 1] {
            let numbers: Vec<usize> = (0..n).collect();
            let doubled: Vec<usize> = numbers.iter().map(|number| number * 2).collect();
            assert_eq!(mapped(&numbers, |number| number * 2), doubled);
        }
    }
}
