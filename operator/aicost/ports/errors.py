"""How the world may fail, in our own words.

AicostError
├── SourceUnavailable     a source did not answer, or answered with less than was asked
├── InvalidAnswer         a source answered with something that is not what it should be
├── LedgerConflict        another writer posted first
│   └── TermOver          another leader has begun its term since
├── LedgerUnavailable     the ledger cannot be read or written (disk full, store refusing)
├── CountersNotKept       the node agent cannot write its counters down
├── InputsDamaged         inputs of a posting are not what was kept, or a newer aicost wrote them
├── ReplayFailed          a statement could not be computed again
├── ClusterUnavailable    the API server did not answer
├── NotifyFailed          a route of notifications did not take a message
├── NotPermitted          the API server or a source refused: a permission is missing
└── InvalidRequest        what a person asked for makes no sense; the message names field, value and fix
"""


class AicostError(Exception):
    """Expected bad news from outside; the message is fit for people."""


class SourceUnavailable(AicostError):
    """A telemetry or price source did not answer, or with less than was asked."""


class InvalidAnswer(AicostError):
    """A source answered with something that is not what it should be."""


class LedgerConflict(AicostError):
    """Another writer posted first."""


class TermOver(LedgerConflict):
    """Another leader has begun its term: what an earlier one still has in hand is not posted."""


class LedgerUnavailable(AicostError):
    """The ledger cannot be read or written."""


class CountersNotKept(AicostError):
    """The node agent cannot write its counters down; the message names the file."""


class InputsDamaged(AicostError):
    """Inputs of a posting are not what was kept, or a newer aicost wrote them; the message names the part."""


class ReplayFailed(AicostError):
    """A statement could not be computed again from its inputs."""


class ClusterUnavailable(AicostError):
    """The API server did not answer."""


class NotifyFailed(AicostError):
    """A route of notifications did not take a message; the text names the route and never its address or secret."""


class NotPermitted(AicostError):
    """A permission is missing; the message names verb, resource and how to grant it."""


class InvalidRequest(AicostError):
    """What a person asked for makes no sense; the message names the field, the value and the fix."""
