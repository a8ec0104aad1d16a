#!/usr/bin/env bash
# Record the README's pictures from a real terminal (tmux) on a sandbox: hack/pictures.sh
set -euo pipefail
cd "$(dirname "$0")/.."
command -v tmux >/dev/null || { echo "error: tmux is not installed" >&2; exit 1; }

work=$(mktemp -d)
finish() { for name in doctor fix expose status releases plan; do tmux -L "pictures-$name" kill-server 2>/dev/null || true; done; bin/sandbox down --name pictures >/dev/null 2>&1 || true; rm -rf "$work"; }
trap finish EXIT

bin/sandbox up --name pictures --kubernetes 1.21 --scenario guide --kubeconfig "$work/config" >/dev/null
sed -i 's/sandbox-pictures/aks/g' "$work/config"
ln -s "$(bin/sandbox kubectl --kubernetes 1.21)" "$work/kubectl"
export KUBECONFIG=$work/config PATH=$work:$PWD/bin:$PATH PS1='$ ' TERM=xterm-256color LANG=C.UTF-8
go build -o "$work/picture" ./hack/picture
mkdir -p docs/pictures

# record NAME ROWS COMMAND: run the command in a terminal, wait for it, and save the screen.
record() {
	local name=$1 rows=$2 command=$3 socket=pictures-$1
	tmux -L "$socket" new-session -d -x 80 -y "$rows" "clear; printf '\$ %s\n' '$command'; $command; tmux -L $socket wait-for -S done; sleep 600"
	timeout 120 tmux -L "$socket" wait-for done
	tmux -L "$socket" capture-pane -ep | sed 's,https://127.0.0.1:[0-9]*,https://aks-kubeflow.hcp.westeurope.azmk8s.io:443,g' | "$work/picture" "$command" >"docs/pictures/$name.svg"
	tmux -L "$socket" kill-server
}
record doctor 40 'kubectl kubeflow doctor platform/admissions-enforcer mesh/destination-rules pipelines/executor'
record fix 40 'kubectl kubeflow doctor pipelines/executor --fix --yes --allow-restart'
record expose 40 'kubectl kubeflow expose --lb --source-ranges 127.0.0.0/8 --yes'
record status 40 'kubectl kubeflow status'
record releases 30 'kubectl kubeflow releases'
record plan 40 'kubectl kubeflow install -r mini --name kubeflow --dry-run'
go run ./hack/drawings
