import json
from typing import Any

import pytest
from botocore.validate import ParamValidator

from snapkit import Sandbox
from snapkit.automation import cloudformation, dlm, restore_testing, terraform
from snapkit.automation.dlm.faults import model_of
from snapkit.ebs import Snapshot
from snapkit.errors import InvalidRequest, StrategyError
from snapkit.strategy import Archive, Copy, Retention, Schedule, Strategy, Tier, Window
from tests.automation.linting import lint_template
from tests.automation.policies import KEY, MONTHLY

HOSTILE = "db ${aws_iam_role.x} %{ if true }"
STRATEGY = Strategy(
    HOSTILE,
    [
        Tier(
            Schedule("every 1h"),
            Retention(last=24),
            "hourly",
            copies=[Copy("eu-west-1", Retention(within="7d"), KEY), Copy("us-west-2", Retention(within="1y"))],
        ),
        Tier(Schedule(MONTHLY), Retention(last=1), "monthly", archive=Archive(Retention(monthly=12))),
    ],
)
PLAIN = Strategy("1st", [Tier(Schedule("every 1d at 03:00"), Retention(within="30d"))])
WINDOW = Strategy("db", [Tier(Schedule("every 1d", window=Window()), Retention(last=7))])


@pytest.mark.parametrize("strategy", [STRATEGY, PLAIN])
def test_the_template_holds_the_policy_and_cfn_lint_has_nothing_to_say(strategy: Strategy) -> None:
    template = cloudformation.export(strategy)
    assert lint_template(template) == []
    policy = template["Resources"]["LifecyclePolicy"]["Properties"]
    assert policy["PolicyDetails"] == dlm.export(strategy)
    asked = policy | {"ExecutionRoleArn": "arn:aws:iam::111122223333:role/dlm"}
    with Sandbox() as sandbox:
        assert sandbox.client("dlm").create_lifecycle_policy(**asked)["PolicyId"].startswith("policy-")


def test_the_role_may_use_the_keys_of_the_copies_and_no_others() -> None:
    role = cloudformation.export(STRATEGY)["Resources"]["LifecycleRole"]["Properties"]
    (statement,) = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert statement["Resource"] == [KEY]
    assert "Policies" not in cloudformation.export(PLAIN)["Resources"]["LifecycleRole"]["Properties"]


def test_terraform_is_given_blocks_by_the_names_of_its_provider() -> None:
    made = terraform.export(STRATEGY, target_tags={"Name": "${name}"})["resource"]
    (label,) = made["aws_dlm_lifecycle_policy"]
    policy = made["aws_dlm_lifecycle_policy"][label]
    (block,) = policy["policy_details"]
    hourly, monthly = block["schedule"]
    assert policy["execution_role_arn"] == f"${{aws_iam_role.{label}.arn}}"
    assert block["target_tags"] == {"Name": "$${name}"}
    assert hourly == {
        "copy_tags": True,
        "create_rule": [{"interval": 1, "interval_unit": "HOURS", "times": ["00:00"]}],
        "cross_region_copy_rule": [
            {
                "cmk_arn": KEY,
                "copy_tags": True,
                "encrypted": True,
                "retain_rule": [{"interval": 7, "interval_unit": "DAYS"}],
                "target": "eu-west-1",
            },
            {
                "copy_tags": True,
                "encrypted": False,
                "retain_rule": [{"interval": 1, "interval_unit": "YEARS"}],
                "target": "us-west-2",
            },
        ],
        "name": "hourly",
        "retain_rule": [{"count": 24}],
    }
    archive = {"archive_retain_rule": [{"retention_archive_tier": [{"count": 12}]}]}
    assert monthly["archive_rule"] == [archive]
    assert json.loads(made["aws_iam_role_policy"][label]["policy"])["Statement"][0]["Resource"] == [KEY]


def test_terraform_reads_no_template_in_what_people_wrote() -> None:
    text = json.dumps(terraform.export(STRATEGY))
    assert "$${aws_iam_role.x} %%{ if true }" in text
    assert text.replace("$${aws_iam_role.x}", "").count("aws_iam_role.x}") == 0
    assert list(terraform.export(PLAIN)["resource"]["aws_iam_role"]) == ["_1st"]
    assert "aws_iam_role_policy" not in terraform.export(PLAIN)["resource"]


@pytest.mark.parametrize("engine", [cloudformation, terraform])
def test_what_dlm_cannot_express_no_engine_is_given(engine: Any) -> None:
    with pytest.raises(StrategyError, match="holds runs back"):
        engine.export(WINDOW)


@pytest.fixture
def backups() -> list[Snapshot]:
    """Snapshots of two volumes, as AWS Backup makes them."""
    with Sandbox() as sandbox:
        region = sandbox.region()
        volumes = [region.volumes.create("us-east-1a", "1 GiB") for _ in range(2)]
        return [
            made_by(volume.take_snapshot(), Description="This snapshot is created by the AWS Backup service.")
            for volume in volumes
        ]


def made_by(snapshot: Snapshot, **told: Any) -> Snapshot:
    return Snapshot(snapshot.region, {**snapshot.raw, **told})


@pytest.mark.parametrize(
    ("schedule", "cron"),
    [
        (Schedule("every 1d at 03:30", timezone="Europe/Berlin"), "cron(30 3 * * ? *)"),
        (Schedule("every 1h"), "cron(0 * * * ? *)"),
        (Schedule("every 6h"), "cron(0 0/6 * * ? *)"),
        (Schedule("every 1w"), "cron(0 0 ? * THU *)"),
        (Schedule(MONTHLY), MONTHLY),
    ],
)
def test_backups_are_restored_on_a_schedule(backups: list[Snapshot], schedule: Schedule, cron: str) -> None:
    template = restore_testing.export(backups * 2, "drills", schedule)
    plan = template["Resources"]["RestoreTestingPlan"]["Properties"]
    chosen = template["Resources"]["RestoreTestingSelection"]["Properties"]
    assert (plan["ScheduleExpression"], plan["ScheduleExpressionTimezone"]) == (cron, schedule.timezone)
    assert [arn["Fn::Sub"].rpartition("/")[2] for arn in chosen["ProtectedResourceArns"]] == sorted(
        snapshot.volume_id for snapshot in backups
    )
    assert template == restore_testing.export(backups[::-1], "drills", schedule)


def test_the_plan_passes_cfn_lint_and_the_model_of_aws_backup(backups: list[Snapshot]) -> None:
    template = restore_testing.export(backups, "drills", Schedule("every 1d"))
    assert lint_template(template) == []
    shape = model_of("backup").shape_for("RestoreTestingPlanForCreate")
    plan = template["Resources"]["RestoreTestingPlan"]["Properties"]
    assert ParamValidator().validate(plan, shape).generate_report() == ""


def test_snapshots_that_are_in_no_vault_are_refused_with_that_reason(backups: list[Snapshot]) -> None:
    own = made_by(backups[0], Description="mine")
    of_dlm = made_by(backups[0], Description="Created for policy: policy-1 schedule: daily")
    for snapshot, maker in ((own, "no service"), (of_dlm, "policy-1")):
        with pytest.raises(InvalidRequest, match=f"{maker}.*vaults"):
            restore_testing.export([*backups, snapshot], "drills", Schedule("every 1d"))


def test_a_plan_has_a_name_volumes_and_a_schedule_that_cron_can_write(backups: list[Snapshot]) -> None:
    with pytest.raises(InvalidRequest, match="letters, digits and underscores"):
        restore_testing.export(backups, "my drills", Schedule("every 1d"))
    with pytest.raises(InvalidRequest, match="1 to 30 volumes"):
        restore_testing.export([], "drills", Schedule("every 1d"))
    with pytest.raises(StrategyError, match="restore testing schedule"):
        restore_testing.export(backups, "drills", Schedule("every 5h"))
    for text in ("every 6h", "rate(1 day)"):
        with pytest.raises(StrategyError, match="counts elapsed time"):
            restore_testing.export(backups, "drills", Schedule(text, timezone="Europe/Berlin"))
    with pytest.raises(StrategyError, match="holds runs back"):
        restore_testing.export(backups, "drills", Schedule("every 1d", window=Window()))
