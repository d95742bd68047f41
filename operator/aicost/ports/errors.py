"""How the world may fail, in our own words.

AicostError
├── SourceUnavailable     a source did not answer, or answered with less than was asked
├── InvalidAnswer         a source answered with something that is not what it should be
├── LedgerConflict        another writer posted first
├── LedgerUnavailable     the ledger cannot be read or written (disk full, store refusing)
├── ClusterUnavailable    the API server did not answer
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


class LedgerUnavailable(AicostError):
    """The ledger cannot be read or written."""


class ClusterUnavailable(AicostError):
    """The API server did not answer."""


class NotPermitted(AicostError):
    """A permission is missing; the message names verb, resource and how to grant it."""


class InvalidRequest(AicostError):
    """What a person asked for makes no sense; the message names the field, the value and the fix."""
