"""`aicost query`: the query API behind the API server, as a process."""

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import ClusterConfig
from aicost.entrypoints.process import server, told_to_end
from aicost.entrypoints.queryapi.server import serve
from aicost.settings import Settings

_ABOUT = "Serve query.aicost.dev behind the API server: what `aicost report` and `kubectl get allocations` ask."


async def run(settings: Settings, config: ClusterConfig) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = told_to_end()
    async with KubeClient(config) as client:
        await serve(settings, client, stop)


main = server("query", _ABOUT, run)
