"""What a message is worth to whom, learned from what messages did: counts, no rows, no model library.

*Seen*, *clicked* and *ordered* are three things on every channel. Whether a message is seen is inferred where a
channel shows no opens; what a message that is seen adds is the orders attributed to it less those that would have
come anyway. Everything is shrunk: people towards everybody, offers towards their mean, channels towards what is
declared. How often to write follows from the gain and from what fatigue costs, not from a cap.

Arrays run over (people, channels, offers), in an order the caller fixes.
"""
