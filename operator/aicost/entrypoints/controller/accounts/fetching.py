"""One ProviderAccount: its key, its provider, the ledger; what came of it as a condition and figures."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aicost.adapters.pricing.bills.keys import AccountKey, HeldKey
from aicost.adapters.pricing.bills.sources import bill_source
from aicost.adapters.pricing.tokens.bundled import BundledPrices
from aicost.bootstrap import Application, customer_ids
from aicost.crd.fields.conditions import ConditionStatus
from aicost.crd.reasons import ConditionType, Reason
from aicost.crd.status.accounts import capture_figures, captured, fetched_figures
from aicost.crd.status.conditions import Statement
from aicost.crd.status.texts import counted
from aicost.domain.exact.windows import DAY_MS
from aicost.domain.thirdparty.accounts import ProviderAccount
from aicost.domain.thirdparty.lines import Mapped
from aicost.entrypoints.controller.accounts.keys import SecretKeys
from aicost.ports.bills import BillSource
from aicost.ports.errors import (
    AicostError,
    InvalidAnswer,
    InvalidRequest,
    NotPermitted,
    SourceUnavailable,
)
from aicost.usecases.economics.spend.estimate_spend import CountedSpend, counted_in
from aicost.usecases.economics.spend.fetch_bill import BillFetched, FetchBill

Open = Callable[[], BillSource]
Ask = Callable[[ProviderAccount, AccountKey], BillSource]
"""Opens the provider of an account."""
STEP = "fetch-spend"
"""Name of the work in logs and metrics."""
_ALLOW = "let the controller read Secrets of its namespace: providerAccounts.enabled=true in the chart's values"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one account.

    Attributes:
        statement: whether it was fetched.
        others: what else is known since; none where it was not fetched.
        figures: of the status; None where the last ones stay.
        fetched: what the fetch did; None where it failed.
    """

    statement: Statement
    others: tuple[Statement, ...] = ()
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
        if account.secret is None:
            counted = CountedSpend(counted_in(self._app.counts, self._app.cluster), (BundledPrices(),))
            return await self._fetch(account, lambda: counted, "", now_ms)
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
        return await self._fetch(account, lambda: self._ask(account, held), held.key, now_ms)

    async def _fetch(self, account: ProviderAccount, open_source: Open, key: str, now_ms: int) -> Outcome:
        app = self._app
        try:
            kept = app.settings.ledger.retention_days
            mapped = _concealing(account.mapped, app.settings.privacy.customer_key_file)
            fetch = FetchBill(account, open_source(), app.stores.ledger, app.fence, mapped, kept)
            done = await asyncio.to_thread(fetch, now_ms)
        except AicostError as problem:
            app.metrics.count("aicost_failures_total", step=STEP, reason=type(problem).__name__)
            said = str(problem).replace(key.strip(), "[key]") if key.strip() else str(problem)
            return failed(_reason(problem), said)
        figures = fetched_figures(now_ms, done.through_ms, done.month, done.cost_nanos, done.restated)
        figures |= capture_figures(done.asked, done.captured)
        others = (captured(done.captured, account.least_percent),)
        return Outcome(_fetched(done), others, figures, done)


def _concealing(mapped: Mapped, key_file: str) -> Mapped:
    """Customers under ids, where the settings want them.

    Raises:
        InvalidRequest: the key cannot be read.
    """
    return replace(mapped, customer=customer_ids(key_file).id_of) if key_file else mapped


def ask_provider(account: ProviderAccount, key: AccountKey) -> BillSource:
    """The provider's own cost API, or what stands at the address of the account."""
    return bill_source(account.provider, key, account.url)


def failed(reason: Reason, message: str) -> Outcome:
    """Why nothing was fetched; the figures of before stay."""
    return Outcome(Statement(ConditionType.READY, ConditionStatus.FALSE, reason, message))


def _fetched(done: BillFetched) -> Statement:
    asked = counted(done.asked.length_ms // DAY_MS, "day")
    message = f"Asked for {asked}: {done.new:,} new in the ledger, {done.restated:,} restated."
    message = " ".join([message, *(f"{note[0].upper()}{note[1:]}." for note in done.notes)])
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
