"""Rounds to figures, figures to ratios, ratios to Markdown."""

import statistics

# key, title, unit, digits, which way is better (None = no judgement)
FIGURES = [
    ("rps_1k_32", "Requests/s, 1 KB prompt, 32 connections", "1/s", 0, "higher"),
    ("cpu_us_1k_32", "CPU per request, 1 KB, 32 connections", "us", 2, "lower"),
    ("p50_us_1k_32", "Latency p50, 1 KB, 32 connections", "us", 0, "lower"),
    ("rps_1k_256", "Requests/s, 1 KB prompt, 256 connections", "1/s", 0, "higher"),
    ("cpu_us_1k_256", "CPU per request, 1 KB, 256 connections", "us", 2, "lower"),
    ("rps_64k_32", "Requests/s, 64 KB prompt, 32 connections", "1/s", 0, "higher"),
    ("cpu_us_64k_32", "CPU per request, 64 KB, 32 connections", "us", 2, "lower"),
    ("cpu_s_per_m_paced", "CPU per million events, paced", "s", 2, "lower"),
    ("cpu_s_per_m_burst", "CPU per million events, bursts", "s", 3, "lower"),
    ("events_per_s_burst", "Events/s, bursts", "1/s", 0, "higher"),
    ("delay_p50_us", "Delay of an event p50, worker to client", "us", 1, "lower"),
    ("added_delay_p50_us", "Delay added to direct, p50", "us", 1, "lower"),
    ("ttft_p50_us", "TTFT p50, new connection", "us", 1, "lower"),
    ("base_mb", "PSS of the idle process", "MB", 1, "lower"),
    ("kb_per_idle", "PSS per idle keep-alive connection", "KB", 2, "lower"),
    ("kb_per_stream", "PSS per open stream", "KB", 2, "lower"),
]
PAIRS = [("lmbalancer", "nginx"), ("lmbalancer", "haproxy"), ("haproxy", "nginx")]
TOO_SMALL = 0.05  # A ratio to less than this (KB, us) would say nothing.


def spread(values):
    """min, median and max of the values; None if there are none."""
    if not values:
        return None
    return {"min": min(values), "median": statistics.median(values), "max": max(values),
            "rounds": len(values)}


def summarize(rounds, targets):
    """Per figure: the spread per target, how many rounds were invalid, and the ratios."""
    summary = {}
    for key, *_ in FIGURES:
        entry = {"targets": {}, "ratios": {}}
        for name in targets:
            parts = [one["targets"][name] for one in rounds]
            valid = [part["figures"][key] for part in parts if key in part["figures"]]
            invalid = sum(1 for part in parts if key not in part["figures"] and
                          (key in part["invalid_figures"] or part["faults"]))
            entry["targets"][name] = {"spread": spread(valid), "invalid_rounds": invalid}
        for over, under in PAIRS:
            if over in targets and under in targets:
                entry["ratios"][f"{over}/{under}"] = spread(paired_ratios(rounds, key, over, under))
        summary[key] = entry
    return summary


def paired_ratios(rounds, key, over, under):
    """The ratio of each round in which both figures are valid."""
    ratios = []
    for one in rounds:
        a = one["targets"][over]["figures"].get(key)
        b = one["targets"][under]["figures"].get(key)
        if a is not None and b is not None and b > TOO_SMALL:
            ratios.append(a / b)
    return ratios


def faults_of(rounds):
    """Every fault with its round and target, as texts."""
    return [f"round {number}, {name}, {fault}"
            for number, one in enumerate(rounds, 1)
            for name, part in one["targets"].items() for fault in part["faults"]]


def _number(value, digits):
    return f"{value:,.{digits}f}"


def _cell(entry, digits, rounds):
    values, invalid = entry["spread"], entry["invalid_rounds"]
    if values is None:
        return f"**INVALID** ({invalid} of {rounds} rounds)" if invalid else "-"
    text = _number(values["median"], digits)
    if values["rounds"] > 1:
        low, high = _number(values["min"], digits), _number(values["max"], digits)
        text += f" ({low} to {high})"
    if invalid:
        text += f" **{invalid} of {rounds} rounds INVALID, left out**"
    return text


def _ratio_cell(values):
    if values is None:
        return "-"
    return f"{values['min']:.2f} / **{values['median']:.2f}** / {values['max']:.2f}"


def _table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def _head_lines(record):
    machine, settings = record["machine"], record["settings"]
    lines = ["# Peers table", "", f"- Date: {record['date']}", f"- Command: `{record['command']}`",
             f"- Machine: {machine['cpu']}, {machine['cpus']} CPUs, {machine['memory_gb']} GB; "
             f"{machine['system']}, {machine['kernel']}; TCP congestion control "
             f"{machine['tcp_congestion_control']}",
             f"- Load average at start: {machine['load_average_at_start']}; taken by others during "
             f"the rounds: " + ", ".join(f"{one['other_cpu_percent']} % CPU + "
                                         f"{one['steal_percent']} % steal"
                                         for one in record["rounds"])]
    pins = "not pinned" if settings["proxy_cpu"] is None else (
        f"proxy pinned to CPU {settings['proxy_cpu']}, stub workers and load to CPU "
        f"{settings['load_cpu']}")
    lines.append(f"- Threads per proxy: {settings['threads']}, {pins}; rounds: "
                 f"{len(record['rounds'])}; took {record['seconds']:.0f} s")
    lines += [f"- {name}: {version}" for name, version in record["versions"].items() if version]
    return lines


def markdown(record):
    """The whole record as Markdown."""
    targets = record["settings"]["targets"]
    rounds = len(record["rounds"])
    lines = _head_lines(record)
    if record["notes"]:
        lines += ["", *(f"- **NOTE: {note}**" for note in record["notes"])]
    if record["faults"]:
        lines += ["", "## FAULTS", "", "Figures of these measurements are INVALID and in no "
                  "median and no ratio:", "", *(f"- {fault}" for fault in record["faults"])]
    lines += ["", "## Ratios", "", "min / **median** / max over the rounds in which both figures "
              "are valid.", ""]
    pairs = [pair for pair in record["summary"][FIGURES[0][0]]["ratios"]]
    rows = []
    for key, title, _, _, better in FIGURES:
        ratios = record["summary"][key]["ratios"]
        if any(ratios.values()):
            rows.append([title, *(_ratio_cell(ratios[pair]) for pair in pairs), better or "-"])
    lines += _table(["figure", *pairs, "better"], rows) if rows else ["(nothing to compare)"]
    lines += ["", "## Figures", "", f"Median (min to max) of {rounds} rounds. CPU of `direct` is "
              "the stub workers' own.", ""]
    rows = []
    for key, title, unit, digits, _ in FIGURES:
        cells = [_cell(record["summary"][key]["targets"][name], digits, rounds)
                 for name in targets]
        if any(cell != "-" for cell in cells):
            rows.append([title, unit, *cells])
    lines += _table(["figure", "unit", *targets], rows)
    return "\n".join(lines) + "\n"
