//! "Did you mean": the nearest of the names that exist.

/// The one of `names` that is nearest to `wrong`, if one is near enough to be meant.
pub(crate) fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let limit = (wrong.chars().count() / 3).clamp(1, 4);
    names
        .into_iter()
        .map(|name| (distance(&wrong, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(b.1)))
        .map(|(_, name)| name)
}

/// The hint for a misspelt name.
pub(crate) fn did_you_mean<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(wrong, names).map(|name| format!("did you mean `{name}`?"))
}

/// How many letters have to be put in, left out, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut last = None;
    for (row, a) in a.chars().enumerate() {
        let mut here = vec![row + 1];
        let mut left = row + 1;
        for (column, have) in b.iter().enumerate() {
            let diagonal = at(&above, column);
            let mut cost = (diagonal + usize::from(a != *have)).min(at(&above, column + 1) + 1).min(left + 1);
            let swapped = column > 0 && last == Some(*have) && b.get(column - 1) == Some(&a);
            if swapped {
                cost = cost.min(at(&before, column - 1) + 1);
            }
            here.push(cost);
            left = cost;
        }
        before = std::mem::replace(&mut above, here);
        last = Some(a);
    }
    above.last().copied().unwrap_or(0)
}

fn at(row: &[usize], column: usize) -> usize {
    row.get(column).copied().unwrap_or(usize::MAX / 2)
}
