"""Results -> what a reader reads: ``tell_`` and ``compare_`` give sentences, ``table_`` gives tables of texts.

Every sentence says "planned", none has a number that is not in the frames, and what rounding or a bound leaves open is
said to be open. Sentences are Markdown.
"""

from qyx_analysis.texts.ambition import (
    compare_ambition,
    compare_association,
    table_ambition,
    tell_ambition,
    tell_mandated,
)
from qyx_analysis.texts.dispersion import compare_dispersion, table_convergence, table_domain_spread
from qyx_analysis.texts.plan import (
    table_domains,
    table_findings,
    table_printed,
    tell_compared,
    tell_kinds,
    tell_overview,
    tell_standing,
)
from qyx_analysis.texts.shared import table_measure, tell_too_few
from qyx_analysis.texts.timing import compare_timing, table_timing, tell_timing
from qyx_analysis.texts.verdicts import table_verdicts, tell_stability

__all__ = [
    "compare_ambition",
    "compare_association",
    "compare_dispersion",
    "compare_timing",
    "table_ambition",
    "table_convergence",
    "table_domain_spread",
    "table_domains",
    "table_findings",
    "table_measure",
    "table_printed",
    "table_timing",
    "table_verdicts",
    "tell_ambition",
    "tell_compared",
    "tell_kinds",
    "tell_mandated",
    "tell_overview",
    "tell_stability",
    "tell_standing",
    "tell_timing",
    "tell_too_few",
]
