"""`make demo`: the whole loop on this machine, from a simulated GPU to `kubectl get aicostreport`, with its proof."""
