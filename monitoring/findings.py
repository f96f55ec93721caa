"""What an experiment has shown, in sentences for those who own the product."""

from monitoring.arm import Arm
from monitoring.assessment import Assessment, Decision, Seen
from monitoring.experiment import Experiment, Mode
from monitoring.sequential import Evidence


def findings(found: Assessment) -> list[str]:
    """Who is compared, what was seen of each, how they differ, and what to do."""
    running = found.experiment
    end = [f"Ended {running.stopped_at:%F %H:%M} UTC: {running.result}."] if running.stopped_at else []
    if running.mode is Mode.SHADOW:
        return [_head(running), *(_seen(name, arm) for name, arm in found.arms.items()), _agreement(found), *end]
    said = found.evidence
    assert said is not None
    warning = [] if found.is_balanced else [_imbalance(found)]
    warning += [_one_sided(found)] if found.is_one_sided else []
    seen = [_seen(name, arm) for name, arm in found.arms.items()]
    return [_head(running), *seen, _difference(running, said), *warning, _advice(found), *end]


def _head(running: Experiment) -> str:
    does = f"answers {running.share:.0%} of those who ask, beside champion version {running.champion}"
    if running.mode is Mode.SHADOW:
        does = f"scores along with champion version {running.champion}, for {running.share:.0%}; nobody sees its scores"
    return f"{running.product}: version {running.challenger} {does}. Since {running.started_at:%F %H:%M} UTC."


def _seen(name: Arm, arm: Seen) -> str:
    if not arm.answers:
        return f"  {name}, version {arm.version}: no answers yet."
    median, slow = arm.milliseconds or (0.0, 0.0)
    scoring = " to score" if name is Arm.SHADOW else ""
    answers = f"{arm.answers} answers to {arm.units} units, {arm.fallback or 0:.1%} of them by the rule"
    judged = "" if arm.reward is None else f"; {arm.judged} judged, mean reward {arm.reward:.3f}"
    return f"  {name}, version {arm.version}: {answers}, {median:.1f} ms{scoring} (95%: {slow:.1f}){judged}."


def _difference(running: Experiment, said: Evidence) -> str:
    if said.difference is None:
        return "Difference: not known before both have been judged."
    if said.low > said.high:
        return f"Difference: {_points(said.difference)} over all; it was not the same all along."
    between = f"at {1 - running.alpha:.0%} confidence between {_points(said.low)} and {_points(said.high)}"
    return f"Difference, challenger minus champion: {_points(said.difference)}, {between}, however often one looks."


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f} points"


def _imbalance(found: Assessment) -> str:
    ours, theirs, share = found.arms[Arm.CHALLENGER].judged, found.arms[Arm.CHAMPION].judged, found.experiment.share
    return (
        f"Careful: {ours} of {ours + theirs} judged units are the challenger's, {share:.0%} were to be. "
        "One arm's units answer more often, or the split is broken: the difference is not to be trusted."
    )


def _one_sided(found: Assessment) -> str:
    return f"Careful: one subject judged {found.largest_share:.0%} of the units; no decision rests upon one voice."


def _advice(found: Assessment) -> str:
    running, since = found.experiment, found.decided_at
    if found.decision is Decision.OPEN:
        return "Undecided. Recommended: let it run; the interval narrows with each unit."
    if found.decision is Decision.WORSE:
        stop = f"`talentml experiment stop {running.product}`"
        return f"The champion is better, known since {since:%F}. Recommended: {stop}."
    promote = f"`talentml promote {running.product} --version {running.challenger}`"
    return f"The challenger is better, known since {since:%F}. Recommended: {promote}; the gate has the last word."


def _agreement(found: Assessment) -> str:
    same = found.agreement
    if same is None or same.same_first is None or same.distance is None:
        return "Agreement: not known before something was scored along."
    return f"Agreement: {same.same_first:.0%} rank the same first, scores are {same.distance:.3g} apart on average."
