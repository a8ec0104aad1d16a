#!/usr/bin/env bash
# Test the output of "make snapshot": archives for all platforms, their checksums and SBOMs, a reproducible build, and the
# archive for this platform as users would use it.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tag=$(sed -n 's/.*"tag":"\([^"]*\)".*/\1/p' dist/metadata.json)
log() { printf '== %s\n' "$*"; }
fail() { echo "error: $*" >&2; exit 1; }

log "six archives with their checksums"
for archive in dist/kubectl-kubeflow_"$tag"_{linux,darwin}_{amd64,arm64}.tar.gz dist/kubectl-kubeflow_"$tag"_windows_{amd64,arm64}.zip; do
	[ -s "$archive" ] || fail "$archive is missing"
done
(cd dist && sha256sum --quiet -c checksums.txt)

log "the build is reproducible"
os=$(${GO:-go} env GOOS) arch=$(${GO:-go} env GOARCH)
built=$(echo dist/kubectl-kubeflow_"$os"_"$arch"_*/kubectl-kubeflow)
version=$("$built" version --client -o json | sed -n 's/.*"clientVersion": "\(.*\)".*/\1/p')
${GO:-go} build -ldflags "-s -w -X main.version=$version" -o "$work/again" ./cmd/kubectl-kubeflow
cmp "$built" "$work/again" || fail "a second build of the same commit differs"

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

hack/try-archive.sh "$tag" dist
