"""One round of one target: every figure, or the reason why it does not count."""

import time

import loads
import procfs
from targets import TargetFailure

SETTLE_S = 0.4


class Unsound(Exception):
    """The load met errors: its figures describe something else than the work that was asked for."""


class Round:
    """The figures of one target in one round. Faulty ones are kept apart from the good ones."""

    def __init__(self, target, settings):
        self.target = target
        self.settings = settings
        self.figures = {}
        self.invalid = {}
        self.faults = []
        self.worker_requests = []

    def run(self):
        """Measures everything. Memory is taken from fresh processes: a used one has free heap."""
        work = [("plain and burst", self._plain_and_burst)]
        if self.target.has_process:
            work.append(("idle", self._idle))
        work.append(("paced", self._paced))
        before = self.target.fleet.requests()
        for name, part in work:
            try:
                self.target.start()
                part()
                self.target.check_alive()
            except (TargetFailure, loads.LoadFailure, procfs.VanishedTask, OSError) as error:
                self.faults.append(f"{name}: {error}")
            finally:
                self.target.stop()
        after = self.target.fleet.requests()
        self.worker_requests = [now - then for now, then in zip(after, before)]
        return {"figures": self.figures, "invalid_figures": self.invalid, "faults": self.faults,
                "worker_requests": self.worker_requests}

    def _keep(self, name, figures, problems):
        """Files the figures of one measurement under good or invalid."""
        if problems:
            self.faults.append(f"{name}: " + "; ".join(problems))
            self.invalid.update(figures)
        else:
            self.figures.update(figures)

    def _cpu(self):
        return procfs.cpu_by_task(self.target.pids())

    def _plain_and_burst(self):
        settings = self.settings
        loads.plain(settings, self.target.ports[0], 32, 1, settings.body_1k)
        self._plain(32, settings.body_1k, "1k_32")
        self._plain(256, settings.body_1k, "1k_256")
        self._plain(32, settings.body_64k, "64k_32")
        self._burst()

    def _plain(self, connections, body_file, name):
        arrived_before = sum(self.target.fleet.requests())
        before = self._cpu()
        result = loads.plain(self.settings, self.target.ports[0], connections,
                             self.settings.plain_s, body_file)
        after = self._cpu()
        arrived = sum(self.target.fleet.requests()) - arrived_before
        requests = result["requests"]
        problems = [f"{count} {kind} errors" for kind, count in result["errors"].items() if count]
        if not requests:
            problems.append("no request was answered")
        # Every connection may have one request under way when wrk stops.
        if not requests <= arrived <= requests + 2 * connections:
            problems.append(f"{requests} answers to the client, but {arrived} requests at workers")
        if requests and result["bytes"] / requests < len(self.target.fleet.chat_body):
            problems.append(f"answers of {result['bytes'] / requests:.0f} bytes on average")
        cpu = procfs.cpu_between(before, after) / 1000
        self._keep(name, {f"rps_{name}": requests / result["seconds"],
                          f"cpu_us_{name}": cpu / max(requests, 1),
                          f"p50_us_{name}": result["p50_us"]}, problems)

    def _burst(self):
        settings = self.settings
        options = {"streams": 50, "events": 4000, "repeat": settings.burst_repeat, "limit_s": 40}
        before = self._cpu()
        result = loads.streams(settings, self.target.ports, options)
        after = self._cpu()
        cpu = procfs.cpu_between(before, after) / 1e9
        events = max(result["events"], 1)
        self._keep("burst", {"cpu_s_per_m_burst": cpu / events * 1e6,
                             "events_per_s_burst": events / result["seconds"]},
                   stream_problems(result))

    def _base_pss(self):
        time.sleep(SETTLE_S)
        return procfs.pss_kb(self.target.pids())

    def _idle(self):
        base = self._base_pss()
        held = []

        def on_open():
            time.sleep(SETTLE_S)
            held.append(procfs.pss_kb(self.target.pids()))

        count = self.settings.connections
        result = loads.idle(self.settings, self.target.ports, count, on_open)
        problems = fault_texts(result)
        if result["open"] != count:
            problems.append(f"{result['open']} of {count} idle connections stayed open")
        if not held:
            problems.append("the connections were not opened")
        else:
            self._keep("idle", {"base_mb": base / 1024,
                                "kb_per_idle": (held[0] - base) / count}, problems)
            return
        self._keep("idle", {}, problems)

    def _paced(self):
        """Streams that all run through a window; CPU and delay in it, memory right after it."""
        settings = self.settings
        base = self._base_pss() if self.target.has_process else 0
        seen = {}

        def on_window(moment, line):
            seen[moment] = {"cpu": self._cpu(), "running": line["running"]}
            if moment == "window_end" and self.target.has_process:
                seen["pss"] = procfs.pss_kb(self.target.pids())

        span_ms = settings.ramp_ms + settings.window_ms + 1500
        options = {"streams": settings.connections, "interval_us": 50_000,
                   "events": span_ms // 50, "ramp_ms": settings.ramp_ms,
                   "window_ms": settings.window_ms, "limit_s": 40}
        result = loads.streams(settings, self.target.ports, options, on_window)
        problems = stream_problems(result)
        if not result["window_over"]:
            return self._keep("paced", {}, problems + ["the streams never all ran together"])
        running = {seen[moment]["running"] for moment in ("window_start", "window_end")}
        if running != {settings.connections}:
            problems.append(f"{sorted(running)} streams ran instead of {settings.connections}")
        cpu = procfs.cpu_between(seen["window_start"]["cpu"], seen["window_end"]["cpu"]) / 1e9
        figures = {"cpu_s_per_m_paced": cpu / max(result["window_events"], 1) * 1e6,
                   "events_per_s_paced": result["window_events"] / settings.window_ms * 1000,
                   "delay_p50_us": result["delay_us"]["p50"],
                   "delay_p99_us": result["delay_us"]["p99"],
                   "ttft_p50_us": result["ttft_us"]["p50"]}
        if self.target.has_process:
            figures["kb_per_stream"] = (seen["pss"] - base) / settings.connections
        return self._keep("paced", figures, problems)


def fault_texts(result):
    """What a load program found wrong, as texts."""
    return [f"{count} x {kind}" for kind, count in result["faults"].items()]


def stream_problems(result):
    """The same for streams, with those that did not complete."""
    problems = fault_texts(result)
    if result["complete"] != result["streams"]:
        problems.append(f"{result['complete']} of {result['streams']} streams were complete")
    return problems


def add_delay_over_direct(round_result):
    """Fills in what each target adds to `direct`'s delay per event in the same round."""
    base = round_result.get("direct", {}).get("figures", {}).get("delay_p50_us")
    if base is None:
        return
    for name, part in round_result.items():
        if name == "direct":
            continue
        for kind in ("figures", "invalid_figures"):
            if "delay_p50_us" in part[kind]:
                part[kind]["added_delay_p50_us"] = part[kind]["delay_p50_us"] - base
