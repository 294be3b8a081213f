"""The Python blocks of docs/clients.md whose libraries are installed here, as they stand, with a model called `fast`."""

import ast
import importlib.util
import os
import pathlib
import re
import tempfile

PAGE = pathlib.Path(__file__).parents[3] / "docs/clients.md"
# Models of providers that a test has not, and what stands for them.
STAND_INS = {"openai/text-embedding-3-small": "sandbox/embed"}
# A block may go on from the one before.
names = {}


def is_installed(block):
    modules = []
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules.append(node.module)
    try:
        return all(importlib.util.find_spec(module) is not None for module in modules)
    except ModuleNotFoundError:
        return False


def made_of(block):
    def check():
        os.chdir(tempfile.mkdtemp())
        pathlib.Path("requests.jsonl").write_text(
            '{"custom_id": "a", "method": "POST", "url": "/v1/responses", "body": {"model": "fast", "input": "Say hello."}}\n'
        )
        exec(compile(block, str(PAGE), "exec"), names)

    return check


for number, block in enumerate(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)):
    if is_installed(block):
        for model, stand_in in STAND_INS.items():
            block = block.replace(model, stand_in)
        globals()[f"check_block_{number}"] = made_of(block)
