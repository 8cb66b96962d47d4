"""What is known of people is stated as of the first day of history, whenever it is asked for."""

from simulation.facts import consents, customers
from simulation.families import FAMILIES
from simulation.world import World


def test_facts_are_the_same_before_and_after_the_history():
    world = World.of(FAMILIES["regime_change"], customers=30, seed=1, history=5)
    people, given = customers(world), consents(world)
    list(world.past())
    assert world.today == 0
    assert customers(world).equals(people)
    assert consents(world).equals(given)
    assert given["at"][0].as_py() == world.calendar.moment(-5)
