"""Each minute: whether the telemetry of each GPU node can be trusted; kept for the query API, shown, and told."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.events import EventPoster, Happening, Regarding, Severity
from aicost.adapters.trusts import TrustFile
from aicost.bootstrap import Application
from aicost.crd.trust.document import message_of
from aicost.domain.trust.reasons import REMEDIES
from aicost.domain.trust.standing import NodeTelemetry
from aicost.domain.trust.values import Trust
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.state import State
from aicost.ports.exporters import Exporters
from aicost.telemetry.logs import line
from aicost.usecases.gpus.judge_telemetry import JudgeTelemetry

LOOK_SECONDS = 60.0
FIRST_SECONDS = 15.0
"""Before the first look: a source that was just found has been asked for nothing yet."""
REASON_TRUSTED, REASON_NOT_TRUSTED = "TelemetryTrusted", "TelemetryNotTrusted"
_log = logging.getLogger("aicost.telemetry")


class TelemetryJudge:
    """Judges, leader or not: each replica answers questions of its own; the leader alone posts Events.

    Args:
        app: the use cases.
        exporters: the exporters of the cluster.
        state: tells the source.
        attempts: does the step.
        kept: keeps the judgement for the query API beside us, and over a restart.
        events: posts Events.
        leads: whether we lead.
    """

    def __init__(
        self,
        app: Application,
        exporters: Exporters,
        state: State,
        attempts: Attempts,
        kept: TrustFile,
        events: EventPoster,
        *,
        leads: Callable[[], bool],
    ) -> None:
        self._app, self._state, self._attempts, self._kept = app, state, attempts, kept
        self._events, self._leads = events, leads
        self._judge = JudgeTelemetry(app.stores.inventory, app.source, exporters)
        self._nodes: tuple[NodeTelemetry, ...] | None = None

    async def run(self) -> None:
        """Look again and again until cancelled; first once exporters had time to answer a scrape."""
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            await self._attempts.attempt("judge-telemetry", self.once)
            await asyncio.sleep(LOOK_SECONDS)

    async def once(self) -> None:
        """One look at all nodes.

        Raises:
            AicostError: the judgement cannot be kept; it is shown and told all the same.
        """
        before = self._nodes
        if before is None:
            before = (await asyncio.to_thread(self._kept.latest, self._app.cluster)).nodes
        nodes = await asyncio.to_thread(self._judge, before, self._source(), now_ms())
        self._nodes = nodes
        self._app.metrics.show_each("aicost_node_telemetry_trusted", gauges(nodes))
        await self._tell(changed({one.node: one for one in before}, nodes))
        await asyncio.to_thread(self._kept.put, nodes, self._app.cluster)

    def _source(self) -> str:
        source = self._state.source
        return (source.origin or source.name) if source.name else ""

    async def _tell(self, nodes: Iterable[NodeTelemetry]) -> None:
        """Say what changed: in the log, and by an Event on the Node where we lead."""
        for node in nodes:
            line(
                _log, logging.INFO, "telemetry of a node", node=node.node, trusted=node.trust.value, reason=node.reason
            )
            if self._leads():
                await self._events.post(happening(node, self._uids().get(node.node, "")))

    def _uids(self) -> Mapping[str, str]:
        known = self._app.stores.inventory.known_nodes().values()
        return {record.facts.name: record.facts.uid for record in known}


def changed(before: Mapping[str, NodeTelemetry], nodes: Iterable[NodeTelemetry]) -> tuple[NodeTelemetry, ...]:
    """Nodes whose trust was lost, or came back. That a node begins well, or is still young, is no news."""
    return tuple(one for one in nodes if _is_news(before.get(one.node), one))


def gauges(nodes: Iterable[NodeTelemetry]) -> Mapping[tuple[str, ...], float]:
    """One value per node, by node and gravest reason; none for a node that is too young to be judged."""
    return {(one.node, one.reason): float(one.trust is Trust.YES) for one in nodes if one.trust is not Trust.UNKNOWN}


def _is_news(before: NodeTelemetry | None, now: NodeTelemetry) -> bool:
    lost = before is not None and before.trust is Trust.NO
    return (now.trust is Trust.NO) is not lost


def happening(node: NodeTelemetry, uid: str) -> Happening:
    """The Event of a change."""
    # The Event of a Node names it by its uid and, as the kubelet does, by its name where that is not known.
    regarding = Regarding("v1", "Node", node.node, uid=uid or node.node)
    if node.trust is not Trust.NO:
        return Happening(regarding, REASON_TRUSTED, message_of(node), action="JudgeTelemetry")
    fix = REMEDIES[node.reasons[0].reason].fix
    note = f"{node.reason}: {message_of(node)}. {fix}"
    return Happening(regarding, REASON_NOT_TRUSTED, note, Severity.WARNING, "JudgeTelemetry")
