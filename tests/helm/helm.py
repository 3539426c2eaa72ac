"""Helm, as far as the tests of charts need it, by the SDK that `.ci/helm` fetches.

helm.py template|lint|install|upgrade RELEASE CHART NAMESPACE VALUES
helm.py uninstall RELEASE NAMESPACE

VALUES is JSON. Needs PYTHONPATH; install, upgrade and uninstall use KUBECONFIG.
"""

import json
import sys

import helm_python as helm


def main(action, release, *rest):
    if action == "uninstall":
        helm.Config(namespace=rest[0]).uninstall(release)
        return
    chart, namespace, values = rest[0], rest[1], json.loads(rest[2])
    if action == "template":
        rendered = helm.Chart.load(chart).render(values, name=release, namespace=namespace)
        print(json.dumps(rendered))
    elif action == "lint":
        print(json.dumps(helm.lint(chart, values)))
    elif action in ("install", "upgrade"):
        act = getattr(helm.Config(namespace=namespace), action)
        print(act(chart, release, values, namespace=namespace)["manifest"])
    else:
        sys.exit(f"no such action: {action}")


main(*sys.argv[1:])
