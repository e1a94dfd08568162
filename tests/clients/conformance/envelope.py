"""Errors of every kind come in the envelope, those of the framework too, and every answer names its request."""

from check import refused
from openai import AuthenticationError, OpenAI

KEYS = {"message", "type", "param", "code"}

# method, path, headers, body → status
REFUSALS = [
    ("GET", "/nowhere", {}, None, 404),
    ("GET", "/files/%FF", {}, None, 404),
    ("PUT", "/files", {}, None, 405),
    ("DELETE", "/fine_tuning/jobs", {}, None, 405),
    ("POST", "/models", {}, None, 405),
    ("POST", "/fine_tuning/jobs", {"content-type": "text/plain"}, b"{}", 415),
    ("POST", "/fine_tuning/jobs", {}, b"{}", 415),
    ("POST", "/files", {"content-type": "application/json"}, b"{}", 415),
    ("POST", "/uploads", {"content-type": "text/plain"}, b"{}", 415),
    ("POST", "/fine_tuning/jobs", {"content-type": "application/json"}, b"{", 400),
    ("POST", "/fine_tuning/jobs", {"content-type": "application/json"}, b"[]", 400),
    ("POST", "/fine_tuning/jobs", {"content-type": "application/json"}, b" " * (1 << 20) + b"{}", 413),
    ("POST", "/files", {"content-type": "multipart/form-data; boundary=x"}, b"nothing of the kind", 400),
    ("GET", "/fine_tuning/jobs?limit=%ZZ", {}, None, 400),
]


def check_refusals(stage):
    for method, path, headers, body, status in REFUSALS:
        answer = stage.raw.request(method, path, headers=headers, content=body)
        told = (method, path, answer.status_code, answer.text[:200])
        assert answer.status_code == status, told
        assert set(answer.json()["error"]) == KEYS, told
        assert answer.headers["x-request-id"], told


def check_request_ids_differ(stage):
    ids = {stage.raw.get("/models").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3, ids


def check_a_wrong_key(stage):
    stranger = OpenAI(base_url=stage.base_url, api_key="sk-attune-guessed")
    refused(AuthenticationError, stranger.models.list, code="invalid_api_key")
    bare = stage.raw.request("GET", "/models", headers={"Authorization": ""})
    assert bare.status_code == 401 and set(bare.json()["error"]) == KEYS, bare.text
