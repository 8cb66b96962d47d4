"""Random homes of many customers with few events each, by import and over HTTP, with erasure, against an oracle.

Yardstick: plain Python that shares no code with what it judges; every difference and every trace of the erased
is counted.

Histories are short on purpose: one to three events a customer, over many months, under odd ids, told twice, out of
order, in batches of any size. Faults that are silent on few large groups show themselves on many small ones.
"""
