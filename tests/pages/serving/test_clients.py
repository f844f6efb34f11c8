"""Are visitors told apart, and can nobody pass for another or for many?"""

from types import SimpleNamespace

import pytest

from pages.shared.serving import clients
from pages.shared.serving.clients import identity, new_cookie


def asked(cookie="", peer="192.0.2.7", **headers):
    """The identity of a request."""
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return identity([*sent, (b"cookie", cookie.encode())], peer)


def fresh(**how):
    return new_cookie(**{"secure": False, "framed": False} | how).partition(";")[0]


def test_each_cookie_is_a_client_and_the_same_one_the_same():
    first, second = fresh(), fresh()
    assert asked(first) == asked(f"other=1; {first}") and asked(first).known
    assert asked(first).client != asked(second).client
    assert asked(first).client == asked(first, peer="192.0.2.8").client, "who moves stays the same"
    assert len(asked(first).client) == 12


@pytest.mark.parametrize(
    "change",
    [
        lambda cookie: "",
        lambda cookie: cookie[:-1] + ("0" if cookie[-1] != "0" else "1"),
        lambda cookie: cookie.replace("=", "=0", 1),
        lambda cookie: cookie.partition(".")[0],
        lambda cookie: f"{clients.COOKIE}=.",
        lambda cookie: f"{clients.COOKIE}=\xe9.{'0' * 32}",
        lambda cookie: "=;=;\x00",
    ],
    ids=["none", "signature", "ticket", "unsigned", "empty", "letters", "nonsense"],
)
def test_who_brings_no_cookie_of_ours_is_one_with_all_others_of_the_address(change):
    strangers = {asked(change(fresh())) for _ in range(5)}
    assert len(strangers) == 1 and not strangers.pop().known
    assert asked("").client != asked("", peer="192.0.2.8").client


def test_the_cookie_says_where_it_may_go():
    plain, secure = new_cookie(False, False), new_cookie(True, False)
    assert "HttpOnly" in plain and "SameSite=Lax" in plain and "Secure" not in plain
    assert "Secure" in secure and "SameSite=Lax" in secure
    framed = new_cookie(True, True)
    assert "SameSite=None; Secure; Partitioned" in framed and framed.count("Secure") == 1


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", "unknown"),
        ("a socket", "unknown"),
    ],
)
def test_an_address_is_a_network(peer, address):
    assert asked(peer=peer).address == address


def test_a_proxy_names_the_address_and_nobody_else_can(monkeypatch):
    told = {"x_forwarded_for": "203.0.113.9, 198.51.100.4"}
    assert asked(**told).address == "192.0.2.7", "without a proxy the header is a visitor's word"
    monkeypatch.setenv("LEVERAGE_LAB_ADDRESS_HEADER", "X-Forwarded-For")
    assert asked(**told).address == "198.51.100.4", "the last one is the proxy's own"
    assert asked().address == "192.0.2.7"


def test_a_page_and_a_request_mean_the_same_client(monkeypatch):
    """Streamlit calls the loopback address None."""

    context = SimpleNamespace(headers={"Cookie": ""}, ip_address=None)
    monkeypatch.setattr(clients.st, "context", context)
    assert clients.current() == asked("", peer="127.0.0.1")
