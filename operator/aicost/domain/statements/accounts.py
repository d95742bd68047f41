"""From sums of the ledger to accounts: own cost, shared costs, adjustments, and how it all adds up."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from aicost.domain.reporting.ordering import OTHER, add_amounts
from aicost.domain.reporting.tally import Contribution, tally
from aicost.domain.statements.adjusting import adjustments
from aicost.domain.statements.gathering import Moment, Sums, bases, by_payer, home_currency, pools
from aicost.domain.statements.spreading import Shares, spread
from aicost.domain.statements.values import Account, Keys, Left, Part, SharedRule, Spread, StatementLine


@dataclass(frozen=True, slots=True)
class Terms:
    """What is stated, and by which rule.

    Attributes:
        payer: values of the one payer that is stated; None for an account of each.
        keys: group keys of the lines.
        limit: lines of an account before the rest is merged into one; None for all.
    """

    rule: SharedRule
    payer: Keys | None
    keys: Keys
    limit: int | None = None


def make_parts(terms: Terms, now: Moment, then: Moment) -> tuple[Part, ...]:
    """The statement, currency by currency, the largest first; at least one part, which is empty where nothing is known.

    Args:
        terms: what is stated.
        now: the ledger as it is.
        then: the ledger that adjustments are counted from.
    """
    home = home_currency((*now.everyone.items, *then.everyone.items))
    now, then = now.at_home(home), then.at_home(home)
    currencies = sorted({*now.currencies, *then.currencies}) or [""]
    parts = [_part(terms, currency, now.of(currency), then.of(currency)) for currency in currencies]
    return tuple(sorted(parts, key=lambda part: (-part.ledger.cost_nanos, part.currency)))


def _part(terms: Terms, currency: str, now: Moment, then: Moment) -> Part:
    shares, before = _shares(terms.rule, now.everyone), _shares(terms.rule, then.everyone)
    own_of, own_before = by_payer(now.lines.own(terms.rule)), by_payer(then.lines.own(terms.rule))
    known = _totals(terms.rule, now.everyone, shares)
    stated = [terms.payer] if terms.payer is not None else sorted({*known, *own_of, *own_before})
    nothing = now.lines.where(())
    accounts = [
        _account(
            terms,
            currency,
            payer,
            own_of.get(payer, nothing),
            own_before.get(payer, nothing),
            (shares, before),
        )
        for payer in stated
    ]
    others = [payer for payer in known if payer not in stated]
    return Part(
        currency=currency,
        accounts=tuple(sorted(accounts, key=lambda one: (-one.total_nanos, one.payer))),
        others=len(others),
        others_nanos=sum(known[payer] for payer in others),
        left=_left(terms.rule, now.everyone, shares),
        ledger=tally(currency, now.everyone.items, now.everyone.items),
    )


def _shares(rule: SharedRule, everyone: Sums) -> Shares:
    if rule.spread is Spread.NONE:
        return Shares({}, ())
    return spread(rule, pools(everyone, rule, shared=True), bases(everyone, rule))


def _left(rule: SharedRule, everyone: Sums, shares: Shares) -> tuple[Left, ...]:
    kept = [
        Left(pool.cluster, pool.bucket, pool.nanos, pool.gpu_milliseconds)
        for pool in pools(everyone, rule, shared=False)
    ]
    return tuple(sorted([*kept, *shares.left], key=lambda one: (one.cluster, one.bucket)))


def _totals(rule: SharedRule, everyone: Sums, shares: Shares) -> dict[Keys, int]:
    """What each payer owes in all."""
    found: Counter[Keys] = Counter()
    for payers in bases(everyone, rule).values():
        for payer, basis in payers.items():
            found[payer] += basis.nanos
    for payer, lines in shares.lines.items():
        found[payer] += sum(line.nanos for line in lines)
    return dict(found)


def _account(
    terms: Terms, currency: str, payer: Keys, own: Sums, before: Sums, shares: tuple[Shares, Shares]
) -> Account:
    now, then = (one.lines.get(payer, ()) for one in shares)
    shared_now, shared_then = (sum(line.nanos for line in lines) for lines in (now, then))
    amounts, issued = (tally(currency, sums.items, sums.items) for sums in (own, before))
    changed = adjustments(own, before, terms.keys, shared_now - shared_then)
    return Account(
        payer=payer,
        lines=_cut(_lines(currency, own, terms.keys), terms.limit),
        own=amounts,
        shared=now,
        issued=issued,
        issued_nanos=issued.cost_nanos + shared_then,
        adjustments=changed,
    )


def _lines(currency: str, own: Sums, keys: Keys) -> list[StatementLine]:
    groups: defaultdict[Keys, list[Contribution]] = defaultdict(list)
    for item in own.items:
        groups[tuple(own.value(item, key) for key in keys)].append(item)
    lines = [
        StatementLine(values, tally(currency, items, items), _components(items)) for values, items in groups.items()
    ]
    return sorted(lines, key=lambda line: (-line.amounts.cost_nanos, line.keys))


def _components(items: Iterable[Contribution]) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for item in items:
        found[item.group.component] += item.group.cost_nanos
    return {component: found[component] for component in sorted(found)}


def _cut(lines: Sequence[StatementLine], limit: int | None) -> tuple[StatementLine, ...]:
    """The first lines, and one that the others are merged into and sums to them exactly."""
    if limit is None or len(lines) - limit < 2:
        return tuple(lines)
    kept, rest = lines[:limit], lines[limit:]
    components: Counter[str] = Counter()
    for line in rest:
        components.update(line.components)
    merged = StatementLine(
        keys=(OTHER, *("" for _ in lines[0].keys[1:])),
        amounts=reduce(add_amounts, (line.amounts for line in rest)),
        components={name: components[name] for name in sorted(components)},
        merged=len(rest),
    )
    return (*kept, merged)
