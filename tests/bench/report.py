"""The table, and whether the targets are met."""

import statistics

MOST_CPU = 0.5        # of jack_capture's
LEAST_FREEWHEEL = 3   # times jack_capture's lossless speed
MAIN_PERIOD = 64      # frames


def spread(values, form="{:.2f}"):
    """Median, with the least and the most."""
    values = list(values)
    middle = form.format(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({form.format(min(values))}–{form.format(max(values))})"


def line(label, cells):
    print(f"{label:34}" + "".join(f"{cell:>25}" for cell in cells))


def cpu_ratios(cpu, peer):
    """stemd's time as a share of the peer's, round by round."""
    return [ours["cpu"] / theirs["cpu"]
            for ours, theirs in zip(cpu["alone"]["stemd"], cpu["alone"][peer])]


def show_cpu(cpu):
    names, columns = list(cpu["alone"]), list(cpu["alone"].values())
    together = [ours / theirs for ours, theirs in cpu["together"]]
    print("\n128 channels at 48 kHz, 64-frame periods, 24 bit; real time. Median (least–most).")
    line("", names)
    line("processor seconds a minute", [spread(r["cpu"] for r in c) for c in columns])
    line("  stemd / peer, in turns", ["1"] + [spread(cpu_ratios(cpu, p)) for p in names[1:]])
    line("  stemd / peer, at the same time", ["1", spread(together)])
    line("peak memory, MB", [spread((r["peak_mb"] for r in c), "{:.0f}") for c in columns])
    line("  locked, MB", [spread((r["locked_mb"] for r in c), "{:.0f}") for c in columns])
    line("identical 24-bit samples, %", [
        spread((100 * r["exact"] / r["samples"] if r["samples"] else 0 for r in c), "{:.2f}")
        for c in columns])
    line("frames lost, silent or wrong", [
        spread((r["lost"] + r["silent"] + r["wrong"] for r in c), "{:.0f}") for c in columns])
    print("stemd: 64 stereo files, clip count and peak of each, headers that survive a crash, data\n"
          "synced and the page cache given back; its memory holds a tape of 11 s (270 MB). The\n"
          "peers: one file of 128 channels. All: about 100 MB of JACK's shared memory each.")


def caused(xruns, name, what):
    """Troubles a minute beyond those with the bystander in the same round."""
    usual = [r[what] for r in xruns["bystander"]]
    return [r[what] - statistics.mean(usual[2 * k:2 * k + 2]) for k, r in enumerate(xruns[name])]


def show_xruns(xruns):
    print("\nTroubles of the graph a minute; asynchronous server, 64-frame periods.")
    recorders = [name for name in xruns if name not in ("none", "bystander")]
    line("", ["without recorder", "idle client"] + recorders)
    for what, label in (("skips", "skipped cycles"), ("xruns", "xruns told by the server"),
                        ("named", "  of this client not ready")):
        line(label, [spread((r[what] for r in rounds), "{:.0f}") for rounds in xruns.values()])
        line("    beyond the idle client's", ["", ""] + [
            spread(caused(xruns, name, what), "{:+.0f}") for name in recorders])
    print("The idle client has the recorders' ports and does nothing: what the graph suffers with it,\n"
          "it suffers from the machine.")


def lossless_speeds(rounds):
    return [r["speed"] for r in rounds if r["lossless"]]


def freewheel_ratio(results):
    """stemd's lossless speed in jack_capture's; None when one of them has none."""
    ours, theirs = lossless_speeds(results["stemd"]), lossless_speeds(results["jack_capture"])
    return statistics.median(ours) / statistics.median(theirs) if ours and theirs else None


def freewheel_cell(rounds):
    if "lossless" not in rounds[0]:
        return spread((r["speed"] for r in rounds), "{:.1f}")
    speeds = lossless_speeds(rounds)
    if len(speeds) == len(rounds):
        return spread(speeds, "{:.1f}")
    bad = [r for r in rounds if not r["lossless"] and "failed" not in r]
    if not bad:
        return f"failed, {len(rounds) - len(speeds)} of {len(rounds)} runs"
    lost = max(100 * (1 - r["good"] / max(r["frames"] + r["lost"], 1)) for r in bad)
    return f"loses up to {lost:.0f} % of frames"


def show_freewheel(freewheel):
    print("\nFreewheel, multiples of real time, every sample held against the source.")
    names = list(next(iter(freewheel.values())))
    line("period, frames", ["without recorder" if n == "none" else n for n in names])
    for period, results in freewheel.items():
        line(str(period), [freewheel_cell(results[name]) for name in names])
        ratio = freewheel_ratio(results)
        if ratio is not None:
            print(f"  stemd / jack_capture: {ratio:.1f}")


def show(results, plan):
    print(f"{plan.rounds} rounds of {plan.seconds:g} s")
    for name, part in (("cpu", show_cpu), ("xruns", show_xruns), ("freewheel", show_freewheel)):
        if name in results:
            part(results[name])
    print()


def missed_cpu(cpu):
    ratio = statistics.median(cpu_ratios(cpu, "jack_capture"))
    if ratio <= MOST_CPU:
        return []
    return [f"Missed: stemd takes {ratio:.2f} of jack_capture's processor time; the target is at "
            f"most {MOST_CPU}."]


def missed_xruns(xruns):
    """The graph is never quite without trouble on a shared machine: stemd causes some when there
    are more than ever with a client that does nothing."""
    missed = []
    for what in ("skips", "xruns", "named"):
        usual = [r[what] for r in xruns["bystander"]]
        with_stemd = statistics.median(r[what] for r in xruns["stemd"])
        if with_stemd > max(usual):
            missed.append(f"Missed: {with_stemd:.0f} {what} a minute in the graph with stemd, at most "
                          f"{max(usual):.0f} with a client that does nothing.")
    return missed


def missed_freewheel(freewheel):
    """Lossless at every period; the speed counts at that of the whole comparison. With long periods
    three times jack_capture's is more than the graph does without any recorder."""
    missed = [f"Missed: stemd loses frames in freewheel at {period} frames a period."
              for period, results in freewheel.items()
              if len(lossless_speeds(results["stemd"])) < len(results["stemd"])]
    ratio = freewheel_ratio(freewheel[MAIN_PERIOD])
    if ratio is not None and ratio < LEAST_FREEWHEEL:
        missed.append(f"Missed: stemd freewheels {ratio:.1f} times as fast as jack_capture at "
                      f"{MAIN_PERIOD} frames a period; the target is {LEAST_FREEWHEEL}.")
    return missed


def missed_targets(results):
    """A sentence for each target that is missed."""
    parts = (("cpu", missed_cpu), ("xruns", missed_xruns), ("freewheel", missed_freewheel))
    return [sentence for name, part in parts if name in results for sentence in part(results[name])]
