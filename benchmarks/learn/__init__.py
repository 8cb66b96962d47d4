"""Does the loop learn? The randomised ratio, ten retrainings from a wrong start, and verdicts on nothing.

Yardstick: the nominal level and the smallest error possible; a start that was right; the 5% a verdict may be
wrong.

    python -m benchmarks.learn [--customers N] [--seeds K] [--nulls K] [--json]

Shops are counts: each customer has a rate of orders, an attention on each channel, and a number of extra orders
per message seen. Decisions hold with a known probability between 1% and 50%, the nearer a value is to nought the
likelier. Everything that learns is the product's own: the value model, the ratio, the verdict.

*Coverage*: extra orders come at a known multiple of what the value model predicts, and the ratio's 95% interval
should hold it. Its width is compared with the least that an unbiased estimate can have that knows everything but
the ratio and the level of orders without messages, which randomisation spares it from knowing (`width_over_best`);
and with one that knows everybody's rate of orders exactly as well, which no shop does (`width_over_omniscient`).

*Loop*: channels claim three times the orders they caused, or a third of them; after ten retrainings, what the
policy's sends are worth in truth, over the same from claims that were right. Beside it the same without the ratio,
and with a ratio that ignores with which probability each message was sent.

*Verdicts*: how often customers are said to be ranked who all gain alike, and how often where they differ as
stated.
"""
