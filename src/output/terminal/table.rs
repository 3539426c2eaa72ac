//! Draws tables. The only file that knows comfy-table.

use comfy_table::{CellAlignment, ContentLineStyle, LineStyle, TableStyle};

use super::layout::{self, Breaks, Layout, Part, Widths};
use super::line::Line;
use super::wrap::wrap;
use crate::diag::printable;
use crate::output::sparkline;
use crate::report::document::{Align, Cell, Column, Meaning, Span, TIE, Table, TableKind};

/// No frame and no vertical lines: space between the columns.
const LIST: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none())
    .content_lines(ContentLineStyle::none());
/// The same with a rule below the titles.
const FIGURES: TableStyle = LIST.header_separator(LineStyle::none().fill('─').junction('─'));

/// Between the columns of a list.
const LIST_LAYOUT: Layout = Layout {
    breaks: Breaks::Never,
    gap: 2,
};

/// The lines of a table at most `width` wide, in parts if it is too wide for one.
pub fn parts(table: &Table, width: usize) -> Vec<Vec<Line>> {
    let columns: Vec<Drawn> = table
        .columns
        .iter()
        .map(|column| draw(table, column))
        .collect();
    match table.kind {
        TableKind::Figures => figures(table, &columns, width),
        TableKind::List => vec![list(table, &columns, width)],
    }
}

/// A column whose cells are lines.
struct Drawn {
    name: String,
    unit: String,
    align: Align,
    cells: Vec<Line>,
    /// Of the widest cell.
    width: usize,
}

fn draw(table: &Table, column: &Column) -> Drawn {
    let cells = aligned(&column.cells);
    let name = printable::line(&column.name);
    Drawn {
        name: match table.kind {
            TableKind::Figures => name.into_owned(),
            TableKind::List => name.to_uppercase(),
        },
        unit: printable::line(&column.unit).into_owned(),
        align: column.align,
        width: cells.iter().map(Line::width).max().unwrap_or(0),
        cells,
    }
}

/// Puts the parts of a column's cells below each other.
fn aligned(cells: &[Cell]) -> Vec<Line> {
    let widest = |width: fn(&Cell) -> usize| cells.iter().map(width).max().unwrap_or(0);
    let marks_width = |cell: &Cell| {
        cell.marks
            .iter()
            .map(|mark| mark.text.chars().count())
            .sum()
    };
    let spread = widest(|cell| cell.spread.chars().count());
    let count = widest(|cell| cell.count.chars().count());
    let marks = widest(marks_width);
    let line = |cell: &Cell| {
        let mut line = Line::default();
        let mut put = |span: &Span| line.push(span.meaning, &printable::line(&span.text));
        put(&cell.value);
        if !cell.trend.is_empty() {
            let space = if cell.value.text.is_empty() { "" } else { " " };
            put(&Span::plain(format!(
                "{space}{}",
                sparkline::trend(&cell.trend)
            )));
        }
        if cell.spread.is_empty() && cell.count.is_empty() && cell.marks.is_empty() {
            return line;
        }
        for (part, width) in [(&cell.spread, spread), (&cell.count, count)] {
            if width > 0 {
                put(&Span::plain(format!(" {part:>width$}")));
            }
        }
        cell.marks.iter().for_each(put);
        line.pad(marks - marks_width(cell));
        line
    };
    cells.iter().map(line).collect()
}

fn figures(table: &Table, columns: &[Drawn], width: usize) -> Vec<Vec<Line>> {
    let widths: Vec<Widths> = columns
        .iter()
        .map(|column| Widths::new(&column.name, &column.unit, column.width))
        .collect();
    let parts = layout::fit(&widths, table.keys, width);
    let lines = |part: Part| {
        let columns: Vec<&Drawn> = part
            .columns
            .iter()
            .filter_map(|at| columns.get(*at))
            .collect();
        let (head, rows) = rows(&columns, part.layout, TableKind::Figures);
        let caption =
            (!table.caption.is_empty()).then(|| Line::new(Meaning::Strong, &table.caption));
        caption.into_iter().chain(head).chain(rows).collect()
    };
    parts.into_iter().map(lines).collect()
}

/// Where a list is too wide, what follows its keys is below each row, by name.
fn list(table: &Table, columns: &[Drawn], width: usize) -> Vec<Line> {
    let gaps = LIST_LAYOUT.gap * columns.len().saturating_sub(1);
    let taken = columns.iter().map(full_width).sum::<usize>() + gaps;
    let keys = if taken > width {
        table.keys
    } else {
        columns.len()
    };
    let (beside, below) = columns.split_at(keys.min(columns.len()));
    let beside: Vec<&Drawn> = beside.iter().collect();
    let indent = beside
        .first()
        .map_or(0, |first| full_width(first) + LIST_LAYOUT.gap);
    let room = width.saturating_sub(indent);
    let (mut lines, rows) = rows(&beside, LIST_LAYOUT, TableKind::List);
    for (at, row) in rows.into_iter().enumerate() {
        lines.push(row);
        let named = below.iter().filter_map(|column| {
            let text = column.cells.get(at)?.text();
            let text = format!("{}: {}", column.name.to_lowercase(), text.trim());
            (!text.ends_with(": ")).then(|| text.replace(' ', &TIE.to_string()))
        });
        let named = named.collect::<Vec<_>>().join(", ");
        let mut put = |spans: &[Span]| {
            for line in wrap(spans, room, 0) {
                let mut indented = Line::default();
                indented.pad(indent);
                indented.append(&line);
                lines.push(indented);
            }
        };
        put(&[Span::plain(named)]);
        for paragraph in table.details.get(at).into_iter().flatten() {
            put(paragraph);
        }
    }
    lines
}

fn full_width(column: &Drawn) -> usize {
    column.width.max(column.name.chars().count())
}

/// Draws columns: the lines of the head, and one for each row.
fn rows(columns: &[&Drawn], layout: Layout, kind: TableKind) -> (Vec<Line>, Vec<Line>) {
    let align = |column: &Drawn| match column.align {
        Align::Left => CellAlignment::Left,
        Align::Right => CellAlignment::Right,
    };
    let cell =
        |column: &Drawn, text: String| comfy_table::Cell::new(text).set_alignment(align(column));
    let titles: Vec<Vec<String>> = columns
        .iter()
        .map(|column| layout::title(&column.name, &column.unit, layout.breaks))
        .collect();
    let height = titles.iter().map(Vec::len).max().unwrap_or(0);
    let mut table = comfy_table::Table::new();
    // Where a style has a rule, each column has one more space instead of a vertical line.
    let (style, rule) = match kind {
        TableKind::Figures => (FIGURES, 1),
        TableKind::List => (LIST, 0),
    };
    table.load_style(style);
    let has_head = titles.iter().flatten().any(|line| !line.is_empty());
    if has_head {
        table.set_header(columns.iter().zip(&titles).map(|(column, title)| {
            // A short title is right above its figures.
            let above = "\n".repeat(height - title.len());
            cell(column, above + &title.join("\n"))
        }));
    }
    let count = columns
        .iter()
        .map(|column| column.cells.len())
        .max()
        .unwrap_or(0);
    for at in 0..count {
        table.add_row(columns.iter().map(|column| {
            let text = column.cells.get(at).map_or_else(String::new, Line::text);
            cell(column, text)
        }));
    }
    let last = columns.len().saturating_sub(1);
    for (at, column) in table.column_iter_mut().enumerate() {
        let gap = if at == last { 0 } else { layout.gap - rule };
        column.set_padding((0, u16::try_from(gap).unwrap_or(0)));
    }
    let text = table.trim_fmt();
    let mut lines = text.lines();
    let head: Vec<&str> = lines
        .by_ref()
        .take(if has_head { height + rule } else { 0 })
        .collect();
    // The last rows may be empty.
    let rows = lines.chain(std::iter::repeat("")).take(count);
    let head = head.iter().map(|line| Line::new(Meaning::Dim, line));
    let rows = rows.enumerate().map(|(at, row)| {
        let cells = columns.iter().filter_map(|column| column.cells.get(at));
        with_meanings(row, cells)
    });
    (head.collect(), rows.collect())
}

/// A row as it was drawn, with the meanings of its cells. Between the cells are only spaces.
fn with_meanings<'a>(row: &str, cells: impl Iterator<Item = &'a Line>) -> Line {
    let mut line = Line::default();
    let mut rest = row;
    for (meaning, text) in cells.flat_map(Line::runs) {
        let text = text.trim();
        let start = rest.len() - rest.trim_start().len();
        let (space, from_text) = rest.split_at(start);
        let Some(after) = from_text.strip_prefix(text) else {
            break;
        };
        line.push(Meaning::Plain, space);
        line.push(*meaning, text);
        rest = after;
    }
    line.push(Meaning::Plain, rest);
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cell(value: &str, spread: &str, count: &str, mark: &str) -> Cell {
        Cell {
            value: Span::plain(value),
            spread: spread.to_owned(),
            count: count.to_owned(),
            marks: (!mark.is_empty())
                .then(|| Span::new(Meaning::Warning, mark))
                .into_iter()
                .collect(),
            ..Cell::default()
        }
    }

    #[test]
    fn parts_are_below_each_other() {
        let texts =
            |cells: &[Cell]| -> Vec<String> { aligned(cells).iter().map(Line::text).collect() };
        let plain = [cell("4805", "±100", "", ""), cell("938", "±19", "", "")];
        assert_eq!(texts(&plain), ["4805 ±100", "938  ±19"]);
        let all = [
            cell("4805", "±100", "×7", "*"),
            cell("938", "±19", "×12", ""),
            Span::plain("✗1").into(),
        ];
        assert_eq!(texts(&all), ["4805 ±100  ×7*", "938  ±19 ×12 ", "✗1"]);
    }

    #[test]
    fn a_list_that_is_too_wide_has_its_last_columns_below_the_rows() {
        let word = |text: &str| vec![text.to_owned()];
        let list = Table {
            kind: TableKind::List,
            columns: vec![
                Column::words("run", word("0badcafe")),
                Column::words("state", word("running, 7/118 cells")),
                Column::words("next", word("netplan attach 0badcafe, or cancel")),
            ],
            keys: 2,
            details: vec![vec![vec![Span::new(Meaning::Warning, "busy")]]],
            ..Table::default()
        };
        let at = |width| -> String {
            let lines = parts(&list, width).concat();
            lines.iter().map(|line| line.text() + "\n").collect()
        };
        assert_eq!(
            at(80),
            "RUN       STATE                 NEXT\n\
             0badcafe  running, 7/118 cells  netplan attach 0badcafe, or cancel\n          busy\n"
        );
        assert_eq!(
            at(60),
            "RUN       STATE\n\
             0badcafe  running, 7/118 cells\n          next: netplan attach 0badcafe, or cancel\n\
             \x20         busy\n"
        );
    }

    proptest! {
        /// Whatever the cells hold, drawn rows have them in their order, each with its meaning.
        #[test]
        fn rows_keep_all_cells_and_their_meanings(
            rows in prop::collection::vec(("[a-z✗日 ]{0,6}", "[a-z]{0,3}", "( \\?[0-9])?"), 1..6),
            width in 10usize..60,
        ) {
            let first = rows.iter().map(|(a, ..)| Cell::from(Span::new(Meaning::Failed, a)));
            let second = rows.iter().map(|(_, b, c)| cell(b, "", "", c));
            let columns = vec![
                Column { cells: first.collect(), ..Column::words("a", []) },
                Column::figures("b", "", second.collect::<Vec<_>>()),
            ];
            let table = Table { columns, keys: 1, ..Table::default() };
            let lines: Vec<Line> = parts(&table, width).concat();
            let letters = |meaning: Meaning| -> String {
                let runs = lines.iter().skip(2).flat_map(Line::runs);
                let texts = runs.filter(|(m, _)| *m == meaning).map(|(_, text)| text.as_str());
                texts.collect::<String>().replace(' ', "")
            };
            let failed: String = rows.iter().map(|(a, ..)| a.replace(' ', "")).collect();
            let warned: String = rows.iter().map(|(.., c)| c.replace(' ', "")).collect();
            prop_assert_eq!(letters(Meaning::Failed), failed);
            prop_assert_eq!(letters(Meaning::Warning), warned);
        }
    }
}
