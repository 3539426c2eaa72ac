//! A table before it is drawn: what stands where, and what fits beside what.

use crate::diag::printable;

/// A table without lines and layout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// What tells it from the other grids of its test; may be empty.
    pub caption: String,
    pub columns: Vec<Column>,
    /// The first so many columns say what a row is; they are repeated when the grid is split.
    pub keys: usize,
}

/// A column, its title and its fields from top to bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// May break at hyphens.
    pub name: String,
    /// Stands below the name; may be empty.
    pub unit: String,
    /// Words at the left; figures at the right.
    pub words: bool,
    pub fields: Vec<String>,
}

impl Column {
    /// The title's lines.
    pub fn title(&self, breaks: Breaks) -> Vec<String> {
        let mut lines = break_name(&self.name, breaks);
        if !self.unit.is_empty() {
            lines.push(self.unit.clone());
        }
        lines
    }

    fn width(&self, breaks: Breaks) -> usize {
        let title = self.title(breaks);
        let texts = title.iter().chain(&self.fields);
        texts.map(|text| text.chars().count()).max().unwrap_or(0)
    }
}

/// Where the names in a heading break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaks {
    Never,
    /// After the last hyphen, which is where a name's most particular part begins.
    Last,
    /// After the hyphen that gives the narrowest column.
    Narrowest,
}

/// How a grid is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub breaks: Breaks,
    /// Spaces between two columns.
    pub gap: usize,
}

/// From the airiest to the tightest.
const LAYOUTS: [Layout; 6] = {
    const fn layout(breaks: Breaks, gap: usize) -> Layout {
        Layout { breaks, gap }
    }
    [
        layout(Breaks::Never, 3),
        layout(Breaks::Never, 2),
        layout(Breaks::Last, 3),
        layout(Breaks::Last, 2),
        layout(Breaks::Narrowest, 3),
        layout(Breaks::Narrowest, 2),
    ]
};

/// A grid, or a part of one, with a layout in which it fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub grid: Grid,
    pub layout: Layout,
}

impl Grid {
    /// Lays the grid out for a width, as airily as it goes: in one block, else in several that
    /// repeat the key columns.
    pub fn fit(&self, width: usize) -> Vec<Block> {
        self.neutral().fit_neutral(width)
    }

    /// The same with its texts made safe to show, before their widths count.
    fn neutral(&self) -> Grid {
        let line = |text: &String| printable::line(text).into_owned();
        let columns = self.columns.iter().map(|column| Column {
            name: line(&column.name),
            unit: line(&column.unit),
            words: column.words,
            fields: column.fields.iter().map(line).collect(),
        });
        Grid {
            caption: line(&self.caption),
            columns: columns.collect(),
            keys: self.keys,
        }
    }

    fn fit_neutral(&self, width: usize) -> Vec<Block> {
        if let Some(block) = self.block(width) {
            return vec![block];
        }
        let (keys, rest) = self.columns.split_at(self.keys.min(self.columns.len()));
        let grid = |columns: &[Column]| Grid {
            caption: self.caption.clone(),
            columns: [keys, columns].concat(),
            keys: self.keys,
        };
        let mut parts = Vec::new();
        let mut from = 0;
        for to in 1..=rest.len() {
            let fits = rest
                .get(from..=to)
                .is_some_and(|columns| grid(columns).block(width).is_some());
            if !fits {
                parts.push(grid(rest.get(from..to).unwrap_or_default()));
                from = to;
            }
        }
        let [.., tightest] = LAYOUTS;
        parts
            .into_iter()
            .map(|grid| {
                grid.block(width).unwrap_or(Block {
                    grid,
                    layout: tightest,
                })
            })
            .collect()
    }

    /// In the airiest layout that fits; none when none does.
    fn block(&self, width: usize) -> Option<Block> {
        LAYOUTS
            .into_iter()
            .find(|layout| self.width(*layout) <= width)
            .map(|layout| Block {
                grid: self.clone(),
                layout,
            })
    }

    fn width(&self, layout: Layout) -> usize {
        let columns = self
            .columns
            .iter()
            .map(|column| column.width(layout.breaks));
        columns.sum::<usize>() + layout.gap * self.columns.len().saturating_sub(1)
    }
}

/// Breaks a name after a hyphen into two lines.
fn break_name(name: &str, breaks: Breaks) -> Vec<String> {
    let split = |at: usize| (&name[..=at], &name[at + 1..]);
    let longest = |(a, b): (&str, &str)| a.chars().count().max(b.chars().count());
    let mut hyphens = name
        .match_indices('-')
        .map(|(at, _)| split(at))
        .filter(|(_, rest)| !rest.is_empty());
    let lines = match breaks {
        Breaks::Never => None,
        Breaks::Last => hyphens.next_back(),
        Breaks::Narrowest => hyphens.min_by_key(|lines| longest(*lines)),
    };
    match lines {
        Some((first, second)) => vec![first.to_owned(), second.to_owned()],
        None => vec![name.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_break_after_hyphens() {
        let broken = |name| break_name(name, Breaks::Last);
        assert_eq!(broken("same-node-pod"), ["same-node-", "pod"]);
        assert_eq!(broken("hairpin"), ["hairpin"]);
        assert_eq!(broken("trailing-"), ["trailing-"]);
        assert_eq!(
            break_name("same-node-pod", Breaks::Narrowest),
            ["same-", "node-pod"]
        );
        assert_eq!(
            break_name("same-node-pod", Breaks::Never),
            ["same-node-pod"]
        );
    }

    #[test]
    fn a_grid_that_is_too_wide_is_split_and_loses_nothing() {
        let column = |name: &str| Column {
            name: name.to_owned(),
            unit: String::new(),
            words: false,
            fields: vec!["123456".to_owned()],
        };
        let mut grid = Grid {
            caption: String::new(),
            columns: vec![column("key")],
            keys: 1,
        };
        grid.columns
            .extend((0..20).map(|i| column(&format!("path-{i}"))));
        for width in [1, 20, 40, 80, 200] {
            let blocks = grid.fit(width);
            let names: Vec<&str> = blocks
                .iter()
                .flat_map(|block| &block.grid.columns[1..])
                .map(|column| column.name.as_str())
                .collect();
            let all: Vec<&str> = grid.columns[1..].iter().map(|c| c.name.as_str()).collect();
            assert_eq!(names, all, "at width {width}");
            assert!(blocks.iter().all(|b| b.grid.columns[0].name == "key"));
            if width >= 20 {
                assert!(blocks.iter().all(|b| b.grid.width(b.layout) <= width));
            }
        }
    }
}
