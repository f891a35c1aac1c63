"""The staff's lists of uploads."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tests.db.apps.uploads.factories import ProcessingFactory

pytestmark = pytest.mark.django_db


def test_staff_find_uploads_by_id_and_by_user_and_cannot_change_them(client: Client) -> None:
    staff = get_user_model().objects.create_superuser("staff@example.com", "x")
    client.force_login(staff)
    found, other = ProcessingFactory(user_id=77), ProcessingFactory(user_id=78)

    for model, row, hidden in [
        ("processing", found, other),
        ("resume", found.resume, other.resume),
        ("requirements", found.requirements, other.requirements),
    ]:
        path = f"/admin/uploads/{model}/"
        for query in (row.id, row.user_id):
            listed = client.get(path, {"q": str(query)}).content.decode()
            assert f"{path}{row.id}/change/" in listed
            assert f"{path}{hidden.id}/change/" not in listed
        assert client.get(f"{path}{row.id}/change/").status_code == 200
        assert client.get(f"{path}add/").status_code == 403
        assert client.post(f"{path}{row.id}/delete/", {"post": "yes"}).status_code == 403
