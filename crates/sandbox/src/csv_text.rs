//! Comma-separated values as the bulk APIs take and give them.

use csv::{QuoteStyle, ReaderBuilder, WriterBuilder};

/// The rows of a text, whatever their lengths; none when a quotation never ends.
pub(crate) fn read(text: &str, delimiter: char) -> Option<Vec<Vec<String>>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // The reader takes the end of the text for that of the quotation.
    if text.matches('"').count() % 2 == 1 {
        return None;
    }
    let delimiter = u8::try_from(delimiter).ok()?;
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let rows = reader.records().map(|row| Some(row.ok()?.iter().map(str::to_owned).collect()));
    rows.collect()
}

/// A line without its end.
pub(crate) fn line(cells: impl IntoIterator<Item = impl AsRef<[u8]>>, delimiter: char, quoted: QuoteStyle) -> String {
    let delimiter = u8::try_from(delimiter).unwrap_or(b',');
    let mut writer = WriterBuilder::new().delimiter(delimiter).quote_style(quoted).from_writer(Vec::new());
    // Writing into memory does not fail, and cells are text.
    drop(writer.write_record(cells));
    let mut line = String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default();
    line.truncate(line.trim_end_matches('\n').len());
    line
}
