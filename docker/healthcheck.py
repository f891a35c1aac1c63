"""Asks a process of this container over HTTP; exit code 0 when it serves.

`python docker/healthcheck.py PORT PATH`. The Host header is the first of ALLOWED_HOSTS, since the
API answers to no other name. A redirect to HTTPS is an answer too.
"""

import http.client
import os
import sys

TIMEOUT_SECONDS = 4


def main(port: str, path: str) -> int:
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip()
    named = "localhost" if host in ("", "*") else host.removeprefix(".")
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": named})
        return int(connection.getresponse().status >= http.client.BAD_REQUEST)
    except OSError:
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
