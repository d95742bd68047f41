"""`aicost admission`: the webhook that judges cost labels, as a process."""

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import ClusterConfig
from aicost.entrypoints.admission.server import Webhook
from aicost.entrypoints.process import server, told_to_end
from aicost.settings import Settings


async def run(settings: Settings, config: ClusterConfig) -> None:
    """Judge until SIGTERM or SIGINT."""
    stop = told_to_end()
    async with KubeClient(config) as client:
        await Webhook(settings, client).run(stop)


main = server("admission", "Judge cost labels when the API server asks: the webhook behind CostLabelPolicies.", run)
