"""Is Kairos worth more than its rivals in worlds whose truth is known?

Terms are the same for all but for what follows. Kairos's features are rebuilt every 15 days and its models
every 30, while rivals read every day's log. Its twin, with which swapped axes are compared, is fed with what
Kairos's own models said in the real loop, and neither explores nor holds back.

Yardstick: the planning oracle above, the better of silence and the best static policy below, the rivals between.
"""
