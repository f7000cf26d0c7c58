"""The doctor on the network: hosts that answer or do not, proxies, and a look-up that hangs."""

import http.server
import socket
import threading
import time
import types

import pytest
from doctor_findings import OK, SKIPPED, WARNING, only

from transfer_lib import data
from transfer_lib.doctor import network

pytestmark = pytest.mark.usefixtures("bare_machine")
HOSTS = ["https://one.example/", "https://two.example/"]


def answer_with(monkeypatch, answers):
    """Let requests.head return a status code or raise, host by host."""
    import requests

    def head(url, timeout, allow_redirects):
        answer = answers[url]
        if isinstance(answer, Exception):
            raise answer
        return types.SimpleNamespace(status_code=answer)

    monkeypatch.setattr(requests, "head", head)


def test_download_hosts_are_those_of_the_registry():
    hosts = network.download_hosts()
    assert "https://storage.googleapis.com/" in hosts
    assert len(hosts) == len(set(hosts))
    urls = [url for name in data.names() for url in data.info(name).urls]
    assert all(any(url.startswith(host) for host in hosts) for url in urls)


def test_all_hosts_answer(monkeypatch):
    answer_with(monkeypatch, {HOSTS[0]: 200, HOSTS[1]: 403})
    findings = network.start(hosts=HOSTS)()
    assert [finding.status for finding in findings] == [OK, OK, OK]
    assert findings[0].message == "2 of 2 download hosts answer"
    assert [finding.name for finding in findings[1:]] == ["host one.example", "host two.example"]


def failures():
    from requests import exceptions

    return [
        (503, "HTTP error 503"),
        (407, "HTTP error 407"),
        (exceptions.ConnectTimeout(), "no answer within 2 s"),
        (exceptions.ProxyError(), "proxy"),
        (exceptions.SSLError(), "certificate"),
        (exceptions.ConnectionError(), "no connection"),
        (exceptions.InvalidSchema("no SOCKS"), "InvalidSchema: no SOCKS"),
        (RuntimeError("sockets are blocked"), "RuntimeError: sockets are blocked"),
    ]


@pytest.mark.parametrize(("answer", "word"), failures())
def test_one_host_does_not_answer(monkeypatch, answer, word):
    answer_with(monkeypatch, {HOSTS[0]: 200, HOSTS[1]: answer})
    overall, one, two = network.start(hosts=HOSTS)()
    assert (overall.status, one.status, two.status) == (OK, OK, WARNING)
    assert overall.message == "1 of 2 download hosts answer"
    assert word in two.message


@pytest.mark.parametrize(("answer", "word"), failures())
def test_no_host_answers_is_one_warning(monkeypatch, answer, word):
    answer_with(monkeypatch, dict.fromkeys(HOSTS, answer))
    finding = only(network.start(hosts=HOSTS)(), WARNING)
    assert word in finding.message
    assert "quick profile: it needs no network" in finding.fix


def test_name_look_up_that_hangs_is_not_waited_for(monkeypatch):
    release = threading.Event()

    def getaddrinfo(*args, **kwargs):
        release.wait(20)
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(network, "DEADLINE", 0.3)
    began = time.monotonic()
    finding = only(network.start(hosts=HOSTS)(), WARNING)
    release.set()
    assert time.monotonic() - began < 2
    assert finding.message.count("no answer within 0.3 s") == 2


def test_proxy_is_used(monkeypatch):
    asked = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
        findings = network.start(hosts=["http://mirror.example/"])()
        server.shutdown()
    assert asked == ["http://mirror.example/"]
    assert findings[0].status is OK


def test_proxy_is_named_without_its_password(monkeypatch):
    answer_with(monkeypatch, dict.fromkeys(HOSTS, 200))
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy.example:3128")
    message = network.start(hosts=HOSTS)()[0].message
    assert message.endswith("through HTTPS_PROXY")


def test_network_not_asked(monkeypatch):
    answer_with(monkeypatch, {})
    assert "--no-network" in only(network.start(False)(), SKIPPED).fix
    only(network.start(hosts=[])(), OK)
