//! Which columns of a table fit beside each other, and how far apart they are.

/// Where the names in a heading break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaks {
    Never,
    /// After the last hyphen, which is where a name's most particular part begins.
    Last,
    /// After the hyphen that gives the narrowest column.
    Narrowest,
}

/// How a table is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub breaks: Breaks,
    /// Spaces between two columns.
    pub gap: usize,
}

/// From the widest to the narrowest.
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

/// The columns of a part of a table, by their positions, with a layout in which they fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub columns: Vec<usize>,
    pub layout: Layout,
}

/// The widths of a column for each way to break its name.
#[derive(Clone, Copy, Debug)]
pub struct Widths([usize; 3]);

impl Widths {
    /// `cells` is the width of the widest cell.
    pub fn new(name: &str, unit: &str, cells: usize) -> Widths {
        let width = |breaks| {
            let title = title(name, unit, breaks);
            let widths = title.iter().map(|line| line.chars().count());
            widths.max().unwrap_or(0).max(cells)
        };
        Widths([Breaks::Never, Breaks::Last, Breaks::Narrowest].map(width))
    }

    fn at(self, breaks: Breaks) -> usize {
        self.0[breaks as usize]
    }
}

/// Lays a table out for a width, with as much space as possible: in one part, else in several that all
/// begin with the first `keys` columns.
pub fn fit(columns: &[Widths], keys: usize, width: usize) -> Vec<Part> {
    let keys = keys.min(columns.len());
    let all: Vec<usize> = (0..columns.len()).collect();
    if let Some(layout) = layout(columns, &all, width) {
        return vec![Part {
            columns: all,
            layout,
        }];
    }
    let [.., narrowest] = LAYOUTS;
    let mut parts: Vec<Part> = Vec::new();
    let (keys, rest) = all.split_at(keys);
    for column in rest {
        if let Some(last) = parts.last_mut() {
            let wider = [&*last.columns, &[*column]].concat();
            if let Some(layout) = layout(columns, &wider, width) {
                *last = Part {
                    columns: wider,
                    layout,
                };
                continue;
            }
        }
        let columns_of_part = [keys, &[*column]].concat();
        parts.push(Part {
            layout: layout(columns, &columns_of_part, width).unwrap_or(narrowest),
            columns: columns_of_part,
        });
    }
    parts
}

/// The widest layout that fits; none when none does.
fn layout(widths: &[Widths], columns: &[usize], width: usize) -> Option<Layout> {
    let taken = |layout: &Layout| {
        let columns = columns.iter().filter_map(|column| widths.get(*column));
        let sum: usize = columns.clone().map(|widths| widths.at(layout.breaks)).sum();
        sum + layout.gap * columns.count().saturating_sub(1)
    };
    LAYOUTS.into_iter().find(|layout| taken(layout) <= width)
}

/// The lines of a column's title.
pub fn title(name: &str, unit: &str, breaks: Breaks) -> Vec<String> {
    let mut lines = break_name(name, breaks);
    if !unit.is_empty() {
        lines.push(unit.to_owned());
    }
    lines
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
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn a_table_that_is_too_wide_is_split_and_loses_nothing(
            cells in prop::collection::vec(1usize..20, 1..30),
            keys in 0usize..3,
            width in 1usize..200,
        ) {
            let columns: Vec<Widths> = cells.iter().map(|cells| Widths::new("", "", *cells)).collect();
            let keys = keys.min(cells.len() - 1);
            let parts = fit(&columns, keys, width);
            let all: Vec<usize> = (0..cells.len()).collect();
            let of_parts = parts.iter().flat_map(|part| part.columns.iter().skip(keys).copied());
            let found: Vec<usize> = all[..keys].iter().copied().chain(of_parts).collect();
            prop_assert_eq!(&found, &all);
            for part in &parts {
                prop_assert_eq!(&part.columns[..keys], &all[..keys]);
                let sum: usize = part.columns.iter().map(|column| cells[*column]).sum();
                let taken = sum + part.layout.gap * (part.columns.len() - 1);
                prop_assert!(taken <= width || part.columns.len() == keys + 1);
            }
        }
    }
}
