"""Very many processings with all that belongs to them, made by a few statements."""

import json
import random

from django.db import connection

from apps.ai.models import Analysis, ProviderCall
from apps.notifications.models import Callback, CallbackAttempt
from apps.storage.models import StoredProcessing, StoredRequirements, StoredResume, StoredUser

USERS = 1_000
VACANCIES = 2_000
# The vacancy that everybody wants.
POPULAR = 1
_PARAGRAPHS = 2_000

MADE = (
    *(StoredUser, StoredRequirements, StoredResume, StoredProcessing),
    *(Analysis, ProviderCall, Callback, CallbackAttempt),
)

_WORDS = [
    "разработчик",
    "Python",
    "Django",
    "PostgreSQL",
    "Kafka",
    "Redis",
    "Celery",
    "Docker",
    "Kubernetes",
    "Linux",
    "опыт",
    "проекты",
    "команда",
    "руководил",
    "внедрил",
    "сервис",
    "очереди",
    "нагрузка",
    "микросервисы",
    "аналитик",
    "данных",
    "отчёты",
    "SQL",
    "бухгалтер",
    "налоги",
    "аудит",
    "отчётность",
    "закупки",
    "продажи",
    "переговоры",
    "клиенты",
    "English",
    "reports",
    "budget",
    "planning",
    "analyst",
    "manager",
    "developer",
    "testing",
    "automation",
    "pipelines",
    "monitoring",
    "Grafana",
    "Prometheus",
    "React",
    "TypeScript",
    "Java",
    "Spring",
    "Go",
    "университет",
    "диплом",
    "курсы",
    "сертификат",
    "Москва",
    "Казань",
    "Berlin",
    "London",
    "remote",
    "офис",
    "график",
    "зарплата",
]

_CRITERIA = ["Python", "PostgreSQL", "Kafka", "Английский язык", "Управление командой", "Docker"]

_PEOPLE = """
INSERT INTO storage_storeduser (user_id, username, full_name, created_at, event_at, event_hash)
SELECT i, 'recruiter' || i || '@example.com', 'Рекрутёр ' || i, now(), now(), ''
FROM generate_series(1, %(users)s) AS i;

INSERT INTO storage_storedrequirements
    (requirements_id, user_id, create_at, requirements, text_at, text_hash, deleted)
SELECT i, 1 + i %% %(users)s, now() - interval '30 days', 'Вакансия ' || i || E'\\n' || p.body,
       now(), '', FALSE
FROM generate_series(1, %(vacancies)s) AS i JOIN paragraph AS p ON p.n = i %% %(paragraphs)s;
"""

# Every 50th candidate wants the popular vacancy; 2 of 100 failed, 1 waits, 1 is flagged.
_RESUMES = """
INSERT INTO storage_storedresume
    (resume_id, user_id, create_at, resume, text_at, text_hash, deleted)
SELECT i, 1 + i %% %(users)s, now() - i * interval '26 seconds',
       concat_ws(E'\\n\\n', 'Кандидат candidate' || i, a.body, b.body, c.body, d.body),
       now(), '', FALSE
FROM generate_series(1, %(count)s) AS i
JOIN paragraph AS a ON a.n = i %% %(paragraphs)s
JOIN paragraph AS b ON b.n = (i * 7 + 1) %% %(paragraphs)s
JOIN paragraph AS c ON c.n = (i * 13 + 2) %% %(paragraphs)s
JOIN paragraph AS d ON d.n = (i * 29 + 3) %% %(paragraphs)s;
"""
_PROCESSINGS = """
INSERT INTO storage_storedprocessing
    (processing_id, user_id, resume_id, requirements_id, create_at, status, run, result_at,
     result_hash, score, verdict, matches, recommendation, details, message_error,
     requested_run, requested_at, callback_url)
SELECT i, 1 + i %% %(users)s, i,
       CASE WHEN i %% 50 = 0 THEN 1 ELSE 2 + i %% (%(vacancies)s - 1) END,
       now() - i * interval '26 seconds', s.status, 0, now() - i * interval '26 seconds',
       md5(i::text), CASE WHEN s.status = 'finished' THEN (i * 37) %% 101 END,
       CASE WHEN s.status = 'finished' THEN
           CASE WHEN (i * 37) %% 101 >= 60 THEN 'Подходит' ELSE 'Не подходит' END END,
       '["Python", "Kafka"]', 'Сильные стороны: Python; Kafka. Уточнить: английский язык.',
       CASE WHEN s.status = 'finished' THEN
           CASE WHEN i %% 100 = 7 THEN %(flagged)s::jsonb ELSE %(details)s::jsonb END END,
       CASE WHEN s.status = 'failed' THEN 'The AI is not available.' END,
       0, now() - i * interval '26 seconds', 'https://client' || i %% 90 || '.example/hook'
FROM generate_series(1, %(count)s) AS i,
LATERAL (SELECT CASE WHEN i %% 100 < 2 THEN 'failed' WHEN i %% 100 = 2 THEN 'queued'
         ELSE 'finished' END AS status) AS s;
"""
_JUDGEMENTS = """
INSERT INTO ai_analysis
    (processing_id, run, user_id, requirements_id, status, resume_hash, requirements_hash,
     prompt_version, model, result, score, verdict, error_code, input_tokens, output_tokens,
     latency_ms, cost, flags, created_at)
SELECT processing_id, 0, user_id, requirements_id, status, result_hash, '', 'v1', 'gpt-4.1-mini',
       jsonb_build_object('matches', matches, 'recommendation', recommendation,
                          'details', details),
       score, COALESCE(verdict, ''), '', 2100, 640, 2300, 0.0019,
       COALESCE(jsonb_array_length(details -> 'flags'), 0), create_at + interval '3 seconds'
FROM storage_storedprocessing WHERE status <> 'queued' ORDER BY create_at;

INSERT INTO ai_providercall
    (user_id, processing_id, run, kind, model, input_tokens, cached_tokens, output_tokens,
     latency_ms, cost, is_useful, created_at)
SELECT user_id, processing_id, 0, 'judgement', model, input_tokens, 0, output_tokens, latency_ms,
       cost, TRUE, created_at FROM ai_analysis ORDER BY id;
"""
_CALLBACKS = """
INSERT INTO notifications_callback
    (processing_id, run, user_id, requirements_id, callback_url, state, webhook_id, body, headers,
     attempts, last_error, created_at, updated_at)
SELECT processing_id, 0, user_id, requirements_id, callback_url,
       CASE WHEN status = 'queued' THEN 'registered' WHEN processing_id %% 40 = 0 THEN 'failed'
            ELSE 'delivered' END,
       md5(processing_id::text), convert_to(repeat('x', 1500), 'UTF8'), '{}', 1,
       CASE WHEN processing_id %% 40 = 0 THEN 'timeout' ELSE '' END,
       create_at, create_at + interval '4 seconds'
FROM storage_storedprocessing ORDER BY create_at;

INSERT INTO notifications_callbackattempt
    (callback_id, number, started_at, duration_ms, status_code, error, address, response_excerpt)
SELECT id, 1, updated_at, 120, CASE WHEN state = 'delivered' THEN 200 END, last_error,
       '203.0.113.7', 'ok'
FROM notifications_callback WHERE state <> 'registered' ORDER BY id;
"""


def make_processings(count: int, *, seed: int = 1) -> None:
    """So many, of USERS users and VACANCIES vacancies, over the last days; numbered from 1.

    The texts are of some 3,000 characters; processing n is of the resume that names candidate<n>.
    """
    numbers = {
        "count": count,
        "users": USERS,
        "vacancies": VACANCIES,
        "paragraphs": _PARAGRAPHS,
        "details": json.dumps(_details(flags=0), ensure_ascii=False),
        "flagged": json.dumps(_details(flags=1), ensure_ascii=False),
    }
    drawn = random.Random(seed)
    paragraphs = [" ".join(drawn.choices(_WORDS, k=90)) for _ in range(_PARAGRAPHS)]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE paragraph (n int PRIMARY KEY, body text)")
        cursor.execute(
            "INSERT INTO paragraph SELECT n - 1, body"
            " FROM unnest(%s::text[]) WITH ORDINALITY AS p(body, n)",
            [paragraphs],
        )
        for statement in (_PEOPLE, _RESUMES, _PROCESSINGS, _JUDGEMENTS, _CALLBACKS):
            cursor.execute(statement, numbers)
        cursor.execute("DROP TABLE paragraph")


def _details(*, flags: int) -> dict[str, object]:
    return {
        "language": "ru",
        "model": "gpt-4.1-mini",
        "prompt_version": "v1",
        "flags": [{"kind": "order", "start": 0, "end": 8, "text": "Кандидат"}] * flags,
        "criteria": [
            {
                "id": f"c{number}",
                "name": name,
                "requirement": f"{name}: опыт от трёх лет в промышленных проектах",
                "importance": "must" if number % 2 == 0 else "nice",
                "weight": 3,
                "status": ("met", "partial", "missing", "unclear")[number % 4],
                "evidence": [{"quote": "Кандидат", "start": 0, "end": 8}],
                "flags": [],
            }
            for number, name in enumerate(_CRITERIA)
        ],
    }
