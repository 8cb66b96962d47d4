"""Is Kairos worth more than its rivals in worlds whose truth is known?

Terms are the same for all but for what follows. Kairos is its value model, which plays a world from the log alone
in seconds; the whole product plays some of the same worlds beside it (`--loop-seeds`). Its features are rebuilt
every 10 days, when its values are counted anew, and all its models are trained every 30, while rivals read every
day's log. Its twin, with which swapped axes are
compared (`--swaps`), is fed with what Kairos's own models said in the real loop, and neither explores nor holds
back.

Yardstick: the exact posterior and the planning oracle above, silence and static rules below, rivals between.
"""
