"""Rules about the policies of Data Lifecycle Manager."""

from typing import Any

from tests.sandbox.ground import Ground, Table, refused

ROWS = Table()
API = "Amazon Data Lifecycle Manager API reference, "
GUIDE = "EBS user guide, Considerations for snapshot lifecycle policies"
ROLE = "arn:aws:iam::111122223333:role/dlm"
MONTHLY = "cron(0 3 1 * ? *)"
DAYS_90 = {"Interval": 90, "IntervalUnit": "DAYS"}


def schedule(**how: Any) -> dict[str, Any]:
    asked = {
        "Name": "daily",
        "CreateRule": {"Interval": 24, "IntervalUnit": "HOURS", "Times": ["03:00"]},
        "RetainRule": {"Count": 7},
    } | how
    return {name: value for name, value in asked.items() if value is not None}


def details(*schedules: dict[str, Any], **how: Any) -> dict[str, Any]:
    asked = {
        "ResourceTypes": ["VOLUME"],
        "TargetTags": [{"Key": "backup", "Value": "yes"}],
        "Schedules": list(schedules) or [schedule()],
    } | how
    return {name: value for name, value in asked.items() if value is not None}


def create(ground: Ground, policy: dict[str, Any] | None = None, **how: Any) -> str:
    asked = {"ExecutionRoleArn": ROLE, "Description": "daily backups", "State": "ENABLED"} | how
    if policy is not None or "DefaultPolicy" not in how:
        asked["PolicyDetails"] = details() if policy is None else policy
    return str(ground.client("dlm").create_lifecycle_policy(**asked)["PolicyId"])


def shown(ground: Ground, policy_id: str) -> dict[str, Any]:
    return dict(ground.client("dlm").get_lifecycle_policy(PolicyId=policy_id)["Policy"])


def bad(ground: Ground, *schedules: dict[str, Any], message: str = "", **how: Any) -> Any:
    return refused("InvalidRequestException", lambda: create(ground, details(*schedules, **how)), message).response


def archived(**how: Any) -> dict[str, Any]:
    """A schedule that archives, by default as AWS allows it."""
    tier = how.pop("tier", {"Count": 3})
    asked = {
        "CreateRule": {"CronExpression": MONTHLY},
        "RetainRule": {"Count": 1},
        "ArchiveRule": {"RetainRule": {"RetentionArchiveTier": tier}},
    } | how
    return schedule(**asked)


@ROWS.row(API + "CreateLifecyclePolicy and GetLifecyclePolicy; defaults on read, go-to-k/cdk-real-drift issue 475")
def a_policy_is_kept_and_its_defaults_are_filled_in(ground: Ground) -> None:
    policy_id = create(ground, Tags={"team": "blue"})
    policy = shown(ground, policy_id)
    assert policy_id.startswith("policy-0")
    assert policy["PolicyArn"] == f"arn:aws:dlm:us-east-1:{ground.accounts[0]}:policy/{policy_id}"
    assert (policy["State"], policy["StatusMessage"], policy["ExecutionRoleArn"]) == ("ENABLED", "ENABLED", ROLE)
    assert (policy["Description"], policy["Tags"], policy["DefaultPolicy"]) == (
        "daily backups",
        {"team": "blue"},
        False,
    )
    assert policy["DateCreated"] == policy["DateModified"] == ground.clock.now()
    kept = policy["PolicyDetails"]
    assert (kept["PolicyType"], kept["PolicyLanguage"]) == ("EBS_SNAPSHOT_MANAGEMENT", "STANDARD")
    assert (kept["ResourceLocations"], kept["ResourceTypes"]) == (["CLOUD"], ["VOLUME"])
    (plan,) = kept["Schedules"]
    assert plan["CreateRule"] == {"Location": "CLOUD", "Interval": 24, "IntervalUnit": "HOURS", "Times": ["03:00"]}
    assert (plan["RetainRule"], plan["CopyTags"]) == ({"Count": 7, "Interval": 0}, False)


@ROWS.row(API + "PolicyDetails")
def a_full_policy_of_four_schedules_is_accepted_and_can_be_written_back(ground: Ground) -> None:
    weeks = {"Interval": 8, "IntervalUnit": "WEEKS"}
    copy = {"Target": "eu-west-1", "Encrypted": False, "RetainRule": {"Interval": 3, "IntervalUnit": "MONTHS"}}
    fast = {"Interval": 1, "IntervalUnit": "WEEKS", "AvailabilityZones": ["us-east-1a"]}
    share = {"TargetAccounts": ["444455556666"], "UnshareInterval": 7, "UnshareIntervalUnit": "DAYS"}
    policy_id = create(
        ground,
        details(
            schedule(RetainRule=weeks, TagsToAdd=[{"Key": "by", "Value": "dlm"}], CopyTags=True),
            schedule(Name="copied", RetainRule=weeks, CrossRegionCopyRules=[copy]),
            schedule(Name="fast", RetainRule=weeks, FastRestoreRule=fast, ShareRules=[share]),
            archived(Name="archived", RetainRule=weeks, tier=DAYS_90),
        ),
    )
    kept = shown(ground, policy_id)["PolicyDetails"]
    assert len(kept["Schedules"]) == 4
    ground.client("dlm").update_lifecycle_policy(PolicyId=policy_id, PolicyDetails=kept)
    assert shown(ground, policy_id)["PolicyDetails"] == kept
    counted = create(ground, details(archived()))
    again = shown(ground, counted)["PolicyDetails"]
    ground.client("dlm").update_lifecycle_policy(PolicyId=counted, PolicyDetails=again)
    assert shown(ground, counted)["PolicyDetails"] == again


@ROWS.row(API + "PolicyDetails, of images and of events")
def policies_of_images_and_of_events_are_accepted(ground: Ground) -> None:
    deprecate = {"Count": 3}
    images = details(schedule(DeprecateRule=deprecate), PolicyType="IMAGE_MANAGEMENT", ResourceTypes=["INSTANCE"])
    kept = shown(ground, create(ground, images | {"Parameters": {"NoReboot": True}}))["PolicyDetails"]
    assert "Location" not in kept["Schedules"][0]["CreateRule"]
    event = {"EventType": "shareSnapshot", "SnapshotOwner": ["444455556666"], "DescriptionRegex": ".*"}
    copy = {"Target": "eu-west-1", "EncryptionConfiguration": {"Encrypted": True}}
    on_event = {
        "PolicyType": "EVENT_BASED_POLICY",
        "EventSource": {"Type": "MANAGED_CWE", "Parameters": event},
        "Actions": [{"Name": "copy", "CrossRegionCopy": [copy]}],
    }
    kept = shown(ground, create(ground, on_event))["PolicyDetails"]
    assert kept == on_event | {"PolicyLanguage": "STANDARD"}
    for lacks in ("EventSource", "Actions"):
        less = {name: value for name, value in on_event.items() if name != lacks}
        error = refused("InvalidRequestException", lambda less=less: create(ground, less))  # type: ignore[misc]
        assert error.response["RequiredParameters"] == [f"PolicyDetails.{lacks}"]
    more = on_event | {"Schedules": [schedule()]}
    error = refused("InvalidRequestException", lambda: create(ground, more))
    assert error.response["MutuallyExclusiveParameters"] == ["PolicyType", "Schedules"]


@ROWS.row(API + "CreateLifecyclePolicyRequest")
def what_the_model_does_not_allow_is_refused(ground: Ground) -> None:
    for name, value in (
        ("ExecutionRoleArn", "role"),
        ("Description", "what?"),
        ("Description", "d" * 501),
        ("State", "ERROR"),
        ("Tags", {"a b": "c"}),
    ):
        refused("InvalidRequestException", lambda name=name, value=value: create(ground, **{name: value}), name)  # type: ignore[misc]
    tags = [{"Key": f"k{number}", "Value": ""} for number in range(51)]
    bad(ground, TargetTags=tags, message="TargetTags")
    bad(ground, *(schedule(Name=f"s{number}") for number in range(5)), message="Schedules")
    bad(ground, ResourceTypes=["VOLUME", "INSTANCE"], message="ResourceTypes")
    bad(ground, PolicyType="BANANA", message="PolicyType")
    bad(ground, schedule(RetainRule={"Count": 1001}), message="Count")
    bad(ground, schedule(CreateRule={"Interval": 24, "IntervalUnit": "HOURS", "Times": ["25:00"]}), message="Times")
    bad(ground, schedule(CreateRule={"Interval": 24, "IntervalUnit": "HOURS", "Times": ["01:00", "02:00"]}))
    copies = [{"Target": f"eu-west-{number}", "Encrypted": False} for number in range(4)]
    bad(ground, schedule(CrossRegionCopyRules=copies), message="CrossRegionCopyRules")
    assert not ground.client("dlm").get_lifecycle_policies()["Policies"]


@ROWS.row(API + "PolicyDetails, required members")
def what_is_missing_is_named(ground: Ground) -> None:
    for name in ("ResourceTypes", "TargetTags", "Schedules"):
        without: dict[str, Any] = {name: None}
        assert bad(ground, **without)["RequiredParameters"] == [f"PolicyDetails.{name}"]
    for name in ("CreateRule", "RetainRule"):
        assert bad(ground, schedule(**{name: None}))["RequiredParameters"] == [f"PolicyDetails.Schedules.{name}"]
    for rule, missing in (
        ({}, ["CreateRule.Interval", "CreateRule.CronExpression"]),
        ({"Interval": 24}, ["CreateRule.IntervalUnit"]),
    ):
        assert bad(ground, schedule(CreateRule=rule))["RequiredParameters"] == missing
    nothing = {"ExecutionRoleArn": ROLE, "Description": "d", "State": "ENABLED"}
    dlm = ground.client("dlm")
    for asked, missing in ((nothing, ["PolicyDetails"]), (nothing | {"CreateInterval": 1}, ["DefaultPolicy"])):
        error = refused("InvalidRequestException", lambda asked=asked: dlm.create_lifecycle_policy(**asked))  # type: ignore[misc]
        assert error.response["RequiredParameters"] == missing


@ROWS.row(API + "CreateRule")
def snapshots_are_taken_by_interval_or_by_cron(ground: Ground) -> None:
    for hours in (1, 2, 3, 4, 6, 8, 12, 24):
        create(ground, details(schedule(CreateRule={"Interval": hours, "IntervalUnit": "HOURS"})))
    for hours in (5, 48):
        bad(ground, schedule(CreateRule={"Interval": hours, "IntervalUnit": "HOURS"}), message=str(hours))
    for cron in ("cron(0 * * * ? *)", "cron(0 3 ? * MON *)", "cron(0 3 1 1 ? *)"):
        create(ground, details(schedule(CreateRule={"CronExpression": cron})))
    for cron in (
        "cron(banana banana)",
        "cron(0 3 * * * *)",
        "cron(0/30 * * * ? *)",
        "cron(0 0 29 2 ? *)",
        "cron(0 0 1 1 ? 2090)",
    ):
        bad(ground, schedule(CreateRule={"CronExpression": cron}), message="CronExpression")
    both = {"CronExpression": MONTHLY, "Interval": 24, "IntervalUnit": "HOURS"}
    assert bad(ground, schedule(CreateRule=both))["MutuallyExclusiveParameters"] == [
        "CronExpression",
        "Interval",
        "IntervalUnit",
    ]


@ROWS.row(API + "RetainRule")
def snapshots_are_retained_by_count_or_by_age(ground: Ground) -> None:
    for longest in (
        {"Count": 1000},
        {"Interval": 100, "IntervalUnit": "YEARS"},
        {"Interval": 5200, "IntervalUnit": "WEEKS"},
    ):
        create(ground, details(schedule(RetainRule=longest)))
    both = {"Count": 1, "Interval": 1, "IntervalUnit": "DAYS"}
    assert bad(ground, schedule(RetainRule=both))["MutuallyExclusiveParameters"] == [
        "RetainRule.Count",
        "RetainRule.Interval",
    ]
    assert bad(ground, schedule(RetainRule={"Interval": 1}))["RequiredParameters"] == ["RetainRule.IntervalUnit"]
    assert bad(ground, schedule(RetainRule={}))["RequiredParameters"] == ["RetainRule.Count", "RetainRule.Interval"]
    for rule in (
        {"Count": 0},
        {"Interval": 36_501, "IntervalUnit": "DAYS"},
        {"Interval": 101, "IntervalUnit": "YEARS"},
    ):
        bad(ground, schedule(RetainRule=rule), message="RetainRule")


@ROWS.row(GUIDE)
def schedules_of_a_policy_retain_in_one_way_under_different_names(ground: Ground) -> None:
    bad(ground, schedule(), schedule(Name="other", RetainRule={"Interval": 1, "IntervalUnit": "DAYS"}), message="count")
    bad(ground, schedule(), schedule(), message="Name")


@ROWS.row(API + "ShareRule; " + GUIDE)
def snapshots_are_unshared_before_they_are_deleted(ground: Ground) -> None:
    def share(days: int | None, **how: Any) -> dict[str, Any]:
        period = {"UnshareInterval": days, "UnshareIntervalUnit": "DAYS"} if days else {}
        rule = {"TargetAccounts": ["444455556666"]} | period | how
        return schedule(RetainRule={"Interval": 7, "IntervalUnit": "DAYS"}, ShareRules=[rule])

    create(ground, details(share(6)))
    create(ground, details(share(None)))
    bad(ground, share(7), message="Unshare")
    assert "ShareRules.UnshareIntervalUnit" in bad(ground, share(None, UnshareInterval=3))["RequiredParameters"]
    bad(ground, share(None, TargetAccounts=["444455556666", "444455556666"]), message="twice")
    bad(ground, share(None, TargetAccounts=["4444abcd5555"]), message="TargetAccounts")


@ROWS.row(API + "CrossRegionCopyRule")
def copies_have_one_target_each(ground: Ground) -> None:
    key = "arn:aws:kms:eu-west-1:111122223333:key/a"
    create(ground, details(schedule(CrossRegionCopyRules=[{"Target": "eu-west-1", "Encrypted": True, "CmkArn": key}])))
    for rules, message in (
        ([{"Encrypted": False}], "Target"),
        ([{"Target": "eu-west-1", "TargetRegion": "eu-west-1", "Encrypted": False}], "exclusive"),
        ([{"Target": "eu-west-1", "Encrypted": False}] * 2, "twice"),
        ([{"Target": "eu-west-1", "Encrypted": False, "CmkArn": key}], "CmkArn"),
        ([{"Target": "eu-west-1", "Encrypted": False, "RetainRule": {"Interval": 1}}], "IntervalUnit"),
        ([{"Target": "eu-west-1", "Encrypted": False, "DeprecateRule": DAYS_90}], "DeprecateRule"),
    ):
        bad(ground, schedule(CrossRegionCopyRules=rules), message=message)


@ROWS.row(API + "FastRestoreRule")
def fast_restore_has_zones_of_the_region_and_ends_before_the_snapshots(ground: Ground) -> None:
    zones = {"AvailabilityZones": ["us-east-1a"]}
    create(ground, details(schedule(FastRestoreRule={"Count": 7, **zones})))
    create(ground, details(schedule(FastRestoreRule={"Count": 1, "AvailabilityZoneIds": ["use1-az1"]})))
    for rule, message in (
        ({"Count": 1}, "AvailabilityZones"),
        ({"Count": 1, **zones, "AvailabilityZoneIds": ["use1-az1"]}, "exclusive"),
        ({"Count": 1, "AvailabilityZones": ["eu-west-1a"]}, "us-east-1"),
        ({"Count": 8, **zones}, "longer"),
        ({**DAYS_90, **zones}, "count"),
        (zones, "required"),
    ):
        bad(ground, schedule(FastRestoreRule=rule), message=message)
    week, fortnight = {"Interval": 1, "IntervalUnit": "WEEKS"}, {"Interval": 14, "IntervalUnit": "DAYS"}
    bad(ground, schedule(RetainRule=week, FastRestoreRule=fortnight | zones), message="longer")


@ROWS.row(API + "ArchiveRule; " + GUIDE)
def archiving_needs_a_monthly_cron_and_90_days(ground: Ground) -> None:
    create(ground, details(archived(RetainRule={"Count": 0}, tier={"Count": 4})))
    create(ground, details(archived(RetainRule=DAYS_90, tier=DAYS_90)))
    for plan, message in (
        (archived(CreateRule={"CronExpression": "cron(0 3 ? * SUN *)"}), "28 days"),
        (archived(CreateRule={"Interval": 24, "IntervalUnit": "HOURS"}), "28 days"),
        (archived(tier={"Count": 2}), "90 days"),
        (archived(RetainRule=DAYS_90, tier={"Interval": 89, "IntervalUnit": "DAYS"}), "90 days"),
        (archived(tier=DAYS_90), "by count"),
        (archived(tier={}), "required"),
    ):
        bad(ground, plan, message=message)
    bad(ground, archived(), ResourceTypes=["INSTANCE"], message="VOLUME")
    bad(ground, archived(), archived(Name="other"), message="only one")
    copy = {"Target": "eu-west-1", "Encrypted": False}
    bad(ground, archived(RetainRule={"Count": 0}, CrossRegionCopyRules=[copy]), message="at least 1")


@ROWS.row(API + "PolicyDetails, what is for snapshots, images, volumes or instances only")
def each_kind_of_policy_has_its_own_members(ground: Ground) -> None:
    images = {"PolicyType": "IMAGE_MANAGEMENT", "ResourceTypes": ["INSTANCE"]}
    script = {
        "CreateRule": {"Interval": 24, "IntervalUnit": "HOURS", "Scripts": [{"ExecutionHandler": "AWS_VSS_BACKUP"}]}
    }
    tag = [{"Key": "id", "Value": "$(instance-id)"}]
    create(ground, details(schedule(**script, VariableTags=tag), ResourceTypes=["INSTANCE"]))
    bad(ground, PolicyType="IMAGE_MANAGEMENT", message="INSTANCE")
    bad(ground, schedule(ShareRules=[{"TargetAccounts": ["444455556666"]}]), **images, message="ShareRules")
    bad(ground, schedule(DeprecateRule={"Count": 1}), message="images")
    bad(ground, schedule(DeprecateRule={"Count": 8}), **images, message="longer")
    bad(ground, schedule(**script), message="Scripts")
    bad(ground, schedule(VariableTags=tag), message="VariableTags")
    bad(ground, Parameters={"NoReboot": True}, message="NoReboot")
    bad(ground, Parameters={"ExcludeBootVolume": True}, message="ExcludeBootVolume")
    here = {"Interval": 24, "IntervalUnit": "HOURS", "Location": "LOCAL_ZONE"}
    bad(ground, schedule(CreateRule=here), message="LOCAL_ZONE")
    bad(
        ground,
        schedule(CreateRule=here, CrossRegionCopyRules=[{"Target": "eu-west-1", "Encrypted": False}]),
        ResourceLocations=["LOCAL_ZONE"],
        message="regions",
    )
    create(ground, details(schedule(CreateRule=here), ResourceLocations=["LOCAL_ZONE"]))
    bad(ground, CreateInterval=1, message="default")


@ROWS.row(API + "CreateLifecyclePolicy, default policies")
def a_default_policy_has_its_defaults_and_bounds(ground: Ground) -> None:
    policy = shown(ground, create(ground, DefaultPolicy="VOLUME", RetainInterval=5))
    assert policy["DefaultPolicy"] is True
    assert policy["PolicyDetails"] == {
        "PolicyLanguage": "SIMPLIFIED",
        "ResourceType": "VOLUME",
        "PolicyType": "EBS_SNAPSHOT_MANAGEMENT",
        "CreateInterval": 1,
        "RetainInterval": 5,
        "CopyTags": False,
        "ExtendDeletion": False,
    }
    refused("LimitExceededException", lambda: create(ground, DefaultPolicy="VOLUME"), "VOLUME")
    for how in (
        {"CreateInterval": 8},
        {"RetainInterval": 1},
        {"RetainInterval": 15},
        {"CreateInterval": 7, "RetainInterval": 7},
        {"CrossRegionCopyTargets": [{"TargetRegion": "eu-west-1"}] * 2},
        {"Exclusions": {"ExcludeBootVolumes": True}},
    ):
        refused("InvalidRequestException", lambda how=how: create(ground, DefaultPolicy="INSTANCE", **how))  # type: ignore[misc]
    inside = {"PolicyLanguage": "SIMPLIFIED", "ResourceType": "INSTANCE", "CreateInterval": 3}
    kept = shown(ground, create(ground, inside))["PolicyDetails"]
    assert (kept["PolicyType"], kept["CreateInterval"], kept["RetainInterval"]) == ("IMAGE_MANAGEMENT", 3, 7)
    error = refused("InvalidRequestException", lambda: create(ground, inside, DefaultPolicy="INSTANCE"))
    assert error.response["MutuallyExclusiveParameters"] == ["PolicyDetails", "DefaultPolicy"]
    refused("InvalidRequestException", lambda: create(ground, inside | {"Schedules": [schedule()]}), "Schedules")
    refused("InvalidRequestException", lambda: create(ground, {"PolicyLanguage": "SIMPLIFIED"}), "ResourceType")


@ROWS.row(API + "UpdateLifecyclePolicy")
def a_policy_is_changed_but_not_its_kind(ground: Ground) -> None:
    dlm, policy_id = ground.client("dlm"), create(ground)
    ground.clock.advance("1h")
    dlm.update_lifecycle_policy(
        PolicyId=policy_id,
        State="DISABLED",
        Description="weekly",
        PolicyDetails={"Schedules": [schedule(RetainRule={"Count": 9})]},
    )
    policy = shown(ground, policy_id)
    assert (policy["State"], policy["Description"]) == ("DISABLED", "weekly")
    assert policy["DateModified"] == ground.clock.now() > policy["DateCreated"]
    assert policy["PolicyDetails"]["Schedules"][0]["RetainRule"] == {"Count": 9, "Interval": 0}
    assert policy["PolicyDetails"]["TargetTags"] == [{"Key": "backup", "Value": "yes"}]
    for wrong in (
        {"PolicyDetails": {"PolicyType": "IMAGE_MANAGEMENT"}},
        {"PolicyDetails": {"ResourceTypes": ["INSTANCE"]}},
        {"PolicyDetails": {"Schedules": [schedule(RetainRule={"Count": 0})]}},
        {"State": "ERROR"},
        {"CreateInterval": 2},
        {"CreateInterval": 2, "PolicyDetails": {"CopyTags": True}},
    ):
        refused("InvalidRequestException", lambda wrong=wrong: dlm.update_lifecycle_policy(PolicyId=policy_id, **wrong))  # type: ignore[misc]
    assert shown(ground, policy_id) == policy
    default = create(ground, DefaultPolicy="VOLUME")
    dlm.update_lifecycle_policy(PolicyId=default, CreateInterval=3)
    assert shown(ground, default)["PolicyDetails"]["CreateInterval"] == 3
    refused("InvalidRequestException", lambda: dlm.update_lifecycle_policy(PolicyId=default, RetainInterval=3))


@ROWS.row(API + "ResourceNotFoundException")
def unknown_policies_are_named(ground: Ground) -> None:
    known, nobody = create(ground), "policy-0123456789abcdef0"
    dlm, other = ground.client("dlm"), ground.client("dlm", 1)
    for call, named in (
        (lambda: dlm.get_lifecycle_policy(PolicyId=nobody), nobody),
        (lambda: dlm.update_lifecycle_policy(PolicyId=nobody, State="ENABLED"), nobody),
        (lambda: dlm.delete_lifecycle_policy(PolicyId=nobody), nobody),
        (lambda: dlm.get_lifecycle_policies(PolicyIds=[known, nobody]), nobody),
        (lambda: other.get_lifecycle_policy(PolicyId=known), known),
        (lambda: ground.client("dlm", region="eu-west-1").get_lifecycle_policy(PolicyId=known), known),
    ):
        assert refused("ResourceNotFoundException", call).response["ResourceIds"] == [named]


@ROWS.row(API + "DeleteLifecyclePolicy")
def a_deleted_policy_is_gone(ground: Ground) -> None:
    dlm, policy_id = ground.client("dlm"), create(ground)
    dlm.delete_lifecycle_policy(PolicyId=policy_id)
    assert dlm.get_lifecycle_policies()["Policies"] == []
    refused("ResourceNotFoundException", lambda: dlm.get_lifecycle_policy(PolicyId=policy_id), policy_id)


@ROWS.row(API + "GetLifecyclePolicies")
def policies_are_listed_by_filters(ground: Ground) -> None:
    dlm = ground.client("dlm")
    first = create(ground)
    tags = [{"Key": "a", "Value": "b"}]
    second = create(
        ground,
        details(schedule(TagsToAdd=tags), ResourceTypes=["INSTANCE"], TargetTags=tags),
        State="DISABLED",
        Tags={"team": "blue"},
    )
    third = create(ground, DefaultPolicy="VOLUME")

    def found(**how: Any) -> list[str]:
        return [policy["PolicyId"] for policy in dlm.get_lifecycle_policies(**how)["Policies"]]

    assert found() == [first, second, third]
    assert found(PolicyIds=[third, first]) == [first, third]
    assert found(State="DISABLED") == found(ResourceTypes=["INSTANCE"]) == found(TargetTags=["a=b"]) == [second]
    assert found(TagsToAdd=["a=b"]) == [second]
    assert found(DefaultPolicyType="ALL") == found(DefaultPolicyType="VOLUME") == [third]
    assert found(DefaultPolicyType="INSTANCE") == found(TargetTags=["a=c"]) == []
    (shown,) = dlm.get_lifecycle_policies(PolicyIds=[second])["Policies"]
    assert shown == {
        "PolicyId": second,
        "Description": "daily backups",
        "State": "DISABLED",
        "Tags": {"team": "blue"},
        "PolicyType": "EBS_SNAPSHOT_MANAGEMENT",
        "DefaultPolicy": False,
    }
    refused("InvalidRequestException", lambda: found(State="BANANA"), "State")


@ROWS.row("EBS user guide, Quotas for Amazon Data Lifecycle Manager")
def at_most_100_policies_are_in_a_region(ground: Ground) -> None:
    for _ in range(100):
        create(ground)
    refused("LimitExceededException", lambda: create(ground), "100")


@ROWS.row(API + "TagResource, UntagResource, ListTagsForResource")
def policies_have_tags(ground: Ground) -> None:
    dlm = ground.client("dlm")
    arn = shown(ground, create(ground, Tags={"a": "1"}))["PolicyArn"]
    dlm.tag_resource(ResourceArn=arn, Tags={"a": "2", "b": "3", "c": ""})
    dlm.untag_resource(ResourceArn=arn, TagKeys=["b", "none"])
    assert dlm.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"a": "2", "c": ""}
    (policy,) = dlm.get_lifecycle_policies()["Policies"]
    assert policy["Tags"] == {"a": "2", "c": ""}
    gone = arn[:-4] + "dead"
    for call in (
        lambda: dlm.tag_resource(ResourceArn=gone, Tags={"a": "1"}),
        lambda: dlm.untag_resource(ResourceArn=gone, TagKeys=["a"]),
        lambda: dlm.list_tags_for_resource(ResourceArn=gone),
    ):
        refused("ResourceNotFoundException", call)
    for call in (
        lambda: dlm.tag_resource(ResourceArn="arn:banana", Tags={"a": "1"}),
        lambda: dlm.tag_resource(ResourceArn=arn, Tags={"aws:a": "1"}),
        lambda: dlm.tag_resource(ResourceArn=arn, Tags={f"k{number}": "" for number in range(49)}),
    ):
        refused("InvalidRequestException", call)


@ROWS.row("EBS user guide, Amazon Data Lifecycle Manager")
def policies_do_not_run_here(ground: Ground) -> None:
    volume = ground.volume(TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "backup", "Value": "yes"}]}])
    create(ground)
    ground.clock.advance("7d")
    assert not ground.ec2().describe_snapshots(Filters=[{"Name": "volume-id", "Values": [volume]}])["Snapshots"]
