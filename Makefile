# "make" lists the targets. They build what they need besides Go, git and make.
export GOTOOLCHAIN ?= local
# Everything is compiled as for releases: tests run what ships, and both share the build cache.
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

demo: build ## run the demo on a local cluster: install, doctor, doctor --fix, expose --lb
	@hack/demo.sh

test: build ## run all tests (needs no internet; tests of real releases need KUBEFLOW_MIRROR)
	bin/sandbox build # takes minutes the first time, so it must not count towards a test timeout
	KUBEFLOW_SANDBOX=$(CURDIR)/bin/sandbox $(GO) test -timeout 45m $(LONGEST) ./...
	cd sandbox && $(GO) test -timeout 45m ./...

# packages whose tests take longest: they start first, so that nothing waits for them at the end
LONGEST := ./pkg/kubeflow ./cmd/kubectl-kubeflow ./pkg/install

race: ## run the tests that need no cluster under the race detector
	CGO_ENABLED=1 $(GO) test -race -short -timeout 30m -skip '$(NO_RACE)' ./pkg/... ./internal/...

# tests that run in one goroutine, or run the checks in the goroutines that TestCases has too, and would take minutes under the race detector
NO_RACE := ABundleKeepsTheFields|AnEditorOfOneNamespace|RequestsDoNotGrow|Planted|MalformedFieldsBreak|AChangedChainIs|RandomPoliciesAre|NoRouteOfAProfile|ReadersStopAtTheirBounds|UnpackToTooMuch|AHostileBundleIs

fuzz: ## run each fuzz test for FUZZTIME
	@for package in $$(grep -rl '^func Fuzz' --include='*_test.go' pkg internal | xargs -n1 dirname | sort -u); do \
		for test in $$(grep -hoE '^func Fuzz[A-Za-z]+' $$package/*_test.go | cut -c6-); do \
			echo "== $$package $$test"; $(GO) test -run '^$$' -fuzz "^$$test$$" -fuzztime $(FUZZTIME) ./$$package || exit 1; done; done

FUZZTIME ?= 10s

outages: build ## kill and restart the API server at OUTAGES moments of each command that writes (minutes)
	KUBEFLOW_TEST_OUTAGES=$(OUTAGES) KUBEFLOW_SANDBOX=$(CURDIR)/bin/sandbox $(GO) test -timeout 90m -run TestTheAPIServerIsRestartedInTheMiddle -v ./pkg/kubeflow

OUTAGES ?= 10

journeys: build ## run the journeys that take too long for "make test" (minutes; needs KUBEFLOW_MIRROR)
	bin/sandbox build
	KUBEFLOW_TEST_LONG=1 KUBEFLOW_SANDBOX=$(CURDIR)/bin/sandbox $(GO) test -timeout 30m -run 'TestJourneys/newest_cluster' ./cmd/kubectl-kubeflow

signin: build ## sign in with a browser by each provider, on each release in SIGNIN (minutes; needs KUBEFLOW_MIRROR and chromium)
	bin/sandbox build
	@for release in $(SIGNIN); do echo "== $$release"; \
		KUBEFLOW_TEST_SIGNIN=$$release KUBEFLOW_SANDBOX=$(CURDIR)/bin/sandbox $(GO) test -count=1 -timeout 30m -run 'TestUsersSignInWithABrowser' -v ./pkg/kubeflow/identity || exit 1; done

SIGNIN ?= 26.03 1.10.2

newest: build ## run the tests that install, upgrade and expose on the newest Kubernetes (needs KUBEFLOW_MIRROR)
	bin/sandbox build --kubernetes $(KUBERNETES)
	KUBEFLOW_TEST_KUBERNETES=$(KUBERNETES) KUBEFLOW_SANDBOX=$(CURDIR)/bin/sandbox $(GO) test -timeout 90m ./cmd/kubectl-kubeflow ./pkg/kubeflow ./pkg/install ./pkg/expose ./pkg/doctor/...

KUBERNETES ?= 1.37

test-fast: ## run the tests that need no cluster (seconds)
	$(GO) test -short ./...

golden: ## rewrite the expected outputs of tests and the generated docs
	$(GO) test -short $$(grep -rl '"update"' --include='*_test.go' cmd internal pkg | xargs -n1 dirname | sort -u | sed 's,^,./,') -update

pictures: build ## record the pictures of the README from a real terminal (needs tmux)
	hack/pictures.sh

bin/cyclonedx-gomod: Makefile # writes the SBOMs; its version is set below
	GOBIN=$(CURDIR)/bin $(GO) install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX)

snapshot: bin/cyclonedx-gomod ## build the release archives for every platform into dist/ (minutes the first time)
	PATH=$(CURDIR)/bin:$$PATH $(GO) run github.com/goreleaser/goreleaser/v2@$(GORELEASER) release --snapshot --clean --skip=sign

release: bin/cyclonedx-gomod ## publish the checked-out tag (in CI, which has the signing identity)
	PATH=$(CURDIR)/bin:$$PATH $(GO) run github.com/goreleaser/goreleaser/v2@$(GORELEASER) release --clean

try-snapshot: snapshot build ## check the snapshot, install it with krew and run it through kubectl
	KREW=$(KREW) hack/try-snapshot.sh

try-archive: build ## the same for the archive for this platform alone (needs no goreleaser)
	rm -rf dist/native
	$(GO) run ./hack/archive v0.0.0 dist/native
	KREW=$(KREW) hack/try-archive.sh -partial v0.0.0 dist/native

bench: build ## compare install with the official loop and measure doctor; writes bench/RESULTS.md
	$(GO) run ./bench

lint: ## check formatting, vet and staticcheck
	@test -z "$$(gofmt -l cmd pkg internal sandbox bench hack)" || { gofmt -l cmd pkg internal sandbox bench hack; exit 1; }
	$(GO) vet ./...
	cd sandbox && $(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK) ./...

vulnerabilities: ## look for known vulnerabilities in what the program and the sandbox call (needs internet)
	$(GO) run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK) ./...
	cd sandbox && $(GO) run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK) ./...

lint-windows: ## vet the program and its tests for Windows (compiles every dependency again)
	GOOS=windows $(GO) vet ./...

STATICCHECK := v0.8.2
GORELEASER := v2.13.3
CYCLONEDX := v1.10.0
GOVULNCHECK := v1.9.0
KREW := v0.4.3

.PHONY: help build demo test race fuzz outages journeys newest test-fast golden pictures snapshot release try-snapshot try-archive bench lint lint-windows vulnerabilities signin
