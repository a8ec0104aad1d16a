#!/usr/bin/env bash
# Test the output of "make snapshot" as users would use it: krew's validator checks the manifest, krew installs the archive
# for this platform, and a real kubectl finds the plugin, runs it and completes its command lines.
set -euo pipefail
cd "$(dirname "$0")/.."

krew=sigs.k8s.io/krew/cmd
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tools=$work/tools
GOBIN=$tools ${GO:-go} install $krew/krew@$KREW $krew/validate-krew-manifest@$KREW
ln -s "$(bin/sandbox kubectl)" "$tools/kubectl"

tag=$(sed -n 's/.*"tag":"\([^"]*\)".*/\1/p' dist/metadata.json)
log() { printf '== %s\n' "$*"; }
fail() { echo "error: $*" >&2; exit 1; }

log "six archives, each with the binary, LICENSE, README, completions and man pages"
for archive in dist/kubectl-kubeflow_"$tag"_{linux,darwin}_{amd64,arm64}.tar.gz dist/kubectl-kubeflow_"$tag"_windows_{amd64,arm64}.zip; do
	case $archive in
	*.zip) list=$(python3 -c 'import sys, zipfile; print("\n".join(zipfile.ZipFile(sys.argv[1]).namelist()))' "$archive") program=kubectl-kubeflow.exe ;;
	*) list=$(tar -tzf "$archive") program=kubectl-kubeflow ;;
	esac
	for file in "$program" LICENSE README.md completions/_kubectl-kubeflow completions/kubectl_complete-kubeflow man/kubectl-kubeflow-doctor.1; do
		grep -qx "$file" <<<"$list" || fail "$archive has no $file"
	done
	printf '%5.1f MB  %s\n' "$(($(stat -c %s "$archive") / 100000))e-1" "$(basename "$archive")"
done
(cd dist && sha256sum --quiet -c checksums.txt)

log "the build is reproducible"
os=$(${GO:-go} env GOOS) arch=$(${GO:-go} env GOARCH)
built=$(echo dist/kubectl-kubeflow_"$os"_"$arch"_*/kubectl-kubeflow)
version=$("$built" version --client -o json | sed -n 's/.*"clientVersion": "\(.*\)".*/\1/p')
${GO:-go} build -ldflags "-s -w -X main.version=$version" -o "$work/again" ./cmd/kubectl-kubeflow
cmp "$built" "$work/again" || fail "a second build of the same commit differs"
printf '%5.1f MB  binary\n' "$(($(stat -c %s "$built") / 100000))e-1"

log "an SBOM for each binary lists every linked module"
for sbom in dist/kubectl-kubeflow_"$tag"_{linux,darwin,windows}_{amd64,arm64}.cdx.json; do
	[ -s "$sbom" ] || fail "$sbom is missing"
done
linked=$(${GO:-go} version -m "$built" | awk '$1 == "dep" {print $2 " " $3}' | sort)
listed=$(python3 -c 'import json, sys
for part in json.load(open(sys.argv[1]))["components"]:
    print(part["name"], part["version"])' "dist/kubectl-kubeflow_${tag}_${os}_${arch}.cdx.json" | grep -v '^std ' | sort)
[ "$linked" = "$listed" ] || fail "the SBOM differs from the linked modules: $(diff <(echo "$linked") <(echo "$listed"))"
echo "$(wc -l <<<"$linked") modules"

log "krew accepts the manifest and installs the archive"
${GO:-go} run ./hack/krewmanifest "$tag" dist >"$work/kubeflow.yaml"
"$tools/validate-krew-manifest" -manifest "$work/kubeflow.yaml" -skip-install
export KREW_ROOT=$work/krew PATH=$work/krew/bin:$tools:$PATH HOME=$work
krew install --manifest="$work/kubeflow.yaml" --archive="dist/kubectl-kubeflow_${tag}_${os}_${arch}.tar.gz"
kubectl plugin list --name-only | grep -qx kubectl-kubeflow || fail "kubectl does not list the plugin"
kubectl kubeflow version --client | tee "$work/version"
grep -q "$version" "$work/version" || fail "the installed version is not $version"

log "kubectl completes command lines, with the shim and with the binary under the shim's name"
kubectl kubeflow completion kubectl --install
kubectl __complete kubeflow doctor pipelines/ 2>/dev/null | grep -q '^pipelines/executor' || fail "the shim completes nothing"
ln -sf "$(readlink -f "$work/krew/bin/kubectl-kubeflow")" "$work/krew/bin/kubectl_complete-kubeflow"
kubectl __complete kubeflow doctor pipelines/ 2>/dev/null | grep -q '^pipelines/executor' || fail "the program completes nothing"
