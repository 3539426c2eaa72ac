//! What manual pages say that help texts do not: variables of the environment, and files.

/// A variable or a file, and the commands that it concerns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub name: &'static str,
    pub text: &'static str,
    /// Empty for all commands.
    commands: &'static [&'static str],
}

impl Item {
    /// Whether it belongs on the page of a command.
    pub fn concerns(&self, command: &str) -> bool {
        self.commands.is_empty() || self.commands.contains(&command)
    }
}

const ON_CLUSTERS: &[&str] = &["run", "doctor", "status", "attach", "cancel", "clean"];
const WITH_PLANS: &[&str] = &["run", "check", "schedule", "render", "doctor"];
const WITH_PROGRESS: &[&str] = &["run", "attach", "selftest"];

/// For commands whose help text has no exit codes.
pub(super) const EXIT_CODES: &[(&str, &str)] = &[
    ("0", "success"),
    ("1", "it could not run"),
    ("2", "the command line or the plan is wrong"),
];

pub(super) const ENVIRONMENT: &[Item] = &[
    Item {
        name: "KUBECONFIG",
        text: "Kubeconfig files, separated by colons. Default: ~/.kube/config.",
        commands: ON_CLUSTERS,
    },
    Item {
        name: "HTTPS_PROXY, HTTP_PROXY, NO_PROXY",
        text: "The proxy to the API server, and the hosts that need none.",
        commands: ON_CLUSTERS,
    },
    Item {
        name: "PATH",
        text: "Where iperf3, netperf, netserver and the programs of declared tools are looked for.",
        commands: &["run", "doctor", "selftest"],
    },
    Item {
        name: "Any variable",
        text: "A plan takes the value of NAME where it says ${NAME} or ${NAME:-default}.",
        commands: WITH_PLANS,
    },
    Item {
        name: "CI",
        text: "Where it is set, and neither false nor 0, progress is shown in plain lines.",
        commands: WITH_PROGRESS,
    },
    Item {
        name: "TERM",
        text: "A terminal that is unknown or dumb gets no colors, and progress in plain lines.",
        commands: &[],
    },
    Item {
        name: "NO_COLOR, CLICOLOR, CLICOLOR_FORCE",
        text: "Switch colors off or on, unless --color does.",
        commands: &[],
    },
    Item {
        name: "SOURCE_DATE_EPOCH",
        text: "The date of the pages, in seconds since 1970. Default: the date of the release.",
        commands: &["man"],
    },
];

pub(super) const FILES: &[Item] = &[
    Item {
        name: "netplan-results/PLAN-TIME-ID/",
        text: "The directory of a run: plan.yaml (the plan as it was resolved), events.jsonl (the journal), \
               result.csv (the format of nptest), samples.csv (a row for each sample), series.csv (a row for each interval \
               of the tests that have `intervals`), environment.json, and raw/ (the output of the tools).",
        commands: &["run", "attach", "report", "import", "selftest"],
    },
    Item {
        name: "plan.yaml",
        text: "The plan that init writes unless another name is given.",
        commands: &["init"],
    },
    Item {
        name: "~/.kube/config",
        text: "The kubeconfig, unless KUBECONFIG or --kubeconfig names another one.",
        commands: ON_CLUSTERS,
    },
];
