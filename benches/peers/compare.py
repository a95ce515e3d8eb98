#!/usr/bin/env python3
"""Times Rasher and its peers on the same durations in one run, and checks every answer.

    benches/peers/compare.py --durations FILE --shards 200 --rasher target/release/rasher

FILE is a map of test to seconds (pytest-split's .test_durations). Each tool is a whole process,
called in turn, round by round, after one round that warms up, measures memory and checks the
answer; given are the minimum and the median of the wall time and the CPU time. Every answer must
hold every test exactly once, and its makespan is compared with the same lower bound: the longest
test, or all work over all shards. A tool of which every node repeats the whole split is timed once.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ADAPTERS = HERE / "adapters"
# A peer whose first answer takes longer is not asked again; one that takes this long is stopped.
ONCE_SECONDS, LIMIT_SECONDS = 5.0, 90.0


class Peer:
    """One tool in one mode: the command, and how to read the shards from what it prints."""

    def __init__(self, name, mode, command, needs, **rest):
        self.name, self.mode, self.command, self.needs = name, mode, command, needs
        self.read = rest.get("read", adapter_answer)
        self.stdin, self.env = rest.get("stdin"), rest.get("env", {})
        # Where one answer is a part only, another command gives all of it once.
        self.whole_command = rest.get("whole_command", command)
        self.folder = rest.get("folder")
        self.rounds, self.answer, self.note, self.peak = [], None, None, None

    def run(self):
        """One round; the first one measures memory and keeps the answer, and is not timed."""
        first = self.peak is None
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            began = time.perf_counter()
            command = self.whole_command if first else self.command
            process = subprocess.Popen(
                [str(part) for part in command], stdout=out, stderr=err, cwd=self.folder,
                stdin=open(self.stdin, "rb") if self.stdin else subprocess.DEVNULL,
                env={**os.environ, **self.env})
            status, usage = self.wait(process, began, first)
            wall = time.perf_counter() - began
            out.seek(0)
            err.seek(0)
            text, complaint = out.read(), err.read().decode(errors="replace").strip()
        if status != 0:
            self.note = self.note or f"failed with {status}: {complaint[-120:]}"
        elif first and self.read:
            self.answer = self.read(text)
        if not first or (wall > ONCE_SECONDS and self.whole_command == self.command):
            self.rounds.append((wall, usage.ru_utime + usage.ru_stime))

    def wait(self, process, began, measure):
        """Waits; where asked, watches the high-water mark, which exec resets and rusage does not."""
        peak = 0
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG if measure else 0)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                if measure:
                    self.peak = peak / 1024
                return process.returncode, usage
            peak = max(peak, high_water_mark(process.pid))
            if time.perf_counter() - began > LIMIT_SECONDS:
                process.kill()
                self.note = f"stopped after {LIMIT_SECONDS:.0f} s"
            time.sleep(0.0005)


def adapter_answer(text):
    """What the adapters print: the shards, and the time of the algorithm alone."""
    found = json.loads(text)
    return found["shards"], found["algorithm_s"]


def high_water_mark(pid):
    """Peak memory of a running process in KiB; 0 where the system does not say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    lines = [line.split() for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0][1]) if lines else 0


def rasher_peer(arguments, work):
    """`rasher plan` from a store that holds the durations; what it prints is the plan document."""
    binary = Path(arguments.rasher).resolve()
    store = work / "store"
    if not binary.exists():
        return Peer("rasher", "plan", [], [binary])
    record = [binary, "record", arguments.durations, "--store", store, "--quiet"]
    subprocess.run([str(part) for part in record], check=True, stdout=subprocess.DEVNULL)

    def read(text):
        return [shard["tests"] for shard in json.loads(text)["shards"]], None

    plan = [binary, "plan", "--store", store, "--shards", arguments.shards, "--json", "--quiet"]
    return Peer("rasher", "plan", plan, [binary], read=read)


def gotestsum_peer(arguments, where, durations, work):
    """`gotestsum tool ci-matrix`: each test stands for a package with its recorded time."""
    logs = work / "gotestsum"
    logs.mkdir()
    names = {f"m/p{at}": name for at, name in enumerate(durations)}
    with open(logs / "one.log", "w", encoding="utf-8") as log:
        for package, name in names.items():
            event = {"Time": "2026-01-05T02:00:00Z", "Action": "pass", "Package": package,
                     "Elapsed": durations[name]}
            log.write(json.dumps(event) + "\n")
    (logs / "packages").write_text("\n".join(names) + "\n", encoding="utf-8")

    def read(text):
        matrix = json.loads(text)["include"]
        return [[names[p] for p in part["packages"].split()] for part in matrix], None

    binary = where / "bin" / "gotestsum"
    command = [binary, "tool", "ci-matrix", "--partitions", arguments.shards,
               "--timing-files", logs / "*.log"]
    return Peer("gotestsum", "tool ci-matrix", command, [binary], read=read, stdin=logs / "packages")


def bun_peer(arguments, where, durations, work):
    """`bun test --shard --timings`: each test stands for an empty file; one shard is run."""
    folder = work / "bun"
    (folder / "t").mkdir(parents=True)
    binary = where / "npm/node_modules/.bin/bun"
    timings = {}
    if binary.exists():
        for at, seconds in enumerate(durations.values()):
            timings[f"t/p{at}.test.js"] = seconds * 1e3
            (folder / f"t/p{at}.test.js").touch()
    (folder / "t.json").write_text(json.dumps({"version": 1, "files": timings}), encoding="utf-8")
    command = [binary, "test", f"--shard=1/{arguments.shards}", "--timings=t.json"]
    return Peer("bun", "one shard, by timings", command, [binary], read=None, folder=folder)


def all_peers(arguments, durations, work):
    where = Path(arguments.peers).resolve()
    python, modules = where / "venv/bin/python", where / "npm/node_modules"
    sites = list((where / "venv").glob("lib/python*/site-packages"))
    site = sites[0] if sites else where / "venv/lib"
    common = [arguments.durations, arguments.shards]
    peers = [rasher_peer(arguments, work)]
    for package, modes in (("pytest_split", ("least_duration", "duration_based_chunks")),
                           ("prtpy", ("greedy", "multifit", "kk")),
                           ("numberpartitioning", ("greedy", "kk"))):
        for mode in modes:
            command = [python, ADAPTERS / f"{package}_peer.py", *common, mode]
            peers.append(Peer(package.replace("_", "-"), mode, command, [python, site / package]))
    node = shutil.which("node") or "node"
    for package, mode in (("cypress-split", "cypress-split"), ("@jest/test-sequencer", "jest")):
        command = [node, ADAPTERS / "npm_peer.js", *common, mode]
        label = "by duration" if mode == "cypress-split" else "by hash"
        peers.append(Peer(package, label, command, [modules / package],
                          whole_command=[*command, "whole"], env={"NODE_PATH": str(modules)}))
    peers.append(gotestsum_peer(arguments, where, durations, work))
    peers.append(bun_peer(arguments, where, durations, work))
    ruby = shutil.which("ruby")
    library = ruby and subprocess.run([ruby, "-e", 'require "parallel_tests"'], check=False,
                                      capture_output=True).returncode == 0
    peers.append(Peer("parallel_tests", "by runtime",
                      [ruby or "ruby", ADAPTERS / "parallel_tests_peer.rb", *common],
                      [] if library else [Path("ruby with parallel_tests")]))
    return peers


def judge(answer, durations, shards):
    """Makespan over the bound, and what is wrong with the answer, if anything."""
    placed = [name for shard in answer for name in shard]
    if len(placed) != len(durations) or set(placed) != set(durations):
        return None, f"holds {len(placed)} tests, {len(set(placed))} different, of {len(durations)}"
    loads = [sum(durations[name] for name in shard) for shard in answer]
    bound = max(max(durations.values()), sum(durations.values()) / shards)
    empty = shards - sum(1 for shard in answer if shard)
    return max(loads) / bound, f"{empty} empty shards" if empty else None


def row(peer, durations, shards):
    """What is reported of one peer."""
    result = {"peer": peer.name, "mode": peer.mode, "rounds": len(peer.rounds), "note": peer.note}
    if not peer.rounds:
        return result
    walls, cpus = zip(*peer.rounds)
    over_bound, wrong = judge(peer.answer[0], durations, shards) if peer.answer else (None, None)
    took = peer.answer and peer.answer[1]
    result.update({
        "process_ms_min": round(min(walls) * 1e3, 1),
        "process_ms_median": round(statistics.median(walls) * 1e3, 1),
        "cpu_ms_min": round(min(cpus) * 1e3, 1), "peak_mb": round(peer.peak, 1),
        "algorithm_ms": took and round(took * 1e3, 1),
        "over_bound": over_bound and round(over_bound, 8), "note": wrong or peer.note})
    return result


def table(rows):
    head = ["peer", "mode", "process ms min", "median", "CPU ms", "peak MB", "algorithm ms",
            "makespan / bound", "x rasher", "note"]
    base = next((r.get("process_ms_median") for r in rows if r["peer"] == "rasher"), None)
    lines = [head]
    for r in rows:
        ratio = r.get("process_ms_median") and base and f"{r['process_ms_median'] / base:.1f}"
        over = r.get("over_bound") and f"{r['over_bound']:.6f}"
        cells = [r["peer"], r["mode"], r.get("process_ms_min"), r.get("process_ms_median"),
                 r.get("cpu_ms_min"), r.get("peak_mb"), r.get("algorithm_ms"), over, ratio, r["note"]]
        lines.append(["" if cell is None else str(cell) for cell in cells])
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
                     for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--durations", required=True, type=lambda text: Path(text).resolve())
    parser.add_argument("--shards", type=int, default=200)
    parser.add_argument("--rasher", default="target/release/rasher")
    parser.add_argument("--peers", default=os.environ.get("CARGO_TARGET_DIR", "target") + "/peers")
    parser.add_argument("--only", action="append", help="a peer by name; may be repeated")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    durations = json.loads(arguments.durations.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        peers = all_peers(arguments, durations, Path(folder))
        peers = [p for p in peers if not arguments.only or p.name in arguments.only]
        for peer in peers:
            absent = [str(need.name) for need in peer.needs if not Path(need).exists()]
            peer.note = f"not installed: {', '.join(absent)}" if absent else None
        for _ in range(arguments.rounds + 1):
            for peer in peers:
                slow = peer.rounds and peer.rounds[0][0] > ONCE_SECONDS
                if not peer.note and not slow:
                    peer.run()
        rows = [row(peer, durations, arguments.shards) for peer in peers]
    document = {"schema": "rasher.peers/1", "tests": len(durations), "shards": arguments.shards,
                "peers": rows}
    print(json.dumps(document, indent=1) if arguments.json else table(rows))


if __name__ == "__main__":
    main()
