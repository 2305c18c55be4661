"""Sharing is checked beforehand, may end, and can be undone."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from snapkit import AccessDenied, AwsError, InvalidRequest, NotShareable, Throttled
from snapkit.ebs import Snapshot
from snapkit.ebs.sharing import Term, terms
from tests.ebs.ground import OTHER, OWN, Field
from tests.ebs.share_ground import THIRD, deny, encrypted, own_key, term_of
from tests.ebs.test_blockers import calls_of


@pytest.fixture
def snapshot(field: Field) -> Snapshot:
    return field.new_volume(name="v").take_snapshot().wait()


def test_a_shared_snapshot_appears_in_the_other_accounts_listing(field: Field, snapshot: Snapshot) -> None:
    there = field.region(account=1)
    assert len(there.snapshots.find(shared_with_me=True)) == 0
    snapshot.share(OTHER)
    (seen,) = there.snapshots.find(shared_with_me=True)
    assert (seen.id, seen.account) == (snapshot.id, OWN)
    assert seen.create_volume("us-east-1a").snapshot_id == snapshot.id
    snapshot.unshare(OTHER)
    assert len(there.snapshots.find(shared_with_me=True)) == 0


def test_several_accounts_at_once_and_none_of_them_twice(field: Field, snapshot: Snapshot) -> None:
    snapshot.share(OTHER, THIRD, OTHER)
    assert sorted(snapshot.shared_with()) == [OTHER, THIRD]
    snapshot.unshare(THIRD)
    assert snapshot.shared_with() == (OTHER,)


@pytest.mark.parametrize(
    ("accounts", "words"),
    [
        ((OWN,), "owns the snapshot; share it with another one"),
        ((OTHER, OWN), "owns the snapshot"),
        (("12345",), "is no id of an account; give twelve digits, as text"),
        (("12345678901a",), "is no id of an account"),
        (("١٢٣٤٥٦٧٨٩٠١٢",), "is no id of an account"),
        ((111122223333,), "is no id of an account"),
        (("all",), "is no id of an account"),
        ((), "are none"),
    ],
)
def test_who_cannot_be_shared_with_is_refused_before_any_call(
    field: Field, snapshot: Snapshot, accounts: tuple[Any, ...], words: str
) -> None:
    for operation in ("GetCallerIdentity", "GetSnapshotBlockPublicAccessState", "ModifySnapshotAttribute"):
        field.faults(operation, throttle=1)
    with pytest.raises(InvalidRequest, match=words):
        snapshot.share(*accounts)
    assert len(field.sandbox.faults.pending()) == 3


def test_pain_20_exposure_a_public_share_wants_the_id_typed(field: Field, snapshot: Snapshot) -> None:
    with pytest.raises(InvalidRequest, match=f"is not {snapshot.id}, whose data everyone in AWS could then read"):
        snapshot.share_publicly(confirm="yes")
    assert snapshot.shared_with() == ()
    snapshot.share_publicly(confirm=snapshot.id)
    assert snapshot.shared_with() == ("all",)


def test_make_private_undoes_both_kinds(field: Field, snapshot: Snapshot) -> None:
    snapshot.share(OTHER)
    snapshot.share_publicly(confirm=snapshot.id)
    snapshot.make_private()
    assert snapshot.shared_with() == ()


def test_a_public_share_of_an_encrypted_snapshot_is_refused_before_aws_does(field: Field) -> None:
    snapshot = encrypted(field, kms_key_id=own_key(field))
    field.faults("ModifySnapshotAttribute", throttle=1)
    with pytest.raises(NotShareable, match="an encrypted snapshot cannot be public"):
        snapshot.share_publicly(confirm=snapshot.id)
    assert len(field.sandbox.faults.pending()) == 1


def test_throttles_and_lost_answers_share_once(field: Field, snapshot: Snapshot) -> None:
    field.faults("ModifySnapshotAttribute", throttle=1, lost=1)
    with calls_of(snapshot.region) as calls:
        if field.endpoint is None:
            # This client tries again by itself.
            snapshot.share(OTHER, until="30d")
        else:
            with pytest.raises(Throttled, match="wait a little and try again"):
                snapshot.share(OTHER, until="30d")
            assert not terms(snapshot.refresh().tags)
            with pytest.raises(AwsError, match="no answer came"):
                snapshot.share(OTHER, until="30d")
            # It may be shared by now, and it is: so its end stays.
            assert list(terms(snapshot.refresh().tags)) == [OTHER]
    assert field.sandbox.faults.pending() == []
    assert [name for name, _ in calls].count("ModifySnapshotAttribute") == (1 if field.endpoint is None else 2)
    assert snapshot.shared_with() == (OTHER,)
    snapshot.share(OTHER, until="30d")
    assert snapshot.shared_with() == (OTHER,)


def test_an_expiring_share_is_kept_in_a_tag_for_each_account(field: Field, snapshot: Snapshot) -> None:
    now = field.clock.now()
    snapshot.share(OTHER, until="30d")
    field.clock.advance("1d")
    snapshot.share(THIRD, until=datetime(2027, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))))
    tags = snapshot.refresh().tags
    assert tags[f"snapkit:shared-{OTHER}"].startswith(f"{now:%Y-%m-%dT%H}")
    assert tags[f"snapkit:shared-{THIRD}"].endswith("/2027-01-01T00:00:00Z")
    assert set(snapshot.shared_with()) == set(terms(tags)) == {OTHER, THIRD}
    first = term_of(snapshot)
    assert first.until - first.since == timedelta(days=30)
    # A later end leaves since when it is shared.
    snapshot.share(OTHER, until="60d")
    later = term_of(snapshot.refresh())
    assert later.since == first.since
    assert later.until - later.since == pytest.approx(timedelta(days=61), abs=timedelta(minutes=1))


def test_a_share_for_good_takes_an_earlier_end_off(field: Field, snapshot: Snapshot) -> None:
    snapshot.share(OTHER, THIRD, until="30d")
    field.region().snapshots.get(snapshot.id).share(OTHER)
    assert list(terms(snapshot.refresh().tags)) == [THIRD]
    assert set(snapshot.shared_with()) == {OTHER, THIRD}


def test_unshare_and_make_private_take_the_ends_off_also_by_an_old_object(field: Field, snapshot: Snapshot) -> None:
    old = field.region().snapshots.get(snapshot.id)
    snapshot.share(OTHER, THIRD, until="30d")
    old.unshare(OTHER)
    assert list(terms(snapshot.refresh().tags)) == [THIRD]
    old = field.region().snapshots.get(snapshot.id)
    snapshot.share(OTHER, until="2d")
    old.make_private()
    assert terms(snapshot.refresh().tags) == {}
    assert (snapshot.name, snapshot.shared_with()) == ("v", ())


@pytest.mark.parametrize(
    ("until", "words"),
    [
        (datetime(2020, 1, 1, tzinfo=UTC), "is not in the future"),
        (datetime(2030, 1, 1), "has no time zone; give '30d', or a moment"),  # noqa: DTZ001 - that is the point
        ("soon", "is not a time span"),
        ("0d", "is not a positive, finite time span"),
        ("99999999d", "is beyond all calendars"),
        (-3, "is not a positive"),
    ],
)
def test_an_end_that_cannot_be_is_refused_before_any_call(
    field: Field, snapshot: Snapshot, until: Any, words: str
) -> None:
    with calls_of(snapshot.region) as calls, pytest.raises(InvalidRequest, match=words):
        snapshot.share(OTHER, until=until)
    assert calls == []


def test_more_ends_than_there_is_room_for_are_refused_before_anything_is_done(field: Field) -> None:
    more = {f"key {number}": "x" for number in range(46)}
    snapshot = field.new_volume().take_snapshot(tags=more).wait()
    with pytest.raises(InvalidRequest, match=f"need a tag each for their end, 1 more than {snapshot.id} has room for"):
        snapshot.share(*(str(number) * 12 for number in range(2, 6)), until="1d")
    assert snapshot.shared_with() == ()
    assert terms(snapshot.refresh().tags) == {}


def test_where_the_tag_is_denied_nothing_is_shared_without_its_end(field: Field, snapshot: Snapshot) -> None:
    deny(snapshot.region.aws, "ec2", "CreateTags")
    with pytest.raises(AccessDenied, match="CreateTags"):
        snapshot.share(OTHER, until="30d")
    assert snapshot.shared_with() == ()
    snapshot.share(OTHER)
    assert snapshot.shared_with() == (OTHER,)


def test_where_the_share_is_denied_the_tags_are_what_they_were(field: Field, snapshot: Snapshot) -> None:
    snapshot.share(OTHER, until="30d")
    before = terms(snapshot.tags)
    deny(snapshot.region.aws, "ec2", "ModifySnapshotAttribute")
    with pytest.raises(AccessDenied, match="ModifySnapshotAttribute"):
        snapshot.share(OTHER, THIRD, until="60d")
    assert terms(snapshot.refresh().tags) == before
    assert snapshot.shared_with() == (OTHER,)


def test_tags_that_others_wrote_are_no_ends() -> None:
    assert terms({"snapkit:shared-until": "2026-02-01", "Name": "x", "snapkit:shared-12": "a/b"}) == {}
    unreadable = ("", "2026-02-01", "a/b", "2026-01-01T00:00:00/2026-02-01T00:00:00", "2026-01-01T00:00:00Z/..", "///")
    for text in unreadable:
        assert terms({f"snapkit:shared-{OTHER}": text}) == {OTHER: None}
    term = Term(datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 2, 4, tzinfo=UTC))
    assert str(term) == "2026-01-05T00:00:00Z/2026-02-04T00:00:00Z"
    assert Term.read(str(term)) == term
