# SPDX-License-Identifier: GPL-2.0
#
# Builds, boots and tests a Linux kernel with pidfd_config(2). The work is done
# by scripts/*; every one of them does only what has changed.

SHELL := /bin/bash
.NOTPARALLEL:
.SUFFIXES:
MAKEFLAGS += --no-print-directory

BUILD ?= build
override BUILD := $(abspath $(BUILD))
export BUILD V J KVM KERNEL_SRC DEBIAN_MIRROR PIDFD_CACHE REFRESH
S := scripts
CONFIGS := configs/vm.config configs/pidfd_config.config

.PHONY: run
run: kernel demo ## boot the patched kernel and run the examples in it (the default)
	@$(S)/vm -n run $(S)/demo

.PHONY: help
help: ## show this
	@echo 'Targets; each does first what it needs of the others:'
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  \1\t\2/p' Makefile | expand -t 14
	@echo
	@echo 'Variables:'
	@printf '  %s\n' \
		'KERNEL_SRC=DIR      start from this Linux 7.3 tree (copied, not changed)' \
		'DEBIAN_MIRROR=ADDR  take packages from here instead of what apt knows' \
		'REFRESH=1           look for a newer point release of the kernel source' \
		'KVM=0, KVM=1        emulate, or use KVM without trying it first' \
		'J=N                 parallel jobs (the number of CPUs)' \
		'V=1                 show the output of every step' \
		'BUILD=DIR           put products here (build)' \
		'PIDFD_CACHE=DIR     put downloads and tools here (~/.cache/pidfd-config)'

.PHONY: tools
tools: ## install the tools that are missing
	@$(S)/tools

.PHONY: bindgen
bindgen: tools

.PHONY: fetch
fetch: tools ## get the kernel source into build/linux
	@$(S)/fetch

.PHONY: prepare
prepare: fetch ## apply patches/ there and add the repository's own files
	@$(S)/prepare

.PHONY: patches
patches: ## write patches/ anew from the commits in build/linux (or FROM=DIR)
	@$(S)/patches $(FROM)

.PHONY: config
config: prepare ## configure the kernel
	@$(S)/config $(BUILD)/kernel $(CONFIGS)

.PHONY: kernel
kernel: config ## build the kernel
	@$(S)/kernel $(BUILD)/kernel

.PHONY: demo
demo: tools
	@$(S)/programs demo

.PHONY: boot
boot: kernel ## boot the kernel and show its version
	@$(S)/vm -n boot uname -a

.PHONY: shell
shell: kernel ## boot the kernel and give a shell in it
	@$(S)/vm -i

.PHONY: selftest
selftest: kernel ## run the kernel selftests
	@$(S)/test selftest

.PHONY: kunit
kunit: kernel ## run the KUnit tests
	@$(S)/test kunit

.PHONY: crate-test
crate-test: kernel ## run the tests of the Rust crate
	@$(S)/test crate

.PHONY: test
test: kernel ## run all three, in one boot
	@$(S)/test kunit selftest crate

.PHONY: check
check: kernel ## check style, lints, documentation and the kernel without the option
	@$(S)/check $(CHECKS)

.PHONY: build-off
build-off: kernel ## of these, only the kernel without the option
	@$(S)/check off

.PHONY: clean
clean: ## remove what was built, keep what was downloaded
	rm -rf $(BUILD)

.PHONY: distclean
distclean: clean ## remove both
	@$(S)/distclean
