from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.errors import StrategyError
from snapkit.strategy import Archive, Copy, RecoveryVolume, Retention, Schedule, Strategy, Tier, Window
from snapkit.strategy.document import dumps, loads
from tests.strategy.test_retention import retentions

FULL = Strategy(
    'pro<tect> "db"',
    [
        Tier(Schedule("every 1h"), Retention(last=24)),
        Tier(
            Schedule(
                "every 2d at 03:00",
                timezone="Europe/Berlin",
                anchor=datetime(2026, 1, 5, tzinfo=UTC),
                window=Window(["sat", "sun"], "02:00", "05:00"),
                blackout=["2026-12-24/2026-12-26", "2027-01-01"],
            ),
            Retention(daily="all", within_weekly="1y2m", timezone="Asia/Tokyo"),
            "weekend",
            retries=0,
            retry_delay=timedelta(minutes=5),
            copies=[
                Copy("eu-west-1", Retention(last=7, timezone="Europe/Berlin")),
                Copy("eu-north-1", Retention(daily=30), kms_key="alias/dr"),
            ],
            archive=Archive(Retention(monthly=12, within="1y", timezone="Europe/Berlin")),
        ),
    ],
    RecoveryVolume(
        schedule=Schedule("every 1d", blackout=["2026-12-24"]),
        zone="us-east-1a",
        initialized=True,
        delay=timedelta(minutes=5),
    ),
)


def test_a_saved_strategy_loads_as_the_same_strategy(tmp_path: Path) -> None:
    path = tmp_path / "strategy.toml"
    FULL.save(path)
    assert Strategy.load(path) == FULL
    assert [entry.name for entry in tmp_path.iterdir()] == ["strategy.toml"]


def test_a_document_leaves_out_what_is_as_it_would_be_anyway() -> None:
    strategy = Strategy(
        "hourly", [Tier(Schedule("every 1h", timezone="Asia/Tokyo"), Retention(last=2, timezone="Asia/Tokyo"))]
    )
    assert dumps(strategy).splitlines() == [
        'name = "hourly"',
        "tiers = [",
        '    { name = "every 1h", schedule = "every 1h", timezone = "Asia/Tokyo", retention = { last = 2 } },',
        "]",
    ]
    assert loads(dumps(strategy)) == strategy


def test_a_document_takes_dates_as_toml_writes_them() -> None:
    text = f'name = "x"\n{TIER}blackout = [2026-12-24, "2026-12-25/2026-12-26"]'
    assert loads(text).tiers[0].schedule.blackout == ("2026-12-24/2026-12-26",)


ANY = st.builds(
    Tier,
    st.builds(
        Schedule,
        st.sampled_from(["every 1h", "rate(1 day)", "cron(0 3 ? * SUN *)"]),
        st.sampled_from(["UTC", "Asia/Tokyo"]),
        st.none(),
        st.none() | st.builds(Window, st.just(["sat"])),
        st.lists(st.dates(date(2026, 1, 1), date(2026, 2, 1)), max_size=5),
    ),
    retentions(),
    st.sampled_from(["", "any"]),
    st.integers(0, 3),
    st.sampled_from(["15min", "1h", 90.5, timedelta(minutes=2)]),
    st.lists(st.builds(Copy, st.sampled_from(["eu-west-1"]), retentions(), st.none() | st.just("key")), max_size=1),
    st.none() | st.builds(lambda kept: Archive(replace(kept, last=3)), retentions()),
)


@given(ANY)
def test_any_tier_is_read_as_it_was_written(tier: Tier) -> None:
    strategy = Strategy("any", [tier])
    assert loads(dumps(strategy)) == strategy


TIER = '[[tiers]]\nschedule = "every 1h"\nretention = { last = 1 }\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# mine\nname = x\n", r"strategy file 'my.toml' is not TOML: .*line 2.*; correct that line"),
        ("", r"my.toml: name None is no text; write name = "),
        ('name = "x"', r"my.toml: strategy tiers \[\] has nothing to do"),
        ('name = "x"\ntier = []', r"my.toml, line 2: key 'tier' is not known; did you mean 'tiers'\?"),
        (
            'name = "x"\ntiers = 3',
            r"my.toml, line 2: tiers 3 is no list of tables; write each tier under \[\[tiers\]\]",
        ),
        (
            f'name = "x"\n{TIER}colour = "red"',
            r"my.toml, line 5: tiers\[0\]: key 'colour' is not known; the keys are name, ",
        ),
        (
            f'name = "x"\n{TIER}[[tiers]]\nschedule = "every 1h"\nretention = {{ lats = 1 }}',
            r"my.toml, line 7: tiers\[1\].retention: key 'lats' is not known; did you mean 'last'\?",
        ),
        ('name = "x"\n[[tiers]]\nschedule = "every 1h"', r"my.toml, line 2: tiers\[0\]: retention None is no table"),
        (
            'name = "x"\n[[tiers]]\nschedule = "every 1h"\nretention = {}',
            r"my.toml, line 4: tiers\[0\].retention: retention 'Retention\(\)' has no rule",
        ),
        (
            'name = "x"\n[[tiers]]\nschedule = "often"\nretention = { last = 1 }',
            r"my.toml, line 3: tiers\[0\]: schedule 'often' is no schedule; write 'every 6h'",
        ),
        (
            'name = "x"\n[[tiers]]\nschedule = "cron(0 3 * * *)"\nretention = { last = 1 }',
            r"my.toml, line 3: tiers\[0\]: .*five fields",
        ),
        (
            f'name = "x"\n{TIER}window = {{ begin = "04:00" }}',
            r"my.toml, line 5: tiers\[0\].window: key 'begin' is not known",
        ),
        (
            f'name = "x"\n{TIER}retries = "two"',
            r"my.toml, line 5: tiers\[0\]: tier retries 'two' is not a whole number",
        ),
        (f'name = "x"\n{TIER}[recovery]\nschedule = "every 1d"', r"my.toml, line 5: recovery: zone None is no text"),
        (f'name = "x"\n{TIER}copies = 3', r"my.toml, line 5: tiers\[0\].copies 3 is no list of tables"),
        (
            f'name = "x"\n{TIER}[[tiers.copies]]\nregion = "a"',
            r"my.toml, line 5: tiers\[0\].copies\[0\]: retention None is no",
        ),
        (
            f'name = "x"\n{TIER}[[tiers.copies]]\nregion = ""\nretention = {{ last = 1 }}',
            r"my.toml, line 6: tiers\[0\].copies\[0\]: copy region '' is no region",
        ),
        (
            f'name = "x"\n{TIER}[[tiers.copies]]\nto = "a"',
            r"my.toml, line 6: tiers\[0\].copies\[0\]: key 'to' is not known",
        ),
        (
            f'name = "x"\n{TIER}blackout = "2026-12-24"',
            r"my.toml, line 5: tiers\[0\]: blackout '2026-12-24' is no list of days",
        ),
        (f'name = "x"\n{TIER}blackout = ["xmas"]', r"my.toml, line 5: tiers\[0\]: blackout 'xmas' is no day"),
        (f'name = "x"\n{TIER}archive = 3', r"my.toml, line 5: tiers\[0\]: archive 3 is no table"),
        (
            f'name = "x"\n{TIER}[tiers.archive]\nlats = 3',
            r"my.toml, line 6: tiers\[0\].archive: key 'lats' is not known; did you mean 'last'\?",
        ),
        (
            f'name = "x"\n{TIER}archive = {{ within = "7d" }}',
            r"my.toml, line 5: tiers\[0\].archive: archive retention .* deletes before 90 days",
        ),
        (f'name = "x"\nrecovery = 3\n{TIER}', r"my.toml, line 2: recovery 3 is no table"),
    ],
)
def test_documents_that_cannot_be_are_refused(text: str, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        loads(text, "my.toml")


@pytest.mark.parametrize(
    ("rules", "line"),
    [
        ("tiers = [\n  # often\n  { schedule = 'every 1h', retention = { last = 1 } },\n  { schedule = 'no' }\n]", 5),
        ("tiers = [{ schedule = 'every 1h', retention = { last = 1 }, copies = [\n\n{ to = 'a' },\n] }]", 4),
        (f"{TIER}blackout = [\n  '2026-12-24', # [[tiers]]\n  'xmas',\n]", 5),
        (f'{TIER}name = """\nretries = 3\n"""\nretries = -1', 8),
        (f"{TIER}retention.lats = 1".replace("retention = { last = 1 }\n", "retention.last = 1\n"), 5),
        (f"recovery.schedule = 'every 1d'\nrecovery.zone = ''\n{TIER}", 3),
        (f"{TIER}schedule_ = '\u2028'", 5),
        (f"{TIER}retries = -1\n".replace("\n", "\r\n"), 5),
    ],
)
def test_the_line_of_an_error_is_that_of_its_key_however_the_document_is_laid_out(rules: str, line: int) -> None:
    with pytest.raises(StrategyError, match=f"my.toml, line {line}: "):
        loads(f'name = "x"\n{rules}', "my.toml")


def test_what_stands_in_no_line_of_its_own_names_that_around_it_or_none() -> None:
    twice = f'name = "x"\n{TIER}name = "a"\n{TIER}name = "a"'
    with pytest.raises(StrategyError, match=r"^my.toml: tier name 'a' stands twice"):
        loads(twice, "my.toml")
    with pytest.raises(StrategyError, match=r"^my.toml, line 2: tiers\[0\]: schedule None is no text"):
        loads('name = "x"\n[[tiers]]\nretention = { last = 1 }', "my.toml")


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(
        StrategyError, match=r"strategy file '.*none.toml' cannot be read \(No such file or directory\)"
    ):
        Strategy.load(tmp_path / "none.toml")


def test_a_file_that_cannot_be_written_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(
        StrategyError, match=r"strategy file '.*x.toml' cannot be written \(No such file or directory\)"
    ):
        FULL.save(tmp_path / "no" / "x.toml")
    with pytest.raises(StrategyError, match=r"cannot be written \(Is a directory\)"):
        FULL.save(tmp_path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StrategyError, match=r"cannot be read \(not UTF-8 text\)"):
        Strategy.load(tmp_path / "bad.toml")
