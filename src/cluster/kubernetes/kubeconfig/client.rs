//! Creates a client from a kubeconfig, or for the cluster in which this process runs as a pod.

use std::cell::Cell;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use kube::client::{AuthError, RustlsTlsError};
use kube::config::{AuthInfo, ExecAuthCluster};
use kube::{Client, Config};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::merged::{Entry, Selected};
use super::origin::Origin;
use super::{cluster, user};
use crate::diag::Problem;

/// The API server's port has to open within this.
const CONNECTS_WITHIN: Duration = Duration::from_secs(10);
/// Where a pod finds who it is.
const POD_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
/// The longest quotation of a program's output in a message, in characters.
const LONGEST_QUOTE: usize = 300;

/// A client that is ready to ask, and where its configuration comes from.
pub(in crate::cluster::kubernetes) struct Connected {
    pub client: Client,
    pub origin: Origin,
    /// The namespace that the context names.
    pub namespace: String,
    /// The API server's URL.
    pub server: http::Uri,
}

/// Connects as a context says. Runs the program that logs the user in, if one is named; nothing is asked of the
/// cluster yet.
///
/// # Errors
/// A value of the kubeconfig that cannot be used, or a login that fails.
pub(in crate::cluster::kubernetes) async fn from_selected(
    selected: &Selected,
    login_within: Duration,
) -> Result<Connected, Problem> {
    let mut origin = Origin::from_selected(selected);
    let mut config = cluster::config(&selected.cluster, &mut origin)?;
    if let Some(namespace) = &selected.context.value.namespace
        && !namespace.is_empty()
    {
        config.default_namespace.clone_from(namespace);
    }
    if let Some(entry) = &selected.user {
        let mut checked = user::checked(entry.value.clone(), &user_at(entry))?;
        if let Some(exec) = &mut checked.exec
            && exec.provide_cluster_info
        {
            // Its certificates were read before.
            exec.cluster = ExecAuthCluster::try_from(&selected.cluster.value).ok();
        }
        config.auth_info = checked;
    }
    connect(config, origin, selected.user.as_ref(), login_within).await
}

/// Connects to the cluster that this process is a pod of; `None` when it is none. The rule is client-go's: both
/// variables are set, and there is a token.
///
/// # Errors
/// A service account that cannot be read.
pub(in crate::cluster::kubernetes) async fn from_pod() -> Result<Option<Connected>, Problem> {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !is_set("KUBERNETES_SERVICE_HOST")
        || !is_set("KUBERNETES_SERVICE_PORT")
        || !Path::new(POD_TOKEN).is_file()
    {
        return Ok(None);
    }
    let config = Config::incluster().map_err(|error| {
        Problem::without_place(format!(
            "cannot use the service account of this pod: {}",
            crate::diag::error_chain(&error)
        ))
        .help("mount its token, or name a kubeconfig with `--kubeconfig`")
    })?;
    let origin = Origin::from_pod(config.cluster_url.to_string());
    connect(config, origin, None, CONNECTS_WITHIN)
        .await
        .map(Some)
}

async fn connect(
    mut config: Config,
    origin: Origin,
    user: Option<&Entry<AuthInfo>>,
    login_within: Duration,
) -> Result<Connected, Problem> {
    config.connect_timeout = Some(CONNECTS_WITHIN);
    let namespace = config.default_namespace.clone();
    let server = config.cluster_url.clone();
    // kube waits for the program that logs in, which may wait for a person, or for ever.
    let runtime = Handle::current();
    let (sender, made) = oneshot::channel();
    let connecting = move || {
        let _inside = runtime.enter();
        let _ = sender.send(without_panic(|| Client::try_from(config)));
    };
    std::thread::Builder::new()
        .spawn(connecting)
        .map_err(|error| {
            Problem::without_place(format!(
                "cannot start a thread to connect to the cluster: {error}"
            ))
            .help("raise the limit of processes (`ulimit -u`), or end other processes")
        })?;
    let Ok(made) = tokio::time::timeout(login_within, made).await else {
        let (program, whose) = login_program(user, &origin);
        return Err(Problem::without_place(format!(
            "the program `{program}`, with which {whose} logs in, does not end within {} s",
            login_within.as_secs_f64()
        ))
        .help("log in by hand first, or name another context with `--context`"));
    };
    match made.unwrap_or_else(|_| Err("it ended without an answer".to_owned())) {
        Ok(Ok(client)) => Ok(Connected {
            client,
            origin,
            namespace,
            server,
        }),
        Ok(Err(error)) => Err(refused(&error, &origin, user)),
        Err(why) => Err(Problem::without_place(format!(
            "cannot use {} of {}: {why}",
            origin.cluster, origin.place
        ))
        .help("check its values, and those that its login program gives")),
    }
}

/// The program that logs the user in, and whose it is.
fn login_program<'a>(user: Option<&'a Entry<AuthInfo>>, origin: &Origin) -> (&'a str, String) {
    let exec = user.and_then(|user| user.value.exec.as_ref());
    let program = exec.and_then(|exec| exec.command.as_deref());
    let whose = user.map_or_else(|| origin.cluster.clone(), user_at);
    (program.unwrap_or("the login program"), whose)
}

fn user_at(entry: &Entry<AuthInfo>) -> String {
    format!("user `{}` in `{}`", entry.name, entry.file.display())
}

/// What it means that no client can be made.
fn refused(error: &kube::Error, origin: &Origin, user: Option<&Entry<AuthInfo>>) -> Problem {
    let (program, whose) = login_program(user, origin);
    match error {
        kube::Error::Auth(error) => login(error, program, &whose, user),
        kube::Error::RustlsTls(RustlsTlsError::AddRootCertificate(_)) if !origin.has_ca => Problem::without_place(format!(
                "this machine has no CA certificates, and {} names none, so that {} cannot be verified",
                origin.cluster,
                origin.api_server()
            )).help("install them with `sudo apt-get install ca-certificates`, or set `certificate-authority` \
                   in the kubeconfig"),
        kube::Error::RustlsTls(RustlsTlsError::AddRootCertificate(error)) => Problem::without_place(format!(
                "the CA certificate of {} cannot be used: {}",
                origin.cluster,
                crate::diag::error_chain(error.as_ref())
            )).help("get the CA certificate of the cluster again"),
        error => Problem::without_place(format!("cannot use the values of {whose}: {}", crate::diag::error_chain(error))).help("log in to the cluster again to get a new kubeconfig"),
    }
}

/// What it means that a user cannot log in.
fn login(error: &AuthError, program: &str, whose: &str, user: Option<&Entry<AuthInfo>>) -> Problem {
    let exec = user.and_then(|user| user.value.exec.as_ref());
    let hint = exec.and_then(|exec| exec.install_hint.as_deref());
    match error {
        AuthError::AuthExecStart(error) => {
            let what = if error.kind() == io::ErrorKind::NotFound && !Path::new(program).is_file() {
                format!("the program `{program}`, with which {whose} logs in, is not installed")
            } else {
                format!(
                    "the program `{program}`, with which {whose} logs in, cannot be started: {error}"
                )
            };
            let help = match hint {
                Some(hint) => one_line(hint),
                None => "install it, or put it on the `PATH`".to_owned(),
            };
            Problem::without_place(what).help(help)
        }
        AuthError::AuthExecRun { out, .. } => {
            let said = String::from_utf8_lossy(&out.stderr);
            let said = match one_line(&said) {
                said if said.is_empty() => String::new(),
                said => format!(": {said}"),
            };
            Problem::without_place(format!(
                    "the program `{program}`, with which {whose} logs in, failed with {}{said}",
                    out.status
                )).help("log in to the cluster again")
        }
        AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed => Problem::without_place(format!(
                "the program `{program}`, with which {whose} logs in, printed no ExecCredential with a status"
            )).help("try it by hand; the kubeconfig may name another `apiVersion` than it knows"),
        error => Problem::without_place(format!("{whose} cannot log in: {}", crate::diag::error_chain(error))).help("log in to the cluster again to get a new kubeconfig"),
    }
}

/// The beginning of a foreign text, on one line.
fn one_line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

thread_local! {
    /// Panics of this thread are reported as errors.
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Runs something of a library that panics where a login program gives it what no header can carry. Such a panic
/// is an error of the input: its message is returned, and no backtrace is printed.
fn without_panic<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !CAUGHT.get() {
                before(info);
            }
        }));
    });
    CAUGHT.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    CAUGHT.set(false);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        text.map_or("a value in it is not valid".to_owned(), |text| {
            one_line(&text)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_words() {
        assert_eq!(without_panic(|| 7), Ok(7));
        let panics = || -> u8 { panic!("token is not valid {}", "header") };
        let why = without_panic(panics).unwrap_err();
        assert_eq!(why, "token is not valid header");
        assert!(!CAUGHT.get());
    }
}
