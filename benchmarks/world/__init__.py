"""Is Kairos worth more than its rivals in worlds whose truth is known?

Yardstick: the planning oracle above, the better of silence and the best static policy below, the rivals between.
"""
