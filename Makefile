# The checks by name. Each is a step of .ci/run, so that a developer and the
# continuous integration run the same thing.

.PHONY: help test race cross lint vet bench chaos soak cover ci

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

test: ## run all tests of all modules
	@bash .ci/run test

race: ## the same under the race detector (needs a C compiler)
	@bash .ci/run race

cross: ## vet and build for the other systems
	@bash .ci/run cross

lint: ## the tests that hold the architecture, formatting, vet
	@bash .ci/run format vet lint

vet: ## go vet of all modules
	@bash .ci/run vet

bench: ## benchmarks, each beside its rival
	go test -run '^$$' -bench . -benchmem work

chaos: ## disturb pools at random for 2 minutes; make chaos ARGS='-for 2h -seed 7'
	go run ./chaos $(ARGS)

soak: ## the same for 30 minutes, with a picture of what was held over time, in out
	@mkdir -p out
	go run ./chaos -for 30m -plot out/soak.svg $(ARGS)

cover: ## test coverage, also of what runs in child processes, into coverage.txt
	@bash .ci/cover

ci: ## everything that the continuous integration runs
	@bash .ci/run
