"""The two groups: made by migrate, brought to what the table says, and no more than that."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS

from staff.groups import OPERATORS, PERMISSIONS, REVIEWERS, ensure_groups

pytestmark = pytest.mark.django_db


def permissions_of(name: str) -> set[str]:
    found = Permission.objects.filter(group__name=name).select_related("content_type")
    return {f"{one.content_type.app_label}.{one.codename}" for one in found}


def test_migrate_made_them_with_every_permission_that_the_table_names() -> None:
    for name, permissions in PERMISSIONS.items():
        assert permissions_of(name) == set(permissions)


def test_migrating_again_changes_nothing_and_mends_what_was_changed() -> None:
    Group.objects.get(name=REVIEWERS).permissions.add(
        Permission.objects.get(codename="view_payload")
    )
    Group.objects.get(name=OPERATORS).permissions.clear()
    other = Group.objects.create(name="Our own")
    for _ in range(2):
        call_command("migrate", verbosity=0)
    assert {group.name for group in Group.objects.all()} == {REVIEWERS, OPERATORS, other.name}
    for name, permissions in PERMISSIONS.items():
        assert permissions_of(name) == set(permissions)


def test_a_permission_of_an_app_that_is_left_out_is_passed_over() -> None:
    Permission.objects.filter(content_type__app_label="notifications").delete()
    ensure_groups(using=DEFAULT_DB_ALIAS)
    assert "storage.judge_again" in permissions_of(OPERATORS)
    assert not any(one.startswith("notifications.") for one in permissions_of(OPERATORS))


def test_only_operators_act_only_reviewers_export_and_neither_sees_payloads() -> None:
    reviewers, operators = set(PERMISSIONS[REVIEWERS]), set(PERMISSIONS[OPERATORS])
    assert reviewers - operators == {"storage.export_processing"}
    assert {one for one in reviewers if ".view_" not in one} == {"storage.export_processing"}
    assert "kafka_bridge.view_payload" not in reviewers | operators
