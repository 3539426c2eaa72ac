//! `tools:`.

use crate::plan::describe::key::{
    Form, Key, Kind, List, MAPPING, Mapping, Word, hint, key, limits, words,
};
use crate::plan::model::choice::Choice;
use crate::plan::model::tools::declared::{ParameterUnit, PortProtocol, Take};
use crate::plan::model::tools::extractor::FigureUnit;

impl Choice for ParameterUnit {
    const ALL: &'static [(Self, &'static str)] = &[(Self::Bytes, ""), (Self::BitRate, "")];
}

impl Choice for PortProtocol {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::Tcp, ""), (Self::Udp, ""), (Self::Both, "")];
}

impl Choice for Take {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::First, ""),
        (Self::Last, ""),
        (Self::Sum, ""),
        (Self::Mean, ""),
        (Self::Min, ""),
        (Self::Max, ""),
    ];
}

/// The units of figures.
fn figure_units() -> Vec<Word> {
    FigureUnit::NAMES.iter().map(|name| Word { name: (*name).to_owned(), text: "", also: &[] }).collect()
}

/// What messages repeat.
const SENTENCE: Kind = Kind::Text(Form::Sentence(400));
/// A name in expressions.
const IDENTIFIER: Form = Form::Pattern("^[a-z][a-z0-9_]{0,31}$");
const DAY_S: u64 = 24 * 60 * 60;

/// Of a command line, with the program.
const MOST_ARGUMENTS: usize = 200;
const MOVE_TO_SCRIPT: &str = "move the arguments into a script, and run that";

/// Program and arguments. Arguments that belong together are a list in it.
const COMMAND: Kind = Kind::List(&List {
    item: Kind::Either(&[
        Kind::Scalar,
        Kind::List(&List {
            item: Kind::Scalar,
            example: "`[-p, '{{ port }}']`",
            is_unique: false,
        }),
    ]),
    example: "`[sockperf, server]`",
    is_unique: false,
});

/// Parameters by name.
const PARAMETERS: Kind = Kind::Names(IDENTIFIER, &Kind::Map(&PARAMETER));

/// The ports of a server.
const PORTS: Kind = Kind::List(&List {
    item: Kind::Map(&PORT),
    example: "`- { name: control, port: 11111 }`",
    is_unique: false,
});

/// Metrics by name.
const METRICS: Kind = Kind::Names(
    Form::Pattern("^[a-z][a-z0-9_]*(\\.[a-z0-9_]+)*$"),
    &Kind::Map(&METRIC),
);

const TOOL_KEYS: &[Key] = &[
    key("description", SENTENCE, "What it measures, in a sentence."),
    key("package", Kind::Text(Form::Package(100)),
        "The Debian and Ubuntu package that has its programs: `doctor` and errors say to install \
         it."),
    key("install", SENTENCE,
        "How else its programs are installed, in words that `doctor` and errors repeat."),
    key("parameters", PARAMETERS,
        "What tests of this tool may set and sweep, by name. `streams`, `rate`, `write_size`, \
         `request`, `response`, `datagram` and `mss` are known without being listed here.")
        .at_most(16, "remove those that no test sets, or declare another tool with the others"),
    key("ports", PORTS,
        "The ports that its server listens on; Services and network policies get them.")
        .at_most(16, "for a port for each path write one with `per_path: true`"),
    key("server", Kind::Map(&SERVER),
        "The program that runs at the path's destination. Omit it for tools that need none, such as \
         ping."),
    key("client", Kind::Map(&CLIENT),
        "The program that runs at the path's origin, and whose output is read.").required(),
    key("overhead", Kind::Duration(limits(0, DAY_S, "s")),
        "What a sample takes beyond warm-up and duration.").or("0s"),
    key("timeout", Kind::Duration(limits(0, DAY_S, "s")),
        "A sample that takes longer than this is killed, unless its test or `defaults:` say \
         otherwise.").or("warm-up, duration and overhead, and 10 seconds"),
    key("metrics", METRICS,
        "What the client's output says, by metric. A name of netplan's own, e.g. `throughput` or \
         `latency.p99`, is shown where the other tools' figures are shown; any other name is the \
         tool's own. What netplan itself writes of each sample, e.g. `elapsed_s`, is not among \
         them.").required().at_most(50, "remove those that you do not need, or declare another tool with the others"),
    key("headline", Kind::Text(Form::Any),
        "The metric that represents a cell in tables and in `result.csv`.").or("the first one"),
];

/// A tool that the plan declares.
pub static DECLARED_TOOL: Mapping = Mapping {
    name: "DeclaredTool",
    what: "a tool with `client` and `metrics`",
    text: "Command lines are lists of arguments, and no shell is in between. An argument with `{{ … }}` \
           is a minijinja expression over `target` (the address to dial; the client's only), `target_in_url` \
           (the same with brackets around IPv6), \
           `duration_s`, `warmup_s`, `slot` (counts the paths to one destination), `port` (the first \
           port), `ports.NAME`, and the parameters. Arguments that are a list of their own belong \
           together, and are left out where a parameter in them is not set.",
    keys: &[TOOL_KEYS],
    hints: &[
        hint(&["command", "args", "argv"], "command lines belong in `client:` and `server:`, as `command: […]`"),
        hint(&["ready"], "`ready` belongs in `server:`"),
    ],
    ..MAPPING
};

const PARAMETER_KEYS: &[Key] = &[
    key("default", Kind::AnyNumber, "Its value in tests that do not set it.").or("it is not set"),
    key("unit", Kind::Word(words::<ParameterUnit>),
        "What it counts: `bytes` may be written as `1 KiB`, `bit/s` as `100 Mbit/s`.")
        .or("a plain number"),
    key("min", Kind::AnyNumber, "Its least value."),
    key("max", Kind::AnyNumber, "Its largest value."),
];

/// A parameter of a tool.
pub static PARAMETER: Mapping = Mapping {
    name: "Parameter",
    what: "a mapping with `default`, `unit`, `min` or `max`",
    keys: &[PARAMETER_KEYS],
    may_be_empty: true,
    ..MAPPING
};

const PORT_KEYS: &[Key] = &[
    key("name", Kind::Text(IDENTIFIER),
        "What expressions call it, as `ports.NAME`. Of the TCP connections to the port that is \
         named `data`, or to the only port, the kernel is asked for their effective MSS where a \
         test sets `mss`.").required(),
    key("port", Kind::Number(limits(1, u16::MAX as u64, "")), "Its number.").required(),
    key("protocol", Kind::Word(words::<PortProtocol>), "What it carries.").or("tcp"),
    key("per_path", Kind::Bool,
        "Each path to a destination has a port of its own: this number and `slot`. For data \
         connections that netperf-like tools make from a fixed port.").or("false"),
];

/// A port of a server.
pub static PORT: Mapping = Mapping {
    name: "DeclaredPort",
    what: "a port with `name` and `port`",
    keys: &[PORT_KEYS],
    hints: &[hint(&["number"], "its number is `port`")],
    ..MAPPING
};

/// The program at the destination.
pub static SERVER: Mapping = Mapping {
    name: "DeclaredServer",
    what: "a server with `command` and `ready`",
    text: "It is started for each sample, and stopped after it.",
    keys: &[&[
        key("command", COMMAND, "Program and arguments.").required().at_most(MOST_ARGUMENTS, MOVE_TO_SCRIPT),
        key("ready", Kind::Either(&[Kind::Words(&[("exited",
            "As soon as the program has exited with 0 and left a daemon behind.")]), Kind::Map(&READY)]),
            "How one knows that the client may start: the `port` of this name is open, a `line` of \
             its output contains this text, or it has exited.").required(),
    ]],
    ..MAPPING
};

const READY_KEYS: &[Key] = &[
    key("port", Kind::Text(Form::Any), "As soon as this one of `ports` is open."),
    key("line", Kind::Text(Form::Any), "As soon as a line of its output contains this text."),
];

/// How a server is ready.
pub static READY: Mapping = Mapping {
    name: "Ready",
    what: "`port` or `line`",
    one_of: || READY_KEYS,
    hints: &[hint(&["exited"], "write `ready: exited`")],
    ..MAPPING
};

/// The program at the origin.
pub static CLIENT: Mapping = Mapping {
    name: "DeclaredClient",
    what: "a client with `command`",
    keys: &[&[key(
        "command",
        COMMAND,
        "Program and arguments. One that uses `warmup_s` warms up by itself; for any other the warm-up \
         is an invocation of its own, with `duration_s` as long as that.",
    )
    .required()
    .at_most(MOST_ARGUMENTS, MOVE_TO_SCRIPT)]],
    ..MAPPING
};

const METRIC_KEYS: &[Key] = &[
    key("take", Kind::Word(words::<Take>), "Which match counts when there are several.").or("last"),
    key("unit", Kind::Word(figure_units), "The unit in which the tool prints it.").required(),
    key("optional", Kind::Bool, "The tool does not always print it, or prints null in JSON.")
        .or("false; a sample without it has failed"),
];

const SOURCE_KEYS: &[Key] = &[
    key("regex", Kind::Text(Form::Pattern(r"\(\?P?<value>")),
        "A regular expression with a group `(?<value>…)` around the number. It is searched in \
         what the client prints to stdout, and when it is not there, to stderr. `^` and `$` \
         match at every line."),
    key("json", Kind::Text(Form::Pattern("^(/([^~/]|~[01])*)*$")),
        "A JSON pointer (RFC 6901) to the number, e.g. `/end/sum/bits_per_second`. The client's \
         stdout, or the last line of it, is one JSON value."),
];

/// Where a figure is in the output.
pub static METRIC: Mapping = Mapping {
    name: "Figure",
    what: "a metric with `regex` or `json`, and `unit`",
    keys: &[METRIC_KEYS],
    one_of: || SOURCE_KEYS,
    hints: &[
        hint(&["pattern", "regexp"], "it is called `regex` here"),
        hint(&["pointer"], "it is called `json` here"),
    ],
    ..MAPPING
};
