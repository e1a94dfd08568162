"""What a job tells of itself: events, checkpoints, the result file."""

import base64
import csv
import io
import re

from check import refused
from openai import BadRequestError, NotFoundError

COLUMNS = ["step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy"]
ALWAYS = {"step", "total_steps", "train_loss", "train_mean_token_accuracy"}
MEASURED = {"valid_loss", "valid_mean_token_accuracy", "full_valid_loss", "full_valid_mean_token_accuracy"}
MESSAGES = [
    r"Created fine-tuning job: ftjob-\w+",
    r"Validating training file: file-\w+",
    r"Validating validation file: file-\w+",
    r"Files validated, moving job to queued state",
    r"Fine-tuning job started",
    r"New fine-tuned model created: ft:.+",
    r"The job has successfully completed",
]


def check_a_job_that_succeeded(stage):
    job = stage.succeeded()
    assert job.error is None and job.trained_tokens > 0 and job.finished_at >= job.created_at, job
    assert re.fullmatch(rf"ft:{re.escape(stage.model)}:{job.organization_id}:conform:\w+", job.fine_tuned_model), job
    assert job.user_provided_suffix == "conform" and job.seed == 7, job
    assert job.metadata == {"team": "a", "empty": ""}, job
    assert job.hyperparameters.n_epochs == 2 and job.hyperparameters.batch_size == 4, job


def check_events(stage):
    job = stage.succeeded()
    events = list(stage.client.fine_tuning.jobs.list_events(job.id, limit=2))
    assert len({event.id for event in events}) == len(events)
    assert all(event.object == "fine_tuning.job.event" for event in events)
    messages = [event.message for event in events if event.type == "message"][::-1]
    for pattern, message in zip(MESSAGES, messages, strict=True):
        assert re.fullmatch(pattern, message), (pattern, message)
    metrics = [event for event in events if event.type == "metrics"][::-1]
    assert [event.data["step"] for event in metrics] == list(range(1, 7)), metrics
    for event in metrics:
        extra = set(event.data) - ALWAYS
        assert set(event.data) >= ALWAYS and extra in (set(), MEASURED), event.data
        assert re.match(r"Step \d+/6: training loss=\d+\.\d\d", event.message), event.message
    assert "validation loss" in metrics[-1].message, metrics[-1]


def check_bounds_of_the_lists(stage):
    job = stage.succeeded()
    jobs = stage.client.fine_tuning.jobs
    for limit in (0, -1, 1000000):
        refused(BadRequestError, lambda limit=limit: jobs.list_events(job.id, limit=limit), param="limit")
        refused(BadRequestError, lambda limit=limit: jobs.checkpoints.list(job.id, limit=limit), param="limit")
    refused(BadRequestError, lambda: jobs.list_events(job.id, after="ftevent-x"), param="after")
    refused(BadRequestError, lambda: jobs.checkpoints.list(job.id, after="ftckpt_x"), param="after")
    refused(NotFoundError, lambda: jobs.list_events("ftjob-x"))
    refused(NotFoundError, lambda: jobs.checkpoints.list("ftjob-x"))


def check_checkpoints(stage):
    job = stage.succeeded()
    page = stage.client.fine_tuning.jobs.checkpoints.list(job.id)
    body = page.model_dump()
    assert page.data and page.has_more is False, body
    assert (body["first_id"], body["last_id"]) == (page.data[0].id, page.data[-1].id), body
    newest = page.data[0]
    assert newest.object == "fine_tuning.job.checkpoint" and newest.id.startswith("ftckpt_"), newest
    assert newest.fine_tuning_job_id == job.id and newest.step_number == 6, newest
    assert newest.fine_tuned_model_checkpoint == f"{job.fine_tuned_model}:ckpt-step-6", newest
    assert newest.metrics.step == 6 and newest.metrics.full_valid_loss > 0, newest


def check_the_result_file(stage):
    (result,) = stage.succeeded().result_files
    file = stage.client.files.retrieve(result)
    assert (file.purpose, file.status) == ("fine-tune-results", "processed"), file
    assert result in [listed.id for listed in stage.client.files.list(purpose="fine-tune-results")]
    text = stage.client.files.content(result).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == COLUMNS and [row["step"] for row in rows] == list("123456"), rows
    assert rows[0]["valid_loss"] == "" and float(rows[-1]["valid_loss"]) > 0, rows
    encoded = stage.client.files.content(result, extra_query={"encoding": "base64"}).text
    assert base64.b64decode(encoded).decode() == text
