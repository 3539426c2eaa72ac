//! What follows from which runs.

use std::ops::Range;

use netplan::compare::document::Layout;
use netplan::compare::{
    Floors, Machines, Options, Outcome, Side, Why, calibrate, compare, document,
};
use netplan::output::terminal;
use netplan::report::document::Document;
use netplan::results::MachineKey;
use netplan::statistics::judge::{Answer, Basis};

use super::runs::{Made, PLAN, PROBE_PLAN, answers, changed, limits, side, two, usual};
use crate::support::{Netplan, ROOT, snapshots};

fn slower(by: f64) -> impl Fn(&str, &str) -> Option<f64> {
    move |cell: &str, metric: &str| {
        let is_slow = cell.starts_with("iperf3-tcp/remote-service") && metric == "throughput_bps";
        Some(if is_slow { 1.0 - by } else { 1.0 })
    }
}

#[test]
fn unchanged_runs_are_alike() {
    let comparison = two(side("base", 0..4), side("new", 4..8), Options::default());
    let alike = answers(&comparison);
    assert_eq!(alike.len(), 3 + 2 + 6);
    assert!(alike.iter().all(|it| it.ends_with(" alike")), "{alike:#?}");
    assert_eq!(comparison.outcome(), Outcome::Well);
}

#[test]
fn a_slower_path_fails_by_default_and_a_limit_decides_instead() {
    let base = side("base", 0..4);
    let new = changed("new", 4..8, &slower(0.08));
    let outcome = |texts: &[&str]| two(base.clone(), new.clone(), limits(texts)).outcome();
    assert_eq!(outcome(&[]), Outcome::Worse);
    assert_eq!(outcome(&["5%"]), Outcome::Worse);
    assert_eq!(outcome(&["12%"]), Outcome::Well);
    // What no limit names is judged as without.
    assert_eq!(outcome(&["hairpin=5%"]), Outcome::Worse);
    assert_eq!(
        outcome(&["hairpin=5%", "remote-service=12%"]),
        Outcome::Well
    );
    assert_eq!(
        outcome(&["12%", "iperf3-tcp/remote-service=5%"]),
        Outcome::Worse
    );
    let found = answers(&two(base, new, Options::default()));
    let changed: Vec<&String> = found.iter().filter(|it| !it.ends_with("alike")).collect();
    assert_eq!(changed, ["iperf3-tcp remote-service throughput_bps slower"]);
}

#[test]
fn latency_and_loss_are_worse_when_they_rise() {
    let worse = |cell: &str, metric: &str| {
        Some(match metric {
            "latency_us.p99" if cell.contains("hairpin") => 1.3,
            "lost_percent" => 3.0,
            _ => 1.0,
        })
    };
    let base = side("base", 0..4);
    let new = changed("new", 4..8, &worse);
    let comparison = two(base.clone(), new.clone(), Options::default());
    let found = answers(&comparison);
    assert!(found.contains(&"netperf-tcp-rr hairpin latency_us.p99 slower".to_owned()));
    // Loss does not decide unless it is named; it is marked.
    assert!(!found.iter().any(|it| it.contains("lost")), "{found:#?}");
    let marks = &comparison.versus[0].marks;
    let lost = |mark: &&netplan::compare::Mark| mark.subject.metric == "lost_percent";
    assert!(marks.iter().find(lost).unwrap().is_worse);
    let named = two(base, new, limits(&["lost_percent=0.5%"]));
    let found = answers(&named);
    assert!(found.contains(&"iperf3-udp remote-pod lost_percent slower".to_owned()));
    assert_eq!(named.outcome(), Outcome::Worse);
}

/// Runs of the probe with an outage of so many seconds.
fn outage(name: &str, numbers: Range<u8>, seconds: f64) -> Side {
    let factor = |_: &str, metric: &str| {
        Some(match metric {
            "outage_us.longest" => seconds,
            "connections.broken" => 0.0,
            _ => 1.0,
        })
    };
    let run = |number| {
        Made {
            plan: PROBE_PLAN,
            factor: &factor,
            ..usual(number)
        }
        .run()
    };
    Side::new(name, numbers.map(run).collect())
}

#[test]
fn an_outage_is_judged_where_the_other_side_has_none() {
    let answers_of = |base, new, options| {
        let comparison = two(
            outage("base", 0..5, base),
            outage("new", 5..10, new),
            options,
        );
        let outages = answers(&comparison)
            .into_iter()
            .filter(|it| it.contains("outage") || it.contains("broken"));
        let found: Vec<String> = outages.collect();
        let text = terminal::render(
            &Document::from_comparison(&comparison, Layout::Table),
            100,
            false,
        );
        (found, comparison.outcome(), text)
    };
    let broken = "probe remote connections.broken alike".to_owned();
    let longest = |answer: &str| format!("probe remote outage_us.longest {answer}");
    let none = Options::default;
    for (base, new, answer, outcome) in [
        (0.0, 0.0, "alike", Outcome::Well),
        (0.0, 0.5, "slower", Outcome::Worse),
        (0.5, 0.0, "faster", Outcome::Well),
        (0.5, 0.505, "alike", Outcome::Well),
    ] {
        let (found, outcome_of, _) = answers_of(base, new, none());
        assert_eq!(found, [broken.clone(), longest(answer)], "{base} {new}");
        assert_eq!(outcome_of, outcome, "{base} {new}");
    }
    let (_, _, text) = answers_of(0.0, 0.5, none());
    snapshots().bind(|| insta::assert_snapshot!("compare_outage_100", text));
    // A limit is a share of the outage, and of none what counts as one.
    let (.., outcome, _) = answers_of(0.5, 0.6, limits(&["outage.longest=50%"]));
    assert_eq!(outcome, Outcome::Well);
    let (.., outcome, _) = answers_of(0.5, 0.6, limits(&["outage.longest=10%"]));
    assert_eq!(outcome, Outcome::Worse);
    let (.., outcome, _) = answers_of(0.0, 0.0, limits(&["5%"]));
    assert_eq!(outcome, Outcome::Well);
    let (.., outcome, _) = answers_of(0.0, 0.5, limits(&["50%"]));
    assert_eq!(outcome, Outcome::Worse);
}

#[test]
fn one_run_a_side_decides_nothing() {
    let base = side("base", 0..1);
    let new = changed("new", 1..2, &slower(0.5));
    for options in [Options::default(), limits(&["1%"])] {
        let comparison = two(base.clone(), new.clone(), options);
        assert_eq!(comparison.outcome(), Outcome::Well);
        let verdicts = &comparison.versus[0].verdicts;
        let undecided = verdicts
            .iter()
            .all(|it| it.judgement.answer == Answer::OneRunASide);
        assert!(undecided, "{:#?}", answers(&comparison));
    }
    let strict = Options {
        undecided_fails: true,
        ..Options::default()
    };
    assert_eq!(two(base, new, strict).outcome(), Outcome::Worse);
}

#[test]
fn a_single_new_run_is_judged_by_the_spread_of_the_others() {
    let comparison = two(
        side("base", 0..6),
        changed("new", 6..7, &slower(0.2)),
        Options::default(),
    );
    assert_eq!(comparison.outcome(), Outcome::Worse);
    let estimate = comparison.versus[0].verdicts[0].judgement.estimate.unwrap();
    assert_eq!(estimate.basis, Basis::OneSide);
}

#[test]
fn a_stored_floor_lets_one_run_a_side_decide() {
    let mut floors = Floors::default();
    floors.set(calibrate(&side("calibration", 10..20)).unwrap());
    let decide = |by: f64| {
        let new = changed("new", 1..2, &slower(by));
        let sides = (side("base", 0..1), vec![new]);
        compare(sides.0, sides.1, Options::default(), &floors)
    };
    let slow = decide(0.2);
    assert_eq!(slow.outcome(), Outcome::Worse);
    let estimate = slow.versus[0].verdicts[0].judgement.estimate.unwrap();
    assert_eq!(estimate.basis, Basis::Floor);
    let same = decide(0.0);
    assert_eq!(same.outcome(), Outcome::Well);
    assert!(answers(&same).iter().all(|it| it.ends_with("alike")));
    // The floor of another machine is none of this one's.
    let key = MachineKey {
        cpus: ["EPYC".to_owned()].into(),
        ..MachineKey::default()
    };
    assert!(floors.get(&key).is_none());
    assert!(floors.get(&MachineKey::default()).is_none());
}

#[test]
fn a_floor_is_of_the_settings_that_it_was_measured_with() {
    let side_of = |plan: &str, numbers: Range<u8>| {
        let runs = numbers.map(|number| {
            Made {
                plan,
                ..usual(number)
            }
            .run()
        });
        Side::new("x", runs.collect())
    };
    let mut floors = Floors::default();
    let is_alike = |plan: &str, floors: &Floors| {
        let (base, new) = (side_of(plan, 0..1), side_of(plan, 1..2));
        let comparison = compare(base, vec![new], Options::default(), floors);
        let path = |path: &str| {
            let mut verdicts = comparison.versus[0].verdicts.iter();
            let found =
                verdicts.find(|it| it.subject.test == "iperf3-tcp" && it.subject.path == path);
            found.unwrap().judgement.answer == Answer::Alike
        };
        assert_eq!(path("hairpin"), path("remote-pod"));
        path("hairpin")
    };
    let long = PLAN.replace("duration: 1s", "duration: 30s");
    let few = PLAN.replace("streams: 8", "streams: 2");
    floors.set(calibrate(&side_of(PLAN, 10..20)).unwrap());
    let used = [PLAN, &long, &few].map(|plan| is_alike(plan, &floors));
    assert_eq!(used, [true, false, false]);
    // Both are kept.
    floors.set(calibrate(&side_of(&long, 10..20)).unwrap());
    let used = [PLAN, &long, &few].map(|plan| is_alike(plan, &floors));
    assert_eq!(used, [true, true, false]);
}

#[test]
fn calibrating_another_plan_keeps_the_floor_of_the_first() {
    let mut floors = Floors::default();
    let floor = calibrate(&side("calibration", 10..20)).unwrap();
    let machine = floor.machine.clone();
    let mut other = floor.clone();
    for entry in &mut other.entries {
        entry.test = format!("other-{}", entry.test);
    }
    let both = floor.entries.len() + other.entries.len();
    floors.set(floor.clone());
    floors.set(other);
    floors.set(floor);
    assert_eq!(floors.get(&machine).unwrap().entries.len(), both);
}

#[test]
fn runs_of_an_unknown_machine_make_no_floor() {
    let runs = (0..4).map(|number| {
        Made {
            cpu: "",
            ..usual(number)
        }
        .run()
    });
    let error = calibrate(&Side::new("x", runs.collect())).unwrap_err();
    assert!(
        error.to_string().contains("CPU of these runs is unknown"),
        "{error}"
    );
}

#[test]
fn a_floor_is_of_enough_runs_of_one_machine() {
    let few = calibrate(&side("x", 0..3)).unwrap_err().to_string();
    assert!(few.contains("found 3"), "{few}");
    let other = Made {
        cpu: "EPYC",
        ..usual(9)
    };
    let mut mixed = side("x", 0..4);
    mixed.runs.push(other.run());
    let error = calibrate(&mixed).unwrap_err().to_string();
    assert!(error.contains("CPU: Xeon and EPYC"), "{error}");
}

#[test]
fn lost_cells_are_never_neutral() {
    let without =
        |part: &'static str| move |cell: &str, _: &str| (!cell.contains(part)).then_some(1.0);
    let base = side("base", 0..3);
    let lost = |part| {
        let new = changed("new", 3..6, &without(part));
        two(base.clone(), new, Options::default())
    };
    let cell = lost("remote-pod/mss=96");
    assert_eq!(cell.outcome(), Outcome::CellsLost);
    let versus = &cell.versus[0];
    assert_eq!(
        (versus.matching.cells.len(), versus.matching.total()),
        (13, 14)
    );
    let [unmatched] = versus.matching.unmatched.as_slice() else {
        panic!("{:?}", versus.matching.unmatched);
    };
    assert!(
        matches!(&unmatched.why, Why::Lost { reason, everywhere: true } if reason.contains("3 of 3 runs"))
    );
    // A run that stopped early does not lose the path that the others measured.
    let mut partly = side("new", 3..5);
    let torn = without("iperf3-tcp/hairpin");
    partly.runs.push(
        Made {
            factor: &torn,
            ..usual(5)
        }
        .run(),
    );
    let partly = two(base.clone(), partly, Options::default());
    assert_eq!(partly.outcome(), Outcome::CellsLost);
    assert_eq!(partly.versus[0].lost_paths, []);
    // What BASE missed once and NEW always is lost.
    let mut flaky = side("base", 0..2);
    flaky.runs.push(
        Made {
            factor: &torn,
            ..usual(2)
        }
        .run(),
    );
    let flaky = two(flaky, changed("new", 3..6, &torn), Options::default());
    assert_eq!(flaky.outcome(), Outcome::Worse);
    let path = lost("iperf3-tcp/hairpin");
    assert_eq!(path.outcome(), Outcome::Worse);
    assert_eq!(
        document::verdict_line(&path, &path.versus[0]),
        "new has no figure of iperf3-tcp on hairpin"
    );
    // The other way round nothing is lost.
    let back = two(
        changed("base", 3..6, &without("remote-pod/mss=96")),
        base,
        Options::default(),
    );
    assert_eq!(back.outcome(), Outcome::Well);
}

#[test]
fn cells_that_were_measured_differently_are_named_and_not_compared() {
    for (from, to, what) in [
        ("streams: 8", "streams: 4", "streams"),
        (
            "mss: [96, 768, 1440] }, duration: 1s",
            "mss: [96, 768, 1440] }, duration: 2s",
            "duration",
        ),
        (
            "mss: [96, 768, 1440] }, duration: 1s",
            "direction: reverse, mss: [96, 768, 1440] }, duration: 1s",
            "direction",
        ),
        (
            "from: w3, to: w2, via: pod_ip",
            "from: w3, to: w2, via: cluster_ip",
            "via",
        ),
    ] {
        let plan = PLAN.replace(from, to);
        let runs = (4..7).map(|number| {
            Made {
                plan: &plan,
                ..usual(number)
            }
            .run()
        });
        let new = Side::new("new", runs.collect());
        let comparison = two(side("base", 0..3), new, Options::default());
        let unmatched = &comparison.versus[0].matching.unmatched;
        assert!(!unmatched.is_empty(), "{what}");
        for cell in unmatched {
            let Why::MeasuredDifferently { what: found, .. } = &cell.why else {
                panic!("{cell:?}");
            };
            assert_eq!(found, what);
        }
    }
    let smaller = |_: &str, metric: &str| Some(if metric == "effective_mss" { 0.9 } else { 1.0 });
    let new = changed("new", 4..7, &smaller);
    let comparison = two(side("base", 0..3), new, Options::default());
    let unmatched = &comparison.versus[0].matching.unmatched;
    assert_eq!(unmatched.len(), 9, "{unmatched:?}");
}

#[test]
fn between_different_machines_ratios_are_compared() {
    let factor = |cell: &str, metric: &str| {
        let faster = if metric == "throughput_bps" { 2.0 } else { 1.0 };
        Some(slower(0.1)(cell, metric)? * faster)
    };
    let runs = (4..8).map(|number| {
        Made {
            cpu: "EPYC",
            factor: &factor,
            ..usual(number)
        }
        .run()
    });
    let new = Side::new("new", runs.collect());
    let comparison = two(side("base", 0..4), new.clone(), Options::default());
    let versus = &comparison.versus[0];
    assert!(matches!(&versus.machines, Machines::Different(d) if d[0].0 == "CPU"));
    let found = answers(&comparison);
    let ratio = "iperf3-tcp remote-service / remote-pod throughput_bps slower";
    assert!(found.contains(&ratio.to_owned()), "{found:#?}");
    assert!(found.iter().all(|it| it.contains(" / ")));
    assert_eq!(comparison.outcome(), Outcome::Worse);
    let factor = &versus.factors[0];
    assert_eq!(factor.metric, "throughput_bps");
    assert!((1.9..2.0).contains(&factor.value), "{factor:?}");
    // The command line can say that they are the same.
    let same = Options {
        same_machine: Some(true),
        ..Options::default()
    };
    let comparison = two(side("base", 0..4), new, same);
    assert!(answers(&comparison).iter().any(|it| it.ends_with("faster")));
}

#[test]
fn configuration_differences_are_named_and_withhold_nothing() {
    let runs = (4..8).map(|number| {
        Made {
            kernel: "6.18.2",
            ..usual(number)
        }
        .run()
    });
    let new = Side::new("new", runs.collect());
    let comparison = two(side("base", 0..4), new, Options::default());
    let versus = &comparison.versus[0];
    assert_eq!(versus.machines, Machines::Same);
    let names: Vec<&str> = versus.configuration.iter().map(|it| &*it.name).collect();
    assert_eq!(names, ["kernel"]);
    assert_eq!(comparison.outcome(), Outcome::Well);
}

#[test]
fn of_many_sides_it_is_said_which_cannot_be_told_apart() {
    let others = vec![side("two", 4..8), changed("three", 8..12, &slower(0.2))];
    let floors = Floors::default();
    let comparison = compare(side("one", 0..4), others, Options::default(), &floors);
    let pairs: Vec<(&str, &str, usize)> = comparison
        .pairs
        .iter()
        .map(|pair| (&*pair.one, &*pair.two, pair.told_apart.len()))
        .collect();
    assert_eq!(
        pairs,
        [("one", "two", 0), ("one", "three", 1), ("two", "three", 1)]
    );
    assert_eq!(comparison.outcome(), Outcome::Worse);
}

#[test]
fn the_program_reads_runs_and_folders_and_exits_by_the_outcome() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..4 {
        usual(number).write(&folder.path().join(format!("base/run-{number}")));
    }
    let slow = slower(0.1);
    for number in 4..8 {
        let made = Made {
            factor: &slow,
            ..usual(number)
        };
        made.write(&folder.path().join(format!("new/run-{number}")));
    }
    let compare = |arguments: &[&str]| {
        let netplan = Netplan::in_folder(folder.path()).env("HOME", folder.path());
        netplan.args(["compare"].iter().chain(arguments)).run()
    };
    compare(&["base", "new"])
        .expect(4)
        .says("new is slower: iperf3-tcp on remote-service")
        .says("judged 14 of 14 cells");
    compare(&["base", "new", "--fail-on", "20%"]).expect(0);
    compare(&["base", "new", "--only", "path=hairpin"])
        .expect(0)
        .says("judged 4 of 4 cells");
    compare(&["base/run-0", "new/run-4"])
        .expect(0)
        .says("undecided (one run a side)");
    compare(&["base/run-0", "new/run-4", "--undecided", "fail"]).expect(4);
    let sides = [
        "--base",
        "base/run-0",
        "base/run-1",
        "--new",
        "new/run-4",
        "new/run-5",
    ];
    compare(&sides).expect(4);
    compare(&["base", "new", "base/run-1"])
        .expect(4)
        .says("cannot be told apart");
    compare(&["--calibrate", "base"])
        .expect(0)
        .says("stored how much 4 runs differ");
    compare(&["base/run-0", "new/run-4"])
        .expect(4)
        .says("stored A/A floor");
    // Entries of version 1 do not say how they were measured.
    std::fs::write(
        folder.path().join("old.json"),
        r#"{"version": 1, "floors": []}"#,
    )
    .unwrap();
    compare(&["base/run-0", "new/run-4", "--floor", "old.json"])
        .expect(1)
        .says("`old.json` has version 1 of the file of A/A floors")
        .says("calibrate again");
    for (arguments, says) in [
        (&["base"][..], "there is nothing to compare"),
        (
            &["base", "nowhere"],
            "`nowhere` is neither a run's directory",
        ),
        (
            &["base", "new", "--fail-on", "hairpn=5%"],
            "did you mean `hairpin`?",
        ),
        (&["base", "new", "--fail-on", "x"], "`x` is not a limit"),
        (&["base", "new", "--only", "path=none"], "none"),
        (&["--calibrate", "base/run-0"], "found 1"),
        (
            &["--base", "base/run-0", "base/run-0", "--new", "new/run-4"],
            "are the same run",
        ),
        (
            &["--base", "base/run-0", "new/run-4"],
            "`--base` takes all 2 runs that follow it",
        ),
        (
            &["base/run-0", "--new", "new/run-4"],
            "`--new` needs its other side in `--base`",
        ),
        (
            &["base", "new", "--fail-on", "iperf3-udp/hairpin=5%"],
            "`--fail-on iperf3-udp/hairpin=…` fits nothing",
        ),
    ] {
        compare(arguments).expect(2).says(says);
    }
}

/// Two setups of a published comparison, two runs each, as they were published.
#[test]
fn results_of_iperf3_are_compared_without_an_import() {
    let home = tempfile::tempdir().unwrap();
    let setups = ["calico", "kubeovn"].map(|name| format!("{ROOT}/tests/data/cni-2024/{name}"));
    let netplan = Netplan::in_folder(home.path()).env("HOME", home.path());
    let compared = netplan
        .args([&["compare".to_owned()], &setups[..]].concat())
        .run();
    compared
        .expect(4)
        .says("kubeovn compared with calico")
        .says("kubeovn is slower: iperf3-tcp on dts")
        .says("measured differently: datagram 8898 and 8848");
}
