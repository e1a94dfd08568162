"""What the checks share: clients of several people, training files, one job that has succeeded."""

import json
import os
import subprocess
import time

import httpx2
from openai import OpenAI

FINAL = {"succeeded", "failed", "cancelled"}


def lines(count):
    """So many training lines."""
    return "".join(
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": f"Question {number}?"},
                    {"role": "assistant", "content": f"Answer {number}."},
                ]
            }
        )
        + "\n"
        for number in range(count)
    ).encode()


class Stage:
    def __init__(self, base_url, program, data_dir):
        self.base_url, self.program, self.data_dir = base_url, program, data_dir
        self.requests = []
        self.client = self.sign_in()
        self.admin = self.sign_in("--owner", "operator", "--admin")
        self.other = self.sign_in("--owner", "somebody-else")
        self.model = next(model.id for model in self.client.models.list() if not model.id.startswith("ft:"))
        self.file = self.upload(lines(12))
        self.raw = httpx2.Client(base_url=base_url, headers={"Authorization": f"Bearer {self.client.api_key}"})
        self.receiver = None
        self._job = None

    def attune(self, *words):
        """What one of the program's commands prints."""
        command = [self.program, *words, "--data-dir", self.data_dir]
        environment = {**os.environ, "ATTUNE_WEBHOOKS__PRIVATE_HOSTS": "127.0.0.1"}
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()

    def sign_in(self, *words):
        """A client of a fresh key. Every answer that it gets must name its request."""
        (key,) = self.attune("key", "create", "--name", "conformance", *words)

        def answered(response):
            assert response.headers.get("x-request-id"), response.url

        hooks = {"request": [self.requests.append], "response": [answered]}
        return OpenAI(base_url=self.base_url, api_key=key, http_client=httpx2.Client(event_hooks=hooks))

    def upload(self, content, purpose="fine-tune"):
        file = self.client.files.create(file=("training.jsonl", content), purpose=purpose)
        return self.client.files.wait_for_processing(file.id, poll_interval=0.05).id

    def create(self, **values):
        values = {"model": self.model, "training_file": self.file, **values}
        return self.client.fine_tuning.jobs.create(**values)

    def wait(self, job_id, *wanted):
        deadline = time.monotonic() + 120
        while True:
            job = self.client.fine_tuning.jobs.retrieve(job_id)
            if job.status in wanted:
                return job
            assert job.status not in FINAL, (job.status, job.error)
            assert time.monotonic() < deadline, f"still {job.status}"
            time.sleep(0.05)

    def succeeded(self):
        """A job that has succeeded, with a validation file."""
        if self._job is None:
            job = self.create(
                suffix="conform",
                seed=7,
                validation_file=self.file,
                metadata={"team": "a", "empty": ""},
                method={
                    "type": "supervised",
                    "supervised": {"hyperparameters": {"n_epochs": 2, "batch_size": 4}},
                },
            )
            self._job = self.wait(job.id, "succeeded")
        return self._job

    def close(self):
        if self.receiver:
            self.receiver.close()
