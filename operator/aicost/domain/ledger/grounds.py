"""What an amount of the past rests on where nobody watched the cluster: flags of rows, and what they mean to people."""

from enum import StrEnum


class Ground(StrEnum):
    """A flag of a row that a backfill posted."""

    BACKFILL = "backfill"
    KSM = "ksm"
    CADVISOR = "cadvisor"
    LIFETIME_FROM_SAMPLES = "lifetime-from-samples"
    DEVICE_FROM_SAMPLES = "device-from-samples"
    NODE_FROM_SAMPLES = "node-from-samples"
    NO_LABELS = "no-labels"
    COARSE_SAMPLES = "coarse-samples"


MEANINGS: dict[Ground, str] = {
    Ground.BACKFILL: "computed from a Prometheus after the fact: nobody watched the cluster",
    Ground.KSM: "the pod and its times are those that kube-state-metrics showed",
    Ground.CADVISOR: "the pod was seen in the kubelet's series alone: no requests, no owners, no times of its own",
    Ground.LIFETIME_FROM_SAMPLES: "begin or end of the holding is that of samples, within one scrape or a minute",
    Ground.DEVICE_FROM_SAMPLES: "that the pod held a device is known from the exporter's labels, not from its requests",
    Ground.NODE_FROM_SAMPLES: "the node, its GPUs and its life are those that GPU samples show",
    Ground.NO_LABELS: "no label of the pod was kept: its dimensions come from weaker sources or from nowhere",
    Ground.COARSE_SAMPLES: "samples stand much further apart than they were scraped: down-sampled",
}
"""What each flag says."""
