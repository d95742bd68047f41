"""The fleet simulator: one scripted truth, rendered as telemetry, as objects and as the true bill.

It shares no code with the product. A test that compares the two compares two independent readings of the rules.

| part | what it is |
|---|---|
| `script`, `activity`, `spec`, `models` | who runs where, when, doing what, on which GPU, at which price |
| `sharing.terms`, `sharing.mig` | which part of a GPU a pod holds: replicas, MIG instances, fractions, claims |
| `faults` | what goes wrong with an exporter or a GPU |
| `exporter`, `series`, `server` | dcgm-exporter in its dialects, the node agent, HAMi's exporter |
| `kubernetes`, `sharing.nodes`, `.pods`, `.claims`, `.reservations` | the objects that the API server has |
| `truth`, `sharing.split`, `sharing.sight` | what the bill should say, and what could be known of it |
| `serving` | engines that serve models, gateways before them, their counters and their own truth |
| `demo`, `sharing.scenario` | two fleets: `python -m fleet serve --scenario shared` |
| `live` | the script of a real API server's pods; it hands out whole GPUs alone |
"""
