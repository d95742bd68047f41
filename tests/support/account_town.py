"""ProviderAccounts of a cluster that is played: a fake API server, a ledger in memory, a clock that is turned."""

import base64

from aicost.adapters.pricing.bills.asking import CostReader
from aicost.adapters.pricing.bills.litellm.asking import LitellmReader
from aicost.domain.exact.windows import Window, from_rfc3339
from aicost.entrypoints.controller.accounts.fetching import Fetcher
from aicost.entrypoints.controller.accounts.keys import SecretKeys
from aicost.entrypoints.controller.accounts.rounds import AccountRounds
from aicost.entrypoints.controller.publish.writer import AnswerWriter
from aicost.entrypoints.controller.publish.writing import StatusPublisher
from support.controller import made
from support.fake_api.server import PROVIDERS, SECRETS

KEY = "sk-ant-admin-secret"
START = from_rfc3339("2026-11-20T12:00:00Z")
MIDNIGHT = from_rfc3339("2026-11-20T00:00:00Z")
SPEC = {"provider": "anthropic", "secretRef": {"name": "keys", "key": "anthropic"}, "since": "3d", "interval": "6h"}


class Town:
    """The rounds over a ledger in memory.

    Attributes:
        provider: who answers at the address of the accounts.
        now_ms: the time, which passes when a test says so.
    """

    def __init__(self, api, client, world, provider, url):
        self.api, self.client, self.world, self.provider, self.url = api, client, world, provider, url
        self.now_ms, self.bug = START, None
        self.restart()

    def restart(self):
        writer = AnswerWriter(StatusPublisher(self.client, "test"), self.world.metrics)
        fetcher = Fetcher(self.world.app, SecretKeys(self.client, "system"), self._ask)
        self.rounds = AccountRounds(
            "cluster-1", self.world.registry, fetcher, writer, self.world.attempts, now_ms=lambda: self.now_ms
        )

    def _ask(self, account, key):
        if self.bug:
            raise self.bug
        if account.provider == "litellm":
            return LitellmReader(key, account.url, timeout_s=2.0, wait=lambda _: None)
        return CostReader(account.provider, key, self.url, timeout_s=2.0, wait=lambda _: None)

    def key(self, value=KEY, name="anthropic"):
        self.api.put(SECRETS, "keys", "system", data={name: base64.b64encode(value.encode()).decode()})

    def apply(self, name="main", generation=1, **change):
        body = made("ProviderAccount", name, SPEC | change)
        body["metadata"]["generation"] = generation
        content = {part: body[part] for part in ("metadata", "spec")}
        self.api.put(PROVIDERS, name, **content, status=self.status(name))
        self.see(name)

    def see(self, name="main"):
        """The watch tells of it."""
        (body,) = (one for one in self.api.store.all(PROVIDERS) if one["metadata"]["name"] == name)
        self.world.registry.put({"kind": "ProviderAccount", "status": {}, **body})

    def status(self, name="main"):
        found = [one for one in self.api.store.all(PROVIDERS) if one["metadata"]["name"] == name]
        return found[0].get("status", {}) if found else {}

    async def round(self, forward_ms=0):
        """Serve what is due after some time, one after the other; their names."""
        self.now_ms += forward_ms
        due = self.rounds.due()
        for body in due:
            await self.rounds.serve(body)
            self.see(body["metadata"]["name"])
        return [body["metadata"]["name"] for body in due]

    def ready(self, name="main"):
        return self.condition("Ready", name)

    def condition(self, kind, name="main"):
        (one,) = (one for one in self.status(name)["conditions"] if one["type"] == kind)
        return one["status"], one["reason"], one["message"]

    def days(self, account="main"):
        return self.world.ledger.windows(Window(0, START), cluster=account)
