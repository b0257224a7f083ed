# Commands of the project; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
NODE_BIN := $(CURDIR)/node_modules/node/bin
export PATH := $(NODE_BIN):$(CURDIR)/node_modules/.bin:$(PATH)
JEST := NODE_OPTIONS=--experimental-vm-modules jest
CLUSTER := node e2e/cluster/main.ts
SETUP := node_modules/.setup

.PHONY: slowest help setup generate check unit integration test e2e demo cluster-up cluster-istio cluster-down kubeconfig images images-list dev bench-operator bench-serving bench-trials conformance-peers simulate-abtest soak

help: ## This list
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

# Install scripts stay off: one of a dependency would download. Node 24 is what npm's `node` package
# brings. `npm install` keeps to the lock file; `npm ci` would refuse it wherever a registry mirror
# has no packages for other platforms.
$(SETUP): package.json package-lock.json
	@echo "installing packages (about half a minute)"
	@npm install --ignore-scripts --no-audit --no-fund --loglevel=error
	@cd node_modules/node && node installArchSpecificPackage.js >/dev/null
	@touch $@

setup: $(SETUP)

demo: setup ## From a fresh machine to a served model: cluster, chart, example, prediction
	@node e2e/demo/main.ts

generate: setup ## Regenerate CRDs, reference, chart RBAC from their definitions
	@node crds/generate.ts
	@node charts/generate.ts
	@cd serving-runtime/grpc && buf generate proto
	@prettier --write --log-level warn .

check: setup ## Fast gate: types, format, lint, import rules, generated files
	@node e2e/checks/main.ts

unit: setup ## Unit tests with coverage
	@$(JEST) --selectProjects unit --coverage

integration: setup ## Tests against a real kube-apiserver, etcd, PostgreSQL and S3 server
	@node e2e/integration/main.ts

test: setup ## Everything but the journeys; prints N passed, N failed
	@node e2e/checks/main.ts --tests

e2e: setup ## The journeys on the full local cluster
	@node e2e/checks/main.ts --journeys

cluster-up: setup ## Start the local cluster (done at once when it runs)
	@$(CLUSTER) up

cluster-istio: setup ## Start the local cluster with Istio and its gateway (the first time: 10 more minutes)
	@$(CLUSTER) istio

cluster-down: setup ## Stop the local cluster and remove every trace of it
	@$(CLUSTER) down

kubeconfig: setup ## Print the path of the local cluster's kubeconfig
	@$(CLUSTER) kubeconfig

images: setup ## Build images and load them (with IMAGE_REGISTRY: build, and PUSH=1 pushes)
	@$(CLUSTER) $(if $(IMAGE_REGISTRY),images,load)

images-list: setup ## All images, for mirrors and air-gapped sites
	@$(CLUSTER) images-list

bench-operator: setup ## Measure the runtime against a Go operator (N=1000,10000; FAULTS=1 adds API trouble; SMOKE=1: seconds)
	@node e2e/bench/operator/main.ts $(if $(N),--objects $(N)) $(if $(FAULTS),--faults) $(if $(SMOKE),--smoke)

bench-serving: setup ## Measure the serving runtime beside MLServer, KServe, Triton, Go and a bare loop (SMOKE=1: seconds)
	@node e2e/bench/serving/main.ts $(if $(SMOKE),--smoke) $(if $(SECONDS_EACH),--seconds $(SECONDS_EACH)) $(if $(ROUNDS),--rounds $(ROUNDS))

bench-trials: setup ## Measure what a search costs beyond its trainings, beside the same by hand (TRIALS=1000; SMOKE=1: seconds)
	@node e2e/bench/trials/main.ts $(if $(TRIALS),--trials $(TRIALS)) $(if $(SMOKE),--smoke)

conformance-peers: setup ## The protocol's conformance suite against this runtime, MLServer, KServe and Triton
	@node e2e/conformance/peers.ts

simulate-abtest: setup ## Simulate an A/B test before it runs (TEST=abtest.yaml ARGS="--effect 0.02"), or REPLAY=outcomes.csv
	@node e2e/ab-tests/main.ts $(if $(TEST),--test $(TEST),--help) $(if $(REPLAY),--replay $(REPLAY)) $(ARGS)

soak: setup ## Fault cases at full length, 10,000 seeds and A/B tests, bugs made on purpose; takes hours, not in CI
	@status=0; SOAK=1 node e2e/faults/main.ts || status=1; node e2e/simulation/main.ts --seeds 10000 || status=1; node e2e/simulation/mutations.ts || status=1; node e2e/ab-tests/main.ts --proof --tests 10000 || status=1; exit $$status

slowest: setup ## The ten slowest steps of cluster and image builds so far
	@$(CLUSTER) slowest

dev: setup ## The operator from source against the current context
	@node --watch operator/main.ts
