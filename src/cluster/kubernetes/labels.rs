//! The labels of a run's objects; see `templates/`.

/// Labels that every object of a run carries.
pub(super) const NAME_LABEL: &str = "app.kubernetes.io/name";
pub(super) const VERSION_LABEL: &str = "app.kubernetes.io/version";
pub(super) const RUN_LABEL: &str = "netplan/run";
pub(super) const ROLE_LABEL: &str = "netplan/role";
pub(super) const PLAN_LABEL: &str = "netplan/plan";
pub(super) const WORKER_LABEL: &str = "netplan/worker";
/// The value of [`NAME_LABEL`].
pub(super) const NETPLAN: &str = "netplan";

/// What the pods of a group of workers have in common.
pub(super) const GROUP_LABEL: &str = "netplan/group";

/// Every object of one run.
pub(super) fn selector(run: &str) -> String {
    format!("{NAME_LABEL}={NETPLAN},{RUN_LABEL}={run}")
}
