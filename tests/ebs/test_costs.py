"""What everything costs is told in bands, by group and billing code, and what is assumed stands apart."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from matplotlib.patches import Rectangle

from snapkit import Sandbox
from snapkit.ebs import Estate, Region, Snapshot
from snapkit.ebs.costs import NOT_INCLUDED
from snapkit.ebs.pricing import find
from snapkit.ebs.storing import stored
from snapkit.errors import AccessDenied, AwsError, InvalidRequest
from snapkit.prices import Prices
from snapkit.rules import BLOCK
from snapkit.units import GIB
from tests.ebs.ground import ESCAPED, HOSTILE, OTHER, OWN, ZONE, Field

PER_GIB = GIB // BLOCK


@contextmanager
def denied(region: Region, *operations: str, service: str = "ec2") -> Iterator[None]:
    """Let operations be refused for a missing permission."""

    def deny(**_: Any) -> Any:
        refusal = {"Error": {"Code": "UnauthorizedOperation", "Message": "no"}, "ResponseMetadata": {}}
        return type("Refused", (), {"status_code": 403})(), refusal

    client = region.aws.client if service == "ec2" else region.service(service).client
    for operation in operations:
        client.meta.events.register(f"before-call.{service}.{operation}", deny)
    yield
    for operation in operations:
        client.meta.events.unregister(f"before-call.{service}.{operation}", deny)


def history(field: Field, count: int = 3, gib: int = 8, **options: Any) -> list[Snapshot]:
    """Take snapshots of a volume with 4 GiB of data, of which half a GiB is written anew before each."""
    volume = field.new_volume(gib, written=4 * PER_GIB, **options)
    taken = []
    for _ in range(count):
        field.sandbox.write(volume.id, 0, PER_GIB // 2)
        taken.append(volume.take_snapshot().wait())
        field.clock.advance("1h")
    return taken


def test_pain_11_incremental_cost_is_a_band_with_its_basis_and_measuring_narrows_it(field: Field) -> None:
    first, *_ = history(field, group="db", billing_code="CC-42")
    field.new_volume(8, group="db", billing_code="CC-42").take_snapshot()
    costs = field.region().costs()
    frame = costs.to_frame()
    assert list(frame.columns) == [
        "group", "billing_code", "what", "number", "usd_per_month_low", "usd_per_month_high", "basis",
    ]  # fmt: skip
    assert [tuple(row) for row in frame.round(4).itertuples(index=False)] == [
        ("db", "CC-42", "volumes", 2, 1.28, 1.28, "measured"),
        ("db", "CC-42", "snapshots", 3, 0.2, 0.6, "bounded"),
        ("db", "CC-42", "snapshots", 1, 0.0, 0.4, "assumed"),
    ]
    assert repr(costs) == "<$1.48 to $2.28 a month; $0.00 to $0.40 of it assumed; 3 rows>"
    assert costs.notes == (
        "1 snapshot, assumed: AWS does not tell its full size, so that of its volume stands for it",
        "prices are those of us-east-1, 2026-11",
        NOT_INCLUDED,
    )
    preview = costs.preview()
    assert (preview.lists, preview.known) == (2, True)
    assert preview.price_usd == pytest.approx(preview.requests * 0.0006 / 1000)
    measured = costs.measured()
    (row,) = measured.of(volume=first.volume_id, what="snapshots")
    # 4 GiB, and twice half a GiB.
    assert (row.low, row.high) == pytest.approx((5 * 0.05, 5 * 0.05))
    assert row.basis == "measured"
    assert repr(measured) == "<$1.53 to $1.93 a month; $0.00 to $0.40 of it assumed; 3 rows>"


def test_costs_are_added_up_by_whatever_is_asked_for(field: Field) -> None:
    history(field, 2, group="db", billing_code="CC-42")
    history(field, 1, group="web", billing_code="CC-42")
    field.new_volume(10)
    costs = field.region().costs()
    assert [(row.keys["billing_code"], row.count, row.basis) for row in costs.by("billing_code")] == [
        ("CC-42", 5, "bounded"), ("", 1, "measured"),
    ]  # fmt: skip
    assert {row.keys["account"] for row in costs.by("account", "region")} == {OWN}
    assert {row.keys["region"] for row in costs.by("account", "region")} == {"us-east-1"}
    assert len(costs.by("id", "what")) == 6
    assert len(costs.by()) == 1
    assert costs.by()[0].high == pytest.approx(costs.high)
    assert costs.of(group="web").low == pytest.approx(0.2 + 0.64)
    assert len(costs.of(group="nobody")) == 0


def test_an_unknown_key_is_refused_with_those_that_there_are(field: Field) -> None:
    costs = field.region().costs()
    words = r"key 'owner' is not known; use some of account, region, group"
    with pytest.raises(InvalidRequest, match=words):
        costs.by("owner")
    with pytest.raises(InvalidRequest, match=words):
        costs.of(owner="ada")


def test_what_users_wrote_is_escaped_in_the_table_and_literal_in_the_picture(field: Field) -> None:
    field.new_volume(group=HOSTILE, billing_code="$a_1$ \N{SNOWMAN}\N{PILE OF POO}")
    costs = field.region().costs()
    html = costs._repr_html_()
    assert HOSTILE not in html
    assert ESCAPED in html
    assert html.count("<p>") == 3
    picture = costs.plot()
    assert picture._repr_png_() == costs.plot()._repr_png_()
    (label,) = picture.axes[0].get_yticklabels()
    assert label.get_text().startswith(f"{HOSTILE}, $a_1$")
    assert not label.get_parse_math()


def test_the_picture_shows_bands_and_adds_up_what_is_left() -> None:
    with Sandbox() as sandbox:
        region = sandbox.region()
        for number in range(23):
            region.volumes.create(ZONE, f"{number + 1} GiB", group=f"group {number:02}")
        picture = region.costs().plot()
        labels = [each.get_text() for each in picture.axes[0].get_yticklabels()]
        assert len(labels) == 21
        assert labels[0] == "group 22, no billing code, volumes"
        assert labels[-1] == "3 more"
        widths = [bar.get_width() for bar in picture.axes[0].patches if isinstance(bar, Rectangle)]
        assert widths[0] == pytest.approx(23 * 0.08)
        assert widths[-2] == pytest.approx((1 + 2 + 3) * 0.08)


def test_an_empty_region_costs_nothing(field: Field) -> None:
    costs = field.region().costs()
    assert repr(costs) == "<$0.00 a month; 0 rows>"
    assert costs.notes == (NOT_INCLUDED,)
    assert costs.plot()._repr_png_()
    with pytest.raises(InvalidRequest, match=r"volumes 'all' have no two complete snapshots to compare"):
        costs.measured()


def test_only_the_volumes_that_are_asked_for_are_measured(field: Field) -> None:
    first, second = history(field, 3)[0], history(field, 3)[0]
    costs = field.region().costs()
    assert costs.preview([first.volume_id]).lists == 2
    one = costs.measured(first.volume_id)
    assert one.of(volume=second.volume_id).high == pytest.approx(0.6 + 0.64)
    assert one.of(volume=first.volume_id).high == pytest.approx(0.25 + 0.64)
    with pytest.raises(InvalidRequest, match="have no two complete snapshots to compare"):
        costs.preview(["vol-0123456789abcdef0"])


def test_a_sample_is_modelled_and_keeps_a_band_within_the_known_one() -> None:
    with Sandbox() as sandbox:
        region = sandbox.region()
        volume = region.volumes.create(ZONE, "100 GiB")
        sandbox.write(volume.id, 0, 60 * PER_GIB)
        sandbox.fill(volume.id, 1)
        sandbox.clock.advance("2h")
        for first in range(0, 60 * PER_GIB, 8):
            sandbox.write(volume.id, first, 3)
        last = volume.take_snapshot().wait()
        costs = region.costs()
        (row,) = costs.measured(sample=0.1).by("id", "what").of(id=last.id)
        assert row.basis == "modelled"
        assert 0 < row.low < 60 * 3 / 8 * 0.05 < row.high < 60 * 0.05
        assert "of it modelled" in repr(costs.measured(sample=0.1))


def test_what_cannot_be_compared_keeps_its_band_and_is_told(field: Field) -> None:
    history(field, 2)
    gone = history(field, 3)
    region = field.region()
    costs = region.costs()
    gone[1].delete()
    measured = costs.measured()
    assert measured.of(volume=gone[0].volume_id, what="snapshots").high == pytest.approx(0.6)
    assert any(note.startswith("2 of 3 snapshots could not be compared (ListChangedBlocks") for note in measured.notes)
    with denied(region, "ListChangedBlocks", service="ebs"), pytest.raises(AccessDenied):
        costs.measured()


def test_a_history_that_is_there_already_narrows_without_any_request(field: Field) -> None:
    first, _, last = history(field, 3)
    region = field.region()
    frame = region.volumes.get(first.volume_id).change_history()
    costs = region.costs().with_history(frame)
    assert costs.of(what="snapshots").low == pytest.approx(5 * 0.05)
    assert costs.of(what="snapshots").high == pytest.approx(5 * 0.05)
    modelled = region.costs().with_history(frame.assign(source="modelled"))
    assert {row.basis for row in modelled.of(id=last.id)} == {"modelled"}


def test_a_history_of_something_else_is_refused(field: Field) -> None:
    taken = history(field, 2)
    region = field.region()
    frame = region.volumes.get(taken[0].volume_id).change_history()
    with pytest.raises(InvalidRequest, match=r"history 'source' is missing; give volume\.change_history"):
        region.costs().with_history(frame.drop(columns="source"))
    taken[0].delete()
    with pytest.raises(InvalidRequest, match="history 1 has no two consecutive snapshots of these"):
        region.costs().with_history(frame)


def test_what_may_not_be_listed_is_missing_and_said(field: Field) -> None:
    history(field, 2)
    region = field.region()
    with denied(region, "DescribeVolumes", "DescribeFastSnapshotRestores"):
        costs = region.costs()
    assert list(costs.failed) == ["volumes", "fast snapshot restores"]
    assert {row.keys["what"] for row in costs} == {"snapshots"}
    assert costs.notes[0].startswith("volumes could not be read and are missing: DescribeVolumes was refused")
    with denied(region, "DescribeSnapshots"), pytest.raises(AccessDenied):
        region.costs()
    for operation in ("DescribeVolumes", "DescribeFastSnapshotRestores"):
        field.faults(operation, internal=9)
        with pytest.raises(AwsError, match=f"{operation} was refused"):
            region.costs()
        field.sandbox.faults.clear()


def test_where_volumes_are_unknown_so_is_what_they_were_made_from(field: Field) -> None:
    history(field, 1)
    history(field, 1)
    region = field.region()
    assert region.costs().of(what="snapshots").low == pytest.approx(0.4)
    with denied(region, "DescribeVolumes"):
        assert region.costs().of(what="snapshots").low == 0


def test_fast_restore_costs_by_zone_also_for_what_others_share(field: Field) -> None:
    (own,) = history(field, 1, group="db")
    (theirs,) = history(field, 1, region=field.region(account=1))
    theirs.share(field.accounts[0])
    own.enable_fast_restore(["us-east-1a", "us-east-1b"])
    field.region().snapshots.get(theirs.id).enable_fast_restore([ZONE])
    frame = field.region().costs().of(what="fast snapshot restore").by("id", "group").to_frame()
    assert [tuple(row)[:5] for row in frame.itertuples(index=False)] == [
        (own.id, "db", 2, pytest.approx(1080), pytest.approx(1080)), (theirs.id, "", 1, 540, 540),
    ]  # fmt: skip
    own.disable_fast_restore()
    assert field.region().costs().of(id=own.id, what="fast snapshot restore").high == 0


def test_volumes_cost_by_type_size_and_what_is_provisioned(field: Field) -> None:
    volumes = field.region().volumes
    made = {
        volumes.create(ZONE, "100 GiB", iops=4000, throughput=225).id: 8 + 5 + 4,
        volumes.create(ZONE, "100 GiB", volume_type="io2", iops=40_000).id: 12.5 + 32_000 * 0.065 + 8_000 * 0.0455,
        volumes.create(ZONE, "125 GiB", volume_type="sc1").id: 1.875,
    }
    frame = field.region().costs().by("id").to_frame().set_index("id")
    for volume_id, monthly in made.items():
        assert frame["usd_per_month_low"][volume_id] == frame["usd_per_month_high"][volume_id] == pytest.approx(monthly)


def test_a_type_without_a_price_is_left_out_and_named() -> None:
    with Sandbox() as sandbox:
        region = sandbox.region()
        made = region.volumes.create(ZONE, "1 GiB")

        def rename(parsed: dict[str, Any], **_: Any) -> None:
            for volume in parsed["Volumes"]:
                volume["VolumeType"] = "gp9"

        region.aws.client.meta.events.register("after-call.ec2.DescribeVolumes", rename)
        costs = region.costs()
        assert costs.high == 0
        assert costs.notes[0] == f"not included: {made.id}, of a type that has no price here"


def test_whose_prices_these_are_is_told_with_where_they_are_assumed(field: Field) -> None:
    region = field.region("eu-west-1")
    region.volumes.create("eu-west-1a", "1 GiB")
    assert "prices are those of us-east-1, 2026-11, assumed to hold in eu-west-1" in region.costs().notes
    region.prices = Prices(gp3_storage=0.088, region="eu-west-1", as_of="2026-12")
    assert "prices are those of eu-west-1, 2026-12" in region.costs().notes
    assert region.costs().high == pytest.approx(0.088)


def test_an_estate_costs_what_its_regions_cost_each_once(field: Field) -> None:
    history(field, 1)
    refused, other = field.region("eu-west-1"), field.region(account=1)
    other.volumes.create(ZONE, "10 GiB")
    estate = Estate([field.region(), field.region(), other, refused])
    with denied(refused, "DescribeSnapshots"), denied(other, "DescribeFastSnapshotRestores"):
        costs = estate.costs()
    assert list(costs.failed) == [f"fast snapshot restores of {OTHER} us-east-1", f"{OWN} eu-west-1"]
    assert costs.low == pytest.approx(0.2 + 0.64 + 0.8)
    assert [row.keys["account"] for row in costs.by("account", "what")] == [OTHER, OWN, OWN]


def test_what_is_shared_with_the_account_or_deleted_costs_it_nothing(field: Field) -> None:
    (theirs,) = history(field, 1, region=field.region(account=1))
    theirs.share(field.accounts[0])
    (own,) = history(field, 1)
    own.delete()
    assert {each.what for each in field.region().costs().things} == {"volumes"}


def test_ten_thousand_snapshots_take_a_call_for_each_thousand_and_few_more() -> None:
    with Sandbox() as sandbox:
        region = sandbox.region()
        volume = region.volumes.create(ZONE, "8 GiB")
        sandbox.fill(volume.id, 3)
        raws = [each.raw for each in region.snapshots.find()]
        many = [
            Snapshot(
                region,
                {
                    **raws[0], "SnapshotId": f"snap-{number:017x}", "VolumeId": f"vol-{number % 100:017x}",
                    "FullSnapshotSizeInBytes": number * BLOCK, "StartTime": raws[0]["StartTime"] + timedelta(number),
                },
            )
            for number in range(10_000)
        ]  # fmt: skip
        bounds = stored(many, None)
        assert len(bounds) == 10_000
        # Each of the hundred volumes grows by a hundred blocks from one to the next; what its first one shares is open.
        assert sum(each.low for each in bounds) == 100 * 99 * 100 * BLOCK
        asked: list[str] = []
        region.aws.client.meta.events.register("before-call.ec2", lambda model, **_: asked.append(model.name))
        region.costs()
        assert asked == ["DescribeSnapshots", "DescribeVolumes", "DescribeFastSnapshotRestores"]


def test_the_demo_costs_the_same_each_time() -> None:
    costs = Sandbox.demo().region().costs()
    assert repr(costs) == repr(find(Sandbox.demo().region()))
    assert repr(costs) == "<$79.30 to $294.50 a month; $0.00 to $1.00 of it assumed; 11 rows>"
