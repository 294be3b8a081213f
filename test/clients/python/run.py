"""Runs the checks of one file against a gateway: `python run.py use_openai http://127.0.0.1:3000 gw_key [model]`,
where the model echoes on another provider than the sandbox.

Prints a line of JSON for each check, `{"name", "error"}`; `error` is null where it passed.
"""

import asyncio
import contextlib
import importlib
import inspect
import json
import os
import sys
import traceback


def main(module: str, url: str, key: str, model: str = "sandbox/echo") -> int:
    os.environ.update(GATEWAY_URL=url, GATEWAY_KEY=key, GATEWAY_MODEL=model)
    failed = 0
    for name, check in list(vars(importlib.import_module(module)).items()):
        if not name.startswith("check_"):
            continue
        error = None
        try:
            # What a check prints is no result.
            with contextlib.redirect_stdout(sys.stderr):
                if inspect.iscoroutinefunction(check):
                    asyncio.run(check())
                else:
                    check()
        except Exception:
            error = traceback.format_exc()
            failed += 1
        print(json.dumps({"name": name.removeprefix("check_"), "error": error}), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
