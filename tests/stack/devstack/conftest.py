"""What the tests of the dev stack share."""

from tests.support.supervised import supervise  # noqa: F401
