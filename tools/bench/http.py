"""HTTP: 16 kept connections against one endpoint after another, beside an empty view."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from devstack.paths import ROOT
from devstack.stack import Stack
from tools.bench import load, usage, users
from tools.bench.figures import RATE, Figures, percentile
from tools.bench.floors import django_view
from tools.bench.receiver import Receiver
from tools.bench.rig import Rig
from tools.bench.texts import resume
from tools.bench.throughput import judge

CONNECTIONS = 16
USERS = 16
TEXTS = 1000
JUDGED = 64
PDF = ROOT / "examples" / "resumes" / "raman_priya.pdf"
LOGINS = 10

FLOOR = "floor: an empty Django view"


@dataclass(frozen=True)
class Prepared:
    """A system with something to read, and who may."""

    stack: Stack
    people: list[users.User]
    resumes: list[int]
    processings: list[int]
    """In turn the users', like the resumes."""
    callback_url: str

    def by(self, number: int) -> users.User:
        return self.people[number % len(self.people)]


def measure(rig: Rig, figures: Figures) -> None:
    seconds = rig.size(10, 2)
    busiest = 0.0
    for _ in rig.each_run("http"):
        # A new system for each run: what the last one started is not worked off meanwhile.
        with rig.stack() as stack, Receiver() as receiver:
            prepared = _prepare(stack, receiver)
            _add_floor(figures, stack, seconds)
            for name, requests in ENDPOINTS.items():
                with rig.spending(stack) as used:
                    report = load.run(
                        users.port(stack),
                        requests(prepared),
                        connections=CONNECTIONS,
                        seconds=seconds,
                    )
                _add(figures, name, report, used["web"])
                busiest = max(busiest, report.cpu_seconds / report.seconds)
            _compare_logins(figures, prepared)
    figures.remark(f"{CONNECTIONS} connections, {seconds} s for each.")
    figures.remark(f"The client used {busiest:.0%} of a core at most.")
    figures.remark("The events of what is written are worked off meanwhile, on the same cores.")


def _add_floor(figures: Figures, stack: Stack, seconds: float) -> None:
    with django_view.served(stack) as (port, pid):
        before = usage.cpu_seconds({"web": pid})
        report = load.run(port, [load.request("GET", "/")], seconds=seconds).must_all_be(200)
        used = usage.spent(before, usage.cpu_seconds({"web": pid}))
    figures.add(FLOOR, report.answers / report.seconds, RATE)
    figures.add(f"{FLOOR}, p50", percentile(report.latencies_ms, 50), "ms")
    figures.add(f"{FLOOR}, CPU of web", used["web"] / report.answers * 1000, "s/1,000", detail=True)


def _add(figures: Figures, name: str, report: load.Report, cpu: float) -> None:
    others = {status: n for status, n in report.statuses.items() if status != "200"}
    good = report.statuses.get("200", 0)
    figures.add(name, good / report.seconds, RATE, floor=FLOOR)
    figures.add(f"{name}, p50", percentile(report.latencies_ms, 50), "ms", floor=f"{FLOOR}, p50")
    figures.add(f"{name}, p99", percentile(report.latencies_ms, 99), "ms")
    figures.add(
        f"{name}, CPU of web",
        cpu / report.answers * 1000,
        "s/1,000",
        floor=f"{FLOOR}, CPU of web",
        detail=True,
    )
    figures.add(f"{name}, other answers", sum(others.values()), "", detail=True)
    if others:
        figures.remark(f"{name} was also answered {others} in a run.")


def _prepare(stack: Stack, receiver: Receiver) -> Prepared:
    people = users.make(stack, USERS)
    judged = judge(stack, receiver, people, JUDGED, first=0)
    return Prepared(stack, people, judged.resumes, judged.processings, receiver.url)


def _get_resume(prepared: Prepared) -> list[str]:
    return [
        load.request("GET", f"/get_resume?resume_id={id_}", token=prepared.by(number).token)
        for number, id_ in enumerate(prepared.resumes)
    ]


def _get_processing(prepared: Prepared) -> list[str]:
    return [
        load.request("GET", f"/get_processing?processing_id={id_}", token=prepared.by(number).token)
        for number, id_ in enumerate(prepared.processings)
    ]


def _create_text(prepared: Prepared) -> list[str]:
    return [
        _post("/create_resume/text", {"resume": resume(10**9 + n)}, prepared.by(n).token)
        for n in range(TEXTS)
    ]


def _start(prepared: Prepared) -> list[str]:
    starts = users.starts(prepared.people, prepared.resumes, callback_url=prepared.callback_url)
    return list(starts.values())


def _login(prepared: Prepared) -> list[str]:
    return [
        _post("/auth/login", {"username": user.username, "password": user.password})
        for user in prepared.people
    ]


def _create_pdf(prepared: Prepared) -> list[str]:
    frame = secrets.token_hex(16)
    head = f'--{frame}\r\nContent-Disposition: form-data; name="file"; filename="{PDF.name}"\r\n'
    body = b"%s%s\r\n--%s--\r\n" % (
        f"{head}Content-Type: application/pdf\r\n\r\n".encode(),
        PDF.read_bytes(),
        frame.encode(),
    )
    kind = f"multipart/form-data; boundary={frame}"
    return [
        load.request("POST", "/create_resume/file", token=user.token, body=body, kind=kind)
        for user in prepared.people
    ]


# Reads first: what the writes cause is not worked off beside them. Logins last: a user's sixth ends
# the session that the others use.
ENDPOINTS: dict[str, Callable[[Prepared], list[str]]] = {
    "GET /get_resume": _get_resume,
    "GET /get_processing": _get_processing,
    "POST /create_resume/file (PDF)": _create_pdf,
    "POST /create_resume/text": _create_text,
    "POST /start_processing": _start,
    "POST /auth/login": _login,
}


def _compare_logins(figures: Figures, prepared: Prepared) -> None:
    """A wrong password of somebody, and of nobody: one after another, in turn."""
    port = users.port(prepared.stack)
    names = {
        "a known user's": prepared.people[0].username,
        "an unknown user's": f"bench-{secrets.token_hex(6)}@example.com",
    }
    samples: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(LOGINS):
        for name, username in names.items():
            wrong = _post("/auth/login", {"username": username, "password": "wrong horse"})
            answer = load.run(port, [wrong], connections=1).must_all_be(401)
            samples[name] += answer.latencies_ms
    for name, values in samples.items():
        figures.add(
            f"login with {name} name and a wrong password, p50", percentile(values, 50), "ms"
        )


def _post(path: str, body: dict[str, str], token: str = "") -> str:
    return load.request("POST", path, token=token, body=json.dumps(body).encode())
