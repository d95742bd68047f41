"""What label policies are judged by, as the controller knows it now."""

from dataclasses import replace

from aicost.adapters.clock import now_ms
from aicost.bootstrap import Application
from aicost.crd.convert.claims import workload_claim
from aicost.crd.convert.policies import label_policy
from aicost.domain.exact.windows import Window
from aicost.domain.policy.requests import PolicySnapshot
from aicost.domain.policy.snapshots import Known, policy_snapshot
from aicost.entrypoints.controller.registry import Registry, read_each
from aicost.entrypoints.controller.state import State


def label_snapshot(app: Application, registry: Registry, state: State) -> PolicySnapshot:
    """The policies, and what labels are inherited from."""
    now, settings = now_ms(), app.settings.admission
    facts = app.stores.inventory.facts(Window(now, now + 1))
    known = Known(
        policies=read_each(registry.of_kind("CostLabelPolicy"), label_policy),
        maps=state.labels.maps or {},
        namespaces=tuple(facts.namespaces.values()),
        accounts=tuple(facts.service_accounts.values()),
        claims=read_each(registry.of_kind("AIWorkload"), workload_claim),
        queues={place: queue.labels for place, queue in facts.queues.items()},
    )
    snapshot = policy_snapshot(known)
    return replace(snapshot, system_namespaces=settings.system_namespaces, controllers=settings.controllers)
