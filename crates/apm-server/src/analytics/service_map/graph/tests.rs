use super::*;

fn calls(count: f64) -> Total {
    Total {
        count,
        ..Total::default()
    }
}

fn graph() -> Graph {
    let mut graph = Graph::default();
    let [shop, cart, stock] = ["shop", "cart", "stock"].map(|name| graph.service(name));
    let queue = graph.called("orders", "messaging", "kafka");
    let db = graph.called("sqlite/shop", "db", "sqlite");
    graph.add(shop, cart, &calls(5.0));
    graph.add(shop, queue, &calls(3.0));
    graph.add(queue, stock, &calls(3.0));
    graph.add(cart, db, &calls(9.0));
    graph.add(stock, db, &calls(1.0));
    graph
}

fn ends(graph: &Graph) -> Vec<(String, String)> {
    let drawn = graph.drawn(99);
    let name = |place: usize| drawn.nodes[place].name.clone();
    let ends = drawn.edges.iter();
    let mut ends: Vec<_> = ends
        .map(|((from, to), _)| (name(*from), name(*to)))
        .collect();
    ends.sort();
    ends
}

#[test]
fn neighbours_reach_through_a_queue_and_not_through_a_database() {
    let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    for (service, want) in [
        (
            "shop",
            vec![
                pair("orders", "stock"),
                pair("shop", "cart"),
                pair("shop", "orders"),
            ],
        ),
        (
            "cart",
            vec![pair("cart", "sqlite/shop"), pair("shop", "cart")],
        ),
        (
            "stock",
            vec![
                pair("orders", "stock"),
                pair("shop", "orders"),
                pair("stock", "sqlite/shop"),
            ],
        ),
        ("nobody", vec![]),
    ] {
        let mut graph = graph();
        graph.keep_neighbours(|name| name == service);
        assert_eq!(ends(&graph), want, "{service}");
    }
}

#[test]
fn nodes_with_fewest_calls_are_left_out() {
    let drawn = graph().drawn(2);
    assert_eq!(drawn.left_out, 3);
    let names: Vec<_> = drawn.nodes.iter().map(|node| &*node.name).collect();
    assert_eq!(names, ["cart", "sqlite/shop"]);
    assert_eq!(drawn.edges.len(), 1);
}

#[test]
fn a_service_and_a_dependency_of_one_name_are_two_nodes() {
    let mut graph = Graph::default();
    let (one, two) = (graph.service("x"), graph.called("x", "external", "http"));
    assert_ne!(one, two);
    graph.add(one, two, &calls(1.0));
    graph.add(one, one, &calls(1.0));
    assert!(graph.has_service("x") && !graph.has_service("y"));
    assert_eq!(graph.drawn(9).nodes.len(), 2);
}
