#!/usr/bin/env bash
# Download the archives that the tests of the real releases need: hack/mirror.sh DIR, then KUBEFLOW_MIRROR=DIR make test
set -euo pipefail
dir=${1:?usage: hack/mirror.sh DIR}
go run ./cmd/kubectl-kubeflow releases --download "$dir" --release 1.2.0,1.8.1,1.9.1,1.10.2,26.03,mpi-operator-0.8.0
