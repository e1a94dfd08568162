"""Drives the OpenAI Python SDK against /v1 as a user's script would, and checks every answer.

Usage: openai_client.py BASE_URL API_KEY TRAINING_FILE LONG_TRAINING_FILE PAIRS_FILE
"""

import csv
import io
import sys
import time

from openai import BadRequestError, NotFoundError, OpenAI

FINAL = {"succeeded", "failed", "cancelled"}


def wait(client, job_id, wanted):
    """Asks again until the job has one of the wanted statuses, as every script does that has no stream."""
    deadline = time.monotonic() + 240
    while True:
        job = client.fine_tuning.jobs.retrieve(job_id)
        if job.status in wanted:
            return job
        assert job.status not in FINAL, (job.status, job.error)
        assert time.monotonic() < deadline, f"still {job.status}"
        time.sleep(0.2)


def refused(kind, call):
    """The error that a call must end with."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} expected")


def upload(client, path):
    with open(path, "rb") as content:
        file = client.files.create(file=content, purpose="fine-tune")
    assert file.object == "file" and file.purpose == "fine-tune", file
    file = client.files.wait_for_processing(file.id)
    assert file.status == "processed", file
    return file


def files(client, path):
    file = upload(client, path)
    with open(path, "rb") as content:
        expected = content.read()
    assert file.bytes == len(expected), file
    assert client.files.content(file.id).content == expected
    assert file.id in [listed.id for listed in client.files.list(purpose="fine-tune")]
    assert client.files.retrieve(file.id).filename == path.rsplit("/", 1)[-1]
    return file


def succeeded_job(client, model, file):
    job = client.fine_tuning.jobs.create(
        model=model,
        training_file=file.id,
        suffix="sdk",
        seed=7,
        metadata={"team": "a"},
        method={
            "type": "supervised",
            "supervised": {"hyperparameters": {"n_epochs": 2, "batch_size": 8, "learning_rate_multiplier": "auto"}},
        },
    )
    assert job.object == "fine_tuning.job" and job.status in {"validating_files", "queued", "running"}, job
    job = wait(client, job.id, {"succeeded"})
    assert job.error is None or job.error.message is None, job.error
    assert job.fine_tuned_model.startswith(f"ft:{model}:") and ":sdk:" in job.fine_tuned_model, job
    assert job.trained_tokens > 0 and job.finished_at >= job.created_at, job
    assert job.seed == 7 and job.metadata == {"team": "a"}, job
    hyperparameters = job.method.supervised.hyperparameters
    assert hyperparameters.n_epochs == 2 and hyperparameters.batch_size == 8, hyperparameters
    assert isinstance(hyperparameters.learning_rate_multiplier, (int, float)), hyperparameters
    return job


def record(client, job):
    # Three a page, so that the cursor is used; the SDK follows it.
    events = list(client.fine_tuning.jobs.list_events(job.id, limit=3))
    assert len({event.id for event in events}) == len(events), "an event came twice"
    assert [event.created_at for event in events] == sorted((e.created_at for e in events), reverse=True)
    messages = [event.message for event in events]
    assert any("successfully completed" in message for message in messages), messages
    steps = [int(event.data["step"]) for event in events if event.type == "metrics"]
    assert steps == list(range(len(steps), 0, -1)) and steps, steps

    checkpoints = client.fine_tuning.jobs.checkpoints.list(job.id).data
    assert checkpoints and checkpoints[0].step_number == steps[0], checkpoints
    assert checkpoints[0].fine_tuning_job_id == job.id, checkpoints
    assert checkpoints[0].metrics.train_loss > 0, checkpoints

    (result,) = job.result_files
    rows = list(csv.DictReader(io.StringIO(client.files.content(result).text)))
    assert [int(row["step"]) for row in rows] == list(range(1, len(steps) + 1)), rows
    return len(steps)


def lists(client, job):
    models = [model.id for model in client.models.list()]
    assert job.model in models and job.fine_tuned_model in models, models
    assert client.models.retrieve(job.fine_tuned_model).id == job.fine_tuned_model
    assert job.id in [listed.id for listed in client.fine_tuning.jobs.list(limit=1)]
    of_team = client.fine_tuning.jobs.list(extra_query={"metadata[team]": "a"})
    assert [listed.id for listed in of_team] == [job.id], of_team
    of_nobody = client.fine_tuning.jobs.list(extra_query={"metadata[team]": "b"})
    assert not list(of_nobody)


def job_over_pairs(client, model, chats, path):
    file = upload(client, path)
    hyperparameters = {"beta": 0.2, "n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": "auto"}
    method = {"type": "dpo", "dpo": {"hyperparameters": hyperparameters}}
    create = client.fine_tuning.jobs.create
    job = create(model=model, training_file=file.id, validation_file=file.id, seed=7, suffix="pairs", method=method)
    job = wait(client, job.id, {"succeeded"})
    assert job.method.type == "dpo" and job.method.supervised is None, job.method
    told = job.method.dpo.hyperparameters
    assert (told.beta, told.n_epochs, told.batch_size) == (0.2, 3, 8), told
    assert isinstance(told.learning_rate_multiplier, (int, float)), told
    steps = [event.data for event in client.fine_tuning.jobs.list_events(job.id) if event.type == "metrics"]
    # Newest first: the margin grew, and the preferred answers came out ahead.
    assert abs(steps[-1]["train_loss"] - 0.6931) < 1e-3, steps[-1]
    last = next(data for data in steps if "valid_reward_margin" in data)
    assert last["valid_reward_margin"] > 0 and last["valid_reward_accuracy"] > 0.5, last
    assert last["valid_reward_chosen"] > last["valid_reward_rejected"], last

    # Chats are for another method, which the failed job says.
    job = create(model=model, training_file=chats.id, method={"type": "dpo"})
    deadline = time.monotonic() + 60
    while job.status != "failed":
        assert job.status == "validating_files" and time.monotonic() < deadline, job
        time.sleep(0.2)
        job = client.fine_tuning.jobs.retrieve(job.id)
    assert job.error.param == "training_file" and "supervised" in job.error.message, job.error
    error = refused(
        BadRequestError,
        lambda: create(model=model, training_file=file.id, method={"type": "dpo", "dpo": {"hyperparameters": {"beta": 3}}}),
    )
    assert error.param == "method.dpo.hyperparameters.beta", error.body


def paused_job(client, model, file):
    job = client.fine_tuning.jobs.create(
        model=model, training_file=file.id, hyperparameters={"n_epochs": 50, "batch_size": 1}
    )
    wait(client, job.id, {"running"})
    job = client.fine_tuning.jobs.pause(job.id)
    assert job.status in {"pausing", "paused"}, job
    wait(client, job.id, {"paused"})
    checkpoints = client.fine_tuning.jobs.checkpoints.list(job.id).data
    assert checkpoints, "paused means saved"
    # An illegal change is 400, which the SDK doesn't try again.
    error = refused(BadRequestError, lambda: client.fine_tuning.jobs.pause(job.id))
    assert error.code == "job_not_pausable", error.body
    job = client.fine_tuning.jobs.resume(job.id)
    assert job.status in {"queued", "running"}, job
    wait(client, job.id, {"running"})
    error = refused(BadRequestError, lambda: client.fine_tuning.jobs.resume(job.id))
    assert error.code == "job_not_resumable", error.body
    client.fine_tuning.jobs.cancel(job.id)
    wait(client, job.id, {"cancelled"})


def cancelled_job(client, model, file):
    job = client.fine_tuning.jobs.create(
        model=model, training_file=file.id, hyperparameters={"n_epochs": 50, "batch_size": 1}
    )
    wait(client, job.id, {"running"})
    client.fine_tuning.jobs.cancel(job.id)
    job = wait(client, job.id, {"cancelled"})
    assert job.fine_tuned_model is None, job
    # An illegal change is 400, which the SDK doesn't try again.
    started = time.monotonic()
    error = refused(BadRequestError, lambda: client.fine_tuning.jobs.cancel(job.id))
    assert error.status_code == 400 and time.monotonic() - started < 5, error


def errors(client, model, file):
    error = refused(NotFoundError, lambda: client.fine_tuning.jobs.retrieve("ftjob-nobody"))
    assert set(error.body) == {"message", "type", "param", "code"}, error.body
    error = refused(BadRequestError, lambda: client.fine_tuning.jobs.create(model="gpt-0", training_file=file.id))
    assert error.param == "model" and "gpt-0" in error.body["message"], error.body
    error = refused(
        BadRequestError, lambda: client.fine_tuning.jobs.create(model=model, training_file="file-nobody")
    )
    assert error.param == "training_file", error.body
    error = refused(BadRequestError, lambda: client.fine_tuning.jobs.list(limit=0))
    assert error.param == "limit", error.body


def main():
    base_url, api_key, path, long_path, pairs_path = sys.argv[1:]
    client = OpenAI(base_url=base_url, api_key=api_key)
    model = next(model.id for model in client.models.list() if not model.id.startswith("ft:"))
    file = files(client, path)
    job = succeeded_job(client, model, file)
    steps = record(client, job)
    lists(client, job)
    job_over_pairs(client, model, file, pairs_path)
    long_file = upload(client, long_path)
    paused_job(client, model, long_file)
    cancelled_job(client, model, long_file)
    errors(client, model, file)
    print(f"{job.fine_tuned_model}: {steps} steps")


if __name__ == "__main__":
    main()
