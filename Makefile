# Each target that needs more than Go installs it first, on Debian.

# The longest first, so that the last steps end at about the same time.
KERNELS ?= 7.3 6.1 6.12 6.19
DOC_KERNELS ?= 6.1 6.12 6.16 6.18 6.19 7.0 7.1 7.2 7.3
# Now and then the emulator stops one of two CPUs: make test-all has the other kernels.
SMP_KERNELS ?= 6.12
# Of KERNELS, those that are tested only in what depends on the kernel.
BETWEEN ?= 6.12 6.19
COST_KERNELS ?= 6.12 7.3
CORPUS_KERNELS ?= 6.12 7.3
DEMO_KERNEL ?= 6.12
FUZZTIME ?= 10s
VM_TIMEOUT ?= 25m
# Steps of make test at a time: most keep one CPU busy.
JOBS ?= 2

GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VM := $(CURDIR)/build/vm
STEP := scripts/step.sh
LIVE := scripts/live.sh
# Live tests run as root; go itself does not have to.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,-exec 'sudo --preserve-env=VERIALLOC_LIVE,VERIALLOC_MANY')

# The packages with tests that load programs. Of cmd/verialloc the other tests need no kernel.
LOADING := tracer kernel load load/bench load/generate load/object
LIVE_PACKAGES := $(LOADING) cmd/verialloc:Live

# need gives the prerequisites of a step, which make test has made before it starts the
# steps: make passes a step over, and comes back to it late, while one is being made.
need = $(if $(filter quiet,$(STEPS)),,$(1))

.DEFAULT_GOAL := build

.PHONY: help
help: ## Print this
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 20

.PHONY: build
build: ## Build ./verialloc
	CGO_ENABLED=0 go build -o verialloc ./cmd/verialloc

.PHONY: demo
demo: build vm ## Trace the stress program on this machine's kernel, or in QEMU
	@scripts/demo.sh ./verialloc $(VM) $(DEMO_KERNEL)

# The steps of make test, in the order in which they start: first what is quick and fails
# most often, then the long ones, so that the last two end at about the same time.
TEST_STEPS = verify-generated test-unit lint test-host test-corpus-build test-vm test-corpus test-race test-veristat \
	test-vm-runner test-cost test-smp
ALL_STEPS = $(TEST_STEPS) test-races test-simulation test-fuzz test-flat

.PHONY: test
test: ## Check and test all there is, on this kernel and on those of KERNELS
	@$(MAKE) --no-print-directory setup test-tools
	@rm -rf build/steps build/steps.log
	@STEPS=quiet $(MAKE) --no-print-directory -j$(JOBS) $(TEST_STEPS); code=$$?; scripts/summary.sh; exit $$code

.PHONY: test-all
test-all: ## make test, with all kernels, the whole corpus, long fuzzing and the races of rare kind; one failure stops no other step
	@$(MAKE) --no-print-directory setup test-tools
	@rm -rf build/steps build/steps.log
	@STEPS=quiet VERIALLOC_CORPUS_ALL=1 $(MAKE) --no-print-directory -k -j$(JOBS) KERNELS='$(DOC_KERNELS)' SMP_KERNELS='$(DOC_KERNELS)' BETWEEN= \
		FUZZTIME=1m $(ALL_STEPS); code=$$?; scripts/summary.sh; exit $$code

.PHONY: test-unit
test-unit: ## Run the tests that need no root
	@$(STEP) $@ go test -v -timeout 40m -skip '^TestLive|^TestVM|RealVeristat' ./...

.PHONY: test-race
test-race: $(call need,setup-race) ## Run the tests that need no root with the race detector; the simulations are short
	@$(STEP) $@ go test -v -race -short -timeout 40m -skip '^TestLive|^TestVM|RealVeristat' ./...

.PHONY: test-simulation
test-simulation: $(call need,setup-race)
	@$(STEP) $@ go test -v -race -timeout 60m ./compare ./compare/stats

.PHONY: test-veristat
test-veristat: $(call need,setup-vm vm) ## Compare tables, filters and comparisons with what Debian's veristat prints
	@tree=$$($(VM) tools veristat) && VERIALLOC_VERISTAT=$$tree \
		$(STEP) $@ go test -v -count=1 -run 'RealVeristat|Golden' ./compare/veristat

.PHONY: test-host
test-host: ## Run the live tests on this machine's kernel, as root
	@VERIALLOC_LIVE=1 $(STEP) $@ go test -v -count=1 -p 1 -timeout 40m -skip Fragmented $(AS_ROOT) $(LOADING:%=./%) ./cmd/verialloc

.PHONY: test-flat
test-flat: ## Check on this machine's kernel, as root, that 20,000 loads of distinct sizes leave no memory behind
	@VERIALLOC_LIVE=1 VERIALLOC_MANY=1 $(STEP) $@ go test -v -count=1 -timeout 40m -run LiveFlat $(AS_ROOT) ./cmd/verialloc

# All that the steps share.
.PHONY: test-tools
test-tools: build vm test-binaries cost corpus-builder

# The tests that the guests run, and the objects that some of them load.
.PHONY: test-binaries
test-binaries:
	@mkdir -p build/tests
	@CGO_ENABLED=0 go test -c -ldflags '-s -w' -o build/tests/ $(LOADING:%=./%) ./cmd/verialloc ./lab/corpus
	@rm -rf build/objects && mkdir build/objects
	@cp "$$(go list -m -f '{{.Dir}}' github.com/cilium/ebpf)"/testdata/*-el.elf build/objects

.PHONY: test-vm
test-vm: $(KERNELS:%=test-vm-%) $(KERNELS:%=test-preempt-%) $(KERNELS:%=test-fragmented-%) ## Run the live tests in QEMU on each of KERNELS="6.1 6.12 6.19 7.3"

.PHONY: test-vm-runner
test-vm-runner: $(call need,setup-vm) ## Run the tests of lab/vm itself
	@VERIALLOC_VM=6.12 $(STEP) $@ go test -v -count=1 -timeout 40m -run VM ./lab/vm

test-vm-%: $(call need,setup-vm vm test-binaries)
	@$(STEP) $@ $(LIVE) $* --no-verialloc --timeout $(VM_TIMEOUT) --file build/objects:/objects --env VERIALLOC_OBJECTS=/objects \
		-- $(if $(filter $*,$(BETWEEN)),$(LOADING),$(LIVE_PACKAGES)) -- -test.skip 'Fragmented$(if $(filter $*,$(BETWEEN)),$(ANYWHERE))'

# What is the same on each kernel: whom a trace follows and selects, how it ends, and the ring.
ANYWHERE = |Follow|LoadsOf|RingGrows|RingOverflows|LiveSelect|LiveClose

# Exactness is hardest to keep where tasks are preempted within the probes.
test-preempt-%: $(call need,setup-vm vm test-binaries)
	@$(STEP) $@ $(LIVE) $* --no-verialloc --append preempt=full -- tracer:Concurrent

test-fragmented-%: $(call need,setup-vm vm test-binaries)
	@$(STEP) $@ $(LIVE) $* --no-verialloc --mem 512 --env VERIALLOC_FRAGMENT=1 -- tracer:Fragmented

.PHONY: test-smp
test-smp: $(SMP_KERNELS:%=test-smp-%) ## Run the concurrent tests on two CPUs on each of SMP_KERNELS="6.12"

test-smp-%: $(call need,setup-vm vm test-binaries)
	@SMP=1 $(STEP) $@ $(LIVE) $* --no-verialloc --timeout 4m --smp 2 --append preempt=full -- tracer:Concurrent

# What happens once in many loads. The emulator dies in one of a few such guests that run
# for five minutes, so the tests are repeated but once.
.PHONY: test-races
test-races: $(KERNELS:%=test-races-%)

test-races-%: $(call need,setup-vm vm test-binaries)
	@SMP=1 $(STEP) $@ $(LIVE) $* --no-verialloc --timeout 30m --smp 2 --append preempt=full -- \
		'tracer:Concurrent|BegunBefore|CutOff|Restarted|NoRoom' load:Live -- -test.count=2

# The corpus is the selftests' of the newest of these kernels.
CORPUS = $(CURDIR)/build/corpus build --vm $(VM) --kernel $(lastword $(CORPUS_KERNELS))

.PHONY: corpus-builder
corpus-builder: vm
	@go build -o build/corpus ./lab/corpus

.PHONY: corpus
corpus: setup-corpus setup-vm corpus-builder ## Build a corpus of real BPF objects in the user's cache directory, and print where
	@$(CORPUS) --all

.PHONY: test-corpus
test-corpus: $(call need,build) $(CORPUS_KERNELS:%=test-corpus-%) ## Compare bench with Debian's veristat, program by program, on each of CORPUS_KERNELS="6.12 7.3"
	@tools=$$($(VM) tools veristat) && VERIALLOC_TOOLS=$$tools VERIALLOC_RESULTS='$(CORPUS_KERNELS:%=$(CURDIR)/build/corpus-%)' \
		$(STEP) $@ go test -v -count=1 -run Results ./lab/corpus

.PHONY: test-corpus-build
test-corpus-build: $(call need,setup-corpus setup-vm corpus-builder)
	@$(STEP) $@ sh -c '$(CORPUS) $(if $(VERIALLOC_CORPUS_ALL),--all) >build/corpus.place'

# The memory holds the corpus, the tools, and what veristat and the verifier take. With
# VERIALLOC_CORPUS_ALL=1 all objects of the corpus are loaded.
test-corpus-%: test-corpus-build $(call need,test-binaries)
	@rm -rf build/corpus-$*
	@corpus=$$(cat build/corpus.place) && tools=$$($(VM) tools veristat bpftrace) && \
	$(STEP) $@ $(LIVE) $* --mem 4096 --timeout 40m --mount tracefs --file $$corpus/objects:/corpus --file $$tools:/tools \
		--env VERIALLOC_CORPUS=/corpus --env VERIALLOC_CORPUS_ALL --env VERIALLOC_TOOLS=/tools \
		--env VERIALLOC_RESULTS=/results --fetch-file /results:$(CURDIR)/build/corpus-$* -- lab/corpus:Live

.PHONY: test-fuzz
test-fuzz:
	@FUZZTIME=$(FUZZTIME) $(STEP) $@ scripts/fuzz.sh

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME=10s
	@FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

.PHONY: lint
lint: $(call need,setup-build) ## Check style, and that imports go one way
	@$(STEP) $@ sh -exc '$(GOLANGCI_LINT) run ./...; GOARCH=arm64 go vet ./...; clang-format-19 --dry-run --Werror bpf/*.c bpf/*.h'

.PHONY: fmt
fmt: setup-build ## Format Go and C as lint wants it
	$(GOLANGCI_LINT) fmt ./...
	clang-format-19 -i bpf/*.c bpf/*.h

.PHONY: generate
generate: setup-build ## Rebuild the BPF objects and their Go
	go generate .

.PHONY: verify-generated
verify-generated: $(call need,setup-build) ## Check that the BPF objects are those of the sources
	@$(STEP) $@ scripts/verify-generated.sh

.PHONY: test-cost
test-cost: $(COST_KERNELS:%=test-cost-%) ## Check that tracing takes not much more than empty programs, and as much of each latency

.PHONY: cost
cost:
	@CGO_ENABLED=0 go build -o build/cost ./lab/cost

# Instructions, not time: measured are 1.08 on 6.12 and 1.06 on 7.3.
test-cost-%: $(call need,setup-vm vm cost test-binaries)
	@$(STEP) $@ sh -exc '$(VM) run --kernel $* --icount --mount tracefs --file build/cost:/bin/cost -- cost guard --limit 1.12; \
		$(LIVE) $* --icount -- tracer:TestLiveLedgerSpans'

.PHONY: bench-cost
bench-cost: setup-vm vm cost ## Measure what tracing costs, beside other tracers, and rewrite the tables of docs/performance.md
	@tools=$$($(VM) tools bpftrace linux-perf libbpf-tools) && for kernel in $(COST_KERNELS); do \
		$(VM) run --kernel $$kernel --icount --mem 4096 --mount tracefs --timeout 90m \
			--file $$tools:/tools --file build/cost:/bin/cost -- cost measure >build/cost-$$kernel.json || exit; \
	done
	build/cost report --into docs/performance.md $(COST_KERNELS:%=build/cost-%.json)

.PHONY: docs-kernels
docs-kernels: setup-vm vm ## Rewrite the tables of docs/kernels.md from DOC_KERNELS
	@mkdir -p build/doctor
	@rm -f build/doctor/*
	@for kernel in $(DOC_KERNELS); do \
		echo "docs-kernels: $$kernel" >&2; \
		$(VM) run --kernel $$kernel -- verialloc doctor -o json >build/doctor/$$kernel.json || exit; \
	done
	go run ./lab/matrix docs/kernels.md $(DOC_KERNELS:%=build/doctor/%.json)

.PHONY: setup
setup: setup-build setup-race setup-vm setup-corpus ## Install what building, testing and the demo need

.PHONY: setup-build
setup-build:
	@scripts/setup.sh build

.PHONY: setup-race
setup-race:
	@scripts/setup.sh race

.PHONY: setup-corpus
setup-corpus:
	@scripts/setup.sh corpus

.PHONY: setup-vm
setup-vm:
	@scripts/setup.sh vm

.PHONY: vm
vm:
	@mkdir -p build
	@go build -o $(VM) ./lab/vm

.PHONY: clean
clean: ## Remove what was built; the kernels stay in the user's cache
	rm -rf build verialloc
