# One image for every process of the system; the command tells which one it is.
FROM python:3.13-slim AS base
ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --uid 10001 --create-home app
WORKDIR /srv/app
COPY requirements/base.txt requirements/
RUN pip install -r requirements/base.txt
RUN install -d -o app -g app logs

# With the tests and what they need: docker compose runs them as the service "app".
FROM base AS test
COPY requirements/dev.txt requirements/
RUN pip install -r requirements/dev.txt
COPY --chown=app:app . .
RUN chown app:app .
USER app
CMD ["sleep", "infinity"]

FROM base AS system
COPY manage.py celery_app.py gunicorn.conf.py ./
COPY docker/healthcheck.py docker/
COPY resume_platform resume_platform
COPY staff staff
COPY kafka_bridge kafka_bridge
COPY apps apps
COPY locale locale
RUN python -m compileall -q .
USER app
EXPOSE 8000
CMD ["gunicorn", "resume_platform.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", \
     "--threads", "8", "--no-control-socket", "--worker-tmp-dir", "/dev/shm"]
