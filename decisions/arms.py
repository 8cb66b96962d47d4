"""Who is in which arm, and what that changes. Assignment is a keyed hash: sticky, and foreseen by nobody."""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from decisions.draws import uniform
from decisions.policy import Policy, overlaid
from decisions.records import Assignment

if TYPE_CHECKING:
    from decisions.policy_parts import Experiment
    from decisions.records import Keys


def assign(customer_id: str, experiment: Experiment, keys: Keys, *, start: float = 0.0) -> Assignment | None:
    """Return the customer's arm; None for one outside the experiment's share.

    ``start`` is where the experiment's share begins in its layer (:func:`assignments` fills the layers).
    """
    place = uniform(keys.assignment, "layer", experiment.in_layer, customer_id)
    if not start <= place < start + experiment.share:
        return None
    weights = [arm.weight for arm in experiment.arms]
    at = uniform(keys.assignment, "arm", experiment.experiment_id, customer_id) * sum(weights)
    bounds = accumulate(weights)
    name = next((arm.name for arm, bound in zip(experiment.arms, bounds, strict=True) if at < bound), None)
    return Assignment(experiment_id=experiment.experiment_id, arm=name or experiment.arms[-1].name)


def assignments(customer_id: str, policy: Policy, keys: Keys) -> tuple[Assignment, ...]:
    """Return the arms of one customer in all experiments of ``policy``: at most one in each layer."""
    found, taken = [], dict.fromkeys((experiment.in_layer for experiment in policy.experiments), 0.0)
    for experiment in policy.experiments:
        start = taken[experiment.in_layer]
        taken[experiment.in_layer] = start + experiment.share
        if assignment := assign(customer_id, experiment, keys, start=start):
            found.append(assignment)
    return tuple(found)


@lru_cache(maxsize=256)
def policy_for(policy: Policy, arms: tuple[Assignment, ...]) -> Policy:
    """Return ``policy`` as the arms change it, in the order in which the policy lists its experiments.

    Raises:
        ValueError: where two overlays, each valid alone, give no policy together.
    """
    chosen = {(each.experiment_id, each.arm) for each in arms}
    result = policy
    for experiment in policy.experiments:
        for arm in experiment.arms:
            if (experiment.experiment_id, arm.name) in chosen and arm.policy:
                result = overlaid(result, arm.policy)
    return result


def in_holdout(customer_id: str, policy: Policy, keys: Keys) -> bool:
    """Return whether the customer belongs to the share that never gets marketing."""
    return uniform(keys.assignment, "holdout", customer_id) < policy.holdout_share
