//! The lines of a source file, and the places that its parser names.

use proc_macro2::LineColumn;

/// What an editor may write before the first line. The parser doesn't count it.
pub const MARK: char = '\u{feff}';

/// The lines of a text.
pub struct Lines<'a> {
    text: &'a str,
    begins: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub fn of(text: &'a str) -> Lines<'a> {
        let after = text.match_indices('\n').map(|(place, _)| place + 1);
        Lines { text, begins: std::iter::once(0).chain(after).collect() }
    }

    /// The bytes before a place.
    pub fn offset(&self, place: LineColumn) -> usize {
        let begin = self.begins.get(place.line - 1).copied().unwrap_or(self.text.len());
        let line = &self.text[begin..];
        let mark = usize::from(begin == 0 && place.column > 0 && line.starts_with(MARK));
        begin + line.chars().take(place.column + mark).map(char::len_utf8).sum::<usize>()
    }

    /// The white space at the beginning of a line, and where that ends.
    pub fn indentation(&self, place: LineColumn) -> (&str, usize) {
        let begin = self.offset(LineColumn { column: 0, ..place });
        let line = &self.text[begin..];
        let length = line.len() - line.trim_start_matches([' ', '\t']).len();
        (&line[..length], begin + length)
    }
}
