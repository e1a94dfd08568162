"""Named checks: each is a function `check_…` of a module; one that fails doesn't keep the others from running."""

import time
import traceback

results = []


def run(module, stage):
    for name, function in list(vars(module).items()):
        if not name.startswith("check_"):
            continue
        started = time.monotonic()
        try:
            function(stage)
            failure = None
        except Exception:
            failure = traceback.format_exc()
        results.append((f"{module.__name__}.{name[6:]}", time.monotonic() - started, failure))


def report():
    failures = [(name, failure) for name, _, failure in results if failure]
    for name, failure in failures:
        print(f"FAILED {name}\n{failure}")
    slowest = sorted(results, key=lambda result: -result[1])[:3]
    print("slowest: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds, _ in slowest))
    print(f"{len(results) - len(failures)} of {len(results)} checks hold")
    return failures


def refused(kind, call, param=None, code=None):
    """The error that a call must end with, its envelope whole."""
    try:
        made = call()
    except kind as error:
        assert type(error) is kind, error
        assert set(error.body) == {"message", "type", "param", "code"}, error.body
        assert error.body["message"] and error.body["type"], error.body
        if param is not None:
            assert error.param == param, (param, error.body)
        if code is not None:
            assert error.code == code, (code, error.body)
        return error
    raise AssertionError(f"{kind.__name__} expected, not {made}")
