"""Reads an offline run with the records of the wandb package itself, and lets `wandb sync` upload it to a server of our own
that writes down what it is asked.

Usage: wandb_run.py FOLDER PROJECT STEPS, where FOLDER is an `offline-run-…`. Needs the package `wandb` (0.31.0 was tried).
"""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from wandb.proto import wandb_internal_pb2 as wandb_internal

BLOCK = 32 * 1024


def records(data):
    """The records of a run's file, each block and checksum looked at."""
    assert data[:7] == b":W&B\xe1\xbe\x00", data[:7]
    seeds = {kind: zlib.crc32(bytes([kind])) for kind in range(1, 5)}
    at, parts = 7, b""
    while at < len(data):
        left = BLOCK - at % BLOCK
        if left < 7:
            at += left
            continue
        checksum, length, kind = struct.unpack_from("<IHB", data, at)
        part = data[at + 7 : at + 7 + length]
        assert zlib.crc32(part, seeds[kind]) == checksum, at
        parts += part
        at += 7 + length
        if kind in (1, 4):
            record = wandb_internal.Record()
            record.ParseFromString(parts)
            parts = b""
            yield record
    assert not parts


class Recorder(BaseHTTPRequestHandler):
    """Speaks as much of the server's language as an upload needs, and keeps what it hears."""

    heard = []

    def answer(self, body):
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        asked = json.loads(body) if body else {}
        self.heard.append((self.path, asked))
        query = asked.get("query", "")
        if "UpsertBucket" in query or "upsertBucket" in query:
            given = asked["variables"]
            bucket = {
                "id": "storage-id",
                "name": given.get("name"),
                "displayName": given.get("displayName"),
                "description": None,
                "config": given.get("config"),
                "sweepName": None,
                "historyLineCount": 0,
                "project": {"id": "p", "name": given.get("project"), "entity": {"id": "e", "name": "team"}},
            }
            self.answer({"data": {"upsertBucket": {"bucket": bucket, "inserted": True}}})
        elif "Viewer" in query or "viewer" in query:
            viewer = {"id": "v", "entity": "team", "username": "somebody", "flags": "{}", "teams": {"edges": []}}
            self.answer({"data": {"viewer": viewer, "serverInfo": None}})
        else:
            self.answer({"data": {}})

    do_GET = do_POST

    def log_message(self, *arguments):
        pass


def sync(folder):
    """Uploads the run to the recorder; answers what that heard and what the client said."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {
            "HOME": home,
            "WANDB_BASE_URL": f"http://127.0.0.1:{server.server_port}",
            "WANDB_API_KEY": "0" * 40,
            "WANDB_ERROR_REPORTING": "false",
        }
        command = [sys.executable, "-m", "wandb", "sync", str(folder.resolve())]
        said = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=120)
    server.shutdown()
    return Recorder.heard, said.stdout + said.stderr


def main(folder, project, steps):
    folder = pathlib.Path(folder)
    (file,) = folder.glob("run-*.wandb")
    assert folder.name.endswith("-" + file.stem.removeprefix("run-")), (folder.name, file.name)
    read = list(records(file.read_bytes()))
    kinds = [record.WhichOneof("record_type") for record in read]
    assert kinds == ["header", "run"] + ["history"] * steps + ["summary", "exit"], kinds
    run = read[1].run
    assert run.project == project and run.run_id == file.stem.removeprefix("run-"), run
    for item in run.config.update:
        json.loads(item.value_json)
    histories = [{item.nested_key[0]: json.loads(item.value_json) for item in one.history.item} for one in read[2:-2]]
    assert [one["_step"] for one in histories] == list(range(1, steps + 1))
    assert [one.history.step.num for one in read[2:-2]] == list(range(1, steps + 1))

    heard, said = sync(folder)
    upserts = [asked["variables"] for _, asked in heard if "psertBucket" in asked.get("query", "")]
    assert upserts, (said, heard)
    assert upserts[0]["name"] == run.run_id and upserts[0]["project"] == project, upserts[0]
    streamed = [asked for path, asked in heard if path.endswith("/file_stream")]
    lines = [
        json.loads(line)
        for asked in streamed
        for line in asked.get("files", {}).get("wandb-history.jsonl", {}).get("content", [])
    ]
    assert [line["_step"] for line in lines] == list(range(1, steps + 1)), (said, lines)
    assert any(asked.get("complete") and asked.get("exitcode") == read[-1].exit.exit_code for asked in streamed), streamed
    print(f"{steps} steps were read and uploaded")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
