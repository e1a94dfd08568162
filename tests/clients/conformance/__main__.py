"""Whether /v1 keeps the contract, as the OpenAI Python SDK sees it: every call, every bound, every trap, by name.

Usage: conformance BASE_URL PROGRAM DATA_DIR
Keys, and the webhook, are made with the server's own program.
"""

import sys

import check
import envelope
import files
import jobs
import models
import record
import uploads
import webhooks
from stage import Stage

# In the order of what they build on: a job needs a file, a record a job.
MODULES = [envelope, files, uploads, jobs, record, models, webhooks]


def main():
    stage = Stage(*sys.argv[1:])
    for module in MODULES:
        check.run(module, stage)
    stage.close()
    failures = check.report()
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
