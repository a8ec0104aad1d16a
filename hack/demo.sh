#!/usr/bin/env bash
# The whole workflow on a sandbox cluster: install, doctor, doctor --fix, expose --lb, the dashboard page.
# Installs Kubeflow 1.2.0 if its archive is available (KUBEFLOW_MIRROR or the internet), otherwise the small built-in release.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
sandbox() { bin/sandbox "$@"; }
finish() { sandbox down --name demo >/dev/null 2>&1 || true; rm -rf "$work"; }
trap finish EXIT
trap 'exit 130' INT TERM

# step COMMAND: print the command as a user would type it, and run it.
step() { printf '\n$ %s\n' "$*"; "$@"; }
# expect CODE COMMAND: the same for a command that must end with this exit code.
expect() {
	local want=$1 got=0
	shift
	printf '\n$ %s\n' "$*"
	"$@" || got=$?
	printf '(exit code %s)\n' "$got"
	[ "$got" -eq "$want" ] || { echo "expected exit code $want" >&2; exit 1; }
}
# page URL: print the HTTP status and the title of the page. It uses bash, because curl may not be installed.
page() {
	printf '\nPage at %s:\n' "$1"
	local url=${1#http://} line
	local host=${url%%/*} path=/${url#*/}
	local port=80
	case $host in *:*) port=${host##*:} ;; esac
	exec 3<>"/dev/tcp/${host%:*}/$port"
	printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$path" "$host" >&3
	while IFS= read -r line; do
		case $line in HTTP/* | *'<title>'*) printf '%s\n' "${line%$'\r'}" ;; esac
	done <&3
	exec 3>&-
}

install=(kubectl kubeflow install --yes --adapt=none)
if [ -n "${KUBEFLOW_MIRROR:-}" ]; then
	install+=(-r 1.2.0 --mirror "$KUBEFLOW_MIRROR" --skip-verify)
elif bin/kubectl-kubeflow releases --download "$work/mirror" --release 1.2.0; then
	install+=(-r 1.2.0 --mirror "$work/mirror")
else
	echo "Kubeflow's archives are not available: installing the small built-in release instead."
	install+=(-r mini)
fi

sandbox up --name demo --kubernetes 1.21 --kubeconfig "$work/kubeconfig"
export KUBECONFIG=$work/kubeconfig
ln -s "$(sandbox kubectl --kubernetes 1.21)" "$work/kubectl"
export PATH="$work:$PWD/bin:$PATH"

# Port 80 if this user may listen on it.
port=80
if [ "$(id -u)" -ne 0 ] && [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start 2>/dev/null || echo 1024)" -gt 80 ]; then port=8080; fi

expect 1 "${install[@]}" # --adapt=none: no compatibility patches, so four things are broken
expect 3 kubectl kubeflow doctor
step kubectl kubeflow doctor --fix --yes --allow-restart
step kubectl kubeflow doctor
expect 2 kubectl kubeflow expose --lb --yes </dev/null # refused: no authentication
step kubectl kubeflow expose --lb --yes --port "$port" --source-ranges 127.0.0.0/8
url=$(kubectl kubeflow expose -o name)
page "$url"
page "${url}pipeline/"
step kubectl kubeflow expose --remove --yes
