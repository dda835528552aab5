# Each target that needs more than Go installs it first, on Debian.

KERNELS ?= 6.1 6.12 6.19 7.3
DOC_KERNELS ?= 6.1 6.12 6.16 6.18 6.19 7.0 7.1 7.2 7.3
COST_KERNELS ?= 6.12 7.3
CORPUS_KERNELS ?= 6.12 7.3
DEMO_KERNEL ?= 6.12
FUZZTIME ?= 10s
VM_TIMEOUT ?= 25m

GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOTEST := scripts/gotest.sh
VM := $(CURDIR)/build/vm
# Live tests run as root; go itself does not have to.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,-exec 'sudo --preserve-env=VERIALLOC_LIVE')

export TEST_LOG ?= /dev/null

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

.PHONY: test
test: ## Check and test all there is, on this kernel and on those of KERNELS
	@rm -f build/test.log
	@mkdir -p build
	@$(MAKE) TEST_LOG=$(CURDIR)/build/test.log verify-generated lint test-unit test-veristat test-host test-vm test-corpus test-cost
	@scripts/count-tests.sh build/test.log

.PHONY: test-unit
test-unit: ## Run the tests that need no root
	$(GOTEST) ./...

.PHONY: test-veristat
test-veristat: setup-vm vm ## Compare tables, filters and comparisons with what Debian's veristat prints
	tree=$$($(VM) tools veristat) && VERIALLOC_VERISTAT=$$tree \
		$(GOTEST) -count=1 -run 'RealVeristat|Golden' ./compare/veristat

.PHONY: test-host
test-host: ## Run the live tests on this machine's kernel, as root
	VERIALLOC_LIVE=1 $(GOTEST) -count=1 -p 1 $(AS_ROOT) ./tracer ./load ./load/object ./load/generate ./cmd/verialloc

.PHONY: test-vm
test-vm: test-vm-runner $(KERNELS:%=test-vm-%) ## Run the live tests in QEMU on each of KERNELS="6.1 6.12 6.19 7.3"

.PHONY: test-vm-runner
test-vm-runner: setup-vm
	VERIALLOC_VM=6.12 $(GOTEST) -count=1 -timeout 40m -run VM ./lab/vm

test-vm-%: setup-vm vm
	VERIALLOC_LIVE=1 CGO_ENABLED=0 $(GOTEST) -count=1 -timeout 30m \
		-exec '$(VM) run --kernel $* --env VERIALLOC_LIVE --timeout $(VM_TIMEOUT) --' ./tracer ./load ./load/object ./load/generate
	VERIALLOC_LIVE=1 CGO_ENABLED=0 $(GOTEST) -count=1 -timeout 30m -run Live \
		-exec '$(VM) run --kernel $* --env VERIALLOC_LIVE --file $(CURDIR)/README.md:$(CURDIR)/README.md --timeout $(VM_TIMEOUT) --' ./cmd/verialloc
	VERIALLOC_LIVE=1 CGO_ENABLED=0 $(GOTEST) -count=1 -timeout 30m -run Concurrent \
		-exec '$(VM) run --kernel $* --append preempt=full --env VERIALLOC_LIVE --timeout $(VM_TIMEOUT) --' ./tracer
	VERIALLOC_LIVE=1 CGO_ENABLED=0 $(GOTEST) -count=1 -timeout 30m -run Fragmented \
		-exec '$(VM) run --kernel $* --mem 512 --env VERIALLOC_LIVE --env VERIALLOC_FRAGMENT=1 --timeout $(VM_TIMEOUT) --' ./tracer

# The corpus is the selftests' of the newest of these kernels.
.PHONY: corpus
corpus: setup-corpus setup-vm vm ## Build a corpus of real BPF objects in the user's cache directory, and print where
	@go build -o build/corpus ./lab/corpus
	@build/corpus build --vm $(VM) --kernel $(lastword $(CORPUS_KERNELS))

.PHONY: test-corpus
test-corpus: build $(CORPUS_KERNELS:%=test-corpus-%) ## Compare bench with Debian's veristat, program by program, on each of CORPUS_KERNELS="6.12 7.3"
	tools=$$($(VM) tools veristat) && VERIALLOC_TOOLS=$$tools VERIALLOC_RESULTS='$(CORPUS_KERNELS:%=$(CURDIR)/build/corpus-%)' \
		$(GOTEST) -count=1 -run Results ./lab/corpus

# The memory holds the corpus, the tools, and what veristat and the verifier take. With
# VERIALLOC_CORPUS_ALL=1 all objects of the corpus are loaded.
test-corpus-%: setup-corpus setup-vm vm
	@rm -rf build/corpus-$*
	corpus=$$($(MAKE) --silent --no-print-directory corpus) && tools=$$($(VM) tools veristat bpftrace) && \
	VERIALLOC_LIVE=1 CGO_ENABLED=0 $(GOTEST) -count=1 -timeout 40m -run Live \
		-exec "$(VM) run --kernel $* --mem 4096 --timeout 40m --mount tracefs --file $$corpus/objects:/corpus --file $$tools:/tools \
			--env VERIALLOC_LIVE --env VERIALLOC_CORPUS=/corpus --env VERIALLOC_CORPUS_ALL --env VERIALLOC_TOOLS=/tools \
			--env VERIALLOC_RESULTS=/results --fetch-file /results:$(CURDIR)/build/corpus-$* --" ./lab/corpus

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME=10s
	@FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

.PHONY: lint
lint: setup-build ## Check style, and that imports go one way
	$(GOLANGCI_LINT) run ./...
	GOARCH=arm64 go vet ./...
	clang-format-19 --dry-run --Werror bpf/*.c bpf/*.h

.PHONY: fmt
fmt: setup-build ## Format Go and C as lint wants it
	$(GOLANGCI_LINT) fmt ./...
	clang-format-19 -i bpf/*.c bpf/*.h

.PHONY: generate
generate: setup-build ## Rebuild the BPF objects and their Go
	go generate .

.PHONY: verify-generated
verify-generated: setup-build ## Check that the BPF objects are those of the sources
	@scripts/verify-generated.sh

# Instructions, not time: measured are 1.08 on 6.12 and 1.06 on 7.3.
.PHONY: test-cost
test-cost: setup-vm vm ## Check that tracing takes not much more than empty programs on the same hooks
	CGO_ENABLED=0 go build -o build/cost ./lab/cost
	@for kernel in $(COST_KERNELS); do \
		scripts/boot.sh $(VM) run --kernel $$kernel --icount --mount tracefs --file build/cost:/bin/cost -- cost guard --limit 1.12 || exit; \
	done

.PHONY: bench-cost
bench-cost: setup-vm vm ## Measure what tracing costs, beside other tracers, and rewrite the tables of docs/performance.md
	CGO_ENABLED=0 go build -o build/cost ./lab/cost
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
setup: setup-build setup-vm setup-corpus ## Install what building, testing and the demo need

.PHONY: setup-build
setup-build:
	@scripts/setup.sh build

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
