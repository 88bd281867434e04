"""Runs of programs, measured: wall and processor seconds, peak memory. Contestants take
turns, and ratios are of neighbouring runs, so that what slows the machine slows all."""
import os
import statistics
import subprocess
import time


class Failed(Exception):
    pass


def run(command, cwd=None, env=None, stdout=subprocess.DEVNULL, good=(0,)):
    """{"seconds", "cpu_seconds", "peak_rss_bytes"} of one run and its children that it waited for."""
    began = time.monotonic()
    child = subprocess.Popen([str(c) for c in command], cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=stdout,
                             stderr=subprocess.PIPE)
    errors = child.stderr.read()
    _pid, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in good:
        raise Failed(f"{command[0]} ended with {child.returncode}: {errors[-500:].decode(errors='replace')}")
    return {"seconds": seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "peak_rss_bytes": usage.ru_maxrss * 1024}


def take_turns(contestants, rounds):
    """contestants: name → function that makes one run and returns what run() does. name → its runs."""
    results = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, function in contestants.items():
            results[name].append(function())
    return results


def median(results, name, key="seconds"):
    return statistics.median(run[key] for run in results[name])


def medians(results, name):
    return {key: median(results, name, key) for key in results[name][0]}


def ratio(results, above, below, key="seconds"):
    """The median of the ratios of runs that were neighbours: what slows the machine slows both."""
    return statistics.median(a[key] / b[key] for a, b in zip(results[above], results[below]))


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]
