"""Who is in which arm, and what that changes. Assignment is a keyed hash: sticky, and foreseen by nobody.

It hangs on names: of the layer, the experiment and the arm. Where they stand in a list says nothing.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from math import log1p
from typing import TYPE_CHECKING

from decisions.draws import uniform
from decisions.layers import PARTS
from decisions.policy import Policy, overlaid
from decisions.records import Assignment

if TYPE_CHECKING:
    from decisions.policy_parts import Experiment
    from decisions.records import Keys


def assign(customer_id: str, experiment: Experiment, keys: Keys) -> Assignment:
    """Return the arm of a customer who takes part in the experiment.

    Each arm draws for itself, and the first by its weight wins (rendezvous hashing): an arm that comes or grows
    takes customers of the others, one that goes or shrinks gives its own away, and nobody else moves.
    """

    def wait(name: str, weight: float) -> float:
        return -log1p(-uniform(keys.assignment, "arm", experiment.experiment_id, name, customer_id)) / weight

    won = min(experiment.arms, key=lambda arm: (wait(arm.name, arm.weight), arm.name))
    return Assignment(experiment_id=experiment.experiment_id, arm=won.name)


def assignments(customer_id: str, policy: Policy, keys: Keys) -> tuple[Assignment, ...]:
    """Return the arms of one customer in all experiments of ``policy``, by name: at most one in each layer."""
    found = []
    for layer, parts in policy.layers.items():
        place = int(uniform(keys.assignment, "layer", layer, customer_id) * PARTS)
        found += [assign(customer_id, each, keys) for start, end, each in parts if start <= place < end]
    return tuple(sorted(found, key=lambda assignment: assignment.experiment_id))


def assignments_by_position(customer_id: str, policy: Policy, keys: Keys) -> tuple[Assignment, ...]:
    """Return the arms as they were drawn before they hung on names: for records of that time, which hold none."""
    found, taken = [], dict.fromkeys((experiment.in_layer for experiment in policy.experiments), 0.0)
    for experiment in policy.experiments:
        layer, start = experiment.in_layer, taken[experiment.in_layer]
        taken[layer] = start + experiment.share
        if start <= uniform(keys.assignment, "layer", layer, customer_id) < taken[layer]:
            weights = [arm.weight for arm in experiment.arms]
            at = uniform(keys.assignment, "arm", experiment.experiment_id, customer_id) * sum(weights)
            bounds = zip(experiment.arms, accumulate(weights), strict=True)
            name = next((arm.name for arm, bound in bounds if at < bound), experiment.arms[-1].name)
            found.append(Assignment(experiment_id=experiment.experiment_id, arm=name))
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
