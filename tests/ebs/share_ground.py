"""Keys, refusals and plans that the tests of sharing have in common."""

import json
from collections.abc import Callable
from typing import Any

from snapkit.ebs import Region, Snapshot
from snapkit.ebs._aws import Aws
from snapkit.ebs.sharing import Term, terms
from snapkit.plan import Applied, Deed, Plan
from tests.ebs.ground import OTHER, OWN, Field

THIRD = "999900001111"


def encrypted(field: Field, **options: Any) -> Snapshot:
    return field.new_volume(encrypted=True, **options).take_snapshot().wait()


def own_key(field: Field) -> str:
    return str(field.client("kms").create_key()["KeyMetadata"]["Arn"])


def allow(field: Field, key: str, *actions: str, to: str = "root") -> None:
    """Let the other account do so much with a key, and its owner everything."""
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{who}"}, "Action": what, "Resource": "*"}
        for who, what in ((f"{OWN}:root", ["kms:*"]), (f"{OTHER}:{to}", list(actions)))
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    field.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=policy)


def deny(aws: Aws, service: str, operation: str) -> None:
    """Let AWS refuse an operation to this client, as it does without the permission."""

    def refuse(**_: Any) -> Any:
        code = "UnauthorizedOperation" if service == "ec2" else "AccessDeniedException"
        response = type("Refused", (), {"status_code": 403})()
        return response, {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 403}}

    aws.client.meta.events.register(f"before-call.{service}.{operation}", refuse)


def term_of(snapshot: Snapshot) -> Term:
    """Return how long the other account has a share, which its tag has to tell."""
    term = terms(snapshot.tags)[OTHER]
    assert term is not None
    return term


def open_key(field: Field) -> str:
    """Make a key that the other account may use."""
    key = own_key(field)
    allow(field, key, "kms:*")
    return key


def results(applied: Applied) -> list[str]:
    return [deed.result for deed in applied]


def run(plan: Plan) -> Applied:
    return plan.apply(plan.approve(by="on-call"))


def copies(region: Region, source: Snapshot) -> list[Snapshot]:
    return list(region.snapshots.find(tags={"snapkit:source": f"us-east-1/{source.id}"}))


def stop_at(number: int) -> Callable[[Deed], None]:
    """Break a plan off after so many steps."""
    seen: list[Deed] = []

    def note(deed: Deed) -> None:
        seen.append(deed)
        if len(seen) == number:
            raise KeyboardInterrupt

    return note
