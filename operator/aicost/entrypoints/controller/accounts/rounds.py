"""ProviderAccounts: each is fetched at its interval, sooner where its spec changed, later and later where it fails."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aicost.crd.convert.accounts import provider_account
from aicost.crd.convert.parsing import Converted
from aicost.crd.fields.conditions import ConditionStatus
from aicost.crd.reasons import ConditionType, Reason
from aicost.crd.status.accounts import account_status, kept_figures
from aicost.crd.status.conditions import Statement
from aicost.domain.exact.windows import MINUTE_MS, from_rfc3339
from aicost.domain.thirdparty.accounts import ProviderAccount, why_not
from aicost.entrypoints.controller.accounts.fetching import STEP, Fetcher, Outcome, failed
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.publish.saying import Answer, generation_of, stated
from aicost.entrypoints.controller.publish.writer import AnswerWriter
from aicost.entrypoints.controller.registry import Body, Registry, read_each
from aicost.ports.errors import AicostError
from aicost.telemetry.logs import line

KIND = "ProviderAccount"
LOOK_SECONDS = 5.0
"""Between two looks at what is due: a new account is fetched after this."""
AT_ONCE = 2
"""Accounts that are asked at the same time; one that is slow keeps a thread for long."""
FIRST_WAIT_MS = MINUTE_MS
LONGEST_WAIT_MS = 30 * MINUTE_MS
"""After a failure it is tried again after the first, then after twice as long, up to this."""
_log = logging.getLogger("aicost.spend")


@dataclass(frozen=True, slots=True)
class _Plan:
    """When an account is looked at again: then, or as soon as it has another generation."""

    generation: int
    at_ms: int
    failures: int = 0


class AccountRounds:
    """Keeps the bills of all accounts in the ledger.

    Args:
        cluster: key of the cluster in the ledger, which no account may have.
        registry: our objects.
        fetcher: fetches one.
        writer: writes statuses.
        attempts: tells of bugs.
        now_ms: tells the time.
    """

    def __init__(
        self,
        cluster: str,
        registry: Registry,
        fetcher: Fetcher,
        writer: AnswerWriter,
        attempts: Attempts,
        *,
        now_ms: Callable[[], int],
    ) -> None:
        self._cluster, self._registry, self._fetcher, self._writer = cluster, registry, fetcher, writer
        self._attempts, self._now_ms = attempts, now_ms
        self._plans: dict[str, _Plan] = {}
        self._busy: set[str] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Look at all accounts again and again until cancelled; none waits for another."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                for body in self.due():
                    tasks.create_task(self.serve(body), name=STEP)
                await asyncio.sleep(LOOK_SECONDS)

    def due(self) -> list[Body]:
        """Accounts whose time has come and that nobody is at; from now on they are somebody's: see `serve`."""
        bodies = self._registry.of_kind(KIND)
        there = {_uid(body) for body in bodies}
        self._plans = {uid: plan for uid, plan in self._plans.items() if uid in there}
        found = [body for body in bodies if _uid(body) not in self._busy and self._is_due(body)]
        self._busy |= {_uid(body) for body in found}
        return found

    async def serve(self, body: Body) -> None:
        """Fetch one account and say in its status what came of it."""
        try:
            await self._attempts.attempt(STEP, lambda: self._serve(body))
        finally:
            self._busy.discard(_uid(body))

    async def _serve(self, body: Body) -> None:
        read = provider_account(body)
        try:
            async with self._slots:
                outcome = await self._outcome(read)
        except AicostError:  # the API server is away: nothing can be written either
            self._put_off(body)
            raise
        except Exception as problem:
            self._put_off(body)
            await self._say(body, failed(Reason.INTERNAL_ERROR, f"a bug: {type(problem).__name__}; see the log"))
            raise
        if outcome.fetched is None or read.value is None:
            self._put_off(body)
        else:
            self._plan(body, self._now_ms() + read.value.interval_ms)
        self._tell(body, outcome)
        await self._say(body, outcome)

    def _is_due(self, body: Body) -> bool:
        """A fetch of before us counts as ours; a moment that is yet to come is of a clock that was wrong."""
        now, plan = self._now_ms(), self._plans.get(_uid(body))
        if plan is not None:
            return plan.generation != generation_of(body) or now >= plan.at_ms
        status, read = body["status"], provider_account(body).value
        last = status.get("lastFetch")
        ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status["conditions"])
        same = status.get("observedGeneration") == generation_of(body)
        if read is None or read.suspended or last is None or not (ready and same):
            return True
        return not 0 <= now - from_rfc3339(last) < read.interval_ms

    async def _outcome(self, read: Converted[ProviderAccount]) -> Outcome:
        """What comes of it: a reason why it is not fetched, or a fetch."""
        account = read.value
        if account is None:
            return failed(Reason.INVALID, "; ".join(map(str, read.problems)))
        if why := why_not(account, self._cluster, self._others()):
            return failed(Reason.INVALID, why)
        if account.suspended:
            return failed(Reason.SUSPENDED, "spec.suspend is true: nothing is asked for; take it out to go on")
        return await self._fetcher.fetch(account, self._now_ms())

    def _others(self) -> Sequence[ProviderAccount]:
        return read_each(self._registry.of_kind(KIND), provider_account)

    def _put_off(self, body: Body) -> None:
        """Try again later, each time after twice as long."""
        plan = self._plans.get(_uid(body))
        failures = plan.failures + 1 if plan and plan.generation == generation_of(body) else 1
        wait = min(FIRST_WAIT_MS << min(failures - 1, 10), LONGEST_WAIT_MS)
        self._plan(body, self._now_ms() + wait, failures)

    def _plan(self, body: Body, at_ms: int, failures: int = 0) -> None:
        self._plans[_uid(body)] = _Plan(generation_of(body), at_ms, failures)

    async def _say(self, body: Body, outcome: Outcome) -> None:
        statements = (outcome.statement, *(outcome.others or _known(body)))
        figures = kept_figures(body["status"]) if outcome.figures is None else outcome.figures
        read = provider_account(body).value
        said = stated(body, statements, self._now_ms())
        status = account_status(read.account if read else "", figures, generation_of(body), said)
        await self._writer.write_all([Answer(body, status, statements, mark=figures.get("lastFetch"))])

    def _tell(self, body: Body, outcome: Outcome) -> None:
        """One line for each fetch, and for each failure the first time."""
        name, done, plan = body["metadata"]["name"], outcome.fetched, self._plans[_uid(body)]
        if done is not None:
            fields = {"account": name, "new_days": done.new, "restated_days": done.restated}
            line(_log, logging.INFO, "spend fetched", **fields)
        elif plan.failures == 1 and outcome.statement.reason != Reason.SUSPENDED:
            line(_log, logging.WARNING, "spend not fetched", account=name, error=outcome.statement.message)


def _known(body: Body) -> Sequence[Statement]:
    """What was known before of what is captured: figures that stay keep their verdict."""
    return [
        Statement(ConditionType.CAPTURED, ConditionStatus(one["status"]), one["reason"], one["message"])
        for one in body["status"].get("conditions") or ()
        if one["type"] == ConditionType.CAPTURED
    ]


def _uid(body: Body) -> str:
    return str(body["metadata"]["uid"])
