"""Randomised evidence, whatever its source: the ledger's own draws and imported trials, as one kind of sample.

A draw says of one message to one customer whether it was sent or held, and with which probability. What came of
it is all orders from then on, over the same window in both arms, whether or not anything names the message.
"""
