"""Is Kairos worth more than its rivals in worlds whose truth is known?

Terms are the same for all but for what follows. Kairos is its value model, which plays a world from the log alone
in seconds; the whole product plays some of the same worlds beside it (`--loop-seeds`). Its features are rebuilt
every 15 days and its models every 30, while rivals read every day's log. Its twin, with which swapped axes are
compared (`--swaps`), is fed with what Kairos's own models said in the real loop, and neither explores nor holds
back.

The figures that are kept (`docs/benchmarks/world.json`) are older than that: of the product in its loop, before it
learned values from counts. They say nothing of how it plays now.

Yardstick: the exact posterior and the planning oracle above, silence and static rules below, rivals between.
"""
