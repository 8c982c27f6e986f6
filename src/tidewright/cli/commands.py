"""Which commands there are and where each lives; nothing is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One command, or one group of commands.

    Parameters
    ----------
    target : str
        ``"module:name"`` below ``tidewright.cli``; the name is a function for a command and a
        ``typer.Typer`` for a group.
    summary : str
        The line that ``tidewright --help`` prints.
    panel : str
        Heading under which it is listed.
    """

    target: str
    summary: str
    panel: str


_RUN = "Run"
_OPERATE = "Operate"
_PREPARE = "Prepare"
_RESEARCH = "Research"

COMMANDS: Mapping[str, Entry] = {
    "up": Entry("run:up", "Start the trader and its page.", _RUN),
    "backtest": Entry("run:backtest", "Run a strategy over stored data.", _RUN),
    "replay": Entry("run:replay", "Decide a recorded run again and compare.", _RUN),
    "venue": Entry("venue:app", "Serve a whole exchange to test any bot against.", _RUN),
    "paper-venue": Entry("run:paper_venue", "Serve the paper venue as its own process.", _RUN),
    "sweep": Entry("sweep:sweep", "Run many choices of a strategy's numbers.", _RESEARCH),
    "validate": Entry("research:validate", "Say whether a result means anything.", _RESEARCH),
    "report": Entry("research:report", "Show a saved report, or write its page.", _RESEARCH),
    "compare": Entry("research:compare", "Set strategies side by side.", _RESEARCH),
    "walkforward": Entry(
        "research:walkforward", "Choose on the past, trade what comes next.", _RESEARCH
    ),
    "montecarlo": Entry(
        "research:montecarlo", "Ask how else the same strategy could have gone.", _RESEARCH
    ),
    "lookahead": Entry(
        "lookahead:lookahead", "Check that a strategy never knew its future.", _RESEARCH
    ),
    "factor": Entry("factor:factor", "Measure how a column orders later returns.", _RESEARCH),
    "freeze": Entry("freeze:freeze", "Fix a strategy and start its forward clock.", _RESEARCH),
    "paper-gate": Entry(
        "promote:paper_gate", "Check what a paper run shows about operations.", _RESEARCH
    ),
    "promote": Entry("promote:app", "Take a strategy from paper to real money.", _RESEARCH),
    "trials": Entry("trials:app", "List, check and carry what was ever tried.", _RESEARCH),
    "status": Entry("operate:status", "Say what the trader in a home is doing.", _OPERATE),
    "halt": Entry("operate:halt", "Stop new trades; exits stay in place.", _OPERATE),
    "resume": Entry("operate:resume", "Allow new trades again.", _OPERATE),
    "doctor": Entry("doctor:doctor", "Check this machine and installation.", _PREPARE),
    "strategy": Entry("strategy:app", "List, show and validate strategies.", _PREPARE),
    "data": Entry("data:app", "Import, fetch, verify and list market data.", _PREPARE),
    "columns": Entry("columns:app", "List columns, and write their values to a file.", _PREPARE),
}
"""Every command by the name a person types."""
