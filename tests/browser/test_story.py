"""What a user clicks from the first look to the last, in both places, with a look at AWS after each step."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from snapkit import Sandbox
from snapkit.sandbox.demo import AUDIT, PRODUCTION, STAGING, US
from tests.browser.conftest import Host, Person

HOSTILE = '<img src="x" onerror="window.caught = 1">'
WAIT = 60_000
"""How long a snapshot may take [ms]: less than half an hour of the sandbox."""


class Aws:
    """What AWS says, whatever a page may show."""

    def __init__(self, sandbox: Sandbox, account: str = PRODUCTION) -> None:
        self.ec2: Any = sandbox.client("ec2", US, account)

    def snapshots(self, name: str) -> list[dict[str, Any]]:
        """List those of a name, newest first."""
        found = self.ec2.describe_snapshots(OwnerIds=["self"], Filters=[{"Name": "tag:Name", "Values": [name]}])
        return sorted(found["Snapshots"], key=lambda each: each["StartTime"], reverse=True)

    def volumes(self, name: str) -> list[dict[str, Any]]:
        """List those of a name."""
        return list(self.ec2.describe_volumes(Filters=[{"Name": "tag:Name", "Values": [name]}])["Volumes"])

    def server(self, name: str) -> str:
        """Tell the id of a server."""
        (found,) = self.ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": [name]}])["Reservations"]
        return str(found["Instances"][0]["InstanceId"])

    def shares(self, snapshot_id: str) -> set[str]:
        """Tell with whom a snapshot is shared."""
        answer = self.ec2.describe_snapshot_attribute(SnapshotId=snapshot_id, Attribute="createVolumePermission")
        return {each.get("UserId") or each["Group"] for each in answer["CreateVolumePermissions"]}


@pytest.fixture
def aws(sandbox: Sandbox) -> Aws:
    return Aws(sandbox)


def test_the_whole_story(host: Host, aws: Aws, sandbox: Sandbox, person: Person) -> None:
    filter_and_select(host, aws)
    volume = create_a_volume(host, aws)
    attach_it(host, aws, volume)
    share_privately(host, aws, sandbox)
    share_publicly(host, aws, person)
    take_a_snapshot(host, aws)
    delete_what_an_image_holds(host, aws)


def filter_and_select(host: Host, aws: Aws) -> None:
    rows = host.find("db-1 data, daily")
    expect(rows).to_have_count(len(aws.snapshots("db-1 data, daily")))
    rows.nth(0).get_by_role("checkbox").check()
    rows.nth(1).get_by_role("checkbox").check()
    expect(host.root.get_by_text("2 selected").locator("visible=true")).to_be_visible()
    host.button("Clear selection").click()
    expect(host.root.get_by_text("0 selected").locator("visible=true")).to_be_visible()
    host.keep("1-filtered")


def create_a_volume(host: Host, aws: Aws) -> str:
    name, before = f"clone in {host.name}", len(aws.ec2.describe_volumes()["Volumes"])
    source = aws.snapshots("db-1 data, daily")[0]["SnapshotId"]
    host.choose(source)
    host.button("Create volume").click()
    host.field("Name").fill(name)
    host.field("Zone").select_option("us-east-1a")
    expect(host.field("Size (GiB)")).to_have_value("200")
    host.field("Size (GiB)").fill("100")
    expect(host.problem("Size (GiB)")).to_contain_text("200 GiB")
    host.button("Create volume", of_form=True).click()
    expect(host.form.get_by_role("alert")).to_contain_text("Not submitted: see Size")
    host.keep("2-too-small")
    assert len(aws.ec2.describe_volumes()["Volumes"]) == before
    host.field("Size (GiB)").fill("250")
    expect(host.problem("Size (GiB)")).to_have_count(0)
    host.button("Create volume", of_form=True).click()
    expect(host.form.locator(".snapkit-good")).to_contain_text("vol-")
    host.keep("3-created")
    (made,) = aws.volumes(name)
    assert (made["Size"], made["SnapshotId"], made["AvailabilityZone"]) == (250, source, "us-east-1a")
    host.tab("Volumes")
    expect(host.find(name)).to_have_count(1)
    host.keep("4-listed")
    return name


def attach_it(host: Host, aws: Aws, name: str) -> None:
    server = aws.server("db-1")
    host.choose(name)
    host.button("Attach").click()
    option = host.field("Server").locator("option", has_text=server).inner_text()
    host.field("Server").select_option(label=option)
    expect(host.field("Device")).to_have_attribute("placeholder", re.compile("/dev/"))
    device = host.field("Device").get_attribute("placeholder")
    host.button("Attach volume", of_form=True).click()
    expect(host.form.locator(".snapkit-good")).to_contain_text("vol-")
    (volume,) = aws.volumes(name)
    assert [(each["InstanceId"], each["Device"]) for each in volume["Attachments"]] == [(server, device)]
    expect(host.root.get_by_text(f"to {server} as {device}")).to_be_visible()
    host.keep("5-attached")


def share_privately(host: Host, aws: Aws, sandbox: Sandbox) -> None:
    host.tab("Snapshots")
    snapshot = aws.snapshots("db-1 data, daily")[1 if host.name == "voila" else 2]["SnapshotId"]
    host.choose(snapshot)
    host.button("Sharing").click()
    host.form.get_by_role("checkbox", name=re.compile(STAGING)).check()
    expect(host.form.get_by_text(f"Shared with {STAGING} for good.")).to_be_visible()
    host.keep("6-sharing")
    host.button("Save sharing preferences", of_form=True).click()
    expect(host.form.locator(".snapkit-good")).to_contain_text(f"is shared with {STAGING}")
    assert aws.shares(snapshot) == {STAGING}
    host.field("Account").select_option(label=f"staging {STAGING}")
    row = host.find(snapshot)
    expect(row).to_have_count(1)
    expect(row).to_contain_text(PRODUCTION)
    host.keep("7-in-the-other-account")
    restorable = Aws(sandbox, STAGING).ec2.describe_snapshots(RestorableByUserIds=["self"], OwnerIds=[PRODUCTION])
    assert snapshot in {each["SnapshotId"] for each in restorable["Snapshots"]}
    host.field("Account").select_option(label=f"audit {AUDIT}")
    expect(host.root.get_by_text("Nothing matches the filter.")).to_be_visible()
    host.field("Account").select_option(label="all")
    expect(row).to_have_count(1)


def share_publicly(host: Host, aws: Aws, person: Person) -> None:
    snapshot = aws.snapshots("web-1 root, weekly")[0 if host.name == "voila" else 1]["SnapshotId"]
    host.choose(snapshot)
    host.button("Sharing").click()
    expect(host.form.get_by_text("Public is not offered")).to_contain_text("Snapshot: SharePublic")
    assert host.field("Share type").locator("option").all_inner_texts() == ["Private"]
    host.keep("8-without-the-right")
    assert aws.shares(snapshot) == set()
    person.become("ben", "publisher")
    host.open()
    host.choose(snapshot)
    host.button("Sharing").click()
    host.field("Share type").select_option(label="Public")
    expect(host.form.get_by_text("Everyone in AWS can then make volumes of it")).to_be_visible()
    host.field("Confirmation").fill("yes")
    host.button("Save sharing preferences", of_form=True).click()
    expect(host.problem("Confirmation")).to_contain_text("type the id of the snapshot")
    host.keep("9-not-confirmed")
    assert aws.shares(snapshot) == set()
    host.field("Confirmation").fill(snapshot)
    host.button("Save sharing preferences", of_form=True).click()
    expect(host.form.locator(".snapkit-good")).to_contain_text("is shared with everyone")
    assert aws.shares(snapshot) == {"all"}
    secret = aws.snapshots("pay-1 ledger, daily")[0]["SnapshotId"]
    host.choose(secret)
    host.button("Sharing").click()
    host.field("Share type").select_option(label="Public")
    host.field("Confirmation").fill(secret)
    host.button("Save sharing preferences", of_form=True).click()
    expect(host.problem("Share type")).to_contain_text("encrypted")
    host.keep("10-encrypted")
    assert aws.shares(secret) == set()
    person.become("ann", "operator")
    host.open()


def take_a_snapshot(host: Host, aws: Aws) -> None:
    name = f"taken in {host.name}"
    host.tab("Volumes")
    host.choose("db-1 data")
    host.button("Make snapshot").click()
    host.field("Name").fill(name)
    host.button("Make snapshot", of_form=True).click()
    expect(host.form.get_by_text(re.compile("snap-.*pending"))).to_be_visible()
    (taken,) = aws.snapshots(name)
    host.tab("Snapshots")
    row = host.find(name)
    bar = row.locator("progress")
    seen = int(bar.get_attribute("value") or 0)
    host.keep("11-in-progress")
    expect(bar).not_to_have_attribute("value", str(seen), timeout=WAIT)
    expect(row.locator("td").last).to_have_text("completed", timeout=WAIT)
    host.keep("12-completed")
    assert [each["State"] for each in aws.snapshots(name)] == ["completed"]
    assert aws.snapshots(name)[0]["SnapshotId"] == taken["SnapshotId"]


def delete_what_an_image_holds(host: Host, aws: Aws) -> None:
    (image,) = aws.ec2.describe_images(Owners=["self"])["Images"]
    held = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    host.choose(held)
    host.button("Delete").click()
    expect(host.form.get_by_text(f"{held} stays: the image {image['ImageId']} stands on it")).to_be_visible()
    expect(host.button("Delete snapshot", of_form=True)).to_be_disabled()
    host.keep("13-held-by-an-image")
    assert aws.ec2.describe_snapshots(SnapshotIds=[held])["Snapshots"][0]["State"] == "completed"


def test_markup_is_shown_as_it_is(host: Host, aws: Aws) -> None:
    source = aws.snapshots("db-2 data, weekly")[0]["VolumeId"]
    tags = [{"Key": key, "Value": HOSTILE} for key in ("Name", "snapkit:group", HOSTILE)]
    specification = [{"ResourceType": "snapshot", "Tags": tags}]
    aws.ec2.create_snapshot(VolumeId=source, Description=HOSTILE, TagSpecifications=specification)
    host.find("onerror")
    host.button("Refresh").click()
    host.choose(HOSTILE)
    expect(host.root.get_by_role("heading", name="<img").first).to_have_text(HOSTILE)
    for action in ("Sharing", "Create volume", "Delete"):
        host.button(action).click()
        expect(host.form.locator("h3")).to_contain_text(HOSTILE)
    assert host.root.locator("img[src=x]").count() == 0
    assert host.page.evaluate("window.caught") is None


def test_two_clicks_are_one(host: Host, aws: Aws) -> None:
    open_clone(host, aws, name := f"once in {host.name}")
    host.button("Create volume", of_form=True).dblclick()
    expect(host.form.locator(".snapkit-good")).to_contain_text("vol-")
    assert len(aws.volumes(name)) == 1


def test_what_aws_refuses_stands_in_the_form(host: Host, aws: Aws) -> None:
    source = open_clone(host, aws, name := f"too late in {host.name}")
    aws.ec2.delete_snapshot(SnapshotId=source)
    host.button("Create volume", of_form=True).click()
    expect(host.form.get_by_role("alert")).to_contain_text(f"{source}")
    expect(host.form.get_by_role("alert")).to_contain_text("check the id, the region and the account")
    expect(host.field("Name")).to_have_value(name)
    expect(host.button("Create volume", of_form=True)).to_be_enabled()
    assert aws.volumes(name) == []


def test_a_lost_connection_leaves_a_form_that_tells_what_is_known(host: Host, aws: Aws, sandbox: Sandbox) -> None:
    host.tab("Volumes")
    host.choose("web-1 root")
    host.button("Make snapshot").click()
    host.field("Name").fill(name := f"lost in {host.name}")
    sandbox.faults.add("CreateSnapshot", unreachable=1)
    host.button("Make snapshot", of_form=True).click()
    expect(host.form.get_by_role("alert")).to_contain_text("no answer came, and after 60 s 0 of 1 snapshots")
    assert aws.snapshots(name) == []
    sandbox.faults.add("CreateSnapshot", lost=1)
    host.button("Make snapshot", of_form=True).click()
    expect(host.form.get_by_text(re.compile("snap-.*(pending|completed)"))).to_be_visible()
    assert len(aws.snapshots(name)) == 1


def open_clone(host: Host, aws: Aws, name: str) -> str:
    """Fill in a form for a volume; returns the id of its snapshot."""
    source = str(aws.snapshots("web-2 root, weekly")[-1]["SnapshotId"])
    host.choose(source)
    host.button("Create volume").click()
    host.field("Name").fill(name)
    host.field("Zone").select_option("us-east-1b")
    return source
