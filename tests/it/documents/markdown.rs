//! As much of Markdown as the documents use.

/// A code block, fenced or indented.
pub struct Block {
    /// What follows the opening fence, e.g. `yaml`; empty for an indented block.
    pub language: String,
    pub text: String,
}

/// The parts of a document that can be checked.
#[derive(Default)]
pub struct Markdown {
    /// The anchors of the headings, as GitHub makes them.
    pub anchors: Vec<String>,
    /// The targets of links, e.g. `../README.md#install`.
    pub links: Vec<String>,
    pub blocks: Vec<Block>,
    /// The texts between backticks.
    pub spans: Vec<String>,
}

impl Markdown {
    pub fn parse(text: &str) -> Self {
        let mut found = Self::default();
        let mut prose = String::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if let Some(language) = line.strip_prefix("```") {
                let code: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
                found.add_block(language, &code);
            } else if let Some(first) = line.strip_prefix("    ") {
                let mut code = vec![first];
                while let Some(next) = lines.peek().and_then(|next| next.strip_prefix("    ")) {
                    code.push(next);
                    lines.next();
                }
                found.add_block("", &code);
            } else {
                if line.starts_with('#') {
                    found.add_anchor(line.trim_start_matches('#').trim());
                }
                // A blank line ends a paragraph, and with it what an odd backtick began.
                prose.push_str(if line.is_empty() { "\n" } else { line });
                prose.push(' ');
            }
        }
        for paragraph in prose.lines() {
            found.read_paragraph(paragraph);
        }
        found
    }

    fn add_block(&mut self, language: &str, code: &[&str]) {
        self.blocks.push(Block {
            language: language.to_owned(),
            text: code.join("\n") + "\n",
        });
    }

    fn add_anchor(&mut self, heading: &str) {
        let kept = heading
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let anchor: String = kept
            .flat_map(char::to_lowercase)
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let same = self
            .anchors
            .iter()
            .filter(|other| **other == anchor)
            .count();
        self.anchors.push(match same {
            0 => anchor,
            _ => format!("{anchor}-{same}"),
        });
    }

    fn read_paragraph(&mut self, paragraph: &str) {
        let mut outside = String::new();
        for (number, part) in paragraph.split('`').enumerate() {
            if number % 2 == 0 {
                outside.push_str(part);
            } else {
                self.spans.push(part.to_owned());
            }
        }
        let targets = outside.split("](").skip(1);
        let targets = targets.filter_map(|rest| rest.split(')').next());
        self.links.extend(targets.map(str::to_owned));
    }
}

#[test]
fn parts_of_a_document_are_found() {
    let text = "# A `b` c!\n\ntext `code\nspan` [l`a`](x.md#y)\n\n    make a\n    make b\n\n```yaml\nk: v\n```\n## A b c\n";
    let found = Markdown::parse(text);
    assert_eq!(found.anchors, ["a-b-c", "a-b-c-1"]);
    assert_eq!(found.links, ["x.md#y"]);
    assert_eq!(found.spans, ["b", "code span", "a"]);
    let blocks = found.blocks.iter().map(|b| (&*b.language, &*b.text));
    let blocks: Vec<_> = blocks.collect();
    assert_eq!(blocks, [("", "make a\nmake b\n"), ("yaml", "k: v\n")]);
}
