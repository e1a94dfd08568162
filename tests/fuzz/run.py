"""Sends both APIs what their documents allow and what they don't, and looks for answers that break the documents' word: a 5xx,
an undocumented status, a body of another shape.

Usage: run.py SERVER [MAX_EXAMPLES] [SEED]
The server is started here, in a folder of its own, where no base model can be fetched from anywhere.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
TOKEN = "fuzz-0123456789abcdef0123456789abcdef"
LEAST = 10_000

# Left out: what would end the session that the others need, what never ends, and what would send to addresses that are
# made up.
API_WITHOUT = ["create_session", "delete_session", "stream_job", "test_webhook"]
# What is well-formed and still not taken (a model that isn't there) is no break of the document.
WITHOUT_CHECKS = "positive_data_acceptance"


def attune(server, environment, *words):
    command = [server, *words, "--data-dir", environment["ATTUNE_DATA_DIR"]]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def start(server, environment, log):
    command = [server, "serve", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    for line in process.stdout:
        if line.startswith("attune: listening on "):
            return process, line.removeprefix("attune: listening on ").strip()
    raise SystemExit("the server did not start")


def sign_in(address):
    connection = http.client.HTTPConnection(urlsplit(address).netloc)
    headers = {"x-attune": "1", "content-type": "application/json"}
    connection.request("POST", "/api/session", json.dumps({"token": TOKEN}), headers)
    answer = connection.getresponse()
    answer.read()
    return answer.getheader("set-cookie").split(";")[0]


def fuzz(name, document, url, headers, examples, seed, left_out=()):
    """Runs one document; answers how many requests were sent and whether all was well."""
    print(f"── {name}", flush=True)
    program, settings = Path(sys.executable).parent / "schemathesis", Path(__file__).with_name("schemathesis.toml")
    command = [str(program), "--config-file", str(settings), "run", str(document), "--url", url]
    for key, value in headers.items():
        command += ["--header", f"{key}: {value}"]
    for operation in left_out:
        command += ["--exclude-operation-id", operation]
    command += ["--checks", "all", "--exclude-checks", WITHOUT_CHECKS, "--max-examples", str(examples)]
    command += ["--seed", str(seed), "--continue-on-failure", "--request-timeout", "30", "--warnings", "off"]
    command += ["--suppress-health-check", "all", "--no-color"]
    hooks = {"PYTHONPATH": str(Path(__file__).parent), "SCHEMATHESIS_HOOKS": "hooks", "PYTHONDONTWRITEBYTECODE": "1"}
    environment = os.environ | hooks
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, cwd=tempfile.gettempdir()
    )
    output = []
    for line in process.stdout:
        print(line, end="", flush=True)
        output.append(line)
    sent = sum(int(number) for number in re.findall(r"(\d+) generated", "".join(output)))
    return sent, process.wait() == 0


def main():
    server = sys.argv[1]
    examples, seed = (int(word) for word in (sys.argv[2:] + ["160", "1"][len(sys.argv) - 2 :])[:2])
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(folder, "log"), "w+") as log:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ATTUNE_")}
        environment |= {
            "ATTUNE_DATA_DIR": os.path.join(folder, "data"),
            "ATTUNE_LOCAL_TOKEN": TOKEN,
            "HF_ENDPOINT": "http://127.0.0.1:9",
        }
        process, address = start(server, environment, log)
        try:
            key = attune(server, environment, "key", "create", "--name", "fuzz", "--admin")
            v1 = fuzz(
                "/v1", DOCS / "openapi-v1.json", f"{address}/v1", {"Authorization": f"Bearer {key}"}, examples, seed
            )
            headers = {"x-attune": "1", "Cookie": sign_in(address)}
            api = fuzz("/api", DOCS / "openapi.json", address, headers, examples, seed, API_WITHOUT)
        finally:
            process.terminate()
            process.wait()
        log.seek(0)
        errors = [line for line in log if "ERROR" in line or "panic" in line]
    sent = v1[0] + api[0]
    print("".join(errors[:20]), end="")
    print(f"{sent} requests sent, {len(errors)} errors in the server's log")
    if sent < LEAST:
        print(f"fewer than the {LEAST} that are wanted: give more examples")
    sys.exit(0 if v1[1] and api[1] and not errors and sent >= LEAST else 1)


if __name__ == "__main__":
    main()
