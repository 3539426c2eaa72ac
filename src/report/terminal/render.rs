//! The report for people: tables for a terminal or a file of a given width.
//!
//! A pure function of report, width and colour; the only file that draws with comfy-table.

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, ContentLineStyle, LineStyle, Table, TableStyle};

use super::layout::Block;
use super::wrap as text;
use crate::diag::printable;
use crate::report::Report;
use crate::report::document::notes::{Notes, SKIPPED};
use crate::report::document::test_section::{self as sections, Section};
use crate::report::document::{baseline_table as ratios, heading};
use crate::report::gate::{self, Judgement, Tally};
use crate::report::gate_text;

/// Narrower than this is not tried; lines are then longer than the width.
const NARROWEST: usize = 40;

/// No frame and no vertical lines: a rule below the titles, space between the columns.
const STYLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none())
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .content_lines(ContentLineStyle::none());

const TITLE: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const BAD: Style = AnsiColor::Red.on_default();
const WARN: Style = AnsiColor::Yellow.on_default();
const GOOD: Style = AnsiColor::Green.on_default();

/// Draws the report `width` characters wide, with a newline at its end. With `colour` it has ANSI
/// escapes; what they say, a sign or a word says too.
#[must_use]
pub fn render(report: &Report, width: usize, colour: bool) -> String {
    let width = width.max(NARROWEST);
    let mut page = Page {
        text: String::new(),
        colour,
    };
    for (i, line) in text::wrap(&heading::title(report), width, "  ")
        .iter()
        .enumerate()
    {
        page.line(line, if i == 0 { TITLE } else { FAINT });
    }
    for line in heading::surroundings(report, width) {
        page.line(&line, FAINT);
    }
    let mut notes = Notes::of(report);
    let baselines = ratios::of(report);
    for section in sections::of(report, &mut notes).iter().chain(&baselines) {
        page.section(section, width);
    }
    let warnings = notes.warnings.lines(width);
    let notes = notes.render(width);
    if !notes.is_empty() {
        page.gap();
        for line in &notes {
            page.marked(line);
        }
    }
    if !warnings.is_empty() {
        page.gap();
        for line in &warnings {
            page.line(line, WARN);
        }
    }
    let damage = heading::damage(report);
    if !damage.is_empty() {
        page.gap();
        for damage in damage {
            for line in text::wrap(&format!("! {damage}"), width, "  ") {
                page.line(&line, WARN);
            }
        }
    }
    let judgements = gate::judge(report);
    if !judgements.is_empty() {
        page.gap();
        page.expectations(report, &judgements, width);
    }
    page.gap();
    let falls_short = Tally::of(&judgements).falls_short(false);
    let totals = if report.has_failures() || falls_short {
        BAD
    } else if report.is_complete() && report.counts().skipped == 0 {
        GOOD
    } else {
        WARN
    };
    for line in text::wrap(&heading::totals(report), width, "  ") {
        page.line(&line, totals);
    }
    if let Some(partial) = heading::partial(report) {
        for line in text::wrap(&partial, width, "  ") {
            page.line(&line, WARN);
        }
    }
    page.text
}

/// The text so far.
struct Page {
    text: String,
    colour: bool,
}

impl Page {
    fn gap(&mut self) {
        self.text.push('\n');
    }

    fn line(&mut self, line: &str, style: Style) {
        self.text.push_str(&self.painted(line, style));
        self.text.push('\n');
    }

    /// Every text of the page goes this way, and leaves it safe to show.
    fn painted(&self, text: &str, style: Style) -> String {
        let text = printable::line(text);
        if self.colour && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.into_owned()
        }
    }

    fn expectations(&mut self, report: &Report, judgements: &[Judgement<'_>], width: usize) {
        let totals = gate_text::totals(Tally::of(judgements));
        for line in text::wrap(&totals, width, "  ") {
            self.line(&line, TITLE);
        }
        for judged in gate_text::lines(report, judgements) {
            let style = match judged.chars().next() {
                Some('✗' | '–') => BAD,
                Some('✓') => GOOD,
                _ => WARN,
            };
            for line in text::wrap(&judged, width, "    ") {
                self.line(&line, style);
            }
        }
    }

    fn section(&mut self, section: &Section, width: usize) {
        self.gap();
        let lines = text::wrap(&format!("{}: {}", section.name, section.about), width, "  ");
        for (i, line) in lines.iter().enumerate() {
            match line.strip_prefix(&*section.name) {
                Some(rest) if i == 0 => {
                    let name = self.painted(&section.name, TITLE);
                    self.text.push_str(&name);
                    self.line(rest, Style::new());
                }
                _ => self.line(line, Style::new()),
            }
        }
        for grid in &section.grids {
            for block in grid.fit(width) {
                self.gap();
                if !grid.caption.is_empty() {
                    self.line(&grid.caption, TITLE);
                }
                for (i, line) in draw(&block).iter().enumerate() {
                    if i <= heading_lines(&block) {
                        self.line(line, FAINT);
                    } else {
                        self.marked(line);
                    }
                }
            }
        }
        let sparks: Vec<&String> = section
            .sparks
            .iter()
            .filter(|line| line.chars().count() <= width)
            .collect();
        if !sparks.is_empty() {
            self.gap();
            for line in sparks {
                self.line(line, Style::new());
            }
        }
    }

    /// A line with coloured marks of cells that have no figure, or a figure with a warning.
    fn marked(&mut self, line: &str) {
        let line = printable::line(line);
        let mut rest = &*line;
        while let Some(at) = rest.find(['✗', SKIPPED, '?']) {
            let (before, mark) = rest.split_at(at);
            let sign = mark.chars().next().unwrap_or('✗');
            let digits = mark[sign.len_utf8()..]
                .bytes()
                .take_while(u8::is_ascii_digit)
                .count();
            let (mark, after) = mark.split_at(sign.len_utf8() + digits);
            let style = match (sign, digits) {
                (_, 0) => Style::new(),
                ('✗', _) => BAD,
                _ => WARN,
            };
            self.text.push_str(before);
            let mark = self.painted(mark, style);
            self.text.push_str(&mark);
            rest = after;
        }
        self.text.push_str(rest);
        self.text.push('\n');
    }
}

/// How many lines the titles of a block take.
fn heading_lines(block: &Block) -> usize {
    let titles = block
        .grid
        .columns
        .iter()
        .map(|c| c.title(block.layout.breaks).len());
    titles.max().unwrap_or(0)
}

/// Draws a block; its widths were settled before, so nothing is left to arrange.
fn draw(block: &Block) -> Vec<String> {
    let columns = &block.grid.columns;
    let height = heading_lines(block);
    let align = |words: bool| {
        if words {
            CellAlignment::Left
        } else {
            CellAlignment::Right
        }
    };
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_header(columns.iter().map(|column| {
        // A short title stands right above its figures.
        let title = column.title(block.layout.breaks);
        let above = "\n".repeat(height - title.len());
        Cell::new(above + &title.join("\n")).set_alignment(align(column.words))
    }));
    let rows = columns.iter().map(|c| c.fields.len()).max().unwrap_or(0);
    for row in 0..rows {
        table.add_row(columns.iter().map(|column| {
            let field = column.fields.get(row).map_or("", String::as_str);
            Cell::new(field).set_alignment(align(column.words))
        }));
    }
    let last = columns.len().saturating_sub(1);
    for (i, column) in table.column_iter_mut().enumerate() {
        // One space stands for the vertical line that the style does not have.
        let gap = if i == last { 0 } else { block.layout.gap - 1 };
        column.set_padding((0, u16::try_from(gap).unwrap_or(0)));
    }
    table.trim_fmt().lines().map(str::to_owned).collect()
}
