"""deploy/kubernetes: valid by its schemas, and in step with settings, queues and compose."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from devstack.parts import WORKERS
from devstack.paths import ROOT
from kafka_bridge.tasks.registry import HANDLERS, load_handlers
from resume_platform.observability import metrics
from tests.stack.deploy import sources
from tests.stack.deploy.test_compose import SERVICES, SYSTEM

FOLDER = ROOT / "deploy/kubernetes"
FILES = sorted(FOLDER.rglob("*.yaml"))
# The oldest that we promise to run on, and the newest that the schemas know.
VERSIONS = ("1.25.0", kubernetes_validate.latest_version())
# Kustomize's own files are no objects of a cluster.
OF_KUSTOMIZE = {"Kustomization", "Component"}
PROCESSES = {"web", "bridge", "flower", *(f"worker-{queue}" for queue in WORKERS)}
# KEDA's specification of ScaledObject, as far as we use it: any other key is refused. Its
# `advanced.horizontalPodAutoscalerConfig` goes into an autoscaler, and is validated as one.
SCALED_OBJECT: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["scaleTargetRef", "triggers", "minReplicaCount", "maxReplicaCount"],
    "properties": {
        "scaleTargetRef": {
            "type": "object",
            "additionalProperties": False,
            "required": ["name"],
            "properties": {"name": {"type": "string"}},
        },
        "pollingInterval": {"type": "integer", "minimum": 1},
        "minReplicaCount": {"type": "integer", "minimum": 1},
        "maxReplicaCount": {"type": "integer", "minimum": 1},
        "advanced": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"horizontalPodAutoscalerConfig": {"type": "object"}},
        },
        "triggers": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["type", "metadata"],
                "properties": {
                    "type": {"const": "prometheus"},
                    "metricType": {"enum": ["AverageValue", "Value"]},
                    "metadata": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["serverAddress", "query", "threshold"],
                        "properties": {
                            "serverAddress": {"type": "string", "pattern": "^https?://"},
                            "query": {"type": "string"},
                            "threshold": {"type": "string", "pattern": "^[0-9]+$"},
                            "ignoreNullValues": {"enum": ["true", "false"]},
                        },
                    },
                },
            },
        },
    },
}


def documents(folder: Path = FOLDER) -> Iterator[dict[str, Any]]:
    for file in FILES:
        if file.is_relative_to(folder):
            yield from yaml.safe_load_all(file.read_text(encoding="utf-8"))


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {doc["metadata"]["name"]: doc for doc in documents() if doc["kind"] == kind}


DEPLOYMENTS = named("Deployment")
JOBS = named("Job")
TEMPLATES = {name: doc["spec"]["template"] for name, doc in (DEPLOYMENTS | JOBS).items()}
PODS = {name: template["spec"] for name, template in TEMPLATES.items()}
SETTINGS: dict[str, str] = named("ConfigMap")["resume-platform"]["data"]
SECRETS = {name: doc["stringData"] for name, doc in named("Secret").items()}


def validate(document: dict[str, Any], version: str) -> None:
    """Raises ValidationError."""
    if document["kind"] == "ScaledObject":
        assert document["apiVersion"] == "keda.sh/v1alpha1"
        jsonschema.validate(document["spec"], SCALED_OBJECT)
        document = autoscaler(document)
    kubernetes_validate.validate(document, version, strict=True)


def autoscaler(scaled: dict[str, Any]) -> dict[str, Any]:
    """The HorizontalPodAutoscaler that KEDA makes of it, but for the metric."""
    spec = scaled["spec"]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", **spec["scaleTargetRef"]}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": scaled["metadata"],
        "spec": {
            "scaleTargetRef": target,
            "minReplicas": spec["minReplicaCount"],
            "maxReplicas": spec["maxReplicaCount"],
            **spec["advanced"]["horizontalPodAutoscalerConfig"],
        },
    }


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(FOLDER)))
def test_the_schemas_find_no_fault(file: Path, version: str):
    found = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    assert found
    for document in found:
        if document["kind"] in OF_KUSTOMIZE:
            assert document["apiVersion"].startswith("kustomize.config.k8s.io/")
        else:
            validate(document, version)


def test_the_schemas_find_misspelt_keys():
    deployment = yaml.safe_load(yaml.safe_dump(DEPLOYMENTS["web"]))
    deployment["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(deployment, VERSIONS[0])
    scaled = yaml.safe_load(yaml.safe_dump(named("ScaledObject")["worker-ai"]))
    scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behaviour"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(scaled, VERSIONS[0])


def test_kustomize_takes_every_file_and_no_other():
    for file in (f for f in FILES if f.name == "kustomization.yaml"):
        listed = yaml.safe_load(file.read_text(encoding="utf-8"))
        here = {entry for entry in listed["resources"] if not entry.startswith("..")}
        assert here == {path.name for path in file.parent.glob("*.yaml")} - {file.name}
        for other in [e for e in listed["resources"] if e.startswith("..")]:
            assert (file.parent / other / "kustomization.yaml").is_file()


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_the_example_is_built_and_what_is_built_is_valid():
    run = subprocess.run(
        ["kubectl", "kustomize", FOLDER / "example"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    built = list(yaml.safe_load_all(run.stdout))
    for document in built:
        validate(document, VERSIONS[1])
    deployments = {doc["metadata"]["name"]: doc for doc in built if doc["kind"] == "Deployment"}
    assert set(deployments) == PROCESSES
    # What is scaled by others has no number of ours, which each apply would set again.
    assert {n for n, d in deployments.items() if "replicas" in d["spec"]} == {"bridge", "flower"}
    images = {
        c["image"]
        for doc in deployments.values()
        for c in containers(doc["spec"]["template"]["spec"])
    }
    assert len(images) == 1
    assert not re.search(r":latest$|/resume-platform$", images.pop())


def test_every_process_of_the_system_is_there_and_may_be_drained():
    assert set(DEPLOYMENTS) == PROCESSES
    assert set(JOBS) == {"migrate", "topics"}
    budgets = named("PodDisruptionBudget")
    assert set(budgets) == PROCESSES - {"flower"}
    for name, budget in budgets.items():
        assert budget["spec"]["maxUnavailable"] == 1
        assert DEPLOYMENTS[name]["spec"]["replicas"] >= 2
        selects(budget["spec"]["selector"]["matchLabels"], name)


def selects(labels: dict[str, str], name: str) -> None:
    chosen = [n for n, t in TEMPLATES.items() if labels.items() <= t["metadata"]["labels"].items()]
    assert chosen == [name]


def test_what_selects_pods_finds_its_own():
    for name, deployment in DEPLOYMENTS.items():
        selects(deployment["spec"]["selector"]["matchLabels"], name)
    for name, service in named("Service").items():
        selects(service["spec"]["selector"], name)
        ports = {port["name"] for port in PODS[name]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    for rule in named("Ingress")["web"]["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            backend = path["backend"]["service"]
            service = named("Service")[backend["name"]]
            assert backend["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


@pytest.mark.parametrize("name", sorted(PODS))
def test_a_pod_runs_with_no_more_rights_than_it_needs(name):
    pod = PODS[name]
    assert pod["automountServiceAccountToken"] is False
    # Variables of a Service "flower" would be read as Flower's options.
    assert pod["enableServiceLinks"] is False
    security = pod["securityContext"]
    user = SYSTEM.last("USER")
    assert user
    assert f"{security['runAsUser']}:{security['runAsGroup']}" == user.argument
    assert security["runAsNonRoot"] is True
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(pod):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert container["resources"]["limits"]["memory"]
        assert container["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]


@pytest.mark.parametrize("name", sorted(PODS))
def test_a_process_is_given_settings_that_exist_and_all_that_it_needs(name):
    for container in containers(PODS[name]):
        given: set[str] = {entry["name"] for entry in container.get("env", [])}
        known = sources.SETTINGS | sources.OF_PROCESSES | {"POD_IP", "PUBLIC_HOSTS"}
        assert given <= known
        for source in container["envFrom"]:
            ((kind, reference),) = source.items()
            held = SETTINGS if kind == "configMapRef" else SECRETS[reference["name"]]
            assert set(held) <= sources.SETTINGS | sources.OF_PROCESSES
            given |= set(held)
        assert sources.REQUIRED - set(sources.SECRETS) <= given
        process = "migrate" if container not in PODS[name]["containers"] else name
        assert {"name": "PROCESS_NAME", "value": process} in container["env"]
        assert given & set(sources.SECRETS) == sources.secrets_of(process)


def test_secrets_are_templates_and_stand_nowhere_else():
    assert {key for held in SECRETS.values() for key in held} == set(sources.SECRETS)
    assert {value for held in SECRETS.values() for value in held.values()} == {""}
    assert not set(SETTINGS) & set(sources.SECRETS)
    for pod in PODS.values():
        for container in containers(pod):
            assert not {e["name"] for e in container.get("env", [])} & set(sources.SECRETS)


def default(value: str | None) -> str | None:
    """What `${NAME:-value}` is when nobody sets NAME."""
    return value and re.sub(r"\$\{\w+:-(\w+)\}", r"\1", value)


@pytest.mark.parametrize("name", sorted(PODS))
def test_a_command_and_its_time_to_end_are_those_of_compose(name):
    service = SERVICES[name]
    arguments = PODS[name]["containers"][0].get("args")
    expected = service.get("command")
    assert arguments == expected
    environment = {e["name"]: e.get("value") for e in PODS[name]["containers"][0]["env"]}
    for setting in ("WORKER_THREADS", "DATABASE_POOL_SIZE"):
        assert environment.get(setting) == default(service["environment"].get(setting))
    period = f"{PODS[name]['terminationGracePeriodSeconds']}s"
    if name != "web":  # which waits before it ends
        assert period == service["stop_grace_period"]


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_probes_ask_a_port_that_answers_for_a_page_there_is(name):
    container = PODS[name]["containers"][0]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    environment = {entry["name"]: entry.get("value") for entry in container["env"]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[probe]["httpGet"]
        port = ports[asked["port"]]
        if name == "web":
            assert port == 8000
            assert sources.is_page(asked["path"])
        elif name == "flower":
            assert port == 5555
        else:
            assert str(port) == environment["METRICS_PORT"]
            assert environment["METRICS_HOST"] == "0.0.0.0"
    annotations = TEMPLATES[name]["metadata"]["annotations"]
    assert int(annotations["prometheus.io/port"]) in ports.values()


def test_each_worker_is_scaled_by_the_age_of_its_own_work():
    load_handlers()
    scaled = named("ScaledObject")
    assert set(scaled) == {f"worker-{queue}" for queue in sources.queues()}
    matched: dict[str, set[str]] = {}
    for name, document in scaled.items():
        assert document["spec"]["scaleTargetRef"]["name"] == name
        assert document["spec"]["minReplicaCount"] == DEPLOYMENTS[name]["spec"]["replicas"]
        for trigger in document["spec"]["triggers"]:
            query = re.fullmatch(r'max\((\w+)\{(\w+)=~"(.+)"\}\)', trigger["metadata"]["query"])
            assert query
            assert query[1] == metrics.INBOX_OLDEST_DUE.name
            assert query[2] in metrics.INBOX_OLDEST_DUE.labels
            matched[name] = {task for task in HANDLERS if re.fullmatch(query[3], task)}
    for task, spec in HANDLERS.items():
        assert [n for n, tasks in matched.items() if task in tasks] == [f"worker-{spec.queue}"]
