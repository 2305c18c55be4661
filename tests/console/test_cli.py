"""The verb `console`, as people type it."""

import pytest

from snapkit import cli


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--host", "0.0.0.0"], "snapkit: host '0.0.0.0' is not this machine alone, and the page acts with"),  # noqa: S104
        (["--profile", "nosuch", "--region", "eu-west-1"], "snapkit: profile 'nosuch' is not in the AWS configuration"),
        (["--region", "mars"], "snapkit: region 'mars' is no name of a region; give one such as 'eu-west-1'"),
        (["--profile", "prod"], "snapkit: profile 'prod' has no region with it; give --region as well"),
        (["--speed", "0"], "snapkit: speed 0.0 is no number above 0"),
        (["--access", "nowhere"], "snapkit: access file 'nowhere' cannot be read"),
        (["--strategies", "nowhere"], "snapkit: strategies 'nowhere' is no folder; give one that holds a TOML file"),
        (["--port", "70000"], "snapkit: port 70000 is no number of a port"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["console", *words]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(sentence)
    assert shown.err.count("\n") == 1
