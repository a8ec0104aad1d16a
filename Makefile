# Few targets; "make" lists them. What each needs beside Go, git and make, it builds.
export GOTOOLCHAIN ?= local
GO ?= go
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

build: ## build bin/kubectl-kubeflow and bin/sandbox
	@mkdir -p bin
	$(GO) build -trimpath -ldflags '-s -w' -o bin/kubectl-kubeflow ./cmd/kubectl-kubeflow
	cd sandbox && $(GO) build -o ../bin/sandbox .

demo: build ## sandbox up, install, doctor, doctor --fix, expose --lb, curl, sandbox down
	@hack/demo.sh

test: build ## run all tests (needs no internet; real archives from KUBEFLOW_MIRROR, if there)
	bin/sandbox build # minutes the first time, which no test's time limit should count
	KUBEFLOW_SANDBOX=$(CURDIR)/bin/sandbox $(GO) test -timeout 30m ./...
	cd sandbox && $(GO) test -timeout 30m ./...

test-fast: ## run the tests that need no cluster: seconds
	$(GO) test -short ./...

golden: ## rewrite the expected outputs of tests and the generated docs
	$(GO) test -short $$(grep -rl '"update"' --include='*_test.go' cmd internal pkg | xargs -n1 dirname | sort -u | sed 's,^,./,') -update

pictures: build ## take the README's pictures of a real terminal (needs tmux)
	hack/pictures.sh

snapshot: ## build the archives of a release for every platform, into dist/ (minutes the first time)
	$(GO) run github.com/goreleaser/goreleaser/v2@$(GORELEASER) release --snapshot --clean --skip=sign,sbom

release: ## release the tag that is checked out: in CI, where the signing identity is
	$(GO) run github.com/goreleaser/goreleaser/v2@$(GORELEASER) release --clean

try-snapshot: snapshot build ## install what snapshot built as krew does, and run it through kubectl
	KREW=$(KREW) hack/try-snapshot.sh

bench: build ## measure install against the official loop, into bench/RESULTS.md
	$(GO) run ./bench

lint: ## check formatting, vet and staticcheck
	@test -z "$$(gofmt -l cmd pkg internal sandbox bench)" || { gofmt -l cmd pkg internal sandbox bench; exit 1; }
	$(GO) vet ./...
	cd sandbox && $(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK) ./...

STATICCHECK := v0.8.2
GORELEASER := v2.13.3
KREW := v0.4.3

.PHONY: help build demo test test-fast golden pictures snapshot release try-snapshot bench lint
