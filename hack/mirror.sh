#!/usr/bin/env bash
# Fill a folder with the archives that the tests of the real releases read: hack/mirror.sh DIR, then KUBEFLOW_MIRROR=DIR make test
set -euo pipefail
dir=${1:?usage: hack/mirror.sh DIR}
for path in \
	github.com/kubeflow/manifests/archive/refs/tags/v1.2.0.tar.gz \
	github.com/kubeflow/community-distribution/archive/refs/tags/26.03.tar.gz \
	github.com/argoproj/argo-workflows/archive/refs/tags/v3.7.3.tar.gz \
	github.com/kubernetes-sigs/jobset/releases/download/v0.10.1/manifests.yaml \
	github.com/kubeflow/mpi-operator/archive/refs/tags/v0.8.0.tar.gz; do
	[ -f "$dir/$path" ] || curl -fsSL --retry 3 --create-dirs -o "$dir/$path" "https://$path"
done
