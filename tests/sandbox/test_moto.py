"""What the sandbox leans on in moto and botocore, beyond what they promise.

When one of these fails after an update, its message says what has changed and where to mend.
"""

import datetime
import inspect
import random
from collections.abc import Callable
from typing import Any

import boto3
import botocore.session
import botocore.waiter
import moto.core.config
import moto.core.utils
import moto.iam.models
import moto.settings
import moto.sts.models
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.retries import standard
from moto import mock_aws
from moto.core.base_backend import AccountSpecificBackend, BackendDict
from moto.core.common_models import BaseModel
from moto.core.exceptions import ServiceException
from moto.core.models import DEFAULT_ACCOUNT_ID, botocore_stubber
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.responses import BaseResponse
from moto.core.routing import get_service_router
from moto.core.serialize import (
    DefaultAttributePicker,
    SerializationContext,
    get_serializer_class,
)
from moto.core.utils import get_service_model
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.elastic_block_store import Snapshot, Volume
from moto.ec2.models.subnets import Subnet
from moto.moto_api._internal import mock_random

from snapkit.sandbox.call import OPERATIONS
from snapkit.sandbox.client import plain_session
from snapkit.sandbox.ec2 import Ec2


def mend(where: str, what: str) -> str:
    return f"{what}: mend snapkit/sandbox/{where}"


def plain_ec2() -> Any:
    """A client that nobody's configuration touches, and that is never used to send."""
    return plain_session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1").client("ec2")  # noqa: S106


def parameters(function: Callable[..., object]) -> list[str]:
    return list(inspect.signature(function).parameters)


# -- place.py


def test_moto_lists_the_backends_that_are_in_use() -> None:
    message = mend("place.py", "BackendDict._instances is no longer the list of the backends that hold something")
    assert isinstance(vars(BackendDict).get("_instances"), list), message
    with mock_aws():
        boto3.client("sqs", "us-east-1").list_queues()
        assert "sqs" in {each.service_name for each in vars(BackendDict)["_instances"]}, message
    assert vars(BackendDict)["_instances"] == [], mend(
        "place.py", "a mock that ends does not empty BackendDict._instances"
    )


def test_what_a_backend_keeps_by_account_is_a_dict() -> None:
    message = mend("place.py", "a BackendDict, or an AccountSpecificBackend, is no longer a dict of what it holds")
    assert issubclass(BackendDict, dict), message
    assert issubclass(AccountSpecificBackend, dict), message


def test_the_time_of_moto_is_read_where_we_put_ours() -> None:
    message = mend("place.py", "moto.core.utils.utcnow does not read the global datetime of its module")
    assert vars(moto.core.utils).get("datetime") is datetime, message
    assert "datetime" in moto.core.utils.utcnow.__code__.co_names, message


def test_the_session_of_moto_is_made_where_we_put_ours() -> None:
    message = mend(
        "place.py", "AccountSpecificBackend.get_session is no longer the class method that makes the session"
    )
    assert isinstance(vars(AccountSpecificBackend).get("get_session"), classmethod), message
    assert isinstance(AccountSpecificBackend.get_session(), boto3.Session), message


def test_the_account_of_a_request_is_asked_where_we_put_ours() -> None:
    message = mend("place.py", "BaseResponse.get_current_account() is no longer what tells the account of a request")
    assert "get_current_account" in vars(BaseResponse), message
    assert parameters(BaseResponse.get_current_account) == ["self"], message


def test_the_chance_of_moto_is_one_generator() -> None:
    message = mend("place.py", "mock_random is no longer one random.Random for all ids")
    assert isinstance(mock_random, random.Random), message
    state = mock_random.getstate()
    first = [mock_random.get_random_hex(8), mock_random.uuid4()]
    mock_random.setstate(state)
    assert [mock_random.get_random_hex(8), mock_random.uuid4()] == first, message


def test_moto_notes_its_models_where_we_keep_it_from_doing_so() -> None:
    message = mend("place.py", "BaseModel.__new__ no longer notes every instance in instances_tracked")
    assert isinstance(vars(BaseModel).get("__new__"), staticmethod), message
    assert hasattr(Subnet, "instances_tracked"), message


def test_subnets_remember_their_addresses_in_a_cache_for_the_whole_process() -> None:
    message = mend("place.py", "Subnet._base_avail_ip_iterator no longer is a cached method that returns the addresses")
    assert hasattr(vars(Subnet).get("_base_avail_ip_iterator"), "cache_clear"), message


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (moto.core.config, "default_user_config"),
        (moto.iam.models, "load_iam_aws_managed_policies"),
        (moto.sts.models, "random_session_token"),
        (moto.sts.models, "utcnow"),
        (moto.settings, "ENABLE_AMI_VALIDATION"),
        (moto.settings, "ENABLE_KEYPAIR_VALIDATION"),
        (moto.settings, "EC2_ENABLE_INSTANCE_TYPE_VALIDATION"),
        (moto.settings, "INITIAL_NO_AUTH_ACTION_COUNT"),
    ],
)
def test_the_settings_of_moto_are_where_we_put_ours(owner: Any, name: str) -> None:
    assert name in vars(owner), mend(
        "place.py", f"{owner.__name__}.{name} is gone, so the environment may matter again"
    )


# -- world.py


def test_a_backend_of_an_account_takes_what_we_give_it() -> None:
    message = mend(
        "world.py",
        "AccountSpecificBackend no longer makes the backends of the regions with backend(region, account_id=)",
    )
    names = ["self", "service_name", "account_id", "backend", "use_boto3_regions", "additional_regions"]
    assert parameters(AccountSpecificBackend.__init__) == names, message
    asked: list[Any] = []
    made: Any = AccountSpecificBackend(
        "ec2", "111122223333", lambda region, account_id: asked.append((region, account_id)) or "it",  # type: ignore[arg-type,func-returns-value]
        use_boto3_regions=False, additional_regions=["r"],
    )  # fmt: skip
    assert (made["r"], asked) == ("it", [("r", "111122223333")]), message


def test_moto_looks_up_its_urls_in_its_default_account() -> None:
    message = mend("world.py", "moto no longer looks up the URLs of a service in the backend of DEFAULT_ACCOUNT_ID")
    source = inspect.getsource(type(botocore_stubber).process_request)
    assert "backend_dict[DEFAULT_ACCOUNT_ID]" in source, message
    assert len(DEFAULT_ACCOUNT_ID) == 12, message


# -- ec2.py, snapshot.py, volume.py


@pytest.mark.parametrize("name", ["create_volume", "get_snapshot"])
def test_moto_calls_its_storage_with_the_parameters_that_ours_has(name: str) -> None:
    theirs, ours = (inspect.signature(getattr(each, name)).parameters for each in (EC2Backend, Ec2))
    message = mend("ec2.py", f"EC2Backend.{name} has other parameters now: {list(theirs)}")
    takes_all = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in ours.values())
    for parameter in theirs.values():
        if parameter.name not in ours:
            assert takes_all, message
            assert parameter.default is not inspect.Parameter.empty, message
    assert [each for each in ours if each in theirs] == [each for each in theirs if each in ours], message


def test_instances_and_images_stand_on_our_volumes_and_snapshots() -> None:
    from snapkit import Sandbox
    from snapkit.sandbox import snapshot, volume

    sandbox = Sandbox()
    ec2 = sandbox.client("ec2")
    instance = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    ec2.create_image(InstanceId=instance, Name="image")
    backend = sandbox._world.ec2(sandbox.accounts[0], "us-east-1")
    message = mend(
        "ec2.py", "moto no longer makes the volumes and snapshots of instances and images through the backend"
    )
    assert backend.volumes, message
    assert {type(each) for each in backend.volumes.values()} == {volume.Volume}, message
    assert {type(each) for each in backend.snapshots.values()} <= {snapshot.Snapshot}, message


def test_the_backend_keeps_what_we_read() -> None:
    with mock_aws():
        backend = ec2_backends[DEFAULT_ACCOUNT_ID]["us-east-1"]
        for name, kind in (("volumes", dict), ("snapshots", dict), ("tags", dict), ("attachments", dict)):
            message = mend("ec2.py", f"EC2Backend.{name} is no longer a {kind.__name__}")
            assert isinstance(getattr(backend, name, None), kind), message
        for name in ("all_instances", "get_zone_by_name", "_load_amis"):
            assert callable(getattr(backend, name, None)), mend("ec2.py", f"EC2Backend.{name} is gone")
        assert "_url_module" in dir(type(backend)), mend("ec2.py", "a backend no longer finds its URLs by _url_module")
        assert backend.urls, mend("ec2.py", "a backend no longer finds its URLs by _url_module")


def test_models_of_moto_take_what_ours_pass_on() -> None:
    message = mend("volume.py", f"moto's Volume has other parameters now: {parameters(Volume.__init__)}")
    assert parameters(Volume.__init__)[:3] == ["self", "ec2_backend", "volume_id"], message
    known = {"size", "zone", "snapshot_id", "encrypted", "kms_key_id", "volume_type", "iops", "throughput"}
    assert known <= set(parameters(Volume.__init__)), message
    assert issubclass(Snapshot, BaseModel), mend("snapshot.py", "moto's Snapshot is no BaseModel any more")


# -- gateway.py


def prepared(body: str, service: str = "ec2") -> AWSPreparedRequest:
    scope = f"AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260105/us-east-1/{service}/aws4_request, SignedHeaders=host"
    headers = {"Authorization": scope, "Content-Type": "application/x-www-form-urlencoded"}
    url = f"https://{service}.us-east-1.amazonaws.com/"
    return AWSPreparedRequest("POST", url, headers, body.encode(), stream_output=False)


def test_moto_answers_a_prepared_request_though_no_mock_is_active() -> None:
    message = mend("gateway.py", "botocore_stubber.process_request(request) no longer returns status, headers and body")
    try:
        answered = botocore_stubber.process_request(prepared("Action=GetCallerIdentity&Version=2011-06-15", "sts"))
    finally:
        BackendDict.reset()
    assert answered is not None, message
    status, _, body = answered
    assert status == 200, message
    assert "GetCallerIdentityResult" in (body if isinstance(body, str) else body.decode()), message


def test_moto_says_what_it_does_not_know() -> None:
    message = mend("gateway.py", "moto no longer answers 404 'Not yet implemented' for a service that it does not know")
    answered = botocore_stubber.process_request(prepared("", "outposts"))
    assert answered is not None, message
    assert (answered[0], answered[2]) == (404, "Not yet implemented"), message


def test_requests_are_parsed_by_the_models() -> None:
    message = mend("gateway.py", "PROTOCOL_PARSERS[protocol](operation).parse(...) has changed")
    model = get_service_model("ec2").operation_model("DescribeSnapshots")
    url = "https://ec2.us-east-1.amazonaws.com/"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = b"Action=DescribeSnapshots&MaxResults=7&Filter.1.Name=a&Filter.1.Value.1=b&SnapshotId.1=c"
    request = Request.from_primitives("POST", url, form, body)
    assert determine_request_protocol(get_service_model("ec2"), request.content_type) == "ec2", message
    parsed = PROTOCOL_PARSERS["ec2"](model).parse(
        {"method": "POST", "values": request.values, "headers": request.headers, "body": request.data, "url_path": "/",
         "url_params": {}}
    )  # fmt: skip
    assert parsed["MaxResults"] == 7, message
    assert parsed["SnapshotIds"] == ["c"], message
    assert parsed["Filters"] == [{"Name": "a", "Values": ["b"]}], message
    assert {"ec2", "query", "json", "rest-json"} <= set(PROTOCOL_PARSERS), message


def test_paths_are_matched_by_the_router() -> None:
    message = mend(
        "gateway.py", "get_service_router(service).match(request) no longer finds operations by method and path"
    )
    request = Request.from_primitives("GET", "https://ebs.us-east-1.amazonaws.com/snapshots/snap-1/blocks", {}, b"")
    operation, given = get_service_router("ebs").match(request)
    assert operation.name == "ListSnapshotBlocks", message
    assert "snap-1" in dict(given).values(), message


def test_answers_are_serialized_by_the_models() -> None:
    message = mend("answering.py", "the serializers no longer write dicts with the names of the model")
    serializer = get_serializer_class("rbin", "rest-json")(
        operation_model=get_service_model("rbin").operation_model("GetRule"),
        pretty_print=False,
        value_picker=DefaultAttributePicker(),
        context=SerializationContext("request-1"),
    )
    assert "get_value" in dir(serializer), mend("answering.py", "get_value, which makes long lists fast, is gone")
    sent = serializer.serialize({"Identifier": "rule-1", "RetentionPeriod": {"RetentionPeriodValue": 7}})
    assert sent["status_code"] == 200, message
    assert '"RetentionPeriodValue": 7' in str(sent["body"]), message


def test_answers_of_ec2_are_structures_lists_and_plain_values() -> None:
    def kinds(shape: Any) -> set[str]:
        inner = list(shape.members.values()) if shape.type_name == "structure" else []
        inner += [shape.member] if shape.type_name == "list" else []
        odd = {"xmlAttribute", "xmlNamespace", "flattened"} & set(shape.serialization)
        return {shape.type_name, *odd}.union(*map(kinds, inner))

    shapes = [
        get_service_model("ec2").operation_model(name).output_shape for service, name in OPERATIONS if service == "ec2"
    ]
    assert set[str]().union(*(kinds(each) for each in shapes if each is not None)) == {
        "structure", "list", "string", "timestamp", "integer", "long", "boolean",
    }, mend("answering.py", "the model of EC2 has other kinds of members now")  # fmt: skip


def test_errors_of_moto_carry_code_and_message() -> None:
    error = ServiceException("Code", "Message")
    assert (error.code, error.message) == ("Code", "Message"), mend(
        "refusal.py", "ServiceException takes other arguments now"
    )


def test_keys_of_iam_users_are_found_where_we_look() -> None:
    with mock_aws():
        iam = boto3.client("iam", "us-east-1")
        iam.create_user(UserName="robot")
        key = iam.create_access_key(UserName="robot")["AccessKey"]["AccessKeyId"]
        found = any(key in each.access_keys for each in moto.iam.models.iam_backends[DEFAULT_ACCOUNT_ID].values())
    assert found, mend("gateway.py", "IAMBackend.access_keys no longer holds the keys of users and roles")


# -- client.py


def test_botocore_asks_the_session_variables_in_the_shape_that_we_rewrite() -> None:
    message = mend(
        "client.py", "BOTOCORE_DEFAUT_SESSION_VARIABLES no longer holds (config, environment, default, conversion)"
    )
    assert {len(each) for each in BOTOCORE_DEFAUT_SESSION_VARIABLES.values()} == {4}, message
    assert {"profile", "config_file", "credentials_file"} <= set(BOTOCORE_DEFAUT_SESSION_VARIABLES), message
    session = botocore.session.Session({"region": (None, None, "mars", None)})
    assert session.get_config_variable("region") == "mars", message


def test_sessions_take_models_and_a_reader_of_times() -> None:
    message = mend("../ebs/_session.py", "botocore's sessions take no reader of times any more, or do not use it")
    told = plain_ec2()._endpoint._response_parser_factory.create_parser("ec2")._timestamp_parser("2026-01-05T03:00:00Z")
    assert told.tzinfo is datetime.UTC, message


def test_waiters_ask_and_wait_where_we_put_ours() -> None:
    waiter = plain_ec2().get_waiter("snapshot_completed")
    message = mend(
        "client.py", "a botocore Waiter no longer asks through _operation_method, or wait() takes no WaiterConfig"
    )
    assert callable(getattr(waiter, "_operation_method", None)), message
    assert (waiter.config.delay, waiter.config.max_attempts) == (15, 40), message
    assert "WaiterConfig" in inspect.getsource(botocore.waiter.Waiter.wait), message


def test_the_retries_of_a_client_can_be_replaced() -> None:
    message = mend(
        "client.py", "botocore's retries are no longer registered as needs-retry.<service> under retry-config-<service>"
    )
    client = plain_ec2()
    parts = inspect.getsource(standard.register_retry_handler)
    assert "unique_id = f'retry-config-{service_event_name}'" in parts, message
    handler = standard.register_retry_handler(client, 5)
    assert "kwargs" in parameters(handler.needs_retry), message
    client.meta.events.unregister("needs-retry.ec2", unique_id="retry-config-ec2")
    emitted = client.meta.events.emit(
        "needs-retry.ec2.DescribeVolumes", response=None, endpoint=None, operation=None, attempts=1,
        caught_exception=ConnectionError(), request_dict={"context": {}},
    )  # fmt: skip
    assert [answer for _, answer in emitted if answer is not None] == [], message


def test_motos_own_stub_is_registered_where_we_take_it_away() -> None:
    message = mend("client.py", "moto no longer stubs clients with botocore_stubber as a handler of before-send")
    from botocore.handlers import BUILTIN_HANDLERS

    assert ("before-send", botocore_stubber) in [tuple(each[:2]) for each in BUILTIN_HANDLERS], message
