//! Kubernetes objects on one Linux machine, in network namespaces.
