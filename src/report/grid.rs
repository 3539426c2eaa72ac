//! A table before it is drawn: what stands where, and what fits beside what.

/// Spaces between two columns.
pub const GAP: usize = 2;

/// A table without lines and layout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
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
    /// The title's lines, with the name broken into at most `parts` lines.
    pub fn title(&self, parts: usize) -> Vec<String> {
        let mut lines = break_name(&self.name, parts);
        if !self.unit.is_empty() {
            lines.push(self.unit.clone());
        }
        lines
    }

    fn width(&self, parts: usize) -> usize {
        let title = self.title(parts);
        let texts = title.iter().chain(&self.fields);
        texts.map(|text| text.chars().count()).max().unwrap_or(0)
    }
}

/// A grid with its column titles broken so that it fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub grid: Grid,
    /// Lines a name may take.
    pub parts: usize,
}

impl Grid {
    /// Lays the grid out for a width: in one block with names whole, else broken at hyphens, else in
    /// several blocks that repeat the key columns.
    pub fn fit(&self, width: usize) -> Vec<Block> {
        let block = |grid: Grid, parts| Block { grid, parts };
        for parts in [1, 2] {
            if self.width(parts) <= width {
                return vec![block(self.clone(), parts)];
            }
        }
        let (keys, rest) = self.columns.split_at(self.keys.min(self.columns.len()));
        let grid = |columns: &[Column]| Grid {
            columns: [keys, columns].concat(),
            keys: self.keys,
        };
        let mut blocks = Vec::new();
        let mut from = 0;
        for to in 1..=rest.len() {
            let fits = rest
                .get(from..=to)
                .is_some_and(|columns| grid(columns).width(2) <= width);
            if !fits {
                blocks.push(grid(rest.get(from..to).unwrap_or_default()));
                from = to;
            }
        }
        blocks
            .into_iter()
            .map(|grid| {
                let parts = if grid.width(1) <= width { 1 } else { 2 };
                block(grid, parts)
            })
            .collect()
    }

    fn width(&self, parts: usize) -> usize {
        let columns = self.columns.iter().map(|column| column.width(parts));
        columns.sum::<usize>() + GAP * self.columns.len().saturating_sub(1)
    }
}

/// Breaks a name after hyphens into at most `parts` lines whose longest is as short as can be.
fn break_name(name: &str, parts: usize) -> Vec<String> {
    let longest = |lines: &[&str]| lines.iter().map(|l| l.chars().count()).max().unwrap_or(0);
    let mut best = vec![name];
    if parts > 1 {
        for (at, _) in name.match_indices('-') {
            let lines = vec![&name[..=at], &name[at + 1..]];
            if !lines[1].is_empty() && longest(&lines) < longest(&best) {
                best = lines;
            }
        }
    }
    best.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_break_in_the_middle() {
        assert_eq!(break_name("same-node-service", 2), ["same-node-", "service"]);
        assert_eq!(break_name("remote-pod", 2), ["remote-", "pod"]);
        assert_eq!(break_name("hairpin", 2), ["hairpin"]);
        assert_eq!(break_name("same-node-pod", 1), ["same-node-pod"]);
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
            columns: vec![column("key")],
            keys: 1,
        };
        grid.columns.extend((0..20).map(|i| column(&format!("path-{i}"))));
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
                assert!(blocks.iter().all(|b| b.grid.width(b.parts) <= width));
            }
        }
    }
}
