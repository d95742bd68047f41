"""One window of a receipt in detail: prices, samples, and the division of each device."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from aicost.crd.status.texts import share
from aicost.entrypoints.cli.output.facts import Fact, fact_lines, wrapped
from aicost.entrypoints.cli.output.receipt.texts import (
    Document,
    clock,
    cost,
    day_of,
    exact_cost,
    exact_fraction,
    length_ms,
    of_time,
    per_hour,
    quantity,
    seconds,
    span,
)
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.terminal import Style, Terminal

_SIGNALS = {"engine-active": 0, "gpu-util": 1}


def detail_lines(window: Document, terminal: Terminal) -> list[str]:
    """The parts of a window, one below the other."""
    detail = window["detail"]
    parts = [("ROWS", _rows(window, terminal))]
    if detail is not None:
        parts += [
            ("PRICES", _prices(detail, day_of(window), terminal)),
            ("SAMPLES", _samples(detail, day_of(window), terminal)),
            *(_device(one, day_of(window), terminal) for one in detail["devices"]),
            ("CPU AND MEMORY OF THE NODE", _hosts(detail, day_of(window), terminal)),
            ("CLAIMED STORAGE", _claims(detail, terminal)),
        ]
    parts.append(("REVISIONS", _revisions(window, terminal)))
    lines: list[str] = []
    for title, body in parts:
        lines += ["", terminal.paint(title, Style.HEAD), *body] if body else []
    return lines


def _rows(window: Document, terminal: Terminal) -> list[str]:
    columns = (
        Column("COMPONENT"),
        Column("DEVICE", shrinks=True),
        Column("BUCKET"),
        Column("METHOD", drop=3),
        Column("QUALITY", drop=1),
        Column("SIGNAL", drop=4, shrinks=True),
        Column("PRICE", drop=5, shrinks=True),
        Column("QUANTITY", right=True),
        Column("COST", right=True),
        Column("±", right=True, drop=2),
    )
    lines = [_row(row) for row in window["rows"]]
    return list(draw(columns, [lines], terminal).lines)


def _row(row: Document) -> Line:
    bar = "-" if row["error_nanos"] is None else cost(row["error_nanos"], row["currency"])
    place = row["device"] or row["node"]
    flags = f" ({', '.join(row['flags'])})" if row["flags"] else ""
    how = (row["bucket"] + flags, row["method"], row["quality"], row["signal"] or "-", row["price"] or "none")
    return Line((row["component"], place, *how, quantity(row), exact_cost(row["cost_nanos"], row["currency"]), bar))


def _prices(detail: Document, day: str, terminal: Terminal) -> list[str]:
    lines: list[str] = []
    for one in detail["prices"]:
        told = f"{one['node']}, {span(one, day)}"
        chosen = one["chosen"]
        lines += wrapped(told, terminal)
        lines += _indented(fact_lines(_quote(one, chosen), terminal))
    return lines


def _quote(one: Document, chosen: Document | None) -> Iterator[Fact]:
    if chosen is None:
        yield "Chosen", "none: this time is unpriced", Style.WARN
    else:
        currency = chosen["currency"]
        price = f"{per_hour(chosen['gpu_hour_nanos'], currency)} per GPU-hour"
        beside = (("cpu_hour_nanos", "all CPU"), ("memory_hour_nanos", "all memory"))
        rest = [f"{per_hour(chosen[key], currency)} per hour for {name}" for key, name in beside if chosen[key]]
        yield "Chosen", f"{chosen['quote']}: {', '.join([price, *rest])}", Style.PLAIN
        if chosen["explanation"]:
            yield "How", chosen["explanation"], Style.PLAIN
        if chosen["list_price"]:
            yield "List price", f"a public list price{': ' + chosen['source'] if chosen['source'] else ''}", Style.WARN
    yield "Why", one["reason"].split("\n")[0], Style.PLAIN
    for each in one["rejected"]:
        yield "Not used", f"{each['quote']}: {each['reason']}", Style.DIM


def _samples(detail: Document, day: str, terminal: Terminal) -> list[str]:
    shown = [one for one in detail["samples"] if one["count"]]
    if not shown:
        return ["none inside this window: nothing measured these devices"] if detail["devices"] else []
    columns = (
        Column("DEVICE", shrinks=True),
        Column("SIGNAL"),
        Column("NAMES", shrinks=True, drop=1),
        Column("SAMPLES", right=True),
        Column("FIRST", right=True),
        Column("LAST", right=True),
        Column("COST RESTS ON IT"),
    )
    ordered = sorted(shown, key=lambda one: (one["device"], _SIGNALS.get(one["signal"], 9), one["signal"]))
    lines = [
        Line(
            (
                one["device"],
                one["signal"],
                ", ".join(one["pods"]) or "-",
                str(one["count"]),
                clock(one["first"], day),
                clock(one["last"], day),
                "yes" if one["used"] else "no",
            ),
            Style.PLAIN if one["used"] else Style.DIM,
        )
        for one in ordered
    ]
    return list(draw(columns, [lines], terminal).lines)


def _device(one: Document, day: str, terminal: Terminal) -> tuple[str, list[str]]:
    """The division of one device over one segment of constant price."""
    body = [*_indented(fact_lines(_whole(one), terminal), 0), *_stretches(one, day, terminal)]
    return f"DEVICE {one['device']}, {span(one, day)}", [*body, *_divisions(one, terminal)]


def _whole(one: Document) -> Iterator[Fact]:
    price = one["price"]
    if price is None:
        yield "Price", "none: device time is counted, money is not guessed", Style.WARN
        return
    currency, many = price["currency"], one["devices"]
    formula = f"{many} devices x {per_hour(price['gpu_hour_nanos'], currency)} x {seconds(one['length_ms'])}"
    exact = exact_fraction(one["charge_exact_nanos"], currency)
    yield "Node", f"{formula} / 3,600 s = {exact}", Style.PLAIN
    rounded = "nothing to round" if "/" not in one["charge_exact_nanos"] else "rounded once, half up"
    yield "Rounded", f"{exact_cost(one['charge_nanos'], currency)} ({rounded})", Style.PLAIN
    yield "This device", f"{exact_cost(one['cost_nanos'], currency)}, {_of_node(one)}", Style.PLAIN


def _of_node(one: Document) -> str:
    """How the node's charge was divided among its devices."""
    many, charge = one["devices"], one["charge_nanos"]
    if many == 1:
        return "all of it"
    rest = charge % many
    if not rest:
        return f"one of {many} equal parts"
    larger = one["cost_nanos"] > charge // many
    return f"one of {many} parts: {rest} nano left over, {'one of them here' if larger else 'none of them here'}"


def _stretches(one: Document, day: str, terminal: Terminal) -> list[str]:
    columns = (
        Column("TIME"),
        Column("HELD BY", shrinks=True),
        Column("LENGTH", right=True),
        Column("SAMPLED", right=True),
        Column("BUSY", right=True),
        Column("SIGNAL", drop=1),
        Column("GAPS", shrinks=True, drop=2),
    )
    lines = [Line(_stretch(each, day)) for each in one["stretches"]]
    return ["", *draw(columns, [lines], terminal).lines]


def _stretch(each: Document, day: str) -> tuple[str, ...]:
    held = [_held(holder["holder"], holder["share"]) for holder in each["holders"]]
    covered = each["covered_ms"]
    return (
        span(each, day),
        _part(each) + ("lost" if each["unhealthy"] else ", ".join(held) or "nobody"),
        seconds(each["length_ms"]),
        share(covered, each["length_ms"]) or "-",
        of_time(each["busy_ppb_ms"], covered) if covered else _unmeasured(each),
        each["signal"] or "-",
        ", ".join(f"{span(gap, day)} ({seconds(length_ms(gap))})" for gap in each["gaps"]) or "-",
    )


def _part(each: Document) -> str:
    """Which part of the device it is, where it is none of all of it."""
    of_gpu = each.get("share", "1")  # an older server does not tell
    if of_gpu == "1":
        return ""
    name = f"instance {each['instance']}" if each.get("instance") else "what is left"
    return f"{name}, {of_gpu} of the GPU: "


def _unmeasured(each: Document) -> str:
    """Why nothing is told: how busy a device was that others held too is not for everybody."""
    return "not shown" if each.get("hidden") else "not measured"


def _held(holder: str | None, part: str) -> str:
    return f"{holder or 'nobody'}" if part == "1" else f"{holder or 'nobody'} ({part})"


def _divisions(one: Document, terminal: Terminal) -> list[str]:
    currency = None if one["price"] is None else one["price"]["currency"]
    columns = (
        Column("BUCKET"),
        Column("HOLDER", shrinks=True),
        Column("SHARE", right=True),
        Column("TIME", right=True),
        Column("EXACT", right=True, drop=1),
        Column("COST", right=True),
        Column("ROUNDED", drop=2),
    )
    lines = [Line(_division(each, one["weight_sum"], currency)) for each in one["divisions"]]
    times = sum(each["time_ms"] for each in one["divisions"])
    whole = ("sum", "", "100%", seconds(times), "", exact_cost(one["cost_nanos"], currency), "")
    return ["", *draw(columns, [lines, [Line(whole, Style.HEAD)]], terminal).lines]


def _division(each: Document, weight_sum: int, currency: str | None) -> tuple[str, ...]:
    exact = each["exact_nanos"]
    rounded = "-" if exact is None or "/" not in exact else "up, by a unit left over" if each["rounded_up"] else "down"
    return (
        each["bucket"],
        (each["holder"] or "nobody") + ("" if each["seen"] else " (device assumed)"),
        _percent(Fraction(each["weight"], weight_sum)) if weight_sum else "-",
        seconds(each["time_ms"]),
        exact_fraction(exact, currency),
        exact_cost(each["cost_nanos"], currency),
        rounded,
    )


def _percent(part: Fraction) -> str:
    """A share with six decimals, where it needs them."""
    return f"{float(part * 100):.6f}".rstrip("0").rstrip(".") + "%"


def _hosts(detail: Document, day: str, terminal: Terminal) -> list[str]:
    if not detail["hosts"]:
        return []
    columns = (
        Column("NODE", shrinks=True),
        Column("COMPONENT"),
        Column("TIME"),
        Column("PER HOUR", right=True),
        Column("EXACT", right=True, drop=1),
        Column("CHARGE", right=True),
    )
    lines = [
        Line(
            (
                one["node"],
                one["component"],
                span(one, day),
                per_hour(one["hour_nanos"], one["currency"]),
                exact_fraction(one["exact_nanos"], one["currency"]),
                exact_cost(one["charge_nanos"], one["currency"]),
            )
        )
        for one in detail["hosts"]
    ]
    told = "each charge is divided by max(asked, used) x time of each pod, the rest is unallocated; the rows sum to it"
    return [*draw(columns, [lines], terminal).lines, *wrapped(told, terminal)]


def _claims(detail: Document, terminal: Terminal) -> list[str]:
    columns = (
        Column("CLAIM", shrinks=True),
        Column("CLASS", shrinks=True),
        Column("GiB", right=True),
        Column("PER GiB-HOUR", right=True),
        Column("PRICE", shrinks=True),
    )
    lines = [
        Line(
            (
                one["claim"],
                one["storage_class"] or "-",
                f"{one['size_bytes'] / 2**30:,.2f}",
                per_hour(one["gib_hour_nanos"], one["currency"] or ""),
                one["quote"] or "unpriced",
            )
        )
        for one in detail["claims"]
    ]
    return list(draw(columns, [lines], terminal).lines) if lines else []


def _revisions(window: Document, terminal: Terminal) -> list[str]:
    columns = (
        Column("REVISION", right=True),
        Column("REASON", shrinks=True),
        Column("ROWS", right=True),
        Column("COST", right=True),
        Column("INPUTS KEPT"),
    )
    lines = [
        Line(
            (
                str(each["revision"]),
                each["reason"] or "first posting",
                str(each["rows"]),
                ", ".join(_signed(nanos, key, each["revision"]) for key, nanos in each["cost_nanos"].items()) or "-",
                "yes" if each["with_inputs"] else "no",
            )
        )
        for each in window["revisions"]
    ]
    return list(draw(columns, [lines], terminal).lines) if lines else []


def _signed(nanos: int, currency: str, revision: int) -> str:
    text = exact_cost(nanos, currency)
    return f"+{text}" if revision and nanos > 0 else text


def _indented(lines: Sequence[str], by: int = 2) -> list[str]:
    return [" " * by + line for line in lines]
