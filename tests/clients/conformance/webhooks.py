"""Webhooks, verified by the SDK itself."""

import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from openai import InvalidWebhookSignatureError


class Receiver:
    """Somebody's server: it is busy at first, as servers are."""

    def __init__(self):
        self.received = queue.Queue()
        outer, busy = self, iter([503])

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.received.put((dict(self.headers.items()), body))
                self.send_response(next(busy, 200))
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        return self.received.get(timeout=60)

    def close(self):
        self.server.shutdown()


def check_an_end_is_told_and_the_sdk_verifies_it(stage):
    stage.receiver = receiver = Receiver()
    webhook, secret = stage.attune("webhook", "add", receiver.url)
    job = stage.create()
    stage.client.fine_tuning.jobs.cancel(job.id)
    first, body = receiver.next()
    # Busy, it is told again a little later: the same event, signed anew.
    headers, again = receiver.next()
    assert again == body and headers["webhook-id"] == first["webhook-id"], (first, headers)
    event = stage.client.webhooks.unwrap(body, headers, secret=secret)
    assert event.type == "fine_tuning.job.cancelled" and event.data.id == job.id, event
    assert event.id == headers["webhook-id"] and event.object == "event", event
    for payload, key in [(body + b" ", secret), (body, "whsec_" + "A" * 43 + "=")]:
        try:
            stage.client.webhooks.unwrap(payload, headers, secret=key)
        except InvalidWebhookSignatureError:
            continue
        raise AssertionError("a forged event was taken")
    assert webhook.startswith("wh-"), webhook


def check_commands(stage):
    listed = stage.attune("webhook", "list")
    webhook = listed[0]
    assert stage.receiver.url in listed, listed
    said = stage.attune("webhook", "test", webhook)
    headers, _ = stage.receiver.next()
    assert said == ["delivered", headers["webhook-id"]], said
    assert stage.attune("webhook", "remove", webhook) == ["removed", webhook]
    assert stage.attune("webhook", "list") == []
