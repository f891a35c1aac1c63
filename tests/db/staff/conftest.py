"""What the tests of the staff's pages share."""

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import Client


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Each test counts for itself."""
    cache.clear()


@pytest.fixture
def superuser(client: Client) -> Client:
    """A browser in which somebody with every right is logged in."""
    user = get_user_model().objects.create(
        username="staff@example.com", is_staff=True, is_superuser=True
    )
    client.force_login(user)
    return client
