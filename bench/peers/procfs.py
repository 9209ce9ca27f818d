"""What the kernel knows: CPU time and memory of a process tree, and the machine it runs on."""

import ctypes
import os
import platform
import resource
import signal

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """For preexec_fn: an aborted run must leave no process behind."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def tree(pid):
    """The process and all its descendants."""
    pids = [pid]
    for task in _tasks(pid):
        try:
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                children = file.read().split()
        except OSError:
            continue
        for child in children:
            pids.extend(tree(int(child)))
    return pids


def _tasks(pid):
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def cpu_by_task(pids):
    """CPU nanoseconds on a processor so far, by (pid, task); user and kernel time together."""
    spent = {}
    for pid in pids:
        for task in _tasks(pid):
            try:
                with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                    spent[(pid, task)] = int(file.read().split()[0])
            except OSError:
                continue
    return spent


class VanishedTask(Exception):
    """A thread or process ended within a measurement, and its CPU time went with it."""


def cpu_between(before, after):
    """CPU nanoseconds between two results of cpu_by_task."""
    if set(before) - set(after):
        raise VanishedTask("a thread or process of the proxy ended while it was measured")
    return sum(spent - before.get(key, 0) for key, spent in after.items())


def pss_kb(pids):
    """Proportional set size of the processes together, in KB."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total


class CpuShare:
    """How busy the machine was with anything but this run, and how much the hypervisor took."""

    def __init__(self, own_pids):
        self._own_pids = own_pids
        self._start = self._read()

    def _read(self):
        with open("/proc/stat", encoding="ascii") as file:
            fields = [int(text) for text in file.readline().split()[1:]]
        user, nice, system, idle, iowait, irq, softirq, steal = fields[:8]
        ticks = os.sysconf("SC_CLK_TCK")
        usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF,
                                                      resource.RUSAGE_CHILDREN)]
        own = sum(usage.ru_utime + usage.ru_stime for usage in usages)
        own += sum(cpu_by_task(self._own_pids).values()) / 1e9
        return {"total": sum(fields[:8]) / ticks, "steal": steal / ticks, "own": own,
                "busy": (user + nice + system + irq + softirq) / ticks}

    def percents(self):
        """Since construction, in percent of all processors."""
        now = self._read()
        change = {key: now[key] - self._start[key] for key in now}
        total = max(change["total"], 1e-9)
        return {"other_cpu_percent": round(100 * max(0, change["busy"] - change["own"]) / total, 1),
                "steal_percent": round(100 * change["steal"] / total, 1)}


def _first_line(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.readline().strip()
    except OSError:
        return "unknown"


def machine():
    """Facts about this machine for the record."""
    model, memory_kb = "unknown", 0
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory_kb = int(file.readline().split()[1])
    system = "unknown"
    if os.path.exists("/etc/os-release"):
        system = platform.freedesktop_os_release().get("PRETTY_NAME", "unknown")
    return {"cpu": model, "cpus": len(os.sched_getaffinity(0)),
            "memory_gb": round(memory_kb / 2**20, 1), "system": system,
            "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
            "tcp_congestion_control": _first_line("/proc/sys/net/ipv4/tcp_congestion_control"),
            "load_average_at_start": round(os.getloadavg()[0], 2)}
