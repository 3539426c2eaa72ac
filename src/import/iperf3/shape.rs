//! What a recorded test asked for, apart from the size: equal shapes are one test of a plan.

use crate::catalog::{IPERF3, Transport};
use crate::diag::{Problem, quote};
use crate::plan::sweep::Sweep;
use crate::plan::units::{BitRate, Duration};
use crate::plan::{BuiltInUse, OptionValue, Repeat, Timing, ToolSpec};
use crate::schedule::{Param, Params};
use crate::tools::Settings;

/// The size of iperf3's TCP writes where none is asked for (`DEFAULT_TCP_BLKSIZE`).
const TCP_WRITE_BYTES: u64 = 128 * 1024;

/// What a recorded test asked for, apart from the size. In the order in which plans list their tests.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shape {
    is_udp: bool,
    /// Traffic goes from the server to the client.
    pub is_reverse: bool,
    streams: u64,
    rate_bps: Option<u64>,
    write_bytes: Option<u64>,
    window_bytes: Option<u64>,
    /// An MSS was asked for.
    sets_mss: bool,
    /// Seconds.
    duration: u64,
    omit: u64,
}

impl Default for Shape {
    /// What iperf3 does when it is asked for nothing.
    fn default() -> Self {
        Self {
            is_udp: false,
            is_reverse: false,
            streams: 1,
            rate_bps: None,
            write_bytes: None,
            window_bytes: None,
            sets_mss: false,
            duration: 10,
            omit: 0,
        }
    }
}

impl Shape {
    /// The shape and the size of a recorded test: the MSS that was asked for, or the datagram's payload.
    /// `measured_s` is the duration of a test of so many bytes, which has none.
    ///
    /// # Errors
    /// For tests that netplan does not have.
    pub fn from_settings(
        settings: &Settings,
        measured_s: f64,
    ) -> Result<(Shape, Option<u64>), Problem> {
        let is_udp = match &*settings.protocol {
            "TCP" => false,
            "UDP" => true,
            other => {
                let what = format!("a test of the protocol {}", quote(other));
                return Err(Problem::without_place(what).help("netplan imports TCP and UDP"));
            }
        };
        if settings.is_bidirectional {
            let what = "a test in both directions at once (`--bidir`)";
            return Err(Problem::without_place(what)
                .help("netplan imports tests with one direction; measure each by itself"));
        }
        let duration = match settings.duration_s {
            // Plans have whole seconds.
            0 => std::time::Duration::try_from_secs_f64(measured_s.round())
                .map_or(1, |measured| measured.as_secs().max(1)),
            seconds => seconds,
        };
        let block = Some(settings.block_bytes).filter(|bytes| *bytes > 0);
        let write_bytes = block.filter(|bytes| !is_udp && *bytes != TCP_WRITE_BYTES);
        let shape = Shape {
            is_udp,
            is_reverse: settings.is_reverse,
            streams: settings.streams,
            rate_bps: settings.rate_bps,
            write_bytes,
            window_bytes: settings.window_bytes,
            sets_mss: !is_udp && settings.mss.is_some(),
            duration,
            omit: settings.omit_s,
        };
        let size = if is_udp { block } else { settings.mss };
        let used = shape.tool(size.map(Sweep::One));
        for (option, values) in &used.options {
            let OptionValue::Numbers(Sweep::One(value)) = values else {
                continue;
            };
            let limits = IPERF3.option(option).map(|option| &option.limits);
            if limits.is_some_and(|limits| !limits.contains(value)) {
                let what = format!("{} {value} is outside of netplan's limits", quote(option));
                return Err(Problem::without_place(what).help(format!(
                    "`netplan explain tests.iperf3.{option}` prints them"
                )));
            }
        }
        Ok((shape, size))
    }

    /// The tool with its options. `sizes` are the MSS or the datagrams.
    pub fn tool(&self, sizes: Option<Sweep<u64>>) -> BuiltInUse {
        let transport = if self.is_udp {
            Transport::Udp
        } else {
            Transport::Tcp
        };
        let mode = IPERF3.modes.iter().find(|mode| mode.transport == transport);
        let used = BuiltInUse::with_defaults(&IPERF3, mode.unwrap_or(IPERF3.default_mode()));
        let used = used.with(Param::Streams.name(), self.streams);
        let size = if self.is_udp {
            Param::Datagram
        } else {
            Param::Mss
        };
        [
            (Param::Rate.name(), self.rate_bps.map(Sweep::One)),
            (Param::WriteSize.name(), self.write_bytes.map(Sweep::One)),
            ("window", self.window_bytes.map(Sweep::One)),
            (size.name(), sizes),
        ]
        .into_iter()
        .fold(used, |used, (option, value)| match value {
            Some(value) => used.with(option, value),
            None => used,
        })
    }

    pub fn timing(&self, samples: u32) -> Timing {
        let seconds = |seconds| Duration(std::time::Duration::from_secs(seconds));
        Timing {
            duration: seconds(self.duration),
            warmup: seconds(self.omit),
            retries: 0,
            repeat: Repeat::Times(samples.max(1)),
            ..Timing::default()
        }
    }

    /// The parameters of a sample, as a plan of this shape has them.
    pub fn params(&self, size: Option<u64>) -> Params {
        let used = self.tool(size.map(Sweep::One));
        let value = |param: Param| Some((param, used.numbers(param.name())?.first()?));
        Params(Param::ALL.into_iter().filter_map(value).collect())
    }

    /// What a test of this shape is called by itself: `iperf3-udp`, and `8 streams`, `reverse` where it is so.
    pub fn words(&self) -> (String, Vec<String>) {
        let name = ToolSpec::BuiltIn(self.tool(None)).default_test_name();
        let mut words = Vec::new();
        if self.streams != 1 {
            words.push(format!("{} streams", self.streams));
        }
        if self.is_reverse {
            words.push("reverse".to_owned());
        }
        (name, words)
    }

    /// What else tells it from others that are called the same: `60s`, `mss`.
    pub fn details(&self) -> Vec<String> {
        let mut words = vec![self.timing(1).duration.to_string()];
        words.extend((self.omit > 0).then(|| format!("omit {}s", self.omit)));
        words.extend(self.sets_mss.then(|| Param::Mss.name().to_owned()));
        words.extend(self.rate_bps.map(|rate| BitRate(rate).to_string()));
        words.extend(self.write_bytes.map(|bytes| format!("write {bytes}")));
        words.extend(self.window_bytes.map(|bytes| format!("window {bytes}")));
        words
    }
}
