"""`crosshead sandbox`: a simulated system for users' own tests."""

import json
import subprocess
import sys
import urllib.request

COMMAND = [sys.executable, "-c", "from crosshead.cli import app; app()", "sandbox"]


def test_a_sandbox_tells_where_it_listens_and_how_to_sign_in() -> None:
    with subprocess.Popen([*COMMAND, "sap_s4hana", "--orders", "3"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            with urllib.request.urlopen(told["adminUrl"]) as answer:  # noqa: S310  (our own address)
                counts = json.load(answer)["counts"]
        finally:
            process.terminate()

    assert told["credentials"]["baseUrl"] == told["url"]
    assert set(told["credentials"]) == {"baseUrl", "username", "password", "client"}
    assert counts["A_PurchaseOrder"] == 3


def test_a_sandbox_that_there_is_not_is_named_with_those_that_there_are() -> None:
    ran = subprocess.run([*COMMAND, "sap_r3"], capture_output=True, text=True, check=False)

    assert ran.returncode == 2
    assert "no sandbox of sap_r3" in ran.stderr
    assert "sap_s4hana" in ran.stderr
    assert "kit" not in ran.stderr.split("there are")[1]
