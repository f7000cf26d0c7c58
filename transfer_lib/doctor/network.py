"""Does the network answer, and does each host that the course downloads from?"""

import os
import threading
import time
from urllib.parse import urlsplit

from transfer_lib.doctor.report import ok, skipped, warning

TIMEOUT = 2.0  # seconds to connect, and again to answer
DEADLINE = 3.5  # seconds for all hosts together; looking up a name has no timeout of its own
PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
OFFLINE_ADVICE = (
    "Nothing, for the quick profile: it needs no network. For the full profile: connect; behind a "
    "proxy, set HTTPS_PROXY; or put the files into a folder and set TRANSFER_LIB_DATA to it."
)


def download_hosts() -> list[str]:
    """Return the address of each host in the data registry, in its order."""
    from transfer_lib import data

    urls = [urlsplit(url) for name in data.names() for url in data.info(name).urls]
    return list(dict.fromkeys(f"{url.scheme}://{url.netloc}/" for url in urls))


def start(wanted=True, hosts=None):
    """Ask all hosts at once, in threads.

    Parameters
    ----------
    wanted : bool
        False: ask none.
    hosts : list of str, optional
        Addresses; by default those of the data registry.

    Returns
    -------
    callable
        Waits for the answers until `DEADLINE` and yields the findings.
    """
    if not wanted:
        return lambda: [
            skipped("network", "not asked, by choice", "Run without --no-network to see.")
        ]
    hosts = download_hosts() if hosts is None else hosts
    answers, end = {}, time.monotonic() + DEADLINE
    # Daemons, not a pool: a name look-up that hangs must not keep Python from ending.
    threads = [threading.Thread(target=_ask, args=(host, answers), daemon=True) for host in hosts]
    for thread in threads:
        thread.start()

    def findings():
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        return _findings(hosts, dict(answers))

    return findings


def _ask(host, answers):
    """Store None when the host answers, else in a few words why not."""
    try:
        answers[host] = _why_no_answer(host)
    except Exception as error:
        answers[host] = f"{type(error).__name__}: {error}"


def _why_no_answer(host):
    import requests  # it honours the proxy variables, as the downloads do

    try:
        answer = requests.head(host, timeout=TIMEOUT, allow_redirects=False)
    except requests.exceptions.ProxyError:
        return "the proxy does not let it through"
    except requests.exceptions.SSLError:
        return "its certificate is not trusted; set REQUESTS_CA_BUNDLE if your network has its own"
    except requests.exceptions.Timeout:
        return f"no answer within {TIMEOUT:.0f} s"
    except requests.exceptions.ConnectionError:
        return "no connection"
    if answer.status_code == 407 or answer.status_code >= 500:
        return f"answers with HTTP error {answer.status_code}"
    return None  # a refusal of its root, such as 400 or 403, is an answer


def _findings(hosts, answers):
    if not hosts:
        return [ok("network", "not needed: the data registry downloads nothing")]
    late = f"no answer within {DEADLINE} s"
    reasons = {urlsplit(host).netloc: answers.get(host, late) for host in hosts}
    through = next((f" through {name}" for name in PROXY_VARIABLES if os.environ.get(name)), "")
    good = [host for host, reason in reasons.items() if reason is None]
    if not good:
        said = "; ".join(f"{host}: {reason}" for host, reason in reasons.items())
        return [warning("network", f"no download host answers{through} ({said})", OFFLINE_ADVICE)]
    findings = [ok("network", f"{len(good)} of {len(hosts)} download hosts answer{through}")]
    for host, reason in reasons.items():
        if reason is None:
            findings.append(ok(f"host {host}", "answers"))
        else:
            fix = "Try again later or from another network; the course tries its mirrors, too."
            findings.append(warning(f"host {host}", reason, fix))
    return findings
