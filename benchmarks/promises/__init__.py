"""The promises P1–P8 under load, kills and faults, counted; and what they cost beside the bare driver.

Yardstick: the bare database driver doing the same writes; and an independent recount, which finds nothing broken.
"""
