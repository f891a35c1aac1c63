"""A directory with Debian in it that commands run in as in a container: own mounts and processes.

Linux namespaces (`unshare`) and `chroot`, as root; every mount is gone with the command. What an
engine has on top is not here: seccomp, cgroup limits, a network of its own.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

TOOLS = ("debootstrap", "unshare", "chroot", "setpriv", "mount", "apt-get")
# As the machine reaches the package index, so does a step that installs packages.
NETWORK = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

# $1 the root, $2 "ro" or "rw", $3 user:group in numbers or "", $4 the working directory, then the
# command. The devices are the machine's; /dev/shm and /tmp are what an engine gives as well.
_ENTER = r"""
set -eu
root=$1 mode=$2 user=$3 directory=$4
shift 4
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom; do
    : > "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
if [ "$mode" = ro ]; then
    mount -o remount,bind,ro "$root"
    mount -o remount,ro "$root/dev"
elif [ -e "$CERTIFICATES" ] && [ -e "$root$CERTIFICATES" ]; then
    mount --bind "$CERTIFICATES" "$root$CERTIFICATES"
fi
drop=
if [ -n "$user" ]; then
    drop="setpriv --reuid ${user%%:*} --regid ${user#*:} --clear-groups --no-new-privs
          --inh-caps=-all --bounding-set=-all"
fi
exec chroot "$root" $drop sh -c 'cd "$0" && exec "$@"' "$directory" "$@"
"""


def debian_mirror() -> str | None:
    """Where this machine's own apt gets Debian from; None on another system."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages",
         "Label: Debian"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return next(iter(listed.stdout.split()), None)


def debootstrap(root: Path, *, suite: str, packages: Sequence[str], mirror: str) -> None:
    """Raises RuntimeError with what it said."""
    # As in Debian's images: what is thrown away need not survive a power cut.
    hasty = root / "etc/dpkg/dpkg.cfg.d/unsafe-io"
    hasty.parent.mkdir(parents=True)
    hasty.write_text("force-unsafe-io\n")
    run = subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={','.join(packages)}",
         suite, root, mirror],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if run.returncode:
        raise RuntimeError(f"debootstrap {suite} failed:\n{run.stdout[-3000:]}{run.stderr[-3000:]}")


def command_in(
    root: Path,
    command: Sequence[str],
    *,
    directory: str = "/",
    user: str = "",
    read_only: bool = False,
) -> list[str]:
    """The machine's command that runs `command` in `root`, as process 1 of its own."""
    return [
        *("unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--"),
        *("sh", "-c", _ENTER, "enter", str(root), "ro" if read_only else "rw", user, directory),
        *command,
    ]


def environment_in(values: Mapping[str, str], *, network: bool = False) -> dict[str, str]:
    """Only what the image says; with `network`, this machine's way to a package index as well."""
    passed = {
        name: value
        for name, value in os.environ.items()
        if network and name.startswith(NETWORK) and name != "PIP_FIND_LINKS"
    }
    if network and CERTIFICATES.exists():
        passed.setdefault("PIP_CERT", str(CERTIFICATES))
    return {"CERTIFICATES": str(CERTIFICATES), **passed, **values}
