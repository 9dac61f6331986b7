#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants one bug after the other into a copy of the store, the relay guard and the link, and demands that the unit tests
find each. A test that passes with the bug in place tests less than it says.

usage: planted.py [NAME...]      about 4 minutes on two cores; --list names the bugs

The copy is build/planted/tree; the checkout is not touched. Each suite is compiled by itself, without CMake, and first run
without a bug, since a suite that fails anyway finds nothing.
"""

import os
import platform
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TREE = ROOT / "build/planted/tree"
OBJECTS = ROOT / "build/planted/objects"
TEST_LIMIT_S = 300
LIBRARIES = ["-lgtest", "-lgtest_main", "-lgmock", "-lpthread"]

COMMON = ["lib/base/error.cpp", "tests/support/check_aborts.cpp"]
SUITES = {
    "guard": {"sources": ["lib/control/relay_guard.cpp", "tests/unit/control/relay_guard_test.cpp",
                          "tests/unit/control/relay_guard_simulation_test.cpp"]},
    "store": {"sources": ["lib/store/crc32.cpp", "lib/store/energy_journal.cpp", "lib/store/record_format.cpp",
                          "tests/unit/store/crc32_test.cpp", "tests/unit/store/energy_journal_test.cpp",
                          "tests/unit/store/record_format_test.cpp", "tests/unit/store/record_store_power_test.cpp",
                          "tests/unit/store/record_store_test.cpp"]},
    "keeper": {"sources": ["hal/linux/relay_keeper.cpp", "tests/unit/hal/relay_keeper_test.cpp"]},
    "runner": {"sources": ["lib/crypto/secret.cpp", "tests/unit/hal/runner_test.cpp"]},
    "link": {"sources": ["hal/linux/mqtt_link.cpp", "tests/unit/hal/mqtt_link_test.cpp", "tests/unit/hal/test_broker.cpp"],
             "libraries": ["-lmosquitto"]},
    "meters": {"sources": ["hal/meters/meter_filter.cpp", "tests/unit/hal/meter_filter_test.cpp"]},
}

# name: suite, file, what stands there (once), what is planted
GUARD = "lib/control/relay_guard.cpp"
RECORDS = "lib/store/record_store.hpp"
JOURNAL = "lib/store/energy_journal.hpp"
BUGS = {
    "guard_ignores_minimum_times": ("guard", GUARD, "wanted.on != on_ && now.since(changed_) >= hold_ms(wanted.cause)", "wanted.on != on_"),
    "guard_compares_times_of_32_bits": ("guard", GUARD, "now.since(changed_) >= hold_ms(wanted.cause)",
                                        "static_cast<std::uint32_t>(now.ms) >= static_cast<std::uint32_t>(changed_.ms + hold_ms(wanted.cause))"),
    "guard_never_falls_back": ("guard", GUARD, "if (instruction_.runs && !instruction_.is_over(now, instruction_ms()))", "if (instruction_.runs)"),
    "guard_spreads_no_start": ("guard", GUARD, "is_first_start_ && cause != Cause::person", "false"),
    "guard_lets_a_schedule_overrule_a_trip": ("guard", GUARD, "if (trip_.runs) return {false, Cause::trip};", "if (trip_.runs && !instruction_.runs) return {false, Cause::trip};"),
    "guard_forgets_when_the_board_opened": ("guard", GUARD, "  change(now, false);\n  changed_ = now;\n", "  change(now, false);\n"),
    "guard_asks_a_dead_driver_without_end": ("guard", GUARD, "was_opened_ ? std::max(limits_.off_ms_min, retry_ms_min) : limits_.off_ms_min", "limits_.off_ms_min"),
    "store_settles_nothing": ("store", RECORDS, "  WATTPROOF_TRY(settle());\n  const std::uint32_t size", "  const std::uint32_t size"),
    "store_believes_an_unmarked_entry": ("store", RECORDS, "    if (*blank) return Error::none;\n", ""),
    "store_leaves_a_rival_bank_standing": ("store", RECORDS, "if (rival_generation_ > bank_.generation) {", "if (false) {"),
    "store_revives_a_rotten_record": ("store", RECORDS, "if (!crc || *crc != head->crc || head->id != id) continue;", "if (!crc || head->id != id) continue;"),
    "store_checks_no_cells": ("store", RECORDS, "return equal(read_back, units) ? Error::none : Error::storage_failed;", "return Error::none;"),
    "store_forgets_the_generation": ("store", "lib/store/record_format.cpp", "  store_be32(bytes.data(), generation);\n  store_be32(bytes.data() + 4, offset", "  store_be32(bytes.data(), 0);\n  store_be32(bytes.data() + 4, offset"),
    "journal_runs_backwards": ("store", JOURNAL, "totals.import_mwh < newest_.totals.import_mwh || totals", "totals"),
    "journal_settles_nothing": ("store", JOURNAL, "  if (!has_written_) WATTPROOF_TRY(settle());\n", ""),
    "journal_takes_the_oldest": ("store", JOURNAL, "record->sequence <= newest_.sequence", "(newest_.sequence != 0 && record->sequence >= newest_.sequence)"),
    "keeper_survives_its_owner": ("keeper", "hal/linux/relay_keeper.cpp", "    make_safe();\n  }\n\n private:", "  }\n\n private:"),
    "keeper_waits_for_ever": ("keeper", "hal/linux/relay_keeper.cpp", "static_cast<int>(options_.deadline_ms)", "-1"),
    "keeper_overrules_in_silence": ("keeper", "hal/linux/relay_keeper.cpp", "    has_overruled_ = true;\n", ""),
    "runner_opens_once_and_hopes": ("runner", "hal/runner.hpp", "relay_failed_ = has_failed && !relay_.on;", "relay_failed_ = false;"),
    "runner_closes_again_behind_the_guard": ("runner", "hal/runner.hpp", "relay_failed_ = has_failed && !relay_.on;", "relay_failed_ = has_failed;"),
    "link_obeys_a_retained_message": ("link", "hal/linux/mqtt_link.cpp", "if (message->retain) {", "if (false) {"),
    "link_takes_a_frame_of_any_size": ("link", "hal/linux/mqtt_link.cpp", "message->payloadlen <= 0 || static_cast<std::uint32_t>(message->payloadlen) > frame_size_max", "message->payloadlen <= 0"),
    "link_takes_every_topic": ("link", "hal/linux/mqtt_link.cpp", "link.options_.subscribe_topic != message->topic", "false"),
    "link_never_backs_off": ("link", "hal/linux/mqtt_link.cpp", "backoff_ms_ = backoff_ms_ > options_.backoff_ms_max / 2 ? options_.backoff_ms_max : backoff_ms_ * 2;", ""),
    "meter_jumps_up": ("meters", "hal/meters/meter_filter.cpp", "if (!is_below && value_mwh - *counter.last_mwh <= limit_mwh) {", "if (!is_below) {"),
    "meter_is_zero_when_silent": ("meters", "hal/meters/meter_filter.hpp", "is_available(now) ? power_w_ : std::nullopt", "is_available(now) ? power_w_ : std::optional<std::int32_t>(0)"),
}


def make_tree():
    """A copy of the folders that the suites need."""
    shutil.rmtree(TREE, ignore_errors=True)
    for folder in ("lib", "hal", "tests/unit", "tests/support", "tests/power"):
        shutil.copytree(ROOT / folder, TREE / folder)
    OBJECTS.mkdir(parents=True, exist_ok=True)


def compile_one(source):
    """Objects are found again by ccache, so that a bug costs only the sources that it reaches."""
    compiler = ["ccache", "g++"] if shutil.which("ccache") else ["g++"]
    out = OBJECTS / (source.replace("/", "_") + ".o")
    done = subprocess.run([*compiler, "-std=c++20", "-O1", "-DWATTPROOF_SLOT_COUNT_MAX=96", "-DWATTPROOF_VALIDATOR_COUNT_MAX=32",
                           f'-DWATTPROOF_SOURCE_DIR="{ROOT}"', "-I.", "-Ilib", "-Itests", "-c", source, "-o", str(out)],
                          cwd=TREE, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{source} does not compile\n{done.stderr[-2000:]}")
    return out


def passes(name):
    """Builds and runs a suite. True if its tests pass, False if one fails."""
    suite = SUITES[name]
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        objects = list(pool.map(compile_one, COMMON + suite["sources"]))
    program = OBJECTS / f"{name}_suite"
    subprocess.run(["g++", *map(str, objects), *suite.get("libraries", []), *LIBRARIES, "-o", str(program)], check=True, cwd=TREE)
    try:
        done = subprocess.run([program, "--gtest_fail_fast", "--gtest_brief=1"], capture_output=True, timeout=TEST_LIMIT_S, cwd=TREE)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def plant(bug):
    """Plants a bug, asks its suite, takes it out. True if it was found."""
    suite, file, stands, planted = BUGS[bug]
    path = TREE / file
    text = path.read_text()
    if text.count(stands) != 1:
        raise RuntimeError(f"{bug}: {file} holds its place {text.count(stands)} times")
    path.write_text(text.replace(stands, planted))
    try:
        return not passes(suite)
    finally:
        path.write_text(text)


def main():
    names = sys.argv[1:]
    if names == ["--list"]:
        print("\n".join(BUGS))
        return 0
    unknown = set(names) - set(BUGS)
    if unknown:
        sys.exit(f"no bug {', '.join(sorted(unknown))}")
    names = names or list(BUGS)
    begin = time.monotonic()
    print(f"planting {len(names)} bugs on {platform.machine()}, about {max(1, len(names) * 9 // 60)} min", flush=True)
    make_tree()
    for suite in dict.fromkeys(BUGS[name][0] for name in names):
        if not passes(suite):
            sys.exit(f"the suite {suite} fails without any bug")
    missed = []
    for name in names:
        start = time.monotonic()
        found = plant(name)
        print(f"{'found' if found else 'MISSED'}: {name} ({time.monotonic() - start:.0f} s)", flush=True)
        if not found:
            missed.append(name)
    print(f"{len(names) - len(missed)} of {len(names)} planted bugs found in {time.monotonic() - begin:.0f} s")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
