"""The end of the demo: what people would type, and the proof, all of one moment."""

from typing import Any

from demo import background, proof, show
from demo.play import TEAMS, VIEWS, Play, covered_ms
from demo.screen import Screen, Step
from demo.stage import Stage
from devcluster.host.progress import Failure
from fleet import demo as script
from fleet.live.record import load
from fleet.script import Fleet

_MONTH = "month-to-date"
COMMANDS = (
    "kubectl get aicostreport -A",
    "kubectl get clusteraicostreport",
    "kubectl get aiworkload -A",
    "kubectl get aiworkload chat -n search -o wide",
    f"kubectl describe aicostreport {_MONTH} -n search",
    "aicost report --all-namespaces --by team",
)
_TRIES = 5
_GRID_MS = 900_000
_INTRODUCTION = """
{share} of it is provisional: it belongs to the window that is still open.
Whatever the money is summed by, the total is the same:
"""
_EXACT = """
The simulated fleet kept a record of what it really did. Who held which GPU, and at what price, rests
on no sample, so only rounding may differ: half a nano per node, a nano per GPU. When a GPU is found
lost depends on when somebody looks: one GPU-second.
"""
_SAMPLED = """
How busy a GPU was rests on samples: exporters show means of a time that is over. A moment is known to
within {seconds} s, which is much in so short a demo and little in an hour. Allowed is whatever was true
that long before or after.
"""
_METRIC = "aicost_unbalanced_cost_nanos"


class Finale:
    """Everything that is shown, read between two computations of the reports so that all figures agree."""

    def __init__(self, stage: Stage, play: Play) -> None:
        self._stage, self._play = stage, play
        self._answers: dict[str, str] = {}
        self._reports: dict[str, Any] = {}
        self._metric = ""

    def read(self, step: Step) -> None:
        """Run the commands right after the reports were computed; once more if they were computed meanwhile."""
        for number in range(1, _TRIES + 1):
            self._wait_for_new(step)
            self._answers = {line: self._run(line) for line in COMMANDS}
            self._metric = _gauge(self._play.metrics(), _METRIC)
            if self._moments(self._play.reports()) == self._moments(self._reports):
                step.note(f"{len(COMMANDS)} commands at one moment")
                return
            step.note(f"the figures moved on, once more ({number})")
        raise Failure("this machine is too busy to run six commands within ten seconds; try again when it is idle")

    def _wait_for_new(self, step: Step) -> None:
        """Wait until all reports are of one moment that is not the last one."""
        old = self._moments(self._play.reports())

        def newer() -> tuple[bool, str]:
            self._reports = self._play.reports()
            moments = self._moments(self._reports)
            return len(moments) == 1 and moments != old, "waiting for the next computation"

        self._stage.wait(step, newer, 60, lambda: self._stage.pod_log_tail("aicost-system", "controller"))

    @staticmethod
    def _moments(reports: dict[str, Any]) -> set[tuple[int, int]]:
        return {covered_ms(report) for report in reports.values()}

    def _run(self, line: str) -> str:
        program, *words = line.split()
        return self._stage.aicost(*words) if program == "aicost" else self._stage.kubectl(*words)

    def show(self, screen: Screen) -> None:
        """Print what the commands answered."""
        for line, answer in self._answers.items():
            screen.command(line, answer)

    def prove(self, screen: Screen) -> bool:
        """Print the proof; whether it holds."""
        fleet = load(background.truth_file(self._stage.state), script.PRICES)
        figures = self._told(fleet)
        begin, end = figures.span
        bounds = proof.Bounds(windows=end // _GRID_MS - begin // _GRID_MS + 1, reach_ms=self._reach_ms(fleet))
        exact = proof.exact_lines(figures, fleet, bounds)
        sampled = proof.sampled_lines(figures, fleet, bounds)
        same = proof.same_money(figures)
        time = proof.time_claims(figures, fleet, self._known_by_ms())
        balanced = proof.Claim(f"/metrics: {_METRIC} {self._metric}", float(self._metric) == 0)
        screen.title(f"The proof, in nano-dollars, for {show.clock(begin)} to {show.clock(end)} UTC")
        screen.print(_INTRODUCTION.format(share=show.share(figures.provisional_nanos, sum(figures.buckets.values()))))
        screen.print(show.views(figures))
        screen.print(_EXACT)
        screen.print(show.lines(exact))
        screen.print(_SAMPLED.format(seconds=bounds.reach_ms // 1000) + _error_text(figures.error_nanos, sampled[0]))
        screen.print(show.lines(sampled))
        screen.print("\n" + show.claims([*same, *time, balanced]))
        return all(one.ok for one in (*exact, *sampled, *same, *time, balanced))

    def _told(self, fleet: Fleet) -> proof.Told:
        views = [(name, self._reports[name]) for name in VIEWS]
        own = [self._reports[name] for name in TEAMS]
        begin, end = covered_ms(self._reports[VIEWS[0]])
        figures = proof.told(views, own, (begin, end))
        gpus = sum(len(node.gpus) for node in fleet.nodes)
        began = max(begin, proof.begin_of(figures.gpu_ms, gpus, end))
        return proof.told(views, own, (began, end))

    def _reach_ms(self, fleet: Fleet) -> int:
        """To within how long a moment is known: a collection as aicost takes it, a mean, and a turn of the scrapes."""
        timing = [exporter.collection for node in fleet.nodes for exporter in node.exporters]
        return self._play.collection_ms + max(one.window_ms for one in timing) + self._play.scrape_ms

    def _known_by_ms(self) -> int:
        return self._play.controller_ready_ms() + 1000


def _error_text(error_nanos: int | None, used: proof.Line) -> str:
    """What the report itself says of its error, and whether it is right."""
    if error_nanos is None:
        return ""
    said = f"The report's own 95 % error bar is +-{error_nanos:,}"
    if abs(used.difference) <= error_nanos:
        return f"{said}: the difference lies within it.\n"
    return f"{said}. It takes the errors\nof GPUs for independent; here many of them err in the same direction.\n"


def _gauge(exposition: str, name: str) -> str:
    """The value of a gauge without labels."""
    found = [line.split()[1] for line in exposition.splitlines() if line.startswith(f"{name} ")]
    if not found:
        raise Failure(f"/metrics does not show {name}")
    return found[0]
