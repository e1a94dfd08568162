"""Creating, finding and moving jobs."""

import httpx2
from check import refused
from openai import BadRequestError, NotFoundError, OpenAI
from stage import lines

ALWAYS = """id object created_at model organization_id status training_file validation_file result_files
    fine_tuned_model finished_at trained_tokens error hyperparameters seed method metadata integrations estimated_finish
    user_provided_suffix""".split()

NEW = "method.supervised.hyperparameters"


def old(**values):
    return {"hyperparameters": values}


def of(kind, **values):
    return {"method": {"type": kind, kind: {"hyperparameters": values}}}


# The parameter at fault, and what is asked for.
REFUSED = [
    ("model", {"model": "gpt-0"}),
    ("model", {"model": ""}),
    ("training_file", {"training_file": "file-nobody"}),
    ("validation_file", {"validation_file": "file-nobody"}),
    ("suffix", {"suffix": ""}),
    ("suffix", {"suffix": "s" * 65}),
    ("seed", {"seed": -1}),
    ("seed", {"seed": 2147483648}),
    ("metadata", {"metadata": {str(key): "v" for key in range(17)}}),
    ("metadata", {"metadata": {"k" * 65: "v"}}),
    ("metadata", {"metadata": {"k": "v" * 513}}),
    ("metadata", {"metadata": {"k": 1}}),
    ("integrations[0].type", {"integrations": [{"type": "other", "wandb": {"project": "p"}}]}),
    ("integrations[0].wandb.project", {"integrations": [{"type": "wandb", "wandb": {"project": ""}}]}),
    ("method.type", {"method": {"type": "other"}}),
    ("method.type", of("reinforcement", reasoning_effort="low")),
    ("hyperparameters.n_epochs", old(n_epochs=0)),
    ("hyperparameters.n_epochs", old(n_epochs=51)),
    ("hyperparameters.batch_size", old(batch_size=0)),
    ("hyperparameters.batch_size", old(batch_size=257)),
    ("hyperparameters.learning_rate_multiplier", old(learning_rate_multiplier=0)),
    ("hyperparameters.learning_rate_multiplier", old(learning_rate_multiplier=-0.1)),
    ("hyperparameters.n_epochs", old(n_epochs="many")),
    (f"{NEW}.n_epochs", of("supervised", n_epochs=51)),
    (f"{NEW}.batch_size", of("supervised", batch_size=257)),
    (f"{NEW}.beta", of("supervised", beta=0.1)),
    ("method.dpo.hyperparameters.beta", of("dpo", beta=0)),
    ("method.dpo.hyperparameters.beta", of("dpo", beta=2.01)),
    ("method.dpo.hyperparameters.n_epochs", of("dpo", n_epochs=0)),
    ("x_attune.lora.rank", {"extra_body": {"x_attune": {"lora": {"rank": 257}}}}),
    ("unheard_of", {"extra_body": {"unheard_of": 1}}),
]

# What is asked for, at its bounds.
TAKEN = [
    {"suffix": "s", "seed": 0, **old(n_epochs=1, batch_size=1, learning_rate_multiplier=0.001)},
    {"suffix": "s" * 64, "seed": 2147483647, **old(n_epochs=50, batch_size=256)},
    {"metadata": {"k" * 63 + format(key, "x"): "v" * 512 for key in range(16)}},
    {"metadata": {}, **old(n_epochs="auto", batch_size="auto", learning_rate_multiplier="auto")},
    {"integrations": []},
    {"integrations": [{"type": "wandb", "wandb": {"project": "p", "name": "n", "entity": "e", "tags": ["t"]}}]},
    {"validation_file": None, "extra_body": {"x_attune": {"lora": {"rank": 256}}}},
]


def check_every_fault_names_its_parameter(stage):
    for param, values in REFUSED:
        refused(BadRequestError, lambda values=values: stage.create(**values), param=param)
    batch = stage.upload(b"{}", "batch")
    refused(BadRequestError, lambda: stage.create(training_file=batch), param="training_file")
    assert not stage.client.fine_tuning.jobs.list().data


def check_every_bound_is_taken(stage):
    for values in TAKEN:
        job = stage.create(**values)
        assert set(ALWAYS) <= set(job.model_dump()), job
        stage.client.fine_tuning.jobs.cancel(job.id)


def check_auto_is_resolved_once_the_files_are_validated(stage):
    job = stage.create(hyperparameters={"n_epochs": "auto"})
    job = stage.wait(job.id, "queued", "running", "succeeded")
    told = job.hyperparameters
    assert all(isinstance(value, (int, float)) for value in (told.n_epochs, told.batch_size)), told
    assert isinstance(told.learning_rate_multiplier, (int, float)), told
    assert job.method.type == "supervised" and job.method.supervised.hyperparameters.n_epochs == told.n_epochs, job
    if job.status != "succeeded":
        stage.client.fine_tuning.jobs.cancel(job.id)


def check_a_file_that_is_too_small(stage):
    job = stage.create(training_file=stage.upload(lines(3)))
    error = stage.wait(job.id, "failed").error
    assert (error.code, error.param) == ("invalid_n_examples", "training_file"), error
    assert error.message == "Training file has 3 example(s), but must have at least 10 examples", error


def check_illegal_changes_are_refused_once(stage):
    job = stage.create(hyperparameters={"n_epochs": 50, "batch_size": 1})
    assert stage.client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    for action in ("cancel", "pause", "resume"):
        before = len(stage.requests)
        refused(BadRequestError, lambda action=action: getattr(stage.client.fine_tuning.jobs, action)(job.id))
        assert len(stage.requests) == before + 1, "the SDK must not try it again"
        refused(NotFoundError, lambda action=action: getattr(stage.client.fine_tuning.jobs, action)("ftjob-x"))


def check_pause_and_resume(stage):
    job = stage.create(hyperparameters={"n_epochs": 50, "batch_size": 1})
    assert stage.client.fine_tuning.jobs.pause(job.id).status in {"pausing", "paused"}
    stage.wait(job.id, "paused")
    assert stage.client.fine_tuning.jobs.resume(job.id).status in {"validating_files", "queued", "running"}
    stage.client.fine_tuning.jobs.cancel(job.id)


class LosesTheFirstAnswer(httpx2.HTTPTransport):
    """The server does what it was asked for, and the answer is lost on the way."""

    lost = False

    def handle_request(self, request):
        response = super().handle_request(request)
        if not self.lost and request.method == "POST":
            self.lost = True
            response.read()
            raise httpx2.ReadError("cut")
        return response


def check_a_create_whose_answer_is_lost_makes_one_job(stage):
    client = OpenAI(
        base_url=stage.base_url,
        api_key=stage.client.api_key,
        http_client=httpx2.Client(transport=LosesTheFirstAnswer()),
    )
    job = client.fine_tuning.jobs.create(model=stage.model, training_file=stage.file, suffix="lost")
    found = [listed.id for listed in stage.client.fine_tuning.jobs.list() if listed.user_provided_suffix == "lost"]
    assert found == [job.id], found
    stage.client.fine_tuning.jobs.cancel(job.id)


def check_idempotency_keys(stage):
    headers = {"Idempotency-Key": "once"}
    first = stage.create(extra_headers=headers)
    assert stage.create(extra_headers=headers).id == first.id
    refused(
        BadRequestError, lambda: stage.create(extra_headers=headers, seed=1), code="idempotency_key_reused"
    )
    stage.client.fine_tuning.jobs.cancel(first.id)


def check_metadata_filters(stage):
    made = {}
    for name, metadata in [("a", {"kind": "a"}), ("empty", {"kind": ""}), ("none", None)]:
        made[name] = stage.create(metadata=metadata).id
        stage.client.fine_tuning.jobs.cancel(made[name])

    def listed(**filters):
        return [job.id for job in stage.client.fine_tuning.jobs.list(limit=100, **filters)]

    assert listed(metadata={"kind": "a"}) == [made["a"]]
    assert listed(metadata={"kind": ""}) == [made["empty"]]
    assert listed(metadata={"kind": "b"}) == []
    none = listed(extra_query={"metadata": "null"})
    assert made["none"] in none and not {made["a"], made["empty"]} & set(none), none


def check_lists(stage):
    jobs = stage.client.fine_tuning.jobs
    for limit in (0, -1, 1000000):
        refused(BadRequestError, lambda limit=limit: jobs.list(limit=limit), param="limit")
    refused(BadRequestError, lambda: jobs.list(after="ftjob-x"), param="after")
    everything = [job.id for job in jobs.list(limit=100)]
    page = jobs.list(limit=2)
    newer = stage.create().id
    jobs.cancel(newer)
    paged = [job.id for job in page.data]
    while page.has_more:
        page = page.get_next_page()
        paged += [job.id for job in page.data]
    assert paged == everything, "a newer job must shift nothing"
    refused(NotFoundError, lambda: stage.other.fine_tuning.jobs.retrieve(newer))
    assert not stage.other.fine_tuning.jobs.list().data
