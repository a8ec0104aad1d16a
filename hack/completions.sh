#!/usr/bin/env bash
# Generate the completion scripts for a release's archives: hack/completions.sh DIR
set -euo pipefail
dir=${1:?usage: hack/completions.sh DIR}
mkdir -p "$dir"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -o "$work/kubectl-kubeflow" ./cmd/kubectl-kubeflow
"$work/kubectl-kubeflow" completion bash >"$dir/kubectl-kubeflow.bash"
"$work/kubectl-kubeflow" completion zsh >"$dir/_kubectl-kubeflow"
"$work/kubectl-kubeflow" completion fish >"$dir/kubectl-kubeflow.fish"
"$work/kubectl-kubeflow" completion powershell >"$dir/kubectl-kubeflow.ps1"
"$work/kubectl-kubeflow" completion kubectl >"$dir/kubectl_complete-kubeflow"
chmod +x "$dir/kubectl_complete-kubeflow"
