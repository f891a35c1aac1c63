"""The OpenAPI document: complete, in step with what is committed, and shown without other hosts."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.yaml"
MAKE_IT = "python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml"

# The contract's table: method and path, success, other statuses.
TABLE = {
    ("post", "/auth/register"): {201, 409, 422},
    ("post", "/auth/login"): {200, 401, 422, 429},
    ("post", "/auth/refresh_token"): {200, 401},
    ("post", "/auth/logout"): {200, 401},
    ("post", "/create_resume/text"): {200, 422},
    ("post", "/create_resume/file"): {200, 400, 413},
    ("post", "/create_requirements/text"): {200, 422},
    ("post", "/create_requirements/file"): {200, 400, 413},
    ("post", "/start_processing"): {200, 403, 404, 422, 429},
    ("delete", "/delete_processing"): {200, 401, 422},
    ("post", "/delete_processing"): {200, 401, 422},
    ("delete", "/delete_requirements"): {200, 401, 422},
    ("post", "/delete_requirements"): {200, 401, 422},
    ("get", "/me"): {200, 401},
    ("get", "/get_resume"): {200, 403, 404},
    ("get", "/get_requirements"): {200, 403, 404},
    ("get", "/get_processing"): {200, 400, 403, 404},
    ("get", "/get_processing_detail"): {200, 400, 403, 404},
    ("get", "/health"): {200, 503},
    ("get", "/health/live"): {200},
    ("get", "/health/ready"): {200, 503},
    ("get", "/metrics"): {200},
    ("get", "/webhook_secret"): {200, 401},
}
PUBLIC = ("/auth/register", "/auth/login", "/auth/refresh_token", "/health", "/metrics")


@pytest.fixture(scope="module")
def schema() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)


def test_the_committed_document_is_what_the_code_says(schema: Any) -> None:
    made = OpenApiYamlRenderer().render(schema, renderer_context={}).decode()
    assert made == COMMITTED.read_text(), f"the schema has changed: {MAKE_IT}"


def test_the_document_is_valid_openapi(schema: Any) -> None:
    validate_schema(schema)


@pytest.mark.parametrize(("method", "path"), TABLE, ids=lambda value: value)
def test_every_status_of_the_contract_is_described(schema: Any, method: str, path: str) -> None:
    operation = schema["paths"][path][method]
    described = {int(status) for status in operation["responses"]}
    assert TABLE[method, path] <= described
    if not path.startswith(PUBLIC):
        assert 401 in described
        assert operation["security"] == [{"access_token": []}]
    if method == "delete":
        assert operation["requestBody"]


def test_every_operation_has_a_summary_and_examples_of_its_answers_and_errors(schema: Any) -> None:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary") or operation.get("description"), (method, path)
            for status, response in operation["responses"].items():
                for kind, content in response.get("content", {}).items():
                    if kind == "application/json" and path in dict(TABLE.keys()).values():
                        assert content["examples"], (method, path, status)
            for status in ("500", "503"):
                assert status in operation["responses"]
            if "429" in operation["responses"]:
                assert "Retry-After" in operation["responses"]["429"]["headers"]


def test_examples_of_errors_have_the_one_shape(schema: Any) -> None:
    for operations in schema["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if int(status) < 400:
                    continue
                for example in response["content"]["application/json"]["examples"].values():
                    expected = {"detail", "code"} | ({"errors"} if status == "422" else set())
                    more = {"parts"} if example["value"]["code"] == "not_ready" else set()
                    assert set(example["value"]) == expected | more


def test_docs_load_nothing_from_other_hosts() -> None:
    client = Client()
    page = client.get("/docs")
    html = page.content.decode()
    links = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert len(links) >= 4
    script = client.get("/docs?script=").content.decode()
    for text in (*links, script):
        assert "//" not in re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE), text
    for link in links:
        assert client.get(link).status_code == 200, link
    styles = client.get(next(link for link in links if link.endswith(".css")))
    css = b"".join(styles.streaming_content).decode()  # type: ignore[attr-defined]
    assert not re.findall(r"url\(['\"]?(?:https?:)?//", css)
    # And if a script of theirs tried: the browser is told to refuse.
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]
    assert "<script>" not in html


def test_the_schema_is_served_as_yaml_and_as_json(schema: Any) -> None:
    client = Client()
    served = yaml.safe_load(client.get("/schema").content)
    assert served["paths"].keys() == schema["paths"].keys()
    assert client.get("/schema", HTTP_ACCEPT="application/json").json()["openapi"]
    assert client.get("/schema", HTTP_ACCEPT="image/png").status_code == 200
