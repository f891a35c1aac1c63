"""What every gunicorn that is started in this directory has in common."""

worker_class = "resume_platform.gunicorn_worker.Worker"
logger_class = "resume_platform.logs.gunicorn.Logger"
