"""One key of a policy as variables of CEL: what an object says of it, and what is wrong with that.

With `k0` for the first key, `end` empty or `Was`: `k0own` is what the object says, `k0st` what each place says whose
labels its pods will have, `k0inh` what each of them inherits, `k0said` all values that are judged. `k0wrong` has texts
about these values, `k0bad` also one where the key is missing. `k0for` are values that make others pay, `k0imm` texts
about changes.
"""

from dataclasses import dataclass

from aicost.crd.vap.judging.frame import BEFORE, Variables
from aicost.crd.vap.judging.inheritance import World, inherited
from aicost.crd.vap.language.cel import stands, text, text_map, texts
from aicost.crd.vap.language.scopes import in_scope
from aicost.crd.vap.language.values import aliases, counted, is_foreign, is_known, matches, some_of, spec_field, spelled
from aicost.domain.identity.stages import Stage
from aicost.domain.policy.policies import Inherit, LabelKey, Need
from aicost.domain.policy.texts import one_line
from aicost.domain.policy.values import known_values

_EARLY = (Stage.SANDBOX, Stage.EXPERIMENT)


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key, the start of the names of its variables, and what the expressions know of the cluster."""

    key: LabelKey
    name: str
    world: World

    def judged(self, *, history: bool) -> Variables:
        """What is wrong with it. `stages` must be there, and what is spoken now and was before.

        Args:
            history: whether anybody asks what was wrong before.
        """
        before = self._judged(BEFORE) if history else {}
        return {**self._judged(""), **before, f"{self.name}imm": self._changed() if self.key.immutable else "[]"}

    def value_at(self, default: str) -> str:
        """Values of the places whose labels the pods will have, and of the object, as a list."""
        own = self.of("own")
        above = f" + {own}" if Inherit.OWNER in self.key.inherit else ""
        each = f"({self.of('st')}[i]{above} + {self.of('inh')}[i] + [{text(default)}])[0]"
        itself = f"({own} + ({self.of('inh')} + [[]])[0] + [{text(default)}])[0]"
        return f"variables.ix.map(i, {each}) + [{itself}]"

    def of(self, part: str, end: str = "") -> str:
        """Expression of one of its variables."""
        return f"variables.{self.name}{part}{end}"

    def spoken(self, end: str = "") -> Variables:
        """What the object, its templates and those whom its pods inherit from say of it, without judging."""
        own, below, meant = self.of("own", end), self.of("below", end), self.of("alias")
        stated = self._stated("oldObject" if end else "object")
        said = {
            f"{self.name}own{end}": stated + spelled(self.key, f"variables.own{end}", meant),
            f"{self.name}below{end}": f"variables.lbl{end}.map(l, {spelled(self.key, 'l', meant)})",
            f"{self.name}st{end}": f"{below}.size() > 0 ? {below} : [{own}]",
        }
        if end:
            return said
        heirs = f"variables.run.map(t, {inherited(self.key, self.world, 't', meant)})"
        return {f"{self.name}alias": text_map(aliases(self.key)), **said, f"{self.name}inh": heirs}

    def _stated(self, root: str) -> str:
        """What the spec of an AIWorkload states."""
        pointer = spec_field(self.key)
        if not pointer:
            return ""
        value = counted(self.key, "v", self.of("alias"))
        values = f"{stands(root, pointer)}.filter(v, v != '').map(v, {value})"
        return f"(variables.gk == 'aicost.dev/AIWorkload' ? {values} : []) + "

    def _judged(self, end: str) -> Variables:
        own, below, st = (self.of(part, end) for part in ("own", "below", "st"))
        inh = self.of("inh")
        lacking = f"variables.ix.filter(i, i < {st}.size() && {st}[i].size() == 0"
        first = "filter(s, s.size() > 0).map(s, s[0])"
        bequeathed = f"{lacking} && {inh}[i].size() > 0).map(i, {inh}[i][0])"
        said = f"([{own}] + {below}).{first} + ({own}.size() > 0 ? [] : {bequeathed})"
        foreign = is_foreign(self.key, "v", self._inside())
        return {
            f"{self.name}said{end}": said,
            f"{self.name}for{end}": f"{self.of('said', end)}.filter(v, {foreign})" if foreign != "false" else "[]",
            f"{self.name}wrong{end}": " + ".join(self._wrong(end)),
            f"{self.name}bad{end}": f"{self.of('wrong', end)} + {self._missing(end)}",
        }

    def _inside(self) -> dict[str, str]:
        bound = self.key.allowed.bound
        return {value: in_scope(scope, "variables.ns", "variables.nsl") for value, scope in bound.items()}

    def _wrong(self, end: str) -> list[str]:
        """Lists of texts, each empty where nothing is wrong."""
        said, foreign = self.of("said", end), self.of("for", end)
        known = is_known(self.key, self.world.listed, "v")
        unknown = f"{said}.filter(v, !(v in {foreign}) && !({known}))"
        texts_of = ["[]"]
        if known != "true":
            texts_of.append(self._first(unknown, f" is not a known {self.key.key}{self._allowed()}"))
        if self.key.convention:
            broken = f"{said}.filter(v, !(v in {foreign}) && ({known}) && !{matches(self.key.convention, 'v')})"
            hint = one_line(self.key.convention_hint) or f"it must match {self.key.convention}"
            texts_of.append(self._first(broken, f" breaks the naming convention: {hint}"))
        if self.key.aliases:
            own, below = self.of("own", end), self.of("below", end)
            several = f"([{own}] + {below}).exists(s, !s.all(v, v == s[0]))"
            texts_of.append(f"({several} ? [{text(f'{self.key.key} is said in several ways')}] : [])")
        return texts_of

    def _first(self, listed: str, says: str) -> str:
        """A text about the first of some values."""
        begin = text(f'{self.key.key}="')
        return f"({listed} + ['']).filter(v, v != '').map(v, {begin} + v + {text(chr(34) + says)})"

    def _allowed(self) -> str:
        known = known_values(self.key, self.world.listed)
        return f" (allowed: {some_of(known)})" if known else ""

    def _missing(self, end: str) -> str:
        if self.key.need is Need.NEVER:
            return "[]"
        return f"({self._is_missing(end)} ? [{text(f'{self.key.key} is missing{self._allowed()}')}] : [])"

    def _is_missing(self, end: str) -> str:
        own, st, inh = self.of("own", end), self.of("st", end), self.of("inh")
        lacking = f"variables.ix.exists(i, i < {st}.size() && {st}[i].size() == 0 && {inh}[i].size() == 0)"
        terms = [lacking]
        if Inherit.OWNER in self.key.inherit:
            terms.append(f"{own}.size() == 0")
        if self.key.need is Need.GPU_ONLY:
            terms.append("variables.gpu")
        if self.key.stages:
            terms.append(f"variables.stages.exists(s, s in {texts(self.key.stages)})")
        if self.key.default:
            terms.append(f"!(variables.stages.size() > 0 && variables.stages.all(s, s in {texts(_EARLY)}))")
        return " && ".join(terms)

    def _changed(self) -> str:
        """Texts about values that were there and are others now, place by place."""
        now, was = (
            f"([{self.of('own')}] + {self.of('below')})",
            f"([{self.of('own', BEFORE)}] + {self.of('below', BEFORE)})",
        )
        here = f"{was}[i].size() > 0 && ({now}[i].size() == 0 || {now}[i][0] != {was}[i][0])"
        indexes = f"([0] + variables.ix.map(i, i + 1)).filter(i, i < {was}.size() && i < {now}.size() && {here})"
        begin, end = text(f'{self.key.key}="'), text('" is set and may not change')
        return f"!variables.update ? [] : {indexes}.map(i, {begin} + {was}[i][0] + {end})"
