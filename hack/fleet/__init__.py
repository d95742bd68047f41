"""The fleet simulator: one scripted truth, rendered as telemetry, as objects and as the true bill.

It shares no code with the product. A test that compares the two compares two independent readings of the rules.
"""
