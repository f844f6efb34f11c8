"""Makes requirements.lock anew, where the requirements are installed for the image's Python:

    python -m tests.tools.lock_requirements

The newest versions that requirements.txt allows, each with the digests of its wheels for the
image's two kinds of processor. torch and torchvision are not among them: the Dockerfile takes them
from their own index, for processors alone, and without what they need; that is here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.tools.hosted_server import ROOT, instructions

LOCK = ROOT / "requirements.lock"
PAIR = ("torch", "torchvision")
PROCESSORS = ("x86_64", "aarch64")
GLIBC = range(17, 37)  # of the image's Debian, and older
HEAD = """\
# What the image installs, with the digests of the files. Made anew by
#     python -m tests.tools.lock_requirements
# torch and torchvision come from their own index, see the Dockerfile; what they need is here.
"""
Locked = dict[str, tuple[str, set[str]]]  # name -> its version, digests of its files


def wanted() -> list[str]:
    """What requirements.txt names but for torch and torchvision, and what these two need where
    there is no GPU.
    """
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    named = [Requirement(line) for line in lines if line and not line.startswith("#")]
    needed = [Requirement(text) for name in PAIR for text in metadata.requires(name) or ()]
    alone = [
        need
        for need in needed
        if need.marker is None or not re.search("extra|platform_system", str(need.marker))
    ]
    return [str(one) for one in (*named, *alone) if canonicalize_name(one.name) not in PAIR]


def image_python() -> str:
    """The version of the image's Python, such as 3.11."""
    return re.match(r"python:(\d+\.\d+)-", instructions("FROM")[0])[1]


def resolved(wanted: list[str], processor: str, pinned: Mapping[str, str]) -> Locked:
    """What pip would install for this processor, of these versions where they are known."""
    platforms = [f"--platform=manylinux_2_{minor}_{processor}" for minor in GLIBC]
    with tempfile.TemporaryDirectory() as folder:
        limits = Path(folder) / "limits.txt"
        limits.write_text("".join(f"{name}=={version}\n" for name, version in pinned.items()))
        command = [
            *(sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--ignore-installed"),
            *("--only-binary=:all:", f"--python-version={image_python()}", *platforms),
            *("--target", folder, "--report", "-", "--constraint", str(limits), *wanted),
        ]
        told = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=_no_stores_of_this_machine()
        ).stdout
    found: Locked = {}
    for one in json.loads(told)["install"]:
        about, file = one["metadata"], one["download_info"]
        if file["url"].startswith("file:"):
            raise SystemExit(f"{file['url']}: a file of this machine, which the image has not.")
        digest = f"sha256:{file['archive_info']['hashes']['sha256']}"
        found[canonicalize_name(about["name"])] = about["version"], {digest}
    return found


def _no_stores_of_this_machine() -> dict[str, str]:
    stores = ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL")
    kept = {name: value for name, value in os.environ.items() if name not in stores}
    return kept | {"PIP_CONFIG_FILE": os.devnull}


def locked() -> str:
    """The file's content."""
    found: Locked = {}
    for processor in PROCESSORS:
        pinned = {name: version for name, (version, _) in found.items()}
        for name, (version, digests) in resolved(wanted(), processor, pinned).items():
            found[name] = version, found.get(name, (version, set()))[1] | digests
    entries = (
        " \\\n    ".join([f"{name}=={version}", *(f"--hash={one}" for one in sorted(digests))])
        for name, (version, digests) in sorted(found.items())
    )
    return HEAD + "\n".join(entries) + "\n"


def main() -> None:
    """Write the file."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if (here, sys.platform) != (image_python(), "linux"):
        raise SystemExit(f"Found Python {here} on {sys.platform}, expected the image's on Linux.")
    LOCK.write_text(locked(), encoding="utf-8")


if __name__ == "__main__":
    main()
