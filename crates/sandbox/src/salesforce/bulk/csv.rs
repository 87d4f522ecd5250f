//! Comma-separated values, with the separator that a job asks for.

/// The rows of a text; none when a quotation never ends.
pub(super) fn read(text: &str, delimiter: char) -> Option<Vec<Vec<String>>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rows = Vec::new();
    let mut row: Vec<String> = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut began = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                cell.push('"');
                letters.next();
            }
            '"' if quoted => quoted = false,
            _ if quoted => cell.push(letter),
            '"' if cell.is_empty() => {
                quoted = true;
                began = true;
            }
            '\r' if letters.peek() == Some(&'\n') => {}
            '\n' => {
                if began || !cell.is_empty() || !row.is_empty() {
                    row.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
                began = false;
            }
            _ if letter == delimiter => {
                row.push(std::mem::take(&mut cell));
                began = true;
            }
            _ => {
                cell.push(letter);
                began = true;
            }
        }
    }
    if quoted {
        return None;
    }
    if began || !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    Some(rows)
}

/// A line with every cell in quotes, without its end.
pub(super) fn line(cells: impl IntoIterator<Item = impl AsRef<str>>, delimiter: char) -> String {
    let quoted: Vec<String> =
        cells.into_iter().map(|cell| format!("\"{}\"", cell.as_ref().replace('"', "\"\""))).collect();
    quoted.join(&delimiter.to_string())
}
