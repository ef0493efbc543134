# `make help` lists every target.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
IMG       ?= kudo/manager:$(VERSION)
OVERLAY   ?= config/default
KUBECTL   ?= kubectl
DOCKER    ?= docker
FUZZTIME  ?= 10s
TESTFLAGS ?=

BIN     := bin
DIST    := dist
LDFLAGS := -s -w -X main.version=$(VERSION)

# The same settings for builds, tests and linters, so that they share one build cache.
export CGO_ENABLED ?= 0
export GOFLAGS := $(strip -trimpath $(filter-out -trimpath,$(GOFLAGS)))
ifdef RACE
export CGO_ENABLED := 1
TESTFLAGS += -race
endif

CONTROLLER_GEN := $(BIN)/controller-gen
KUSTOMIZE      := $(BIN)/kustomize
GOLANGCI_LINT  := $(BIN)/golangci-lint
GOTESTSUM      := $(BIN)/gotestsum
CRD_REF_DOCS   := $(BIN)/crd-ref-docs
GOVULNCHECK    := $(BIN)/govulncheck

# An API server for the tests: that of KUBEBUILDER_ASSETS if it is set, the cluster of
# KUBECONFIG if USE_EXISTING_CLUSTER=true says so, else hack/devcluster, built once.
ifdef KUBEBUILDER_ASSETS
APISERVER :=
else ifeq ($(USE_EXISTING_CLUSTER),true)
APISERVER :=
else
APISERVER := devcluster
KUBEBUILDER_ASSETS := $(CURDIR)/$(BIN)/assets
endif
WITHOUT_APISERVER := env -u KUBEBUILDER_ASSETS -u USE_EXISTING_CLUSTER -u KUBECONFIG
ifeq ($(USE_EXISTING_CLUSTER),true)
WITH_APISERVER := env -u KUBEBUILDER_ASSETS USE_EXISTING_CLUSTER=true
else
WITH_APISERVER := env -u USE_EXISTING_CLUSTER -u KUBECONFIG KUBEBUILDER_ASSETS=$(KUBEBUILDER_ASSETS)
endif

GO_TEST := $(GOTESTSUM) --format pkgname --format-hide-empty-pkg --

##@ General

.PHONY: help
help: ## List the targets.
	@awk 'BEGIN {FS = ":.*## "; printf "usage: make TARGET [VARIABLE=value]\n"} \
	  /^##@ / {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-zA-Z0-9_-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: devcluster build $(BIN)/demo ## Kudo on an embedded control plane, start to end; KEEP=1 leaves it running.
	$(BIN)/demo $(if $(filter 1 true yes,$(KEEP)),--keep)

.PHONY: test
test: test-unit test-integration ## Every test that needs no cluster of yours.

##@ Generate

.PHONY: generate
generate: $(CONTROLLER_GEN) ## Generate the deep copies of the API types.
	$(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt paths=./apis/...

.PHONY: manifests
manifests: $(CONTROLLER_GEN) ## Generate the CRDs (roles and webhook configurations are written by hand).
	$(CONTROLLER_GEN) crd paths=./apis/... output:crd:artifacts:config=config/crd/bases
	cp config/crd/bases/kudo.dev_instances.yaml internal/crdgen/instance.gen.yaml
	cp config/crd/bases/kudo.dev_frameworks.yaml internal/lint/framework.gen.yaml
	cp config/crd/bases/kudo.dev_frameworkversions.yaml internal/lint/frameworkversion.gen.yaml

.PHONY: api-docs
api-docs: $(CRD_REF_DOCS) ## Generate docs/api from the API types.
	@mkdir -p docs/api
	$(CRD_REF_DOCS) --log-level=ERROR --max-depth=20 --renderer=markdown --config=hack/docs/crd-ref-docs.yaml \
	  --source-path=apis/kudo/v1alpha1 --output-path=docs/api/v1alpha1.md

.PHONY: headers
headers: ## Put the license header on every Go file that lacks it.
	hack/headers.sh --fix

##@ Check

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format the code.
	$(GOLANGCI_LINT) fmt

.PHONY: vet
vet: ## Run go vet.
	go vet ./...
	go vet -tags faults ./...

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Run golangci-lint on the root module and on hack/devcluster.
	$(GOLANGCI_LINT) run --build-tags faults
	cd hack/devcluster && $(CURDIR)/$(GOLANGCI_LINT) run --config $(CURDIR)/.golangci.yml

.PHONY: verify
verify: $(CONTROLLER_GEN) $(CRD_REF_DOCS) $(KUSTOMIZE) vet ## Check generated files, modules, manifests and license headers.
	hack/headers.sh
	go mod tidy -diff
	cd hack/tools && go mod tidy -diff
	hack/verify-generated.sh
	hack/verify-manifests.sh $(CURDIR)/$(KUSTOMIZE)

.PHONY: vuln
vuln: $(GOVULNCHECK) ## Look for known vulnerabilities that the code reaches (asks the Go vulnerability database).
	$(GOVULNCHECK) ./...

##@ Test

.PHONY: test-unit
test-unit: $(GOTESTSUM) ## Tests without an API server: seconds.
	$(WITHOUT_APISERVER) $(GO_TEST) $(TESTFLAGS) ./...

# Packages whose tests start or need an API server.
integration_packages = $(shell go list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' ./... \
  | grep -E 'kudo\.dev/kudo/(test|internal/testing)|runtime/pkg/envtest' | cut -d' ' -f1)

.PHONY: test-integration
test-integration: $(GOTESTSUM) $(APISERVER) ## Tests against a real API server.
	$(WITH_APISERVER) $(GO_TEST) -count=1 -timeout 20m $(TESTFLAGS) $(or $(integration_packages),./test/integration/...)

.PHONY: test-crash
test-crash: build $(APISERVER) ## Kill the manager around every one of its writes: same end state.
	$(WITH_APISERVER) go test -tags faults -count=1 -timeout 30m -v $(TESTFLAGS) ./test/faults/...

.PHONY: test-faults
test-faults: build $(APISERVER) ## The faults of docs/faults.md at every write, and mutants: hours; FAULTS_* narrow it down.
	FAULTS_ALL=1 $(WITH_APISERVER) go test -tags faults -count=1 -timeout 12h -v $(TESTFLAGS) ./test/faults/...

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (10s).
	hack/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: ## Run the benchmarks.
	$(WITHOUT_APISERVER) go test -run '^$$' -bench . -benchmem ./...

##@ Build

.PHONY: build
build: plugin ## Build bin/manager and bin/kubectl-kudo.
	go build -ldflags '$(LDFLAGS)' -o $(BIN)/manager .

.PHONY: plugin
plugin: ## Build bin/kubectl-kudo, the kubectl plugin.
	go build -ldflags '$(LDFLAGS)' -o $(BIN)/kubectl-kudo ./cmd/kubectl-kudo
	ln -sf kubectl-kudo $(BIN)/kubectl_complete-kudo

.PHONY: release-plugin
release-plugin: ## Archives of the plugin and its krew manifest in dist/, for PLATFORMS (all).
	hack/krew/release.sh $(VERSION) $(PLATFORMS)

.PHONY: $(BIN)/demo
$(BIN)/demo:
	go build -ldflags '$(LDFLAGS)' -o $@ ./hack/demo

.PHONY: devcluster
devcluster: ## Build bin/devcluster, the embedded control plane, and bin/assets (first time: minutes).
	@hack/devcluster/build.sh bin/devcluster

.PHONY: docker-build
docker-build: ## Build the image IMG.
	$(DOCKER) build --build-arg VERSION=$(VERSION) -t $(IMG) .

.PHONY: bundle-manifests
bundle-manifests: $(KUSTOMIZE) kustomization ## Write dist/install.yaml for OVERLAY (config/default) and IMG.
	@mkdir -p $(DIST)
	$(KUSTOMIZE) build $(BIN)/deploy > $(DIST)/install.yaml

.PHONY: clean
clean: ## Remove what was built.
	find bin -mindepth 1 -maxdepth 1 ! -name .gitignore -exec rm -rf {} +
	rm -rf $(DIST)

##@ Deploy to the cluster of the current kubeconfig

.PHONY: kustomization
kustomization:
	@mkdir -p $(BIN)/deploy
	@img='$(IMG)'; printf '%s\n' 'resources: [../../$(OVERLAY)]' 'images:' '- name: kudo/manager' \
	  "  newName: $${img%:*}" "  newTag: \"$${img##*:}\"" > $(BIN)/deploy/kustomization.yaml

.PHONY: install
install: $(KUSTOMIZE) ## Install the CRDs.
	$(KUSTOMIZE) build config/crd | $(KUBECTL) apply --server-side -f -

.PHONY: deploy
deploy: $(KUSTOMIZE) kustomization ## Install everything, with the image IMG.
	$(KUSTOMIZE) build $(BIN)/deploy | $(KUBECTL) apply --server-side -f -

.PHONY: undeploy
undeploy: $(KUSTOMIZE) ## Remove everything; refused while Instances exist.
	@KUBECTL='$(KUBECTL)' hack/undeploy.sh
	$(KUSTOMIZE) build $(OVERLAY) | $(KUBECTL) delete --ignore-not-found -f -

.PHONY: run
run: build ## Run the manager here, under its own roles (deploy OVERLAY=config/overlays/dev first).
	hack/run.sh $(CURDIR)/$(BIN)

##@ Tools (built into bin/ from hack/tools/go.mod)

.PHONY: tools
tools: $(CONTROLLER_GEN) $(KUSTOMIZE) $(GOTESTSUM) $(CRD_REF_DOCS) $(GOVULNCHECK) $(GOLANGCI_LINT) $(BIN)/kubebuilder ## Build all tools.

$(CONTROLLER_GEN):  package := sigs.k8s.io/controller-tools/cmd/controller-gen
$(KUSTOMIZE):       package := sigs.k8s.io/kustomize/kustomize/v5
$(GOTESTSUM):       package := gotest.tools/gotestsum
$(CRD_REF_DOCS):    package := github.com/elastic/crd-ref-docs
$(GOVULNCHECK):     package := golang.org/x/vuln/cmd/govulncheck
$(GOLANGCI_LINT):   package := github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(BIN)/kubebuilder: package := sigs.k8s.io/kubebuilder/v4

$(CONTROLLER_GEN) $(KUSTOMIZE) $(GOTESTSUM) $(CRD_REF_DOCS) $(GOVULNCHECK) $(GOLANGCI_LINT) $(BIN)/kubebuilder: hack/tools/go.mod hack/tools/go.sum
	@echo 'building bin/$(@F)'
	@cd hack/tools && go build -ldflags '-s -w' -o $(CURDIR)/$@ $(package)
	@touch $@
