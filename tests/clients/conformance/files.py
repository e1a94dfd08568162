"""/v1/files."""

from check import refused
from openai import BadRequestError, NotFoundError
from stage import lines

PURPOSES = ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]


def check_a_file_comes_and_goes(stage):
    content = lines(12)
    file = stage.client.files.create(file=("a b.jsonl", content), purpose="fine-tune")
    assert (file.object, file.bytes, file.filename) == ("file", len(content), "a b.jsonl"), file
    assert file.status in {"uploaded", "processed"} and file.expires_at is None, file
    file = stage.client.files.wait_for_processing(file.id, poll_interval=0.05)
    assert file.status == "processed", file
    answer = stage.client.files.content(file.id)
    assert answer.content == content
    assert answer.response.request.headers["accept"] == "application/binary"
    deleted = stage.client.files.delete(file.id)
    assert (deleted.id, deleted.object, deleted.deleted) == (file.id, "file", True), deleted
    for call in (stage.client.files.retrieve, stage.client.files.content, stage.client.files.delete):
        refused(NotFoundError, lambda call=call: call(file.id), code="not_found")


def check_a_file_with_faults_is_told(stage):
    file = stage.client.files.create(file=("t.jsonl", lines(10) + b"nonsense\n"), purpose="fine-tune")
    file = stage.client.files.wait_for_processing(file.id, poll_interval=0.05)
    assert file.status == "error" and "line 11" in file.status_details, file


def check_purposes(stage):
    for purpose in PURPOSES:
        file = stage.client.files.create(file=("p", lines(10)), purpose=purpose)
        assert file.purpose == purpose
        assert next(iter(stage.client.files.list(purpose=purpose, limit=1))).id == file.id
    for purpose in ("fine-tune-results", "fun", ""):
        refused(
            BadRequestError,
            lambda purpose=purpose: stage.client.files.create(file=("p", b"{}"), purpose=purpose),
            param="purpose",
        )


def check_empty_files(stage):
    refused(BadRequestError, lambda: stage.client.files.create(file=("p", b""), purpose="batch"), param="file")


def check_expiry(stage):
    def create(seconds, anchor="created_at"):
        after = {"anchor": anchor, "seconds": seconds}
        return stage.client.files.create(file=("e", b"{}"), purpose="batch", expires_after=after)

    for seconds in (3600, 2592000):
        file = create(seconds)
        assert file.expires_at - file.created_at == seconds, file
    for seconds in (3599, 2592001, -1, 0):
        refused(BadRequestError, lambda seconds=seconds: create(seconds), param="expires_after[seconds]")
    refused(BadRequestError, lambda: create(3600, "last_used"), param="expires_after[anchor]")


def check_expiry_before_the_file_and_after_it(stage):
    parts = [
        ("expires_after[seconds]", (None, "3600")),
        ("file", ("f", b"{}")),
        ("purpose", (None, "batch")),
        ("expires_after[anchor]", (None, "created_at")),
    ]
    for order in (parts, parts[::-1]):
        answer = stage.raw.post("/files", files=order)
        assert answer.status_code == 200 and answer.json()["expires_at"], answer.text


def check_limits(stage):
    for limit in (0, -1, 10001, 1000000):
        refused(BadRequestError, lambda limit=limit: stage.client.files.list(limit=limit), param="limit")
    for limit in (1, 10000):
        assert len(stage.client.files.list(limit=limit).data) >= 1
    refused(BadRequestError, lambda: stage.client.files.list(order="up"), param="order")
    refused(BadRequestError, lambda: stage.client.files.list(after="file-x"), param="after")


def check_pages_stay_right_while_newer_files_arrive(stage):
    made = [stage.client.files.create(file=("v", b"{}"), purpose="vision").id for _ in range(4)]
    page = stage.client.files.list(purpose="vision", limit=2)
    body = page.model_dump()
    assert [file.id for file in page.data] == made[:1:-1], page
    assert (body["first_id"], body["last_id"], page.has_more) == (made[3], made[2], True), body
    stage.client.files.create(file=("v", b"{}"), purpose="vision")
    rest = [file.id for file in page.get_next_page()]
    assert rest[:2] == made[1::-1] and not set(rest) & set(made[2:]), rest
    ascending = [file.id for file in stage.client.files.list(purpose="vision", order="asc")]
    assert [file for file in ascending if file in made] == made, ascending


def check_files_of_others_are_not_there(stage):
    refused(NotFoundError, lambda: stage.other.files.retrieve(stage.file))
    assert stage.file not in [file.id for file in stage.other.files.list()]
