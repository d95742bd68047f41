"""Engines that serve models and gateways before them: what they show, scrape by scrape, and the truth behind it.

As the rest of the simulator it imports nothing of the product: names of counters are written down here once more.
"""
