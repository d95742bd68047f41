"""Whatever mixture of lists and events comes, the belief ends as the cluster is, and each life ends once."""

from hypothesis import given
from hypothesis import strategies as st

from aicost.adapters.kube.watching.belief import Belief, span
from aicost.adapters.kube.watching.notices import Changed, Gone, Seen
from aicost.domain.exact.windows import Window

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "remove", "silently put", "silently remove", "repeat", "relist"]),
        st.sampled_from("abcd"),
    ),
    max_size=60,
)


class Cluster:
    """The truth, and a belief that is told part of it."""

    def __init__(self) -> None:
        self.version, self.now = 0, 0
        self.truth: dict[str, str] = {}
        self.events: list[tuple[str, str, str]] = []
        self.belief: Belief[str] = Belief()
        self.told: list = []
        self.missed = False

    def step(self, kind: str, uid: str) -> None:
        self.now += 1_000
        if kind == "relist":
            self.relist()
        elif kind == "repeat":
            self.repeat()
        else:
            self.change(kind, uid)

    def change(self, kind: str, uid: str) -> None:
        self.version += 1
        removing = kind.endswith("remove")
        if removing and uid not in self.truth:
            return
        self.truth.pop(uid, None) if removing else self.truth.update({uid: f"{uid}{self.version}"})
        event = ("DELETED" if removing else "MODIFIED", uid, str(self.version))
        if kind.startswith("silently"):
            self.missed = True
        if self.missed:
            return  # a stream without what was missed goes no further
        self.events.append(event)
        self.take(event)

    def take(self, event: tuple[str, str, str]) -> None:
        kind, uid, version = event
        if kind == "DELETED":
            self.tell(self.belief.remove(uid, version, None, self.now, None))
        else:
            self.tell(self.belief.change(uid, version, f"{uid}{version}", self.now))
        self.belief.heard_ms = self.now

    def repeat(self) -> None:
        for event in self.events[-5:]:
            self.take(event)

    def relist(self) -> None:
        self.belief.begin_list()
        for uid, content in self.truth.items():
            self.tell(self.belief.list_one(uid, content[1:], content, self.now))
        for notice in self.belief.end_list(self.now):
            self.tell(notice)
        self.missed = False
        self.events.clear()

    def tell(self, notice) -> None:
        if notice is not None:
            self.told.append(notice)


def replay(told) -> dict[str, str]:
    there: dict[str, str] = {}
    for notice in told:
        if isinstance(notice, Changed):
            there[notice.uid] = notice.object
        else:
            assert there.pop(notice.uid, None) is not None, "told gone without being there"
    return there


@given(STEPS)
def test_after_a_list_the_notices_add_up_to_the_truth(steps):
    cluster = Cluster()
    for step in steps:
        cluster.step(*step)
    cluster.relist()
    assert replay(cluster.told) == cluster.truth
    assert len(cluster.belief) == len(cluster.truth)


@given(STEPS)
def test_a_gap_reaches_from_the_last_sign_of_life_to_the_list(steps):
    cluster = Cluster()
    for step in steps:
        cluster.step(*step)
    for notice in cluster.told:
        if isinstance(notice, Gone) and notice.gap is not None:
            assert notice.gap.end_ms == notice.at_ms
            assert notice.gap.start_ms < notice.gap.end_ms


def test_a_late_event_does_not_bring_the_dead_back():
    belief = Belief()
    belief.change("a", "5", "a5", 1)
    belief.remove("a", "9", None, 2, None)
    assert belief.change("a", "7", "a7", 3) is None
    assert len(belief) == 0


def test_an_object_that_comes_back_into_a_selection_is_told_again():
    belief = Belief()
    belief.change("a", "5", "a5", 1)
    belief.remove("a", "9", None, 2, None)
    assert belief.change("a", "12", "a12", 3) == Changed("a", "a12", 3, initial=False)


def test_the_final_state_is_that_of_the_deletion():
    belief = Belief()
    belief.change("a", "5", "running", 1)
    assert belief.remove("a", "6", "failed", 2, None) == Gone("a", "failed", 2, None)


def test_an_interrupted_list_narrows_the_gap_for_what_it_still_showed():
    belief = Belief({"a": Seen("a", 100)})
    belief.begin_list()
    belief.list_one("a", "5", "a", 5_000)
    belief.begin_list()  # the first list broke off
    assert [gone.gap for gone in belief.end_list(9_000)] == [Window(5_000, 9_000)]


def test_versions_that_are_no_numbers_can_only_be_equal():
    belief = Belief()
    assert belief.change("a", "xyz", "1", 1) is not None
    assert belief.change("a", "xyz", "1", 2) is None
    assert belief.change("a", "abc", "2", 3) is not None


def test_a_clock_set_back_gives_an_empty_span_and_no_error():
    assert span(5_000, 4_000) == Window(4_000, 4_000)


def test_only_some_thousand_deletions_are_remembered():
    belief = Belief()
    for number in range(5_000):
        belief.change(f"uid-{number}", "1", "x", 1)
        belief.remove(f"uid-{number}", "2", None, 1, None)
    assert len(belief._graves) == 4_096


def test_what_a_resumed_watch_tells_of_the_break_narrows_no_gap():
    belief = Belief()
    belief.change("a", "5", "running", 1_000)
    blind = Window(2_000, 9_000)
    changed = belief.change("a", "6", "deleting", 9_000, blind)
    assert changed == Changed("a", "deleting", 9_000, initial=True, gap=blind)
    assert belief.remove("a", "7", None, 9_000, blind).gap == blind
