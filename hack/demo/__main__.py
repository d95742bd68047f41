"""Command line of `make demo` and `make down`."""

import argparse
import os
import shlex
import signal
import sys
from pathlib import Path

from demo import stage as stages
from demo.finale import Finale
from demo.play import Play
from demo.screen import Screen
from demo.stage import Stage
from devcluster import binaries
from devcluster.golang.gobuild import KUBERNETES_VERSION
from devcluster.host.paths import default_state_dir
from devcluster.host.progress import Failure

_START_SECONDS = 90.0
_STEPS = 7
_INTERRUPTED = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Play or stop the demo; the exit status."""
    arguments = _parser().parse_args()
    arguments.state = arguments.state.resolve()
    for name in _SIGNALS:
        signal.signal(name, signal.default_int_handler)
    try:
        return _down(arguments.state) if arguments.down else _demo(arguments)
    except Failure as failure:
        print(f"\nFAILED: {failure}", flush=True)
        return 1
    except KeyboardInterrupt:
        print("\nstopped: nothing is left running", flush=True)
        return _INTERRUPTED


def _down(state: Path) -> int:
    print("the demo is stopped" if stages.down(state) else f"no demo runs in {state}")
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    problem = binaries.platform_problem()
    if problem:
        raise Failure(problem)
    screen = Screen(_STEPS)
    if binaries.programs_without_building() is None:
        screen.print("Kubernetes and Helm are built from source: minutes now, once, and nothing the next time.")
    with screen.step("find or build Kubernetes and Helm") as step:
        programs = binaries.find_programs()
        step.note(f"Kubernetes {KUBERNETES_VERSION}")
    stages.fresh(arguments.state)
    stage = Stage(arguments.state, programs)
    holds = False
    try:
        holds = _play(screen, stage, quick=arguments.quick)
    except Failure as failure:
        screen.print(f"\nFAILED: {failure}")
    finally:
        _end(screen, stage, keep=arguments.keep and sys.exception() is None)
    if holds and not arguments.keep:
        stages.remove(arguments.state)
        screen.print("\nAll is stopped and removed. `make demo KEEP=1` leaves it running for you to look around.")
    return 0 if holds else 1


def _end(screen: Screen, stage: Stage, *, keep: bool) -> None:
    """Stop the demo, or leave it running: also one that failed, so that one can see why."""
    if keep and stage.is_up()[0]:
        stage.leave_running()
        screen.print(_kept(stage))
    _let_nothing_disturb()
    stage.stop()


def _let_nothing_disturb() -> None:
    """From now on everything is being stopped: a second Ctrl-C must not leave half of it behind."""
    for name in _SIGNALS:
        signal.signal(name, signal.SIG_IGN)


def _play(screen: Screen, stage: Stage, *, quick: bool) -> bool:
    """All steps, then what they lead to; whether the proof holds."""
    play = Play(stage, quick=quick)
    with screen.step("start a Kubernetes control plane") as step:
        stage.start()
        stage.wait(step, stage.is_up, _START_SECONDS, lambda: stage.log_tail("demo"))
    with screen.step("register the simulated fleet") as step:
        play.make_fleet(step)
    with screen.step("helm install aicost charts/aicost") as step:
        play.install(step)
    with screen.step("kubectl apply -f examples/demo") as step:
        play.apply_workloads(step)
    with screen.step("watch what three teams do") as step:
        play.watch(step)
    finale = Finale(stage, play)
    with screen.step("read the reports") as step:
        finale.read(step)
    finale.show(screen)
    holds = finale.prove(screen)
    screen.print("\n" + ("The proof holds." if holds else f"THE PROOF FAILS. Logs and data are in {stage.state}"))
    return holds


def _kept(stage: Stage) -> str:
    programs, own = stage.cluster.programs.commands["kubectl"].parent, Path(sys.executable).parent
    return "\n".join(
        (
            "\nThe demo goes on. To look around:",
            f"  export KUBECONFIG={shlex.quote(str(stage.cluster.kubeconfig))}",
            f"  export PATH={shlex.quote(str(programs))}{os.pathsep}{shlex.quote(str(own))}{os.pathsep}$PATH",
            "  kubectl get acr,aiw -A",
            "To stop it:",
            "  make down",
        )
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo", description="The whole loop on this machine, with its proof."
    )
    parser.add_argument("--keep", action="store_true", help="leave it running")
    parser.add_argument("--down", action="store_true", help="stop a demo that was left running")
    parser.add_argument("--state", type=Path, default=default_state_dir().parent / "demo", help="state directory")
    parser.add_argument("--quick", action="store_true", help="show the first figures, and wait for no job to end")
    return parser


if __name__ == "__main__":
    sys.exit(main())
