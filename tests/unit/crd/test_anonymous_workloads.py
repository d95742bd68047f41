"""Which fields of an AIWorkload an anonymous bundle has."""

import json

import pytest

from aicost.adapters.bundle.anonymise import Anonymiser
from aicost.crd.models.aiworkload import AIWorkloadSpec

BILLED = {"targetRef", "selector", "model", "workloadType", "stage", "dimensions", "gpuSplit"}
OTHERS = sorted({field.alias or name for name, field in AIWorkloadSpec.model_fields.items()} - BILLED)


def test_there_are_fields_to_leave_out():
    assert {"success", "telemetry", "training", "unitMetric"} <= set(OTHERS)


@pytest.mark.parametrize("field", OTHERS)
def test_what_no_bill_rests_on_is_left_out_also_a_field_that_is_yet_to_come(field):
    body = {"kind": "AIWorkload", "metadata": {"name": "w", "namespace": "n"}, "spec": {field: {"query": "acme_total"}}}
    assert "acme_total" not in json.dumps(Anonymiser(b"k").body(body))
