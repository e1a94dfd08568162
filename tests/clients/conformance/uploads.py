"""/v1/uploads."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

from check import refused
from openai import BadRequestError, NotFoundError
from stage import lines


def announce(stage, size, **values):
    values = {"filename": "u.jsonl", "purpose": "fine-tune", "mime_type": "text/jsonl", "bytes": size, **values}
    return stage.client.uploads.create(**values)


def check_a_file_in_chunks(stage):
    content = lines(100)
    upload = stage.client.uploads.upload_file_chunked(
        file=content,
        filename="chunks.jsonl",
        bytes=len(content),
        mime_type="text/jsonl",
        purpose="fine-tune",
        part_size=1000,
        md5=hashlib.md5(content).hexdigest(),
    )
    assert upload.status == "completed" and upload.file.bytes == len(content), upload
    assert upload.file.filename == "chunks.jsonl" and upload.file.purpose == "fine-tune", upload
    file = stage.client.files.wait_for_processing(upload.file.id, poll_interval=0.05)
    assert file.status == "processed", file
    assert stage.client.files.content(file.id).content == content


def check_parts_at_once_in_the_order_that_is_told(stage):
    content = lines(40)
    upload = announce(stage, len(content))
    assert (upload.object, upload.status, upload.file) == ("upload", "pending", None), upload
    assert upload.expires_at - upload.created_at == 3600, upload
    chunks = [content[at : at + 500] for at in range(0, len(content), 500)]

    def send(chunk):
        part = stage.client.uploads.parts.create(upload.id, data=chunk)
        assert (part.object, part.upload_id) == ("upload.part", upload.id), part
        return part.id

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(send, chunks))
    done = stage.client.uploads.complete(upload.id, part_ids=ids)
    assert stage.client.files.content(done.file.id).content == content
    # A repeated request gets the first one's answer, another is refused.
    again = stage.client.uploads.complete(upload.id, part_ids=ids)
    assert again.file.id == done.file.id, again
    refused(
        BadRequestError,
        lambda: stage.client.uploads.complete(upload.id, part_ids=ids[::-1]),
        code="upload_not_pending",
    )


def check_what_does_not_fit(stage):
    for param, values in [
        ("bytes", {"size": 0}),
        ("bytes", {"size": -1}),
        ("bytes", {"size": (8 << 30) + 1}),
        ("filename", {"filename": ""}),
        ("purpose", {"purpose": "fine-tune-results"}),
        ("mime_type", {"mime_type": ""}),
        ("expires_after[seconds]", {"expires_after": {"anchor": "created_at", "seconds": 3599}}),
        ("expires_after[anchor]", {"expires_after": {"anchor": "now", "seconds": 3600}}),
    ]:
        values = {"size": 1, **values}
        refused(BadRequestError, lambda values=values: announce(stage, **values), param=param)
    assert announce(stage, 8 << 30).bytes == 8 << 30


def check_parts_that_are_not_the_file(stage):
    upload = announce(stage, 3)
    complete = stage.client.uploads.complete
    one, more = (stage.client.uploads.parts.create(upload.id, data=data).id for data in (b"abc", b"d"))
    for ids in ([], ["part_x"], [one, one], [one, more], [more]):
        refused(BadRequestError, lambda ids=ids: complete(upload.id, part_ids=ids), param="part_ids")
    for md5 in ("0" * 32, "x"):
        refused(BadRequestError, lambda md5=md5: complete(upload.id, part_ids=[one], md5=md5), param="md5")
    refused(BadRequestError, lambda: stage.client.uploads.parts.create(upload.id, data=b""), param="data")
    assert complete(upload.id, part_ids=[one]).status == "completed"


def check_expiry_of_the_file(stage):
    upload = announce(stage, 1, expires_after={"anchor": "created_at", "seconds": 3600}, purpose="batch")
    part = stage.client.uploads.parts.create(upload.id, data=b"x")
    file = stage.client.uploads.complete(upload.id, part_ids=[part.id]).file
    assert file.expires_at - file.created_at == 3600, file


def check_cancel(stage):
    upload = announce(stage, 1)
    stage.client.uploads.parts.create(upload.id, data=b"x")
    assert stage.client.uploads.cancel(upload.id).status == "cancelled"
    for call in (
        lambda: stage.client.uploads.cancel(upload.id),
        lambda: stage.client.uploads.parts.create(upload.id, data=b"x"),
        lambda: stage.client.uploads.complete(upload.id, part_ids=["part_x"]),
    ):
        refused(BadRequestError, call, code="upload_not_pending")


def check_uploads_of_others_are_not_there(stage):
    upload = announce(stage, 1)
    refused(NotFoundError, lambda: stage.other.uploads.cancel(upload.id))
    refused(NotFoundError, lambda: stage.other.uploads.parts.create(upload.id, data=b"x"))
    stage.client.uploads.cancel(upload.id)
