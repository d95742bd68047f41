"""One ProviderAccount: its key, its provider, the ledger; what came of it as a condition and figures."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aicost.adapters.pricing.bills.keys import AccountKey, HeldKey
from aicost.adapters.pricing.bills.sources import bill_source
from aicost.bootstrap import Application
from aicost.crd.fields.conditions import ConditionStatus
from aicost.crd.reasons import ConditionType, Reason
from aicost.crd.status.accounts import fetched_figures
from aicost.crd.status.conditions import Statement
from aicost.crd.status.texts import counted
from aicost.domain.thirdparty.accounts import ProviderAccount
from aicost.entrypoints.controller.accounts.keys import SecretKeys
from aicost.ports.bills import BillSource
from aicost.ports.errors import (
    AicostError,
    InvalidAnswer,
    InvalidRequest,
    NotPermitted,
    SourceUnavailable,
)
from aicost.usecases.economics.fetch_bill import BillFetched, FetchBill

Ask = Callable[[ProviderAccount, AccountKey], BillSource]
"""Opens the provider of an account."""
STEP = "fetch-spend"
"""Name of the work in logs and metrics."""
_ALLOW = "let the controller read Secrets of its namespace: providerAccounts.enabled=true in the chart's values"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one account.

    Attributes:
        figures: of the status; None where the last ones stay.
        fetched: what the fetch did; None where it failed.
    """

    statement: Statement
    figures: Mapping[str, Any] | None = None
    fetched: BillFetched | None = None


class Fetcher:
    """Fetches one account.

    Args:
        app: has the ledger, and the writer that asks whether we lead.
        secrets: reads keys.
        ask: opens a provider.
    """

    def __init__(self, app: Application, secrets: SecretKeys, ask: Ask) -> None:
        self._app, self._secrets, self._ask = app, secrets, ask

    async def fetch(self, account: ProviderAccount, now_ms: int) -> Outcome:
        """Fetch once; bad news that can be expected is an outcome.

        Raises:
            ClusterUnavailable: the Secret cannot be read just now.
        """
        name, key_name = account.secret
        place = f"Secret {self._secrets.namespace}/{name}, key {key_name}"
        try:
            text = await self._secrets.read(name, key_name)
        except NotPermitted as problem:
            return failed(Reason.NOT_PERMITTED, f"{place}: {problem}; {_ALLOW}")
        except InvalidAnswer as problem:
            return failed(Reason.KEY_MISSING, str(problem))
        if not (text or "").strip():
            return failed(Reason.KEY_MISSING, f"{place}: there is no such key, or it is empty: write the key there")
        held = HeldKey(place, text or "")
        return await self._fetch(account, held, now_ms)

    async def _fetch(self, account: ProviderAccount, key: HeldKey, now_ms: int) -> Outcome:
        ledger = self._app.stores.ledger
        try:
            fetch = FetchBill(account, self._ask(account, key), ledger, self._app.fence)
            done = await asyncio.to_thread(fetch, now_ms)
        except AicostError as problem:
            self._app.metrics.count("aicost_failures_total", step=STEP, reason=type(problem).__name__)
            return failed(_reason(problem), str(problem).replace(key.key.strip(), "[key]"))
        figures = fetched_figures(now_ms, done.through_ms, done.month, done.cost_nanos, done.restated)
        return Outcome(_fetched(account, done), figures, done)


def ask_provider(account: ProviderAccount, key: AccountKey) -> BillSource:
    """The provider's own cost API, or what stands at the address of the account."""
    return bill_source(account.provider, key, account.url)


def failed(reason: Reason, message: str) -> Outcome:
    """Why nothing was fetched; the figures of before stay."""
    return Outcome(Statement(ConditionType.READY, ConditionStatus.FALSE, reason, message))


def _fetched(account: ProviderAccount, done: BillFetched) -> Statement:
    asked = counted(account.days, "day")
    message = f"Asked for {asked}: {done.new:,} new in the ledger, {done.restated:,} restated."
    return Statement(ConditionType.READY, ConditionStatus.TRUE, Reason.FETCHED, message)


def _reason(problem: AicostError) -> Reason:
    """The word for what went wrong; what the ledger refuses is none of the provider's."""
    words = (
        (NotPermitted, Reason.NOT_PERMITTED),
        (SourceUnavailable, Reason.PROVIDER_UNAVAILABLE),
        (InvalidAnswer, Reason.INVALID),
        (InvalidRequest, Reason.KEY_MISSING),
    )
    return next((word for kind, word in words if isinstance(problem, kind)), Reason.LEDGER_UNAVAILABLE)
