"""A ledger in which a customer stands under several spellings, wherever one can stand; and what is left of the name."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from aicost.adapters.ledger.inputs.table import expanded
from aicost.domain.attribution.window import WindowInput
from aicost.domain.identity.claims import LabelSelector, WorkloadClaim
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.policy.policies import AllowedValues, LabelKey, LabelPolicy, Mode
from support.receipts import CLUSTER, Kept, a_pod, busy, hours, inputs, with_sample

NAME = "Zyx_Corp"
_SPELLINGS = (b"zyx", b"ZYX", b"Zyx", b"xyz-holding", b"Xyz-Holding")
POLICY = LabelPolicy(
    "p",
    "u",
    1,
    Mode.AUDIT,
    keys=(
        LabelKey(
            "customer",
            "aicost.dev/customer",
            Dimension.CUSTOMER,
            aliases=("tenant",),
            value_aliases={"xyz-holding": "zyx-corp", "globex-ag": "globex"},
            allowed=AllowedValues(values=("zyx-corp", "globex")),
        ),
    ),
)
_CLAIM = WorkloadClaim(
    "team-a", "w", "u", 0, selector=LabelSelector({"tenant": "Xyz-Holding"}), dimensions={Dimension.CUSTOMER: NAME}
)


def a_pod_of(labels: dict[str, str], name: str = "train-0") -> PodRecord:
    """A pod with these labels."""
    return replace(a_pod(name), labels=labels).record()


def customers_world(hour: int = 0) -> WindowInput:
    """Two customers, one of them under three spellings: by pod, namespace, AIWorkload and policy."""
    pods = (
        a_pod_of({"aicost.dev/customer": NAME, "app": "chat"}),
        a_pod_of({"tenant": "Globex"}, "other-0"),
        a_pod_of({"tenant": "Xyz-Holding"}, "third-0"),
    )
    series = (busy("GPU-1", window=hours(hour)), busy("GPU-2", pod=("team-a", "other-0"), window=hours(hour)))
    given = inputs(pods, series=series, window=hours(hour), policies=(POLICY,))
    spaces = {name: replace(one, labels={"tenant": "ZYX corp"}) for name, one in given.facts.namespaces.items()}
    return replace(given, facts=replace(given.facts, namespaces=spaces), claims=(_CLAIM,))


def customers_ledger(folder: Path) -> Kept:
    """Four windows of two days, one of them revised, and an open one."""
    return with_customers(Kept(folder))


def with_customers(made: Kept) -> Kept:
    """The same in a ledger that is there."""
    for hour in (0, 1, 2, 30):
        made.post(customers_world(hour))
    made.post(with_sample(customers_world(), "GPU-1", 40, 1), revision=1)
    still_open = [replace(row, window=hours(31)) for row in made.ledger.rows(hours(30), cluster=CLUSTER)]
    made.ledger.replace_provisional(CLUSTER, hours(31), still_open)
    return made


def spellings_left(folder: Path) -> set[tuple[str, bytes]]:
    """Files that hold a spelling of the name."""
    return spellings_in((path.name, path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file())


def spellings_in(files: Iterable[tuple[str, bytes]]) -> set[tuple[str, bytes]]:
    """Names of files that hold a spelling of the name, also where it is compressed in them."""
    bodies = [(name, body) for name, whole in files for body in (whole, *_compressed(name, whole))]
    return {(name, one) for name, body in bodies for one in _SPELLINGS if one in body}


def _compressed(name: str, whole: bytes) -> Iterator[bytes]:
    if name.endswith(".parquet"):
        rows = pq.ParquetFile(io.BytesIO(whole)).read().to_pylist()
        yield repr(rows).encode()
        yield from (expanded(one["data"], one["size"]) for one in rows if "data" in one)
