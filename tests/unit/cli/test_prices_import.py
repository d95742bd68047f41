"""`aicost prices import`: tables as PriceBooks, and what is wrong with a table by line, column, value and fix."""

from pathlib import Path

import pytest
import yaml

from aicost.crd.convert.books import price_book

REAL = Path(__file__).resolve().parents[4] / "shared/data"


@pytest.fixture
def imported(run, tmp_path):
    def call(text, *options):
        path = tmp_path / "prices.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return run("prices", "import", str(path), *options)

    return call


def books(found):
    assert found.code == 0, found.err
    manifests = list(yaml.safe_load_all(found.out))
    for manifest in manifests:
        assert price_book(manifest).problems == ()
    return manifests


def entries(found):
    (book,) = books(found)
    return book["spec"]["entries"]


def test_a_line_is_an_entry_with_its_prices_as_decimal_text(imported):
    found = imported(
        "provider,region,instance_type,gpu_count,capacity_type,price_per_hour,currency,from,to,source,as_of\n"
        "aws,us-east-1,p5.48xlarge,8,on-demand,55.040000000000,usd,2026-01-01,2027-01-01,contract,2026-10-01\n",
        "--name", "mine",
    )  # fmt: skip
    (book,) = books(found)
    assert book["metadata"]["name"] == "mine"
    assert book["spec"]["currency"] == "USD"
    assert book["spec"]["entries"] == [
        {
            "name": "p5.48xlarge-us-east-1-on-demand",
            "match": {
                "provider": "aws",
                "region": "us-east-1",
                "instanceType": "p5.48xlarge",
                "capacityType": "on-demand",
            },
            "perNodeHour": "55.04",
            "from": "2026-01-01",
            "to": "2027-01-01",
            "source": "contract",
            "asOf": "2026-10-01",
            "gpuCount": 8,
        }
    ]
    assert "1 prices of 1 lines" in found.err


def test_semicolons_tabs_a_byte_order_mark_and_other_spellings_of_columns_are_read(imported):
    plain = "Instance Type;Price per GPU-hour;Currency\np5;2.5;USD\n"
    for text in (plain, plain.replace(";", "\t"), "\ufeff" + plain, plain.replace("\n", "\r\n"), "\n" + plain):
        assert entries(imported(text))[0]["perGpuHour"] == "2.5"


def test_a_price_of_spot_is_an_entry_of_its_own(imported):
    found = entries(imported("instance_type,price_per_hour,spot_price_per_hour,currency\np5,10,4,USD\nl4,,1,USD\n"))
    assert [(one["match"].get("capacityType"), one["perNodeHour"]) for one in found] == [
        (None, "10"), ("spot", "4"), ("spot", "1"),
    ]  # fmt: skip


def test_a_price_per_gpu_that_only_divides_that_of_the_node_is_left_out(imported):
    head = "instance_type,gpu_count,price_per_hour,price_per_gpu_hour,currency\n"
    (rounded,) = entries(imported(head + "a,3,10,3.333,USD\n"))
    assert "perGpuHour" not in rounded
    (both,) = entries(imported(head + "a,8,55,6,USD\n"))
    assert (both["perGpuHour"], both["perNodeHour"]) == ("6", "55")
    (part,) = entries(imported(head + "a,0.25,1,4,USD\n"))
    assert ("gpuCount" in part, "perGpuHour" in part, part["perNodeHour"]) == (False, False, "1")
    (gpus,) = entries(imported(head.replace("gpu_count", "gpu_count,price_kind") + "a,8,on-demand-gpu-only,16,2,USD\n"))
    assert ("perNodeHour" in gpus, gpus["perGpuHour"], gpus["match"]["capacityType"]) == (False, "2", "on-demand")


def test_the_memory_of_the_card_tells_models_apart(imported):
    head = "gpu_model,gpu_mem_gib,price_per_gpu_hour,currency\n"
    assert entries(imported(head + "A100,79.6,2,USD\n"))[0]["match"] == {"gpuModel": "a100-80gb"}
    assert entries(imported(head + "NVIDIA H100 80GB HBM3,,2,USD\n"))[0]["match"] == {"gpuModel": "h100-80gb"}
    unknown = imported(head + "A100,,2,USD\n")
    assert unknown.code == 2
    assert "line 2, column gpu_model: 'A100': is sold in several sizes: write a100-40gb or a100-80gb" in unknown.err
    named = imported(head.replace("gpu_model", "gpu_model,instance_type") + "A100,p4d,,2,USD\n")
    assert entries(named)[0]["match"] == {"instanceType": "p4d"}


def test_columns_of_labels_match_the_labels_of_nodes(imported):
    (entry,) = entries(imported("label:pool.example.org/Name,price_per_hour,currency\nlab,4,USD\n"))
    assert entry["match"] == {"nodeSelector": {"pool.example.org/Name": "lab"}}
    assert entry["name"] == "lab"


def test_each_currency_and_each_thousand_prices_have_a_book(imported):
    lines = [f"m{n},1,{'EUR' if n == 0 else 'USD'}" for n in range(1502)]
    found = books(imported("instance_type,price_per_hour,currency\n" + "\n".join(lines), "--name", "t"))
    assert [(book["metadata"]["name"], len(book["spec"]["entries"])) for book in found] == [
        ("t-eur", 1), ("t-usd-1", 1000), ("t-usd-2", 501),
    ]  # fmt: skip


def test_names_are_kept_apart(imported):
    rows = "".join(f"{'x' * 80},gcp,r{n},1,USD\n" for n in range(3))
    found = entries(imported("instance_type,provider,zone,price_per_hour,currency\n" + rows))
    names = [one["name"] for one in found]
    assert len(set(names)) == 3
    assert all(len(name) <= 63 for name in names)


def test_a_price_that_stands_there_twice_is_merged_and_two_prices_are_refused(imported):
    head = "instance_type,price_per_hour,currency\n"
    merged = imported(head + "p5,10,USD\np5,10.0,USD\n")
    assert len(entries(merged)) == 1
    assert "note: 1 prices that stand there again were merged" in merged.err
    torn = imported(head + "p5,10,USD\np5,11,USD\n")
    assert torn.code == 2
    assert torn.out == ""
    assert "line 3, column price_per_hour: '11': another price than line 2 gives for the same nodes (p5)" in torn.err


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("p5,-1,USD", "line 2, column price_per_hour: '-1': write a decimal above zero"),
        ("p5,0.000,USD", "column price_per_hour: '0.000': must be above zero"),
        ("p5,NaN,USD", "column price_per_hour: 'NaN': write a decimal above zero"),
        ("p5,1e3,USD", "column price_per_hour: '1e3': write a decimal above zero"),
        ("p5,$2.49,USD", "column price_per_hour: '$2.49': write the number alone"),
        ("p5,2.49 EUR,USD", "column price_per_hour: '2.49 EUR': write the number alone"),
        ('p5,"1,234.50",USD', "column price_per_hour: '1,234.50': write a point before the decimals"),
        ("p5,0.1234567891,USD", "column price_per_hour: '0.1234567891': has more than 9 decimals"),
        ("p5,12345678901,USD", "has more than 9 digits before the point: check the unit, prices are per hour"),
        ("p5,=1+1,USD", "column price_per_hour: '=1+1': write a decimal"),
        ("p5,\u0661,USD", "column price_per_hour: '\u0661'"),
        ("p5,1,dollars", "column currency: 'dollars': write an ISO 4217 code"),
        ("p5,1,", "line 2, column currency: '': no currency: fill the column currency, or give --currency"),
        ("p5,,USD", "line 2: has no price: fill price_per_node_hour or price_per_gpu_hour"),
        (",1,USD", "line 2: names no nodes: fill instance_type, gpu_model"),
        ("p5,1,USD,extra", "line 2: 4 cells for 3 columns: quote a cell that holds the separator"),
    ],
)
def test_a_cell_that_is_wrong_is_told_by_line_column_value_and_fix(imported, cells, said):
    found = imported(f"instance_type,price_per_hour,currency\n{cells}\nok,1,USD\n")
    assert (found.code, found.out) == (2, "")
    assert said in found.err


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("gpu_count", "0", "write a whole number from 1 to 1024"),
        ("gpu_count", "2.5", "write a whole number from 1 to 1024"),
        ("capacity_type", "stolen", "write on-demand, spot or reserved"),
        ("from", "01.02.2026", "write a day such as 2026-01-31"),
        ("from", "2026-02-30", "write a day such as 2026-01-31"),
        ("list_price", "maybe", "write true or false"),
        ("priority", "high", "write a whole number from -1000 to 1000"),
        ("priority", "5000", "less than or equal to 1000"),
        ("split", "evenly", "'residual', 'ratio' or 'gpuShare'"),
        ("gpu_share", "0.5", "gpuShare goes with split: gpuShare"),
        ("label:a b", "x", "names no label"),
    ],
)
def test_other_columns_are_held_against_their_rules(imported, column, cell, said):
    found = imported(f"instance_type,price_per_hour,currency,{column}\np5,1,USD,{cell}\n")
    assert (found.code, found.out) == (2, "")
    assert "line 2" in found.err
    assert said in found.err


def test_a_column_that_is_not_known_is_no_price_that_is_lost(imported):
    text = "instance_type,price_per_hour,prise_per_gpu_hour,currency\np5,1,2,USD\n"
    found = imported(text)
    assert found.code == 2
    assert "did you mean price_per_gpu_hour? To pass over it: --ignore 'prise_per_gpu_hour'" in found.err
    assert len(entries(imported(text, "--ignore", "prise_per_gpu_hour"))) == 1


def test_many_mistakes_are_told_in_the_order_of_lines_and_not_without_end(imported):
    found = imported("instance_type,price_per_hour,currency\n" + "p5,-1,USD\n" * 50)
    assert found.err.count("write a decimal above zero") == 20
    assert "and 30 more" in found.err


OPENCOST = "EndTimestamp,InstanceID,Region,AssetClass,InstanceIDField,InstanceType,MarketPriceHourly,Version\n"


def test_a_table_of_opencost_is_read_with_a_currency(imported):
    text = OPENCOST + (
        "2019-04-17 23:34:22 UTC,node-a,,node,metadata.name,,0.1337,\n"
        "2019-04-17 23:34:22 UTC,gold,eu,node,metadata.labels.pool,,1.5,\n"
        "2019-04-17 23:34:22 UTC,L4,,gpu,gpu.nvidia.com/class,,0.80,\n"
        "2019-04-17 23:34:22 UTC,/x/y,eastus2,node,spec.providerID,Standard_F32s_v2,2,\n"
    )
    assert "such a table names no currency: give --currency" in imported(text).err
    found = entries(imported(text, "--currency", "EUR"))
    assert [(one["match"], one.get("perNodeHour"), one.get("perGpuHour")) for one in found] == [
        ({"nodeSelector": {"kubernetes.io/hostname": "node-a"}}, "0.1337", None),
        ({"nodeSelector": {"pool": "gold"}, "region": "eu"}, "1.5", None),
        ({"nodeSelector": {"gpu.nvidia.com/class": "L4"}}, None, "0.8"),
        ({"instanceType": "Standard_F32s_v2", "region": "eastus2"}, "2", None),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x,/a/b,,node,spec.providerID,,2,", "column InstanceIDField: 'spec.providerID': nodes are matched by"),
        ("x,d,,pv,metadata.name,,2,", "column AssetClass: 'pv': only node and gpu have prices here"),
        ("x,d,,node,metadata.name,,-2,", "column MarketPriceHourly: '-2'"),
        ("x,d,,node,metadata.labels.<http://a|a>,,2,", "names no label"),
    ],
)
def test_a_line_of_opencost_that_cannot_be_read_is_told(imported, line, said):
    found = imported(OPENCOST + line + "\n", "--currency", "USD")
    assert found.code == 2
    assert said in found.err


FOCUS = (
    "ProviderName,RegionId,BillingCurrency,ChargeCategory,ChargeClass,PricingCategory,PricingUnit,ListUnitPrice,"
    "ContractedUnitPrice,ChargeDescription,ChargePeriodStart,SkuPriceDetails\n"
)


def focus(price, start="2026-09-01 00:00:00", listed="98.32", unit="Hours", category="Usage", machine="p5.48xlarge"):
    details = '"{""InstanceType"": ""' + machine + '""}"' if machine else ""
    return f"AWS,us-east-1,USD,{category},NULL,Standard,{unit},{listed},{price},x,{start},{details}\n"


def test_a_bill_gives_what_was_contracted_per_hour(imported):
    text = (
        FOCUS + focus("55.0400000000") * 3 + focus("1", unit="GB") + focus("1", category="Tax") + focus("1", machine="")
    )
    found = imported(text)
    assert entries(found) == [
        {
            "name": "p5.48xlarge-us-east-1-on-demand",
            "match": {
                "instanceType": "p5.48xlarge",
                "region": "us-east-1",
                "provider": "aws",
                "capacityType": "on-demand",
            },
            "perNodeHour": "55.04",
        }
    ]
    assert "note: 3 rows of the bill are no hourly price of a named machine" in found.err


def test_a_bill_without_a_contracted_price_gives_list_prices_marked_as_such(imported):
    (entry,) = entries(imported(FOCUS + focus("0.00000")))
    assert (entry["perNodeHour"], entry["listPrice"]) == ("98.32", True)


def test_a_price_that_changes_in_a_bill_holds_from_the_first_charge_at_it(imported):
    text = FOCUS + focus("50", "2026-09-10 05:00:00") + focus("60") + focus("50", "2026-09-10 06:00:00")
    found = entries(imported(text))
    assert [(one["perNodeHour"], one.get("from"), one.get("to")) for one in found] == [
        ("60", None, "2026-09-10T05:00:00Z"), ("50", "2026-09-10T05:00:00Z", None),
    ]  # fmt: skip


def test_a_bill_of_no_machine_is_told_as_such(imported):
    found = imported(FOCUS + focus("1", machine=""))
    assert found.code == 2
    assert "no price is in it: 1 rows of the bill are no hourly price of a named machine" in found.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--name", "My Book"), "--name 'My Book': write lower-case letters"),
        (("--currency", "dollars"), "--currency 'dollars': write an ISO 4217 code"),
        (("--as-of", "today"), "--as-of 'today': write a day"),
        (("--format", "focus"), "the columns are not those of the format focus"),
    ],
)
def test_an_option_that_makes_no_sense_is_told(imported, options, said):
    found = imported("instance_type,price_per_hour,currency\np5,1,USD\n", *options)
    assert found.code == 2
    assert said in found.err


def test_a_file_that_is_not_there_is_told(run):
    found = run("prices", "import", "/nowhere/prices.csv")
    assert found.code == 2
    assert "/nowhere/prices.csv: cannot be read: No such file" in found.err


@pytest.mark.skipif(not REAL.is_dir(), reason="real price tables are not here")
def test_real_tables_are_imported_whole(run):
    found = run("prices", "import", str(REAL / "prices/gpu_price_book.csv"), "--list-prices")
    priced = [entry for book in books(found) for entry in book["spec"]["entries"]]
    assert len(priced) > 1600
    bill = run("prices", "import", str(REAL / "focus-sample/focus_sample_1.0.csv"))
    assert {one["match"]["instanceType"] for one in entries(bill)} >= {"c5.2xlarge"}
