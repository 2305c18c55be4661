"""Requests to a served sandbox, by plain clients and as bytes, and its errors as it writes them."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import boto3

from tests.sandbox.ground import ONE_TRY

FORM = "application/x-www-form-urlencoded; charset=utf-8"
JSON = "application/json"


def plain(url: str, service: str = "ec2", key: str = "test", region: str = "us-east-1", **more: Any) -> Any:
    """What a script has that knows no more than an endpoint."""
    secret = more.pop("secret", "secret")
    return boto3.client(
        service, region, endpoint_url=url, aws_access_key_id=key, aws_secret_access_key=secret, config=ONE_TRY, **more
    )


class Wire:
    """Asks whatever a client would never ask."""

    def __init__(self, url: str, key: str) -> None:
        self.host = urlsplit(url).netloc
        self.key = key

    def ask(
        self,
        body: bytes | None = None,
        *,
        method: str = "POST",
        path: str = "/",
        service: str = "ec2",
        region: str = "us-east-1",
        signed: bool = True,
        **headers: str,
    ) -> tuple[int, str, bytes]:
        scope = f"Credential={self.key}/20260105/{region}/{service}/aws4_request"
        given = {"Content-Type": FORM} | {name.replace("_", "-"): value for name, value in headers.items()}
        if signed:
            given["Authorization"] = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            return answer.status, answer.headers.get_content_type(), answer.read()
        finally:
            connection.close()


def xml_error(answer: tuple[int, str, bytes]) -> tuple[str, str]:
    status, kind, body = answer
    assert status >= 400
    assert kind == "text/xml"
    error = ElementTree.fromstring(body).find(".//Error")  # noqa: S314 - ours
    assert error is not None
    return error.findtext("Code") or "", error.findtext("Message") or ""


def json_error(answer: tuple[int, str, bytes]) -> tuple[str, str]:
    status, kind, body = answer
    assert status >= 400
    assert "json" in kind
    told = json.loads(body)
    return told["__type"], told["message"]
