# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The VM lab. molecule/shared/README.md explains it; the Makefile includes this file.

LAB := python3 molecule/shared/lab
# In make test: from a lab that knows nothing of the site to one that has lived through a gateway's death.
LAB_STEPS := lab-fresh lab-site lab-stale lab-proof lab-end
MOLECULE := env $(ANSIBLE) NO_COLOR=1 COLUMNS=160 .venv/bin/molecule
ifneq ($(SCST_SOURCE),)
export SCST_SOURCE
# Real SCST has its tree where the kernel puts it; the emulator's is a FUSE mount.
export CEPHGATE_LAB_SYSFS_ROOT := /sys/kernel/scst_tgt
endif

.PHONY: lab lab.run lab-up lab-down lab-ssh lab-status lab-console lab-image
lab: deps venv  ## the whole path on this machine: Ceph, two gateways and a client as VMs, the site, the proof
	@$(STEPS) lab
lab.run:
	@$(LAB) up
	@$(LAB) phase 'site: molecule converge' $(MOLECULE) converge -s site
	@$(LAB) phase 'site: molecule verify' $(MOLECULE) verify -s site
	@$(LAB) phase 'proof' $(LAB) proof
	@$(LAB) phases

.PHONY: lab-test lab-build lab-build.run lab-fresh.run lab-site.run lab-availability.run lab-proof.run lab-stale.run lab-living.run lab-end.run
lab-test: deps venv  ## the lab's tests alone, on a fresh lab, which is removed at the end
	@$(STEPS) $(LAB_STEPS)
# Not in LAB_STEPS: a quarter of an hour of compilers in an emulated machine. A lab that is up is removed.
lab-build: deps venv  ## the build of SCST on a VM of its own: two kernels, upgrade, power cut, removal
	@$(STEPS) lab-build
lab-build.run:
	@$(LAB) down
	@$(LAB) phase 'scst_build: molecule test' $(MOLECULE) test -s scst_build_vm
lab-fresh.run:
	@$(LAB) down
	@$(LAB) up
	@$(LAB) phase 'tests: fresh lab' $(PYTEST) tests/integration/lab/test_fresh_lab.py tests/integration/lab/test_example.py
# Minutes, so it is not among the steps of make test. On a lab without a site: the emulator on gw1 is started anew.
.PHONY: lab-live
lab-live: venv  ## replay the recordings with live sessions on the gateway gw1 that is up (emulator over LIO)
	@$(LAB) phase 'tests: live sessions' $(PYTEST) tests/integration/lab/test_live_recordings.py
lab-site.run:
	@$(LAB) phase 'site: molecule converge' $(MOLECULE) converge -s site
	@$(LAB) phase 'site: molecule idempotence' $(MOLECULE) idempotence -s site
	@$(LAB) phase 'site: molecule verify' $(MOLECULE) verify -s site
# Not in LAB_STEPS: a quarter of an hour each. They want the site as it is declared, and leave one more image.
.PHONY: lab-availability lab-living
lab-availability: venv  ## deaths of a gateway's parts under load, on the lab whose site is as it is declared
	@$(STEPS) lab-availability
lab-living: venv  ## what is declared anew while applications work, on the lab whose site is as it is declared
	@$(STEPS) lab-living
lab-availability.run:
	@$(LAB) phase 'tests: availability' $(PYTEST) -s tests/integration/lab/test_availability.py
.PHONY: lab-operations lab-failback
# Not in LAB_STEPS: half an hour and more, on a lab whose site is as lab-site leaves it, and it is so again at the end. In this order: the
# last ones replace a gateway and purge the site.
OPERATIONS := images operations lun_operations status site_operations
lab-operations: venv  ## every runbook of docs/operations under load, on the lab that is up
	@$(LAB) phase 'tests: operations' $(PYTEST) -s $(patsubst %,tests/integration/lab/test_%.py,$(OPERATIONS))
# Like failover: the mode fenced needs real SCST.
lab-failback: venv  ## the runbooks of the mode fenced under load, on the lab with real SCST that is up
	@$(LAB) phase 'tests: failback' $(PYTEST) -s tests/integration/lab/test_failback.py
.PHONY: failover failover-many stale-write
# Not in LAB_STEPS: the mode fenced needs real SCST (make lab SCST_SOURCE=...). With the emulator a gateway that is fenced stays stuck: LIO,
# its data plane, ends no session before the commands that the guard holds have ended, and the emulator's tree hangs with it.
stale-write: venv  ## the stale write in both modes, on the lab with real SCST that is up
	@$(LAB) phase 'tests: stale write' $(PYTEST) -s tests/integration/lab/test_stale_write.py
failover-many: venv  ## 100 disks on a gateway that is killed, in the mode fenced, on the lab with real SCST that is up; MANY=--initiator: at the client, too
	@.venv/bin/python tests/integration/lab/failover_many.py $(MANY)
failover: venv  ## the failure matrix of both modes, on the lab that is up: make failover MODE=fenced CASE=frozen
	@.venv/bin/python tests/integration/lab/failover.py $(if $(MODE),--mode $(MODE)) $(if $(CASE),--case '$(CASE)')
# The stale write below SCST, which needs no real one; with it: make stale-write.
lab-stale.run:
	@$(LAB) phase 'tests: held write' $(PYTEST) tests/integration/lab/test_held_write.py tests/integration/lab/test_held_image.py
lab-proof.run:
	@$(LAB) phase 'proof' $(LAB) proof
	@$(LAB) phases
lab-living.run:
	@$(LAB) phase 'tests: living site' $(PYTEST) -s tests/integration/lab/test_living_site.py
lab-end.run:
	@$(LAB) down

.PHONY: lab-client lab-client.run lab-client-many
lab-client: deps venv  ## the Linux client's scenario, on two VMs of its own without Ceph
	@$(STEPS) lab-client
# Not in LAB_STEPS: a quarter of an hour and more, see molecule/linux_client/molecule.yml. It would come before the steps that want the whole lab.
lab-client.run:
	@$(LAB) down
	@$(LAB) phase 'linux_client: molecule test' $(MOLECULE) test -s linux_client
lab-client-many: venv  ## time the role linux_client where nothing is to be done, with 3 and with 200 LUNs; half an hour
	@$(LAB) down
	@CEPHGATE_LAB_MEMORY=1024 CEPHGATE_LAB_PROCESSORS=2 $(LAB) up --no-ceph gw1 client1
	@$(LAB) phase 'linux_client: 3 and 200 LUNs' env $(ANSIBLE) ANSIBLE_PIPELINING=1 .venv/bin/ansible-playbook \
	    -i molecule/linux_client/inventory molecule/linux_client/many.yml

.PHONY: bench-real
bench-real: deps venv  ## the engine against scstadmin on real SCST in a VM: make bench-real SCST_SOURCE=...
	@test -n '$(SCST_SOURCE)' || { echo "set SCST_SOURCE to an archive, a folder or a URL of SCST's source: this needs real SCST" >&2; exit 2; }
	@CEPHGATE_LAB_MEMORY=1536 $(LAB) up --no-ceph gw1
	@.venv/bin/python tests/bench/real_scst.py $(BENCH)

.PHONY: lab-safety
lab-safety: venv  ## the engine's guards under a live session, on the gateway gw1 that is up
	@$(PYTEST) tests/integration/lab/test_safety_story.py

lab-image:  ## only make the lab's guest image, or find it in the cache
	@$(LAB) image
lab-up:  ## only bring the lab's VMs and Ceph up (ONLY=gw1: that VM alone, without Ceph)
	@$(LAB) up $(if $(ONLY),--no-ceph $(ONLY))
lab-down:  ## remove the lab; images stay in the cache (CACHE=1: those too)
	@$(LAB) down $(if $(CACHE),--cache)
lab-ssh:  ## a shell on a VM: make lab-ssh HOST=client1
	@$(LAB) ssh $(or $(HOST),client1)
lab-status:  ## what of the lab is up
	@$(LAB) status
lab-console:  ## follow a VM's console: make lab-console HOST=gw1
	@$(LAB) console $(or $(HOST),gw1)

# A removed build/ would leave the VMs running without their disks.
clean: lab-down
