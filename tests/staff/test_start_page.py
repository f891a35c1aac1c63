import pytest

pytestmark = pytest.mark.django_db


def test_start(superuser):
    assert superuser.get("/admin/").status_code == 200
