# The only door: everything a newcomer or CI does is a target here. `make` lists them.
SHELL := /bin/bash
SWIFT ?= swift
PREFIX ?= /usr/local
NAME ?= ananta
TOPOLOGY ?= deploy/lab/small.yaml
RELEASE := .build/release

.DEFAULT_GOAL := help
.PHONY: help deps build release test fuzz simulate lint demo lab-up lab-down bench control snat chaos install protocol clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## install the Debian packages that building, testing and the lab need
	@deploy/install-dependencies.sh

build: deps ## build everything for debugging
	$(SWIFT) build --build-tests

release: deps ## build the programs as they are shipped
	$(SWIFT) build -c release

test: deps ## run all tests, and say how many ran (root; namespaces and FRR of its own)
	@deploy/run-tests.sh

fuzz: deps ## fuzz the parsers under AddressSanitizer, FUZZ_SECONDS each (default 20)
	@deploy/fuzz.sh all $(or $(FUZZ_SECONDS),20)

simulate: ## run SEEDS simulated lives of the control plane (default 10,000) with all faults
	@deploy/simulate.sh

lint: ## check format and style
	$(SWIFT) format lint --strict --recursive Sources Tests Package.swift

demo: release ## bring up a data centre of namespaces, balance real traffic, check every claim (root)
	@$(RELEASE)/ananta-lab demo --name ananta-demo

lab-up: release ## bring up the lab NAME from TOPOLOGY (root)
	@$(RELEASE)/ananta-lab up --name $(NAME) --topology $(TOPOLOGY)

lab-down: ## remove every trace of the lab NAME (root)
	@$(RELEASE)/ananta-lab down --name $(NAME)

bench: release ## measure the packet path, and bulk data through a lab (root)
	@$(RELEASE)/ananta-bench
	@$(RELEASE)/ananta-lab bench --name ananta-bench

control: release ## measure the control plane of five managers in a lab (root)
	@$(RELEASE)/ananta-lab control --name ananta-control

snat: release ## measure how VMs reach the internet in a lab (root)
	@$(RELEASE)/ananta-lab snat --name ananta-snat

chaos: release ## kill, stop and cut off managers for ROUNDS rounds (default 100), and judge what clients saw (root)
	@$(RELEASE)/ananta-lab chaos --name ananta-chaos --rounds $(or $(ROUNDS),100)

install: release ## copy the programs and units below PREFIX (root)
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $(addprefix $(RELEASE)/,ananta-agent ananta-ctl ananta-lab)
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/ananta/lab deploy/lab/*.yaml
	install -D -m 644 deploy/systemd/ananta-agent.service $(DESTDIR)/etc/systemd/system/ananta-agent.service
	test -e $(DESTDIR)/etc/ananta/agent.yaml || \
	  install -D -m 640 deploy/agent.yaml $(DESTDIR)/etc/ananta/agent.yaml

protocol: ## generate the gRPC messages anew (protoc, and the plugins of swift-protobuf and grpc-swift-protobuf in PATH)
	cd Sources/Transport/Protocol && protoc --swift_out=. --grpc-swift-2_out=. \
	  --swift_opt=Visibility=Internal,UseAccessLevelOnImports=true \
	  --grpc-swift-2_opt=Visibility=Internal,UseAccessLevelOnImports=true ananta.proto
	# The plugin does not yet say so where it reads what it declares `nonisolated(unsafe)`.
	sed -i 's/= _StorageClass\.defaultInstance$$/= unsafe _StorageClass.defaultInstance/' \
	  Sources/Transport/Protocol/ananta.pb.swift

clean: ## remove what was built
	rm -rf .build
