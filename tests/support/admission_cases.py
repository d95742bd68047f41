"""The one table of admission cases: `admit()`, the webhook, `check` and the generated policies all answer it alike."""

from support.admission.case import Case
from support.admission.hostile import HOSTILE
from support.admission.kinds import KINDS
from support.admission.modes import MODES
from support.admission.presence import PRESENCE
from support.admission.values import VALUES

CASES: tuple[Case, ...] = (*PRESENCE, *VALUES, *MODES, *KINDS, *HOSTILE)
