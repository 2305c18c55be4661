"""The editor of strategies, driven without a browser."""

from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from snapkit.errors import InvalidRequest, StrategyError
from snapkit.forms.strategy import StrategyForm
from snapkit.strategy import Archive, Copy, RecoveryVolume, Retention, Schedule, Strategy, Tier, Window
from tests.ebs.ground import ESCAPED, HOSTILE
from tests.ebs.ground import Field as Ground
from tests.forms.test_form import buttons, shown

RICH = Strategy(
    "protect db",
    [
        Tier(
            Schedule("every 1d at 03:00", "Europe/Berlin", window=Window(["sat", "sun"]), blackout=["2026-12-24"]),
            Retention(last=14, within="1m", within_weekly="6m", timezone="Europe/Berlin"),
            "nightly",
            retries=5,
            retry_delay=timedelta(minutes=20),
            copies=[Copy("eu-west-1", Retention(last=7), "alias/backup"), Copy("us-west-2", Retention(daily=3))],
        ),
        Tier(
            Schedule("every 2 weeks", anchor="2026-01-05T03:00:00+00:00"),
            Retention(monthly="all"),
            archive=Archive(Retention(yearly=7)),
        ),
    ],
    RecoveryVolume(schedule=Schedule("every 1d at 06:00"), zone="us-east-1a", initialized=True, delay="5min"),
)


class At:
    """A clock that stands."""

    def __init__(self, moment: str = "2026-10-24T12:00:00+00:00") -> None:
        self._moment = datetime.fromisoformat(moment)

    def now(self) -> datetime:
        return self._moment

    def sleep(self, duration: Any) -> None:
        raise NotImplementedError

    async def asleep(self, duration: Any) -> None:
        raise NotImplementedError


def form_of(strategy: Strategy | None = None, path: Path | None = None) -> StrategyForm:
    return StrategyForm(strategy, path, clock=At())


def daily(**keep: Any) -> Strategy:
    return Strategy("daily", [Tier(Schedule("every 1d at 03:00"), Retention(**keep), "nightly")])


@pytest.fixture(scope="module")
def standing() -> StrategyForm:
    """Make a form that tests leave as they found it."""
    return form_of(Strategy("daily", daily(last=7).tiers, RICH.recovery))


def test_what_it_begins_with_comes_out_again() -> None:
    form = form_of(RICH)
    assert form.strategy == RICH
    assert form.problems == {}


def test_fields_make_up_the_strategy_that_is_saved(tmp_path: Path) -> None:
    form = form_of(path=tmp_path / "db.toml")
    form.name.value = "db"
    form.recovery.schedule.text.value, form.recovery.zone.value = "every 1d at 06:00", "us-east-1a"
    tier = form.tiers[0]
    tier.schedule.text.value, tier.schedule.timezone.value = "every 6h", "Europe/Berlin"
    tier.schedule.opens.value, tier.schedule.closes.value, tier.schedule.days.value = "22:00", "04:00", "mon, sunday"
    tier.schedule.blackout.value = "2026-12-24, 2026-12-31/2027-01-01"
    tier.retention.last.value, tier.retention.monthly.value, tier.retention.within.value = None, "all", "3d"
    tier.archive.yearly.value = 7
    tier.retries.value = 0
    tier.copies.add().region.value = "eu-west-1"
    window = Window(["mon", "sun"], "22:00", "04:00")
    made = form.submit()
    assert made is form.result
    assert made == Strategy(
        "db",
        [
            Tier(
                Schedule("every 6h", "Europe/Berlin", None, window, ["2026-12-24", "2026-12-31/2027-01-01"]),
                Retention(monthly="all", within="3d", timezone="Europe/Berlin"),
                "daily",
                retries=0,
                copies=[Copy("eu-west-1", Retention(last=7, timezone="Europe/Berlin"))],
                archive=Archive(Retention(yearly=7, timezone="Europe/Berlin")),
            )
        ],
        RecoveryVolume(schedule=Schedule("every 1d at 06:00"), zone="us-east-1a"),
    )
    assert Strategy.load(tmp_path / "db.toml") == made
    assert (tmp_path / "db.toml").read_text() in unescape(shown(form))
    assert "saved to" in shown(form)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("name", "", "Name is no name"),
        ("tiers[0].schedule.text", "every 5 moons", "Schedule has the unit 'moons', which is none; write minutes"),
        ("tiers[0].schedule.text", "every 1d at 25:00", "Schedule is no time of day; write HH:MM"),
        ("tiers[0].schedule.text", "cron(0 99 * * ? *)", "Schedule "),
        ("tiers[0].schedule.timezone", "Berlin", "Time zone is no time zone; use an IANA name"),
        ("tiers[0].schedule.opens", "9", "Window opens is no time of day"),
        ("tiers[0].schedule.closes", "04:00", "Window closes is also the start"),
        ("tiers[0].schedule.days", "mon, someday", "Days of the window is no day of the week"),
        ("tiers[0].schedule.blackout", "xmas", "Blackout days is no day; write dates"),
        ("tiers[0].schedule.anchor", "yesterday", "Anchor is no moment with a time zone"),
        ("tiers[0].retention.daily", "many", "Daily is not a whole number of at least 1"),
        ("tiers[0].retention.within", "1 month", "Within is no calendar span"),
        ("tiers[0].retention.within_daily", "x", "Daily within is no calendar span"),
        ("tiers[0].retries", -1, "Retries is not a whole number of at least 0"),
        ("tiers[0].retry_delay", "soon", "Retry delay is not a time span"),
        ("tiers[0].archive.last", 0, "Last is not a whole number of at least 1"),
        ("recovery.delay", "later", "Delay is not a time span"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(standing: StrategyForm, path: str, value: Any, told: str) -> None:
    form, before = standing, standing.strategy
    field = form.fields[path]
    was = field.value
    field.value = value
    assert list(form.problems) == [path]
    assert form.problems[path].startswith(told)
    assert form.problems[path] == field.problem
    with pytest.raises((StrategyError, InvalidRequest)):
        form.submit()
    assert form.error == f"Not saved: see {field.label}."
    field.value = was
    assert form.problems == {}
    assert form.strategy == before, "nothing else has changed"


def test_several_fields_are_told_at_once() -> None:
    form = form_of(daily(last=7))
    tier = form.tiers.add()
    tier.retention.last.value = None
    tier.schedule.text.value = "hourly"
    form.tiers[0].archive.within.value = "30d"
    assert form.problems == {
        "tiers[0].archive.last": "Last deletes before 90 days, for which each snapshot is paid anyway; "
        "keep them within '90d' or longer",
        "tiers[1].schedule.text": "Schedule is no schedule; write 'every 6h', 'rate(6 hours)' or 'cron(0 3 * * ? *)'",
        "tiers[1].retention.last": "Last has no rule: it would delete every snapshot; give one, such as last=7",
    }


def test_a_recovery_volume_wants_its_zone() -> None:
    form = form_of()
    form.recovery.schedule.text.value = "every 1d"
    assert form.problems == {
        "recovery.zone": "Availability zone is no availability zone; name one, such as 'us-east-1a'"
    }
    form.recovery.schedule.text.value = ""
    assert form.strategy.recovery is None


def test_tiers_are_added_and_taken_away() -> None:
    form = form_of(Strategy("berlin", [RICH.tiers[0]]))
    added = next(each for each in buttons(form) if each.description == "Add a tier")
    added.click()
    assert [tier.name for tier in form.strategy.tiers] == ["nightly", "tier 1"]
    assert form.strategy.tiers[1].describe().startswith("every day at 03:00 (Europe/Berlin), keep the last 7")
    form.tiers[1].name.value = "nightly"
    assert form.problems == {"tiers[1].name": "Tier stands twice in one strategy; give each tier a name of its own"}
    form.tiers.remove(0)
    assert form.problems == {}
    assert len(form.tiers) == len(form.strategy.tiers) == 1
    next(each for each in buttons(form) if each.description == "Remove this tier").click()
    assert form.problems == {"tiers": "Tiers has nothing to do; give it at least one Tier"}
    assert "give it at least one Tier" in shown(form)
    with pytest.raises(InvalidRequest, match=r"tier 0 is not here; add one first"):
        form.tiers.remove(0)


def test_copies_are_added_and_taken_away() -> None:
    form = form_of(RICH)
    copies = form.tiers[0].copies
    copies.add().region.value = "eu-west-1"
    assert form.problems == {
        "tiers[0].copies[2].region": "Region stands twice in one tier; copy to each region once",
    }
    copies.remove(0)
    assert [copy.region for copy in form.strategy.tiers[0].copies] == ["us-west-2", "eu-west-1"]


def test_plain_words_and_the_next_runs_follow_the_fields_through_a_change_of_the_clock() -> None:
    form = form_of(daily(last=14))
    form.tiers[0].schedule.timezone.value = "Europe/Berlin"
    html = shown(form)
    assert "Every day at 03:00 (Europe/Berlin), keep the last 14 (Europe/Berlin)" in html
    for local, utc in (("Sun 25 Oct 2026 03:00 CET", "Sun 25 Oct 2026 02:00 UTC"), ("Thu 29 Oct", "Thu 29 Oct")):
        assert f">{local}" in html
        assert f">{utc}" in html
    assert "Fri 30 Oct" not in html, "five runs"
    form.tiers[0].schedule.text.value = "cron(0 3 1 1 ? 2020)"
    assert "It is never due again." in shown(form)


def test_the_calendar_shows_what_is_kept_and_is_dimmed_while_that_is_not_known() -> None:
    form = form_of(daily(last=3, monthly=2))
    assert "<title>Oct 2026, 24: 1 kept, last snapshot</title>" in shown(form)
    assert "<title>Sep, 30: 1 kept, monthly snapshot</title>" in shown(form)
    form.tiers[0].retention.last.value = 4
    assert "<title>Oct 2026, 21: 1 kept, last snapshot</title>" in shown(form)
    form.tiers[0].retention.last.value = "x"
    assert "<title>Oct 2026, 21: 1 kept, last snapshot</title>" in shown(form)
    assert "snapkit-before" in form._calendar._dom_classes
    form.tiers[0].retention.last.value = 1
    assert "Oct 2026, 21" not in shown(form)
    assert "snapkit-before" not in form._calendar._dom_classes


def test_a_calendar_of_more_reasons_than_shades_tells_them_apart() -> None:
    tiers = [Tier(Schedule(f"every 1d at 0{hour}:00"), Retention(last=hour + 1), f"at {hour}") for hour in range(6)]
    html = shown(form_of(Strategy("many", tiers)))
    squares = [part.split("</svg>")[0] for part in html.split("<svg aria-hidden")[1:]]
    assert len(set(squares)) == 6


def test_what_saving_does_is_told_before(tmp_path: Path) -> None:
    path = tmp_path / "daily.toml"
    form = form_of(daily(last=7))
    assert "No file is named" in shown(form)
    assert buttons(form)[-2].description == "Use strategy"
    form.path.value = str(path)
    assert f"Makes {path}." in shown(form)
    assert buttons(form)[-2].description == "Save strategy"
    form.submit()
    form.tiers[0].name.value = "every night"
    assert form.state == "ready", "it can be edited further"
    assert f"Replaces {path}, which is there already." in shown(form)
    assert "No tier is called nightly any more: the strategy never deletes snapshots that carry such a name" in repr(
        form
    )
    assert form.submit().tiers[0].name == "every night"
    assert "No tier is called" not in shown(form)


def test_a_file_is_edited(tmp_path: Path) -> None:
    path = tmp_path / "rich.toml"
    RICH.save(path)
    assert form_of(path=path).strategy == Strategy.load(path)
    path.write_text("name = 5")
    with pytest.raises(StrategyError, match=r"rich.toml.*: name 5 is no text"):
        form_of(path=path)


def test_a_file_that_cannot_be_written_leaves_the_form_usable(tmp_path: Path) -> None:
    ended = list[str]()
    form = form_of(daily(last=7), tmp_path / "nowhere" / "daily.toml")
    form.on_end(lambda each: ended.append(each.state))
    with pytest.raises(StrategyError, match="cannot be written"):
        form.submit()
    assert "cannot be written" in form.error
    assert 'role="alert"' in shown(form)
    form.path.value = ""
    buttons(form)[-2].click()
    assert (form.error, form.result, ended) == ("", form.strategy, ["done"])


def test_a_path_that_is_none_is_told_and_reaches_the_caller() -> None:
    form = form_of(daily(last=7))
    form.path.value = "x" * 5000
    with pytest.raises(StrategyError, match="cannot be written"):
        form.submit()
    form.path.value = "a\0b"
    with pytest.raises(StrategyError, match="null"):
        form.submit()
    assert "embedded null byte" in form.error


def test_a_pane_with_a_problem_opens() -> None:
    form = form_of(daily(last=7))
    panes = next(each for each in form.tiers[0].widget.children if type(each).__name__ == "Accordion")
    assert panes.selected_index is None
    form.tiers[0].archive.yearly.value = "x"
    assert panes.titles[panes.selected_index] == "Archive"


def test_a_rule_that_is_rare_is_shown_once_it_is_given() -> None:
    form = form_of(daily(last=7))
    assert form.tiers[0].retention.within_daily.hidden
    form.tiers[0].retention.within_daily.value = "3m"
    assert not form.tiers[0].retention.within_daily.hidden


def test_the_button_tells_what_is_wrong() -> None:
    form = form_of(daily(last=7))
    form.name.value = ""
    buttons(form)[-2].click()
    assert form.result is None
    assert "Not saved: see Name." in shown(form)


def test_cancel_closes_it() -> None:
    form, ended = form_of(RICH), list[str]()
    form.on_end(lambda each: ended.append(each.state))
    buttons(form)[-1].click()
    form.cancel()
    assert ended == ["cancelled"]
    assert all(each.disabled for each in [*form.fields.values(), *buttons(form)])
    with pytest.raises(InvalidRequest, match="is cancelled already; open another one"):
        form.submit()


def test_markup_shows_as_it_is() -> None:
    tier = Tier(Schedule("every 1d"), Retention(last=2), HOSTILE, copies=[Copy(HOSTILE, Retention(last=1))])
    form = form_of(Strategy(HOSTILE, [tier, *daily(last=1).tiers]))
    form.submit()
    for html in (shown(form), form._repr_mimebundle_()["text/html"]):
        assert HOSTILE not in html
        assert ESCAPED in html


def test_text_is_the_same_at_any_time() -> None:
    later = StrategyForm(RICH, clock=At("2027-03-01T00:00:00+00:00"))
    bundles = [{**form._repr_mimebundle_()} for form in (form_of(RICH), later)]
    assert all("application/vnd.jupyter.widget-view+json" in each for each in bundles)
    assert bundles[0]["text/html"] == bundles[1]["text/html"]
    assert repr(later) == repr(form_of(RICH)) == bundles[0]["text/plain"]
    assert repr(form_of(daily(last=7))).splitlines() == [
        "StrategyForm",
        "  Name             daily",
        "  Tier nightly     every day at 03:00 (UTC), keep the last 7",
        "  Recovery volume",
        "  File",
        "  effect           No file is named: the strategy is the result of the form, and saved nowhere.",
        "  state            ready",
    ]


def test_without_a_clock_the_next_runs_are_those_of_the_world_outside() -> None:
    tomorrow = f"{datetime.now(UTC) + timedelta(days=2):%a %d %b %Y} 03:00 UTC"
    assert tomorrow in shown(StrategyForm(daily(last=1)))


def test_in_a_region_a_plan_is_made_approved_and_applied(ground: Ground) -> None:
    volume = ground.new_volume(name="data")
    form = StrategyForm(daily(last=7), of=ground.region())
    with pytest.raises(InvalidRequest, match="choose a volume or a server"):
        form.plan()
    assert "choose a volume or a server" in form.error
    form.target.value = volume.id
    plan = form.plan()
    assert form.error == ""
    assert "Take vol-" in shown(form)
    plan.by.value = "ada"
    assert plan.submit().complete
    assert ground.count() == 1
    assert "approved by ada" in shown(form)


def test_a_plan_that_is_open_goes_when_the_strategy_changes(ground: Ground) -> None:
    form = StrategyForm(daily(last=7), of=ground.new_volume())
    assert form.target.disabled
    form.plan()
    form.tiers[0].retention.last.value = 8
    assert form.opened is None
    assert "Approved by" not in "".join(each.description for each in buttons(form))
    form.export()
    assert form.opened is not None
    form.opened.cancel()
    assert form.opened is None
    form.plan()
    form.cancel()
    assert form.opened is None
    with pytest.raises(InvalidRequest, match="is cancelled already"):
        form.plan()


def test_what_cannot_be_planned_is_told_in_the_form(ground: Ground) -> None:
    volume = ground.new_volume()
    form = StrategyForm(daily(last=7), of=volume)
    form.name.value = ""
    with pytest.raises(StrategyError):
        form.plan()
    assert form.error == "Not opened: see Name."
    form.name.value = "daily"
    ground.faults("DescribeSnapshots", unavailable=50)
    next(each for each in buttons(form) if each.description == "Plan").click()
    assert "DescribeSnapshots" in form.error
    assert 'role="alert"' in shown(form)
    ground.sandbox.faults.clear()
    form.plan()
    assert form.error == ""


def test_it_is_exported_as_the_fields_say(ground: Ground) -> None:
    form = StrategyForm(daily(last=7), of=ground.region())
    form.tiers[0].retention.last.value = 9
    export = form.export()
    export.engine.value = "cloudformation"
    assert '"Count": 9' in export.document.value
    assert repr(form).splitlines()[5].split() == ["Volume", "or", "server"]


def test_without_a_region_there_is_no_plan() -> None:
    form = form_of(daily(last=7))
    assert "Plan" not in [each.description for each in buttons(form)]
    for deed in (form.plan, form.export):
        with pytest.raises(InvalidRequest, match="was made for no region; make it with of=region"):
            deed()
