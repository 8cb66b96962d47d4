"""Retail worlds whose truth is known: customers with latent traits, a delivery layer, and what really happened.

``world`` lives the days of a ``family``; ``people`` are who lives there, ``response`` the truth about a message,
``log`` what can be seen of it. Strategies play in the ``arena``, ``oracles`` mark the scale, ``score`` reads it.
``fit`` compares with public logs; ``households`` lays a world over real people.
"""
