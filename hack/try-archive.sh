#!/usr/bin/env bash
# Test release archives as users would use them: krew's validator checks the manifest, krew installs the archive for this
# platform, and a real kubectl finds the plugin, runs it and completes its command lines.
#
#   hack/try-archive.sh [-partial] TAG DIR
#
# -partial: DIR holds the archive for this platform only.
set -euo pipefail
cd "$(dirname "$0")/.."
partial=()
if [ "${1:-}" = -partial ]; then partial=(-partial); shift; fi
tag=${1:?usage: hack/try-archive.sh [-partial] TAG DIR} dir=${2:?usage: hack/try-archive.sh [-partial] TAG DIR}

log() { printf '== %s\n' "$*"; }
fail() { echo "error: $*" >&2; exit 1; }
megabytes() { printf '%5.1f MB  %s\n' "$(($(stat -c %s "$1") / 100000))e-1" "$(basename "$1")"; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tools=$work/tools krew=sigs.k8s.io/krew/cmd
GOBIN=$tools ${GO:-go} install $krew/krew@"$KREW" $krew/validate-krew-manifest@"$KREW"
ln -s "$(bin/sandbox kubectl)" "$tools/kubectl"

log "each archive has the binary, LICENSE, README, completions and man pages"
for archive in "$dir"/kubectl-kubeflow_"$tag"_*.{tar.gz,zip}; do
	case $archive in
	*'*'*) continue ;; # no archive of this format
	*.zip) list=$(python3 -c 'import sys, zipfile; print("\n".join(zipfile.ZipFile(sys.argv[1]).namelist()))' "$archive") program=kubectl-kubeflow.exe ;;
	*) list=$(tar -tzf "$archive") program=kubectl-kubeflow ;;
	esac
	for file in "$program" LICENSE README.md completions/_kubectl-kubeflow completions/kubectl_complete-kubeflow man/kubectl-kubeflow-doctor.1; do
		grep -qx "$file" <<<"$list" || fail "$archive has no $file"
	done
	megabytes "$archive"
done

log "krew accepts the manifest and installs the archive"
archive=$dir/kubectl-kubeflow_${tag}_$(${GO:-go} env GOOS)_$(${GO:-go} env GOARCH).tar.gz
tar -xzf "$archive" -C "$work" kubectl-kubeflow
megabytes "$work/kubectl-kubeflow"
version=$("$work/kubectl-kubeflow" version --client -o json | sed -n 's/.*"clientVersion": "\(.*\)".*/\1/p')
[ -n "$version" ] || fail "the binary reports no version"
${GO:-go} run ./hack/krewmanifest "${partial[@]}" "$tag" "$dir" >"$work/kubeflow.yaml"
"$tools/validate-krew-manifest" -manifest "$work/kubeflow.yaml" -skip-install
export KREW_ROOT=$work/krew PATH=$work/krew/bin:$tools:$PATH HOME=$work
krew install --manifest="$work/kubeflow.yaml" --archive="$archive"
kubectl plugin list --name-only | grep -qx kubectl-kubeflow || fail "kubectl does not list the plugin"
kubectl kubeflow version --client | tee "$work/version"
grep -qF "$version" "$work/version" || fail "the installed version is not $version"

log "kubectl completes command lines, with the shim and with the binary under the shim's name"
kubectl kubeflow completion kubectl --install
kubectl __complete kubeflow doctor pipelines/ 2>/dev/null | grep -q '^pipelines/executor' || fail "the shim completes nothing"
ln -sf "$(readlink -f "$work/krew/bin/kubectl-kubeflow")" "$work/krew/bin/kubectl_complete-kubeflow"
kubectl __complete kubeflow doctor pipelines/ 2>/dev/null | grep -q '^pipelines/executor' || fail "the binary completes nothing"
