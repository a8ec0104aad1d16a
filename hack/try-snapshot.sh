#!/usr/bin/env bash
# What "make snapshot" built, tried as its users would: krew's own validator reads the manifest, krew itself installs the
# archive of this machine, and a real kubectl finds the plugin, runs it and completes its command lines.
set -euo pipefail
cd "$(dirname "$0")/.."

krew=sigs.k8s.io/krew/cmd
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tools=$work/tools
GOBIN=$tools ${GO:-go} install $krew/krew@$KREW $krew/validate-krew-manifest@$KREW
ln -s "$(bin/sandbox kubectl)" "$tools/kubectl"

tag=$(sed -n 's/.*"tag":"\([^"]*\)".*/\1/p' dist/metadata.json)
say() { printf '== %s\n' "$*"; }
fail() { echo "error: $*" >&2; exit 1; }

say "six archives, each with the program, LICENSE, README, completions and man pages"
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

say "the same commit builds the same bytes"
os=$(${GO:-go} env GOOS) arch=$(${GO:-go} env GOARCH)
built=$(echo dist/kubectl-kubeflow_"$os"_"$arch"_*/kubectl-kubeflow)
version=$("$built" version --client -o json | sed -n 's/.*"clientVersion": "\(.*\)".*/\1/p')
${GO:-go} build -ldflags "-s -w -X main.version=$version" -o "$work/again" ./cmd/kubectl-kubeflow
cmp "$built" "$work/again" || fail "the program differs when it is built again"
printf '%5.1f MB  the program\n' "$(($(stat -c %s "$built") / 100000))e-1"

say "an SBOM for each program, with every module that is linked into it"
for sbom in dist/kubectl-kubeflow_"$tag"_{linux,darwin,windows}_{amd64,arm64}.cdx.json; do
	[ -s "$sbom" ] || fail "there is no $sbom"
done
linked=$(${GO:-go} version -m "$built" | awk '$1 == "dep" {print $2 " " $3}' | sort)
listed=$(python3 -c 'import json, sys
for part in json.load(open(sys.argv[1]))["components"]:
    print(part["name"], part["version"])' "dist/kubectl-kubeflow_${tag}_${os}_${arch}.cdx.json" | grep -v '^std ' | sort)
[ "$linked" = "$listed" ] || fail "the SBOM is not what is linked: $(diff <(echo "$linked") <(echo "$listed"))"
echo "$(wc -l <<<"$linked") modules"

say "krew takes the manifest, and installs the archive"
${GO:-go} run ./hack/krewmanifest "$tag" dist >"$work/kubeflow.yaml"
"$tools/validate-krew-manifest" -manifest "$work/kubeflow.yaml" -skip-install
export KREW_ROOT=$work/krew PATH=$work/krew/bin:$tools:$PATH HOME=$work
krew install --manifest="$work/kubeflow.yaml" --archive="dist/kubectl-kubeflow_${tag}_${os}_${arch}.tar.gz"
kubectl plugin list --name-only | grep -qx kubectl-kubeflow || fail "kubectl does not list the plugin"
kubectl kubeflow version --client | tee "$work/version"
grep -q "$version" "$work/version" || fail "it is another version than $version"

say "kubectl completes its command lines, by the shim and by the program under the shim's name"
kubectl kubeflow completion kubectl --install
kubectl __complete kubeflow doctor pipelines/ 2>/dev/null | grep -q '^pipelines/executor' || fail "the shim completes nothing"
ln -sf "$(readlink -f "$work/krew/bin/kubectl-kubeflow")" "$work/krew/bin/kubectl_complete-kubeflow"
kubectl __complete kubeflow doctor pipelines/ 2>/dev/null | grep -q '^pipelines/executor' || fail "the program completes nothing"
