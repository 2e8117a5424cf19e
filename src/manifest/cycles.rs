//! Cycles in `dependsOn`.

use std::collections::HashMap;

/// Returns each cycle once, as the positions of its members in order, beginning with the smallest.
/// `edges[i]` are the positions that `i` depends on.
pub(super) fn cycles(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    let mut finished = vec![false; edges.len()];
    for start in 0..edges.len() {
        visit(start, edges, &mut finished, &mut found);
    }
    found
}

/// Walks everything reachable from `start`, without recursion: a chain may be long.
fn visit(start: usize, edges: &[Vec<usize>], finished: &mut [bool], found: &mut Vec<Vec<usize>>) {
    if finished.get(start).copied().unwrap_or(true) {
        return;
    }
    let mut path = vec![start];
    let mut place_on_path = HashMap::from([(start, 0)]);
    let mut next_edge = vec![0];
    while let (Some(&node), Some(edge)) = (path.last(), next_edge.last_mut()) {
        let target = edges.get(node).and_then(|targets| targets.get(*edge)).copied();
        *edge += 1;
        let Some(target) = target else {
            path.pop();
            next_edge.pop();
            place_on_path.remove(&node);
            if let Some(flag) = finished.get_mut(node) {
                *flag = true;
            }
            continue;
        };
        if let Some(&from) = place_on_path.get(&target) {
            found.push(from_smallest(path.get(from..).unwrap_or_default()));
        } else if !finished.get(target).copied().unwrap_or(true) {
            place_on_path.insert(target, path.len());
            path.push(target);
            next_edge.push(0);
        }
    }
}

fn from_smallest(cycle: &[usize]) -> Vec<usize> {
    let smallest = cycle.iter().enumerate().min_by_key(|(_, node)| **node);
    let place = smallest.map_or(0, |(place, _)| place);
    let (before, after) = cycle.split_at(place);
    [after, before].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cycle_is_found_once_and_a_diamond_is_none() {
        let diamond = [vec![1, 2], vec![3], vec![3], vec![]];
        let ring = [vec![1], vec![2], vec![0], vec![0]];
        let alone = [vec![0]];

        assert_eq!(cycles(&diamond), Vec::<Vec<usize>>::new());
        assert_eq!(cycles(&ring), [vec![0, 1, 2]]);
        assert_eq!(cycles(&alone), [vec![0]]);
    }
}
