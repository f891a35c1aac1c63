import pytest

pytestmark = pytest.mark.django_db


def test_start(superuser):
    page = superuser.get("/admin/")
    assert page.status_code == 200
    assert superuser.get("/admin/storage/storedprocessing/").status_code == 200
    assert superuser.get("/admin/storage/storedrequirements/").status_code == 200
