fn main() {
    for path in std::env::args().skip(1) {
        let b = std::fs::read(&path).unwrap();
        let mut best = std::time::Duration::MAX;
        for _ in 0..20 {
            let s = wasmer::Store::default();
            let t = std::time::Instant::now();
            wasmer::Module::new(&s, &b).unwrap();
            best = best.min(t.elapsed());
        }
        println!("{path} {} bytes best {best:?}", b.len());
    }
}
