"""A column that a page hides cannot be read letter by letter through the list's address."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client, RequestFactory

from apps.uploads.models import Processing
from resume_platform.admin.base import asked_by
from tests.db.apps.uploads.factories import ProcessingFactory, ResumeFactory

pytestmark = pytest.mark.django_db


def filtered(page: admin.ModelAdmin) -> set[str]:
    return ({asked_by(one) for one in page.list_filter} | {page.date_hierarchy}) - {None}


@pytest.mark.parametrize("page", admin.site._registry.values(), ids=str)
def test_no_page_answers_what_no_filter_of_it_asks(page, admin_user):
    request = RequestFactory().get("/")
    request.user = admin_user
    columns = {field.name for field in page.model._meta.fields}
    hidden = columns - filtered(page)
    assert hidden
    for name in hidden:
        for comparison in ("", "__contains", "__startswith", "__regex", "__exact", "__gte"):
            assert not page.lookup_allowed(name + comparison, "a", request), name + comparison
    for name in columns - hidden:
        for comparison in ("__contains", "__startswith", "__regex"):
            assert not page.lookup_allowed(name + comparison, "a", request), name + comparison


def test_a_list_refuses_the_letters_of_a_callback_url(superuser: Client):
    ProcessingFactory(callback_url="https://client.example/secret")
    path = "/admin/uploads/processing/"
    assert superuser.get(path, {"callback_url__contains": "/secret"}).status_code == 400
    page = superuser.get(f"{path}{Processing.objects.get().pk}/change/")
    assert page.status_code == 200
    assert "/secret" not in page.content.decode()


def test_who_opens_a_text_is_in_the_admin_log(superuser: Client):
    text = ResumeFactory()
    assert superuser.get(f"/admin/uploads/resume/{text.pk}/change/").status_code == 200
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (str(text.pk), "opened")
