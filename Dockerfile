# One image for every process of the system; the command tells which one it is.
# The system's stage holds no compiler, no pip and no cache, writes nothing but /tmp, and runs as
# user 10001. tests/stack/deploy replays these steps where no engine runs; it knows the
# instructions and options used here and refuses others.

FROM python:3.13.14-slim-trixie AS base
ENV PATH=/srv/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin app
WORKDIR /srv/app

FROM base AS packages
RUN python -m venv --without-pip /srv/venv
COPY requirements/base.txt requirements/
RUN pip --python /srv/venv install --no-cache-dir --disable-pip-version-check \
        --requirement requirements/base.txt

# With the tests and what they need: docker compose runs them as the service "app".
FROM packages AS test
COPY requirements/dev.txt requirements/
RUN pip --python /srv/venv install --no-cache-dir --disable-pip-version-check \
        --requirement requirements/dev.txt
COPY --chown=app:app . .
RUN chown app:app .
USER 10001:10001
CMD ["sleep", "infinity"]

FROM base AS system
RUN pip uninstall --yes --quiet pip
COPY --from=packages /srv/venv /srv/venv
COPY manage.py celery_app.py ./
COPY docker/healthcheck.py docker/
COPY resume_platform resume_platform
COPY staff staff
COPY kafka_bridge kafka_bridge
COPY apps apps
COPY locale locale
RUN python -m compileall -q .
USER 10001:10001
EXPOSE 8000
# The web process; the others' healthchecks stand beside their commands in docker-compose.yml.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "docker/healthcheck.py", "8000", "/health/live"]
CMD ["python", "-m", "resume_platform.web_server", "--bind", "0.0.0.0:8000"]
