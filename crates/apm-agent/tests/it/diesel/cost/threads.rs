//! Connections that are used at once.

use super::*;

#[test]
fn eight_threads_see_what_one_sees() {
    let recorder = Checked::uncompressed();
    let pool = towns(&recorder, 8);
    let alone = shown(&spans_of(&recorder, &pool, work));
    assert_eq!(alone.len(), 6);
    let start = Barrier::new(8);
    recorder.run(|agent| {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut connection = pool.get().unwrap();
                    start.wait();
                    for _ in 0..5 {
                        agent
                            .transaction("GET /", "request")
                            .run(|| work(&mut connection));
                    }
                });
            }
        });
    });
    let spans = recorder.take().spans;
    let mut of: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for span in &spans {
        of.entry(span["transaction_id"].as_str().unwrap())
            .or_default()
            .push(span.clone());
    }
    assert_eq!(of.len(), 40);
    for spans in of.values() {
        assert_eq!(shown(spans), alone);
    }
}
