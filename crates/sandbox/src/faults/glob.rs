//! Path globs: `*` within a segment, `**` over segments.

/// Whether a path fits a glob: `*` stands for any characters of one segment, `**` for any segments.
pub fn path_matches(glob: &str, path: &str) -> bool {
    let glob: Vec<&str> = glob.trim_matches('/').split('/').collect();
    let path: Vec<&str> = path.trim_matches('/').split('/').collect();
    segments_match(&glob, &path)
}

fn segments_match(glob: &[&str], path: &[&str]) -> bool {
    match (glob.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => {
            segments_match(rest, path) || path.split_first().is_some_and(|(_, tail)| segments_match(glob, tail))
        }
        (Some((head, rest)), Some((segment, tail))) => segment_matches(head, segment) && segments_match(rest, tail),
        _ => false,
    }
}

fn segment_matches(glob: &str, segment: &str) -> bool {
    match glob.split_once('*') {
        None => glob == segment,
        Some((start, rest)) => segment.strip_prefix(start).is_some_and(|tail| {
            (0..=tail.len()).any(|at| tail.is_char_boundary(at) && segment_matches(rest, &tail[at..]))
        }),
    }
}
