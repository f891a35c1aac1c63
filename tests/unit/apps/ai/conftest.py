"""The resumes in `examples/`, read once."""

import pytest

from apps.ai.evaluation.files import read_file
from tests.support.paths import EXAMPLES


@pytest.fixture(scope="session")
def example_resumes() -> dict[str, str]:
    return {path.name: read_file(path) for path in sorted((EXAMPLES / "resumes").iterdir())}
