//! Layers of nodes: one more than the highest of those that lead to them, after cycles were opened.

/// The layer of each node, and which edges were turned round to open cycles.
#[derive(Debug, Default)]
pub(super) struct Ranked {
    pub(super) layers: Vec<usize>,
    pub(super) reversed: Vec<bool>,
}

/// Layers of `nodes` nodes.
pub(super) fn ranks(nodes: usize, edges: &[(usize, usize)]) -> Ranked {
    let reversed = back_edges(nodes, edges);
    let forward = |(edge, (from, to)): (usize, &(usize, usize))| match reversed[edge] {
        true => (*to, *from),
        false => (*from, *to),
    };
    let forward: Vec<(usize, usize)> = edges.iter().enumerate().map(forward).collect();
    let forward: Vec<(usize, usize)> = forward.into_iter().filter(|(a, b)| a != b).collect();
    let mut layers = longest_paths(nodes, &forward);
    pull(&mut layers, &forward);
    Ranked { layers, reversed }
}

fn outgoing(nodes: usize, edges: &[(usize, usize)]) -> Vec<Vec<(usize, usize)>> {
    let mut out = vec![Vec::new(); nodes];
    for (edge, (from, to)) in edges.iter().enumerate() {
        out[*from].push((*to, edge));
    }
    out
}

/// Edges that lead back to a node on the way to them. Ways begin at nodes that nothing leads to.
fn back_edges(nodes: usize, edges: &[(usize, usize)]) -> Vec<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        OnTheWay,
        Done,
    }
    let out = outgoing(nodes, edges);
    let mut is_called = vec![false; nodes];
    for (from, to) in edges {
        is_called[*to] |= from != to;
    }
    let first = (0..nodes).filter(|node| !is_called[*node]);
    // Nodes of cycles that nothing else leads to come last.
    let starts: Vec<usize> = first.chain(0..nodes).collect();
    let mut state = vec![State::New; nodes];
    let mut back = vec![false; edges.len()];
    for start in starts {
        if state[start] != State::New {
            continue;
        }
        state[start] = State::OnTheWay;
        let mut way = vec![(start, 0)];
        while let Some((node, next)) = way.last_mut() {
            let Some((to, edge)) = out[*node].get(*next).copied() else {
                state[*node] = State::Done;
                way.pop();
                continue;
            };
            *next += 1;
            match state[to] {
                State::New => {
                    state[to] = State::OnTheWay;
                    way.push((to, 0));
                }
                State::OnTheWay => back[edge] = true,
                State::Done => {}
            }
        }
    }
    back
}

/// The longest way to each node of a graph without cycles.
fn longest_paths(nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let out = outgoing(nodes, edges);
    let mut missing = vec![0usize; nodes];
    for (_, to) in edges {
        missing[*to] += 1;
    }
    let mut layers = vec![0; nodes];
    let mut ready: Vec<usize> = (0..nodes).filter(|node| missing[*node] == 0).collect();
    while let Some(node) = ready.pop() {
        for (to, _) in &out[node] {
            layers[*to] = layers[*to].max(layers[node] + 1);
            missing[*to] -= 1;
            if missing[*to] == 0 {
                ready.push(*to);
            }
        }
    }
    layers
}

/// Moves nodes that nothing leads to next to the first that they lead to.
fn pull(layers: &mut [usize], edges: &[(usize, usize)]) {
    let mut is_called = vec![false; layers.len()];
    let mut nearest = vec![usize::MAX; layers.len()];
    for (from, to) in edges {
        is_called[*to] = true;
        nearest[*from] = nearest[*from].min(layers[*to]);
    }
    for node in 0..layers.len() {
        if !is_called[node] && nearest[node] != usize::MAX {
            // A callee stands in layer 1 at least.
            layers[node] = nearest[node] - 1;
        }
    }
}
