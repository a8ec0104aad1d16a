# Few targets; "make" lists them. What each needs beside Go, git and make, it builds.
export GOTOOLCHAIN ?= local
# All is compiled as releases are: tests run what ships, and the compiler's cache serves both.
export CGO_ENABLED = 0
export GOFLAGS += -trimpath
GO ?= go
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

build: ## build bin/kubectl-kubeflow and bin/sandbox
	@mkdir -p bin
	$(GO) build -ldflags '-s -w' -o bin/kubectl-kubeflow ./cmd/kubectl-kubeflow
	cd sandbox && $(GO) build -o ../bin/sandbox .

demo: build ## sandbox up, install, doctor, doctor --fix, expose --lb, the page, sandbox down
	@hack/demo.sh

test: build ## run all tests (needs no internet; real archives from KUBEFLOW_MIRROR, if there)
	bin/sandbox build # minutes the first time, which no test's time limit should count
	KUBEFLOW_SANDBOX=$(CURDIR)/bin/sandbox $(GO) test -timeout 30m ./...
	cd sandbox && $(GO) test -timeout 30m ./...

race: ## run the tests that need no cluster under the race detector
	CGO_ENABLED=1 $(GO) test -race -short ./pkg/... ./internal/...

fuzz: ## let the fuzz tests look for new inputs, FUZZTIME each
	@for package in $$(grep -rl '^func Fuzz' --include='*_test.go' pkg | xargs -n1 dirname | sort -u); do \
		for test in $$(grep -hoE '^func Fuzz[A-Za-z]+' $$package/*_test.go | cut -c6-); do \
			echo "== $$package $$test"; $(GO) test -run '^$$' -fuzz "^$$test$$" -fuzztime $(FUZZTIME) ./$$package || exit 1; done; done

FUZZTIME ?= 10s

test-fast: ## run the tests that need no cluster: seconds
	$(GO) test -short ./...

golden: ## rewrite the expected outputs of tests and the generated docs
	$(GO) test -short $$(grep -rl '"update"' --include='*_test.go' cmd internal pkg | xargs -n1 dirname | sort -u | sed 's,^,./,') -update

pictures: build ## take the README's pictures of a real terminal (needs tmux)
	hack/pictures.sh

bin/cyclonedx-gomod: Makefile # writes the SBOMs; the version is below
	GOBIN=$(CURDIR)/bin $(GO) install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX)

snapshot: bin/cyclonedx-gomod ## build the archives of a release for every platform, into dist/ (minutes the first time)
	PATH=$(CURDIR)/bin:$$PATH $(GO) run github.com/goreleaser/goreleaser/v2@$(GORELEASER) release --snapshot --clean --skip=sign

release: bin/cyclonedx-gomod ## release the tag that is checked out: in CI, where the signing identity is
	PATH=$(CURDIR)/bin:$$PATH $(GO) run github.com/goreleaser/goreleaser/v2@$(GORELEASER) release --clean

try-snapshot: snapshot build ## install what snapshot built as krew does, and run it through kubectl
	KREW=$(KREW) hack/try-snapshot.sh

bench: build ## measure install against the official loop, into bench/RESULTS.md
	$(GO) run ./bench

lint: ## check formatting, vet and staticcheck
	@test -z "$$(gofmt -l cmd pkg internal sandbox bench)" || { gofmt -l cmd pkg internal sandbox bench; exit 1; }
	$(GO) vet ./...
	GOOS=windows $(GO) vet ./... # the tests build there too
	cd sandbox && $(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK) ./...

STATICCHECK := v0.8.2
GORELEASER := v2.13.3
CYCLONEDX := v1.10.0
KREW := v0.4.3

.PHONY: help build demo test race fuzz test-fast golden pictures snapshot release try-snapshot bench lint
