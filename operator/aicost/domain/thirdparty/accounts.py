"""An account with somebody who bills us, and the days that are asked for."""

from collections.abc import Iterable
from dataclasses import dataclass

from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.thirdparty.capture import Through
from aicost.domain.thirdparty.lines import AS_NAMED, Mapped


@dataclass(frozen=True, slots=True)
class ProviderAccount:
    """What is fetched, from whom, and where it goes.

    Attributes:
        name: of the object that says it.
        account: key in the ledger, in the place of a cluster.
        secret: name of the Secret with the key of an administrator, and which of its keys holds it; None for none.
        url: another address than the provider's own; None for that.
        mapped: what tags mean.
        days: whole days in UTC that are asked for each time.
        interval_ms: time between two times.
        suspended: nothing is asked for now.
        least_percent: the part of a bill that gateways should have seen.
        through: which keys of the bill are the gateways'; None where nobody said.
    """

    name: str
    provider: str
    account: str
    secret: tuple[str, str] | None = None
    url: str | None = None
    mapped: Mapped = AS_NAMED
    days: int = 35
    interval_ms: int = DAY_MS // 4
    suspended: bool = False
    least_percent: int = 90
    through: Through | None = None

    @property
    def estimates(self) -> bool:
        """Whether what it says is an estimate, and no bill."""
        return self.provider in ESTIMATES


ESTIMATES = frozenset({"litellm", "litellm-daily", "counters"})
"""Providers that bill nothing: what they say is an estimate."""


def days_over(days: int, now_ms: int) -> Window:
    """The last whole days in UTC that are over."""
    end = now_ms // DAY_MS * DAY_MS
    return Window(end - days * DAY_MS, end)


def why_not(account: ProviderAccount, cluster: str, others: Iterable[ProviderAccount]) -> str:
    """Why nothing may be posted under the key of an account; empty where all is well.

    Two that post under one key would take back each other's amounts. Of several accounts the first by name has it.

    Args:
        account: the account.
        cluster: key of the cluster in the same ledger.
        others: all accounts, this one may be among them.
    """
    if account.account == cluster:
        return f"spec.account: {cluster!r} is the key of this cluster in the ledger: name the account otherwise"
    first = min((one.name for one in others if one.account == account.account), default=account.name)
    if first < account.name:
        fix = "name one of the two otherwise, or delete one"
        return f"spec.account: {account.account!r} is the key of ProviderAccount {first} too: {fix}"
    return ""
