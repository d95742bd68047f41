"""What gives away credentials of the machine is recognised however it is written."""

import pytest

from aicost.adapters.notify.hosts import is_forbidden


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.169.254.",
        "0xa9fea9fe",
        "2852039166",
        "0251.0376.0251.0376",
        "169.254.43518",
        "::ffff:169.254.169.254",
        "[::ffff:a9fe:a9fe]",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "[FD00:EC2::23]",
        "100.100.100.200",
        "168.63.129.16",
        "metadata",
        "metadata.google.internal",
        "Metadata.Google.Internal.",
        "\uff11\uff16\uff19.254.169.254",
    ],
)
def test_addresses_of_metadata_are_forbidden(host):
    assert is_forbidden(host)


@pytest.mark.parametrize(
    "host", ["hooks.slack.com", "10.0.0.7", "127.0.0.1", "::1", "fd00::1", "metadata.example.com", "", "T1JJ3T3L2", "é"]
)
def test_others_are_not(host):
    assert not is_forbidden(host)
