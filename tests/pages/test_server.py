"""Does the host's server start as the Dockerfile says, and does it keep closed what is not a
visitor's? Do the files for a host parse?
"""

import asyncio
import base64
import hashlib
import http.client
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import streamlit as st
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from core.data.imports.file_limits import HOSTED
from core.hosting import policy
from pages.shared import server as room
from pages.shared import streamlit_internals
from tests.tools import hosted_server, lock_requirements
from tests.tools.hosted_server import ROOT, instructions

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
CADDYFILE = COMPOSE["configs"]["caddyfile"]["content"].replace("$$", "$")
REQUIREMENTS = {
    Requirement(line).name: Requirement(line)
    for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with hosted_server.running(
        tmp_path_factory.mktemp("hosted"),
        {"LEVERAGE_LAB_FRAME_ANCESTORS": "https://huggingface.co"},
    ) as server:
        yield server


# the server


def test_in_another_sites_frame_uploads_keep_their_cookie(server):
    """The fixture's server may be framed; browsers send a cookie from a frame only if it says so,
    and only over HTTPS.
    """
    assert "SameSite=None; Secure" in server.ask("/_stcore/health").getheader("set-cookie")


def test_it_answers_under_the_flags_of_the_image(server):
    assert server.ask("/_stcore/health").text == "ok" and "<title>" in server.ask("/").text
    assert "--no-server-header" in hosted_server.command()[2], "the command is the image's own"


@pytest.mark.parametrize(
    "path", ["/", "/lesson", "/_stcore/health", "/nothing", "/_stcore/metrics"]
)
def test_every_answer_carries_the_headers(server, path):
    found = {name.lower(): value for name, value in server.ask(path).getheaders()}
    assert {name: found.get(name) for name in room.headers()} == room.headers() | {
        "content-security-policy": (
            room.headers()["content-security-policy"].replace(
                "ancestors 'self'", "ancestors 'self' https://huggingface.co"
            )
        )
    }
    assert "server" not in found and "x-powered-by" not in found


def test_another_name_is_refused_in_words_for_a_visitor(server):
    answer = server.ask("/", Host="evil.example")
    assert answer.status == 421 and answer.getheader("x-content-type-options") == "nosniff"
    assert "not known by that address" in answer.text and "LEVERAGE_LAB" not in answer.text
    assert "LEVERAGE_LAB_PUBLIC_URL" in server.log, "its host reads what to set"


def test_nothing_from_elsewhere_is_allowed_and_no_code_from_text(server):
    directives = dict(
        part.split(" ", 1)
        for part in server.ask("/").getheader("content-security-policy").split("; ")
    )
    assert (
        directives["frame-ancestors"] == "'self' https://huggingface.co"
        and directives["object-src"] == "'none'"
    )
    scripts = directives["script-src"].split()
    assert (
        "'unsafe-inline'" not in scripts
        and "'unsafe-eval'" not in scripts
        and not any("://" in source for source in scripts)
    )
    first = (Path(st.__file__).parent / "static/index.html").read_text("utf-8")
    (code,) = re.findall("<script>(.*?)</script>", first, flags=re.S)
    assert (
        f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'" in scripts
    )


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/metrics/",
        "/%5Fstcore/metrics",
        "/_stcore/agent/openapi.json",
        "/_stcore/script-health-check",
    ],
)
def test_what_is_the_operators_is_not_found(server, path):
    for method in ("GET", "POST", "HEAD"):
        answer = server.ask(path, method)
        assert (
            answer.status == 404 and "sessions" not in answer.text and "openapi" not in answer.text
        )


def test_its_own_files_are_kept_by_browsers_and_what_is_missing_is_not(server):
    script, *_ = re.findall(r"static/js/index[^\"]+", server.ask("/").text)
    assert (
        server.ask(f"/{script}").getheader("cache-control") == "public, immutable, max-age=31536000"
    )
    assert server.ask("/static/js/nothing.js").getheader("cache-control") == "no-cache"


def test_the_log_has_no_line_for_every_file(server):
    server.ask("/favicon.png")
    assert "favicon" not in server.log


def test_a_websocket_and_the_servers_start_pass_through_untouched():
    seen = []

    async def inner(scope, receive, send):
        seen.append(scope["type"])
        await send({"type": "websocket.accept", "headers": []})

    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(room.Guarded(inner)({"type": "websocket", "path": "/_stcore/metrics"}, None, send))
    assert seen == ["websocket"] and sent == [{"type": "websocket.accept", "headers": []}]


def test_a_page_that_fails_says_a_number_and_the_log_the_rest(monkeypatch, caplog):
    shown = []
    monkeypatch.setattr(room.st, "error", shown.append)
    assert room.went_wrong(KeyError("/secret/place")) is False and shown == []
    monkeypatch.setenv("LEVERAGE_LAB_HOSTED", "1")
    assert room.went_wrong(KeyError("/secret/place")) is True
    number = re.search(r"number ([0-9a-f]{8})\.$", shown[0])[1]
    assert "secret" not in shown[0] and "KeyError" not in shown[0]
    assert f"{number}: KeyError: '/secret/place'" in caplog.text


# the image


def test_the_image_copies_what_is_there_and_leaves_out_what_is_not_for_it():
    copied = [source for line in instructions("COPY") for source in line.split()[:-1]]
    assert copied and all((ROOT / source).exists() for source in copied)
    assert {"app.py", "core", "pages", "assets", "requirements.txt", ".streamlit"} <= set(
        copied
    ) and not {"tests", ".", ".git"} & set(copied)
    sent = [
        line[1:].removesuffix("/config.toml")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    assert set(copied) <= set(sent), "what is copied must be sent to the builder"


def test_the_image_runs_as_nobody_special_from_a_named_base():
    (base,), (user,) = instructions("FROM"), instructions("USER")
    assert user == "1000" and "--uid 1000" in " ".join(instructions("RUN"))
    assert ":" in base and not base.endswith(":latest") and " AS " not in base
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert lines.index("USER 1000") > max(
        i for i, line in enumerate(lines) if line.startswith("RUN")
    ), "built by root, run by another"


def test_the_pins_lie_in_the_ranges_of_the_requirements():
    pins = dict(re.findall(r"(torch\w*)==([\d.]+)", " ".join(instructions("RUN"))))
    assert set(pins) == {"torch", "torchvision"} and "/whl/cpu" in " ".join(instructions("RUN"))
    assert all(REQUIREMENTS[name].specifier.contains(version) for name, version in pins.items())


LOCKED = {
    name: (version, re.findall(r"--hash=(\S+)", digests))
    for name, version, digests in re.findall(
        r"^([\w.-]+)==(\S+)((?: \\\n +--hash=\S+)+)$",
        lock_requirements.LOCK.read_text("utf-8"),
        flags=re.MULTILINE,
    )
}


def test_the_lock_names_all_that_is_required_with_its_digests():
    text = lock_requirements.LOCK.read_text("utf-8")
    assert text.count("==") == len(LOCKED) and not re.search("https?:|torch==|nvidia|cuda", text)
    assert all(
        digests and all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in digests)
        for _, digests in LOCKED.values()
    )
    for need in map(Requirement, lock_requirements.wanted()):
        version, _ = LOCKED[canonicalize_name(need.name)]
        assert need.specifier.contains(version), f"{need}: make the lock anew"


def test_what_is_wanted_is_all_but_the_pair_and_what_the_pair_needs_without_a_gpu():
    wanted = {canonicalize_name(Requirement(text).name) for text in lock_requirements.wanted()}
    assert {canonicalize_name(name) for name in REQUIREMENTS} - wanted == {"torch", "torchvision"}
    assert {"sympy", "networkx", "jinja2", "fsspec", "filelock"} <= wanted
    assert not any(re.match("nvidia|cuda|triton|gdown", name) for name in wanted)


def test_the_image_installs_nothing_without_its_digest_but_torch():
    pair, rest = (line for line in instructions("RUN") if line.startswith("pip install"))
    assert "--no-deps" in pair and re.findall(r"(\w+)==", pair) == ["torch", "torchvision"]
    for asked in ("--require-hashes", "--no-deps", "-r requirements.lock && pip check"):
        assert asked in rest


def test_the_image_is_the_hosted_demo_and_writes_where_it_may():
    settings = hosted_server.settings()
    assert settings["LEVERAGE_LAB_HOSTED"] in policy.YES and settings["PORT"] in instructions(
        "EXPOSE"
    )
    made = re.search(r"chown visitor (.+)$", " ".join(instructions("RUN")))[1].split()
    assert {
        settings["LEVERAGE_LAB_DATA"],
        settings["LEVERAGE_LAB_CACHE"],
        settings["NUMBA_CACHE_DIR"],
    } == set(made)
    check = " ".join(
        instructions("HEALTHCHECK")
        + re.findall(r"--start-period=60s +CMD (.+)", " ".join(instructions("HEALTHCHECK")))
    )
    assert "/_stcore/health" in check


# the proxy


def test_compose_puts_the_proxy_before_the_app():
    app, proxy = COMPOSE["services"]["app"], COMPOSE["services"]["proxy"]
    assert "ports" not in app and proxy["ports"] == [
        "80:80",
        "443:443",
    ], "only the proxy is reached from outside"
    assert (
        app["expose"] == [hosted_server.settings()["PORT"]]
        and f"reverse_proxy app:{app['expose'][0]}" in CADDYFILE
    )
    assert (
        ":" in proxy["image"]
        and "latest" not in proxy["image"]
        and app["cap_drop"] == ["ALL"]
        and app["mem_limit"]
    )
    assert proxy["depends_on"]["app"]["condition"] == "service_healthy"
    named = {mount.split(":")[0] for service in (app, proxy) for mount in service["volumes"]}
    assert named == set(COMPOSE["volumes"]) and proxy["configs"] == [
        {"source": "caddyfile", "target": "/etc/caddy/Caddyfile"}
    ]
    inside = {mount.split(":")[1] for mount in app["volumes"]}
    assert inside == {
        hosted_server.settings()["LEVERAGE_LAB_DATA"],
        hosted_server.settings()["LEVERAGE_LAB_CACHE"],
    }


def test_the_name_of_the_site_is_the_apps_public_address():
    environment = COMPOSE["services"]["app"]["environment"]
    assert environment["LEVERAGE_LAB_PUBLIC_URL"] == (
        "${LEVERAGE_LAB_PUBLIC_URL:-${SITE_ADDRESS:-}}"
    )


def test_the_proxy_compresses_bounds_uploads_and_hides_what_the_server_hides():
    lines = [shlex.split(line) for line in CADDYFILE.splitlines() if line.strip()]
    assert (
        ["encode", "zstd", "gzip"] in lines
        and ["admin", "off"] in lines
        and ["header", "-Server"] in lines
    )
    (closed,) = [line[2:] for line in lines if line[:2] == ["@closed", "path"]]
    assert (
        closed == [f"{path}*" for path in streamlit_internals.OPERATORS]
        and ["respond", "@closed", "404"] in lines
    )
    strict = ["header", "@secure", "Strict-Transport-Security", "max-age=31536000"]
    assert strict in lines and ["@secure", "protocol", "https"] in lines, "where TLS ends"
    (size,) = [line[1] for line in lines if line[0] == "max_size"]
    assert int(size.removesuffix("MB")) == policy.BOUNDS.upload_mb + 1
    assert CADDYFILE.count("{") == CADDYFILE.count("}") and "{$SITE_ADDRESS}" in CADDYFILE


@pytest.mark.skipif(shutil.which("caddy") is None, reason="needs the proxy itself")
def test_the_proxy_accepts_its_configuration(tmp_path):
    (tmp_path / "Caddyfile").write_text(CADDYFILE)
    asked = ["caddy", "validate", "--adapter", "caddyfile", "--config", str(tmp_path / "Caddyfile")]
    found = subprocess.run(
        asked,
        capture_output=True,
        text=True,
        env={"SITE_ADDRESS": ":8099", "HOME": str(tmp_path)},
        check=False,
    )
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize(
    ("length", "status"),
    [
        ({"Content-Length": str(10**12)}, 413),
        ({"Content-Length": str(room.LARGEST + 1)}, 413),
        ({"Transfer-Encoding": "chunked"}, 411),
    ],
)
def test_what_is_too_large_is_refused_before_it_is_sent(server, length, status):
    """No byte of it follows, and the answer comes: nobody can make the server read a large body."""
    connection = http.client.HTTPConnection(hosted_server.HERE, server.port, timeout=10)
    connection.putrequest("PUT", "/_stcore/upload_file/a/b")
    for name, value in length.items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == status
    connection.close()


def test_uploads_are_bounded_by_the_same_number_everywhere(monkeypatch):
    assert (
        room.SETTINGS["server.maxUploadSize"]
        == policy.BOUNDS.upload_mb
        <= HOSTED.file_bytes / 1_000_000
    )
    set_to = {}
    monkeypatch.setattr(
        streamlit_internals, "set_option", lambda name, value, where: set_to.update({name: value})
    )

    async def run():
        async with room.settings(room.app):
            pass

    asyncio.run(run())
    assert set_to == room.SETTINGS and {"client.showErrorDetails": "none"}.items() <= set_to.items()
